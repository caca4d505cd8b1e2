"""Factory Boy declarations that cannot draw columns, evaluated row by row when a database is seeded."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import factory.random
import faker.generator
import numpy as np

from pytest_gamedata.columns.categorical import Categorical
from pytest_gamedata.columns.values import to_python


def evaluate_rows(declaration: Any, table: Any, count: int, seed: str) -> list[Any]:
    """Let Factory Boy evaluate a declaration for every row; it sees the row's other fields, drawn or not yet."""
    seen: dict[Any, list[Any]] = {}
    if isinstance(declaration, factory.Iterator):
        declaration.reset()  # it keeps its place from one dataset to the next
    with _private_random_state(seed):
        return [
            declaration.evaluate_pre(
                instance=_Row(table, row, seen), step=SimpleNamespace(sequence=row), overrides={}
            )
            for row in range(count)
        ]


class _Row:
    """One row of a table of columns, or of a parent's, with Python values."""

    def __init__(self, table: Any, row: int, seen: dict[Any, list[Any]], path: str = "") -> None:
        self._table = table
        self._row = row
        self._seen = seen  # columns as Python values, by their path
        self._path = path

    def __getattr__(self, name: str) -> Any:
        path = f"{self._path}.{name}"
        if path not in self._seen:
            value = getattr(self._table, name)
            if not isinstance(value, np.ndarray | Categorical):
                return _Row(value, self._row, self._seen, path)
            self._seen[path] = to_python(value)
        return self._seen[path][self._row]


@contextmanager
def _private_random_state(seed: str) -> Iterator[None]:
    """Seed what Factory Boy and Faker draw from, and put it back as it was."""
    # factory.random.get_random_state() would overwrite Faker's state, so both are kept by hand
    before = factory.random.randgen.getstate(), faker.generator.random.getstate()
    state = random.Random(seed).getstate()  # noqa: S311 - test data, not secrets
    factory.random.randgen.setstate(state)
    faker.generator.random.setstate(state)
    try:
        yield
    finally:
        factory.random.randgen.setstate(before[0])
        faker.generator.random.setstate(before[1])
