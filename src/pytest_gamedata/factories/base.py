"""Factory Boy declarations that can draw one value or a whole column.

`Draw` holds the one definition of a field. Factory Boy's own path (`build`, `create`) evaluates it
for a single row; `GameFactory.columns` evaluates the same declarations for any number of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import factory
import numpy as np
from factory import declarations
from sqlalchemy import inspect

from pytest_gamedata.columns.categorical import Categorical, Sparse
from pytest_gamedata.columns.combine import choose, concatenate
from pytest_gamedata.columns.parents import Block
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.columns.values import (
    COLUMN_KINDS,
    Column,
    Columns,
    fit_column,
    from_python,
    from_values,
    nulls,
    to_python,
)
from pytest_gamedata.errors import SessionMissingError
from pytest_gamedata.factories.row_by_row import evaluate_rows
from pytest_gamedata.settings import DatasetSpec, lone_rows

ROWS_PER_BLOCK = 1 << 17
LONE_ROWS_START = 1_000_000_000  # numbers of lone rows start here, so their names never meet seeded ones


class Draw(declarations.BaseDeclaration):
    """Declare a field by a function ``(row, rng, n)`` that returns n values as a column.

    `row` gives the other fields as columns of n values, `rng` is a numpy Generator. A function that leaves
    the rng alone may be called for a block of rows at a time: `in_blocks` bounds what it takes of memory.
    """

    def __init__(
        self, draw: Callable[[Any, np.random.Generator, int], Column], *, in_blocks: bool = False
    ) -> None:
        super().__init__()
        self.draw = draw
        self.in_blocks = in_blocks

    def evaluate(self, instance: Any, step: Any, extra: dict[str, Any]) -> Any:
        """Draw one value: Factory Boy's own path."""
        if not hasattr(step, "row"):
            step.row = _OneRow(instance, step.builder.factory_meta)
        return to_python(self.draw(step.row, _own_stream(), 1))[0]


class GameOptions(factory.alchemy.SQLAlchemyOptions):
    """Factory Boy's options, with params before the traits that change them, and each trait switched off.

    Factory Boy sorts traits and other params by separate counters, so that a trait may come before the param
    it changes, and be overruled by it. And it words an error for each trait that a call does not name, only
    to drop it: 8 of 9 ms per user.
    """

    @property
    def declarations(self) -> dict[str, Any]:
        """Return all declarations of the factory, those of its params included."""
        traits = {
            name: param for name, param in self.parameters.items() if isinstance(param, declarations.Trait)
        }
        found = {**dict.fromkeys(traits, False), **self.base_declarations}
        for name, param in self.parameters.items():
            if name not in traits:
                found.update(param.as_declarations(name, found))
        for name, trait in traits.items():
            found.update(trait.as_declarations(name, found))
        return found


class GameFactory(factory.alchemy.SQLAlchemyModelFactory):
    """Base of the factories: Factory Boy's path for a row, `columns` for many."""

    _options_class = GameOptions
    _spent_after: ClassVar[
        dict[str, tuple[str, ...]]
    ] = {}  # params by the last field that is drawn from them

    class Meta:
        abstract = True
        sqlalchemy_session_persistence = "flush"

    @classmethod
    def _setup_next_sequence(cls) -> int:
        return LONE_ROWS_START

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        meta: Any = cls._meta
        if meta.sqlalchemy_session is None and meta.sqlalchemy_session_factory is None:
            cls._require_session()
            return cls._save(model_class, lone_rows.session, args, kwargs)
        return super()._create(model_class, *args, **kwargs)

    @classmethod
    def _require_session(cls) -> None:
        if lone_rows.session is None:
            raise SessionMissingError(
                f"{cls.__name__}.create() has no session to persist through. "
                "Request the gamedata_session fixture in the test, or use build() for a row in memory."
            )

    @classmethod
    def columns(cls, n: int, streams: Streams, **given: Any) -> Columns:
        """Draw n rows as columns, Params included; `given` columns replace declarations."""
        return _Table(cls, n, streams, given).all()

    @classmethod
    def use_up(cls, n: int, streams: Streams, given: dict[str, Any]) -> Columns:
        """Draw rows as `columns` does, but forget each given param when the last field is drawn from it.

        A user's subclass may draw from any of them at any time: it keeps them all.
        """
        table = _Table(cls, n, streams, given)
        given.clear()
        return table.all({} if changed_fields(cls) else cls._spent_after)


def drop_params(cls: type[GameFactory], columns: Columns) -> Columns:
    """Leave out what rows were drawn from and no column of the factory's table keeps."""
    meta: Any = cls._meta
    kept = meta.model.__table__.columns
    return {
        name: column
        for name, column in columns.items()
        if name not in meta.parameters or meta.rename.get(name, name) in kept
    }


def _own_stream() -> np.random.Generator:
    """Return the stream of lone rows."""
    lone_rows.rng = lone_rows.rng or np.random.default_rng(lone_rows.spec.seed)
    stream: np.random.Generator = lone_rows.rng
    return stream


def of_spec(read: Callable[[DatasetSpec], Any]) -> Draw:
    """Declare a param that lone rows take from the dataset they belong to; a dataset gives its own."""
    return Draw(lambda row, rng, n: from_python(read(lone_rows.spec))[np.zeros(n, dtype=np.intp)])


def find_parent(model: Any, primary_key: Any) -> Any:
    """Return the row with this key from the session that the factories use, None without one."""
    return None if lone_rows.session is None else lone_rows.session.get(model, primary_key)


class _OneRow:
    """What a draw function sees of a single row: every field as a column of one value."""

    def __init__(self, instance: Any, meta: Any = None) -> None:
        self._instance = instance
        self._meta = meta
        self._stand_ins: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._instance, name)
        if value is declarations.SKIP:  # the parent was named by its key
            if name not in self._stand_ins:
                self._stand_ins[name] = _stand_in(self._meta, name, getattr(self._instance, f"{name}_id"))
            value = self._stand_ins[name]
        if hasattr(value, "__mapper__"):
            return _OneRow(value)
        if isinstance(value, factory.base.StubObject):
            return _OneRow(value, _parent_factory(self._meta, name)._meta)
        if value is None:
            return null_of(self._meta.model if self._meta else type(self._instance), name)
        return from_python(value)


def _stand_in(meta: Any, name: str, primary_key: Any) -> Any:
    """Find the parent row that a key names, or build one that it might name."""
    parent_factory = _parent_factory(meta, name)
    found = find_parent(parent_factory._meta.model, primary_key)
    return found or parent_factory.build(id=primary_key, **_parent_declaration(meta, name)._defaults)


def _parent_factory(meta: Any, name: str) -> Any:
    return _parent_declaration(meta, name).get_factory()


def _parent_declaration(meta: Any, name: str) -> Any:
    """Return the SubFactory of a parent, which a trait, a key or a subclass may hide."""
    found = (
        base._meta.base_declarations.get(name) for base in meta.factory.__mro__ if hasattr(base, "_meta")
    )
    for declaration in map(_innermost, found):
        if isinstance(declaration, declarations.SubFactory):
            return declaration
    raise AttributeError(f"{meta.factory.__name__} has no parent {name!r}")


def _innermost(declaration: Any) -> Any:
    while isinstance(declaration, declarations.Maybe):
        declaration = declaration.no if declaration.no is not declarations.SKIP else declaration.yes
    return declaration


def _kind(cls: type[GameFactory], name: str) -> type:
    """Return the Python type of a field: by the factory's model, else by that of the factory it changes."""
    models = [base._meta.model for base in cls.__mro__ if issubclass(base, GameFactory) and base._meta.model]
    types = (type_in(model, name) for model in models)
    return next((found for found in types if found), object)


class _Table:
    """What a draw function sees of many rows: every field as a whole column, drawn when first needed."""

    def __init__(self, cls: type[GameFactory], n: int, streams: Streams, given: Mapping[str, Any]) -> None:
        self._cls = cls
        # a subclass draws from the streams of the factory that it changes: what it leaves alone stays the same
        self._stream = next(base for base in cls.__mro__ if _is_ours(base)).__name__
        self._declarations = cls._meta.pre_declarations
        self._n = n
        self._streams = streams
        self._values = {name: value for name, value in given.items() if name not in changed_fields(cls)}

    def __getattr__(self, name: str) -> Any:
        value = self.held(name)
        return value[:] if isinstance(value, Sparse) else value  # a draw function sees plain bytes

    def held(self, name: str) -> Any:
        """Return a field as it is held in memory, drawn when first needed."""
        if name not in self._values:
            self._values[name] = self._draw(name)
        return self._values[name]

    def _draw(self, name: str) -> Column | None:
        if name not in self._declarations:
            raise AttributeError(f"{self._cls.__name__} has no field {name!r}")
        column = self._evaluate(name, self._declarations[name].declaration)
        if column is None or name not in changed_fields(self._cls):
            return column
        return fit_column(f"{self._cls.__name__}.{name}", column, _kind(self._cls, name), self._n)

    def _evaluate(self, stream: str, declaration: Any) -> Column | None:
        if isinstance(declaration, Draw):
            return self._draw_values(declaration, self._streams.of(self._stream, stream))
        if isinstance(declaration, declarations.Maybe):
            return self._switch(stream, declaration)
        if isinstance(declaration, declarations.BaseDeclaration | declarations.Skip):
            return self._evaluate_rows(stream, declaration)
        if declaration is None:
            field = stream.partition("?")[0]
            return nulls(_kind(self._cls, field), self._n)
        return from_python(declaration)[np.zeros(self._n, dtype=np.intp)]

    def _draw_values(self, declaration: Draw, rng: np.random.Generator) -> Column:
        if not declaration.in_blocks or self._n <= ROWS_PER_BLOCK:
            return declaration.draw(self, rng, self._n)
        blocks = (slice(at, min(at + ROWS_PER_BLOCK, self._n)) for at in range(0, self._n, ROWS_PER_BLOCK))
        return concatenate(
            [declaration.draw(Block(self, rows), rng, rows.stop - rows.start) for rows in blocks]
        )

    def _switch(self, stream: str, maybe: declarations.Maybe) -> Column | None:
        """Apply a trait, or the yes of a Maybe, to the rows that their switch marks."""
        switch = str(getattr(maybe.decider, "attribute_name", ""))
        otherwise = self._evaluate(stream, maybe.no)
        is_trait = isinstance(self._cls._meta.parameters.get(switch), declarations.Trait)
        if otherwise is None or (is_trait and switch not in self._values):
            return otherwise
        column = self._evaluate(f"{stream}?{switch}", maybe.yes)
        if column is None:
            return otherwise
        marked = getattr(self, switch)
        if isinstance(marked, Categorical) or marked.dtype != np.bool_:
            marked = np.array([bool(value) for value in to_python(marked)])
        return choose(marked, column, otherwise)

    def all(self, spent_after: Mapping[str, tuple[str, ...]] | None = None) -> Columns:
        """Return every column that is given or can be drawn; not parents, nor values for the whole table."""
        spent: set[str] = set()
        for name in (*self._declarations, *self._values):
            if name in spent:
                continue
            self.held(name)
            for param in (spent_after or {}).get(name, ()):
                del self._values[param]
                spent.add(param)
        return {name: value for name, value in self._values.items() if isinstance(value, COLUMN_KINDS)}

    def _evaluate_rows(self, stream: str, declaration: Any) -> Column | None:
        """Evaluate what a user's subclass declares by other means; parents and numbers of ours are given."""
        field = stream.partition("?")[0]
        if field not in changed_fields(self._cls):
            return None
        values = evaluate_rows(declaration, self, self._n, f"{self._streams.seed}:{self._stream}:{stream}")
        return from_values(values, _kind(self._cls, field))


def changed_fields(cls: type[GameFactory]) -> set[str]:
    """Return the fields that a user's subclass declares: its word counts, whatever the dataset would say."""
    theirs = [base for base in cls.__mro__ if issubclass(base, GameFactory) and not _is_ours(base)]
    return {name for base in theirs for name in vars(base)} & set(cls._meta.pre_declarations)


def _is_ours(cls: type) -> bool:
    return cls.__module__.startswith("pytest_gamedata.")


class _NoRow:
    """What a draw function sees of a parent that is not there: NULL in every field."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return null_of(self._model, name)


def null_of(model: Any, name: str) -> Any:
    """Return NULL as a column of one row, or a parent that is not there."""
    relationships = inspect(model).relationships if hasattr(model, "__mapper__") else {}
    if name in relationships:
        return _NoRow(relationships[name].mapper.class_)
    return nulls(type_in(model, name) or object, 1)


def type_in(model: Any, name: str) -> type | None:
    """Return the Python type of a model's column, None for what is no column."""
    column = model.__table__.c.get(name)
    return None if column is None else column.type.python_type
