"""A table on its way to being filled: the values that its rows have so far, and the parents that they refer to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.conversion import to_python
from pytest_gamedata.columns.streams import Streams
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
            return list(self.stored[column])
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


@dataclass(frozen=True)
class Tables:
    """All tables that are filled, and the random streams that they are filled from."""

    filled: list[Filled]
    streams: Streams
    find_existing: Callable[[int], Filled | None]  # rows that migrations have put into a table, by its oid
    evaluate: Callable[[str, int], list[Any]]  # SQL, for so many rows

    def of_factory(self, factory: Any) -> Filled | None:
        """Return the table that a SubFactory of this factory refers to."""
        exact = [each for each in self.filled if each.entry.factory is factory]
        changed = [each for each in self.filled if issubclass(each.entry.factory, factory)]
        wider = [each for each in self.filled if issubclass(factory, each.entry.factory)]
        return next(iter([*exact, *changed, *wider]), None)

    def of_source(self, source: str) -> Filled | None:
        """Return the table that holds the rows of one of our tables."""
        return next((each for each in self.filled if each.entry.source == source), None)

    def of_oid(self, oid: int) -> Filled | None:
        """Return the table with this oid."""
        return next((each for each in self.filled if each.table.oid == oid), None)

    def stream(self, filled: Filled, name: str) -> np.random.Generator:
        """Return the random stream of one attribute of a table."""
        return self.streams.of(f"{filled.table.schema}.{filled.table.name}", name)
