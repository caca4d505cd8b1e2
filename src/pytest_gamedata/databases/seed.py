"""Load a dataset into a database: create the tables, then copy the rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import ProgrammingError

from pytest_gamedata.databases.existing import note_spec, raw_connection
from pytest_gamedata.databases.game_database import GameDatabase
from pytest_gamedata.databases.migrations import end_connections, environment
from pytest_gamedata.databases.parts import Parts, create_tables, fills_own_tables
from pytest_gamedata.databases.registry import Facts
from pytest_gamedata.dataset import Dataset, build_dataset
from pytest_gamedata.errors import SettingsError
from pytest_gamedata.models import Base, create_optional_tables
from pytest_gamedata.postgres.clones import connect
from pytest_gamedata.postgres.rows.copy import Rows, count_of
from pytest_gamedata.postgres.rows.load import Report, load_new_database, load_tables, tell_nobody
from pytest_gamedata.settings import DatasetSpec

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from pytest_gamedata.databases.mapping import MappedTables
    from pytest_gamedata.databases.mapping.entries import Entry
    from pytest_gamedata.postgres.server import Server


CreateSchema = Callable[["Engine"], None]
ROWS_WORTH_A_CONNECTION = 10_000  # from here on a second connection saves more than opening it costs
CONNECTIONS = 2


def load_dataset(engine: Engine, dataset: Dataset, create_schema: CreateSchema | None = None) -> None:
    """Create the tables that are missing and load a dataset into them, all or nothing, in one transaction.

    The engine must use psycopg. `create_schema` makes the tables instead, before that transaction.
    Raises LoadError if a table has rows already.

    >>> dataset = build_dataset(DatasetSpec(users=1000))
    >>> load_dataset(engine, dataset)
    >>> dataset.counts["users"]
    1000
    """
    if create_schema is not None:
        create_schema(engine)
    with engine.connect() as connection, raw_connection(connection).transaction():
        if create_schema is None:
            Base.metadata.create_all(connection)
            create_optional_tables(connection, dataset.tables)
        load_into(connection, dataset)


def load_into(connection: Connection, dataset: Dataset, report: Report = tell_nobody) -> None:
    """Load a dataset into tables that are there, in the transaction that a SQLAlchemy connection is in."""
    raw = raw_connection(connection)
    load_tables(raw, dataset.tables, report)
    note_spec(raw, dataset.spec)


def seed(server: Server, dbname: str, spec: DatasetSpec, parts: Parts) -> Facts:
    """Create the tables of an empty database, and fill those of the factories."""
    began = time.perf_counter()
    is_ours = fills_own_tables(parts)
    entries, dataset = ([], build_dataset(spec)) if is_ours else read_and_build(spec, parts.factories)
    built = time.perf_counter()
    create_schema(server, dbname, parts.create_schema)
    optional = [entry for entry in entries if entry.fills_optional_table]
    if optional:
        create_schema(server, dbname, partial(_create_optional, entries=optional))
    if is_ours and dataset is not None:
        rows, counts, cast = dataset.tables, dataset.counts, dataset.cast
    else:
        mapped = _map(server, dbname, entries, dataset, spec.seed)
        rows, counts, cast = mapped.rows, mapped.counts, mapped.cast
    _load(server, dbname, rows)
    return Facts(str(spec), counts, cast, built - began, time.perf_counter() - built)


def read_and_build(spec: DatasetSpec, factories: Sequence[Any]) -> tuple[list[Entry], Dataset | None]:
    """Read a list of factories, and build the dataset if one of them maps rows of it."""
    from pytest_gamedata.databases.mapping.entries import (
        read_entries,
    )  # our own tables do without the mapping

    entries = read_entries(factories)
    is_needed = any(entry.source for entry in entries)
    return entries, build_dataset(spec, [entry.factory for entry in entries]) if is_needed else None


def create_schema(server: Server, dbname: str, create: CreateSchema) -> None:
    """Create the tables of a database, in an environment that names it: migrations and programs may read that."""
    database = GameDatabase(server, dbname, DatasetSpec(), {}, {})
    try:
        with environment(database.env):
            create(database.engine)
        if create is not create_tables:
            end_connections(database.engine)
    finally:
        database.close()


def _create_optional(engine: Engine, entries: list[Entry]) -> None:
    """Create those tables of ours that only these entries ask for, where they are missing.

    Raises SettingsError if the tables that they refer to are not ours.
    """
    for entry in entries:
        try:
            create_optional_tables(engine, [str(entry.source)])
        except ProgrammingError as error:
            reason = str(error.orig).splitlines()[0]
            raise SettingsError(
                f"{entry.name}: our table {entry.source!r} cannot be created beside yours: {reason}. "
                f"Subclass {entry.name} with a table of your own in Meta.model or Meta.table."
            ) from error


def _map(
    server: Server, dbname: str, entries: list[Entry], dataset: Dataset | None, seed: int
) -> MappedTables:
    from pytest_gamedata.databases.mapping import map_tables

    with connect(server, dbname) as connection:
        mapped = map_tables(connection, entries, dataset, seed)
        connection.rollback()
    return mapped


def _load(server: Server, dbname: str, tables: Mapping[str, Rows]) -> None:
    """Load rows into a new database, several tables at once where that pays."""
    count = CONNECTIONS if sum(map(count_of, tables.values())) >= ROWS_WORTH_A_CONNECTION else 1
    with ExitStack() as stack:
        load_new_database([stack.enter_context(connect(server, dbname)) for _ in range(count)], tables)
