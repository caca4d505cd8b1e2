"""The public fixtures, a few lines of wiring each."""

from __future__ import annotations

import hashlib
import inspect
import os
import secrets
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any

import pytest

from pytest_gamedata.database.binaries import Binaries, find_binaries
from pytest_gamedata.database.server import Server, join_server, leave_server, server_error
from pytest_gamedata.errors import GamedataError, LeakedConnectionWarning
from pytest_gamedata.run import RUN, spec_of
from pytest_gamedata.settings import DatasetSpec

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Engine, MetaData
    from sqlalchemy.orm import Session

    from pytest_gamedata.database.templates import Admin
    from pytest_gamedata.game_database import GameDatabase

# what pytest-postgresql's ini has where nobody has set it; it says nothing of this machine
POSTGRESQL_EXEC_UNSET = "/usr/lib/postgresql/14/bin/pg_ctl"

CreateSchema = Callable[["Engine"], None]


# ### fixtures that users see ###


@pytest.fixture(scope="session")
def gamedata_server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """Give the run's PostgreSQL server: host, port, user, password, dbname, version."""
    run = pytestconfig.stash[RUN]
    options = str(_postgresql_setting(pytestconfig, "postgresql_postgres_options") or "")
    with _one_line_failures():
        server = join_server(run.directory, lambda: find_binaries_of(pytestconfig), options)
    run.costs.server = {name: getattr(server, name) for name in ("version", "source", "in_ram", "seconds")}
    yield server
    leave_server(run.directory)


@pytest.fixture(scope="session")
def gamedata_create_schema() -> CreateSchema:
    """Give a callable that creates the tables; override it to run your migrations."""
    from pytest_gamedata.models import Base

    return Base.metadata.create_all


@pytest.fixture(scope="session")
def gamedata_factories() -> list[Any]:
    """Give the factories that seed a database; override it to bring your own."""
    from pytest_gamedata.factories import FACTORIES

    return list(FACTORIES.values())


@pytest.fixture
def gamedata_db(
    request: pytest.FixtureRequest,
    _gamedata_admin: Admin,
    gamedata_server: Server,
    gamedata_create_schema: CreateSchema,
    gamedata_factories: list[Any],
) -> Iterator[GameDatabase]:
    """Give the test a database of its own, seeded as the options and the test's markers say."""
    from pytest_gamedata.database import templates
    from pytest_gamedata.game_database import GameDatabase

    costs = request.config.stash[RUN].costs
    name = f"gamedata_{secrets.token_hex(6)}"
    with _one_line_failures(gamedata_server):
        spec = spec_of(request.node)
        admin = _gamedata_admin.connect()
        template, facts = _ensure_template(
            admin, gamedata_server, spec, gamedata_create_schema, gamedata_factories
        )
        costs.templates[template] = facts
        began = time.perf_counter()
        templates.clone_template(admin, template, name)
        costs.clones.append(time.perf_counter() - began)
    database = GameDatabase(gamedata_server, name, spec, facts["counts"], facts["cast"])
    yield database
    with _one_line_failures(gamedata_server):
        database.close()
        admin = _gamedata_admin.connect()
        leaks = templates.find_leaks(admin, name)
        templates.drop_database(admin, name)
        for leak in leaks:
            warnings.warn(_describe_leak(request.node.nodeid, leak), LeakedConnectionWarning, stacklevel=1)


@pytest.fixture
def gamedata_engine(gamedata_db: GameDatabase) -> Engine:
    """Give a SQLAlchemy engine on this test's database, disposed afterwards."""
    return gamedata_db.engine


@pytest.fixture
def gamedata_session(gamedata_db: GameDatabase) -> Iterator[Session]:
    """Give a SQLAlchemy session on this test's database, through which the factories' create() persists."""
    from pytest_gamedata.factories.columns import persist_through

    session = gamedata_db.session()
    persist_through(session, gamedata_db.spec)
    yield session
    persist_through(None)


# ### what they are made of ###


@pytest.fixture(scope="session")
def _gamedata_admin(gamedata_server: Server) -> Iterator[Admin]:
    """Give the connection that databases are created and dropped through."""
    from pytest_gamedata.database.templates import Admin

    admin = Admin(gamedata_server)
    yield admin
    admin.close()


def find_binaries_of(config: pytest.Config) -> Binaries:
    """Find the server's binaries as pytest-postgresql's own settings, or this machine, have them."""
    return find_binaries(_postgresql_setting(config, "postgresql_exec"))


def _postgresql_setting(config: pytest.Config, name: str) -> str | None:
    """Read a setting of pytest-postgresql, None where nobody has set it."""
    value = config.getoption(name, None)
    if value is None:
        with suppress(ValueError):  # pytest-postgresql may be switched off
            value = config.getini(name)
    return None if value in ("", POSTGRESQL_EXEC_UNSET) else value


@contextmanager
def _one_line_failures(server: Server | None = None) -> Iterator[None]:
    """Fail a test by one clear line: a cause that is not the test's needs no traceback into ours."""
    import psycopg

    try:
        yield
    except (GamedataError, LeakedConnectionWarning) as error:
        message = str(error)
    except psycopg.Error as error:
        message = str(server_error(server, error)) if server and _is_gone(error) else _describe_refusal(error)
    else:
        return
    raise pytest.fail.Exception(message, pytrace=False) from None


def _is_gone(error: psycopg.Error) -> bool:
    """Tell whether the server no longer answers, rather than refuses; 57P is the class of its shutdowns."""
    from psycopg import OperationalError

    return isinstance(error, OperationalError) and (error.sqlstate or "57P").startswith("57P")


def _describe_refusal(error: psycopg.Error) -> str:
    diag = error.diag
    found = (diag.message_primary or str(error), diag.message_detail, diag.message_hint, diag.context)
    sentences = [f"{part.splitlines()[0].rstrip('.')}." for part in found if part]
    return f"The database of this test cannot be made: {' '.join(sentences)}"


def _ensure_template(
    admin: Any, server: Server, spec: DatasetSpec, create_schema: CreateSchema, factories: list[Any]
) -> tuple[str, dict[str, Any]]:
    """Return the name of the template for this dataset, built if it is not there, and its facts."""
    from pytest_gamedata.database import templates

    key = hashlib.sha256(repr((_identity(spec), *map(_describe_part, (create_schema, *factories)))).encode())
    name = f"gamedata_template_{key.hexdigest()[:16]}"
    return name, templates.ensure_template(
        admin, name, lambda dbname: _fill(server, dbname, spec, create_schema, factories)
    )


def _identity(spec: DatasetSpec) -> tuple[Any, ...]:
    """Return what decides the rows: everything but the isolation."""
    return astuple(spec)[:8] + astuple(spec)[9:]


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
    from sqlalchemy import create_mock_engine

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


def _fill(
    server: Server, dbname: str, spec: DatasetSpec, create_schema: CreateSchema, factories: list[Any]
) -> dict[str, Any]:
    """Build a dataset and load it into an empty database; return its facts."""
    from sqlalchemy import URL, create_engine

    from pytest_gamedata.database.copy import load_tables
    from pytest_gamedata.database.templates import connect
    from pytest_gamedata.dataset import build_dataset, factories_by_table

    began = time.perf_counter()
    dataset = build_dataset(spec, factories_by_table(factories))
    built = time.perf_counter()
    url = URL.create("postgresql+psycopg", server.user, server.password, server.host, server.port, dbname)
    engine = create_engine(url)
    try:
        create_schema(engine)
    finally:
        engine.dispose()
    with connect(server, dbname) as connection:
        load_tables(connection, dataset.tables)
    return {
        "spec": str(spec),
        "counts": dataset.counts,
        "cast": dataset.cast,
        "build": built - began,
        "load": time.perf_counter() - built,
    }


def _describe_leak(nodeid: str, leak: Any) -> str:
    return (
        f"{nodeid} left a connection open (application_name {leak.application_name!r}, "
        f"last query {leak.query!r}). It was closed; close it in the test or the app."
    )
