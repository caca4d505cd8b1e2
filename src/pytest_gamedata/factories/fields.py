"""The fields of a factory: which of them a user's subclass changes, which are stored, and their Python types."""

from __future__ import annotations

from typing import Any

from pytest_gamedata.columns.conversion import Columns
from pytest_gamedata.factories.adapter import declarations_of, is_factory, model_of, params_of, renames_of


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
    """Leave out the params that rows were drawn from, unless the table has a column for them."""
    stored = model_of(cls).__table__.columns
    params, renames = params_of(cls), renames_of(cls)
    return {
        name: column
        for name, column in columns.items()
        if name not in params or renames.get(name, name) in stored
    }


def type_of_field(cls: Any, name: str) -> type:
    """Return the Python type of a field: by the factory's model, else by that of the factory it changes."""
    models = [model_of(base) for base in cls.__mro__ if is_factory(base) and model_of(base)]
    types = (type_of_column(model, name) for model in models)
    return next((found for found in types if found), object)


def type_of_column(model: Any, name: str) -> type | None:
    """Return the Python type of a model's column, None if it has no such column."""
    column = model.__table__.c.get(name)
    return None if column is None else column.type.python_type
