"""Start the run's server with the binaries, options and cache that the settings name."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from pytest_gamedata.databases.cache_key import dataset_digest
from pytest_gamedata.databases.registry import Run, ServerCosts
from pytest_gamedata.plugin.failures import one_line_failures
from pytest_gamedata.plugin.markers import wanted_specs
from pytest_gamedata.plugin.run_state import RUN, read_setting
from pytest_gamedata.postgres.own.binaries import Binaries, find_binaries
from pytest_gamedata.postgres.own.cluster import ServerOptions
from pytest_gamedata.postgres.own.directories import cache_directory, prepare_cache_directory
from pytest_gamedata.postgres.own.find_image import NO_CACHE, Cache
from pytest_gamedata.postgres.own.join import join_server
from pytest_gamedata.postgres.server import Server

# the default of pytest-postgresql's ini key, whether or not this machine has such a file
POSTGRESQL_EXEC_UNSET = "/usr/lib/postgresql/14/bin/pg_ctl"


def open_server(session: pytest.Session) -> Server:
    """Start or join the run's server; it starts from a cached image if there is one."""
    config, run = session.config, session.config.stash[RUN]
    options = str(_postgresql_setting(config, "postgresql_postgres_options") or "")
    with one_line_failures():
        place = _find_cache(config)
        problem = prepare_cache_directory(place) if place else None
        cache = NO_CACHE if place is None or problem else _open_cache(place, run, session)
        wanted = ServerOptions(options, cache, during_initdb=_import_seeding)
        server = join_server(run.directory, lambda: find_binaries_of(config), wanted)
    run.costs.server = ServerCosts(
        server.version, server.source, server.in_ram, server.from_cache, server.seconds, problem
    )
    return server


def _import_seeding() -> None:
    """Import numpy, Faker, Factory Boy and SQLAlchemy: 0.35 s, as long as initdb takes, on another core."""
    import pytest_gamedata.databases.seed  # noqa: F401


def _find_cache(config: pytest.Config) -> Path | None:
    """Return the directory that the ini names, the usual one if it names none; None if the cache is off."""
    value = read_setting(config, "cache")
    if value == "off":
        return None
    home = config.inipath.parent if config.inipath else config.rootpath
    return home / Path(value).expanduser() if value else cache_directory()


def _open_cache(place: Path, run: Run, session: pytest.Session) -> Cache:
    """Return the cache, with the datasets that this run will ask for."""
    config = session.config
    wanted = frozenset(map(dataset_digest, wanted_specs(run, session.items)))
    return Cache(place, wanted, run.home, read_setting(config, "rebuild"))


def find_binaries_of(config: pytest.Config) -> Binaries:
    """Find the server's binaries: those that pytest-postgresql's settings name, else this machine's."""
    return find_binaries(_postgresql_setting(config, "postgresql_exec"))


def _postgresql_setting(config: pytest.Config, name: str) -> str | None:
    """Read a setting of pytest-postgresql, None where nobody has set it."""
    value = config.getoption(name, None)
    if value is None:
        with suppress(ValueError):  # pytest-postgresql may be switched off
            value = config.getini(name)
    return None if value in ("", POSTGRESQL_EXEC_UNSET) else value
