"""Fill one table: keys, the dataset's fields, the team's declarations, foreign keys, Python-side defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pytest_gamedata.columns.conversion import is_null
from pytest_gamedata.databases.mapping.declared import hold_fields
from pytest_gamedata.databases.mapping.filled import Filled, Positions, SeededRow, Tables, keys_of
from pytest_gamedata.databases.mapping.keys import make_keys
from pytest_gamedata.databases.mapping.seeded_parents import (
    chooser,
    draw_for,
    draw_parents,
    key_of_attribute,
    put_counted_parent,
)
from pytest_gamedata.errors import LoadError, SettingsError
from pytest_gamedata.factories.adapter import (
    adjusts_arguments,
    called_by,
    declaration_of,
    declarations_of,
    model_of,
    renames_of,
)
from pytest_gamedata.factories.adapter.resolve import Chosen, hooks_of_bases, replace_parents, resolve_rows
from pytest_gamedata.factories.adapter.team_models import is_plain_class
from pytest_gamedata.factories.fields import changed_fields
from pytest_gamedata.models import OWN_TABLES
from pytest_gamedata.postgres.rows.catalogue import ForeignKey


def put_keys(filled: Filled, seed: int, first: int) -> None:
    """Store a primary key for each row, where the type of its one column tells how and nothing else fills it."""
    name = _key_column(filled)
    if name is not None and not _is_declared(filled, name):
        keys = make_keys(
            filled.table.columns[name],
            f"{filled.table.schema}.{filled.table.name}",
            seed,
            range(first, first + filled.count),
        )
        if keys is not None:
            filled.stored[name] = keys


def _key_column(filled: Filled) -> str | None:
    """Return the one column of the primary key, None if there are more or if it is a foreign key too."""
    primary = filled.table.primary_key
    is_foreign = any(set(primary) & set(key.columns) for key in filled.table.foreign_keys)
    return primary[0] if len(primary) == 1 and not is_foreign else None


def _is_declared(filled: Filled, column: str) -> bool:
    made, model = filled.entry.factory, filled.entry.model
    names = changed_fields(made) if filled.entry.source else set(declarations_of(made))
    return any(
        model.columns.get(renames_of(made).get(name, name)) == column or name == column for name in names
    )


def fill(filled: Filled, tables: Tables) -> None:
    """Fill all columns of a table but those that the database fills itself.

    Raises LoadError or SettingsError that names factory, table and column.
    """
    if filled.entry.source:
        _put_fields(filled, tables)
    put_counted_parent(filled, tables)
    _put_declared(filled, tables)
    _put_foreign_keys(filled, tables)
    _put_defaults(filled)
    _put_expressions(filled, tables)
    _check_filled(filled)


# ### the dataset's fields ###


def _put_fields(filled: Filled, tables: Tables) -> None:
    source, model = str(filled.entry.source), filled.entry.model
    references = {each.parent.name: each.column.table.name for each in OWN_TABLES[source].foreign_keys}
    for name in OWN_TABLES[source].columns.keys():  # noqa: SIM118 - a collection of columns
        target = renames_of(filled.entry.factory).get(name, name)
        column = model.columns.get(target, target)
        if name == "id" or column not in filled.table.columns or name in changed_fields(filled.entry.factory):
            continue
        if name in references:
            _refer(filled, column, tables.of_source(references[name]), _positions(filled.fields[name]))
        elif not filled.table.columns[column].is_generated:
            filled.stored[column] = filled.read(name)


def _positions(ids: Any) -> Positions:
    """Return the position of the row that each id of the dataset names; -1 for none."""
    return np.where(is_null(ids), 0, np.asarray(ids)) - 1


def _refer(filled: Filled, column: str, parent: Filled | None, positions: Positions) -> None:
    """Store the keys of parents in a foreign key's column: those that its constraint refers to, else primary keys."""
    key = next((each for each in filled.table.foreign_keys if each.columns == (column,)), None)
    if parent is None:
        if filled.table.columns[column].not_null and (positions >= 0).any():
            raise _missing_parent(filled, column)
        filled.stored[column] = [None] * filled.count
        return
    referred = key.referred if key is not None and key.table == parent.table.oid else parent.table.primary_key
    filled.parents[column] = (parent, positions)
    filled.stored[column] = keys_of(parent, referred[:1], positions)[0]


def _missing_parent(filled: Filled, column: str) -> LoadError:
    return LoadError(
        f"{filled.entry.name}: column {column!r} of table {str(filled.table)!r} refers to rows that are not seeded. "
        "Add a factory for them to gamedata_factories, or make the column nullable."
    )


# ### the team's declarations ###


def _put_declared(filled: Filled, tables: Tables) -> None:
    made, source = filled.entry.factory, filled.entry.source
    declared = declarations_of(made)
    wanted = sorted(changed_fields(made)) if source else list(declared)
    wanted = [name for name in wanted if name not in hooks_of_bases(made)]
    if not wanted and not adjusts_arguments(made):
        return
    found = {name: _with_seeded_parents(filled, tables, name) for name in wanted}
    replaced = {name: each for name, each in found.items() if each is not None}
    if source:
        replaced = hold_fields(filled, wanted, replaced, tables.streams)
        wanted = list(replaced) if adjusts_arguments(made) else wanted
    seed = f"{tables.streams.seed}:{filled.table.schema}.{filled.table.name}"
    rows = resolve_rows(made, filled.count, seed, replaced, wanted)
    for name in dict.fromkeys(name for row in rows for name in row):
        if name not in filled.relatives:
            _put_attribute(filled, name, [row.get(name) for row in rows])


def _with_seeded_parents(filled: Filled, tables: Tables, name: str) -> Any:
    """Return a declaration with seeded rows in the place of its SubFactories, None if it has none."""
    declaration, context = declaration_of(filled.entry.factory, name)

    def make(sub: Any) -> Any:
        made, defaults = called_by(sub)
        parent = tables.of_factory(made)
        if parent is None:
            return _keep_unless_table(filled, name, sub, made)
        wanted = {**defaults, **context}
        positions = draw_for(filled, tables, name, parent, wanted)
        rng = tables.stream(filled, f"{name}, chosen") if wanted else None
        return Chosen(chooser(filled, parent, positions, rng), wanted)

    found = replace_parents(declaration, make)
    return None if found is declaration else found


def _keep_unless_table(filled: Filled, name: str, sub: Any, made: Any) -> Any:
    """Let Factory Boy build what is no table: a dict, a list, a value object."""
    if is_plain_class(model_of(made)) or model_of(made) is dict:
        return sub
    raise LoadError(
        f"{filled.entry.name}.{name}: no rows of {made.__name__} are seeded. "
        f"Add ({made.__name__}, 20) or the like to gamedata_factories."
    )


def _put_attribute(filled: Filled, name: str, values: list[Any]) -> None:
    model = filled.entry.model
    parents = [value for value in values if isinstance(value, SeededRow)]
    if parents:
        return _put_parents(filled, name, parents[0]._filled, values)
    column = model.columns.get(name, name)
    if column in filled.table.columns:
        filled.stored[column] = values
        filled.attributes[name] = values
    elif name in model.relations or _key_of_name(filled, name) is not None:
        for each in model.relations.get(name) or _key_of_name(filled, name).columns:  # type: ignore[union-attr]
            filled.stored[each] = [None] * filled.count
    else:
        raise SettingsError(
            f"{filled.entry.name}.{name}: table {str(filled.table)!r} has no column {name!r}. "
            f"Its columns are: {', '.join(filled.table.columns)}. Declare it in Params, or exclude it in Meta."
        )
    return None


def _key_of_name(filled: Filled, name: str) -> ForeignKey | None:
    return next((key for key in filled.table.foreign_keys if key.columns in ((name,), (f"{name}_id",))), None)


def _put_parents(filled: Filled, name: str, parent: Filled, values: Sequence[Any]) -> None:
    key = key_of_attribute(filled, name, parent)
    if key is None:
        raise SettingsError(
            f"{filled.entry.name}.{name}: table {str(filled.table)!r} has no foreign key to {str(parent.table)!r} "
            f"that it could stand for. Name the attribute as the relationship or the column, or declare the column."
        )
    positions = np.array([-1 if value is None else value._position for value in values], dtype=np.int64)
    filled.parents[name] = (parent, positions)
    for column, keys in zip(key.columns, keys_of(parent, key.referred, positions), strict=True):
        filled.stored[column] = keys


# ### the rest ###


def _put_foreign_keys(filled: Filled, tables: Tables) -> None:
    """Draw parents for the foreign keys that nothing has filled, if they need one or rows are counted by it."""
    for key in filled.table.foreign_keys:
        if all(name in filled.stored for name in key.columns) or not _is_needed(filled, key):
            continue
        parent = tables.of_oid(key.table) or tables.find_existing(key.table)
        if parent is None:
            raise _missing_parent(filled, key.columns[0])
        if key.columns[0] not in filled.parents:
            drawn = draw_parents(tables.stream(filled, key.columns[0]), filled, key, parent)
            filled.parents[key.columns[0]] = (parent, drawn)
        _, positions = filled.parents[key.columns[0]]
        for column, keys in zip(key.columns, keys_of(parent, key.referred, positions), strict=True):
            filled.stored[column] = keys


def _is_needed(filled: Filled, key: ForeignKey) -> bool:
    columns = [filled.table.columns[name] for name in key.columns]
    return key.columns[0] in filled.parents or any(each.not_null and not each.has_default for each in columns)


def _put_defaults(filled: Filled) -> None:
    """Store the defaults that the model has in Python, for columns that nothing else fills."""
    missing = [
        name
        for name in filled.entry.model.defaults
        if name in filled.table.columns and name not in filled.stored
    ]
    stored: dict[str, list[Any]] = {name: [] for name in missing}
    for row in range(filled.count if missing else 0):
        values = {name: column[row] for name, column in filled.stored.items()}
        for name in missing:
            values[name] = filled.entry.model.defaults[name](values)
            stored[name].append(values[name])
    filled.stored.update(stored)


def _put_expressions(filled: Filled, tables: Tables) -> None:
    """Store the defaults that the model has in SQL; a server default of the column comes first."""
    for name, sql in filled.entry.model.expressions.items():
        column = filled.table.columns.get(name)
        if column is not None and name not in filled.stored and not column.has_default:
            filled.stored[name] = tables.evaluate(sql, filled.count)


def _check_filled(filled: Filled) -> None:
    for column in filled.table.columns.values():
        if (
            column.name not in filled.stored
            and column.not_null
            and not (column.has_default or column.is_generated)
        ):
            raise SettingsError(
                f"{filled.entry.name}: nobody fills column {column.name!r} of table {str(filled.table)!r}. "
                "Declare it in the factory, make it nullable, or give it a server default."
            )
