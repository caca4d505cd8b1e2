"""Choose the directories of servers and caches, and remove the directories of dead runs."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pwd
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pytest_gamedata.errors import ServerError
from pytest_gamedata.postgres.own.run_files import LIFELINE, MARK, remove_directory

PREFIX = "gamedata-"

RAM = Path("/dev/shm")  # noqa: S108 - the names below it come from mkdtemp
MEGABYTE = 1 << 20
# For the server itself (40 MB, and up to 256 MB of WAL), the templates and the databases of the tests. Containers
# often have 64 MB in RAM, which is not even enough to start.
RAM_ROOM_BYTES = 512 * MEGABYTE
DISK_ROOM_BYTES = 256 * MEGABYTE
SOCKET_PATH_BYTES = 103  # the limit of macOS; that of Linux is 107
SHORT_PATH_BYTES = 60


def server_account() -> pwd.struct_passwd | None:
    """Return the account to run the server as, None meaning our own: root may not run PostgreSQL."""
    if os.geteuid() != 0:
        _check_own_account()
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerError(
        "PostgreSQL refuses to run as root, and there is no account 'postgres' or 'nobody' to run it as. "
        "Add one of them, or run pytest as an ordinary user."
    )


def _check_own_account() -> None:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise ServerError(
            f"PostgreSQL's initdb refuses to run as uid {os.geteuid()}, which has no entry in /etc/passwd. "
            "Add one, or run pytest as a user that has one (root is fine)."
        ) from None


def choose_base(account: pwd.struct_passwd | None, image_bytes: int) -> Path:
    """Return the first base that the account can reach and that has room, RAM before disk."""
    reasons = []
    for base in _bases():
        problem = _why_unsuitable(base, account, image_bytes)
        if problem is None:
            return base
        reasons.append(f"  {base}: {problem}\n")
    raise ServerError(
        f"There is no place for the PostgreSQL server's files. Tried:\n{''.join(reasons)}"
        "Free some space, or set TMPDIR to a directory that has it."
    )


def _bases() -> list[Path]:
    """Return the directories where files may go, best first; fixed ones in case TMPDIR is unusable."""
    bases = [RAM, Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108
    return list(dict.fromkeys(bases))


def _why_unsuitable(base: Path, account: pwd.struct_passwd | None, more_bytes: int) -> str | None:
    if not base.is_dir():
        return "does not exist"
    if not os.access(base, os.W_OK | os.X_OK):
        return "is not writable"
    if account is not None and not _can_reach(base, account):
        return f"cannot be reached by the account {account.pw_name!r}"
    needed = (RAM_ROOM_BYTES if base == RAM else DISK_ROOM_BYTES) + more_bytes
    free = _free_bytes(base)
    if free < needed:
        return f"{free // MEGABYTE} MB free, {needed // MEGABYTE} MB needed"
    return None


def _free_bytes(base: Path) -> int:
    free = shutil.disk_usage(base).free
    if base != RAM:
        return free
    # The size of a file system in RAM is a limit, half of the memory as a rule; that much need not be available.
    available = re.search(r"MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text())
    return free if available is None else min(free, int(available[1]) << 10)


def _can_reach(path: Path, account: pwd.struct_passwd) -> bool:
    return all(_may_enter(directory.stat(), account) for directory in (path, *path.parents))


def _may_enter(found: os.stat_result, account: pwd.struct_passwd) -> bool:
    if found.st_uid == account.pw_uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.pw_gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def choose_executable_base(account: pwd.struct_passwd) -> Path:
    """Return a base whose file system lets programs start: Docker mounts /dev/shm noexec."""
    noexec = getattr(os, "ST_NOEXEC", 0)  # not on macOS
    for base in _bases():
        if _why_unsuitable(base, account, 0) is None and not os.statvfs(base).f_flag & noexec:
            return base
    raise ServerError(
        f"The account {account.pw_name!r} cannot start PostgreSQL's programs where they are, and there is no "
        "place to copy them to from which it could. Set TMPDIR to one."
    )


def choose_socket_directory(directory: Path, account: pwd.struct_passwd | None) -> Path:
    """Return the server's own directory if a socket's path in it is short enough, else a new short one."""
    longest = len(os.fsencode(directory / ".s.PGSQL.65535"))
    if longest <= SOCKET_PATH_BYTES and "," not in str(directory):  # a comma would separate two directories
        return directory
    for base in _bases()[1:]:
        if len(os.fsencode(base)) < SHORT_PATH_BYTES and (account is None or _can_reach(base, account)):
            return new_directory(base)
    raise ServerError(
        f"There is no directory with a short path for the socket of the server in {str(directory)!r}."
    )


def new_directory(base: Path) -> Path:
    """Return an unused path for a directory that is still to be made."""
    return base / f"{PREFIX}{secrets.token_hex(4)}"


def lock_directory(directory: Path) -> int | None:
    """Return a descriptor that locks the directory; None if another process has locked or removed it."""
    try:
        lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), directory.stat(follow_symlinks=False)):
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(lock)
    return None


def sweep_dead() -> None:
    """Remove the directories of runs whose processes have all ended, the keeper's included."""
    for directory in _our_directories():
        lock = lock_directory(directory)
        if lock is None:
            continue
        if not has_reader(directory / LIFELINE):
            remove_directory(directory)
        os.close(lock)


def _our_directories() -> Iterator[Path]:
    owners = {os.geteuid()}
    if (account := server_account()) is not None:
        owners.add(account.pw_uid)
    for base in _bases():
        for directory in base.glob(f"{PREFIX}*") if base.is_dir() else ():
            with contextlib.suppress(OSError):  # it was removed meanwhile, or we may not look into it
                found = directory.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode) and found.st_uid in owners and (directory / MARK).exists():
                    yield directory


def has_reader(fifo: Path) -> bool:
    """Tell whether a process reads from the named pipe."""
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno == errno.ENXIO:
            return False
        raise
    return True


def cache_directory() -> Path:
    """Return the user's cache directory: below $XDG_CACHE_HOME, ~/Library/Caches (macOS) or ~/.cache."""
    usual = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or usual) / "pytest-gamedata"


def prepare_cache_directory(directory: Path) -> str | None:
    """Make a cache directory if it is missing; return why it cannot be used, None if it can.

    It must be ours alone: programs and data in it run with our rights.
    """
    try:
        for each in (
            *reversed(directory.parents),
            directory,
        ):  # parents=True would leave their mode to the umask
            each.mkdir(mode=0o700, exist_ok=True)
        found = directory.stat()
        owners = {found.st_uid, directory.lstat().st_uid}  # of a symbolic link too
    except OSError as error:
        return f"{str(directory)!r} cannot be made: {error.strerror}"
    if owners != {os.geteuid()}:
        return f"{str(directory)!r} belongs to another account"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"other accounts may write to {str(directory)!r}: run chmod go-w on it"
    return None if os.access(directory, os.W_OK | os.X_OK) else f"{str(directory)!r} is not writable"
