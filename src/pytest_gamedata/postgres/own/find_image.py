"""What runs leave for later ones: images of their servers, in the user's cache directory."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_gamedata.postgres.own.binaries import Binaries
from pytest_gamedata.postgres.own.image import MAGIC, SUFFIX, ImageError, read_about


@dataclass(frozen=True)
class Cache:
    """Where a run's images are, None for nowhere, and what it wants of them."""

    directory: Path | None
    wanted: frozenset[str] = frozenset()  # the datasets that the run will ask for
    home: str = ""  # the project's: of two images that hold the same datasets its own is the better one
    rebuild: bool = False  # keep an image, but use none


NO_CACHE = Cache(None)


def name_family(binaries: Binaries, options: Sequence[str]) -> str:
    """Name the servers that can start from each other's images: the same programs, made and run alike."""
    programs = [
        path.stat() for path in sorted(binaries.bin_dir.glob("*")) if path.stem in ("postgres", "initdb")
    ]
    parts = [MAGIC, platform.system(), platform.machine(), binaries.version, str(binaries.bin_dir), *options]
    parts += [f"{found.st_size} {found.st_mtime_ns}" for found in programs]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def choose_image(cache: Cache, family: str) -> Path | None:
    """Return the image that saves a run most work: the most of the wanted datasets, then the least else.

    The same dataset can be in several, of factories that have changed since: the newest is the likeliest.
    """
    if cache.directory is None or cache.rebuild:
        return None
    ranked = []
    for image in cache.directory.glob(f"{family}-*{SUFFIX}"):
        try:
            about = read_about(image)
            held = [template["dataset"] for template in about["templates"].values()]
            is_own = any(template["home"] == cache.home for template in about["templates"].values())
            found = image.stat()
        except FileNotFoundError:
            continue  # another run has just removed it
        except (ImageError, LookupError, TypeError, AttributeError):
            return image  # the keeper will say what is wrong with it, and remove it
        rank = (len(cache.wanted & set(held)), is_own, -len(held), found.st_mtime)
        ranked.append((rank, image))
    if not ranked:
        return None
    best = max(ranked)[1]
    with suppress(FileNotFoundError):
        os.utime(best)  # the images used longest ago go first
    return best
