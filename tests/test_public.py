"""What is public, and that the examples of its docstrings are true."""

import doctest
import secrets

import psycopg
import pytest
from sqlalchemy import create_engine, text

import pytest_gamedata
from pytest_gamedata.databases.game_database import GameDatabase
from pytest_gamedata.postgres.clones import connect_admin, drop_database

FUNCTIONS = ("build_dataset", "clear_database", "load_dataset", "summarize", "validate_dataset")


@pytest.fixture
def engine(gamedata_server):
    name = f"public_{secrets.token_hex(6)}"
    with connect_admin(gamedata_server) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        engine = create_engine(GameDatabase(gamedata_server, name, None, {}, {}).url)
        yield engine
        engine.dispose()
        drop_database(admin, name)


@pytest.mark.parametrize("name", ["DatasetSpec", *FUNCTIONS])
def test_docstrings_have_examples_that_are_true(engine, name):
    names = {each: getattr(pytest_gamedata, each) for each in pytest_gamedata.__all__}
    finder = doctest.DocTestFinder(recurse=False)
    (examples,) = finder.find(names[name], name, globs=names | {"engine": engine})
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    shown = []

    runner.run(examples, out=shown.append)

    assert examples.examples
    assert "".join(shown) == ""


@pytest.mark.parametrize("level", ["AUTOCOMMIT", "SERIALIZABLE"])
def test_all_or_nothing_with_every_engine(engine, level):
    engine = engine.execution_options(isolation_level=level)
    dataset = pytest_gamedata.build_dataset(pytest_gamedata.DatasetSpec(users=3))
    damaged = pytest_gamedata.build_dataset(pytest_gamedata.DatasetSpec(users=3))
    damaged.tables["auth_events"]["user_id"][0] = 77

    with pytest.raises(pytest_gamedata.errors.LoadError) as caught:
        pytest_gamedata.load_dataset(engine, damaged)
    assert isinstance(caught.value.__cause__, psycopg.errors.ForeignKeyViolation)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT to_regclass('users')")) is None
    pytest_gamedata.load_dataset(engine, dataset)

    assert pytest_gamedata.summarize(engine) == pytest_gamedata.summarize(dataset)
    assert pytest_gamedata.clear_database(engine) == dataset.counts
