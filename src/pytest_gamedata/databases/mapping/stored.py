"""The rows of a filled table as PostgreSQL is to parse them."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from psycopg.types.json import Json

from pytest_gamedata.databases.mapping.filled import Filled
from pytest_gamedata.errors import LoadError
from pytest_gamedata.factories import OWN_FACTORIES
from pytest_gamedata.postgres.rows.catalogue import TableColumn
from pytest_gamedata.postgres.rows.copy import TextRows


def stored_rows(filled: Filled) -> Any:
    """Return the columns of a table of ours as they are, those of any other as rows of values for COPY."""
    if filled.entry.factory in OWN_FACTORIES.values():
        return {name: filled.fields[name] for name in filled.table.columns if name in filled.fields}
    names = [name for name in filled.table.columns if name in filled.stored]
    columns = [_prepared(filled, name) for name in names]
    return TextRows(names, filled.count, columns, filled.entry.name)


def _prepared(filled: Filled, name: str) -> Sequence[Any]:
    """Return a column's values after the bind processing of its type."""
    column, process = filled.table.columns[name], filled.entry.model.processors.get(name)
    prepare = _adapter(column)
    found = []
    for row, value in enumerate(filled.stored[name]):
        try:
            bound = value if process is None or value is None else process(_member(process, value))
        except Exception as error:
            raise LoadError(
                f"{filled.entry.name}: the value {value!r} of row {row} does not fit column {name!r} ({column.type}) of "
                f"table {str(filled.table)!r}: {error}"
            ) from error
        found.append(None if bound is None else prepare(bound))
    return found


def _member(process: Any, value: Any) -> Any:
    return value


def _adapter(column: TableColumn) -> Callable[[Any], Any]:
    """Return the adaptation that psycopg needs to be told of: it knows the value, not the column."""
    if column.kind in ("json", "jsonb"):
        return lambda value: Json(value) if isinstance(value, dict | list | int | float | bool) else value
    if column.kind == "hstore":
        return lambda value: _hstore(value) if isinstance(value, dict) else value
    return _plain


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum) and isinstance(value.value, str):
        return value.value if isinstance(value, str) else value.name
    return value.item() if isinstance(value, np.generic) else value


def _hstore(values: dict[str, str | None]) -> str:
    def quote(text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    return ", ".join(f"{quote(k)}=>{'NULL' if v is None else quote(v)}" for k, v in values.items())
