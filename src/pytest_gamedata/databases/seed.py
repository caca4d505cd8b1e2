"""Load a dataset into a database: create the tables, then copy the rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sqlalchemy import URL, create_engine

from pytest_gamedata.databases.existing import note_spec, raw_connection
from pytest_gamedata.databases.facts import Facts
from pytest_gamedata.databases.parts import Parts
from pytest_gamedata.dataset import Dataset, build_dataset
from pytest_gamedata.factories import factories_by_table
from pytest_gamedata.models import Base
from pytest_gamedata.postgres.clones import connect
from pytest_gamedata.postgres.rows.copy import Report, load_new_database, load_tables, tell_nobody
from pytest_gamedata.settings import DatasetSpec

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

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
        load_into(connection, dataset)


def load_into(connection: Connection, dataset: Dataset, report: Report = tell_nobody) -> None:
    """Load a dataset into tables that are there, in the transaction that a SQLAlchemy connection is in."""
    raw = raw_connection(connection)
    load_tables(raw, dataset.tables, report)
    note_spec(raw, dataset.spec)


def seed(server: Server, dbname: str, spec: DatasetSpec, parts: Parts) -> Facts:
    """Build a dataset and load it into an empty database."""
    began = time.perf_counter()
    dataset = build_dataset(spec, factories_by_table(parts.factories))
    built = time.perf_counter()
    _fill(server, dbname, dataset, parts.create_schema)
    loaded = time.perf_counter()
    return Facts(str(spec), dataset.counts, dataset.cast, built - began, loaded - built)


def _fill(server: Server, dbname: str, dataset: Dataset, create_schema: CreateSchema) -> None:
    """Create the tables in a new database and load a dataset into them, several at once where that pays."""
    url = URL.create("postgresql+psycopg", server.user, server.password, server.host, server.port, dbname)
    engine = create_engine(url)
    try:
        create_schema(engine)
    finally:
        engine.dispose()
    count = CONNECTIONS if sum(dataset.counts.values()) >= ROWS_WORTH_A_CONNECTION else 1
    with ExitStack() as stack:
        load_new_database(
            [stack.enter_context(connect(server, dbname)) for _ in range(count)], dataset.tables
        )
