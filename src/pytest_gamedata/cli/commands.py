"""The command line: serve, seed, clear, check and summary, over the functions that tests and Python use."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import URL, Connection, func, select

from pytest_gamedata.cli import console
from pytest_gamedata.cli.connection import (
    commit,
    confirm,
    connected,
    name_of,
    one_line_errors,
    read_url,
    refuse_rows,
)
from pytest_gamedata.cli.own_tables import SEEDING_LOCK, own_options, read_parts, seed_own
from pytest_gamedata.errors import SettingsError
from pytest_gamedata.settings import SETTINGS, DatasetSpec, resolve_spec

if TYPE_CHECKING:
    from pytest_gamedata.databases.parts import Parts
    from pytest_gamedata.dataset import Dataset


Command = Callable[..., Any]

CHECK_FAILED, INTERRUPTED = 1, 130


# ### options ###


def size_options(command: Command, *, hidden: bool = False) -> Command:
    """Add the settings of a dataset as options; hidden for commands that take them and do not need them."""
    for setting in reversed(SETTINGS.values()):
        if setting.in_commands:
            names = click.Choice(setting.choices) if setting.choices else None
            text = setting.allowed if names else setting.help
            add = click.option(
                setting.command_flag,
                setting.name,
                metavar=setting.metavar,
                type=names,
                help=text,
                hidden=hidden,
            )
            command = add(command)
    return command


url_option = click.option(
    "--url", envvar="DATABASE_URL", show_envvar=True, required=True, callback=read_url, metavar="URL",
    help="postgresql://user:password@host/db",
)  # fmt: skip
yes_option = click.option("--yes", is_flag=True, help="do not ask before rows are removed")


# ### commands ###


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: gamedata serve --users 1000",
)
@click.version_option(package_name="pytest-gamedata", prog_name="gamedata")
def cli() -> None:
    """Realistic gaming data in PostgreSQL: users, items, transactions, auth events."""


@cli.command(epilog="Example: gamedata serve --users 1000 -- psql -c 'select count(*) from users'")
@size_options
@own_options
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="port of the server")
@click.option("--postgresql-exec", metavar="PATH", help="pg_ctl of another server than the first found")
@click.argument("command", nargs=-1)
def serve(port: int | None, command: tuple[str, ...], **options: Any) -> int:
    """Serve a seeded throwaway database.

    It lasts until Ctrl-C, or while COMMAND runs, which finds it in DATABASE_URL and PGHOST, PGPORT, PGUSER,
    PGPASSWORD, PGDATABASE. 100 users if left out.
    """
    from pytest_gamedata.cli.serve import run_command, serve_dataset, wait_for_end

    postgresql_exec = options.pop("postgresql_exec")
    spec, parts = _spec_and_parts(options)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
    with one_line_errors("The server"), serve_dataset(spec, port or 0, parts, postgresql_exec) as database:
        if command:
            return run_command(command, database.env)
        with suppress(KeyboardInterrupt):
            console.print_database(database)
            click.echo("Ctrl-C ends the server, and removes it.")
            wait_for_end(database)
        return 0


@cli.command(epilog="Example: gamedata seed --url postgresql://me@localhost/staging --users 10000")
@url_option
@click.option("--clear", is_flag=True, help="remove the rows that are there first")
@yes_option
@size_options
@own_options
def seed(url: URL, clear: bool, yes: bool, **options: Any) -> None:  # noqa: FBT001 - options
    """Fill a database with tables and rows.

    One transaction creates the tables that are missing and loads the rows.
    """
    from pytest_gamedata.databases.summary import summarize
    from pytest_gamedata.dataset import build_dataset

    spec, parts = _spec_and_parts(options)
    if parts is not None:
        return seed_own(url, spec, parts, clear=clear, yes=yes)
    with connected(url) as connection:
        found = _count(connection)
        if any(found.values()):
            refuse_rows(url, found, clear=clear)
            confirm(url, found, yes=yes)
        with console.working("Drawing the rows"):
            dataset = build_dataset(spec)
        began = time.perf_counter()
        _load(connection, dataset, clear=any(found.values()))
        seconds = time.perf_counter() - began
    rows = sum(dataset.counts.values())
    console.print_summary(summarize(dataset) | {"cast": dataset.cast})
    return click.echo(
        f"{rows:,} rows loaded into {name_of(url)} in {seconds:.1f} s ({rows / seconds:,.0f} rows/s)."
    )


@cli.command(epilog="Example: gamedata clear --url postgresql://me@localhost/staging")
@url_option
@yes_option
@partial(size_options, hidden=True)
def clear(url: URL, yes: bool, **sizes: str | None) -> None:  # noqa: FBT001 - an option
    """Remove all rows of the four tables; the tables stay."""
    from pytest_gamedata.databases.existing import clear_rows, raw_connection

    _spec(DatasetSpec(), sizes)
    with connected(url) as connection:
        found = _count(connection)
        if not any(found.values()):
            click.echo(f"{name_of(url)} has no rows to remove.")
            return
        confirm(url, found, yes=yes)
        removed = clear_rows(raw_connection(connection))
        commit(connection)
    click.echo(f"Removed from {name_of(url)}: {console.list_counts(removed)}.")


@cli.command(epilog="Example: gamedata check --url postgresql://me@localhost/staging")
@url_option
@size_options
def check(url: URL, **sizes: str | None) -> int:
    """Check every rule and every realism target.

    Exits with 1 if one fails. Sizes say what the rows should be; left out, what `gamedata seed` has noted.
    """
    from pytest_gamedata.databases.existing import check_stored, expected_spec, raw_connection
    from pytest_gamedata.realism.judge import FAILED, TOO_SMALL, judge

    with connected(url, isolation_level="REPEATABLE READ") as connection:  # all tables at one moment
        raw = raw_connection(connection)
        spec = _spec(expected_spec(raw), sizes)
        with console.working("Checking the rows"):
            outcomes, findings = check_stored(raw, spec)
    console.print_rules(outcomes)
    click.echo()
    console.print_targets(findings, spec)
    broken = sum(outcome.problem is not None for outcome in outcomes)
    verdicts = Counter(judge(finding, spec) for finding in findings)
    figures = f"{len(findings)} figures, {verdicts[FAILED]} outside their band"
    click.echo(
        f"\n{len(outcomes)} rules, {broken} broken; {figures}, {verdicts[TOO_SMALL]} too small to tell."
    )
    return CHECK_FAILED if broken or verdicts[FAILED] else 0


@cli.command(epilog="Example: gamedata summary --url postgresql://me@localhost/staging --json")
@url_option
@click.option("--json", "as_json", is_flag=True, help="as JSON, money in US cents")
@partial(size_options, hidden=True)
def summary(url: URL, as_json: bool, **sizes: str | None) -> None:  # noqa: FBT001 - an option
    """Print what is in a database, in numbers."""
    from pytest_gamedata.databases.existing import raw_connection
    from pytest_gamedata.databases.summary import summarize_stored

    _spec(DatasetSpec(), sizes)
    with connected(url) as connection, console.working("Reading the rows"):
        found = summarize_stored(raw_connection(connection))
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        console.print_summary(found)


def main() -> int:
    """Run the command line; return its exit status."""
    signal.signal(
        signal.SIGPIPE, signal.SIG_DFL
    )  # `| head` ends the command as it ends others, not with status 1
    try:
        status = cli.main(prog_name="gamedata", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("Interrupted. Nothing was changed.", err=True)
        return INTERRUPTED
    return status if isinstance(status, int) else 0


# ### helpers ###


def _spec(base: DatasetSpec, sizes: Mapping[str, str | None]) -> DatasetSpec:
    """Apply the options that are given to a specification. Raises click's UsageError for a bad value."""
    given = {name: (value, SETTINGS[name].command_flag) for name, value in sizes.items() if value is not None}
    try:
        return resolve_spec(base, given)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None


def _spec_and_parts(options: dict[str, Any]) -> tuple[DatasetSpec, Parts | None]:
    """Return the specification that the options give, and the team's own parts, None if they name none."""
    parts = read_parts(options.pop("factories"), options.pop("alembic"))
    return _spec(DatasetSpec(), options), parts


def _count(connection: Connection) -> dict[str, int]:
    """Count the rows, and end the transaction: no lock is held while the user is asked to confirm."""
    from pytest_gamedata.databases.existing import count_stored, raw_connection

    found = count_stored(raw_connection(connection))
    raw_connection(connection).rollback()
    return found


def _load(connection: Connection, dataset: Dataset, *, clear: bool) -> None:
    """Create the missing tables, remove the rows that are there, load the dataset and commit."""
    from pytest_gamedata.databases.existing import clear_rows, raw_connection
    from pytest_gamedata.databases.seed import load_into
    from pytest_gamedata.models import Base

    with console.loading(dataset.counts) as report:
        connection.execute(select(func.pg_advisory_xact_lock(SEEDING_LOCK)))
        Base.metadata.create_all(connection)
        if clear:
            clear_rows(raw_connection(connection))
        load_into(connection, dataset, report)
    commit(connection)
