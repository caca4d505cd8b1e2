"""What a user's code reads while it makes a template: migrations, SQL files, whatever it opens."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any

from pytest_gamedata.databases.user_code import is_of_project

READING = ("open", "os.listdir", "os.scandir")
STARTING = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork")
PROGRAM = "another program"
STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))
SYSTEM = tuple(Path(path) for path in ("/proc", "/sys", "/dev"))

_listeners: list[set[str]] = []  # the recordings under way; the hook itself stays, once it is there
_hooked: list[bool] = []


@contextlib.contextmanager
def recorded_reads() -> Iterator[set[str]]:
    """Give a set that is filled with the paths which this process opens to read, and lists.

    It holds PROGRAM if another program is started, whose reading nobody sees.
    """
    if not _hooked:
        sys.addaudithook(_note)
        _hooked.append(True)
    found: set[str] = set()
    _listeners.append(found)
    try:
        yield found
    finally:
        _listeners.remove(found)


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    """Add what an audit event tells to the recordings; called for every event of the interpreter."""
    if not _listeners:
        return
    if event in STARTING:
        path: Any = PROGRAM
    elif event in READING and not _is_writing(event, arguments) and not _is_search_for_modules(event):
        path = arguments[0] if arguments[0] is not None else "."
    else:
        return
    if isinstance(path, str | bytes | os.PathLike):
        for found in _listeners:
            found.add(os.fsdecode(path))


def _is_writing(event: str, arguments: tuple[Any, ...]) -> bool:
    return event == "open" and bool(arguments[2] & (os.O_WRONLY | os.O_CREAT))


def _is_search_for_modules(event: str) -> bool:
    """Tell whether the import system looks where a module may be: which other files are there is all the same."""
    return event == "os.listdir" and sys._getframe(2).f_code.co_filename.startswith("<frozen importlib")


def describe_reads(paths: set[str]) -> dict[str, str] | None:
    """Return a digest of each of the user's own files and directories among the paths.

    None if a program was started. What is no longer there was made on the way.
    """
    if PROGRAM in paths:
        return None
    files = {_source_of(Path(path).absolute()) for path in paths}
    return {str(file): digest_of(file) for file in sorted(files) if file.exists() and _is_of_user(file)}


def hold(reads: Mapping[str, str]) -> bool:
    """Tell whether files and directories are still as they were described."""
    return all(digest_of(Path(path)) == described for path, described in reads.items())


def digest_of(path: Path) -> str:
    """Return a digest of a file's content or a directory's names, of nothing if it is not there."""
    if path.is_dir():
        content = "\n".join(sorted(set(os.listdir(path)) - {"__pycache__"})).encode()  # noqa: PTH208 - names
    else:
        content = path.read_bytes() if path.is_file() else b""
    return hashlib.sha256(content).hexdigest()[:16]


def _source_of(path: Path) -> Path:
    """Return the module that a compiled file was made from, any other path as it is."""
    with contextlib.suppress(ValueError):  # a .pyc outside of __pycache__ has no source
        return Path(source_from_cache(path)) if path.suffix == ".pyc" else path
    return path


def _is_of_user(path: Path) -> bool:
    others = (STANDARD_LIBRARY, *SYSTEM)
    return is_of_project(path) and not any(path.is_relative_to(other) for other in others)
