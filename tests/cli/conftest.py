import secrets
from contextlib import contextmanager

import pytest
from commands import end_all

from pytest_gamedata.databases.game_database import GameDatabase
from pytest_gamedata.postgres.clones import connect_admin, drop_database


@contextmanager
def new_database(server):
    """Give a database without tables, as a GameDatabase."""
    name = f"cli_{secrets.token_hex(6)}"
    with connect_admin(server) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield GameDatabase(server, name, None, {}, {})
        finally:
            drop_database(admin, name)


@pytest.fixture(autouse=True)
def _nothing_runs_on():
    yield
    end_all()


@pytest.fixture
def empty(gamedata_server):
    with new_database(gamedata_server) as database:
        yield database


@pytest.fixture(scope="module")
def shared(gamedata_server):
    with new_database(gamedata_server) as database:
        yield database
