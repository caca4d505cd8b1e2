"""Whole pytest runs, ours and pytest-postgresql's, on the same rows."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environment import Environment, give_away, run
from measuring import Bench, Figures

USERS = 100  # the plugin's default
# Contestants, by the names that the table has for them.
COLD, WARM = "ours, cold", "ours, warm"
PEER, PEER_RAM = "pytest-postgresql", "pytest-postgresql in RAM"
NOTHING = "pytest alone"
WITHOUT_OURS = ("-p", "no:gamedata")


@dataclass(frozen=True)
class Finished:
    """A run of pytest: what it took, and what the plugin `phases` saw if it was there."""

    seconds: float
    began: float  # on the clock that all processes share
    phases: dict[str, Any]


def run_tests(bench: Bench, contestant: str, tests: int, *args: str, pause: float = 0.0) -> Finished:
    """Run tests of one query in one of the ways; all of them must pass."""
    environment = bench.environment
    variables = {
        "BENCH_TESTS": str(tests),
        "BENCH_USERS": str(USERS),
        "BENCH_PAUSE": str(pause),
        "BENCH_ROWS": str(rows_directory(bench, USERS)),
    }
    report = environment.work / "tmp" / "phases.json"
    report.unlink(missing_ok=True)
    with fresh_directory(environment, contestant) as fresh:
        command = [*_command(contestant, fresh), *args]
        began = time.monotonic()
        cache = {"XDG_CACHE_HOME": str(fresh)} if contestant == COLD else {}
        done = run(environment, *command, BENCH_REPORT=str(report), **variables, **cache)
        seconds = time.monotonic() - began
    if not re.search(rf"^{tests} passed", done.stdout, re.MULTILINE):
        raise SystemExit(f"{contestant}: expected {tests} tests to pass, found:\n{done.stdout}")
    return Finished(seconds, began, json.loads(report.read_bytes()) if report.exists() else {})


def _command(contestant: str, fresh: Path) -> Sequence[str]:
    if contestant in (COLD, WARM):
        return ("-m", "pytest", "test_ours.py")
    file = "test_nothing.py" if contestant == NOTHING else "test_peer.py"
    return ("-m", "pytest", *WITHOUT_OURS, f"--basetemp={fresh / 'base'}", file)


@contextmanager
def fresh_directory(environment: Environment, contestant: str) -> Iterator[Path]:
    """Make an empty directory for one run: its cache, or its base directory."""
    path = (environment.ram if contestant == PEER_RAM else environment.work) / "fresh"
    path.mkdir()
    if environment.prefix:
        give_away(path)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def time_whole(bench: Bench, contestant: str, tests: int, *args: str) -> Figures:
    """Time a process from its start to its end."""
    return {"s": run_tests(bench, contestant, tests, *args).seconds}


def prepare(bench: Bench) -> None:
    """Save the rows for the peer; run everybody once, so that bytecode is there and our cache filled."""
    if rows_directory(bench, USERS).exists():
        return
    save_rows(bench, USERS)
    for contestant in (WARM, PEER_RAM, NOTHING):
        run_tests(bench, contestant, 1, "-p", "phases")


def save_rows(bench: Bench, users: int) -> Path:
    """Save a dataset's rows as ready-made bytes, once; return their directory."""
    directory = rows_directory(bench, users)
    if not directory.exists():
        run(bench.environment, "save_rows.py", str(users), str(directory))
    return directory


def rows_directory(bench: Bench, users: int) -> Path:
    """Return where the rows of a dataset are saved."""
    return bench.environment.work / f"rows-{users}"
