"""Datasets with play sessions and inventory in a database of the user's: load, count, check, clear."""

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, text

from pytest_gamedata import DatasetSpec, build_dataset, clear_database, load_dataset, summarize
from pytest_gamedata.databases.existing import check_stored, raw_connection
from pytest_gamedata.factories import FACTORIES, InventoryFactory, PlaySessionFactory

SPEC = DatasetSpec(users=30)


@pytest.fixture
def engine(gamedata_server):
    """An engine on an empty database, dropped afterwards."""
    server = gamedata_server
    address = f"{server.user}:{server.password}@{server.host}:{server.port}"
    admin = psycopg.connect(f"postgresql://{address}/{server.dbname}", autocommit=True)
    admin.execute("CREATE DATABASE optional_tables TEMPLATE template0")
    engine = create_engine(f"postgresql+psycopg://{address}/optional_tables")
    yield engine
    engine.dispose()
    admin.execute("DROP DATABASE optional_tables WITH (FORCE)")
    admin.close()


def test_they_are_loaded_checked_summarized_and_cleared(engine):
    dataset = build_dataset(SPEC, [*FACTORIES, PlaySessionFactory, InventoryFactory])

    load_dataset(engine, dataset)

    assert summarize(engine)["rows"] == summarize(dataset)["rows"] == dataset.counts
    with engine.connect() as connection:
        outcomes, _ = check_stored(raw_connection(connection), SPEC)
    assert "Every play session begins with a login of its user" in [outcome.rule for outcome in outcomes]
    assert [outcome.problem for outcome in outcomes if outcome.problem] == []
    assert clear_database(engine) == dataset.counts
    assert summarize(engine)["rows"] == dict.fromkeys(dataset.counts, 0)


def test_a_table_of_that_name_that_is_not_ours_is_left_alone(engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE inventory (sku text)"))
        connection.execute(text("INSERT INTO inventory VALUES ('sword')"))
    dataset = build_dataset(SPEC)

    load_dataset(engine, dataset)

    assert clear_database(engine) == dataset.counts
    assert "play_sessions" not in inspect(engine).get_table_names()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM inventory")) == 1
