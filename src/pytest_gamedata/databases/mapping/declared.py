"""The fields that a team's subclass of one of our factories declares, drawn from the settled rows of the dataset."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import UTC
from typing import Any

import numpy as np

from pytest_gamedata.columns.categorical import Categorical
from pytest_gamedata.columns.conversion import is_null, to_python
from pytest_gamedata.columns.parents import Parent
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.databases.mapping.filled import Filled, SeededRow
from pytest_gamedata.factories.adapter import _innermost
from pytest_gamedata.factories.bulk import Table
from pytest_gamedata.factories.draw import Draw
from pytest_gamedata.factories.resolve import Held


def draw_declared(filled: Filled, names: Collection[str], streams: Streams) -> dict[str, Sequence[Any]]:
    """Draw the fields that are declared by a Draw, and what these read; as Python values."""
    made = filled.entry.factory
    draws = [
        name for name in names if isinstance(_innermost(made._meta.pre_declarations[name].declaration), Draw)
    ]
    if not draws:
        return {}
    given = {name: _with_mask(column) for name, column in filled.fields.items()}
    given |= {
        name: Parent(parent.fields, positions) for name, (parent, positions) in filled.relatives.items()
    }
    table = Table(made, filled.count, streams, given)
    for name in draws:
        getattr(table, name)
    return {name: _to_values(table._values[name]) for name in names if name in table._values}


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


def replaced_fields(filled: Filled, drawn: dict[str, Sequence[Any]]) -> dict[str, Any]:
    """Return declarations that hold what is known of the rows: our fields, drawn fields, parent rows."""
    known: dict[str, Any] = {name: Held(lambda name=name: filled.read(name)) for name in filled.fields}
    for name, (parent, positions) in filled.relatives.items():
        known[name] = Held(
            lambda parent=parent, at=positions: [
                SeededRow(parent, each) if each >= 0 else None for each in at.tolist()
            ]
        )
    known |= {name: Held(lambda values=values: values) for name, values in drawn.items()}
    return {name: each for name, each in known.items() if name in filled.entry.factory._meta.pre_declarations}
