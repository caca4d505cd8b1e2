"""A table drawn as columns from the declarations of a factory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import factory
import numpy as np

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
from pytest_gamedata.factories.fields import changed_fields, own_base, type_of_field


class Table:
    """A table as a draw function sees it: every field is a whole column, drawn when first needed."""

    def __init__(self, cls: Any, n: int, streams: Streams, given: Mapping[str, Any]) -> None:
        self._cls = cls
        # a subclass draws from the streams of the factory that it changes: what it leaves alone stays the same
        self._stream = own_base(cls).__name__
        self._declarations = declarations_of(cls)
        self._changed = changed_fields(cls)
        self._n = n
        self._streams = streams
        self._values = {name: value for name, value in given.items() if name not in self._changed}

    def __getattr__(self, name: str) -> Any:
        value = self._find(name)
        return pack_text(value) if is_free_text(value) else value

    def all(self) -> Columns:
        """Return every column that is given or can be drawn; not parents, nor values for the whole table.

        Fields that a team has added are left: they are drawn when all rows are settled.
        """
        own = declarations_of(own_base(self._cls))
        for name, declaration in self._declarations.items():
            if name in own and not isinstance(declaration, Settled):
                self._find(name)
        return {name: value for name, value in self._values.items() if isinstance(value, COLUMN_KINDS)}

    def _find(self, name: str) -> Any:
        if name not in self._values:
            self._values[name] = self._draw(name)
        return self._values[name]

    def _draw(self, name: str) -> Column | None:
        if name not in self._declarations:
            raise AttributeError(f"{self._cls.__name__} has no field {name!r}")
        column = self._evaluate(name, self._declarations[name], name)
        if column is None or name not in self._changed:
            return column
        return fit_column(f"{self._cls.__name__}.{name}", column, type_of_field(self._cls, name), self._n)

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
