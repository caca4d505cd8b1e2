"""Isolation: whatever a test does to its database, no other test sees it."""

from textwrap import dedent

import pytest

# Each test spoils all that it can, after a look whether it is the first to do so.
SPOIL = """
    import psycopg
    import pytest

    def ask(connection, query):
        return connection.execute(query).fetchone()[0]

    def check_untouched(db, connection):
        assert ask(connection, "SELECT current_database()") == db.name
        assert ask(connection, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") == 1
        tables = connection.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
        assert {name for name, in tables} == set(db.counts)
        for table, count in db.counts.items():
            assert ask(connection, f"SELECT count(*) FROM {table}") == count
            following = ask(connection, f"SELECT nextval(pg_get_serial_sequence('{table}', 'id'))")
            assert following == ask(connection, f"SELECT coalesce(max(id), 0) + 1 FROM {table}")
        assert not ask(connection, "SELECT exists(SELECT FROM items WHERE name = 'spoiled')")

    def spoil(db):
        with psycopg.connect(db.dsn, autocommit=True) as connection:
            check_untouched(db, connection)
            connection.execute("UPDATE items SET name = 'spoiled'")
            connection.execute("DROP TABLE auth_events")
            connection.execute("CREATE TABLE left_over (n int)")
            connection.execute("DELETE FROM transactions")
            connection.execute("DELETE FROM users")
            connection.execute("ALTER SEQUENCE users_id_seq RESTART WITH 1000")
            connection.execute("ALTER DATABASE " + db.name + " SET search_path = nowhere")
        with open("names", "a") as file:
            file.write(db.name + "\\n")

    @pytest.mark.gamedata(users=5)
    @pytest.mark.parametrize("number", range(3))
    class TestSpoil:
        def test_it(self, gamedata_db, number):
            assert gamedata_db.counts["users"] == 5
            spoil(gamedata_db)

        def test_that_needs_none(self, number): pass

        @pytest.mark.gamedata(items=7)
        def test_other_dataset(self, gamedata_db, number):
            assert gamedata_db.counts["items"] == 7
            spoil(gamedata_db)

        @pytest.mark.gamedata(seed=2)
        def test_other_seed(self, gamedata_db, number):
            assert gamedata_db.spec.seed == 2
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


# by the names of their entry points: pytest-randomly looks for "xdist"
FEW_PLUGINS = [f"-p{name}" for name in ("gamedata", "xdist", "randomly")]


@pytest.mark.parametrize(("workers", "seed"), [("-n0", 1), ("-n0", 2), ("-n4", 3)])
def test_tests_do_not_see_each_other_in_random_order(project, run, monkeypatch, workers, seed):
    project.makepyfile(SPOIL)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    result = run(*FEW_PLUGINS, workers, f"--randomly-seed={seed}", installed=True)

    result.assert_outcomes(passed=12)
    assert f"Using --randomly-seed={seed}" in result.outlines
    names = (project.path / "names").read_text().split()
    assert len(names) == len(set(names)) == 9


def test_tests_do_not_see_each_other_in_several_processes(project, run):
    project.makepyfile(SPOIL)

    run("-n4").assert_outcomes(passed=12)

    names = (project.path / "names").read_text().split()
    assert len(names) == len(set(names)) == 9


def test_tests_do_not_see_each_other_backwards(project, run):
    project.makepyfile(SPOIL)
    project.makeconftest("def pytest_collection_modifyitems(items): items.reverse()")

    run().assert_outcomes(passed=12)


def test_databases_are_dropped_after_their_tests(project, run):
    project.makepyfile(dedent(SPOIL) + dedent(ALONE))

    run("-n0").assert_outcomes(passed=13)


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
