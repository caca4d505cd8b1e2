"""Tests of one query on a database of pytest-gamedata."""

import os
import time
from typing import Any

import psycopg
import pytest


@pytest.mark.parametrize("number", range(int(os.environ["BENCH_TESTS"])))
def test_one_query(gamedata_db: Any, number: int) -> None:
    """Connect, count the users, and take as long as tests take."""
    with psycopg.connect(gamedata_db.dsn) as connection:
        row = connection.execute("SELECT count(*) FROM users").fetchone()
        assert row == (int(os.environ["BENCH_USERS"]),)  # noqa: S101
        time.sleep(float(os.environ["BENCH_PAUSE"]))
