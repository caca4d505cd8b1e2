"""Map a dataset, and factories of a team's own, onto the tables of a team's own schema.

The dataset numbers its rows by position, under our field names, until all is settled and checked. Then each factory's
columns are turned into those of its table: keys by the type of the key column, references by the parents' keys,
then the team's own declarations, then the bind processing of each column's type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
import psycopg

from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.databases.mapping.entries import Entry
from pytest_gamedata.databases.mapping.existing_rows import first_free_key, read_existing
from pytest_gamedata.databases.mapping.fill import fill, put_keys
from pytest_gamedata.databases.mapping.filled import Filled, Tables
from pytest_gamedata.databases.mapping.model_tables import ModelTable
from pytest_gamedata.databases.mapping.seeded_parents import draw_per_parent
from pytest_gamedata.databases.mapping.text_rows import stored_rows
from pytest_gamedata.errors import LoadError, SettingsError
from pytest_gamedata.factories import OWN_FACTORIES
from pytest_gamedata.factories.adapter.resolve import check_bulk
from pytest_gamedata.factories.base import Per
from pytest_gamedata.models import OWN_TABLES
from pytest_gamedata.postgres.rows.catalogue import Table, find_table, find_table_by_text

Connection = psycopg.Connection[Any]
RELATIVES = {
    "user_id": "user",
    "counterparty_user_id": "counterparty",
    "item_id": "item",
    "refund_of": "refunded",
}


@dataclass(frozen=True)
class MappedTables:
    """The rows of a team's tables, ready to be loaded, parents first."""

    rows: dict[str, Any]  # by the table's name in SQL
    counts: dict[str, int]  # by the table's name
    cast: dict[str, Any]  # keys of the users' table by role


def map_tables(connection: Connection, entries: Sequence[Entry], dataset: Any, seed: int) -> MappedTables:
    """Fill the tables of these entries; `dataset` has the rows of ours, None if no entry asks for them.

    Raises LoadError or SettingsError that names factory, table and column.
    """
    filled = [_begin(connection, entry, dataset) for entry in entries]
    tables = Tables(
        filled, Streams(seed), cache(partial(read_existing, connection)), partial(_evaluate, connection)
    )
    _count_per_parent(tables)
    shadows = _relate(tables, dataset)
    for each in filled:
        put_keys(each, seed, first_free_key(connection, each.table))
    for each in _in_order(tables):
        fill(each, tables)
    users = next((each for each in filled if each.entry.source == "users"), None)
    del shadows
    return MappedTables(
        rows={each.table.sql: stored_rows(each) for each in filled},
        counts={str(each.table): each.count for each in filled},
        cast=_cast_keys(users, dataset),
    )


def _begin(connection: Connection, entry: Entry, dataset: Any) -> Filled:
    check_bulk(entry.factory)
    table = _find(connection, entry.model)
    if table is None:
        name = ".".join(filter(None, (entry.model.schema, entry.model.name)))
        raise SettingsError(
            f"{entry.name}: there is no table {name!r} after gamedata_create_schema ran. "
            "Create it there, or name another one in Meta.model or Meta.table."
        )
    fields = dataset.fields[entry.source] if entry.source else {}
    count = len(fields["id"]) if entry.source else entry.rows if isinstance(entry.rows, int) else 0
    return Filled(entry, table, count, fields)


def _evaluate(connection: Connection, sql: str, count: int) -> list[Any]:
    """Return the value of a SQL query for each of so many rows: the same moment, another random number."""
    query = f"SELECT ({sql}) FROM generate_series(1, %s)"
    return [value for (value,) in connection.execute(query.encode(), [count]).fetchall()]


def _find(connection: Connection, model: ModelTable) -> Table | None:
    found = find_table(connection, model.name, model.schema)
    return found or (find_table_by_text(connection, model.name) if model.schema is None else None)


def _count_per_parent(tables: Tables) -> None:
    """Draw how many rows each table has that asks for so many per parent; a parent may be counted so itself."""
    waiting = [each for each in tables.filled if isinstance(each.entry.rows, Per)]
    counted = [each for each in tables.filled if not isinstance(each.entry.rows, Per)]
    while waiting:
        ready = [each for each in waiting if _parent_of(tables, each) in counted]
        if not ready:
            raise SettingsError(
                f"gamedata_factories: {waiting[0].entry.name} is counted per parent in a circle."
            )
        for each in ready:
            rng = tables.stream(each, "rows per parent")
            each.count = len(draw_per_parent(rng, each.entry.rows, _parent_of(tables, each).count))  # type: ignore[arg-type]
        counted += ready
        waiting = [each for each in waiting if each not in ready]


def _parent_of(tables: Tables, filled: Filled) -> Filled:
    parent = tables.of_factory(filled.entry.rows.parent)  # type: ignore[union-attr]
    if parent is None:
        name = filled.entry.rows.parent.__name__  # type: ignore[union-attr]
        raise SettingsError(
            f"gamedata_factories: {filled.entry.name} asks for rows per {name}, which is not in the list. Add {name}."
        )
    return parent


def _relate(tables: Tables, dataset: Any) -> list[Filled]:
    """Note which rows of our tables belong together, also of those that are not filled: declarations read them."""
    if dataset is None:
        return []
    shadows = {
        name: tables.of_source(name)
        or Filled(Entry(OWN_FACTORIES[name], ModelTable(name), name, None), None, len(fields["id"]), fields)  # type: ignore[arg-type]
        for name, fields in dataset.fields.items()
    }
    for each in shadows.values():
        for key in OWN_TABLES[str(each.entry.source)].foreign_keys:
            ids = np.asarray(each.fields[key.parent.name])
            positions = np.where(ids > 0, ids, 0) - 1
            each.relatives[RELATIVES[key.parent.name]] = (shadows[key.column.table.name], positions)
    return list(shadows.values())


def _in_order(tables: Tables) -> list[Filled]:
    """Return the tables with every parent before its children, as foreign keys that must be set have it."""
    by_oid = {each.table.oid: each for each in tables.filled}
    for nullable_too in (True, False):
        graph: Mapping[int, set[int]] = {
            oid: {
                key.table
                for key in each.table.foreign_keys
                if key.table in by_oid and key.table != oid and (nullable_too or _is_required(each, key))
            }
            for oid, each in by_oid.items()
        }
        try:
            return [by_oid[oid] for oid in TopologicalSorter(graph).static_order()]
        except CycleError as error:
            cycle = [str(by_oid[oid].table) for oid in error.args[1]]
    raise LoadError(
        f"Foreign keys form a cycle: {' -> '.join(cycle)}. Make one of them nullable and fill it later."
    )


def _is_required(filled: Filled, key: Any) -> bool:
    return any(filled.table.columns[name].not_null for name in key.columns)


def _cast_keys(users: Filled | None, dataset: Any) -> dict[str, Any]:
    if users is None or len(users.table.primary_key) != 1:
        return {}
    keys = users.read(users.table.primary_key[0])
    return {role: keys[user_id - 1] for role, user_id in dataset.cast.items()}
