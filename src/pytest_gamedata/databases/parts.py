"""What fills a template unless a test suite brings its own. Neither imports anything before it is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from sqlalchemy import Engine


def create_tables(engine: Engine) -> None:
    """Create our tables, and those that a test suite has added to our metadata."""
    from pytest_gamedata.models import Base

    Base.metadata.create_all(engine)


class OwnFactories(Sequence[Any]):
    """Our factories, a list that is imported when somebody looks into it."""

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

    return list(FACTORIES.values())
