"""Fixtures of the tests that load rows."""

import psycopg
import pytest

from pytest_gamedata.postgres.rows.load import load_new_database, load_tables


@pytest.fixture
def connection(gamedata_db):
    with psycopg.connect(gamedata_db.dsn) as connection:
        yield connection


@pytest.fixture(params=["one transaction", "several connections"])
def load(request, gamedata_db):
    """Give a callable that loads rows in either way."""

    def load(tables):
        with psycopg.connect(gamedata_db.dsn) as one, psycopg.connect(gamedata_db.dsn) as two:
            if request.param == "one transaction":
                load_tables(one, tables)
            else:
                load_new_database([one, two], tables)

    return load
