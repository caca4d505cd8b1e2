"""A table on its way to being filled: the values that its rows have so far, and the parents that they refer to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.conversion import to_python
from pytest_gamedata.databases.mapping.entries import Entry
from pytest_gamedata.errors import LoadError
from pytest_gamedata.postgres.rows.catalogue import Table

Positions = NDArray[np.int64]  # of parent rows, one per row; -1 for none


@dataclass
class Filled:
    """The rows of one table: by column what is stored, by attribute what declarations and children read."""

    entry: Entry
    table: Table
    count: int
    fields: dict[str, Any] = field(default_factory=dict)  # the dataset's columns, under our names
    stored: dict[str, Any] = field(default_factory=dict)  # by column
    attributes: dict[str, Sequence[Any]] = field(default_factory=dict)  # as declarations gave them
    parents: dict[str, tuple[Filled, Positions]] = field(default_factory=dict)  # by attribute or column
    relatives: dict[str, tuple[Filled, Positions]] = field(default_factory=dict)  # our own: user, item, ...

    def read(self, name: str) -> Sequence[Any]:
        """Return the values of an attribute, a column or one of our fields, as Python values."""
        if name not in self.attributes:
            self.attributes[name] = self._find(name)
        return self.attributes[name]

    def _find(self, name: str) -> Sequence[Any]:
        column = self.entry.model.columns.get(name, name)
        if name in self.fields and column not in self.stored:
            return to_python(self.fields[name])
        if name in self.parents:
            parent, positions = self.parents[name]
            return [SeededRow(parent, at) if at >= 0 else None for at in positions.tolist()]
        if column in self.stored:
            return self.stored[column]
        if name in self.fields:
            return to_python(self.fields[name])
        raise AttributeError(f"a seeded row of {self.entry.name} has no attribute {name!r}")


class SeededRow:
    """A row that is seeded, as declarations of its children see it."""

    def __init__(self, filled: Filled, position: int) -> None:
        self._filled = filled
        self._position = position

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # copying and printing ask for these
            raise AttributeError(name)
        return self._filled.read(name)[self._position]

    def __repr__(self) -> str:
        return f"<row {self._position} of {self._filled.table}>"


def keys_of(filled: Filled, columns: Sequence[str], positions: Positions) -> list[list[Any]]:
    """Return, for each of the parent's columns, the values of the rows at these positions; None for no parent.

    Raises LoadError if the parent's key is not known yet.
    """
    missing = [name for name in columns if name not in filled.stored]
    if missing:
        raise LoadError(
            f"Foreign keys form a cycle through {filled.entry.name}: column {missing[0]!r} of table "
            f"{str(filled.table)!r} is not known before the rows that refer to it. Make one of the keys nullable."
        )
    at = positions.tolist()
    return [[filled.stored[name][place] if place >= 0 else None for place in at] for name in columns]
