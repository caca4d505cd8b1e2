"""Put a dataset into a database: the tables, then the rows; and a template of it on a run's server."""

from __future__ import annotations

import hashlib
import inspect
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, create_mock_engine

from pytest_gamedata.database.copy import load_tables
from pytest_gamedata.database.templates import Connection, ensure_template
from pytest_gamedata.dataset import Dataset, build_dataset, factories_by_table
from pytest_gamedata.models import Base
from pytest_gamedata.settings import DatasetSpec

if TYPE_CHECKING:
    from sqlalchemy import Engine, MetaData

    from pytest_gamedata.database.server import Server

CreateSchema = Callable[["Engine"], None]


def load_dataset(
    engine: Engine, dataset: Dataset, create_schema: CreateSchema = Base.metadata.create_all
) -> None:
    """Create the tables that are missing and load a dataset into them, all rows or none.

    The engine must use psycopg. Raises LoadError if a table has rows already.
    """
    create_schema(engine)
    with engine.connect() as connection:
        load_tables(connection.connection.driver_connection, dataset.tables)  # type: ignore[arg-type]


def ensure_seeded_template(
    admin: Connection, server: Server, spec: DatasetSpec, create_schema: CreateSchema, factories: list[Any]
) -> tuple[str, dict[str, Any]]:
    """Return the name of the template for this dataset, built if it is not there, and its facts."""
    rows = replace(spec, isolation="database")  # how a test is isolated does not change them
    key = hashlib.sha256(repr((rows, *map(_describe_part, (create_schema, *factories)))).encode())
    name = f"gamedata_template_{key.hexdigest()[:16]}"
    return name, ensure_template(
        admin, name, lambda dbname: _seed(server, dbname, spec, create_schema, factories)
    )


def _seed(
    server: Server, dbname: str, spec: DatasetSpec, create_schema: CreateSchema, factories: list[Any]
) -> dict[str, Any]:
    """Build a dataset and load it into an empty database; return its facts."""
    began = time.perf_counter()
    dataset = build_dataset(spec, factories_by_table(factories))
    built = time.perf_counter()
    url = URL.create("postgresql+psycopg", server.user, server.password, server.host, server.port, dbname)
    engine = create_engine(url)
    try:
        load_dataset(engine, dataset, create_schema)
    finally:
        engine.dispose()
    return {
        "spec": str(spec),
        "counts": dataset.counts,
        "cast": dataset.cast,
        "build": built - began,
        "load": time.perf_counter() - built,
    }


def _describe_part(part: Any) -> str:
    """Return what tells a factory or a function that creates the tables from any other one of this run."""
    metadata = getattr(part, "__self__", None)
    if metadata is not None and hasattr(metadata, "sorted_tables"):  # the create_all of a MetaData
        return _describe_tables(metadata, tuple(metadata.tables))
    if isinstance(part, type | FunctionType) and part.__module__.startswith("pytest_gamedata."):
        return f"{part.__module__}.{part.__qualname__}"
    return _describe_foreign_part(part)


@cache
def _describe_tables(metadata: MetaData, names: tuple[str, ...]) -> str:
    statements: list[str] = []

    def collect(statement: Any, *_: Any, **__: Any) -> None:
        statements.append(str(statement.compile(dialect=engine.dialect)))

    engine = create_mock_engine("postgresql+psycopg://", collect)
    metadata.create_all(engine, tables=[metadata.tables[name] for name in names], checkfirst=False)
    return "\n".join(sorted(statements))  # the order of indexes differs between processes


@cache
def _describe_foreign_part(part: Any) -> str:
    """Return the place and text of what its text decides, else what only this process knows it by."""
    is_plain_function = isinstance(part, FunctionType) and not part.__closure__
    is_plain_class = isinstance(part, type) and "<locals>" not in part.__qualname__
    if is_plain_function or is_plain_class:
        with suppress(OSError, TypeError):  # no source: typed in, or made by exec()
            return f"{inspect.getsourcefile(part)} {part.__qualname__}\n{inspect.getsource(part)}"
    return f"{os.getpid()} {id(part)}"
