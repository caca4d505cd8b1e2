"""The table that a factory's model stands for: its columns, Python-side defaults and bind processing.

SQLAlchemy (declarative, dataclass-mapped, SQLModel, Table) and Django, neither of them needed for the other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Table, inspect, select
from sqlalchemy.dialects.postgresql.psycopg import dialect
from sqlalchemy.orm import Mapper

from pytest_gamedata.errors import SettingsError
from pytest_gamedata.factories.adapter.team_models import is_django_model

Values = dict[str, Any]
Default = Callable[[Values], Any]  # gets what the row's other columns hold
DIALECT = dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class ModelTable:
    """The table of a model, as far as the model says: without a model only its name."""

    name: str
    schema: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)  # by attribute; a column's own name is one too
    relations: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # relationships and their foreign key columns
    defaults: Mapping[str, Default] = field(default_factory=dict)  # by column
    expressions: Mapping[str, str] = field(default_factory=dict)  # defaults that are SQL, by column
    processors: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)  # by column


def describe_model(model: Any, factory: str) -> ModelTable:
    """Return the table of a model.

    Raises SettingsError if it is mapped to none.
    """
    if isinstance(model, Table):
        return _describe_sqlalchemy(model, {column.key: column for column in model.columns}, {})
    mapper = inspect(model, raiseerr=False)
    if isinstance(mapper, Mapper):
        parent = mapper.inherits
        if parent is not None and parent.local_table is not mapper.local_table:
            raise _two_tables(factory, model, parent.local_table.name, mapper.local_table.name)  # type: ignore[attr-defined]
        return _describe_mapper(mapper)
    if is_django_model(model):
        for parent in model._meta.parents:
            raise _two_tables(factory, model, parent._meta.db_table, model._meta.db_table)
        return _describe_django(model)
    raise SettingsError(
        f"{factory}: Meta.model {getattr(model, '__name__', model)} is not mapped to a table. "
        "Name a SQLAlchemy class or Table, a Django model, or Meta.table."
    )


def _two_tables(factory: str, model: Any, parent: str, own: str) -> SettingsError:
    return SettingsError(
        f"{factory}: Meta.model {model.__name__} has its columns in two tables, {parent!r} and {own!r}, and one "
        "factory fills one. Give each table a subclass of UserFactory or GameFactory, "
        f"with Meta.table = {own!r} or the like."
    )


# ### SQLAlchemy ###


def _describe_mapper(mapper: Mapper[Any]) -> ModelTable:
    table: Any = mapper.local_table
    columns = {
        each.key: each.columns[0] for each in mapper.column_attrs if each.columns[0] in set(table.columns)
    }
    columns |= {name: columns[each.name] for name, each in mapper.synonyms.items() if each.name in columns}
    relations = {
        each.key: tuple(
            local.name for local, _ in each.local_remote_pairs or () if local in set(table.columns)
        )
        for each in mapper.relationships
        if each.direction.name == "MANYTOONE"
    }
    described = _describe_sqlalchemy(table, columns, relations)
    defaults = _class_defaults(mapper.class_, described.columns) | _discriminator(mapper)
    return dataclasses.replace(described, defaults={**defaults, **described.defaults})


def _discriminator(mapper: Mapper[Any]) -> dict[str, Default]:
    """Return the value that tells the classes of one table from each other, as a default of its column."""
    name = getattr(mapper.polymorphic_on, "name", None)
    return {} if name is None else {str(name): lambda values: mapper.polymorphic_identity}


def _describe_sqlalchemy(table: Table, columns: Mapping[str, Any], relations: Any) -> ModelTable:
    processors = {column.name: _processor(column.type) for column in table.columns}
    return ModelTable(
        name=str(table.name),
        schema=table.schema,
        columns={
            **{column.name: column.name for column in table.columns},
            **{k: c.name for k, c in columns.items()},
        },
        relations=relations,
        defaults={column.name: _default(column) for column in table.columns if _has_default(column)},
        expressions={
            column.name: _as_sql(column) for column in table.columns if _is_expression(column.default)
        },
        processors={name: process for name, process in processors.items() if process is not None},
    )


def _processor(type_: Any) -> Callable[[Any], Any] | None:
    """Return the bind processing of a column's type, None where a value is stored as it is."""
    process: Callable[[Any], Any] | None = type_.dialect_impl(DIALECT).bind_processor(DIALECT)
    kind = getattr(type_, "item_type", type_)
    if process is None or getattr(kind, "enum_class", None) is None:
        return process
    return lambda value: process(_members(kind, value))


def _members(kind: Any, value: Any) -> Any:
    """Return the member of an enum that a plain value stands for, unless SQLAlchemy knows it as one itself."""
    if isinstance(value, list | tuple):
        return [_members(kind, each) for each in value]
    if value is None or value in kind.enums:
        return value
    try:
        return kind.enum_class(value)
    except ValueError:
        return value


def _has_default(column: Column[Any]) -> bool:
    default: Any = column.default
    return default is not None and (default.is_scalar or default.is_callable)


def _is_expression(default: Any) -> bool:
    return default is not None and default.is_clause_element


def _as_sql(column: Column[Any]) -> str:
    default: Any = column.default
    return str(select(default.arg).compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))


def _default(column: Column[Any]) -> Default:
    default: Any = column.default
    return (
        (lambda values: default.arg) if default.is_scalar else (lambda values: default.arg(_Context(values)))
    )


@dataclass(frozen=True)
class _Context:
    """The part of SQLAlchemy's execution context that defaults of columns may ask."""

    current_parameters: Values

    def get_current_parameters(self, isolate_multiinsert_groups: bool = True) -> Values:  # noqa: FBT001, FBT002 - SQLAlchemy's signature
        return self.current_parameters


def _class_defaults(model: Any, columns: Mapping[str, str]) -> dict[str, Default]:
    """Return the defaults that a class itself has for its attributes: a dataclass's, or a pydantic model's."""
    if dataclasses.is_dataclass(model):
        fields: dict[str, Any] = {each.name: each for each in dataclasses.fields(model)}
        missing: Any = dataclasses.MISSING
    else:
        fields, missing = dict(getattr(model, "model_fields", {})), None
    found: dict[str, Default] = {}
    for name, each in fields.items():
        factory = each.default_factory
        if name not in columns:
            continue
        if factory is not missing and factory is not None:
            found[columns[name]] = lambda values, factory=factory: factory()  # type: ignore[misc]
        elif _is_value(each.default):
            found[columns[name]] = lambda values, value=each.default: value  # type: ignore[misc]
    return found


def _is_value(default: Any) -> bool:
    """Tell whether a default is a value, rather than a mark that there is none, or SQLAlchemy's own."""
    name = type(default).__name__
    return default is not dataclasses.MISSING and name not in (
        "PydanticUndefinedType",
        "_NoArg",
        "InstrumentedAttribute",
    )


# ### Django ###


def _describe_django(model: Any) -> ModelTable:
    from django.db import connections

    fields = [
        each for each in model._meta.concrete_fields if each.model._meta.db_table == model._meta.db_table
    ]
    columns = {
        name: each.column
        for each in fields
        for name in (each.column, each.attname, each.name)
        if not each.is_relation
    }
    columns |= {
        name: each.column for each in fields if each.is_relation for name in (each.column, each.attname)
    }
    schema, _, name = str(model._meta.db_table).replace('"', "").rpartition(".")

    def prepare(each: Any) -> Callable[[Any], Any]:
        return lambda value: each.get_db_prep_save(value, connections["default"])

    return ModelTable(
        name=name,
        schema=schema or None,
        columns=columns,
        relations={each.name: (each.column,) for each in fields if each.is_relation},
        defaults={each.column: _django_default(each) for each in fields if _has_django_default(each)},
        processors={each.column: prepare(each) for each in fields if not each.is_relation},
    )


def _has_django_default(each: Any) -> bool:
    moments = getattr(each, "auto_now", False) or getattr(each, "auto_now_add", False)
    return bool(
        each.has_default() or moments or (each.blank and each.empty_strings_allowed and not each.null)
    )


def _django_default(each: Any) -> Default:
    if getattr(each, "auto_now", False) or getattr(each, "auto_now_add", False):
        return lambda values: each.pre_save(_Blank(), add=True)
    return lambda values: each.get_default()


class _Blank:
    """An instance for Django's pre_save, which sets the value as an attribute too."""
