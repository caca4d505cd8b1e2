"""Datasets that are in a database already: count, read, check or clear their rows, and note what made them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from pytest_gamedata.dataset import Dataset
from pytest_gamedata.errors import LoadError
from pytest_gamedata.models import OPTIONAL_TABLES, OWN_TABLES, TABLES
from pytest_gamedata.postgres.rows.clear import check_ours, clear_tables, count_rows, has_columns
from pytest_gamedata.postgres.rows.read_back import read_table
from pytest_gamedata.realism.judge import Finding, compare
from pytest_gamedata.realism.measure import measure
from pytest_gamedata.settings import SETTINGS, DatasetSpec, resolve_spec, spec_texts
from pytest_gamedata.validate import Outcome, check_rules

if TYPE_CHECKING:
    from sqlalchemy import Engine


Connection = psycopg.Connection[Any]

OWN_COLUMNS = {name: [column.name for column in table.columns] for name, table in OWN_TABLES.items()}
# The command that makes the rows is noted as a comment on the first table.
NOTE_START = "gamedata seed "
FIND_COMMENT = "SELECT obj_description(to_regclass('users'), 'pg_class')"


def clear_database(engine: Engine) -> dict[str, int]:
    """Remove all rows of our tables, and return how many there were of each; tables that are missing stay so.

    All or nothing, in one transaction. Raises ClearError if a table of that name is not one of ours, or if rows of
    other tables refer to it.

    >>> load_dataset(engine, build_dataset(DatasetSpec(users=5)))
    >>> clear_database(engine)["users"]
    5
    """
    with engine.connect() as connection, raw_connection(connection).transaction():
        return clear_rows(raw_connection(connection))


def clear_rows(connection: Connection) -> dict[str, int]:
    """Remove all rows of our tables in the connection's transaction; return how many there were of each."""
    counts = clear_tables(connection, _own_columns(connection))
    if _find_note(connection):
        connection.execute("COMMENT ON TABLE users IS NULL")
    return counts


def _own_columns(connection: Connection) -> dict[str, list[str]]:
    """Return the columns that our tables should have: the four, and those of the optional ones that are there.

    A table of an optional one's name is a team's own if it lacks one of the columns.
    """
    optional = [name for name in OPTIONAL_TABLES if has_columns(connection, name, OWN_COLUMNS[name])]
    return {name: OWN_COLUMNS[name] for name in (*TABLES, *optional)}


def raw_connection(connection: Any) -> Connection:
    """Return the psycopg connection below a SQLAlchemy connection.

    Raises LoadError if another driver is below it.
    """
    found = connection.connection.driver_connection
    if not isinstance(found, psycopg.Connection):
        raise LoadError(f"The engine uses {type(found).__module__}. Make it with postgresql+psycopg://...")
    return found


def count_stored(connection: Connection) -> dict[str, int]:
    """Count the rows of those of our tables that are there.

    Raises ClearError if a table of that name is not one of ours.
    """
    columns = _own_columns(connection)
    check_ours(connection, columns)
    return count_rows(connection, columns)


def note_spec(connection: Connection, spec: DatasetSpec) -> None:
    """Note the specification of the rows in the database, unless its users table has another comment already."""
    there = _find_comment(connection)
    if there is None or there.startswith(NOTE_START):
        options = " ".join(f"{SETTINGS[name].command_flag} {text}" for name, text in spec_texts(spec))
        comment = sql.Literal(NOTE_START + options)
        connection.execute(sql.SQL("COMMENT ON TABLE users IS {}").format(comment))


def noted_spec(connection: Connection) -> DatasetSpec | None:
    """Return the specification that is noted in the database, None if there is none.

    Raises SettingsError for a value in it that is not allowed.
    """
    note = _find_note(connection)
    if note is None:
        return None
    where = "the comment on table users"
    noted = dict(re.findall(r"(--\S+) (\S+)", note))
    flags = {name: setting.command_flag for name, setting in SETTINGS.items() if setting.in_commands}
    found = {name: (noted[flag], where) for name, flag in flags.items() if flag in noted}
    return resolve_spec(DatasetSpec(), found)


def _find_note(connection: Connection) -> str | None:
    comment = _find_comment(connection)
    return comment if comment and comment.startswith(NOTE_START) else None


def _find_comment(connection: Connection) -> str | None:
    row = connection.execute(FIND_COMMENT).fetchone()
    return row[0] if row else None


def read_dataset(
    connection: Connection, spec: DatasetSpec, wanted: Mapping[str, Collection[str]] | None = None
) -> Dataset:
    """Read our tables, or only the wanted columns of them; the cast, which is not stored, stays empty.

    Raises LoadError if a table is missing, ClearError if one is not ours.
    """
    there = count_stored(connection)
    missing = [name for name in TABLES if name not in there]
    if missing:
        raise LoadError(f"The database has no table {missing[0]!r}. Fill it with `gamedata seed` first.")
    columns = wanted or OWN_COLUMNS
    return Dataset(spec, {name: read_table(connection, name, columns[name]) for name in there}, {})


def expected_spec(connection: Connection) -> DatasetSpec:
    """Return the specification that is noted in the database, else the defaults with its numbers of users and items.

    Raises ClearError if a table is not one of ours.
    """
    counts = count_stored(connection)
    noted = noted_spec(connection)
    if noted is not None:
        return noted
    users, items = (counts.get(table, 0) for table in ("users", "items"))
    return DatasetSpec(users=users, items=items, transactions=None if items else 0)


def check_stored(connection: Connection, spec: DatasetSpec) -> tuple[list[Outcome], list[Finding]]:
    """Check the rows of a database against every rule and every realism target.

    Raises LoadError if a table is missing.
    """
    outcomes = list(check_rules(read_dataset(connection, spec)))
    return outcomes, compare(measure(connection), spec.preset)
