"""The fixtures: what a test gets, and what a project may put in its place."""

from textwrap import dedent


def test_game_database_describes_itself_and_can_be_reached(project, run):
    """One run with one server, for all that a single database shows."""
    project.makepyfile(
        """
        import asyncio
        import asyncpg
        import psycopg
        import pytest
        from argon2 import PasswordHasher
        from sqlalchemy import URL, func, select, text
        from pytest_gamedata import DatasetSpec
        from pytest_gamedata.models import AuthEvent, Item, Transaction, User

        TABLES = {"users": User, "items": Item, "transactions": Transaction, "auth_events": AuthEvent}

        def ask(db, query):
            with db.session() as session:
                return session.execute(text(query)).one()

        def test_counts_are_the_rows_seeded(gamedata_db):
            with gamedata_db.session() as session:
                counts = {name: session.scalar(select(func.count()).select_from(model)) for name, model in TABLES.items()}
            assert counts == gamedata_db.counts
            assert counts["users"] == 60
            assert counts["auth_events"] == 500

        def test_spec_is_what_was_asked(gamedata_db):
            assert gamedata_db.spec == DatasetSpec(users=60, auth_events=500)
            with pytest.raises(AttributeError):
                gamedata_db.spec.users = 7

        def test_cast(gamedata_db):
            assert len(gamedata_db.cast) == 18
            assert list(gamedata_db.cast)[:3] == ["whale", "free_player", "newcomer"]
            with gamedata_db.session() as session:
                whale = session.get(User, gamedata_db.cast["whale"])
                assert whale.lifetime_spend_usd_cents > 10_000
                assert session.get(User, gamedata_db.cast["banned"]).status == "banned"

        def test_password_verifies(gamedata_db):
            with gamedata_db.session() as session:
                hashes = session.scalars(select(User.password_hash).where(User.password_hash.is_not(None))).all()
            assert hashes
            assert all(PasswordHasher().verify(each, gamedata_db.password) for each in set(hashes))

        def test_role_is_no_superuser_and_owns_its_database(gamedata_db):
            query = "SELECT rolsuper, rolname = current_user FROM pg_database JOIN pg_roles r ON r.oid = datdba WHERE datname = current_database()"
            assert tuple(ask(gamedata_db, query)) == (False, True)

        def test_url(gamedata_db):
            url, server = gamedata_db.url, gamedata_db.server
            assert isinstance(url, URL)
            assert (url.drivername, url.host, url.port) == ("postgresql+psycopg", "127.0.0.1", server.port)
            assert (url.username, url.password, url.database) == (server.user, server.password, gamedata_db.name)
            assert gamedata_db.dsn == url.set(drivername="postgresql").render_as_string(hide_password=False)
            assert gamedata_db.async_url == url.set(drivername="postgresql+asyncpg")

        def test_env(gamedata_db):
            assert gamedata_db.env == {
                "PGHOST": "127.0.0.1",
                "PGPORT": str(gamedata_db.url.port),
                "PGUSER": gamedata_db.url.username,
                "PGPASSWORD": gamedata_db.url.password,
                "PGDATABASE": gamedata_db.name,
                "DATABASE_URL": gamedata_db.dsn,
            }

        def test_server(gamedata_server, gamedata_db):
            assert vars(gamedata_server).keys() >= {"host", "port", "user", "password", "dbname", "version"}
            with psycopg.connect(
                host=gamedata_server.host, port=gamedata_server.port, user=gamedata_server.user,
                password=gamedata_server.password, dbname=gamedata_server.dbname,
            ) as connection:
                version, = connection.execute("SHOW server_version").fetchone()
            assert version.startswith(gamedata_server.version)

        def test_dsn_with_psycopg(gamedata_db):
            with psycopg.connect(gamedata_db.dsn) as connection:
                assert connection.execute("SELECT count(*) FROM users").fetchone() == (60,)

        def test_dsn_with_asyncpg(gamedata_db):
            async def count():
                connection = await asyncpg.connect(gamedata_db.dsn)
                try:
                    return await connection.fetchval("SELECT count(*) FROM users")
                finally:
                    await connection.close()

            assert asyncio.run(count()) == 60

        def test_engine(gamedata_engine, gamedata_db):
            assert gamedata_engine is gamedata_db.engine
            with gamedata_engine.begin() as connection:
                assert connection.scalar(text("SELECT current_database()")) == gamedata_db.name

        def test_identities_go_on_after_the_highest_id(gamedata_db):
            with gamedata_db.engine.begin() as connection:
                for table in TABLES:
                    highest = connection.scalar(text(f"SELECT max(id) FROM {table}"))
                    sequence = connection.scalar(text(f"SELECT pg_get_serial_sequence('{table}', 'id')"))
                    assert connection.scalar(text(f"SELECT nextval('{sequence}')")) == highest + 1

        def test_sessions_need_not_be_closed(gamedata_db):
            gamedata_db.session().execute(text("SELECT 1"))
            gamedata_db.session().execute(text("UPDATE users SET locale = 'xx'"))
        """
    )

    run("--gamedata-users=60", "--gamedata-auth-events=500").assert_outcomes(passed=13)


def test_factories_persist_through_the_session(project, run):
    project.makepyfile(
        """
        import pytest
        from sqlalchemy import func, select
        from pytest_gamedata import UserFactory as PublicUserFactory
        from pytest_gamedata.errors import SessionMissingError
        from pytest_gamedata.factories import AuthEventFactory
        from pytest_gamedata.factories import ItemFactory
        from pytest_gamedata.factories import TransactionFactory
        from pytest_gamedata.factories import UserFactory
        from pytest_gamedata.models import User

        pytestmark = pytest.mark.gamedata(users=5)

        def test_create(gamedata_session, gamedata_db):
            user = UserFactory.create()
            assert user.id == 6
            users = UserFactory.create_batch(3)
            assert [user.id for user in users] == [7, 8, 9]
            transaction = TransactionFactory.create(user=users[0])
            assert transaction.user_id == 7
            AuthEventFactory.create()
            ItemFactory.create()
            with gamedata_db.session() as other:
                assert other.scalar(select(func.count()).select_from(User)) == 5  # flushed, not committed
            gamedata_session.commit()
            with gamedata_db.session() as other:
                assert other.scalar(select(func.count()).select_from(User)) >= 9

        def test_session_is_on_the_database(gamedata_session, gamedata_db, gamedata_engine):
            assert gamedata_session.get_bind() is gamedata_engine is gamedata_db.engine

        def test_session_is_gone_afterwards(gamedata_db):
            with pytest.raises(SessionMissingError) as caught:
                UserFactory.create()
            assert str(caught.value) == (
                "UserFactory.create() has no session to persist through. "
                "Request the gamedata_session fixture in the test, or use build() for a row in memory."
            )

        def test_batch_without_a_session():
            with pytest.raises(SessionMissingError, match=r"^ItemFactory.create\\(\\) has no session"):
                ItemFactory.create_batch(2)

        def test_build_needs_none():
            assert UserFactory.build().id is None
        """.replace("        from pytest_gamedata import UserFactory as PublicUserFactory\n", "")
    )

    run().assert_outcomes(passed=5)


def test_own_password(project, run):
    project.ini("gamedata_password = open sesame", "gamedata_password_hash = $plain$open sesame")
    project.makepyfile(
        """
        from sqlalchemy import select
        from pytest_gamedata.models import User

        def test_password(gamedata_db, gamedata_session):
            hashes = gamedata_session.scalars(select(User.password_hash).distinct()).all()
            assert set(hashes) - {None} == {"$plain$open sesame"}
            assert gamedata_db.password == "open sesame"
        """
    )

    run().assert_outcomes(passed=1)


OWN_PARTS = """
    import factory
    import pytest
    from sqlalchemy import text
    from pytest_gamedata.factories import FACTORIES
    from pytest_gamedata.factories import UserFactory
    from pytest_gamedata.models import Base

    class OwnUserFactory(UserFactory):
        locale = "{locale}"

    @pytest.fixture(scope="session")
    def gamedata_factories(gamedata_factories):
        return [OwnUserFactory, *gamedata_factories[:0:-1]]

    @pytest.fixture(scope="session")
    def gamedata_create_schema(gamedata_create_schema):
        def create_schema(engine):
            gamedata_create_schema(engine)
            with engine.begin() as connection:
                connection.execute(text("CREATE TABLE migrations_{locale} AS SELECT 1 AS version"))
        return create_schema
"""
OWN_TEST = """
    import pytest
    from sqlalchemy import text

    @pytest.mark.parametrize("number", range(2))
    def test_own(gamedata_session, number):
        ask = lambda query: gamedata_session.scalars(text(query)).all()
        assert ask("SELECT DISTINCT locale FROM users") == ["{locale}"]
        tables = "SELECT relname FROM pg_class WHERE relname LIKE 'migrations%'"
        assert ask(tables) == ["migrations_{locale}"]
"""


def test_own_factories_and_schema(project, run):
    """Two directories with parts of the same names, in one run with others that use ours."""
    for locale in ("aa", "bb"):
        directory = project.mkpydir(f"own_{locale}")
        for name, text in (("conftest.py", OWN_PARTS), ("test_own.py", OWN_TEST)):
            directory.joinpath(name).write_text(dedent(text).format(locale=locale))
    project.makepyfile(
        """
        from sqlalchemy import text

        def test_ours(gamedata_session):
            assert len(gamedata_session.scalars(text("SELECT DISTINCT locale FROM users")).all()) > 2
            assert not gamedata_session.scalars(text("SELECT 1 FROM pg_class WHERE relname LIKE 'migrations%'")).all()
        """
    )

    run("--gamedata-users=20", "-n2").assert_outcomes(passed=5)


def test_metadata_of_two_applications(project, run):
    """Both give `metadata.create_all`, and are told apart by their tables."""
    for name in ("one", "two"):
        directory = project.mkpydir(name)
        directory.joinpath("conftest.py").write_text(
            dedent(
                f"""
                import pytest
                from sqlalchemy import Column, Integer, MetaData, Table
                from pytest_gamedata.models import Base

                metadata = MetaData()
                for table in Base.metadata.sorted_tables:
                    table.to_metadata(metadata)
                Table("of_{name}", metadata, Column("id", Integer, primary_key=True))

                @pytest.fixture(scope="session")
                def gamedata_create_schema():
                    return metadata.create_all
                """
            )
        )
        directory.joinpath("test_it.py").write_text(
            dedent(
                f"""
                from sqlalchemy import inspect

                def test_it(gamedata_engine):
                    names = inspect(gamedata_engine).get_table_names()
                    assert [name for name in names if name.startswith("of_")] == ["of_{name}"]
                """
            )
        )

    run("--gamedata-users=2").assert_outcomes(passed=2)


def test_parts_that_cannot_be_used(project, run):
    project.makepyfile(
        test_factory="""
        import factory
        import pytest

        class StrangeFactory(factory.Factory):
            class Meta:
                model = dict

        @pytest.fixture(scope="session")
        def gamedata_factories():
            return [StrangeFactory]

        def test_it(gamedata_db): pass
        """,
        test_rows="""
        import pytest
        from pytest_gamedata.factories import FACTORIES
        from pytest_gamedata.factories import ItemFactory

        class LongFactory(ItemFactory):
            name = "x" * 129

        @pytest.fixture(scope="session")
        def gamedata_factories():
            return [*FACTORIES, LongFactory]

        def test_it(gamedata_db): pass
        """,
        test_schema="""
        import pytest
        from sqlalchemy import text

        @pytest.fixture(scope="session")
        def gamedata_create_schema():
            return migrate

        def migrate(engine):
            with engine.begin() as connection:
                connection.execute(text("CREATE TABEL users ()"))

        def test_it(gamedata_db): pass
        """,
        test_works="""
        import psycopg

        def test_nothing_half_made_is_left(gamedata_db):
            with psycopg.connect(gamedata_db.dsn) as connection:
                names = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'gamedata%'").fetchall()
            assert len(names) == 2  # this test's, and its template
        """,
    )

    result = run("--gamedata-users=5")

    result.assert_outcomes(errors=3, passed=1)
    long_name = f"LongFactory: the value {'x' * 129!r} of row 0 does not fit column 'name' of table 'items'"
    messages = {
        (
            "gamedata_factories: StrangeFactory needs a number of rows: "
            "(StrangeFactory, 20) or (StrangeFactory, Per(parent, 1.5))."
        ),
        f"{long_name}: value too long for type character varying(128).",
        "test_schema.py:10: ",  # a failing migration keeps its traceback
    }
    assert messages <= set(result.outlines)
    assert not result.errlines
