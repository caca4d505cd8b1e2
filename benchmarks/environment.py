"""Where measurements run: a virtual environment of their own, and an account that is not root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
VENV = ROOT / ".venv-bench"
CONSTRAINTS = ROOT / "constraints.txt"
INSIDE = ROOT / "benchmarks" / "inside"
RAM = Path("/dev/shm")  # noqa: S108 - the names below it come from mkdtemp
ACCOUNT = "nobody"
TIMEOUT_SECONDS = 1_800.0
STOP_SECONDS = 10.0
SHOWN_LINES = 30  # of the output of something that failed
# A Python below /root can be run by root alone. This lets the account search directories, and nothing more.
SEARCH = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
# `setpriv` gives up root's rights only after it has found a program: what counts is whether that finds Python.
STARTS_ITSELF = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import pytest_gamedata, pytest_postgresql"], check=True)
"""
FIND_BINARIES = (
    "from pytest_gamedata.postgres.own.binaries import find_binaries; print(find_binaries().bin_dir)"
)


@dataclass(frozen=True)
class Environment:
    """What measurements run with, and where."""

    python: Path
    prefix: tuple[str, ...]  # becomes the account, where we are root
    variables: dict[str, str]
    work: Path  # on disk
    ram: Path

    @property
    def project(self) -> Path:
        """The directory that holds the tests and scripts, with nothing of the checkout around it."""
        return self.work / "project"


@contextmanager
def prepared_environment(given: Path | None) -> Iterator[Environment]:
    """Set up an environment, or use that of a given Python; remove what is temporary afterwards."""
    python = given.absolute() if given else install()
    with temporary_directory(None) as work, temporary_directory(RAM) as ram:
        shutil.copytree(INSIDE, work / "project", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(INSIDE.parent / "servers.py", work / "project")
        for name in ("home", "tmp", "cache"):
            (work / name).mkdir()
        variables = make_variables(work) | (keep_variables(work) if given else {})
        prefix = find_prefix(python, variables)
        if prefix:
            give_away(work)
            give_away(ram)
        environment = Environment(python, prefix, variables, work, ram)
        variables["BENCH_BIN"] = run(environment, "-c", FIND_BINARIES).stdout.strip()
        yield environment


def make_variables(work: Path) -> dict[str, str]:
    """Return the variables that everything is run with: nothing of the user's settings."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(work / "home"),
        "TMPDIR": str(work / "tmp"),
        "XDG_CACHE_HOME": str(work / "cache"),
    }


def keep_variables(work: Path) -> dict[str, str]:
    """Return what a Python that is given needs besides: its path, and a place for bytecode that we may write."""
    path = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    return path | {"PYTHONPYCACHEPREFIX": str(work / "tmp" / "bytecode")}


@contextmanager
def temporary_directory(parent: Path | None) -> Iterator[Path]:
    """Make a directory that every account can enter; stop what still runs in it before it is removed."""
    directory = Path(tempfile.mkdtemp(prefix="gamedata-bench-", dir=parent))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        stop_servers(directory)
        shutil.rmtree(directory)


def stop_servers(directory: Path) -> None:
    """End the servers that an interrupted peer has left in a directory, and wait until they are gone."""
    for file in directory.rglob("postmaster.pid"):
        pid = int(file.read_text(encoding="utf-8").split()[0])
        deadline = time.monotonic() + STOP_SECONDS
        while runs_in(pid, directory) and time.monotonic() < deadline:
            os.kill(pid, signal.SIGQUIT)
            time.sleep(0.1)


def runs_in(pid: int, directory: Path) -> bool:
    """Tell whether a process is there whose command line names the directory."""
    try:
        return os.fsencode(directory) in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


def install() -> Path:
    """Install the package, as a user would, and its peers into the benchmarks' environment; return its Python."""
    python, ready = VENV / "bin" / "python", VENV / ".ready"
    sources = (CONSTRAINTS, ROOT / "pyproject.toml", *(ROOT / "src").rglob("*.py"))
    if ready.exists() and ready.stat().st_mtime > max(path.stat().st_mtime for path in sources):
        return python
    print("installing the package and its peers", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    peers = [f"{ROOT}[postgres]", "pytest-xdist"]  # the other peers are what the package depends on
    subprocess.run([*pip, "--constraint", str(CONSTRAINTS), *peers], check=True)
    if os.geteuid() == 0:
        give_away(VENV)  # pytest writes the bytecode of plugins where they are
    ready.touch()
    return python


def give_away(directory: Path) -> None:
    """Let the account own a directory and all that is in it."""
    account = pwd.getpwnam(ACCOUNT)
    for path in (directory, *directory.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def find_prefix(python: Path, variables: dict[str, str]) -> tuple[str, ...]:
    """Return what makes a command run as the account: nothing for an ordinary user.

    Root cannot run pytest-postgresql, nor PostgreSQL itself.
    """
    if os.geteuid() != 0:
        return ()
    account = pwd.getpwnam(ACCOUNT)
    become = ("setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups")
    for prefix in (become, (*become, *SEARCH)):
        command = [*prefix, str(python), "-c", STARTS_ITSELF]
        done = subprocess.run(command, env=variables, capture_output=True, check=False)
        if done.returncode == 0:
            return prefix
    raise SystemExit(
        f"The account {ACCOUNT!r} cannot run {str(python)!r}: {done.stderr.decode().strip()!r}. "
        "Run the benchmarks as an ordinary user, or from a checkout which everybody can read."
    )


def run(environment: Environment, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python with some arguments in the project's directory, as the account; stop if it fails."""
    process = subprocess.Popen(
        [*environment.prefix, str(environment.python), *args],
        cwd=environment.project,
        env=environment.variables | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        output, errors = process.communicate(timeout=TIMEOUT_SECONDS)
    except (KeyboardInterrupt, subprocess.TimeoutExpired) as error:
        end(process, is_told=isinstance(error, KeyboardInterrupt))
        raise
    if process.returncode != 0:
        last = "\n".join((output + errors).splitlines()[-SHOWN_LINES:])
        raise SystemExit(f"{' '.join(args)!r} failed with exit status {process.returncode}:\n{last}")
    return subprocess.CompletedProcess(args, process.returncode, output, errors)


def end(process: subprocess.Popen[str], *, is_told: bool) -> None:
    """Let a process stop its servers and clear up; a terminal's Ctrl-C has told it to already."""
    if not is_told:
        process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
