"""A table drawn as columns from the declarations of a factory."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import factory
import numpy as np

from pytest_gamedata.columns.categorical import Categorical
from pytest_gamedata.columns.combine import choose
from pytest_gamedata.columns.conversion import (
    COLUMN_KINDS,
    Column,
    Columns,
    fit_column,
    from_python,
    from_values,
    is_free_text,
    nulls,
    pack_text,
    to_python,
)
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.factories.adapter import (
    branches_of,
    declarations_of,
    is_declaration,
    is_trait,
    switch_of,
)
from pytest_gamedata.factories.adapter.repeatable import evaluate_rows
from pytest_gamedata.factories.draw import Draw, RowOfTable, Settled
from pytest_gamedata.factories.fields import (
    changed_fields,
    fields_changed_early,
    is_mapped_by_team,
    own_base,
    type_of_field,
)

ARRAY_KINDS = {
    str: "SU",
    int: "iub",
    bool: "bi",
    datetime: "M",
    uuid.UUID: "V",
}  # of the arrays that hold such values


def is_column_of(column: Column, kind: type) -> bool:
    """Tell whether a column holds values of a Python type."""
    if not isinstance(column, np.ndarray):
        return kind is str or not isinstance(column, Categorical)
    return column.dtype.kind in ARRAY_KINDS.get(kind, column.dtype.kind)


class Table:
    """A table as a draw function sees it: every field is a whole column, drawn when first needed."""

    IS_EARLY = True  # drawn before anything is settled: other rows follow from it

    def __init__(self, cls: Any, n: int, streams: Streams, given: Mapping[str, Any]) -> None:
        self._cls = cls
        # a subclass draws from the streams of the factory that it changes: what it leaves alone stays the same
        self._stream = own_base(cls).__name__
        self._own = declarations_of(own_base(cls))
        self._changed = self._changes()
        self._declarations = declarations_of(cls) | {name: self._own[name] for name in self._left_alone()}
        self._n = n
        self._streams = streams
        self._values = {name: value for name, value in given.items() if name not in self._changed}

    def _changes(self) -> set[str]:
        return fields_changed_early(self._cls)

    def _left_alone(self) -> set[str]:
        """Return the fields that a team changes, but only for settled rows."""
        return (changed_fields(self._cls) - self._changed) & set(self._own)

    def __getattr__(self, name: str) -> Any:
        value = self._find(name)
        return pack_text(value) if is_free_text(value) else value

    def all(self) -> Columns:
        """Return every column that is given or can be drawn; not parents, nor values for the whole table.

        Fields that a team has added are left: they are drawn when all rows are settled.
        """
        for name, declaration in self._declarations.items():
            if name in self._own and not isinstance(declaration, Settled):
                self._find(name)
        return {name: value for name, value in self._values.items() if isinstance(value, COLUMN_KINDS)}

    def _find(self, name: str) -> Any:
        if name not in self._values:
            self._values[name] = self._draw(name)
        return self._values[name]

    def _draw(self, name: str) -> Column | None:
        if name not in self._declarations:
            raise AttributeError(f"{self._cls.__name__} has no field {name!r}")
        if self.IS_EARLY and name in self._changed & set(self._own) and is_mapped_by_team(self._cls):
            return self._draw_for_team(name)
        column = self._evaluate(name, self._declarations[name], name)
        if column is None or name not in self._changed:
            return column
        kind = type_of_field(self._cls, name) if self.IS_EARLY else object
        return fit_column(f"{self._cls.__name__}.{name}", column, kind, self._n)

    def _draw_for_team(self, name: str) -> Column | None:
        """Draw a field as a team declares it; as we do, where that is nothing our rows could hold.

        The team's table has the team's values in the end, whatever the simulation needs.
        """
        kind = type_of_field(self._cls, name)
        try:
            column = self._evaluate(name, self._declarations[name], name)
            if column is not None and is_column_of(column, kind):
                return fit_column(f"{self._cls.__name__}.{name}", column, kind, self._n)
        except (AttributeError, TypeError, ValueError):
            pass  # an enum for a text, or what only settled rows can tell
        return self._evaluate(name, self._own[name], name)

    def _evaluate(self, field: str, declaration: Any, stream: str) -> Column | None:
        if isinstance(declaration, Draw):
            return declaration.draw(self, self._streams.of(self._stream, stream), self._n)
        if isinstance(declaration, factory.Maybe):
            return self._switch(field, declaration, stream)
        if is_declaration(declaration):
            return self._evaluate_rows(field, declaration, stream)
        if declaration is None:
            return nulls(type_of_field(self._cls, field), self._n)
        return from_python(declaration)[np.zeros(self._n, dtype=np.intp)]

    def _switch(self, field: str, maybe: factory.Maybe, stream: str) -> Column | None:
        """Apply a trait, or the yes of a Maybe, to the rows that their switch marks."""
        switch = switch_of(maybe)
        yes, no = branches_of(maybe)
        otherwise = self._evaluate(field, no, stream)
        if otherwise is None or (is_trait(self._cls, switch) and switch not in self._values):
            return otherwise
        column = self._evaluate(field, yes, f"{stream}?{switch}")
        return otherwise if column is None else choose(self._marks(switch), column, otherwise)

    def _marks(self, switch: str) -> Any:
        """Return a switch as booleans: a field of another type counts as Python would take it."""
        marked = getattr(self, switch)
        if isinstance(marked, np.ndarray) and marked.dtype == np.bool_:
            return marked
        return np.array([bool(value) for value in to_python(marked)])

    def _evaluate_rows(self, field: str, declaration: Any, stream: str) -> Column | None:
        """Evaluate other declarations of a user's subclass row by row; parents and numbers of ours are given."""
        if field not in self._changed:
            return None
        converted: dict[str, list[Any]] = {}
        rows = (RowOfTable(self, row, converted) for row in range(self._n))
        values = evaluate_rows(declaration, rows, f"{self._streams.seed}:{self._stream}:{stream}")
        return from_values(values, type_of_field(self._cls, field))
