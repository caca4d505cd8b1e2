"""`Draw`: the one definition of a field, for a single row and for a whole table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pytest_gamedata.columns.conversion import Column, from_python, to_python
from pytest_gamedata.factories.adapter import Declaration, model_of, once_per_row
from pytest_gamedata.factories.one_row import RowAsColumns
from pytest_gamedata.settings import DatasetSpec, single_rows

DrawFunction = Callable[[Any, np.random.Generator, int], Column]


class Draw(Declaration):
    """Declare a field by a function ``(row, rng, n)`` that returns n values as a column.

    `row` gives the other fields as columns of n values, `rng` is a numpy Generator.
    """

    def __init__(self, draw: DrawFunction) -> None:
        super().__init__()
        self.draw = draw

    def evaluate(self, instance: Any, step: Any, extra: dict[str, Any]) -> Any:
        """Draw one value, when Factory Boy builds a single row."""
        row = once_per_row(step, lambda cls: RowAsColumns(instance, model_of(cls), cls))
        return to_python(self.draw(row, _stream_of_single_rows(), 1))[0]


class Settled(Draw):
    """Declare a field that `build()` draws, and that a dataset settles after all rows are there.

    A dataset draws it only where another field or a user's own declaration reads it.
    """


def of_spec(read: Callable[[DatasetSpec], Any]) -> Draw:
    """Declare a param that a single row takes from the spec of the running test; a dataset gives its own."""
    return Draw(lambda row, rng, n: from_python(read(single_rows.spec))[np.zeros(n, dtype=np.intp)])


def _stream_of_single_rows() -> np.random.Generator:
    single_rows.rng = single_rows.rng or np.random.default_rng(single_rows.spec.seed)
    stream: np.random.Generator = single_rows.rng
    return stream
