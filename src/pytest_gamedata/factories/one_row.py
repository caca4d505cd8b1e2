"""Views on a single row, which let columns and Factory Boy's values stand for each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import inspect

from pytest_gamedata.columns.categorical import Categorical
from pytest_gamedata.columns.conversion import from_python, nulls, to_python
from pytest_gamedata.factories.adapter import is_skipped, is_stub, model_of, parent_declaration
from pytest_gamedata.factories.fields import type_of_column
from pytest_gamedata.settings import single_rows


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
        if hasattr(value, "__mapper__"):
            return RowAsColumns(value, type(value))
        if is_stub(value):
            parent, _ = parent_declaration(self._cls, name)
            return RowAsColumns(value, model_of(parent), parent)
        return from_python(value)

    def _find_by_key(self, name: str) -> Any:
        """Return the parent row that a key names, or build one that it might name."""
        if name not in self._stand_ins:
            parent, defaults = parent_declaration(self._cls, name)
            key = getattr(self._row, f"{name}_id")
            found = find_parent(model_of(parent), key)
            self._stand_ins[name] = found or parent.build(id=key, **defaults)
        return self._stand_ins[name]

    def _null(self, name: str) -> Any:
        relationships = inspect(self._model).relationships if hasattr(self._model, "__mapper__") else {}
        if name in relationships:
            return RowAsColumns(None, relationships[name].mapper.class_)
        return nulls(type_of_column(self._model, name) or object, 1)


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
