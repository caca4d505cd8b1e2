"""What the fixtures do about the server: where it comes from, and how its failures are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pytest_gamedata.database.binaries import Binaries, find_binaries
from pytest_gamedata.database.cache import NO_CACHE, Cache, cache_directory, why_unusable
from pytest_gamedata.database.server import Server, join_server, server_error
from pytest_gamedata.database.templates import is_gone
from pytest_gamedata.errors import GamedataError, LeakedConnectionWarning
from pytest_gamedata.identity import dataset_digest
from pytest_gamedata.run import CACHE_INI, CACHE_OFF, REBUILD_INI, RUN, Run, wanted_specs

# what pytest-postgresql's ini has where nobody has set it; it says nothing of this machine
POSTGRESQL_EXEC_UNSET = "/usr/lib/postgresql/14/bin/pg_ctl"

# what the summary says of the server
SHOWN = ("version", "source", "in_ram", "seconds", "from_cache")


def open_server(session: pytest.Session) -> Server:
    """Start or join the run's server, from what an earlier run has kept if there is anything."""
    config, run = session.config, session.config.stash[RUN]
    options = str(_postgresql_setting(config, "postgresql_postgres_options") or "")
    with one_line_failures():
        place = _find_cache(config)
        problem = why_unusable(place) if place else None
        cache = NO_CACHE if place is None or problem else _want(place, run, session)
        server = join_server(
            run.directory, lambda: find_binaries_of(config), options, cache, _import_what_builds
        )
    run.costs.server.update({name: getattr(server, name) for name in SHOWN}, cache_problem=problem)
    return server


def _import_what_builds() -> None:
    """Import numpy, Faker, Factory Boy and SQLAlchemy: 0.35 s, as long as initdb takes, on another core."""
    import pytest_gamedata.seeding  # noqa: F401


def _find_cache(config: pytest.Config) -> Path | None:
    """Return the directory that the ini names, the usual one if it names none; None if the cache is off."""
    value = config.getini(CACHE_INI)
    if value == CACHE_OFF:
        return None
    home = config.inipath.parent if config.inipath else config.rootpath
    return home / Path(value).expanduser() if value else cache_directory()


def _want(place: Path, run: Run, session: pytest.Session) -> Cache:
    """Return the cache, with what this run wants of it."""
    config = session.config
    wanted = frozenset(map(dataset_digest, wanted_specs(run, session.items)))
    rebuild = bool(config.getoption(REBUILD_INI) or config.getini(REBUILD_INI))
    return Cache(place, wanted, run.home, rebuild)


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
def one_line_failures(server: Server | None = None) -> Iterator[None]:
    """Fail a test by one clear line: a cause that is not the test's needs no traceback into ours."""
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


def describe_leak(nodeid: str, leak: Any) -> str:
    """Word the warning about a connection that a test left open."""
    return (
        f"{nodeid} left a connection open (application_name {leak.application_name!r}, "
        f"last query {leak.query!r}). It was closed; close it in the test or the app."
    )
