"""`GameFactory`: the base of the factories, for one row or a whole table from the same declarations."""

from __future__ import annotations

from typing import Any

from pytest_gamedata.columns.conversion import Columns
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.errors import SessionMissingError
from pytest_gamedata.factories.adapter import AdaptedFactory
from pytest_gamedata.factories.bulk import Table
from pytest_gamedata.settings import single_rows

SINGLE_ROWS_START = 1_000_000_000  # numbers of single rows start here, so their names never meet seeded ones


class GameFactory(AdaptedFactory):
    """Base of the factories: Factory Boy's methods for a single row, `columns` for many."""

    class Meta:
        abstract = True

    @classmethod
    def _first_number(cls) -> int:
        return SINGLE_ROWS_START

    @classmethod
    def _default_session(cls) -> Any:
        if single_rows.session is None:
            raise SessionMissingError(
                f"{cls.__name__}.create() has no session to persist through. "
                "Request the gamedata_session fixture in the test, or use build() for a row in memory."
            )
        return single_rows.session

    @classmethod
    def columns(cls, n: int, streams: Streams, **given: Any) -> Columns:
        """Draw n rows as columns, Params included; `given` columns replace declarations."""
        return Table(cls, n, streams, given).all()
