"""Images: a server's stopped data directory in one file, for later runs to start from.

The standard library only: the keeper, which runs by itself, packs and unpacks them.

An image is a line that says what it is, a line of JSON that says what is in it, a line of JSON with the names
of its directories and the names and sizes of its files, the files' bytes one after the other, and the CRC-32 of
those. One file, since opening a thousand takes longer than reading one: 25 ms for a new cluster's 28 MB, where
copying its tree takes 95.
"""

import json
import os
import secrets
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b"gamedata image 1\n"
SUFFIX = ".image"
UNFINISHED = ".unfinished"
CHUNK_BYTES = 1 << 20
CHECKSUM_BYTES = 4
# what the last start left, with the paths and the process of then
NOT_KEPT = ("postmaster.pid", "postmaster.opts")
UNFINISHED_SECONDS = 86_400  # whoever began to write has surely ended since


class ImageError(Exception):
    """Why an image cannot be used."""


def pack(directory: Path, image: Path, about: dict[str, Any]) -> None:
    """Write a directory into an image, which is there when it is complete, and not before."""
    names = sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*"))
    links = [name for name in names if (directory / name).is_symlink()]
    if links:
        raise ImageError(f"{links[0]!r} leads out of it")
    folders = [name for name in names if (directory / name).is_dir()]
    files = [name for name in names if (directory / name).is_file() and name not in NOT_KEPT]
    sizes = [(directory / name).stat().st_size for name in files]
    unfinished = image.with_name(f"{secrets.token_hex(8)}{UNFINISHED}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        target.write(MAGIC)
        for line in (about, {"directories": folders, "files": list(zip(files, sizes, strict=True))}):
            target.write(json.dumps(line).encode() + b"\n")
        checksum = 0
        for name, size in zip(files, sizes, strict=True):
            with (directory / name).open("rb") as source:
                for chunk in _read_exactly(source, size):
                    checksum = zlib.crc32(chunk, checksum)
                    target.write(chunk)
        target.write(checksum.to_bytes(CHECKSUM_BYTES, "big"))
    unfinished.replace(image)


def unpack(image: Path, directory: Path) -> dict[str, Any]:
    """Make a directory from an image and return what the image says of itself.

    Raises ImageError if it is not one of ours or not whole (the directory is incomplete then), and
    FileNotFoundError if another run has removed it.
    """
    with _open(image) as source:
        try:
            about, contents = _read_about(source), json.loads(source.readline())
            directory.mkdir(mode=0o700)
            for name in contents["directories"]:
                (directory / name).mkdir(mode=0o700)
            checksum = 0
            for name, size in contents["files"]:
                checksum = _unpack_file(source, f"{directory}/{name}", size, checksum)
            if source.read() != checksum.to_bytes(CHECKSUM_BYTES, "big"):
                raise ImageError("its checksum is wrong")
        except (LookupError, ValueError, TypeError) as error:
            raise ImageError(f"its table of contents is damaged ({error!r})") from None
    return about


def read_about(image: Path) -> dict[str, Any]:
    """Return what an image says of itself. Raises ImageError, and FileNotFoundError if it is gone."""
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
    if owner != os.geteuid():  # what it holds will run as us
        raise ImageError(f"it belongs to uid {owner}")
    if source.read(len(MAGIC)) != MAGIC:
        raise ImageError("it is no image of this version")
    about: dict[str, Any] = json.loads(source.readline())
    return about


def _unpack_file(source: BinaryIO, path: str, size: int, checksum: int) -> int:
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        for chunk in _read_exactly(source, size):
            checksum = zlib.crc32(chunk, checksum)
            os.write(target, chunk)
    finally:
        os.close(target)
    return checksum


def _read_exactly(source: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield so many bytes, in chunks, so that no file need fit into memory."""
    while size:
        chunk = source.read(min(size, CHUNK_BYTES))
        if not chunk:
            raise ImageError(f"it ends {size} bytes too early")
        yield chunk
        size -= len(chunk)


def evict(directory: Path, limit_bytes: int) -> None:
    """Remove the images used longest ago until the rest is within the limit, and what was never finished."""
    images = [(path.stat(), path) for path in directory.glob(f"*{SUFFIX}")]
    total = 0
    for found, path in sorted(images, key=lambda image: image[0].st_mtime, reverse=True):
        total += found.st_size
        if total > limit_bytes:
            path.unlink(missing_ok=True)
    for path in directory.glob(f"*{UNFINISHED}"):
        if time.time() - path.stat().st_mtime > UNFINISHED_SECONDS:
            path.unlink(missing_ok=True)
