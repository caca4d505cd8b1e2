"""Single rows of a team's own models: the names that a model takes, and how a row of it is made."""

from __future__ import annotations

import inspect
from typing import Any

import sqlalchemy
from sqlalchemy.orm import Mapper

from pytest_gamedata.errors import SettingsError


def is_django_model(model: Any) -> bool:
    """Tell whether a model is one of Django's."""
    return hasattr(getattr(model, "_meta", None), "db_table")


def is_plain_class(model: Any) -> bool:
    """Tell whether a model is a class that no ORM maps."""
    return (
        isinstance(model, type)
        and model is not dict
        and not is_django_model(model)
        and _mapper_of(model) is None
    )


def is_row(value: Any) -> bool:
    """Tell whether a value is an instance of a model."""
    return is_django_model(type(value)) or _mapper_of(type(value)) is not None


def make_row(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return an instance of a model; a dict, where the model is a Table."""
    return kwargs if isinstance(model, sqlalchemy.Table) else model(*args, **kwargs)


def insert_row(session: Any, table: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Insert a row into a Table, and return it as the database has it."""
    return dict(session.execute(sqlalchemy.insert(table).values(values).returning(table)).mappings().one())


def name_in_model(model: Any, name: str) -> str | None:
    """Return the name under which a model takes a field, an attribute or a column; None if it takes none."""
    if model is dict:
        return name
    if isinstance(model, sqlalchemy.Table):
        return name if name in model.columns else None
    if is_django_model(model):
        fields = {key: each.name for each in model._meta.concrete_fields for key in (each.column, each.name)}
        attnames = {each.attname: each.attname for each in model._meta.concrete_fields}
        return (fields | attnames).get(name)
    mapper = _mapper_of(model)
    if mapper is None or _is_taken(model, name):
        return name if _is_taken(model, name) else None
    named = [each.key for each in mapper.column_attrs if each.columns[0].name == name]
    return named[0] if named and _is_taken(model, named[0]) else None


def _is_taken(model: type, name: str) -> bool:
    """Tell whether a class's `__init__` takes an argument; SQLAlchemy's own takes what the class has."""
    parameters = inspect.signature(model).parameters
    is_open = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    return name in parameters or (is_open and hasattr(model, name))


def key_of(row: Any) -> Any:
    """Return the primary key of a row, None if it has none yet, or one of several columns."""
    if is_django_model(type(row)):
        return row.pk
    mapper = _mapper_of(type(row))
    keys = mapper.primary_key_from_instance(row) if mapper is not None else []
    return keys[0] if len(keys) == 1 else None


def _mapper_of(model: Any) -> Mapper[Any] | None:
    found = sqlalchemy.inspect(model, raiseerr=False)
    return found if isinstance(found, Mapper) else None


def refuse_nameless(factory: str) -> SettingsError:
    """Return the error for a row that cannot be created: its table has only a name."""
    return SettingsError(
        f"{factory}.create(): Meta.table names a table without a model, so no row can be made for it. "
        "Name a SQLAlchemy Table in Meta.model, or use build() for a dict."
    )
