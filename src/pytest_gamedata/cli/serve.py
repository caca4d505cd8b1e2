"""A seeded server without pytest, for as long as somebody waits or a command runs."""

from __future__ import annotations

import errno
import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psycopg

from pytest_gamedata.databases.cache_key import dataset_digest
from pytest_gamedata.databases.existing import note_spec
from pytest_gamedata.databases.game_database import GameDatabase
from pytest_gamedata.databases.parts import OWN_PARTS, Parts
from pytest_gamedata.databases.registry import Run
from pytest_gamedata.databases.template import get_template
from pytest_gamedata.errors import ServerError, SettingsError
from pytest_gamedata.postgres.clones import Admin, clone_template, connect, drop_database
from pytest_gamedata.postgres.own.binaries import find_binaries
from pytest_gamedata.postgres.own.cluster import ServerOptions
from pytest_gamedata.postgres.own.directories import cache_directory, prepare_cache_directory
from pytest_gamedata.postgres.own.find_image import NO_CACHE, Cache
from pytest_gamedata.postgres.own.join import join_server, leave_server
from pytest_gamedata.postgres.server import Server
from pytest_gamedata.settings import DatasetSpec, parse_until

DBNAME = "game"
LOOK_SECONDS = 1.0  # how often a server is asked whether it is still there


@contextmanager
def serve_dataset(
    spec: DatasetSpec, port: int = 0, parts: Parts | None = None, postgresql_exec: str | None = None
) -> Iterator[GameDatabase]:
    """Start a server, seed a database on it, and remove both at the end; the cache is the one that tests use.

    With `parts` of a team's own the rows are drawn anew each time.

    `port` 0 is any that is free. Raises BinariesNotFoundError or ServerError if no server can be started.
    """
    _check_free(port)
    directory = Path(tempfile.gettempdir(), f"gamedata-{secrets.token_hex(6)}")
    run = Run(directory, parse_until("now"), spec, str(Path.cwd()))
    try:
        options = ServerOptions(cache=_find_cache(run), port=port)
        server = join_server(directory, partial(find_binaries, postgresql_exec), options)
        with _seeded_database(run, server, parts or OWN_PARTS) as database:
            yield database
    finally:
        leave_server(directory)


@contextmanager
def _seeded_database(run: Run, server: Server, parts: Parts) -> Iterator[GameDatabase]:
    admin = Admin(server)
    template = get_template(run, admin, run.spec, parts)
    admin.run(lambda connection: clone_template(connection, template.name, DBNAME))
    if not parts.origins:
        with connect(server, DBNAME) as connection:
            note_spec(connection, run.spec)
    try:
        yield GameDatabase(server, DBNAME, run.spec, template.facts.counts, template.facts.cast)
    finally:  # a server with databases that are not templates is not kept in the cache
        with suppress(psycopg.OperationalError):  # it is gone already
            admin.run(lambda connection: drop_database(connection, DBNAME))
        admin.close()


def _find_cache(run: Run) -> Cache:
    place = cache_directory()
    if prepare_cache_directory(place):
        return NO_CACHE
    return Cache(place, frozenset([dataset_digest(run.spec)]), run.home)


def _check_free(port: int) -> None:
    """Refuse a port that somebody has; 0 is any."""
    with socket.socket() as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            ours.bind(("127.0.0.1", port))
        except OSError as error:
            why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be had: {error.strerror}"
            message = f"Port {port} of 127.0.0.1 {why}. Choose another --port, or leave it out."
            raise ServerError(message) from None


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command and return its exit status, as a shell would; signals that would end us are passed on to it.

    Raises SettingsError if there is no such command.
    """
    try:
        child = subprocess.Popen(command, env=os.environ | environment)
    except OSError as error:
        raise SettingsError(f"The command {command[0]!r} cannot be run: {error.strerror}.") from None
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    # a terminal sends Ctrl-C to the command too
    signal.signal(signal.SIGINT, lambda *_: None if os.isatty(0) else child.send_signal(signal.SIGINT))
    status = child.wait()
    return status if status >= 0 else 128 - status


def wait_for_end(database: GameDatabase) -> None:
    """Wait, as long as the server answers; psycopg's error tells that it does not."""
    with connect(database.server, database.name, autocommit=True) as connection:
        while True:
            time.sleep(LOOK_SECONDS)
            connection.execute("")
