"""The fields of a factory: which of them a user's subclass changes, which are stored, and their Python types."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pytest_gamedata.columns.conversion import Columns
from pytest_gamedata.factories.adapter import (
    declarations_of,
    innermost,
    is_declaration,
    is_factory,
    model_of,
    params_of,
    renames_of,
)
from pytest_gamedata.factories.adapter.team_models import key_of, name_in_model
from pytest_gamedata.models import OWN_TABLES


def own_base(cls: Any) -> Any:
    """Return the factory of this package that a user's subclass changes, or the factory itself if it is ours."""
    return next(base for base in cls.__mro__ if _is_ours(base))


def changed_fields(cls: Any) -> set[str]:
    """Return the fields that a user's subclass declares: they win over the values of the dataset."""
    theirs = [base for base in cls.__mro__ if is_factory(base) and not _is_ours(base)]
    return {name for base in theirs for name in vars(base)} & set(declarations_of(cls))


def fields_changed_early(cls: Any) -> set[str]:
    """Return the changed fields that the simulation draws: not those it settles, in a team's own table."""
    return changed_fields(cls) - (settled_fields(cls) if is_mapped_by_team(cls) else set())


def settled_fields(cls: Any) -> set[str]:
    """Return the stored fields of ours that are constant, until other rows of a dataset are there."""
    stored = model_of(own_base(cls)).__table__.columns
    own = declarations_of(own_base(cls))
    return {name for name, each in own.items() if name in stored and is_settled(innermost(each))}


def is_settled(declaration: Any) -> bool:
    """Tell whether a declaration only stands in for a value that a dataset settles after all rows are there."""
    return not is_declaration(declaration) or getattr(declaration, "is_settled", False)


def _is_ours(cls: type) -> bool:
    return cls.__module__.startswith("pytest_gamedata.")


def is_mapped_by_team(cls: Any) -> bool:
    """Tell whether a factory fills a team's table with our fields."""
    return model_of(cls) is not model_of(own_base(cls))


def fit_to_model(cls: Any, kwargs: dict[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that a team's model takes: our fields that it lacks are left out, parents become keys."""
    named = _names_in_model(cls)
    taken = [(named.get(name, name), value) for name, value in kwargs.items()]
    fitted = {name: value for name, value in taken if name is not None}
    for name, parent in attributes.items():
        key = named.get(renames_of(cls).get(f"{name}_id", f"{name}_id"))
        if key is not None and parent is not None and fitted.get(key) is None:
            fitted[key] = key_of(parent)
    return fitted


@cache
def _names_in_model(cls: Any) -> dict[str, str | None]:
    """Return for each field of ours the name under which the factory's model takes it, None if it takes none."""
    own = set(declarations_of(own_base(cls))) - changed_fields(cls)
    targets = [renames_of(cls).get(name, name) for name in own] + list(renames_of(cls).values())
    return {target: name_in_model(model_of(cls), target) for target in targets}


def drop_params(cls: Any, columns: Columns) -> Columns:
    """Leave out the params that rows were drawn from; a team's factory keeps them: its declarations may read them."""
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
