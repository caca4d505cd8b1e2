"""The database that a command works on: its address, a connection to it, and errors as one line."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import click
import psycopg
from sqlalchemy import URL, Connection, create_engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from pytest_gamedata.cli import console
from pytest_gamedata.errors import GamedataError, SettingsError

REFUSED, UNUSABLE = 2, 3
CONNECT_SECONDS = 10
URL_FORM = "postgresql://user:password@host/database"
BAD_URL = f"--url: that is no PostgreSQL address. Write {URL_FORM}."


class UnusableError(click.ClickException):
    """A database or server that cannot be reached or used."""

    exit_code = UNUSABLE


class RefusedError(click.ClickException):
    """A request that is refused."""

    exit_code = REFUSED


def read_url(_context: click.Context, _parameter: click.Parameter, value: str) -> URL:
    """Read the address of a PostgreSQL database, with any driver; raises UsageError if it is none."""
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        raise click.UsageError(BAD_URL) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise click.UsageError(BAD_URL)
    return url.set(drivername="postgresql+psycopg")


@contextmanager
def connected(url: URL, **options: Any) -> Iterator[Connection]:
    """Connect to a database; what is not committed is undone, however the block ends."""
    about_us = {"connect_timeout": CONNECT_SECONDS, "application_name": "gamedata"}
    with one_line_errors(name_of(url)):
        try:
            connection = create_engine(url, connect_args=about_us, **options).connect()
        except (ArgumentError, TypeError, ValueError) as error:  # an option of the address makes no sense
            raise RefusedError(f"--url: {str(error).rstrip('.')}. Write {URL_FORM}.") from None
        with connection:
            yield connection


@contextmanager
def one_line_errors(what: str) -> Iterator[None]:
    """Turn errors of databases and servers into one line and an exit status."""
    try:
        yield
    except SettingsError as error:
        raise RefusedError(str(error)) from None
    except GamedataError as error:
        raise UnusableError(str(error)) from None
    except (SQLAlchemyError, psycopg.Error) as error:
        cause = getattr(error, "orig", None) or error
        reason = (str(cause).strip().splitlines() or [repr(cause)])[0].rstrip(".")
        raise UnusableError(f"{what} cannot be used: {reason}. Nothing was changed.") from None


def refuse_rows(url: URL, found: Mapping[str, int], *, clear: bool) -> None:
    """Refuse a database that has rows, unless they are to be removed first."""
    if not clear:
        raise UnusableError(
            f"{name_of(url)} has rows already: {console.list_counts(found)}. Add --clear to remove them first."
        )


def confirm(url: URL, found: Mapping[str, int], *, yes: bool) -> None:
    """Ask whether the rows are to be removed. Raises RefusedError if not."""
    question = f"{name_of(url)} has {console.list_counts(found)}. Remove all of these rows?"
    with suppress(click.Abort, RuntimeError):  # no answer, or no input to read one from
        if yes or click.confirm(question, err=True):
            return
    raise RefusedError("Nothing was changed. Answer y, or add --yes.")


def name_of(url: URL) -> str:
    """Return a URL without its password and its options, which may hold secrets too."""
    return url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)


def commit(connection: Connection) -> None:
    """Commit, and ignore Ctrl-C from here on: after it nobody could tell whether the rows are there."""
    from pytest_gamedata.databases.existing import raw_connection

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        raw_connection(connection).commit()  # SQLAlchemy does not know of what was done below it
    except BaseException:
        signal.signal(signal.SIGINT, before)
        raise
