"""Pack columns into the bytes of COPY BINARY, a block of rows at a time."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import Format

from pytest_gamedata.columns.categorical import Categorical
from pytest_gamedata.columns.conversion import NULL, Column, is_free_text, is_null, pack_text, to_python
from pytest_gamedata.errors import LoadError

ROWS_PER_BLOCK = 4_096  # keeps a block's bytes in the processor's cache
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
POSTGRES_EPOCH = np.datetime64("2000-01-01", "us")
TEXTS = ("text", "varchar", "bpchar", "name", "citext")
LAYOUTS = {  # by type whose values have a fixed width: numpy's layout, and the kinds of column that fit it
    "bool": ("?", "b"),
    "int2": (">i2", "i"),
    "int4": (">i4", "i"),
    "int8": (">i8", "i"),
    "timestamptz": (">i8", "M"),
    "timestamp": (">i8", "M"),
    "uuid": ("V16", "V"),
}

# One field of a block of rows: each value after its length, padded to the longest; and a mask of the same shape that
# leaves out the padding, None where there is none.
Packed = tuple[NDArray[np.void], NDArray[np.void] | None]
Packer = Callable[[slice], Packed]
Block = tuple[int, memoryview]  # how many rows, and their bytes


def pack_rows(packers: list[Packer], count: int) -> Iterator[Block]:
    """Yield rows in the format of COPY BINARY, a block at a time."""
    header = np.array([len(packers)], dtype=">i2").view("V2")
    for start in range(0, count, ROWS_PER_BLOCK):
        rows = slice(start, min(start + ROWS_PER_BLOCK, count))
        fields = [pack(rows) for pack in packers]
        layout = [("", "V2"), *(("", field.dtype) for field, _ in fields)]
        block = np.empty(rows.stop - start, layout)
        marks = np.ones(block.nbytes, dtype=np.bool_).view(layout)
        block["f0"] = header
        for number, (field, mark) in enumerate(fields, start=1):
            block[f"f{number}"] = field
            if mark is not None:
                marks[f"f{number}"] = mark
        yield len(block), block.view(np.uint8)[marks.view(np.bool_)].data


def find_packer(column: Column, kind: str, oid: int, connection: psycopg.Connection[Any]) -> Packer:
    """Choose how to pack a column for a PostgreSQL type: whole blocks at once if the layout is known."""
    if isinstance(column, Categorical) and not is_free_text(column):
        encode = str.encode if kind in TEXTS else ENCODERS.get(kind)
        return _pack_categorical(column, encode) if encode else _pack_values(column, oid, connection)
    if kind in TEXTS and pack_text(column[:0]).dtype.kind == "S":
        return _pack_texts(column)
    if isinstance(column, np.ndarray) and kind in LAYOUTS and column.dtype.kind in LAYOUTS[kind][1]:
        return _pack_fixed(column, kind)
    return _pack_values(column, oid, connection)


def _pack_fixed(column: NDArray[Any], kind: str) -> Packer:
    layout = np.dtype([("length", ">i4"), ("value", LAYOUTS[kind][0])])

    def pack(rows: slice) -> Packed:
        part = column[rows]
        null = is_null(part)
        packed = np.empty(len(part), dtype=layout)
        packed["length"] = np.where(null, -1, layout["value"].itemsize)
        packed["value"] = _values(part, kind)
        return _as_lines(packed), _mark(layout.itemsize, np.where(null, 0, layout["value"].itemsize))

    return pack


def _values(part: NDArray[Any], kind: str) -> NDArray[Any]:
    """Return a column's values as the numbers that PostgreSQL stores."""
    if part.dtype.kind == "M":
        return (part.astype("datetime64[us]") - POSTGRES_EPOCH).astype(np.int64)
    if part.dtype.kind == "i":
        _check_range(part, kind)
    return part


def _check_range(part: NDArray[Any], kind: str) -> None:
    limits = np.iinfo(LAYOUTS[kind][0])
    bad = ((part < limits.min) | (part > limits.max)) & (part != NULL)
    if bad.any():
        raise LoadError(f"The value {part[bad][0]} does not fit a column of type {kind}. Use a wider type.")


def _pack_texts(column: Column) -> Packer:
    layout = np.dtype([("length", ">i4"), ("value", pack_text(column[:0]).dtype)])

    def pack(rows: slice) -> Packed:
        part = pack_text(column[rows])
        lengths = np.strings.str_len(part)
        packed = np.empty(len(part), dtype=layout)
        packed["length"] = np.where(lengths == 0, -1, lengths)
        packed["value"] = part
        return _as_lines(packed), _mark(layout.itemsize, lengths)

    return pack


def _pack_categorical(column: Categorical, encode: Callable[[Any], bytes]) -> Packer:
    lines, marks = _pack_bytes([*map(encode, column.categories), None])  # code -1 reads the last: NULL
    return lambda rows: (lines[column.codes[rows]], None if marks is None else marks[column.codes[rows]])


def _inet_bytes(address: str) -> bytes:
    family, ours, bits = (socket.AF_INET6, 3, 128) if ":" in address else (socket.AF_INET, 2, 32)
    packed = socket.inet_pton(family, address)
    return bytes([ours, bits, 0, len(packed)]) + packed


ENCODERS: dict[str, Callable[[Any], bytes]] = {"inet": _inet_bytes, "uuid": attrgetter("bytes")}


def _pack_values(column: Column, oid: int, connection: psycopg.Connection[Any]) -> Packer:
    """Let psycopg adapt each value: for types whose layout is not known here."""
    transformer = Transformer(connection)
    transformer.set_dumper_types([oid], Format.BINARY)

    def dump(value: Any) -> bytes | None:
        packed = transformer.dump_sequence([value], [PyFormat.BINARY])[0]
        return None if packed is None else bytes(packed)

    return lambda rows: _pack_bytes([dump(value) for value in to_python(column[rows])])


def _pack_bytes(values: list[bytes | None]) -> Packed:
    lengths = np.array([-1 if value is None else len(value) for value in values], dtype=np.int64)
    width = int(lengths.max(initial=0))
    packed = np.empty(len(values), dtype=[("length", ">i4"), ("value", f"V{width}")])
    packed["length"] = lengths
    joined = b"".join((value or b"").ljust(width, b"\0") for value in values)
    packed["value"] = np.frombuffer(joined, dtype=f"V{width}") if width else b""
    return _as_lines(packed), _mark(4 + width, np.maximum(lengths, 0))


def _as_lines(packed: NDArray[Any]) -> NDArray[np.void]:
    return packed.view(f"V{packed.dtype.itemsize}")


def _mark(width: int, lengths: NDArray[Any]) -> NDArray[np.void] | None:
    """Return the mask of a field's bytes: the length and as many bytes of each value as it has."""
    longest = width - 4
    if (lengths == longest).all():
        return None
    marks = np.tri(longest + 1, width, 3, np.bool_)  # a line per length: its own 4 bytes, and so many more
    lines: NDArray[np.void] = marks.view(f"V{width}").ravel()
    return np.take(lines, lengths)
