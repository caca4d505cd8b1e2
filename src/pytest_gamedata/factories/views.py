"""What a table is drawn from: random streams, parent rows, itself a block at a time."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from sqlalchemy import inspect

from pytest_gamedata.arrays import COLUMN_KINDS, Column, choose, nulls, nulls_like


class Streams:
    """One random stream per table and column, so that changing one column leaves the others alone."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def of(self, table: str, column: str) -> np.random.Generator:
        """Return the generator of one column, always from its start."""
        key = (zlib.crc32(table.encode()), zlib.crc32(column.encode()))
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=key)))


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


class _NoRow:
    """What a draw function sees of a parent that is not there: NULL in every field."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return null_of(self._model, name)


def null_of(model: Any, name: str) -> Any:
    """Return NULL as a column of one row, or a parent that is not there."""
    relationships = inspect(model).relationships if hasattr(model, "__mapper__") else {}
    if name in relationships:
        return _NoRow(relationships[name].mapper.class_)
    return nulls(type_in(model, name) or object, 1)


def type_in(model: Any, name: str) -> type | None:
    """Return the Python type of a model's column, None for what is no column."""
    column = model.__table__.c.get(name)
    return None if column is None else column.type.python_type
