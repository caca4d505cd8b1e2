"""`GameFactory`: the base of the factories, for one row or a whole table from the same declarations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_gamedata.columns.conversion import Columns
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.errors import SessionMissingError
from pytest_gamedata.factories.adapter import AdaptedFactory
from pytest_gamedata.factories.adapter.team_models import (
    insert_row,
    is_django_model,
    is_plain_class,
    make_row,
    refuse_nameless,
)
from pytest_gamedata.factories.bulk import Table
from pytest_gamedata.factories.fields import fit_to_model, is_mapped_by_team, own_base
from pytest_gamedata.settings import single_rows

SINGLE_ROWS_START = 1_000_000_000  # numbers of single rows start here, so their names never meet seeded ones


class GameFactory(AdaptedFactory):
    """Base of the factories: Factory Boy's methods for a single row, `columns` for many."""

    class Meta:
        abstract = True

    @classmethod
    def _first_number(cls) -> int:
        return 0 if own_base(cls) is GameFactory else SINGLE_ROWS_START

    @classmethod
    def _default_session(cls) -> Any:
        if single_rows.session is None:
            raise SessionMissingError(
                f"{cls.__name__}.create() has no session to persist through. "
                "Request the gamedata_session fixture in the test, or use build() for a row in memory."
            )
        return single_rows.session

    @classmethod
    def _fit_to_model(cls, kwargs: dict[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
        return fit_to_model(cls, kwargs, attributes) if cls._is_mapped_by_team() else kwargs

    @classmethod
    def _is_mapped_by_team(cls) -> bool:
        return own_base(cls) is not GameFactory and is_mapped_by_team(cls)

    @classmethod
    def _build(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        return make_row(model_class, args, kwargs)

    @classmethod
    def _save_row(cls, model_class: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if is_plain_class(model_class):
            return model_class(*args, **kwargs)
        if is_django_model(model_class):
            return model_class._default_manager.create(*args, **kwargs)
        if model_class is dict:
            raise refuse_nameless(cls.__name__)
        if not isinstance(model_class, type):
            return insert_row(cls._default_session(), model_class, kwargs)
        return super()._save_row(model_class, args, kwargs)

    @classmethod
    def columns(cls, n: int, streams: Streams, **given: Any) -> Columns:
        """Draw n rows as columns, Params included; `given` columns replace declarations."""
        return Table(cls, n, streams, given).all()


@dataclass(frozen=True)
class Per:
    """Ask for so many rows per parent row on average; each parent's own number is drawn.

    >>> Per(UserFactory, 1.5)  # doctest: +SKIP
    """

    parent: Any  # a factory
    mean: float

    def __post_init__(self) -> None:
        if (
            isinstance(self.mean, bool)
            or not isinstance(self.mean, int | float)
            or not 0 <= self.mean < 10_000
        ):
            raise ValueError(f"Per: mean {self.mean!r} is not allowed. Allowed: a number from 0 to 10000.")
