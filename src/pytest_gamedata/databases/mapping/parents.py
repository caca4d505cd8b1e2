"""The parents of rows: which seeded row each foreign key and each SubFactory refers to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pytest_gamedata.databases.mapping.filled import Filled, Positions
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
                f"{filled.entry.name}: {len(rows)} rows of table {str(filled.table)!r} need {len(rows)} different rows of "
                f"{parent.entry.name}, but there are {parent.count}. Ask for fewer rows, or for more parents."
            )
        drawn[rows] = (
            rng.permutation(parent.count)[: len(rows)]
            if parent.count < 1000
            else _sample(rng, parent.count, len(rows))
        )
    return drawn


def _sample(rng: Rng, parents: int, count: int) -> Positions:
    return rng.choice(parents, count, replace=False)


def parents_with(filled: Filled, parent: Filled, wanted: tuple[tuple[str, Any], ...]) -> Sequence[int]:
    """Return the positions of the parents that have these values, as the arguments of a SubFactory ask.

    Raises LoadError if no parent has the values.
    """
    columns = [(_read(parent, name), value) for name, value in wanted]
    fits = [at for at in range(parent.count) if all(column[at] == value for column, value in columns)]
    if not fits:
        described = ", ".join(f"{name}={value!r}" for name, value in wanted)
        raise LoadError(
            f"{filled.entry.name}: no seeded row of {parent.entry.name} has {described}. Seed one, or ask for another."
        )
    return fits


def _read(parent: Filled, name: str) -> Sequence[Any]:
    first, _, rest = name.partition("__")
    values = parent.read(first)
    return [getattr(value, rest) for value in values] if rest else values
