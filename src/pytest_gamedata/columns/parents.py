"""The parent rows of a table, seen from its child rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.conversion import Column, take_or_null


class Parent:
    """A table's parent rows, one per child row: ``row.user.created_at`` is a column as long as the child table.

    `positions` says which row of the parent table each child belongs to; -1 is a child without this parent,
    which reads NULL.
    """

    def __init__(self, columns: Mapping[str, Column], positions: NDArray[np.integer]) -> None:
        self._columns = columns
        self._positions = positions

    def __getattr__(self, name: str) -> Column:
        return take_or_null(self._columns[name], self._positions)
