"""Read tables into columns, as `copy` loads them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from pytest_gamedata.columns.categorical import categorical
from pytest_gamedata.columns.combine import concatenate
from pytest_gamedata.columns.conversion import FREE_TEXTS, NIL_UUID, NULL, Column, Columns, from_values
from pytest_gamedata.postgres.rows.copy import COLUMN_TYPES
from pytest_gamedata.postgres.rows.pack import TEXTS

Connection = psycopg.Connection[Any]
ROWS_AT_ONCE = 50_000

# The SQL expression by type whose result numpy takes as it is: NULL becomes the value that stands for it in a column.
# A timestamp becomes microseconds since 1970, infinity the first or last day of Python's calendar.
EXPRESSIONS = {
    "bool": "{}",
    **dict.fromkeys(("int2", "int4", "int8"), f"coalesce({{}}::int8, {NULL})"),
    **dict.fromkeys(
        ("timestamptz", "timestamp"),  # without a time zone it is UTC, as in `pack`
        f"CASE WHEN {{0}} IS NULL THEN {NULL} ELSE (extract(epoch FROM "
        "greatest(least({0}, '9999-12-31 00:00+00'), '0001-01-01 00:00+00')) * 1000000)::int8 END",
    ),
    "uuid": f"coalesce(uuid_send({{}}), '\\x{NIL_UUID.hex()}'::bytea)",
    "inet": "host({})",
}


def read_table(connection: Connection, table: str, names: Collection[str] = ()) -> Columns:
    """Read columns of a table, all of them by default, in the order of its ids."""
    types = {name: kind for name, kind, _ in connection.execute(COLUMN_TYPES, [table]).fetchall()}
    chosen = {name: kind for name, kind in types.items() if name in names or not names}
    selected = [
        sql.SQL(_expression(name, kind)).format(sql.Identifier(name)) for name, kind in chosen.items()
    ]
    parts: dict[str, list[Column]] = {name: [] for name in chosen}
    with connection.cursor(f"gamedata_{table}", binary=True) as cursor:
        cursor.execute(sql.SQL(f"SELECT {{}} FROM {table} ORDER BY id").format(sql.SQL(", ").join(selected)))
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            for (name, kind), values in zip(chosen.items(), zip(*rows, strict=True), strict=True):
                parts[name].append(_column(name, kind, values))
    return {
        name: concatenate(parts[name]) if parts[name] else _column(name, kind, ())
        for name, kind in chosen.items()
    }


def _expression(name: str, kind: str) -> str:
    if kind in TEXTS:
        return "convert_to(coalesce({}, ''), 'UTF8')" if name in FREE_TEXTS else "{}::text"
    return EXPRESSIONS.get(kind, "{}")


def _column(name: str, kind: str, values: Collection[Any]) -> Column:
    """Make a column of the values of such an expression."""
    if kind in TEXTS or kind == "inet":
        return np.array(values, dtype="S") if name in FREE_TEXTS else categorical(list(values))
    make = MAKE.get(kind)
    return from_values(list(values), object) if make is None else make(values)


def _numbers(values: Collection[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


MAKE: dict[str, Callable[[Any], Column]] = {
    "bool": lambda values: np.array(values, dtype=np.bool_),
    **dict.fromkeys(("int2", "int4", "int8"), _numbers),
    **dict.fromkeys(("timestamptz", "timestamp"), lambda values: _numbers(values).view("datetime64[us]")),
    "uuid": lambda values: np.frombuffer(b"".join(values), dtype="V16"),
}
