"""Copy rows into one table: our columns as COPY BINARY, a team's values as text that PostgreSQL parses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.adapt import PyFormat, Transformer

from pytest_gamedata.columns.conversion import Columns, to_python
from pytest_gamedata.errors import LoadError
from pytest_gamedata.postgres.rows.jobs import Cursor
from pytest_gamedata.postgres.rows.pack import SIGNATURE, TRAILER, Block, find_packer, pack_rows

COLUMN_TYPES = """
    SELECT attname, typname, atttypid FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
"""
CONTEXT = re.compile(r"COPY .*?, line (?P<line>\d+)", re.DOTALL)
LONGEST_VALUE = 200  # characters of a value, or of a row, in an error


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
        if rows.names:
            with cursor.copy(_statement(table, rows.names, "")) as copy:
                _write_rows(copy, table, rows)
        else:  # COPY needs a column
            cursor.execute(f"INSERT INTO {table} SELECT FROM generate_series(1, {rows.count})")
    except psycopg.Error as error:
        raise _refusal(table, rows, error) from error
    report(rows.count)


def _write_rows(copy: psycopg.Copy, table: str, rows: TextRows) -> None:
    at = 0
    try:
        for row in zip(*rows.columns, strict=True):
            copy.write_row(row)
            at += 1
    except Exception as error:
        name = _find_unadaptable(copy.connection, rows, at)
        if name is None:
            raise
        raise _misfit(table, rows, (name, at), error) from error


def _find_unadaptable(connection: psycopg.Connection[Any], rows: TextRows, at: int) -> str | None:
    """Return the column whose value in a row psycopg cannot send."""
    transformer = Transformer(connection)
    for name, values in zip(rows.names, rows.columns, strict=True):
        try:
            transformer.dump_sequence([values[at]], [PyFormat.TEXT])
        except Exception:  # noqa: BLE001 - a dumper may fail in any way
            return name
    return None


def _misfit(table: str, rows: TextRows, place: tuple[str, int], error: Exception) -> LoadError:
    name, at = place
    value = repr(rows.columns[rows.names.index(name)][at])
    return _error(
        rows,
        f"the value {_shorten(value)} of row {at} does not fit column {name!r} of table {table!r}: {_reason(error)}.",
    )


def _refusal(table: str, rows: TextRows, error: psycopg.Error) -> LoadError:
    """Say which value does not fit which column, or which row the table does not take, as far as PostgreSQL tells."""
    context = error.diag.context or ""
    found = CONTEXT.search(context)
    place = context[found.end() :] if found else ""
    columns = [name for name in rows.names if place.startswith(f", column {name}: ")]
    if found and columns:
        return _misfit(table, rows, (max(columns, key=len), int(found["line"]) - 1), error)
    row = f"row {int(found['line']) - 1}" if found else "a row"
    detail = f" {_shorten(error.diag.message_detail)}" if error.diag.message_detail else ""
    return _error(rows, f"table {table!r} does not take {row}: {_reason(error)}.{detail}")


def _error(rows: TextRows, reason: str) -> LoadError:
    return LoadError(f"{rows.source}: {reason}" if rows.source else reason[:1].upper() + reason[1:])


def _reason(error: Exception) -> str:
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return (primary or str(error)).splitlines()[0].rstrip(".")


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _statement(table: str, columns: Sequence[str], options: str) -> sql.Composed:
    """Return a COPY statement; not by format(), for names may hold braces."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL(f"COPY {table} (") + names + sql.SQL(f") FROM STDIN {options}")


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
