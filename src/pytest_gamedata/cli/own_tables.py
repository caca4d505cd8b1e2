"""A team's own tables on the command line: its factories, its migrations, and a database that both are used on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import URL, Connection, Engine, create_engine, func, select

from pytest_gamedata.cli import console
from pytest_gamedata.cli.connection import commit, confirm, connected, name_of, one_line_errors, refuse_rows
from pytest_gamedata.databases.parts import OwnFactories, Parts, create_tables

if TYPE_CHECKING:
    from pytest_gamedata.databases.mapping import MappedTables
    from pytest_gamedata.settings import DatasetSpec

Command = Callable[..., Any]

SEEDING_LOCK = 7_423_501  # an advisory lock: a second seeding of the same database waits, then finds rows
FORM = "module:attribute, such as tests.factories:FACTORIES, or none"


# ### options ###


def own_options(command: Command) -> Command:
    """Add the options that name a team's factories and migrations."""
    factories = click.option(
        "--factories", callback=_read_factories, metavar="MODULE:NAME",
        help="your list of factories; none: no rows",
    )  # fmt: skip
    alembic = click.option(
        "--alembic", callback=_read_alembic, metavar="FILE", help="your alembic.ini: its migrations run first"
    )
    return factories(alembic(command))


def _read_factories(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Any:
    """Import the list of factories that an option names, from the current directory or what is installed."""
    if value is None or value == "none":
        return None if value is None else []
    name, _, attribute = value.partition(":")
    if not name or not attribute:
        raise click.UsageError(f"--factories: {value!r} is not allowed. Allowed: {FORM}.")
    found = getattr(_import(name), attribute, None)
    if not isinstance(found, list | tuple):
        what = "nothing" if found is None else f"a {type(found).__name__}"
        raise click.UsageError(
            f"--factories: {value} is {what}. Name a list, as gamedata_factories returns it."
        )
    return list(found)


def _import(name: str) -> Any:
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return import_module(name)
    except Exception as error:  # noqa: BLE001 - whatever the team's module raises
        missing = isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}.")
        why = "there is none" if missing else f"{type(error).__name__}: {str(error).rstrip('.')}"
        raise click.UsageError(
            f"--factories: module {name!r} cannot be imported in {str(Path.cwd())!r}: {why}."
        ) from None


def _read_alembic(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Path | None:
    if value is not None and not Path(value).is_file():
        raise click.UsageError(
            f"--alembic: {value!r} is no file in {str(Path.cwd())!r}. Name your alembic.ini."
        )
    return Path(value) if value is not None else None


def read_parts(factories: list[Any] | None, alembic: Path | None) -> Parts | None:
    """Return the schema and factories that the options name, None if they name neither."""
    if factories is None and alembic is None:
        return None
    from pytest_gamedata.databases.migrations import alembic_schema

    given: Sequence[Any] = OwnFactories() if factories is None else factories
    create_schema = _create_ours(given) if alembic is None else alembic_schema(alembic)
    return Parts(create_schema, given, ("the command line",))


def _create_ours(factories: Sequence[Any]) -> Callable[[Engine], None]:
    """Return a callable that creates our tables if one of the factories fills one of them, else none."""

    def create_schema(engine: Engine) -> None:
        from pytest_gamedata.databases.mapping.entries import read_entries
        from pytest_gamedata.models import Base

        if {entry.model.name for entry in read_entries(factories)} & {*Base.metadata.tables}:
            create_tables(engine)

    return create_schema


# ### a database that is there ###


def seed_own(url: URL, spec: DatasetSpec, parts: Parts, *, clear: bool, yes: bool) -> None:
    """Run the migrations on a database, then load the rows of a team's factories, all or none of them."""
    _create_schema(url, parts)
    with connected(url) as connection:
        with console.working("Drawing the rows"):
            mapped = _map(connection, spec, parts)
        found = _count(connection, mapped)
        if any(found.values()):
            refuse_rows(url, found, clear=clear)
            confirm(url, found, yes=yes)
        began = time.perf_counter()
        _load(connection, mapped, clear=any(found.values()))
        seconds = time.perf_counter() - began
    rows = sum(mapped.counts.values())
    console.print_summary({"rows": mapped.counts, "cast": mapped.cast})
    click.echo(f"{rows:,} rows loaded into {name_of(url)} in {seconds:.1f} s ({rows / seconds:,.0f} rows/s).")


def _create_schema(url: URL, parts: Parts) -> None:
    """Run the migrations, in an environment that names the database."""
    from pytest_gamedata.databases.migrations import environment

    engine = create_engine(url)
    places = {
        "PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
    }  # fmt: skip
    variables = {name: str(value) for name, value in places.items() if value is not None}
    variables["DATABASE_URL"] = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with one_line_errors(name_of(url)), environment(variables):
        try:
            parts.create_schema(engine)
        finally:
            engine.dispose()


def _map(connection: Connection, spec: DatasetSpec, parts: Parts) -> MappedTables:
    """Draw the rows for the tables that are there, and end the transaction."""
    from pytest_gamedata.databases.existing import raw_connection
    from pytest_gamedata.databases.mapping import map_tables
    from pytest_gamedata.databases.seed import read_and_build

    entries, dataset = read_and_build(spec, parts.factories)
    mapped = map_tables(raw_connection(connection), entries, dataset, spec.seed)
    raw_connection(connection).rollback()
    return mapped


def _count(connection: Connection, mapped: MappedTables) -> dict[str, int]:
    """Count the rows that are in the tables, by the tables' names, and end the transaction."""
    from pytest_gamedata.databases.existing import raw_connection
    from pytest_gamedata.postgres.rows.clear import count_rows

    counts = count_rows(raw_connection(connection), mapped.rows)
    raw_connection(connection).rollback()
    return dict(zip(mapped.counts, counts.values(), strict=True))


def _load(connection: Connection, mapped: MappedTables, *, clear: bool) -> None:
    from pytest_gamedata.databases.existing import raw_connection
    from pytest_gamedata.postgres.rows.clear import clear_tables
    from pytest_gamedata.postgres.rows.load import load_tables

    raw = raw_connection(connection)
    with console.loading(dict(zip(mapped.rows, mapped.counts.values(), strict=True))) as report:
        connection.execute(select(func.pg_advisory_xact_lock(SEEDING_LOCK)))
        if clear:
            clear_tables(raw, dict.fromkeys(mapped.rows, ()))
        load_tables(raw, mapped.rows, report)
    commit(connection)
