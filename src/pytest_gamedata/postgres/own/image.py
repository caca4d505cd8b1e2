"""Images: the data directory of a stopped server in one file, for later runs to start from.

Part of the keeper: the standard library only.

An image consists of a line that names the format, a line of JSON with its description, a line of JSON with the
names of its directories and the names, sizes and checksums of its files, and the contents of the files.

Neither tar nor zip: a server of 100 users (1,065 files, 29 MB) is unpacked 74 ms sooner than from a tar file with a
checksum and 24 ms sooner than from a zip file: 7 and 2 % of a whole warm run of one test, 59 and 19 % of the server's
start in it (docs/benchmarks.md has the figures).
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
import zlib
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b"gamedata image 1\n"
SUFFIX = ".image"
UNFINISHED = ".unfinished"
CHUNK_BYTES = 1 << 20
THREADS = 2
NOT_KEPT = ("postmaster.pid", "postmaster.opts")  # of the last start, with its paths and process
UNFINISHED_SECONDS = 86_400  # after a day the process that wrote the file has ended


class ImageError(Exception):
    """An image cannot be used; the message says why."""


def pack(directory: Path, image: Path, about: dict[str, Any]) -> None:
    """Write a directory into an image, which appears under its name only when it is complete."""
    names = sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*"))
    links = [name for name in names if (directory / name).is_symlink()]
    if links:
        raise ImageError(f"{links[0]!r} leads out of it")
    folders = [name for name in names if (directory / name).is_dir()]
    files = [name for name in names if (directory / name).is_file() and name not in NOT_KEPT]
    contents = [(name, *_measure(directory / name)) for name in files]
    unfinished = image.with_name(f"{os.urandom(8).hex()}{UNFINISHED}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        target.write(MAGIC)
        for line in (about, {"directories": folders, "files": contents}):
            target.write(json.dumps(line).encode() + b"\n")
        for name in files:
            with (directory / name).open("rb") as source:
                shutil.copyfileobj(source, target, CHUNK_BYTES)
    unfinished.replace(image)


def _measure(file: Path) -> tuple[int, int]:
    """Return a file's size and checksum."""
    size = checksum = 0
    with file.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            size, checksum = size + len(chunk), zlib.crc32(chunk, checksum)
    return size, checksum


def unpack(image: Path, directory: Path) -> dict[str, Any]:
    """Make a directory from an image and return the image's description.

    Raises ImageError if the image is not ours or damaged (the directory is incomplete then), and
    FileNotFoundError if another run has removed it.
    """
    with _open(image) as source:
        try:
            about, contents = _read_about(source), json.loads(source.readline())
            jobs = _place(contents["files"], source.tell())
            directory.mkdir(mode=0o700)
            for name in contents["directories"]:
                (directory / name).mkdir(mode=0o700)
            _unpack_files(source.fileno(), directory, jobs)
        except (LookupError, ValueError, TypeError) as error:
            raise ImageError(f"its table of contents is damaged ({error!r})") from None
    return about


def _place(files: list[Any], offset: int) -> list[tuple[str, int, int, int]]:
    """Return each file's name, offset in the image, size and checksum."""
    placed = []
    for name, size, checksum in files:
        placed.append((name, offset, size, checksum))
        offset += size
    return placed


def _unpack_files(source: int, directory: Path, jobs: list[tuple[str, int, int, int]]) -> None:
    """Write the files, in two threads because the kernel does most of the work: 28 ms, not 42."""
    problems: list[Exception] = []
    threads = [
        threading.Thread(target=_unpack_some, args=(source, directory, jobs[number::THREADS], problems))
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


def _unpack_some(
    source: int, directory: Path, jobs: list[tuple[str, int, int, int]], problems: list[Exception]
) -> None:
    try:
        for name, offset, size, checksum in jobs:
            _unpack_file(source, f"{directory}/{name}", offset, size, checksum)
    except Exception as problem:  # noqa: BLE001 - the main thread raises it
        problems.append(problem)


def _unpack_file(source: int, path: str, offset: int, size: int, checksum: int) -> None:
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    found, end = 0, offset + size
    try:
        while offset < end:  # in chunks, so that memory is enough for a file of any size
            chunk = os.pread(source, min(end - offset, CHUNK_BYTES), offset)
            if not chunk:
                raise ImageError(f"it ends {end - offset} bytes too early")
            found = zlib.crc32(chunk, found)
            offset += os.write(target, chunk)
    finally:
        os.close(target)
    if found != checksum:
        raise ImageError("its checksums are wrong")


def read_about(image: Path) -> dict[str, Any]:
    """Return an image's description. Raises ImageError, and FileNotFoundError if the image is gone."""
    with _open(image) as source:
        try:
            return _read_about(source)
        except ValueError as error:
            raise ImageError(f"its table of contents is damaged ({error!r})") from None


def _open(image: Path) -> BinaryIO:
    try:
        return image.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ImageError(f"it cannot be read: {error.strerror}") from None


def _read_about(source: BinaryIO) -> dict[str, Any]:
    owner = os.fstat(source.fileno()).st_uid
    if owner != os.geteuid():  # the server that starts from it runs code with our rights
        raise ImageError(f"it belongs to uid {owner}")
    if source.read(len(MAGIC)) != MAGIC:
        raise ImageError("it is no image of this version")
    about: dict[str, Any] = json.loads(source.readline())
    return about


def evict(directory: Path, limit_bytes: int) -> None:
    """Remove the least recently used images above a total size, and old files that were never finished."""
    images = [(path.stat(), path) for path in directory.glob(f"*{SUFFIX}")]
    total = 0
    for found, path in sorted(images, key=lambda image: image[0].st_mtime, reverse=True):
        total += found.st_size
        if total > limit_bytes:
            path.unlink(missing_ok=True)
    for path in directory.glob(f"*{UNFINISHED}"):
        if time.time() - path.stat().st_mtime > UNFINISHED_SECONDS:
            path.unlink(missing_ok=True)
