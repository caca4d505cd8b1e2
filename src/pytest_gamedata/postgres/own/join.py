"""Share one PostgreSQL server per pytest run: the first process that needs it starts it, the others join."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pytest_gamedata.errors import ServerError
from pytest_gamedata.postgres.own.binaries import Binaries
from pytest_gamedata.postgres.own.cluster import ServerOptions
from pytest_gamedata.postgres.own.directories import has_reader, lock_directory, sweep_dead
from pytest_gamedata.postgres.own.run_files import (
    LIFELINE,
    MARK,
    ORIGIN,
    PLAN,
    SERVER,
    TEMPLATES,
    remove_directory,
)
from pytest_gamedata.postgres.own.start import describe_log, start_server, write_private
from pytest_gamedata.postgres.server import Server

MEMBERS = "members"  # a file that every process of the run holds a shared lock on
JOIN_TIMEOUT_SECONDS = 120.0  # another process's start may take a minute, and fail
LEAVE_TIMEOUT_SECONDS = 90.0  # the keeper's own deadlines, and the time to write an image to a slow disk
JOIN_POLL_SECONDS = 0.01
DEFAULT_OPTIONS = ServerOptions()

# This process's descriptors, by run: its end of the lifeline, and the members' file with its shared lock.
_held: dict[Path, tuple[int, int]] = {}


def join_server(
    run_dir: Path, find: Callable[[], Binaries], options: ServerOptions = DEFAULT_OPTIONS
) -> Server:
    """Return the run's server, started if this process is the first to ask; hold it until leave_server()."""
    try:
        return _join(run_dir, lambda: _start_server(run_dir, find, options))
    except BaseException:
        leave_server(run_dir)
        raise


def _join(run_dir: Path, start: Callable[[], Server]) -> Server:
    deadline = time.monotonic() + JOIN_TIMEOUT_SECONDS
    while True:
        with _locked(run_dir, deadline):
            if not _hold(run_dir):
                return start()
            server = _read_server(run_dir)
            if server is not None:
                return server
            # The process that started it was killed meanwhile, and its keeper waits for our lock to clear up.
            _let_go(run_dir)
        _pause(deadline, f"The keeper of {str(run_dir)!r} has not ended.")


@contextlib.contextmanager
def _locked(run_dir: Path, deadline: float) -> Iterator[None]:
    """Make the run's directory if it is missing, and lock it: one process at a time joins or starts."""
    while True:
        run_dir.mkdir(mode=0o700, exist_ok=True)
        lock = lock_directory(run_dir)
        if lock is not None:
            break
        _pause(deadline, f"Another process of this run keeps {str(run_dir)!r} locked.")
    try:
        (run_dir / MARK).touch()
        yield
    finally:
        os.close(lock)


def _pause(deadline: float, problem: str) -> None:
    if time.monotonic() > deadline:
        raise ServerError(f"{problem} Gave up waiting for it; run pytest again.")
    time.sleep(JOIN_POLL_SECONDS)


def _hold(run_dir: Path) -> bool:
    """Open the lifeline for writing; tell whether a keeper is at its other end."""
    _let_go(run_dir)
    try:
        lifeline = os.open(run_dir / LIFELINE, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENXIO):
            return False
        raise
    members = os.open(run_dir / MEMBERS, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(members, fcntl.LOCK_SH)
    _held[run_dir] = (lifeline, members)
    return True


def _let_go(run_dir: Path) -> None:
    for descriptor in _held.pop(run_dir, ()):
        os.close(descriptor)


def _read_server(run_dir: Path) -> Server | None:
    try:
        values = json.loads((run_dir / SERVER).read_bytes())
    except FileNotFoundError:
        return None
    return Server(**values | {"directory": Path(values["directory"])})


def _start_server(run_dir: Path, find: Callable[[], Binaries], options: ServerOptions) -> Server:
    """Start a server and write down how to reach it; the lifeline is held before there is a server to keep."""
    binaries = find()
    sweep_dead()
    lifeline = _make_lifeline(run_dir)
    try:
        _hold(run_dir)
        server = start_server(run_dir, binaries, options, lifeline)
    finally:
        os.close(lifeline)
    write_private(run_dir / SERVER, json.dumps(asdict(server), default=str))
    return server


def _make_lifeline(run_dir: Path) -> int:
    """Make the named pipe anew, remove what a killed keeper left, and return the end for the new keeper."""
    for name in (LIFELINE, SERVER, ORIGIN):
        (run_dir / name).unlink(missing_ok=True)
    shutil.rmtree(run_dir / TEMPLATES, ignore_errors=True)
    os.mkfifo(run_dir / LIFELINE, 0o600)
    return os.open(run_dir / LIFELINE, os.O_RDONLY | os.O_NONBLOCK)


def leave_server(run_dir: Path) -> None:
    """Let go of the run's server; if no other process holds it, return when its files are gone.

    A process that never joined may call it too.
    """
    _let_go(run_dir)
    try:
        directory = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        _wait_until_gone(run_dir, directory)
    finally:
        os.close(directory)


def _wait_until_gone(run_dir: Path, directory: int) -> None:
    deadline = time.monotonic() + LEAVE_TIMEOUT_SECONDS
    while not _has_members(run_dir):
        _remove_leftovers(run_dir)
        if not run_dir.exists() and _is_unlocked(directory):
            return
        if time.monotonic() > deadline:
            raise ServerError(
                f"The PostgreSQL server of this run did not end within {LEAVE_TIMEOUT_SECONDS:g} s. "
                f"Its files are in {str(run_dir)!r}: see keeper.log and plan.json there."
            )
        time.sleep(JOIN_POLL_SECONDS)


def _is_unlocked(directory: int) -> bool:
    """Tell whether the keeper is gone too: it keeps the removed directory locked until then."""
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _has_members(run_dir: Path) -> bool:
    try:
        members = os.open(run_dir / MEMBERS, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(members, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(members)
    return False


def _remove_leftovers(run_dir: Path) -> None:
    """Remove the directories of a keeper that was killed."""
    lock = lock_directory(run_dir)
    if lock is None:
        return  # the keeper is removing them, or another process is joining
    try:
        if has_reader(run_dir / LIFELINE):
            return
        plan = run_dir / PLAN
        directories = json.loads(plan.read_bytes())["directories"] if plan.exists() else []
        for directory in (*directories, run_dir):
            remove_directory(Path(directory))
    finally:
        os.close(lock)


def record_template(run_dir: Path, name: str, record: dict[str, Any]) -> None:
    """Record a template that the run uses: `built` by it or not, to `keep` for later runs or not, and `about` it."""
    records = run_dir / TEMPLATES
    records.mkdir(mode=0o700, exist_ok=True)
    unfinished = records / f"{name}.{os.getpid()}"
    write_private(unfinished, json.dumps(record))
    unfinished.replace(records / f"{name}.json")  # whole or not at all: this process may be killed meanwhile


def server_error(server: Server, cause: Exception) -> ServerError:
    """Return the error to raise when a server that did answer no longer does."""
    reason = (str(cause).splitlines() or [repr(cause)])[0]
    return ServerError(
        f"PostgreSQL {server.version} on {server.host}:{server.port} has stopped answering: {reason}."
        + describe_log(server.directory / "log")
    )
