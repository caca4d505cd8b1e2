"""The same tests on a database of pytest-postgresql, set up as its README says, and with the faster way to load."""

import os
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pytest_postgresql import factories
from rows import load_rows, read_rows


def load(**address: Any) -> None:
    """Fill the template with the rows that were saved."""
    address.pop("autocommit")
    with psycopg.connect(**address) as connection:
        load_rows(connection, read_rows(Path(os.environ["BENCH_ROWS"])))


proc = factories.postgresql_proc(executable=f"{os.environ['BENCH_BIN']}/pg_ctl", load=[load])
postgresql = factories.postgresql("proc")


@pytest.mark.parametrize("number", range(int(os.environ["BENCH_TESTS"])))
def test_one_query(postgresql: psycopg.Connection[Any], number: int) -> None:
    """Count the users, and take as long as tests take."""
    row = postgresql.execute("SELECT count(*) FROM public.users").fetchone()
    assert row == (int(os.environ["BENCH_USERS"]),)  # noqa: S101
    time.sleep(float(os.environ["BENCH_PAUSE"]))
