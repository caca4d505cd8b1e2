"""Print every realism target with what seeded databases show: `make realism`.

Exits with 1 when a figure lies outside its band.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, create_engine

from pytest_gamedata import DatasetSpec, build_dataset, load_dataset
from pytest_gamedata.distributions import PRESETS
from pytest_gamedata.realism.judge import Finding, compare, describe_band, describe_figure
from pytest_gamedata.realism.measure import measure
from pytest_gamedata.realism.targets import DEFAULT_PRESET
from servers import started_server
from table import write_between_markers

DATABASE = "realism"


def main() -> int:
    """Measure, print the tables, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=30_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5], help="of the default preset")
    parser.add_argument("--presets", nargs="+", default=list(PRESETS), choices=list(PRESETS))
    parser.add_argument("--output", type=Path, help="write the tables to a file, between its marker lines")
    options = parser.parse_args()
    outside = 0
    parts = []
    with started_server() as server:
        parts.append(describe_run(server))
        print(parts[0], end="\n\n")
        for preset in sorted(options.presets, key=lambda name: name != DEFAULT_PRESET):
            seeds = options.seeds if preset == DEFAULT_PRESET else options.seeds[:1]
            findings = {seed: examine(server, options.users, seed, preset) for seed in seeds}
            part = f"### Preset `{preset}`, {options.users:,} users\n\n" + "\n".join(table(findings))
            print(part, end="\n\n", flush=True)
            parts.append(part)
            outside += sum(not finding.inside for found in findings.values() for finding in found)
    print(f"{outside} figures are outside their band." if outside else "Every figure is inside its band.")
    if options.output:
        write_between_markers(options.output, "\n\n".join(parts))
    return 1 if outside else 0


def describe_run(server: Any) -> str:
    """Say when and with what the figures were measured."""
    numpy, faker = (version(name) for name in ("numpy", "faker"))
    python = platform.python_version()
    today = datetime.now(UTC).date()
    return f"Measured on {today}: PostgreSQL {server.version}, Python {python}, numpy {numpy}, Faker {faker}."


def examine(server: Any, users: int, seed: int, preset: str) -> list[Finding]:
    """Seed a database, measure it, and compare the figures with the targets."""
    address = {"host": server.host, "port": server.port, "user": server.user, "password": server.password}
    with psycopg.connect(**address, dbname=server.dbname, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {DATABASE}")
    engine = create_engine(
        URL.create("postgresql+psycopg", server.user, server.password, server.host, server.port, DATABASE)
    )
    load_dataset(engine, build_dataset(DatasetSpec(users=users, seed=seed, preset=preset)))
    engine.dispose()
    with psycopg.connect(**address, dbname=DATABASE) as connection:
        return compare(measure(connection), preset)


def table(findings: dict[int, list[Finding]]) -> Iterator[str]:
    """Yield a Markdown table: a line per target, a column per seed."""
    yield f"| quantity | published | source | target | {' | '.join(f'seed {seed}' for seed in findings)} | |"
    yield "| --- | --- | --- | --- |" + " ---: |" * len(findings) + " --- |"
    for row in zip(*findings.values(), strict=True):
        target = row[0].target
        inside = "inside" if all(finding.inside for finding in row) else "**OUTSIDE**"
        # bands widen with the size of the sample, which differs a little from seed to seed
        bands = " / ".join(dict.fromkeys(describe_band(finding.band) for finding in (row[0], row[-1])))
        figures = " | ".join(describe_figure(finding.measured) for finding in row)
        yield f"| {target.quantity} | {target.published} | {target.source} | {bands} | {figures} | {inside} |"


if __name__ == "__main__":
    sys.exit(main())
