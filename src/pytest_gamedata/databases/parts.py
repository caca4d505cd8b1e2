"""The schema and the factories that a dataset is made with: ours, or those that a test suite brings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from sqlalchemy import Engine

PACKAGE = __name__.partition(".")[0]


def create_tables(engine: Engine) -> None:
    """Create our tables, and those that a test suite has added to our metadata."""
    from pytest_gamedata.models import Base

    Base.metadata.create_all(engine)


class OwnFactories(Sequence[Any]):
    """Our factories, as a list that imports them when it is read."""

    def __len__(self) -> int:
        return len(_factories())

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return _factories()[index]

    def __repr__(self) -> str:
        return repr(_factories())


def _factories() -> list[Any]:
    from pytest_gamedata.factories import FACTORIES

    return list(FACTORIES)


def brought_factories(factories: Sequence[Any]) -> list[Any]:
    """Return the factories of a list that a test suite brings, without their numbers of rows."""
    given = [] if isinstance(factories, OwnFactories) else factories
    return [each[0] if isinstance(each, tuple) else each for each in given]


def number_after_seeded(factories: Sequence[Any], counts: Mapping[str, int]) -> None:
    """Let the sequences of extra factories go on after all seeded rows, so that create() meets none of these."""
    extra = (
        [] if isinstance(factories, OwnFactories) else [each for each in factories if isinstance(each, tuple)]
    )
    if extra:
        from pytest_gamedata.factories.adapter import start_sequence_after

        for made, _ in extra:
            start_sequence_after(made, max(counts.values(), default=0))


def fills_own_tables(parts: Parts) -> bool:
    """Tell whether our factories fill our tables: nothing need be mapped then."""
    return creates_own_tables(parts.create_schema) and are_own_factories(parts.factories)


@dataclass(frozen=True)
class Parts:
    """A schema and factories; `origins` identifies the fixtures that gave those of them that are not ours."""

    create_schema: Callable[[Engine], None]
    factories: Sequence[Any]
    origins: tuple[str, ...] = ()


OWN_PARTS = Parts(create_tables, OwnFactories())


def creates_own_tables(create_schema: Any) -> bool:
    """Tell whether a `create_schema` creates the tables of our metadata and nothing else."""
    models = sys.modules.get(f"{PACKAGE}.models")
    return create_schema is create_tables or (
        models is not None and create_schema == models.Base.metadata.create_all
    )


def are_own_factories(factories: Sequence[Any]) -> bool:
    """Tell whether these are our four factories, as they are by default."""
    module = sys.modules.get(f"{PACKAGE}.factories")
    ours = list(module.FACTORIES) if module else []
    is_changed = any(not factory.__module__.startswith(f"{PACKAGE}.") for factory in ours)
    return not is_changed and (isinstance(factories, OwnFactories) or list(factories) == ours)
