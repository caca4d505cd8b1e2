"""Remove all rows of our tables, after a check that they are ours."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import psycopg

from pytest_gamedata.errors import ClearError

Connection = psycopg.Connection[Any]

COLUMNS = """
    SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
"""
# The tables with foreign keys to these, directly or through others: TRUNCATE of one takes all of them.
REFERRING = """
    WITH RECURSIVE referring AS (
        SELECT conrelid, confrelid, conname FROM pg_constraint
        WHERE contype = 'f' AND confrelid = ANY(%(tables)s::regclass[])
        UNION
        SELECT pg_constraint.conrelid, pg_constraint.confrelid, pg_constraint.conname FROM pg_constraint
        JOIN referring ON contype = 'f' AND pg_constraint.confrelid = referring.conrelid
    )
    SELECT conrelid::regclass::text, confrelid::regclass::text, conname FROM referring
    WHERE conrelid <> ALL(%(tables)s::regclass[]) ORDER BY 1, 3
"""
INHERITING = """
    SELECT inhrelid::regclass::text, inhparent::regclass::text FROM pg_inherits
    JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = ANY(%s::regclass[]) AND NOT relispartition
"""
# The sequences that belong to a table's columns.
IDENTITIES = """
    SELECT attname, pg_get_serial_sequence(%s, attname) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
    AND pg_get_serial_sequence(%s, attname) IS NOT NULL
"""


def count_rows(connection: Connection, tables: Collection[str]) -> dict[str, int]:
    """Count the rows of the tables that exist."""
    counts = {}
    for table in tables:
        if connection.execute("SELECT to_regclass(%s) IS NOT NULL", [table]).fetchone() == (True,):
            counts[table] = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # type: ignore[index]
    return counts


def has_columns(connection: Connection, table: str, columns: Collection[str]) -> bool:
    """Tell whether a table is there, and has all of these columns."""
    found = {name for (name,) in connection.execute(COLUMNS, [table]).fetchall()}
    return found >= set(columns)


def check_ours(connection: Connection, tables: Mapping[str, Collection[str]]) -> None:
    """Raise ClearError if an existing table lacks one of the columns that it should have."""
    for table, columns in tables.items():
        found = {name for (name,) in connection.execute(COLUMNS, [table]).fetchall()}
        missing = [name for name in columns if name not in found]
        if found and missing:
            raise ClearError(
                f"Table {table!r} is not one of ours: it has no column {missing[0]!r}. Nothing was changed. "
                "Rename it, or use another database."
            )


def _check_childless(connection: Connection, tables: Collection[str]) -> None:
    """Raise ClearError if another table inherits from one of these: TRUNCATE would empty it too."""
    row = connection.execute(INHERITING, [list(tables)]).fetchone()
    if row:
        raise ClearError(
            f"Table {row[0]!r} inherits from {row[1]!r}. Nothing was changed. Use another database."
        )


def clear_tables(connection: Connection, tables: Mapping[str, Collection[str]]) -> dict[str, int]:
    """Remove all rows of the tables that exist, restart their sequences, and return how many rows each had.

    Raises ClearError if a table lacks one of the columns that it should have, or if another table that is not
    empty refers to it.
    """
    there = [table for table in tables if connection.execute(COLUMNS, [table]).fetchone()]
    connection.execute("SET LOCAL row_security = off")  # an error, instead of rows that a policy hides
    if not there:
        return {}
    check_ours(connection, tables)
    _check_childless(connection, there)
    referring = connection.execute(REFERRING, {"tables": there}).fetchall()
    others = list(dict.fromkeys(other for other, *_ in referring))
    listed = ", ".join(
        [*others, *reversed(there)]
    )  # children first, the order in which an app's INSERT locks them
    connection.execute(f"LOCK TABLE {listed} IN ACCESS EXCLUSIVE MODE")
    for other, table, name in referring:
        if connection.execute(f"SELECT EXISTS (SELECT FROM {other})").fetchone() == (True,):
            raise ClearError(
                f"Table {other!r} has rows, and refers to {table!r} ({name}). Nothing was changed. "
                f"Empty {other!r} first."
            )
    counts = count_rows(connection, there)
    connection.execute(f"TRUNCATE {listed}")
    for table in there:  # RESTART IDENTITY would restart the sequences of the other tables too
        for _, sequence in connection.execute(IDENTITIES, [table, table, table]).fetchall():
            connection.execute(f"ALTER SEQUENCE {sequence} RESTART")
    return counts
