"""The next test's database is made while a test runs, and dropped while the next one does."""

COUNT = """
import time
import psycopg
import pytest

def databases(gamedata_db, wanted):
    deadline = time.monotonic() + 5
    with psycopg.connect(gamedata_db.dsn, autocommit=True) as connection:
        while True:
            rows = connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^gamedata_[0-9a-f]{12}$'")
            names = {name for name, in rows}
            if len(names) == wanted or time.monotonic() > deadline:
                return names
"""


def test_the_next_database_is_there_while_a_test_runs(project, run):
    project.makepyfile(
        COUNT
        + """
NEXT = set()

def test_1(gamedata_db):
    assert databases(gamedata_db, 2) > {gamedata_db.name}
    NEXT.update(databases(gamedata_db, 2) - {gamedata_db.name})

def test_2(gamedata_db):
    assert NEXT == {gamedata_db.name}

def test_between_that_asks_for_none():
    pass

def test_3_is_the_last(gamedata_db):
    assert databases(gamedata_db, 1) == {gamedata_db.name}
"""
    )

    run("--gamedata-users=1").assert_outcomes(passed=4)


def test_each_dataset_is_made_ahead_once_it_is_known(project, run):
    project.makepyfile(
        COUNT
        + """
@pytest.mark.parametrize(
    ("users", "alive"),
    [
        pytest.param(users, alive, marks=pytest.mark.gamedata(users=users))
        for users, alive in [(1, 1), (2, 2), (1, 2), (2, 2), (1, 1), (3, 2), (3, 1)]
    ],
)
def test_it(gamedata_db, users, alive):
    assert gamedata_db.counts["users"] == users
    assert len(databases(gamedata_db, alive)) == alive
"""
    )

    run().assert_outcomes(passed=7)


def test_never_more_databases_than_a_few(project, run):
    project.makepyfile(
        COUNT
        + """
@pytest.mark.parametrize("number", range(60))
def test_it(gamedata_db, number):
    with psycopg.connect(gamedata_db.dsn) as connection:
        query = "SELECT count(*) FROM pg_database WHERE datname ~ '^gamedata_[0-9a-f]{12}$'"
        assert connection.execute(query).fetchone()[0] <= 2 * (1 + 1 + 9)  # its own, one ahead, those behind
"""
    )

    run("--gamedata-users=1", "-n2").assert_outcomes(passed=60)


def test_what_fails_behind_the_scenes_is_told_in_the_test_it_concerns(project, run):
    project.makepyfile(
        """
        import psycopg

        def test_1_takes_the_template_away(gamedata_db):
            with psycopg.connect(gamedata_db.dsn, autocommit=True) as connection:
                query = "SELECT datname FROM pg_database WHERE datname LIKE 'gamedata_template_%'"
                name, = connection.execute(query).fetchone()
                connection.execute(f"ALTER DATABASE {name} RENAME TO elsewhere")

        def test_2_may_have_its_database_already(gamedata_db): pass

        def test_3(gamedata_db): pass
        """
    )

    result = run("--gamedata-users=1")

    assert any(line.startswith("ERROR ") and line.endswith("::test_3") for line in result.outlines)
    result.stdout.re_match_lines(
        [
            r'The database of this test cannot be made: template database "gamedata_template_\w+" does not exist\.$',
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_a_bad_marker_of_the_next_test_is_told_there(project, run):
    project.makeconftest(
        """
        import pytest

        def pytest_collection_modifyitems(items):
            items[-1].add_marker(pytest.mark.gamedata(users=-1))
        """
    )
    project.makepyfile("def test_1(gamedata_db): pass\ndef test_2(gamedata_db): pass")

    result = run("--gamedata-users=1")

    result.assert_outcomes(passed=1, errors=1)
    assert any(line.startswith("ERROR ") and "test_2" in line for line in result.outlines)
