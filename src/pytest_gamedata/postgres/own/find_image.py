"""Choose the image of an earlier run's server that a new server starts from."""

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
    """The directory of the images, None where none are used or kept, and what a run looks for in it."""

    directory: Path | None
    wanted: frozenset[str] = frozenset()  # the datasets that the run will ask for
    home: str = ""  # the project's directory: its own image is better than another's with the same datasets
    rebuild: bool = False  # keep an image, but start from none


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
    """Return the image with most of the wanted datasets, then the project's own, then the one with fewest others.

    Several may hold the same dataset, of factories that have changed since: the newest is the likeliest to fit.
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
            return image  # the keeper will report what is wrong with it, and remove it
        rank = (len(cache.wanted & set(held)), is_own, -len(held), found.st_mtime)
        ranked.append((rank, image))
    if not ranked:
        return None
    best = max(ranked)[1]
    with suppress(FileNotFoundError):
        os.utime(best)  # the images used longest ago go first
    return best
