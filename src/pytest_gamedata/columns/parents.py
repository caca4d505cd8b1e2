"""Views on other rows: a table's parents, and a block of a table's own rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pytest_gamedata.columns.combine import choose
from pytest_gamedata.columns.values import COLUMN_KINDS, Column, nulls_like


class Parent:
    """The parent rows of a table being drawn: ``row.user.created_at`` is one value per child row.

    Position -1 is a child without this parent and reads NULL.
    """

    def __init__(self, columns: Mapping[str, Column], positions: Any) -> None:
        self._columns = columns
        self._positions = positions

    def __getattr__(self, name: str) -> Column:
        column = self._columns[name]
        there = self._positions >= 0
        if there.all():
            return column[self._positions]
        missing = nulls_like(column, len(there))
        return choose(there, column[np.maximum(self._positions, 0)], missing) if len(column) else missing

    def of(self, rows: slice) -> Parent:
        """Return the parents of some of the child rows."""
        return Parent(self._columns, self._positions[rows])


class Block:
    """What a draw function sees of some of the rows of a table."""

    def __init__(self, table: Any, rows: slice) -> None:
        self._table = table
        self._rows = rows

    def __getattr__(self, name: str) -> Any:
        value = self._table.held(name)
        if isinstance(value, Parent):
            return value.of(self._rows)
        return value[self._rows] if isinstance(value, COLUMN_KINDS) else value
