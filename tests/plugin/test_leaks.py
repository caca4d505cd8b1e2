"""Connections that a test leaves open: reported, closed, and no hindrance."""

LEAKS = """
    import time
    import psycopg
    import pytest
    from sqlalchemy import create_engine, text

    held = []

    def test_leaves_a_connection_open(gamedata_db):
        connection = psycopg.connect(gamedata_db.dsn, application_name="shop")
        connection.execute("SELECT 'the last query' -- of this connection")
        held.append(connection)

    def test_leaves_an_engine_open(gamedata_db):
        engine = create_engine(gamedata_db.url)
        with engine.connect() as connection:
            connection.execute(text("SELECT 42"))
        held.append(engine)

    def test_leaves_our_own_session_open(gamedata_db, gamedata_session):
        gamedata_session.execute(text("SELECT 1"))
        gamedata_db.session().execute(text("SELECT 2"))

    def test_closes(gamedata_db):
        for _ in range(5):
            with psycopg.connect(gamedata_db.dsn) as connection:
                connection.execute("SELECT 1")
        engine = create_engine(gamedata_db.url)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        engine.dispose()

    def test_databases_are_gone(gamedata_db):
        deadline, names = time.monotonic() + 5, set()
        with psycopg.connect(gamedata_db.dsn, autocommit=True) as connection:
            while time.monotonic() < deadline and names != {"postgres", gamedata_db.name}:  # dropped behind
                rows = connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate").fetchall()
                names = {name for name, in rows}
        assert names == {"postgres", gamedata_db.name}
        for each in held:
            getattr(each, "dispose", each.close if hasattr(each, "close") else None)()
"""
FIRST = (
    "test_leaks.py::test_leaves_a_connection_open left a connection open (application_name 'shop', "
    "last query \"SELECT 'the last query' -- of this connection\"). It was closed; close it in the test or the app."
)
SECOND = (
    "test_leaks.py::test_leaves_an_engine_open left a connection open (application_name '', "
    "last query 'ROLLBACK'). It was closed; close it in the test or the app."
)


def test_open_connections_are_closed_and_reported(project, run):
    project.makepyfile(test_leaks=LEAKS)

    result = run("--gamedata-users=2", "-W", "default::pytest_gamedata.errors.LeakedConnectionWarning")

    result.assert_outcomes(passed=5, warnings=2)
    for message in (FIRST, SECOND):
        warning = f"LeakedConnectionWarning: {message}"
        assert [line for line in result.outlines if line.endswith(warning)]


def test_warning_can_be_made_an_error(project, run):
    project.makepyfile(test_leaks=LEAKS)

    result = run("--gamedata-users=2", "-k", "leaves_a_connection_open or closes")

    result.assert_outcomes(passed=2, errors=1, deselected=3)
    assert FIRST in result.outlines
    assert "Traceback" not in result.stdout.str()


def test_test_that_ends_all_connections(project, run):
    """It ends ours too: another is opened."""
    project.makepyfile(
        """
        import psycopg

        END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = user"

        def test_ends_all(gamedata_db):
            with psycopg.connect(gamedata_db.dsn) as connection:
                assert len(connection.execute(END).fetchall()) >= 1

        def test_goes_on(gamedata_db):
            with psycopg.connect(gamedata_db.dsn) as connection:
                query = "SELECT count(*) FROM pg_database WHERE NOT datistemplate"
                assert connection.execute(query).fetchone()[0] <= 4
        """
    )

    run("--gamedata-users=2").assert_outcomes(passed=2)
