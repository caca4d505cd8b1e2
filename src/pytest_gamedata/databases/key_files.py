"""The files that the ini key `gamedata_cache_key` names: what a test suite's own schema and factories depend on.

Every run that has the key imports this module: the standard library only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob
from hashlib import sha256
from importlib.metadata import distributions
from itertools import chain
from pathlib import Path

from pytest_gamedata.errors import SettingsError


@dataclass(frozen=True)
class KeyFiles:
    """Files, directories and globs, relative to the directory of the ini file.

    Raises SettingsError for an entry that matches no file.
    """

    entries: tuple[str, ...]
    directory: Path

    def __post_init__(self) -> None:
        for entry in self.entries:
            if next(self._find(entry), None) is None:
                raise SettingsError(
                    f"ini gamedata_cache_key: {entry!r} matches no file. "
                    f"Name files, directories or globs below {self.directory}."
                )

    def find(self) -> list[Path]:
        """Return all files, each once."""
        return sorted({path for entry in self.entries for path in self._find(entry)})

    def _find(self, entry: str) -> Iterator[Path]:
        if (self.directory / entry).exists():
            return _files_in(self.directory / entry)
        # Path.glob follows no symbolic links
        matches = glob(entry, root_dir=self.directory, recursive=True, include_hidden=True)  # noqa: PTH207
        return chain.from_iterable(_files_in(self.directory / match) for match in matches)


def _files_in(path: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield a file, or all files below a directory, also through symbolic links, except compiled Python."""
    if path.is_file() and path.suffix != ".pyc":
        yield path
    if path.is_dir() and path.name != "__pycache__" and path.resolve() not in above:
        for each in sorted(path.iterdir()):
            yield from _files_in(each, (*above, path.resolve()))


def describe_files(files: KeyFiles, loaded_since: float) -> str | None:
    """Return a digest of the files' names and contents and of all installed distributions.

    None if a file has changed since this process began to load the code that it runs: that code may be older.
    """
    paths = files.find()
    if any(path.stat().st_ctime > loaded_since for path in paths):
        return None
    contents = [
        (os.path.relpath(path, files.directory), sha256(path.read_bytes()).hexdigest()) for path in paths
    ]
    installed = sorted((str(each.name), str(each.version)) for each in distributions())
    return sha256(repr((contents, installed)).encode()).hexdigest()
