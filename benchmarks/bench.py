"""Print one table of what pytest-gamedata takes, beside its peers: `make bench`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from environment import prepared_environment
from imports import measure_imports
from loading import measure_loads
from measuring import SLOW_ROUNDS, Bench, Row
from sessions import measure_sessions, measure_starts, measure_waits
from table import BEGIN, END, describe_run, has_markers, table, write_between_markers

MEASUREMENTS: dict[str, Callable[[Bench, str], list[Row]]] = {
    "sessions-40": partial(measure_sessions, number=40, workers=0),
    "sessions-40-n2": partial(measure_sessions, number=40, workers=2),
    "sessions-40-n4": partial(measure_sessions, number=40, workers=4),
    "sessions-400": partial(measure_sessions, number=400, workers=0),
    "sessions-400-n2": partial(measure_sessions, number=400, workers=2),
    "waits": measure_waits,
    "starts": measure_starts,
    "imports": measure_imports,
    "load-1000": partial(measure_loads, number=1_000),
    "load-30000": partial(measure_loads, number=30_000),
    "load-300000": partial(measure_loads, number=300_000),
}
SLOW = ("sessions-40-n4", "sessions-400", "sessions-400-n2", "load-300000")


def main() -> None:
    """Measure, print the table, and write it to a page if one is given."""
    options = read_options()
    names = options.only or [name for name in MEASUREMENTS if options.slow or name not in SLOW]
    with prepared_environment(options.python) as environment:
        bench = Bench(environment, options.rounds, options.tiny)
        head = "\n".join(describe_run(environment, options.rounds))
        text = f"{head}\n\n" + "\n".join(table(measure(bench, names)))
    print(text)
    if options.output:
        write_between_markers(options.output, text)


def measure(bench: Bench, names: list[str]) -> Iterator[Row]:
    """Yield the rows of some measurements."""
    for name in names:
        rounds = min(bench.rounds, SLOW_ROUNDS) if name in SLOW else bench.rounds
        yield from MEASUREMENTS[name](replace(bench, rounds=rounds), name)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often everybody has a turn (default: 5)")
    parser.add_argument("--slow", action="store_true", help=f"also {', '.join(SLOW)}")
    names = list(MEASUREMENTS)
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help="only these rows")
    parser.add_argument("--output", type=Path, help="write the table to a page, between its marker lines")
    parser.add_argument("--python", type=Path, help="use this Python's packages; install nothing")
    parser.add_argument("--tiny", action="store_true", help="only show that everything works")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds: at least 1.")
    if options.python and not options.python.exists():
        parser.error(f"--python: {str(options.python)!r} does not exist.")
    if options.output and (options.only or options.tiny):
        parser.error("--output takes the whole table: leave out --only and --tiny.")
    if options.output and not has_markers(options.output):
        parser.error(f"--output: {str(options.output)!r} has no marker lines {BEGIN} and {END}.")
    return options


if __name__ == "__main__":
    main()
