"""Create a template database per dataset, clone it for each test, and drop the clones."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from pytest_gamedata.postgres.server import Server

Connection = psycopg.Connection[Any]
Result = TypeVar("Result")
LEAVING_SECONDS = 1.0  # a backend ends a moment after its client has closed the connection
RECOVERY_SECONDS = 5.0
# messages of a server that recovers from the crash of a backend; a failure to connect has no SQLSTATE
NOT_READY = ("the database system is ", "server closed the connection unexpectedly")
CLONE_FAILED = "could not clone file"  # in a sandbox without copy_file_range(), or on macOS without APFS
POLL_SECONDS = 0.001
BACKENDS = """
    SELECT pid, application_name, query FROM pg_stat_activity
    WHERE datname = %s AND backend_type = 'client backend' ORDER BY backend_start
"""
FIND_TEMPLATE = """
    SELECT datistemplate, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s
"""


@dataclass(frozen=True)
class Leak:
    """A connection that a test left open: the name its client gave, and its last query."""

    application_name: str
    query: str


def connect(server: Server, dbname: str, **options: Any) -> Connection:
    """Open a connection to one of the server's databases."""
    return psycopg.connect(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        dbname=dbname,
        application_name="pytest-gamedata",
        **options,
    )


def connect_admin(server: Server) -> Connection:
    """Open the connection that databases are created and dropped through."""
    connection = connect(server, server.dbname, autocommit=True)
    if connection.info.server_version >= 180_000:
        # The kernel copies the files, and shares blocks if it can: 361 MB in 27 ms, not 590 (XFS) or 840 (btrfs).
        with suppress(psycopg.errors.InvalidParameterValue):  # a server built without support for it
            connection.execute("SET file_copy_method = clone")
    return connection


@dataclass
class Admin:
    """The connection that databases are created and dropped through, opened again when it has broken.

    A test may break it with pg_terminate_backend(), or by a crash of its own backend, which ends all others.
    """

    server: Server
    _connection: Connection | None = None

    def connect(self) -> Connection:
        """Return the connection, checked to be working."""
        if self._connection is None or not _is_alive(self._connection):
            self._connection = _connect_when_ready(self.server)
        return self._connection

    def run(self, action: Callable[[Connection], Result]) -> Result:
        """Call the action with the connection; call it again with a new connection if the first one broke."""
        try:
            return action(self.connect())
        except psycopg.OperationalError as error:
            if not is_gone(error):
                raise
        return action(self.connect())

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()


def is_gone(error: psycopg.Error) -> bool:
    """Tell whether the server has stopped answering, rather than refused; 57P is the class of shutdowns."""
    return isinstance(error, psycopg.OperationalError) and (error.sqlstate or "57P").startswith("57P")


def _connect_when_ready(server: Server) -> Connection:
    """Connect as soon as the server has recovered from the crash of a backend."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        try:
            return connect_admin(server)
        except psycopg.OperationalError as error:
            is_recovering = any(words in str(error) for words in NOT_READY)
            if not is_recovering or time.monotonic() > deadline:
                raise
        time.sleep(POLL_SECONDS)


def _is_alive(connection: Connection) -> bool:
    try:
        connection.execute("")
    except psycopg.OperationalError:
        connection.close()
        return False
    return True


def ensure_template(admin: Connection, name: str, fill: Callable[[str], str]) -> str:
    """Create the template if it is not there; return the text that `fill` gave, in whichever process it ran.

    `fill` gets the name of an empty database. The template is marked as the last step, so that one that was
    not finished is recognised and made anew. An error in `fill` leaves no template.
    """
    key = zlib.crc32(name.encode())
    admin.execute("SELECT pg_advisory_lock(%s)", [key])  # ends with its holder, however that ends
    try:
        row = admin.execute(FIND_TEMPLATE, [name]).fetchone()
        if not row or not row[0]:
            return _create_template(admin, name, fill)
        started, text = json.loads(row[1])
        if started != _started(admin):
            _warm_up(admin, name)
            _comment(admin, name, text)
        return str(text)
    finally:
        admin.execute("SELECT pg_advisory_unlock(%s)", [key])


def _create_template(admin: Connection, name: str, fill: Callable[[str], str]) -> str:
    drop_database(admin, name)
    clone_template(admin, "template0", name)
    database = sql.Identifier(name)
    try:
        text = fill(name)
    except BaseException:
        drop_database(admin, name)
        raise
    _comment(admin, name, text)
    admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(database))
    admin.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(database))
    return text


def _comment(admin: Connection, name: str, text: str) -> None:
    """Keep a text with a template, and which start of the server it was warmed up after."""
    comment = sql.Literal(json.dumps([_started(admin), text]))
    admin.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), comment))


def _started(admin: Connection) -> str:
    row = admin.execute("SELECT extract(epoch FROM pg_postmaster_start_time())::text").fetchone()
    return str(row and row[0])


def _warm_up(admin: Connection, name: str) -> None:
    """Connect once, which writes the relation cache file that the server's start has removed.

    The first connection to each clone takes 4 ms with it, 7 without.
    """
    database = sql.Identifier(name)
    admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(database))
    psycopg.connect(admin.info.dsn, password=admin.info.password, dbname=name).close()
    admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(database))
    find_leaks(admin, name)  # waits until the connection is gone: CREATE DATABASE would, in steps of 100 ms


def clone_template(admin: Connection, template: str, name: str) -> None:
    """Create a database as a copy of a template."""
    # WAL_LOG, the default since PostgreSQL 15, takes about twice as long: for 9 to 361 MB, in RAM and on disk.
    strategy = sql.SQL("STRATEGY FILE_COPY" if admin.info.server_version >= 150_000 else "")
    command = sql.SQL("CREATE DATABASE {} TEMPLATE {} {}").format(
        sql.Identifier(name), sql.Identifier(template), strategy
    )
    try:
        admin.execute(command)
    except psycopg.Error as error:
        if CLONE_FAILED not in str(error):
            raise
        admin.execute("SET file_copy_method = copy")
        admin.execute(command)


def drop_database(admin: Connection, name: str) -> None:
    """Drop a database if it exists, and end the connections to it."""
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def find_leaks(admin: Connection, name: str) -> list[Leak]:
    """Return the connections to a database that are still open after a moment."""
    deadline = time.monotonic() + LEAVING_SECONDS
    while True:
        found = admin.execute(BACKENDS, [name]).fetchall()
        if not found or time.monotonic() > deadline:
            return [Leak(application_name, query) for _, application_name, query in found]
        time.sleep(POLL_SECONDS)
