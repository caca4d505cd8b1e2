"""The public fixtures, a few lines of wiring each."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from pytest_gamedata.database.binaries import Binaries, find_binaries
from pytest_gamedata.database.cache import NO_CACHE, Cache, why_unusable
from pytest_gamedata.database.server import Server, join_server, leave_server, server_error
from pytest_gamedata.defaults import OwnFactories, create_tables
from pytest_gamedata.errors import GamedataError, LeakedConnectionWarning
from pytest_gamedata.identity import dataset_digest
from pytest_gamedata.run import RUN, find_template, keep_template, next_spec, spec_of, wanted_specs

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from pytest_gamedata.database.pool import Pool
    from pytest_gamedata.database.templates import Admin
    from pytest_gamedata.game_database import GameDatabase

# what pytest-postgresql's ini has where nobody has set it; it says nothing of this machine
POSTGRESQL_EXEC_UNSET = "/usr/lib/postgresql/14/bin/pg_ctl"

# what the summary says of the server
SHOWN = ("version", "source", "in_ram", "seconds", "from_cache")

CreateSchema = Callable[["Engine"], None]


# ### fixtures that users see ###


@pytest.fixture(scope="session")
def gamedata_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Give the run's PostgreSQL server: host, port, user, password, dbname, version."""
    config, run = request.config, request.config.stash[RUN]
    options = str(_postgresql_setting(config, "postgresql_postgres_options") or "")
    with _one_line_failures():
        cache, problem = _open_cache(request)
        server = join_server(run.directory, lambda: find_binaries_of(config), options, cache)
    run.costs.server = {name: getattr(server, name) for name in SHOWN} | {"cache_problem": problem}
    yield server
    # A worker's process lasts as long as its controller does, and holds the server for workers that come late.
    if not hasattr(config, "workerinput"):
        leave_server(run.directory)


@pytest.fixture(scope="session")
def gamedata_create_schema() -> CreateSchema:
    """Give a callable that creates the tables; override it to run your migrations."""
    return create_tables


@pytest.fixture(scope="session")
def gamedata_factories() -> Sequence[Any]:
    """Give the factories that seed a database; override it to bring your own."""
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
    from pytest_gamedata.database.templates import find_leaks
    from pytest_gamedata.game_database import GameDatabase
    from pytest_gamedata.ready import ensure_seeded_template

    run, parts = request.config.stash[RUN], (gamedata_create_schema, gamedata_factories)
    with _one_line_failures(gamedata_server):
        spec = spec_of(request.node)
        if not find_template(run, spec, parts):
            given = (gamedata_server, spec, *parts)
            built = _gamedata_admin.run(lambda admin: ensure_seeded_template(run, admin, *given))
            keep_template(run, spec, parts, built)
        template, facts = find_template(run, spec, parts)
        began = time.perf_counter()
        name = _gamedata_pool.take(template, _gamedata_admin)
        run.costs.clones.append(time.perf_counter() - began)
    ahead = find_template(run, next_spec(request.node), parts)
    if ahead:
        _gamedata_pool.prepare(ahead[0])
    database = GameDatabase(gamedata_server, name, spec, facts["counts"], facts["cast"])
    yield database
    with _one_line_failures(gamedata_server):
        database.close()
        leaks = _gamedata_admin.run(lambda admin: find_leaks(admin, name))
        _gamedata_pool.drop(name)
        for leak in leaks:
            warnings.warn(_describe_leak(request.node.nodeid, leak), LeakedConnectionWarning, stacklevel=1)


@pytest.fixture
def gamedata_engine(gamedata_db: GameDatabase) -> Engine:
    """Give a SQLAlchemy engine on this test's database, disposed afterwards."""
    return gamedata_db.engine


@pytest.fixture
def gamedata_session(gamedata_db: GameDatabase) -> Iterator[Session]:
    """Give a SQLAlchemy session on this test's database, through which the factories' create() persists."""
    from pytest_gamedata.lone_rows import persist_through

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


@pytest.fixture(scope="session")
def _gamedata_pool(gamedata_server: Server) -> Iterator[Pool]:
    """Give the databases that are made ahead and dropped behind."""
    from pytest_gamedata.database.pool import Pool

    pool = Pool(gamedata_server)
    yield pool
    pool.close()


def _open_cache(request: pytest.FixtureRequest) -> tuple[Cache, str | None]:
    """Return the cache with what this run wants of it, and why there is none where one was meant to be."""
    run = request.config.stash[RUN]
    if run.cache is None:
        return NO_CACHE, None
    problem = why_unusable(run.cache)
    wanted = frozenset(map(dataset_digest, wanted_specs(run, request.session.items)))
    return Cache(None if problem else run.cache, wanted, run.home, run.rebuild), problem


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

    from pytest_gamedata.database.templates import is_gone

    try:
        yield
    except (GamedataError, LeakedConnectionWarning) as error:
        message = str(error)
    except psycopg.Error as error:
        message = str(server_error(server, error)) if server and is_gone(error) else _describe_refusal(error)
    else:
        return
    raise pytest.fail.Exception(message, pytrace=False) from None


def _describe_refusal(error: psycopg.Error) -> str:
    diag = error.diag
    found = (diag.message_primary or str(error), diag.message_detail, diag.message_hint, diag.context)
    sentences = [f"{part.splitlines()[0].rstrip('.')}." for part in found if part]
    return f"The database of this test cannot be made: {' '.join(sentences)}"


def _describe_leak(nodeid: str, leak: Any) -> str:
    return (
        f"{nodeid} left a connection open (application_name {leak.application_name!r}, "
        f"last query {leak.query!r}). It was closed; close it in the test or the app."
    )
