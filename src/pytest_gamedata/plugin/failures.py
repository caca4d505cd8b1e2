"""Messages for what goes wrong around a test: failures of the server, connections left open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from pytest_gamedata.errors import GamedataError, LeakedConnectionWarning
from pytest_gamedata.postgres.clones import is_gone
from pytest_gamedata.postgres.own.join import server_error
from pytest_gamedata.postgres.server import Server


@contextmanager
def one_line_failures(server: Server | None = None) -> Iterator[None]:
    """Fail a test with a one-line message and no traceback where the cause is not in the test's code."""
    try:
        yield
    except (GamedataError, LeakedConnectionWarning) as error:
        message = str(error)
    except psycopg.Error as error:
        message = str(server_error(server, error)) if server and is_gone(error) else _describe_refusal(error)
    else:
        return
    raise pytest.fail.Exception(message, pytrace=False) from None


def _describe_refusal(error: psycopg.Error) -> str:
    diag = error.diag
    found = (diag.message_primary or str(error), diag.message_detail, diag.message_hint, diag.context)
    sentences = [f"{part.splitlines()[0].rstrip('.')}." for part in found if part]
    return f"The database of this test cannot be made: {' '.join(sentences)}"


def describe_leak(nodeid: str, leak: Any) -> str:
    """Word the warning about a connection that a test left open."""
    return (
        f"{nodeid} left a connection open (application_name {leak.application_name!r}, "
        f"last query {leak.query!r}). It was closed; close it in the test or the app."
    )
