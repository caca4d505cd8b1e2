"""The public fixtures. They import what they need when a test asks for it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_gamedata.databases.registry import find_template
from pytest_gamedata.errors import LeakedConnectionWarning
from pytest_gamedata.plugin.markers import next_spec, spec_of
from pytest_gamedata.plugin.origins import find_parts
from pytest_gamedata.plugin.run_state import RUN, alembic_ini, read_setting

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
    # An xdist worker holds the server to its end: a worker that is started late joins it.
    if not hasattr(request.config, "workerinput"):
        leave_server(request.config.stash[RUN].directory)


@pytest.fixture(scope="session")
def gamedata_create_schema(request: pytest.FixtureRequest) -> CreateSchema:
    """Give a callable that creates the tables; override it to run your migrations."""
    from pytest_gamedata.databases.parts import create_tables

    ini = alembic_ini(request.config)
    if ini is not None:
        from pytest_gamedata.databases.migrations import alembic_schema

        return alembic_schema(ini)
    if read_setting(request.config, "django"):
        from pytest_gamedata.plugin.django_database import unblocked

        return unblocked(request)
    return create_tables


@pytest.fixture(scope="session")
def gamedata_factories() -> Sequence[Any]:
    """Give the factories that seed a database; override it to bring your own."""
    from pytest_gamedata.databases.parts import OwnFactories

    return OwnFactories()


@pytest.fixture
def gamedata_db(
    request: pytest.FixtureRequest,
    _gamedata_databases: tuple[Admin, Pool],
    gamedata_create_schema: CreateSchema,
    gamedata_factories: Sequence[Any],
) -> Iterator[GameDatabase]:
    """Give the test a database of its own, seeded as the options and the test's markers say."""
    from pytest_gamedata.databases.game_database import GameDatabase
    from pytest_gamedata.databases.parts import number_after_seeded
    from pytest_gamedata.databases.template import get_template
    from pytest_gamedata.plugin.failures import describe_leak, one_line_failures
    from pytest_gamedata.postgres.clones import find_leaks

    run, (admin, pool) = request.config.stash[RUN], _gamedata_databases
    parts = find_parts(request, gamedata_create_schema, gamedata_factories)
    with one_line_failures(admin.server):
        spec = spec_of(request.node)
        template = get_template(run, admin, spec, parts)
        began = time.perf_counter()
        name = pool.take(template.name, admin)
        run.costs.clones.append(time.perf_counter() - began)
    ahead = find_template(run, next_spec(request.node), parts)
    if ahead:
        pool.prepare(ahead.name)
    number_after_seeded(parts.factories, template.facts.counts)
    database = GameDatabase(admin.server, name, spec, template.facts.counts, template.facts.cast)
    yield database
    with one_line_failures(admin.server):
        database.close()
        leaks = admin.run(lambda connection: find_leaks(connection, name))
        pool.give_back(name)
        for leak in leaks:
            warnings.warn(describe_leak(request.node.nodeid, leak), LeakedConnectionWarning, stacklevel=1)


@pytest.fixture
def gamedata_engine(gamedata_db: GameDatabase) -> Engine:
    """Give a SQLAlchemy engine on this test's database, disposed afterwards."""
    return gamedata_db.engine


@pytest.fixture
def gamedata_session(gamedata_db: GameDatabase, gamedata_factories: Sequence[Any]) -> Iterator[Session]:
    """Give a SQLAlchemy session on this test's database, through which the factories' create() persists."""
    from pytest_gamedata.databases.parts import brought_factories
    from pytest_gamedata.settings import persist_through

    session = gamedata_db.session()
    persist_through(session, gamedata_db.spec, brought_factories(gamedata_factories))
    yield session
    persist_through(None)


# ### their parts ###


@pytest.fixture(scope="session")
def _gamedata_databases(gamedata_server: Server) -> Iterator[tuple[Admin, Pool]]:
    """Give the connection that databases are created and dropped through, and those made ahead."""
    from pytest_gamedata.postgres.clones import Admin
    from pytest_gamedata.postgres.pool import Pool

    admin, pool = Admin(gamedata_server), Pool(gamedata_server)
    yield admin, pool
    pool.close()
    admin.close()
