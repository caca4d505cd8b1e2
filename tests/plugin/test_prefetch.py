"""The next test's database is made while a test runs, and dropped while the next one does."""

import re

import pytest
from leftovers import NOTE_FACTS, is_gone, noted

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


@pytest.mark.parametrize(("workers", "bound"), [("-n0", 12), ("-n2", 24)])
def test_never_more_databases_than_a_few(project, run, workers, bound):
    """Of each process: a test's own, two ahead, nine behind."""
    project.makepyfile(
        """
        import psycopg
        import pytest

        @pytest.mark.parametrize("number", range(30))
        @pytest.mark.parametrize("users", [pytest.param(n, marks=pytest.mark.gamedata(users=n)) for n in (1, 2)])
        def test_it(gamedata_db, users, number):
            with psycopg.connect(gamedata_db.dsn) as connection:
                query = "SELECT count(*) FROM pg_database WHERE datname ~ '^gamedata_[0-9a-f]{12}$'"
                alive, = connection.execute(query).fetchone()
            with open("alive", "a") as file:
                file.write(f"{alive}\\n")
        """
    )

    run(workers).assert_outcomes(passed=60)

    alive = [int(count) for count in (project.path / "alive").read_text().split()]
    assert len(alive) == 60
    assert max(alive) <= bound


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

    assert any(line.startswith("ERROR ") and "::test_3" in line for line in result.outlines)
    result.stdout.re_match_lines(
        [
            r'The database of this test cannot be made: template database "gamedata_template_\w+" does not exist\.$',
        ]
    )
    assert "Traceback" not in result.stdout.str()


TAKE_AWAY = """
    import psycopg
    import pytest

    OTHER = pytest.mark.gamedata(users=2)

    @OTHER
    def test_1_takes_its_template_away(gamedata_db):
        with psycopg.connect(gamedata_db.dsn, autocommit=True) as connection:
            query = "SELECT datname FROM pg_database WHERE datname LIKE 'gamedata_template_%'"
            name, = connection.execute(query).fetchone()
            connection.execute(f"ALTER DATABASE {name} RENAME TO elsewhere")

    def test_2_during_which_a_clone_of_it_fails(gamedata_db): pass
"""


def test_what_fails_behind_a_test_is_told_in_the_next_alone(project, run):
    project.makepyfile(
        TAKE_AWAY
        + """
    @OTHER
    def test_3_that_the_clone_was_for(gamedata_db): pass

    def test_4_has_another_dataset(gamedata_db): pass
    """
    )

    result = run("--gamedata-users=1")

    result.assert_outcomes(passed=3, errors=1)
    assert any(line.startswith("ERROR ") and "::test_3" in line for line in result.outlines)
    messages = [line for line in result.outlines if line.startswith("The database of this test cannot")]
    assert len(messages) == 1
    assert re.fullmatch(
        r'The database of this test cannot be made: template database "gamedata_template_\w+" does not exist\.',
        messages[0],
    )


def test_what_fails_for_a_test_that_never_asks_is_told_nobody(project, run):
    project.makepyfile(
        TAKE_AWAY
        + """
    @pytest.fixture
    def skips(): pytest.skip("not today")

    @OTHER
    def test_3_is_skipped(skips, gamedata_db): pass

    def test_4_has_another_dataset(gamedata_db): pass
    """
    )

    run("--gamedata-users=1").assert_outcomes(passed=3, skipped=1)


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


def test_a_database_that_cannot_be_dropped_goes_with_the_server(project, run):
    """No other test hears of it, and the others' are dropped all the same."""
    project.makeconftest(NOTE_FACTS)
    project.makepyfile(
        """
        import psycopg
        import pytest

        @pytest.mark.parametrize("number", range(9))
        def test_leaves_a_prepared_transaction(gamedata_db, number):
            connection = psycopg.connect(gamedata_db.dsn)
            connection.tpc_begin(f"{gamedata_db.name}")
            connection.execute("DELETE FROM auth_events")
            connection.tpc_prepare()
            connection.close()

        @pytest.mark.parametrize("number", range(30))
        def test_goes_on(gamedata_db, number):
            with psycopg.connect(gamedata_db.dsn) as connection:
                query = "SELECT count(*) FROM pg_database WHERE datname ~ '^gamedata_[0-9a-f]{12}$'"
                assert connection.execute(query).fetchone()[0] <= 9 + 12
        """
    )

    result = run("--gamedata-users=1", "--postgresql-postgres-options=-c max_prepared_transactions=9")

    result.assert_outcomes(passed=39)
    assert is_gone(noted(project)[0])
