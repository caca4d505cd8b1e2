"""The values of a column: NULL, conversion from and to Python values, texts and UUIDs."""

from __future__ import annotations

import ctypes
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.categorical import Categorical, categorical, constant
from pytest_gamedata.errors import SettingsError

NULL = np.iinfo(np.int64).min
MANY_ROWS = 1_000_000
NULL_MOMENT = np.datetime64("NaT", "us")
NIL_UUID = bytes(16)

Column = NDArray[Any] | Categorical
COLUMN_KINDS = (np.ndarray, Categorical)
Columns = dict[str, Any]  # by name; Any, because which kind a column is depends on its name


def give_back_memory(rows: int) -> None:
    """Return the memory of freed arrays to the system, if they had many rows.

    glibc keeps freed arrays below 32 MB for later, which is quicker, but adds up.
    """
    if rows < MANY_ROWS:
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone
    if trim is not None:
        trim(0)


def texts(values: Sequence[str | None]) -> NDArray[np.bytes_]:
    """Make a column of plain free text; None becomes NULL."""
    return np.array([(value or "").encode() for value in values], dtype=np.bytes_)


def pack_text(column: Column) -> NDArray[np.bytes_]:
    """Return a text column as plain bytes, one value per row; any other column as it is."""
    if not isinstance(column, Categorical):
        return column
    if isinstance(column.categories, tuple):
        return texts((*column.categories, None))[column.codes]
    there = np.flatnonzero(column.codes >= 0)
    packed = np.zeros(len(column), dtype=column.categories.dtype)
    packed[there] = column.categories[column.codes[there]]
    return packed


def is_free_text(column: Any) -> bool:
    """Tell whether a column is categorical with free text as categories."""
    return isinstance(column, Categorical) and isinstance(column.categories, np.ndarray)


def nulls(kind: type, n: int) -> Column:
    """Make a column of n NULLs for values of a Python type."""
    if kind is str:
        return constant(None, n)
    if kind is datetime:
        return np.full(n, NULL_MOMENT)
    if kind is int:
        return np.full(n, NULL)
    return np.frombuffer(bytes(16 * n), dtype="V16") if kind is uuid.UUID else np.full(n, None, dtype=object)


def nulls_like(column: Column, n: int) -> Column:
    """Make a column of n NULLs of the same kind as another."""
    if isinstance(column, Categorical):
        return Categorical(np.full(n, -1, dtype=column.codes.dtype), column.categories)
    kinds: dict[str, type] = {"M": datetime, "i": int, "V": uuid.UUID}
    if column.dtype.kind == "S":
        return np.zeros(n, dtype=column.dtype)
    return nulls(kinds.get(column.dtype.kind, object), n)


def take_or_null(column: Column, positions: NDArray[np.integer]) -> Column:
    """Select rows by position; position -1 reads NULL."""
    missing = positions < 0
    if not missing.any():
        return column[positions]
    if not len(column):
        return nulls_like(column, len(positions))
    found = column[positions]
    if isinstance(found, Categorical):
        return Categorical(np.where(missing, -1, found.codes), found.categories)
    if found.dtype.kind in "bf":  # these types have no value for NULL
        found = found.astype(object)
    found[missing] = nulls_like(found, 1)[0]
    return found


def to_moment(value: datetime) -> np.datetime64:
    """Convert an aware datetime to a value of a column of moments."""
    return np.datetime64(value.astimezone(UTC).replace(tzinfo=None), "us")


def random_hex(rng: np.random.Generator, n: int) -> NDArray[np.bytes_]:
    """Draw n texts of 32 hexadecimal digits."""
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)[rng.integers(0, 16, (n, 32), dtype=np.uint8)]
    return digits.reshape(-1).view("S32")


def random_uuids(rng: np.random.Generator, n: int) -> NDArray[np.void]:
    """Draw n random (version 4) UUIDs."""
    return as_uuids(rng.integers(0, 256, (n, 16), dtype=np.uint8))


def as_uuids(raw: NDArray[np.uint8]) -> NDArray[np.void]:
    """Set the version and variant bits of version 4 UUIDs in rows of 16 bytes."""
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    return raw.view("V16").ravel()


def is_null(column: Column) -> NDArray[np.bool_]:
    """Tell for each row whether it is NULL."""
    if isinstance(column, Categorical):
        return column.codes < 0
    kind = column.dtype.kind
    if kind == "M":
        return np.isnat(column)
    if kind == "S":
        return column == b""
    if kind == "V":
        return column == np.void(NIL_UUID)
    if kind == "O":
        return np.array([value is None for value in column], dtype=np.bool_)
    return column == NULL if kind == "i" else np.zeros(len(column), dtype=np.bool_)


def to_python(column: Column) -> list[Any]:
    """Convert a column to Python values: aware datetimes, str, UUID, None for NULL."""
    if is_free_text(column):
        column = pack_text(column)
    if isinstance(column, Categorical):
        words = (*column.categories, None)
        return [words[code] for code in column.codes.tolist()]
    kind = column.dtype.kind
    values = column.tolist()
    if kind == "M":
        return [None if value is None else value.replace(tzinfo=UTC) for value in values]
    if kind == "S":
        return [value.decode() if value else None for value in values]
    if kind == "V":
        return [None if value == NIL_UUID else uuid.UUID(bytes=value) for value in values]
    return [None if value == NULL else value for value in values] if kind == "i" else values


def from_python(value: Any) -> Column:
    """Convert one Python value to a column of one row, the inverse of `to_python`."""
    if isinstance(value, str):
        return constant(value or None, 1)
    if isinstance(value, datetime):
        return np.array([to_moment(value if value.tzinfo else value.replace(tzinfo=UTC))])
    if isinstance(value, uuid.UUID):
        return np.array([np.void(value.bytes)])
    if isinstance(value, bool | np.bool_):
        return np.array([value], dtype=np.bool_)
    if isinstance(value, int | float | np.datetime64):
        return np.array([value])
    column = np.empty(1, dtype=object)
    column[0] = value
    return column


def from_values(values: Sequence[Any], kind: type) -> Column:
    """Convert Python values of one type to a column."""
    if kind is str:
        return texts(values)
    if kind is bool:
        return np.array(values, dtype=np.bool_)
    if kind is uuid.UUID:
        return np.array([np.void(value.bytes if value else NIL_UUID) for value in values])
    if kind in (int, datetime):
        return np.concatenate([nulls(kind, 1) if value is None else from_python(value) for value in values])
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


# Columns of free text, in which hardly two rows have the same value: held as bytes, all other text as Categorical.
FREE_TEXTS = {
    "username", "display_name", "email", "identifier", "name", "sku", "idempotency_key", "provider_transaction_id",
}  # fmt: skip


def fit_column(field: str, column: Any, kind: type, count: int) -> Column:
    """Convert the values of a user's declaration to the kind of column that the field has.

    Raises SettingsError that names the field if there is not one value per row.
    """
    if not isinstance(column, (*COLUMN_KINDS, list, tuple)):
        raise SettingsError(
            f"{field}: {type(column).__name__} is not allowed. Allowed: an array of n values."
        )
    if len(column) != count:
        raise SettingsError(
            f"{field}: {len(column)} values are not allowed. Allowed: one per row, here {count}."
        )
    if kind is object and isinstance(column, COLUMN_KINDS):
        return column  # a field that a team has added: every value of its type is one
    if kind not in (str, uuid.UUID) and isinstance(column, np.ndarray) and column.dtype.kind in "biM":
        return column
    values = to_python(column) if isinstance(column, COLUMN_KINDS) else list(column)
    if kind is str and field.rpartition(".")[2] not in FREE_TEXTS:
        return categorical([None if value is None else str(value) for value in values])
    return from_values(values, kind)
