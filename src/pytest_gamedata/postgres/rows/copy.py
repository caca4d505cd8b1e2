"""Copy rows into one table: our columns as COPY BINARY, a team's values as text that PostgreSQL parses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from pytest_gamedata.columns.conversion import Columns, to_python
from pytest_gamedata.errors import LoadError
from pytest_gamedata.postgres.rows.jobs import Cursor
from pytest_gamedata.postgres.rows.pack import SIGNATURE, TRAILER, Block, find_packer, pack_rows

COLUMN_TYPES = """
    SELECT attname, typname, atttypid FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
"""
CONTEXT = re.compile(r"COPY .*?, line \d+, column (?P<column>.+?): (?P<value>.*)", re.DOTALL)


@dataclass(frozen=True)
class TextRows:
    """Rows of Python values by column, which PostgreSQL parses by the types of its columns."""

    names: Sequence[str]
    count: int
    columns: Sequence[Sequence[Any]]
    source: str  # the factory that gave them, for errors


Rows = Columns | TextRows
Report = Callable[[int], None]  # called with how many rows were sent


def count_of(rows: Rows) -> int:
    """Return the number of rows."""
    return rows.count if isinstance(rows, TextRows) else len(next(iter(rows.values())))


def source_of(rows: Rows) -> str:
    """Return the factory that rows come from, for errors; nothing where the columns are the dataset's own."""
    return rows.source if isinstance(rows, TextRows) else ""


def copy_rows(cursor: Cursor, table: str, rows: Rows, report: Report, *, freeze: bool) -> None:
    """Copy rows into a table; `freeze` them if the table was truncated in this transaction.

    Raises LoadError that names table and column for a column that is not there, or a value that does not fit.
    """
    if isinstance(rows, TextRows):
        _copy_text(cursor, table, rows, report)
    else:
        _copy_binary(cursor, table, rows, report, ", FREEZE" if freeze else "")


def _copy_text(cursor: Cursor, table: str, rows: TextRows, report: Report) -> None:
    try:
        if not rows.names:  # COPY needs a column
            cursor.execute(f"INSERT INTO {table} SELECT FROM generate_series(1, {rows.count})")
            return
        with cursor.copy(_statement(table, rows.names, "")) as copy:
            for row in zip(*rows.columns, strict=True):
                copy.write_row(row)
    except psycopg.Error as error:
        raise _refusal(rows.source, _describe(error, table)) from error
    report(rows.count)


def _refusal(source: str, reason: str) -> LoadError:
    return LoadError(f"{source}: {reason}" if source else reason[:1].upper() + reason[1:])


def _statement(table: str, columns: Sequence[str], options: str) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return (
        sql.SQL(f"COPY {table} (") + names + sql.SQL(f") FROM STDIN {options}")
    )  # not format(): names may hold braces


def _describe(error: psycopg.Error, table: str) -> str:
    """Say which value does not fit which column, as far as PostgreSQL tells."""
    reason = (error.diag.message_primary or str(error)).splitlines()[0].rstrip(".")
    found = CONTEXT.search(error.diag.context or "")
    column = found["column"] if found else error.diag.column_name
    if found:
        return (
            f"the value {found['value'].strip()} does not fit column {column!r} of table {table!r}: {reason}."
        )
    detail = f" {error.diag.message_detail}" if error.diag.message_detail else ""
    return (
        f"table {table!r} does not take a row{f' (column {column!r})' if column else ''}: {reason}.{detail}"
    )


def _copy_binary(cursor: Cursor, table: str, columns: Columns, report: Report, freeze: str) -> None:
    types = {name: (kind, oid) for name, kind, oid in cursor.execute(COLUMN_TYPES, [table]).fetchall()}
    missing = sorted(set(columns) - set(types))
    if missing:
        raise LoadError(f"Table {table!r} has no column {missing[0]!r}. Its columns are: {', '.join(types)}.")
    try:
        packers = [find_packer(column, *types[name], cursor.connection) for name, column in columns.items()]
    except psycopg.ProgrammingError:  # an enum or a domain, of whose binary form psycopg knows nothing
        values = [to_python(column) for column in columns.values()]
        return _copy_text(cursor, table, TextRows(list(columns), count_of(columns), values, ""), report)
    with cursor.copy(_statement(table, list(columns), f"(FORMAT BINARY{freeze})")) as copy:
        copy.write(SIGNATURE)
        for rows, block in _ahead(pack_rows(packers, count_of(columns))):
            copy.write(block)
            report(rows)
        copy.write(TRAILER)
    return None


def _ahead(blocks: Iterator[Block]) -> Iterator[Block]:
    """Pack the next block in a thread while this one is sent: numpy and the socket release Python's lock."""
    with ThreadPoolExecutor(1, "gamedata-pack") as packer:
        following = packer.submit(next, blocks, None)
        while (block := following.result()) is not None:
            following = packer.submit(next, blocks, None)
            yield block
