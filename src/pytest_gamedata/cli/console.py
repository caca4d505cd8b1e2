"""The output of the command line: tables on stdout, progress and questions on stderr."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from pytest_gamedata.databases.game_database import GameDatabase
from pytest_gamedata.realism.judge import (
    FAILED,
    OK,
    TOO_SMALL,
    Finding,
    describe_band,
    describe_figure,
    judge,
)
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate import Outcome

WIDTH = 1_000  # of lines that go to a file or another program, where nothing is folded
MARKS = {OK: "[green]ok[/]", FAILED: "[bold red]FAILED[/]", TOO_SMALL: "[yellow]too small[/]"}
PRICES = ("revenue_usd_cents", "revenue_per_payer_usd_cents")


def console(*, stderr: bool = False) -> Console:
    """Return a console as wide as the terminal, or of unlimited width for files and pipes."""
    found = Console(stderr=stderr, highlight=False)
    return found if found.is_terminal else Console(stderr=stderr, highlight=False, width=WIDTH)


def show(table: Table) -> None:
    """Print a table without trailing blanks."""
    screen = console()
    with screen.capture() as captured:
        screen.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show a spinner during the block, on a terminal only."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield
        return
    with screen.status(what):
        yield


@contextmanager
def loading(counts: Mapping[str, int]) -> Iterator[Callable[[str, int], None]]:
    """Show a progress bar for each table, on a terminal only; gives the function that reports loaded rows."""
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description:<16}"),
        BarColumn(),
        TextColumn("{task.fields[told]}"),
    )
    screen = console(stderr=True)
    with Progress(*columns, console=screen, disable=not screen.is_terminal) as progress:
        bars = {name: progress.add_task(name, total=rows, told="") for name, rows in counts.items() if rows}
        last = progress.add_task("keys, indexes", total=None, visible=False, told="")
        done, began, now = Counter[str](), dict[str, float](), time.monotonic()

        def report(table: str, rows: int) -> None:
            nonlocal now
            if not counts[table]:
                return
            began.setdefault(table, now)  # when the table before was done
            now = time.monotonic()
            done[table] += rows
            rate = done[table] / (now - began[table])
            told = f"{done[table]:,} of {counts[table]:,}, {rate:,.0f} rows/s"
            progress.update(bars[table], completed=done[table], told=told)
            progress.update(last, visible=done.total() == sum(counts.values()))

        yield report
        progress.update(last, total=1, completed=1)


def print_database(database: GameDatabase) -> None:
    """Print the address of a database, its rows and its cast."""
    server, address = database.server, _grid()
    place = ("in RAM" if server.in_ram else "on disk") + (", from the cache" if server.from_cache else "")
    address.add_row("server", f"PostgreSQL {server.version} ({server.source}) {place}")
    address.add_row("URL", database.dsn)
    address.add_row("psql", f"psql '{database.dsn}'")
    address.add_row("password", f"{database.password} (of every account that has one)")
    address.add_row("rows", list_counts(database.counts))
    address.add_row("cast", _list_ids(database.cast))
    show(address)


def print_summary(summary: Mapping[str, Any]) -> None:
    """Print a summary, a line per group."""
    lines = _grid()
    for name, value in summary.items():
        if name == "cast":
            lines.add_row(name, _list_ids(value))
        elif name == "payers":
            lines.add_row(name, list_counts(_in_dollars(value)))
        elif isinstance(value, dict):
            lines.add_row(name.replace("_", " "), list_counts(value))
        else:
            lines.add_row(name, value or "-")
    show(lines)


def _in_dollars(payers: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"users": payers["users"]}
    if payers["share"] is not None:
        shown["share"] = f"{payers['share']:.2%}"
    for name in PRICES:
        if payers[name] is not None:
            shown[name.removesuffix("_usd_cents").replace("_", " ")] = f"${payers[name] / 100:,.2f}"
    return shown


def _list_ids(cast: Mapping[str, int]) -> str:
    return list_counts({role: str(user_id) for role, user_id in cast.items()})


def list_counts(values: Mapping[str, Any]) -> str:
    """Write named numbers on one line."""
    texts = (f"{value:,}" if isinstance(value, int) else value for value in values.values())
    return ", ".join(f"{name} {text}" for name, text in zip(values, texts, strict=True)) or "-"


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def print_rules(outcomes: Sequence[Outcome]) -> None:
    """Print the result of every rule, then the problems of the broken ones."""
    table = Table("rule", "", box=None, pad_edge=False)
    for outcome in outcomes:
        told = MARKS[FAILED if outcome.problem else OK] if outcome.checked else "[dim]not checked[/]"
        table.add_row(escape(outcome.rule), told)
    show(table)
    for problem in filter(None, (outcome.problem for outcome in outcomes)):
        console().print(problem, style="red", markup=False, soft_wrap=True)


def print_targets(findings: Sequence[Finding], spec: DatasetSpec) -> None:
    """Print every realism target: the expected band, the measured figure, the verdict."""
    table = Table("figure", "expected", "measured", "", box=None, pad_edge=False)
    for finding in findings:
        expected, measured = describe_band(finding.band), describe_figure(finding.measured)
        table.add_row(finding.target.quantity, expected, measured, MARKS[judge(finding, spec)])
    show(table)
