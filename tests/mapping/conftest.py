"""Seeding a database with tables and factories that a test brings."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import create_engine, text

from pytest_gamedata import DatasetSpec
from pytest_gamedata.databases.parts import Parts
from pytest_gamedata.databases.seed import seed
from pytest_gamedata.postgres.clones import connect_admin

NUMBERS = itertools.count(1)


@pytest.fixture
def seed_tables(gamedata_server, worker_id):
    """Give a callable that creates tables in a new database, seeds them, and returns its engine and facts."""
    engines = []

    def seed_tables(create_schema, factories, **settings):
        name = f"mapped_{worker_id}_{next(NUMBERS)}"
        with connect_admin(gamedata_server) as admin:
            admin.execute(f"CREATE DATABASE {name}")
        server = gamedata_server
        engine = create_engine(
            f"postgresql+psycopg://{server.user}:{server.password}@{server.host}:{server.port}/{name}"
        )
        engines.append((name, engine))
        engine.facts = seed(
            server, name, DatasetSpec(**{"users": 8, **settings}), Parts(create_schema, factories)
        )
        return engine

    yield seed_tables
    for name, engine in engines:
        engine.dispose()
        with connect_admin(gamedata_server) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def rows(seed_tables):
    """Give a callable that seeds as `seed_tables` does, and returns the rows of one table in the order of a column."""

    def rows(create_schema, factories, table, order="id", **settings):
        engine = seed_tables(create_schema, factories, **settings)
        with engine.connect() as connection:
            return connection.execute(text(f"SELECT * FROM {table} ORDER BY {order}")).mappings().all()

    return rows


@pytest.fixture
def worker_id(request):
    return getattr(request.config, "workerinput", {}).get("workerid", "main")
