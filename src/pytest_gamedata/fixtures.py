"""The public fixtures, a few lines of wiring each."""

from __future__ import annotations

import hashlib
import inspect
import secrets
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import pytest

from pytest_gamedata.database.binaries import Binaries, find_binaries
from pytest_gamedata.database.server import Server, join_server, leave_server, server_error
from pytest_gamedata.errors import GamedataError, LeakedConnectionWarning
from pytest_gamedata.run import RUN, spec_of
from pytest_gamedata.settings import DatasetSpec

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from pytest_gamedata.game_database import GameDatabase

# what pytest-postgresql's ini has where nobody has set it; it says nothing of this machine
POSTGRESQL_EXEC_UNSET = "/usr/lib/postgresql/14/bin/pg_ctl"

CreateSchema = Callable[["Engine"], None]


# ### fixtures that users see ###


@pytest.fixture(scope="session")
def gamedata_server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """The run's PostgreSQL server: host, port, user, password, dbname, version."""
    run = pytestconfig.stash[RUN]
    options = str(_postgresql_setting(pytestconfig, "postgresql_postgres_options") or "")
    with _one_line_failures():
        server = join_server(run.directory, lambda: find_binaries_of(pytestconfig), options)
    run.costs.server = {
        "version": server.version, "source": server.source, "in_ram": server.in_ram, "seconds": server.seconds,
    }  # fmt: skip
    yield server
    leave_server(run.directory)


@pytest.fixture(scope="session")
def gamedata_create_schema() -> CreateSchema:
    """A callable that creates the tables; override it to run your migrations."""
    from pytest_gamedata.models import Base

    return Base.metadata.create_all


@pytest.fixture(scope="session")
def gamedata_factories() -> list[Any]:
    """The factories that seed a database; override it to bring your own."""
    from pytest_gamedata.factories import FACTORIES

    return list(FACTORIES.values())


@pytest.fixture
def gamedata_db(
    request: pytest.FixtureRequest,
    _gamedata_admin: Any,
    gamedata_server: Server,
    gamedata_create_schema: CreateSchema,
    gamedata_factories: list[Any],
) -> Iterator[GameDatabase]:
    """This test's own database, seeded as the options and the test's markers say."""
    from pytest_gamedata.database import templates
    from pytest_gamedata.game_database import GameDatabase

    spec, costs = spec_of(request.node), request.config.stash[RUN].costs
    name = f"gamedata_{secrets.token_hex(6)}"
    with _one_line_failures(gamedata_server):
        template, facts = _ensure_template(
            _gamedata_admin, gamedata_server, spec, gamedata_create_schema, gamedata_factories
        )
        costs.templates[template] = facts
        began = time.perf_counter()
        templates.clone_template(_gamedata_admin, template, name)
        costs.clones.append(time.perf_counter() - began)
    database = GameDatabase(gamedata_server, name, spec, facts["counts"], facts["cast"])
    yield database
    with _one_line_failures(gamedata_server):
        database.close()
        leaks = templates.find_leaks(_gamedata_admin, name)
        templates.drop_database(_gamedata_admin, name)
    for leak in leaks:
        warnings.warn(_describe_leak(request.node.nodeid, leak), LeakedConnectionWarning, stacklevel=1)


@pytest.fixture
def gamedata_engine(gamedata_db: GameDatabase) -> Engine:
    """A SQLAlchemy engine on this test's database, disposed afterwards."""
    return gamedata_db.engine


@pytest.fixture
def gamedata_session(gamedata_db: GameDatabase) -> Iterator[Session]:
    """A SQLAlchemy session on this test's database; the factories' create() persists through it."""
    from pytest_gamedata.factories.columns import persist_through

    session = gamedata_db.session()
    persist_through(session, gamedata_db.spec.seed)
    yield session
    persist_through(None)


# ### what they are made of ###


@pytest.fixture(scope="session")
def _gamedata_admin(gamedata_server: Server) -> Iterator[Any]:
    """The connection that databases are created and dropped through."""
    from pytest_gamedata.database.templates import connect_admin

    with _one_line_failures(gamedata_server):
        admin = connect_admin(gamedata_server)
    yield admin
    admin.close()


def find_binaries_of(config: pytest.Config) -> Binaries:
    """Find the server's binaries as pytest-postgresql's own settings, or this machine, have them."""
    return find_binaries(_postgresql_setting(config, "postgresql_exec"))


def _postgresql_setting(config: pytest.Config, name: str) -> str | None:
    """Read a setting of pytest-postgresql, None where nobody has set it."""
    value = config.getoption(name, None)
    if value is None and config.pluginmanager.has_plugin("postgresql"):
        value = config.getini(name)
    return None if value in ("", POSTGRESQL_EXEC_UNSET) else value


@contextmanager
def _one_line_failures(server: Server | None = None) -> Iterator[None]:
    """Fail a test by one clear line: a cause that is not the test's needs no traceback into ours."""
    from psycopg import OperationalError

    try:
        yield
    except GamedataError as error:
        message = str(error)
    except OperationalError as error:
        if server is None:
            raise
        message = str(server_error(server, error))
    else:
        return
    raise pytest.fail.Exception(message, pytrace=False) from None


def _ensure_template(
    admin: Any, server: Server, spec: DatasetSpec, create_schema: CreateSchema, factories: list[Any]
) -> tuple[str, dict[str, Any]]:
    """Return the name of the template for this dataset, built if it is not there, and its facts."""
    from pytest_gamedata.database import templates

    key = hashlib.sha256(repr((_identity(spec), *map(_source, (create_schema, *factories)))).encode())
    name = f"gamedata_template_{key.hexdigest()[:16]}"
    return name, templates.ensure_template(
        admin, name, lambda dbname: _fill(server, dbname, spec, create_schema, factories)
    )


def _identity(spec: DatasetSpec) -> tuple[Any, ...]:
    """Return what decides the rows: everything but the isolation."""
    return astuple(spec)[:8] + astuple(spec)[9:]


def _source(part: Any) -> str:
    """Return the name and text of a user's factory or function, the name of one of ours."""
    name = f"{part.__module__}.{part.__qualname__}"
    ours = name.startswith(("pytest_gamedata.", "sqlalchemy."))
    return name if ours else name + inspect.getsource(part)


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
    create_schema(engine)
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
