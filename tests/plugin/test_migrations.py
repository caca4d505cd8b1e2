"""Tables made by Alembic's migrations, or by a program that a `gamedata_create_schema` starts."""

from textwrap import dedent

import pytest

SYNC_ENV = """
    from logging.config import fileConfig
    from alembic import context
    from sqlalchemy import engine_from_config

    config = context.config
    fileConfig(config.config_file_name)
    with engine_from_config(config.get_section("alembic"), prefix="sqlalchemy.").connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""
ASYNC_ENV = """
    import asyncio
    from logging.config import fileConfig
    from alembic import context
    from sqlalchemy.ext.asyncio import async_engine_from_config

    config = context.config
    fileConfig(config.config_file_name)

    def migrate(connection):
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()

    async def main():
        engine = async_engine_from_config(config.get_section("alembic"), prefix="sqlalchemy.")
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
        await engine.dispose()

    asyncio.run(main())
"""
REVISION = """
    from alembic import op
    {imports}

    revision = "{revision}"
    down_revision = {before!r}

    def upgrade():
        {upgrade}
"""
INI = """
    [alembic]
    script_location = migrations
    sqlalchemy.url = {url}

    [loggers]
    keys = root
    [handlers]
    keys = console
    [formatters]
    keys =
    [logger_root]
    level = ERROR
    handlers = console
    [handler_console]
    class = StreamHandler
    args = (sys.stderr,)
    formatter =
"""
NOTHING_SEEDED = """
    import pytest

    @pytest.fixture(scope="session")
    def gamedata_factories():
        return []
"""
QUERY = """
    from sqlalchemy import text

    def ask(gamedata_db, query):
        with gamedata_db.engine.connect() as connection:
            return connection.scalar(text(query))
"""
CREATE = 'op.execute("CREATE TABLE players (id int)")'


WENT_ELSEWHERE = (
    "alembic.ini: `upgrade head` ran, but not on the database of the tests: env.py takes its address from elsewhere. "
    "Let it use config.get_main_option('sqlalchemy.url'), or DATABASE_URL as it is when env.py runs."
)
FAILED = (
    "alembic.ini: `upgrade head` failed at migrations/versions/one.py:9: ProgrammingError: "
    '(psycopg.errors.UndefinedTable) relation "guilds" does not exist'
)


@pytest.fixture
def migrated(project):
    """Give a project whose tables are made by Alembic; `migrated(upgrade, ...)` writes the migration."""
    project.ini("gamedata_alembic = alembic.ini", "pythonpath = .")
    project.makeconftest(dedent(NOTHING_SEEDED))
    project.makepyfile(asking=dedent(QUERY))

    def migrated(upgrade=CREATE, imports="", env=SYNC_ENV, url="postgresql://nobody@localhost:1/nowhere"):
        versions = project.mkdir("migrations") / "versions"
        versions.mkdir()
        text = REVISION.format(imports=imports, revision="one", before=None, upgrade=upgrade)
        (versions / "one.py").write_text(dedent(text))
        (versions.parent / "env.py").write_text(dedent(env))
        (project.path / "alembic.ini").write_text(dedent(INI.format(url=url)))

    return migrated


TEST = """
    from asking import ask

    def test_tables(gamedata_db):
        assert ask(gamedata_db, "SELECT count(*) FROM players") == 0
        assert ask(gamedata_db, "SELECT version_num FROM alembic_version") == "one"
        assert gamedata_db.counts == {}
"""


@pytest.mark.parametrize(
    ("env", "url"),
    [
        (SYNC_ENV, "driver://user:pass@localhost/dbname"),
        (SYNC_ENV, ""),
        (ASYNC_ENV, "postgresql+asyncpg://localhost/app"),
        (ASYNC_ENV, ""),
    ],
)
def test_migrations_make_the_tables(project, migrated, run, env, url):
    migrated(env=env, url=url)
    project.makepyfile(dedent(TEST))

    result = run()

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["  no rows: built in *"])


def test_the_environment_names_the_database_meanwhile_and_is_then_as_it_was(
    project, migrated, run, monkeypatch
):
    monkeypatch.setenv("DATABASE_URL", "postgresql://production")
    monkeypatch.setenv("PGHOST", "production")
    monkeypatch.delenv("PGDATABASE", raising=False)
    program = "import os, psycopg; [psycopg.connect(arg).execute('CREATE TABLE ' + name + ' ()').connection.commit() for arg, name in ((os.environ['DATABASE_URL'], 'by_url'), ('', 'by_pg'))]"
    upgrade = f"op.execute('COMMIT'); subprocess.run([sys.executable, '-c', {program!r}], check=True)"
    migrated(upgrade, imports="import subprocess, sys")
    project.makepyfile(
        dedent("""
        import os
        from asking import ask

        def test_tables(gamedata_db):
            assert ask(gamedata_db, "SELECT to_regclass('by_url') IS NOT NULL AND to_regclass('by_pg') IS NOT NULL")
            assert (os.environ["DATABASE_URL"], os.environ["PGHOST"]) == ("postgresql://production", "production")
            assert "PGDATABASE" not in os.environ
    """)
    )

    run().assert_outcomes(passed=1)


OTHER_LOGGING = """
    import logging.config
    logging.config.dictConfig({"version": 1, "root": {"level": "CRITICAL", "handlers": []}})
"""


@pytest.mark.parametrize("more", ["", OTHER_LOGGING])
def test_loggers_of_the_run_are_left_alone(project, migrated, run, more):
    migrated(env=dedent(SYNC_ENV) + dedent(more))
    project.makepyfile(
        dedent("""
        import logging
        logger = logging.getLogger("app")

        def test_first(gamedata_db, caplog):
            logger.warning("while the migrations have just run")
            assert caplog.messages == ["while the migrations have just run"]

        def test_second(caplog):
            logger.warning("heard")
            assert caplog.messages == ["heard"]
            assert not logger.disabled
            assert logging.getLogger().level == logging.WARNING
    """)
    )

    run().assert_outcomes(passed=2)


def test_a_file_that_is_not_there_is_a_usage_error(project, refuse):
    project.ini("gamedata_alembic = missing.ini")

    assert refuse() == [
        f"ERROR: ini gamedata_alembic: 'missing.ini' is no file in '{project.path}'. Name your alembic.ini."
    ]


def errors_of(result):
    """The lines of the report of an error at setup, below its headline."""
    lines = result.outlines
    start = next(number for number, line in enumerate(lines) if line.startswith("___"))
    end = next(number for number, line in enumerate(lines) if number > start and line.startswith("==="))
    return lines[start + 1 : end]


def test_without_alembic_the_error_says_what_to_install(project, migrated, run):
    migrated()
    project.makepyfile(alembic="raise ModuleNotFoundError(name='alembic')")
    project.makepyfile("def test_tables(gamedata_db): ...")

    result = run()

    result.assert_outcomes(errors=1)
    assert errors_of(result) == ["alembic.ini needs Alembic: pip install alembic."]


def test_a_migration_that_fails_is_one_message(project, migrated, run):
    migrated('op.execute("ALTER TABLE guilds ADD motto text")')
    project.makepyfile("def test_tables(gamedata_db): ...")

    result = run()

    result.assert_outcomes(errors=1)
    assert errors_of(result) == [FAILED]


@pytest.mark.gamedata(users=0, items=0, transactions=0)
def test_a_migration_of_another_database_is_an_error(project, migrated, run, gamedata_db):
    """An env.py that takes its address from settings of the app, which were read before."""
    url = gamedata_db.url.render_as_string(hide_password=False)
    migrated(env=SYNC_ENV.replace('config.get_section("alembic")', repr({"sqlalchemy.url": url})))
    project.makepyfile("def test_tables(gamedata_db): ...")

    result = run()

    result.assert_outcomes(errors=1)
    assert errors_of(result) == [WENT_ELSEWHERE]


def test_a_connection_that_a_migration_leaves_open_is_in_nobodys_way(project, migrated, run):
    env = """
        from alembic import context
        from sqlalchemy import create_engine
        from app import engines

        engines.append(create_engine(context.config.get_main_option("sqlalchemy.url")))
        with engines[-1].connect() as connection:
            context.configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()
    """
    migrated(env=env)
    project.makepyfile(app="engines = []")
    project.makepyfile(dedent(TEST))

    run().assert_outcomes(passed=1)


def test_a_schema_may_be_made_by_a_program(project, run):
    project.makeconftest(
        dedent("""
        import subprocess
        import sys
        import pytest

        PROGRAM = "import psycopg; psycopg.connect().execute('CREATE TABLE players ()').connection.commit()"

        @pytest.fixture(scope="session")
        def gamedata_create_schema():
            return lambda engine: subprocess.run([sys.executable, "-c", PROGRAM], check=True)

        @pytest.fixture(scope="session")
        def gamedata_factories():
            return []
    """)
    )
    project.makepyfile(asking=dedent(QUERY))
    project.makepyfile(
        dedent("""
        from asking import ask

        def test_tables(gamedata_db):
            assert ask(gamedata_db, "SELECT count(*) FROM players") == 0
    """)
    )
    project.ini("pythonpath = .")

    run().assert_outcomes(passed=1)
