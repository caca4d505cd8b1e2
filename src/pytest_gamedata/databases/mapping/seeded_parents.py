"""The parents of rows: which seeded row each foreign key and each SubFactory refers to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from pytest_gamedata.databases.mapping.filled import Filled, Positions, SeededRow, Tables
from pytest_gamedata.errors import LoadError
from pytest_gamedata.factories.base import Per
from pytest_gamedata.postgres.rows.catalogue import ForeignKey

Rng = np.random.Generator


def draw_per_parent(rng: Rng, per: Per, parents: int) -> Positions:
    """Return the parent of each row: so many rows for each on average, each parent's number drawn."""
    return np.repeat(np.arange(parents), rng.poisson(per.mean, parents))


def draw_parents(rng: Rng, filled: Filled, key: ForeignKey, parent: Filled) -> Positions:
    """Draw a parent for each row, with respect to unique keys that the foreign key is part of.

    Raises LoadError if there are too few parents.
    """
    if parent is filled:
        return _draw_earlier(rng, filled, key)
    if filled.count and not parent.count:
        if _is_nullable(filled, key):
            return np.full(filled.count, -1)
        raise LoadError(
            f"{filled.entry.name}: column {key.columns[0]!r} of table {str(filled.table)!r} needs a parent row, "
            f"but {parent.entry.name} has none. Seed some, or make the column nullable."
        )
    groups = _groups(filled, key)
    if groups is not None:
        return _draw_distinct(rng, filled, parent, groups)
    return rng.integers(0, max(parent.count, 1), filled.count)


def _is_nullable(filled: Filled, key: ForeignKey) -> bool:
    return not any(filled.table.columns[name].not_null for name in key.columns)


def _draw_earlier(rng: Rng, filled: Filled, key: ForeignKey) -> Positions:
    """Draw an earlier row of the same table for each: the first has none, or itself where it must have one."""
    position = np.arange(filled.count)
    drawn = (rng.random(filled.count) * position).astype(np.int64)
    drawn[:1] = -1 if _is_nullable(filled, key) else 0
    return drawn


def _groups(filled: Filled, key: ForeignKey) -> Positions | None:
    """Return a number for each row: rows of one number need parents that differ. None if they need not."""
    own = set(key.columns)
    known = {
        name: at for attribute, (_, at) in filled.parents.items() for name in _columns_of(filled, attribute)
    }
    for unique in filled.table.unique_keys:
        others = [name for name in unique if name not in own]
        if own <= set(unique) and all(name in known for name in others):
            stacked = np.array([known[name] for name in others] or [np.zeros(filled.count, dtype=np.int64)])
            return np.unique(stacked, axis=1, return_inverse=True)[1].reshape(-1)
    return None


def _columns_of(filled: Filled, attribute: str) -> Sequence[str]:
    return filled.entry.model.relations.get(attribute, (attribute,))


def _draw_distinct(rng: Rng, filled: Filled, parent: Filled, groups: Positions) -> Positions:
    drawn = np.zeros(filled.count, dtype=np.int64)
    order = np.argsort(groups, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        if len(rows) > parent.count:
            raise LoadError(
                f"{filled.entry.name}: {len(rows)} rows of table {str(filled.table)!r} need {len(rows)} different "
                f"rows of {parent.entry.name}, but there are {parent.count}. Ask for fewer rows, or for more parents."
            )
        drawn[rows] = (
            rng.permutation(parent.count)[: len(rows)]
            if parent.count < 1000
            else _sample(rng, parent.count, len(rows))
        )
    return drawn


def _sample(rng: Rng, parents: int, count: int) -> Positions:
    return rng.choice(parents, count, replace=False)


def _parents_with(filled: Filled, parent: Filled, wanted: tuple[tuple[str, Any], ...]) -> Sequence[int]:
    """Return the positions of the parents that have these values, as the arguments of a SubFactory ask.

    Raises LoadError if no parent has the values.
    """
    columns = [(_read(parent, name), value) for name, value in wanted]
    fits = [at for at in range(parent.count) if all(column[at] == value for column, value in columns)]
    if not fits:
        described = ", ".join(f"{name}={value!r}" for name, value in wanted)
        raise LoadError(
            f"{filled.entry.name}: no seeded row of {parent.entry.name} has {described}. "
            "Seed one, or ask for another."
        )
    return fits


def _read(parent: Filled, name: str) -> Sequence[Any]:
    first, _, rest = name.partition("__")
    values = parent.read(first)
    return [getattr(value, rest) for value in values] if rest else values


def draw_for(
    filled: Filled, tables: Tables, name: str, parent: Filled, wanted: Mapping[str, Any]
) -> Positions:
    """Return the parent of each row that a SubFactory stands for; one with arguments chooses later."""
    key = key_of_attribute(filled, name, parent) or ForeignKey((name,), parent.table.oid, ())
    if key.columns[0] in filled.parents:  # rows are counted by this parent
        return filled.parents[key.columns[0]][1]
    if wanted:
        return np.full(filled.count, -1)
    positions = draw_parents(tables.stream(filled, name), filled, key, parent)
    filled.parents[key.columns[0]] = (parent, positions)
    return positions


def chooser(
    filled: Filled, parent: Filled, positions: Positions, rng: np.random.Generator | None
) -> Callable[[int, dict[str, Any]], Any]:
    """Return a function that gives the parent of a row: the one drawn, else, by `rng`, one of those asked for."""
    quantiles = rng.random(filled.count) if rng else positions
    fitting = cache(partial(_parents_with, filled, parent))

    def choose(row: int, wanted: dict[str, Any]) -> Any:
        at = int(positions[row])
        if at < 0 and rng:
            fits = fitting(tuple(sorted(wanted.items(), key=lambda item: item[0])))
            at = fits[int(quantiles[row] * len(fits))]
        return SeededRow(parent, at) if at >= 0 else None

    return choose


def put_counted_parent(filled: Filled, tables: Tables) -> None:
    """Note the parents of a table that has so many rows per parent, before any other parent is drawn."""
    rows = filled.entry.rows
    parent = tables.of_factory(rows.parent) if isinstance(rows, Per) else None
    key = next((key for key in filled.table.foreign_keys if parent and key.table == parent.table.oid), None)
    if parent is not None and key is not None:
        filled.parents[key.columns[0]] = (parent, _per_parent_positions(filled, tables, parent))


def _per_parent_positions(filled: Filled, tables: Tables, parent: Filled) -> Positions:
    """Return the parent of each row of a table that has so many per parent; equal calls draw the same."""
    rows = filled.entry.rows
    assert isinstance(rows, Per)  # noqa: S101 - the callers have looked
    return draw_per_parent(tables.stream(filled, "rows per parent"), rows, parent.count)


def key_of_attribute(filled: Filled, name: str, parent: Filled) -> ForeignKey | None:
    """Return the foreign key that an attribute stands for: a relationship's, a column's own, else the only one."""
    columns = filled.entry.model.relations.get(name)
    keys = [key for key in filled.table.foreign_keys if key.table == parent.table.oid]
    for key in keys:
        if key.columns == columns or (columns is None and key.columns in ((name,), (f"{name}_id",))):
            return key
    return keys[0] if len(keys) == 1 and columns is None else None
