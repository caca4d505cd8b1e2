"""How a table's columns are held in memory, and what NULL is in each of them.

A column is a numpy array with one value per row:

==================  =====================  ==============================
kind                dtype                  NULL
==================  =====================  ==============================
whole number        int64                  ``NULL`` (the lowest int64)
truth value         bool                   never
moment, in UTC      datetime64[us]         ``NaT``
text from a list    ``Words``              code -1 (also UUIDs that many rows share)
other text          S, UTF-8 bytes         empty
rarer other text    ``Sparse``             code -1
UUID                V16                    the nil UUID
anything else       object                 ``None``
==================  =====================  ==============================
"""

from __future__ import annotations

import ctypes
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.errors import SettingsError
from pytest_gamedata.sparse import Sparse, join

NULL = np.iinfo(np.int64).min
MANY_ROWS = 1_000_000
NULL_MOMENT = np.datetime64("NaT", "us")
NIL_UUID = bytes(16)


@dataclass(frozen=True, eq=False)
class Words:
    """A column over a short list of words: one code per row, -1 for NULL."""

    codes: NDArray[Any]
    words: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> Words:
        return Words(self.codes[rows], self.words)

    def is_(self, *words: str) -> NDArray[np.bool_]:
        """Tell for each row whether it is one of the words."""
        return np.array([word in words for word in (*self.words, None)], dtype=np.bool_)[self.codes]

    def to(self, values: Mapping[str, Any], dtype: Any = None) -> NDArray[Any]:
        """Look each row's word up in a mapping; the result is a plain array."""
        return np.array([values[word] for word in self.words], dtype=dtype)[self.codes]

    def weigh(self, weights: Mapping[str, float], default: float = 1.0) -> NDArray[np.float64]:
        """Look each row's word up in a mapping of weights; a word that is not there has the default."""
        return self.to({word: weights.get(word, default) for word in self.words}, np.float64)

    def rename(self, words: Mapping[str, str], default: str) -> Words:
        """Replace each word by what a mapping says of it."""
        return Words(self.codes, tuple(words.get(word, default) for word in self.words))


Column = NDArray[Any] | Words | Sparse
COLUMN_KINDS = (np.ndarray, Words, Sparse)
Columns = dict[str, Any]  # by name; Any, because which kind a column is depends on its name


def give_back_memory(rows: int) -> None:
    """Return to the system what freed arrays of so many rows leave behind, where that is much.

    glibc keeps arrays below 32 MB for later, which is quicker, but adds up.
    """
    if rows < MANY_ROWS:
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone
    if trim is not None:
        trim(0)


def narrow(codes: NDArray[Any], words: int) -> NDArray[Any]:
    """Keep codes of so many words in as few bytes as they need."""
    return codes.astype(next(kind for kind in (np.int8, np.int16, np.int32) if words <= np.iinfo(kind).max))


def words_of(values: Sequence[str | None]) -> Words:
    """Make a text column of Python strings, sorted words behind it."""
    words = tuple(sorted({value for value in values if value is not None}))
    code_of: dict[str | None, int] = {word: code for code, word in enumerate(words)}
    return Words(narrow(np.array([code_of.get(value, -1) for value in values], np.int32), len(words)), words)


def same_word(word: str | None, n: int) -> Words:
    """Make a text column that says the same word n times."""
    return Words(np.full(n, -1 if word is None else 0, dtype=np.int8), () if word is None else (word,))


def choose(condition: NDArray[np.bool_], yes: Column, no: Column) -> Column:
    """Take each row's value from one of two columns of the same kind; coded and free text go together too."""
    if not isinstance(yes, Words) and not isinstance(no, Words):
        return np.where(condition, yes, no)
    if not isinstance(yes, Words) or not isinstance(no, Words):
        return np.where(condition, pack_text(yes), pack_text(no))
    if yes.words == no.words:
        return Words(np.where(condition, yes.codes, no.codes), yes.words)
    words = yes.words + no.words
    shifted = np.where(no.codes < 0, -1, no.codes.astype(np.int32) + len(yes.words))
    return merge_words(Words(np.where(condition, yes.codes, shifted), words))


def merge_words(column: Words) -> Words:
    """Give equal words one code."""
    merged = words_of(list(column.words))
    codes = np.append(
        merged.codes, merged.codes.dtype.type(-1)
    )  # code -1 reads the last entry: NULL stays NULL
    return Words(codes[column.codes], merged.words)


def concatenate(columns: Sequence[Any]) -> Column:
    """Put columns of one kind one after the other."""
    if all(isinstance(column, Sparse) for column in columns):
        return join(columns)
    if not isinstance(columns[0], Words):
        return np.concatenate(columns)
    words: tuple[str, ...] = ()
    codes = []
    for column in columns:
        codes.append(np.where(column.codes < 0, -1, column.codes.astype(np.int32) + len(words)))
        words += column.words
    return merge_words(Words(np.concatenate(codes), words))


def stack(parts: Sequence[Mapping[str, Column]]) -> Columns:
    """Put tables one below the other: the columns that all of them have."""
    names = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: concatenate([part[name] for part in parts]) for name in names}


def append(columns: Columns, *parts: Mapping[str, Column]) -> Columns:
    """Put tables below one that is used up: each of its columns goes as soon as it is copied, as in `sort`."""
    names = [name for name in columns if all(name in part for part in parts)]
    return {name: concatenate([columns.pop(name), *(part[name] for part in parts)]) for name in names}


def table_of(count: int, defaults: Mapping[str, Any], given: Mapping[str, Any]) -> Columns:
    """Make a table of so many rows: each column the given one, else its default in every row."""
    columns: Columns = {}
    for name, default in defaults.items():
        value = given.get(name, default)
        columns[name] = np.array(np.broadcast_to(np.asarray(value, dtype=np.asarray(default).dtype), count))
    return columns


def take(columns: Mapping[str, Column], rows: Any) -> Columns:
    """Select rows, by mask or by position, from every column."""
    return {name: column[rows] for name, column in columns.items()}


def sort(columns: Columns, order: Any) -> Columns:
    """Bring rows into an order; each column goes as soon as it is copied, to hold one twice and not all."""
    return {name: columns.pop(name)[order] for name in list(columns)}


def texts(values: Sequence[str | None]) -> NDArray[np.bytes_]:
    """Make a free text column; None becomes NULL."""
    return np.array([(value or "").encode() for value in values], dtype=np.bytes_)


def pack_text(column: Column) -> NDArray[np.bytes_]:
    """Write a text column out as bytes, one value per row."""
    if isinstance(column, Words):
        return texts((*column.words, None))[column.codes]
    return np.asarray(column)


def nulls(kind: type, n: int) -> Column:
    """Make a column of n NULLs for values of a Python type."""
    if kind is str:
        return same_word(None, n)
    if kind is datetime:
        return np.full(n, NULL_MOMENT)
    if kind is int:
        return np.full(n, NULL)
    return np.frombuffer(bytes(16 * n), dtype="V16") if kind is uuid.UUID else np.full(n, None, dtype=object)


def nulls_like(column: Column, n: int) -> Column:
    """Make a column of n NULLs of the same kind as another."""
    if isinstance(column, Words):
        return Words(np.full(n, -1, dtype=column.codes.dtype), column.words)
    kinds: dict[str, type] = {"M": datetime, "i": int, "V": uuid.UUID}
    if column.dtype.kind == "S":
        return np.zeros(n, dtype=column.dtype)
    return nulls(kinds.get(column.dtype.kind, object), n)


def to_moment(value: datetime) -> np.datetime64:
    """Turn an aware datetime into a value of a column of moments."""
    return np.datetime64(value.astimezone(UTC).replace(tzinfo=None), "us")


def random_hex(rng: np.random.Generator, n: int) -> NDArray[np.bytes_]:
    """Draw n texts of 32 hexadecimal digits."""
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)[rng.integers(0, 16, (n, 32), dtype=np.uint8)]
    return digits.reshape(-1).view("S32")


def random_uuids(rng: np.random.Generator, n: int) -> NDArray[np.void]:
    """Draw n random (version 4) UUIDs."""
    return as_uuids(rng.integers(0, 256, (n, 16), dtype=np.uint8))


def as_uuids(raw: NDArray[np.uint8]) -> NDArray[np.void]:
    """Mark lines of 16 bytes as version 4 UUIDs."""
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    return raw.view("V16").ravel()


def is_null(column: Column) -> NDArray[np.bool_]:
    """Tell for each row whether it is NULL."""
    if isinstance(column, Words | Sparse):
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
    """Turn a column into Python values: aware datetimes, str, UUID, None for NULL."""
    if isinstance(column, Words):
        words = (*column.words, None)
        return [words[code] for code in column.codes.tolist()]
    if isinstance(column, Sparse):
        column = column[:]
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
    """Turn one Python value into a column of one row, the reverse of `to_python`."""
    if isinstance(value, str):
        return same_word(value or None, 1)
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
    """Turn Python values of one type into a column."""
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


# Texts of which every row has another are kept as bytes; all others as Words.
FREE_TEXTS = {
    "username", "display_name", "email", "identifier", "name", "sku", "idempotency_key", "provider_transaction_id",
}  # fmt: skip


def fit_column(field: str, column: Any, kind: type, count: int) -> Column:
    """Turn what a user's declaration gave into a column of the kind that the field is kept in.

    Raises SettingsError that names the field if it is no column of so many values.
    """
    if not isinstance(column, (*COLUMN_KINDS, list, tuple)):
        raise SettingsError(
            f"{field}: {type(column).__name__} is not allowed. Allowed: an array of n values."
        )
    if len(column) != count:
        raise SettingsError(
            f"{field}: {len(column)} values are not allowed. Allowed: one per row, here {count}."
        )
    if kind not in (str, uuid.UUID) and isinstance(column, np.ndarray) and column.dtype.kind in "biM":
        return column
    values = to_python(column) if isinstance(column, COLUMN_KINDS) else list(column)
    if kind is str and field.rpartition(".")[2] not in FREE_TEXTS:
        return words_of([None if value is None else str(value) for value in values])
    return from_values(values, kind)
