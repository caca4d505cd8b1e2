from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine

from pytest_gamedata.models import Base

REFERENCE = Path(__file__).parents[2] / "shared" / "realism" / "schema.sql"

COLUMNS = """
    SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default, is_identity,
           identity_generation, character_maximum_length, numeric_precision, numeric_scale
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, column_name
"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"


@pytest.fixture
def empty_databases(gamedata_server):
    """Two empty databases, dropped afterwards."""
    server = gamedata_server
    address = {"host": server.host, "port": server.port, "user": server.user, "password": server.password}
    names = ("models_reference", "models_ours")
    with psycopg.connect(**address, dbname=server.dbname, autocommit=True) as admin:
        for name in names:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        yield [psycopg.conninfo.make_conninfo(**address, dbname=name) for name in names]
        for name in names:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference schema does not lie beside this checkout")
def test_models_create_exactly_the_reference_schema(empty_databases):
    reference, ours = empty_databases
    with psycopg.connect(reference) as connection:
        connection.execute(REFERENCE.read_text())
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(ours))
    Base.metadata.create_all(engine)
    engine.dispose()

    with psycopg.connect(reference) as left, psycopg.connect(ours) as right:
        for catalogue in (COLUMNS, CONSTRAINTS, INDEXES):
            expected = left.execute(catalogue).fetchall()
            assert len(expected) > 10
            assert right.execute(catalogue).fetchall() == expected
