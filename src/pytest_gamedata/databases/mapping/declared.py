"""The fields that a team's subclass of one of our factories declares, evaluated for the settled rows of the dataset.

The simulation has drawn those that are fields of ours before anything was settled. Where a declaration reads nothing
that was settled since, its first values stay: other rows follow from them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from typing import Any

import numpy as np

from pytest_gamedata.columns.categorical import Categorical
from pytest_gamedata.columns.conversion import is_null, to_python
from pytest_gamedata.columns.parents import Parent
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.databases.mapping.filled import Filled, SeededRow
from pytest_gamedata.factories.adapter import declaration_below, declarations_of, innermost
from pytest_gamedata.factories.adapter.resolve import Held, resolve_field
from pytest_gamedata.factories.bulk import Table
from pytest_gamedata.factories.draw import Draw
from pytest_gamedata.factories.fields import changed_fields, is_settled, own_base


@dataclass(frozen=True)
class Late:
    """A team's declarations, evaluated for settled rows; each has a random state of its own, as in the simulation."""

    filled: Filled
    streams: Streams
    held: dict[str, Any]  # declarations of fields whose values are known, or become known once they are read
    settled: set[str] = field(
        default_factory=set
    )  # the fields that differ from what the simulation began with
    reads: list[str] = field(
        default_factory=list
    )  # the fields of these that were read since this was emptied


def hold_fields(
    filled: Filled, wanted: Collection[str], parents: Mapping[str, Any], streams: Streams
) -> dict[str, Any]:
    """Return declarations that hold all that is known of the rows: our fields, parent rows, and the team's own.

    `parents` are declarations of the team that refer to seeded rows already.
    """
    late = Late(filled, streams, {}, _settled_fields(filled))
    made = filled.entry.factory
    declared = declarations_of(made)
    for name in filled.fields:
        late.held[name] = Held(partial(filled.read, name), _teller(late, name))
    for name, (parent, positions) in filled.relatives.items():
        late.held[name] = Held(_rows_of(parent, positions), _teller(late, name))
    drawn = _draw_declared(late, wanted)
    for name in wanted:
        # the roles of the cast are told in our words, which a team's own column need not take
        own = parents.get(name, declaration_below(made, name, own_base(made)))
        read = partial(drawn.__getitem__, name) if name in drawn else _evaluator(late, name, own)
        late.held[name] = Held(read, _teller(late, name))
    return {name: each for name, each in late.held.items() if name in declared}


def _settled_fields(filled: Filled) -> set[str]:
    """Return the fields that the simulation settles, its constants, and parent rows, which have such fields."""
    own = declarations_of(own_base(filled.entry.factory))
    begun = {name for name, each in own.items() if not is_settled(innermost(each))}
    return (set(filled.fields) | set(filled.relatives)) - begun


def _teller(late: Late, name: str) -> Callable[[], None]:
    return lambda: late.reads.append(name) if name in late.settled else None


def _rows_of(parent: Filled, positions: Any) -> Callable[[], Sequence[Any]]:
    return lambda: [SeededRow(parent, each) if each >= 0 else None for each in positions.tolist()]


def _evaluator(late: Late, name: str, declaration: Any) -> Callable[[], Sequence[Any]]:
    """Return a function that evaluates a field, when the first row of it is asked for."""

    def evaluate() -> Sequence[Any]:
        before, late.reads[:] = list(late.reads), []
        made = late.filled.entry.factory
        seed = f"{late.streams.seed}:{own_base(made).__name__}:{name}"
        others = {other: each for other, each in late.held.items() if other != name} | {name: declaration}
        values = _first_or_late(late, name, resolve_field(made, late.filled.count, seed, others, name))
        late.reads[:0] = before
        return values

    return evaluate


def _first_or_late(late: Late, name: str, values: Sequence[Any]) -> Sequence[Any]:
    """Return the first values of a field, where the same ones are in another order; else note that it is settled."""
    if late.reads:
        late.settled.add(name)
        return values
    first = to_python(late.filled.fields[name]) if name in late.filled.fields else []
    return first if set(map(repr, first)) == set(map(repr, values)) else values


# ### declared by a Draw ###


class SettledTable(Table):
    """A table whose columns are settled, which notes the names of those that are read."""

    IS_EARLY = False

    def _changes(self) -> set[str]:
        return changed_fields(self._cls)

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__.get("settled", ()):
            self.reads.append(name)
        return super().__getattr__(name)


def _draw_declared(late: Late, names: Collection[str]) -> dict[str, Sequence[Any]]:
    """Draw the fields that are declared by a Draw, and what these read; as Python values."""
    filled, made = late.filled, late.filled.entry.factory
    draws = [name for name in names if isinstance(innermost(declarations_of(made)[name]), Draw)]
    if not draws:
        return {}
    given = {name: _with_mask(column) for name, column in filled.fields.items()}
    given |= {name: Parent(parent.fields, at) for name, (parent, at) in filled.relatives.items()}
    table = SettledTable(made, filled.count, late.streams, given)
    table.__dict__.update(settled=late.settled, reads=late.reads)
    found = {}
    for name in draws:
        late.reads.clear()
        values = _to_values(getattr(table, name))
        found[name] = _first_or_late(late, name, values)
    late.reads.clear()
    return found


def _with_mask(column: Any) -> Any:
    """Mask the NULLs of an array, so that a team's declaration cannot take them for values."""
    if not isinstance(column, np.ndarray) or column.dtype.kind in "OMb":
        return column
    null = is_null(column)
    return np.ma.MaskedArray(column, null) if null.any() else column


def _to_values(column: Any) -> Sequence[Any]:
    """Turn a drawn column into Python values; in a team's own column every value of its type is one."""
    if isinstance(column, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(column).tolist()
        return [
            None if hidden else value for value, hidden in zip(_to_values(column.data), mask, strict=True)
        ]
    if isinstance(column, Categorical) or not isinstance(column, np.ndarray):
        return to_python(column)
    kind, values = column.dtype.kind, column.tolist()
    if kind == "M":
        return [None if value is None else _aware(value) for value in values]
    if kind == "S":
        return [value.decode() for value in values]
    return [uuid.UUID(bytes=value) for value in values] if kind == "V" else values


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if hasattr(value, "hour") else value
