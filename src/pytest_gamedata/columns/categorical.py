"""Categorical columns: one code per row, which selects one of a list of categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Categorical:
    """A column whose values many rows share, or most rows lack: one code per row, -1 for NULL.

    The categories are a tuple of Python values, or an array of UTF-8 bytes for free text.
    """

    codes: NDArray[Any]
    categories: Any  # tuple[Any, ...] | NDArray[np.bytes_]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> Categorical:
        return Categorical(self.codes[rows], self.categories)

    def is_(self, *words: str) -> NDArray[np.bool_]:
        """Tell for each row whether its value is one of the words."""
        return np.array([word in words for word in (*self.categories, None)], dtype=np.bool_)[self.codes]

    def to(self, values: Mapping[str, Any], dtype: Any = None) -> NDArray[Any]:
        """Look each row's value up in a mapping, as a plain array."""
        return np.array([values[word] for word in self.categories], dtype=dtype)[self.codes]

    def weigh(self, weights: Mapping[str, float], default: float = 1.0) -> NDArray[np.float64]:
        """Look each row's weight up in a mapping; a value that is not there has the default weight."""
        return self.to({word: weights.get(word, default) for word in self.categories}, np.float64)

    def rename(self, words: Mapping[str, str], default: str) -> Categorical:
        """Replace each category by its entry in a mapping, or by the default."""
        return Categorical(self.codes, tuple(words.get(word, default) for word in self.categories))


def narrow(codes: NDArray[Any], categories: int) -> NDArray[Any]:
    """Convert codes of so many categories to the smallest integer type that holds them."""
    return codes.astype(
        next(kind for kind in (np.int8, np.int16, np.int32) if categories <= np.iinfo(kind).max)
    )


def categorical(values: Sequence[str | None]) -> Categorical:
    """Make a column of Python strings, with sorted categories."""
    words = tuple(sorted({value for value in values if value is not None}))
    code_of: dict[str | None, int] = {word: code for code, word in enumerate(words)}
    return Categorical(
        narrow(np.array([code_of.get(value, -1) for value in values], np.int32), len(words)), words
    )


def constant(word: str | None, n: int) -> Categorical:
    """Make a column that has the same value in n rows."""
    return Categorical(np.full(n, -1 if word is None else 0, dtype=np.int8), () if word is None else (word,))


def merge_categories(column: Categorical) -> Categorical:
    """Merge equal categories, so that each has one code."""
    merged = categorical([*column.categories, None])
    codes = merged.codes  # the last one is of NULL, which code -1 selects
    return Categorical(codes[column.codes], merged.categories)


def free_text(n: int, rows: NDArray[np.intp], texts: NDArray[np.bytes_]) -> Categorical:
    """Make a column of n rows in which the given rows have these texts, one category each, and all others NULL."""
    there = texts != b""
    codes = np.full(n, -1, dtype=np.int32)
    codes[rows[there]] = np.arange(there.sum())
    return Categorical(codes, texts[there])
