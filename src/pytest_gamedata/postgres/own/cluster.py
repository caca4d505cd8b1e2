"""Plan a throwaway server: its files, its settings and the commands that make and run it."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pwd import struct_passwd

from pytest_gamedata.errors import ServerError
from pytest_gamedata.postgres.own.binaries import Binaries, list_installation, major_version
from pytest_gamedata.postgres.own.directories import (
    choose_base,
    choose_executable_base,
    choose_socket_directory,
    new_directory,
    server_account,
)
from pytest_gamedata.postgres.own.find_image import NO_CACHE, Cache, choose_image, name_family
from pytest_gamedata.postgres.own.run_files import ServerPlan

ROLE = "gamedata"
PORT_ATTEMPTS = 5
LIBRARY_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # a PostgreSQL built from source may need them

# Fast, and safe for a server that is never started a second time. Settings that came after
# PostgreSQL 14 are in NEWER_SERVER_SETTINGS.
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",  # we look for "Address already in use"
    # Durability is of no use to files that go with the run.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # COPY into a table made in the same transaction writes no WAL at this level.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    # Fresh WAL files need not be filled with zeros first, nor kept for later.
    "wal_init_zero": "off",
    "wal_recycle": "off",
    "max_wal_size": "256MB",
    "checkpoint_timeout": "1h",
    # No background work while tests are timed; loading ends with ANALYZE.
    "autovacuum": "off",
    "bgwriter_lru_maxpages": "0",
    "shared_buffers": "128MB",
    # In files of the data directory, which go with it. The default keeps them in /dev/shm, where
    # containers have 64 MB for it, and where they stay behind after a kill -9.
    "dynamic_shared_memory_type": "mmap",
    "huge_pages": "off",
    "jit": "off",  # planning a query of a test must not start a compiler
    "log_checkpoints": "off",
}
NEWER_SERVER_SETTINGS = {
    18: {"io_method": "sync"},  # three processes fewer to start
}

# The superuser connects through the private socket only. All other roles send a password, in clear text: the
# connection does not leave the machine, and SCRAM's 4,096 rounds are half of the time of a connection.
HBA = """\
local all postgres     trust
local all all          password
host  all postgres all reject
host  all all      all password
"""

# Removed before an image is made: the run's password, as a dead row too, the settings that tests may have given
# their role, and what they may have created in the database `postgres`.
SCRUB = [
    f"ALTER ROLE {ROLE} PASSWORD NULL;",
    f"ALTER ROLE {ROLE} RESET ALL;",
    f"DROP OWNED BY {ROLE};",
    "VACUUM FULL pg_authid;",
]


@dataclass(frozen=True)
class ServerOptions:
    """Options of a server that is to be started."""

    postgres_options: str = ""  # for the command line of `postgres`, quoted as for a shell
    cache: Cache = NO_CACHE
    port: int = 0  # 0 is any that is free
    during_initdb: Callable[[], None] = lambda: None  # called while initdb works, if it has to


def make_plan(
    run_dir: Path, binaries: Binaries, options: ServerOptions, lifeline: int, status: int
) -> ServerPlan:
    """Decide everything about a new server; the keeper makes it all, because it also removes it all."""
    account = server_account()
    made_with = _initdb_options(binaries)
    family = name_family(binaries, [options.postgres_options, *made_with[0]])
    image = choose_image(options.cache, family)
    directory = new_directory(choose_base(account, image.stat().st_size if image else 0))
    data = directory / "data"
    sockets = choose_socket_directory(directory, account)
    root = None  # of copies, which keep their whole paths below it: programs look for libraries along relative ones
    if account is not None and not _can_run(binaries, account):
        root = new_directory(choose_executable_base(account))
    copied = [] if root is None else list_installation(binaries)
    programs = Path(f"{root or ''}{binaries.bin_dir}")
    return ServerPlan(
        run_dir=str(run_dir),
        directories=[str(path) for path in dict.fromkeys((directory, sockets, root)) if path is not None],
        copies={str(path): f"{root}{path}" for path in copied},
        files={
            str(directory / "postgresql.conf"): _render_settings(directory, binaries),
            str(directory / "pg_hba.conf"): HBA,
        },
        account=None if account is None else (account.pw_uid, account.pw_gid),
        environment=_environment([f"{root}{path.parent}" for path in copied if ".so" in path.name]),
        data=str(data),
        image=str(image) if image else None,
        initdb=[[str(programs / "initdb"), "-D", str(data), *each] for each in made_with],
        postgres=_postgres_command(programs, directory, sockets, options.postgres_options),
        ports=[options.port] if options.port else free_ports(),
        log=str(directory / "log"),
        sockets=str(sockets),
        images=None if options.cache.directory is None else str(options.cache.directory),
        family=family,
        single=[str(programs / "postgres"), "--single", *_data_options(directory), "postgres"],
        scrub=SCRUB,
        resetwal=[str(programs / "pg_resetwal"), "-f", str(data)],
        lifeline=lifeline,
        status=status,
    )


def _can_run(binaries: Binaries, account: struct_passwd) -> bool:
    """Tell whether the account can start the programs: they may be below a directory that it cannot enter."""
    try:
        done = subprocess.run(
            [binaries.bin_dir / "initdb", "--version"],
            capture_output=True,
            cwd="/",
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            check=False,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _render_settings(directory: Path, binaries: Binaries) -> str:
    major = major_version(binaries)
    settings = SERVER_SETTINGS | {"hba_file": str(directory / "pg_hba.conf")}
    for since, newer in NEWER_SERVER_SETTINGS.items():
        if major >= since:
            settings |= newer
    lines = [f"include {_quote(str(directory / 'data' / 'postgresql.conf'))}\n"]
    lines += [f"{name} = {_quote(value)}\n" for name, value in settings.items()]
    return "".join(lines)


def _quote(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _environment(libraries: list[str]) -> dict[str, str]:
    """Return the programs' environment: nothing of the user's locale, time zone or PG variables."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    inherited = {name: os.environ[name] for name in LIBRARY_VARIABLES if name in os.environ}
    if libraries:
        inherited["LD_LIBRARY_PATH"] = ":".join(dict.fromkeys(libraries))
    return environment | inherited


def _initdb_options(binaries: Binaries) -> list[list[str]]:
    """Return initdb's options for each locale, the best first: not every machine has C.UTF-8.

    All sort by code point, so data and the order of rows are the same with every version and machine.
    """
    options = ["-U", "postgres", "-E", "UTF8", "--auth-local=trust", "--auth-host=scram-sha-256"]
    options += ["--no-sync", "--no-instructions"]
    options += ["--wal-segsize=1"]  # MB: an image holds one segment, whatever is in it
    major = major_version(binaries)
    if major >= 18:
        options += ["--no-data-checksums"]
    if major >= 17:  # PostgreSQL's own: on every machine, and faster to compare than the C library's
        return [[*options, "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
    return [[*options, "--locale=C.UTF-8"], [*options, "--locale=C"]]


def _postgres_command(programs: Path, directory: Path, sockets: Path, postgres_options: str) -> list[str]:
    try:
        options = shlex.split(postgres_options)
    except ValueError as error:
        raise ServerError(
            f"--postgresql-postgres-options: {postgres_options!r} cannot be split into words: {error}. "
            "Quote it as for a shell."
        ) from None
    # The user's options override our settings, but not the socket's directory.
    return [str(programs / "postgres"), *_data_options(directory), *options, "-k", str(sockets)]


def _data_options(directory: Path) -> list[str]:
    return ["-D", str(directory / "data"), "-c", f"config_file={directory / 'postgresql.conf'}"]


def free_ports() -> list[int]:
    """Return ports that are free now, several because another process may take one before the server does."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(PORT_ATTEMPTS)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
