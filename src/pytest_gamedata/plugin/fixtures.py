"""The public fixtures, a few lines of wiring each. They import what they need when a test asks for it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_gamedata.databases.registry import find_template
from pytest_gamedata.errors import LeakedConnectionWarning
from pytest_gamedata.plugin.markers import next_spec, spec_of
from pytest_gamedata.plugin.run_state import RUN

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from pytest_gamedata.databases.game_database import GameDatabase
    from pytest_gamedata.postgres.clones import Admin
    from pytest_gamedata.postgres.pool import Pool
    from pytest_gamedata.postgres.server import Server


CreateSchema = Callable[["Engine"], None]


# ### fixtures that users see ###


@pytest.fixture(scope="session")
def gamedata_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Give the run's PostgreSQL server: host, port, user, password, dbname, version."""
    from pytest_gamedata.plugin.server_setup import open_server
    from pytest_gamedata.postgres.own.join import leave_server

    yield open_server(request.session)
    # A worker's process lasts as long as its controller does, and holds the server for workers that come late.
    if not hasattr(request.config, "workerinput"):
        leave_server(request.config.stash[RUN].directory)


@pytest.fixture(scope="session")
def gamedata_create_schema() -> CreateSchema:
    """Give a callable that creates the tables; override it to run your migrations."""
    from pytest_gamedata.databases.parts import create_tables

    return create_tables


@pytest.fixture(scope="session")
def gamedata_factories() -> Sequence[Any]:
    """Give the factories that seed a database; override it to bring your own."""
    from pytest_gamedata.databases.parts import OwnFactories

    return OwnFactories()


@pytest.fixture
def gamedata_db(
    request: pytest.FixtureRequest,
    _gamedata_admin: Admin,
    _gamedata_pool: Pool,
    gamedata_server: Server,
    gamedata_create_schema: CreateSchema,
    gamedata_factories: Sequence[Any],
) -> Iterator[GameDatabase]:
    """Give the test a database of its own, seeded as the options and the test's markers say."""
    from pytest_gamedata.databases.game_database import GameDatabase
    from pytest_gamedata.databases.template import get_template
    from pytest_gamedata.plugin.failures import describe_leak, one_line_failures
    from pytest_gamedata.postgres.clones import find_leaks

    run, parts = request.config.stash[RUN], (gamedata_create_schema, gamedata_factories)
    with one_line_failures(gamedata_server):
        spec = spec_of(request.node)
        template, facts = get_template(run, _gamedata_admin, gamedata_server, spec, parts)
        began = time.perf_counter()
        name = _gamedata_pool.take(template, _gamedata_admin)
        run.costs.clones.append(time.perf_counter() - began)
    ahead = find_template(run, next_spec(request.node), parts)
    if ahead:
        _gamedata_pool.prepare(ahead[0])
    database = GameDatabase(gamedata_server, name, spec, facts["counts"], facts["cast"])
    yield database
    with one_line_failures(gamedata_server):
        database.close()
        leaks = _gamedata_admin.run(lambda admin: find_leaks(admin, name))
        _gamedata_pool.give_back(name)
        for leak in leaks:
            warnings.warn(describe_leak(request.node.nodeid, leak), LeakedConnectionWarning, stacklevel=1)


@pytest.fixture
def gamedata_engine(gamedata_db: GameDatabase) -> Engine:
    """Give a SQLAlchemy engine on this test's database, disposed afterwards."""
    return gamedata_db.engine


@pytest.fixture
def gamedata_session(gamedata_db: GameDatabase) -> Iterator[Session]:
    """Give a SQLAlchemy session on this test's database, through which the factories' create() persists."""
    from pytest_gamedata.settings import persist_through

    session = gamedata_db.session()
    persist_through(session, gamedata_db.spec)
    yield session
    persist_through(None)


# ### what they are made of ###


@pytest.fixture(scope="session")
def _gamedata_admin(gamedata_server: Server) -> Iterator[Admin]:
    """Give the connection that databases are created and dropped through."""
    from pytest_gamedata.postgres.clones import Admin

    admin = Admin(gamedata_server)
    yield admin
    admin.close()


@pytest.fixture(scope="session")
def _gamedata_pool(gamedata_server: Server) -> Iterator[Pool]:
    """Give the databases that are made ahead and dropped behind."""
    from pytest_gamedata.postgres.pool import Pool

    pool = Pool(gamedata_server)
    yield pool
    pool.close()
