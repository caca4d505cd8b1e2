"""Rows that are there before anything is seeded: migrations often fill tables of roles, countries or settings."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from pytest_gamedata.databases.mapping.entries import Entry
from pytest_gamedata.databases.mapping.filled import Filled
from pytest_gamedata.databases.mapping.keys import WHOLE_NUMBERS
from pytest_gamedata.databases.mapping.model_tables import ModelTable
from pytest_gamedata.postgres.rows.catalogue import Table, find_table_by_oid

ROWS_MAX = 10_000  # parents enough to draw from


def read_existing(connection: psycopg.Connection[Any], oid: int) -> Filled | None:
    """Return the rows of a table as parents of seeded rows, None if it has none."""
    table = find_table_by_oid(connection, oid)
    if table is None:
        return None
    order = sql.SQL(", ").join(map(sql.Identifier, table.primary_key or tuple(table.columns)[:1]))
    query = sql.SQL(f"SELECT * FROM {table.sql} ORDER BY ") + order + sql.SQL(f" LIMIT {ROWS_MAX}")
    rows = connection.execute(query).fetchall()
    if not rows:
        return None
    columns = dict(zip(table.columns, map(list, zip(*rows, strict=True)), strict=True))
    return Filled(
        Entry(None, ModelTable(table.name, table.schema), None, None), table, len(rows), stored=columns
    )


def first_free_key(connection: psycopg.Connection[Any], table: Table) -> int:
    """Return the whole number past the highest key that a table has, 1 if it has none."""
    if len(table.primary_key) != 1 or table.columns[table.primary_key[0]].kind not in WHOLE_NUMBERS:
        return 1
    key = sql.Identifier(table.primary_key[0])
    query = sql.SQL("SELECT max(") + key + sql.SQL(f") FROM {table.sql}")
    highest: Any = connection.execute(query).fetchone()
    return max(int(highest[0] or 0), 0) + 1
