"""The fields of a factory: which of them a user's subclass changes, which are stored, and their Python types."""

from __future__ import annotations

from typing import Any

from pytest_gamedata.columns.conversion import Columns
from pytest_gamedata.factories.adapter import declarations_of, is_factory, model_of, params_of
from pytest_gamedata.models import OWN_TABLES


def own_base(cls: Any) -> Any:
    """Return the factory of this package that a user's subclass changes, or the factory itself if it is ours."""
    return next(base for base in cls.__mro__ if _is_ours(base))


def changed_fields(cls: Any) -> set[str]:
    """Return the fields that a user's subclass declares: they win over the values of the dataset."""
    theirs = [base for base in cls.__mro__ if is_factory(base) and not _is_ours(base)]
    return {name for base in theirs for name in vars(base)} & set(declarations_of(cls))


def _is_ours(cls: type) -> bool:
    return cls.__module__.startswith("pytest_gamedata.")


def drop_params(cls: Any, columns: Columns) -> Columns:
    """Leave out the params that rows were drawn from; a team's factory keeps them, for its declarations may read them."""
    stored, params = model_of(own_base(cls)).__table__.columns, params_of(cls)
    is_changed = bool(changed_fields(cls))
    return {
        name: column for name, column in columns.items() if is_changed or name not in params or name in stored
    }


def own_columns(table: str, columns: Columns) -> Columns:
    """Return the columns that our table of this name has."""
    own = OWN_TABLES[table].columns
    return {name: column for name, column in columns.items() if name in own}


def type_of_field(cls: Any, name: str) -> type:
    """Return the Python type of a field of ours, object for a field that a team has added."""
    return type_of_column(model_of(own_base(cls)), name) or object


def type_of_column(model: Any, name: str) -> type | None:
    """Return the Python type of a model's column, None if it has no such column."""
    column = model.__table__.c.get(name)
    return None if column is None else column.type.python_type
