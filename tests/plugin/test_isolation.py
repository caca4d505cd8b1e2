"""Isolation: whatever a test does to its database, no other test sees it."""

from textwrap import dedent

import pytest

# Each test spoils all that it can, after a look whether it is the first to do so.
SPOIL = """
    import os, subprocess, sys
    import psycopg
    import pytest
    from sqlalchemy import func, select, text
    from pytest_gamedata.models import Item, User

    def spoil(db):
        with db.session() as session:
            assert session.scalar(select(func.count()).select_from(User)) == db.counts["users"] == 5
            assert session.scalar(select(func.max(Item.name))) != "spoiled"
            session.execute(text("UPDATE items SET name = 'spoiled'"))
            session.commit()
        with db.engine.begin() as connection:
            connection.execute(text("DROP TABLE auth_events"))
            connection.execute(text("CREATE TABLE left_over (n int)"))
            connection.execute(text("DELETE FROM transactions"))
            connection.execute(text("DELETE FROM users"))
        with open("names", "a") as file:
            print(db.name, file=file)

    @pytest.mark.gamedata(users=5)
    class TestSpoil:
        def test_a(self, gamedata_db):
            spoil(gamedata_db)

        def test_b(self, gamedata_db):
            spoil(gamedata_db)

        @pytest.mark.gamedata(items=7)
        def test_other_dataset(self, gamedata_db):
            assert gamedata_db.counts["items"] == 7
            spoil(gamedata_db)

        @pytest.mark.gamedata(seed=2)
        def test_other_seed(self, gamedata_db):
            spoil(gamedata_db)
"""
ALONE = """
    def test_databases_of_other_tests_are_gone(gamedata_db):
        import time
        deadline, names = time.monotonic() + 5, set()
        with psycopg.connect(gamedata_db.dsn, autocommit=True) as connection:
            while time.monotonic() < deadline and names != {"postgres", gamedata_db.name}:  # dropped behind
                rows = connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate").fetchall()
                names = {name for name, in rows}
        assert names == {"postgres", gamedata_db.name}
"""


@pytest.mark.parametrize(
    ("args", "installed"),
    [(["-n2"], False), (["--randomly-seed=1", "-p", "no:xdist"], True)],
    ids=["n2", "randomly"],
)
def test_tests_do_not_see_each_other(project, run, args, installed):
    project.makepyfile(SPOIL)

    run(*args, installed=installed).assert_outcomes(passed=4)

    names = (project.path / "names").read_text().split()
    assert len(set(names)) == 4


def test_tests_do_not_see_each_other_backwards(project, run):
    project.makepyfile(SPOIL)
    project.makeconftest("def pytest_collection_modifyitems(items): items.reverse()")

    run().assert_outcomes(passed=4)


def test_databases_are_dropped_after_their_tests(project, run):
    project.makepyfile(dedent(SPOIL) + dedent(ALONE))

    run("-n0").assert_outcomes(passed=5)


def test_failed_tests_leave_nothing_either(project, run):
    project.makepyfile(
        """
        import psycopg
        import pytest

        pytestmark = pytest.mark.gamedata(users=1)

        def test_fails(gamedata_session):
            gamedata_session.connection()
            assert False

        @pytest.fixture
        def broken(gamedata_db):
            raise RuntimeError("in setup")

        def test_setup_fails(broken): pass
        """
    )
    source = project.path / "test_failed_tests_leave_nothing_either.py"
    source.write_text(source.read_text() + dedent(ALONE))

    result = run()

    result.assert_outcomes(passed=1, failed=1, errors=1)


def test_other_processes_see_what_is_committed(project, run):
    project.makepyfile(
        child="""
        import os, psycopg
        with psycopg.connect("") as connection:  # libpq's own variables
            assert connection.execute("SELECT count(*) FROM users WHERE display_name = 'mine'").fetchone() == (1,)
            connection.execute("UPDATE users SET display_name = 'theirs' WHERE display_name = 'mine'")
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT count(*) FROM users WHERE display_name = 'theirs'").fetchone() == (1,)
        """,
        test_other="""
        import os, subprocess, sys
        from sqlalchemy import text

        def test_other_process(gamedata_db):
            with gamedata_db.session() as session:
                session.execute(text("UPDATE users SET display_name = 'mine' WHERE id = 1"))
                session.commit()
                env = os.environ | gamedata_db.env
                subprocess.run([sys.executable, "child.py"], check=True, env=env)
                assert session.scalar(text("SELECT display_name FROM users WHERE id = 1")) == "theirs"
        """,
    )

    run("--gamedata-users=2").assert_outcomes(passed=1)
