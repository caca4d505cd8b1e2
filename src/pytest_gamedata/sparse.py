"""Free text that most rows do not have: only the texts that are there take room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Sparse:
    """A column of UTF-8 bytes as one code per row, -1 for NULL; rows of it read as plain bytes."""

    codes: NDArray[np.int32]
    texts: NDArray[np.bytes_]  # an empty one comes last: code -1 reads NULL

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> NDArray[np.bytes_]:
        found: NDArray[np.bytes_] = self.texts[self.codes[rows]]
        return found

    def __array__(self, dtype: Any = None, *, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or self.dtype, copy=False)

    @property
    def dtype(self) -> np.dtype[np.bytes_]:
        """Return the type of the bytes that rows read as."""
        return self.texts.dtype


def scatter(rows: NDArray[np.bool_], texts: NDArray[np.bytes_]) -> Sparse:
    """Give the marked rows these texts, one each, and all others NULL."""
    codes = np.full(len(rows), -1, dtype=np.int32)
    codes[rows] = np.arange(len(texts))
    return Sparse(codes, np.append(texts, np.bytes_(b"")))


def thin_out(column: NDArray[np.bytes_]) -> Sparse:
    """Keep the texts of a column that are there."""
    there = column != b""
    return scatter(there, column[there])


def join(columns: Sequence[Sparse]) -> Sparse:
    """Put columns one after the other."""
    rows = np.concatenate([column.codes >= 0 for column in columns])
    # each text has a row of its own, in their order
    return scatter(rows, np.concatenate([column.texts[:-1] for column in columns]))
