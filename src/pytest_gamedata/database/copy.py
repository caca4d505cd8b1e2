"""Columns into tables: COPY BINARY into bare tables, keys and indexes afterwards, identities advanced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from ipaddress import ip_address
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import Format

from pytest_gamedata.arrays import NULL, Column, Columns, Words, is_null, to_python
from pytest_gamedata.errors import LoadError

Connection = psycopg.Connection[Any]
ROWS_PER_BLOCK = 8_192  # keeps a block's bytes in the processor's cache
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
POSTGRES_EPOCH = np.datetime64("2000-01-01", "us")
TEXTS = ("text", "varchar", "bpchar", "name", "citext")
WIDTHS = {"bool": 1, "int2": 2, "int4": 4, "int8": 8, "timestamptz": 8, "timestamp": 8, "uuid": 16}
FIXED_KINDS = {
    "bool": "b",
    "int2": "i",
    "int4": "i",
    "int8": "i",
    "timestamptz": "M",
    "timestamp": "M",
    "uuid": "V",
}

# The bytes of a field for a block of rows, a line per row, and which of them count.
Packed = tuple[NDArray[np.uint8], NDArray[np.bool_]]
Packer = Callable[[slice], Packed]

COLUMN_TYPES = """
    SELECT attname, typname, atttypid FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
"""
# Foreign keys go first and come last; a primary key or unique constraint brings its own index.
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), contype, confrelid::regclass::text
    FROM pg_constraint WHERE contype IN ('p', 'u', 'x', 'f') AND conislocal
    AND (conrelid = ANY(%(tables)s::regclass[]) OR confrelid = ANY(%(tables)s::regclass[]))
    ORDER BY contype = 'f', conrelid, oid
"""
INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = ANY(%s::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
    ORDER BY indexrelid
"""
IDENTITIES = """
    SELECT attname, pg_get_serial_sequence(%s, attname) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND pg_get_serial_sequence(%s, attname) IS NOT NULL
"""


def load_tables(connection: Connection, tables: Mapping[str, Columns]) -> None:
    """Load columns into empty tables that exist, in one transaction, and analyse them.

    Raises LoadError if a table has rows already or the foreign keys form a cycle.
    """
    names = list(tables)
    with connection.transaction(), connection.cursor() as cursor:
        _check_empty(cursor, names)
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        constraints = cursor.execute(CONSTRAINTS, {"tables": names}).fetchall()
        order = loading_order(names, constraints)
        indexes = cursor.execute(INDEXES, [names]).fetchall()
        _drop(cursor, constraints, indexes)
        # a table that is truncated in the transaction that fills it needs no write-ahead log
        cursor.execute(f"TRUNCATE {', '.join(names)}")
        for name in order:
            _copy(cursor, name, tables[name])
        _restore(cursor, constraints, indexes)
        for name in order:
            _advance_identities(cursor, name)
        cursor.execute(f"ANALYZE {', '.join(names)}")


def _check_empty(cursor: psycopg.Cursor[Any], names: list[str]) -> None:
    for name in names:
        row = cursor.execute(f"SELECT EXISTS (SELECT FROM {name})").fetchone()
        if row and row[0]:
            raise LoadError(
                f"Table {name!r} already has rows. Load into an empty database, or clear it first."
            )


def loading_order(names: list[str], constraints: list[Any]) -> list[str]:
    """Return the tables with every parent before its children; a table may refer to itself."""
    parents: dict[str, set[str]] = {name: set() for name in names}
    for child, _, _, kind, parent in constraints:
        if kind in ("f", b"f") and child != parent and {child, parent} <= set(parents):
            parents[child].add(parent)
    try:
        return list(TopologicalSorter(parents).static_order())
    except CycleError as error:
        raise LoadError(
            f"Foreign keys form a cycle: {' -> '.join(error.args[1])}. Make one of them nullable and fill it later."
        ) from None


def _drop(cursor: psycopg.Cursor[Any], constraints: list[Any], indexes: list[Any]) -> None:
    for table, name, *_ in reversed(constraints):
        cursor.execute(sql.SQL(f"ALTER TABLE {table} DROP CONSTRAINT {{}}").format(sql.Identifier(name)))
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")


def _restore(cursor: psycopg.Cursor[Any], constraints: list[Any], indexes: list[Any]) -> None:
    _add_constraints(cursor, [row for row in constraints if row[3] not in ("f", b"f")])
    for _, definition in indexes:
        cursor.execute(definition)
    _add_constraints(cursor, [row for row in constraints if row[3] in ("f", b"f")])


def _add_constraints(cursor: psycopg.Cursor[Any], constraints: list[Any]) -> None:
    for table, name, definition, *_ in constraints:
        statement = sql.SQL(f"ALTER TABLE {table} ADD CONSTRAINT {{}} {definition}")
        cursor.execute(statement.format(sql.Identifier(name)))


def _advance_identities(cursor: psycopg.Cursor[Any], table: str) -> None:
    for column, sequence in cursor.execute(IDENTITIES, [table, table, table]).fetchall():
        highest = sql.SQL(f"SELECT setval(%s, max({{}})) FROM {table} HAVING max({{}}) IS NOT NULL")
        cursor.execute(highest.format(sql.Identifier(column), sql.Identifier(column)), [sequence])


def _copy(cursor: psycopg.Cursor[Any], table: str, columns: Columns) -> None:
    types = {name: (kind, oid) for name, kind, oid in cursor.execute(COLUMN_TYPES, [table]).fetchall()}
    missing = sorted(set(columns) - set(types))
    if missing:
        raise LoadError(f"Table {table!r} has no column {missing[0]!r}. Its columns are: {', '.join(types)}.")
    names = sql.SQL(", ").join(sql.Identifier(name) for name in columns)
    statement = sql.SQL(f"COPY {table} ({{}}) FROM STDIN (FORMAT BINARY)").format(names)
    packers = [find_packer(column, *types[name], cursor.connection) for name, column in columns.items()]
    count = len(next(iter(columns.values())))
    with cursor.copy(statement) as copy:
        copy.write(SIGNATURE)
        for block in pack_rows(packers, count):
            copy.write(block)
        copy.write(TRAILER)


def pack_rows(packers: list[Packer], count: int) -> Iterator[bytes]:
    """Lay out rows as COPY BINARY wants them, a block at a time."""
    fields = np.frombuffer(np.array(len(packers), ">i2").tobytes(), np.uint8)
    for start in range(0, count, ROWS_PER_BLOCK):
        rows = slice(start, min(start + ROWS_PER_BLOCK, count))
        header = np.tile(fields, (rows.stop - rows.start, 1))
        parts = [(header, np.ones(header.shape, dtype=np.bool_)), *(pack(rows) for pack in packers)]
        data = np.concatenate([part[0] for part in parts], axis=1)
        yield data[np.concatenate([part[1] for part in parts], axis=1)].tobytes()


def find_packer(column: Column, kind: str, oid: int, connection: Connection) -> Packer:
    """Choose how a column is packed for a PostgreSQL type: whole blocks where the layout allows it."""
    if isinstance(column, Words):
        return (
            _pack_words(column, kind)
            if kind in TEXTS or kind == "inet"
            else _pack_values(column, oid, connection)
        )
    if column.dtype.kind == "S" and kind in TEXTS:
        return _pack_texts(column)
    if kind in WIDTHS and column.dtype.kind in FIXED_KINDS[kind]:
        return _pack_fixed(column, kind)
    return _pack_values(column, oid, connection)


def _pack_fixed(column: NDArray[Any], kind: str) -> Packer:
    width = WIDTHS[kind]

    def pack(rows: slice) -> Packed:
        part = column[rows]
        if kind in ("timestamptz", "timestamp"):
            part = (part.astype("datetime64[us]") - POSTGRES_EPOCH).astype(">i8")
        elif kind.startswith("int"):
            _check_range(part, kind)
            part = part.astype(f">i{width}")
        values = np.ascontiguousarray(part).view(np.uint8).reshape(len(part), width)
        return _with_lengths(values, np.full(len(part), width), is_null(column[rows]))

    return pack


def _check_range(part: NDArray[Any], kind: str) -> None:
    limit = 1 << (8 * WIDTHS[kind] - 1)
    bad = ((part < -limit) | (part >= limit)) & (part != NULL)
    if bad.any():
        raise LoadError(f"The value {part[bad][0]} does not fit a column of type {kind}. Use a wider type.")


def _pack_texts(column: NDArray[np.bytes_]) -> Packer:
    def pack(rows: slice) -> Packed:
        part = np.ascontiguousarray(column[rows])
        values = part.view(np.uint8).reshape(len(part), part.dtype.itemsize)
        return _with_lengths(values, np.strings.str_len(part), is_null(part))

    return pack


def _pack_words(column: Words, kind: str) -> Packer:
    encode = _inet_bytes if kind == "inet" else str.encode
    encoded: list[bytes | None] = [*map(encode, column.words), None]  # code -1 reads the last: NULL
    data, mask = _pack_bytes(encoded)

    def pack(rows: slice) -> Packed:
        codes = column.codes[rows]
        return data[codes], mask[codes]

    return pack


def _inet_bytes(address: str) -> bytes:
    parsed = ip_address(address)
    family, bits = (2, 32) if parsed.version == 4 else (3, 128)
    return bytes([family, bits, 0, len(parsed.packed)]) + parsed.packed


def _pack_values(column: Column, oid: int, connection: Connection) -> Packer:
    """Let psycopg adapt value by value: for types whose layout is not known here."""
    transformer = Transformer(connection)
    transformer.set_dumper_types([oid], Format.BINARY)

    def dump(value: Any) -> bytes | None:
        packed = transformer.dump_sequence([value], [PyFormat.BINARY])[0]
        return None if packed is None else bytes(packed)

    return lambda rows: _pack_bytes([dump(value) for value in to_python(column[rows])])


def _pack_bytes(values: list[bytes | None]) -> Packed:
    lengths = np.array([len(value or b"") for value in values], dtype=np.int64)
    width = int(lengths.max(initial=0))
    joined = b"".join((value or b"").ljust(width, b"\0") for value in values)
    data = np.frombuffer(joined, dtype=np.uint8).reshape(len(values), width)
    return _with_lengths(data, lengths, np.array([value is None for value in values], dtype=np.bool_))


def _with_lengths(values: NDArray[np.uint8], lengths: NDArray[Any], null: NDArray[np.bool_]) -> Packed:
    """Put each value's length before it, -1 and no value for NULL."""
    count, width = values.shape
    data = np.empty((count, 4 + width), dtype=np.uint8)
    data[:, :4] = np.where(null, -1, lengths).astype(">i4").view(np.uint8).reshape(count, 4)
    data[:, 4:] = values
    mask = np.ones((count, 4 + width), dtype=np.bool_)
    mask[:, 4:] = np.arange(width) < np.where(null, 0, lengths)[:, None]
    return data, mask
