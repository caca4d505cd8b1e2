"""`Draw`: the one definition of a field, for a single row and for a whole table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sqlalchemy import inspect

from pytest_gamedata.columns.categorical import Categorical
from pytest_gamedata.columns.conversion import Column, from_python, nulls, to_python
from pytest_gamedata.factories.adapter import (
    Declaration,
    declarations_of,
    factory_of,
    fields_of,
    is_skipped,
    is_stub,
    model_of,
    once_per_row,
    parent_declaration,
    renames_of,
)
from pytest_gamedata.factories.adapter.team_models import is_row
from pytest_gamedata.factories.fields import own_base, type_of_column
from pytest_gamedata.models.declarative import Base, OptionalBase
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
        row = once_per_row(step, lambda cls: RowAsColumns(instance, _model_behind(cls), cls))
        return to_python(self.draw(row, _stream_of_single_rows(), 1))[0]


class Settled(Draw):
    """Declare a field that `build()` draws, and that a dataset settles after all rows are there.

    A dataset draws it only where another field or a user's own declaration reads it.
    """

    is_settled = True


def of_spec(read: Callable[[DatasetSpec], Any]) -> Draw:
    """Declare a param that a single row takes from the spec of the running test; a dataset gives its own."""
    return Draw(lambda row, rng, n: from_python(read(single_rows.spec))[np.zeros(n, dtype=np.intp)])


def _stream_of_single_rows() -> np.random.Generator:
    single_rows.rng = single_rows.rng or np.random.default_rng(single_rows.spec.seed)
    stream: np.random.Generator = single_rows.rng
    return stream


# ### one row and columns stand for each other ###


class RowAsColumns:
    """A row that Factory Boy builds, as a draw function sees it: every field is a column of one value.

    A field that is another row (a parent) is again such a view. A missing parent has NULL in every field.
    """

    def __init__(self, row: Any, model: Any, cls: Any = None) -> None:
        self._row = row
        self._model = model
        self._cls = cls  # the row's factory, while the row is being built
        self._stand_ins: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        value = None if self._row is None else getattr(self._row, name)
        if is_skipped(value):  # the parent was named by its key
            value = self._find_by_key(name)
        if value is None:
            return self._null(name)
        if isinstance(value, RowAsColumns):
            return value
        if fields_of(value) is not None:  # a row of a team's model
            return RowAsColumns(fields_of(value), _model_behind(factory_of(value)))
        if self._cls is not None and is_row(value) and not _is_own_row(value):
            return self._stand_in(name, value)
        if hasattr(value, "__mapper__"):
            return RowAsColumns(value, type(value))
        if is_stub(value):
            parent, _ = parent_declaration(self._cls, name)
            return RowAsColumns(value, _model_behind(parent), parent)
        return from_python(value)

    def _find_by_key(self, name: str) -> Any:
        """Return the parent row that a key names, or build one that it might name."""
        if name not in self._stand_ins:
            parent, defaults = parent_declaration(self._cls, name)
            key = getattr(self._row, f"{name}_id")
            found = find_parent(model_of(parent), key)
            if found is not None and not _is_own_row(found):
                return self._stand_in(name, found)
            self._stand_ins[name] = found or own_base(parent).build(id=key, **defaults)
        return self._stand_ins[name]

    def _stand_in(self, name: str, row: Any) -> Any:
        """Return a row of ours that has all fields which a team's row has too."""
        if name not in self._stand_ins:
            parent, defaults = parent_declaration(self._cls, name)
            own = own_base(parent)
            given = {
                each: found for each in declarations_of(own) if (found := _read_field(parent, row, each))
            }
            self._stand_ins[name] = own.build(**{**defaults, **given})
        return RowAsColumns(self._stand_ins[name], type(self._stand_ins[name]))

    def _null(self, name: str) -> Any:
        relationships = inspect(self._model).relationships if hasattr(self._model, "__mapper__") else {}
        if name in relationships:
            return RowAsColumns(None, relationships[name].mapper.class_)
        return nulls(type_of_column(self._model, name) or object, 1)


def _model_behind(cls: Any) -> Any:
    """Return the model of ours whose fields a factory has, its own if it changes no factory of ours."""
    return model_of(own_base(cls)) or model_of(cls)


def _is_own_row(row: Any) -> bool:
    return isinstance(row, Base | OptionalBase)


def _read_field(parent: Any, row: Any, name: str) -> Any:
    """Return a field of ours from a team's row, None if the row has none that could be it."""
    found = getattr(row, renames_of(parent).get(name, name), None)
    kind = type_of_column(model_of(own_base(parent)), name)
    return found if kind is not None and isinstance(found, kind) else None


def find_parent(model: Any, primary_key: Any) -> Any:
    """Return the row with this key from the session that the factories use, None without one."""
    return None if single_rows.session is None else single_rows.session.get(model, primary_key)


class RowOfTable:
    """One row of a table of columns, as Factory Boy's own declarations see it: every field is a Python value."""

    def __init__(self, table: Any, row: int, converted: dict[str, list[Any]], path: str = "") -> None:
        self._table = table
        self._row = row
        self._converted = converted  # columns as Python values, by their path; shared by all rows
        self._path = path

    def __getattr__(self, name: str) -> Any:
        path = f"{self._path}.{name}"
        if path not in self._converted:
            value = getattr(self._table, name)
            if not isinstance(value, np.ndarray | Categorical):
                return RowOfTable(value, self._row, self._converted, path)
            self._converted[path] = to_python(value)
        return self._converted[path][self._row]
