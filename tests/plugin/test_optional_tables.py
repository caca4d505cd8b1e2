"""Play sessions and inventory: tables of ours that are filled only where their factories are returned."""

from textwrap import dedent

import pytest

CONFTEST = """
import pytest
from pytest_gamedata.factories import FACTORIES, InventoryFactory, PlaySessionFactory

@pytest.fixture(scope="session")
def gamedata_factories():
    return [*FACTORIES, PlaySessionFactory, InventoryFactory]
"""
ASKING = """
import pytest
from sqlalchemy import text

@pytest.fixture
def ask(gamedata_session):
    return lambda query: gamedata_session.execute(text(query)).all()
"""
# Each query finds rows that break a rule.
SQL = {
    "a session without its login": '''
        SELECT * FROM play_sessions s LEFT JOIN auth_events e ON e.session_id = s.session_id
            AND e.event_type = 'login_success' AND e.occurred_at = s.started_at AND e.user_id = s.user_id
            AND e.device_id = s.device_id AND e.platform = s.platform WHERE e.id IS NULL''',
    "a logout at another moment": '''
        SELECT * FROM play_sessions s JOIN auth_events e USING (session_id)
        WHERE e.event_type = 'logout' AND e.occurred_at <> s.ended_at''',
    "a playtime that is not the sum of the sessions": '''
        SELECT * FROM users u JOIN (SELECT user_id, sum(duration_seconds) played FROM play_sessions GROUP BY 1) s
            ON s.user_id = u.id WHERE u.playtime_seconds <> s.played''',
    "a user without sessions": "SELECT * FROM users WHERE id NOT IN (SELECT user_id FROM play_sessions)",
    "sessions that overlap": '''
        SELECT * FROM (SELECT started_at, lag(ended_at) OVER (PARTITION BY user_id ORDER BY started_at) before
            FROM play_sessions) s WHERE started_at < before''',
    "sessions of accounts that are not there": '''
        SELECT * FROM play_sessions s JOIN users u ON u.id = user_id
        WHERE started_at < created_at OR ended_at > coalesce(deleted_at, 'infinity')''',
    "an inventory that the ledger does not explain": '''
        WITH moves AS (
            SELECT user_id, item_id, quantity FROM transactions WHERE status = 'completed' AND
                (type IN ('iap_purchase', 'store_purchase', 'loot_drop', 'reward') OR (type = 'trade' AND soft_delta < 0))
            UNION ALL SELECT counterparty_user_id, item_id, quantity FROM transactions
                WHERE status = 'completed' AND type = 'gift'
            UNION ALL SELECT user_id, item_id, -quantity FROM transactions
                WHERE status = 'completed' AND (type = 'gift' OR (type = 'trade' AND soft_delta > 0))
        ), left_over AS (
            SELECT user_id, item_id, sum(quantity) AS quantity FROM moves JOIN items ON items.id = item_id
            WHERE item_type <> 'currency_pack' GROUP BY 1, 2 HAVING sum(quantity) > 0
        ) SELECT * FROM left_over l FULL JOIN inventory i USING (user_id, item_id)
        LEFT JOIN items ON items.id = item_id
        WHERE CASE WHEN item_type IN ('consumable', 'loot_box') THEN coalesce(i.quantity, 0) > coalesce(l.quantity, 0)
              ELSE i.quantity IS DISTINCT FROM l.quantity END''',
    "things that nobody had by then": '''
        SELECT * FROM inventory i JOIN users u ON u.id = user_id
        WHERE acquired_at < created_at OR i.updated_at < acquired_at''',
}  # fmt: skip


@pytest.mark.parametrize("args", [[], ["-n2"]], ids=["alone", "n2"])
def test_they_hold_what_the_auth_log_and_the_ledger_say(project, run, args):
    project.makeconftest(CONFTEST + ASKING)
    project.makepyfile(
        f"""
        import pytest

        SQL = {SQL!r}

        @pytest.mark.gamedata(users=300)
        @pytest.mark.parametrize("problem", SQL)
        def test_no(ask, problem):
            assert ask(SQL[problem]) == []

        @pytest.mark.gamedata(users=300)
        def test_counts(ask, gamedata_db):
            assert list(gamedata_db.counts) == [
                "users", "items", "transactions", "auth_events", "play_sessions", "inventory"
            ]
            for table, count in gamedata_db.counts.items():
                assert ask(f"SELECT count(*) FROM {{table}}") == [(count,)]
            assert gamedata_db.counts["play_sessions"] > 3000 and gamedata_db.counts["inventory"] > 300

        @pytest.mark.gamedata(users=300)
        def test_what_is_used_up_lasts_in_part(ask):
            [(left, got)] = ask('''SELECT
                (SELECT sum(quantity) FROM inventory JOIN items ON items.id = item_id WHERE item_type = 'consumable'),
                (SELECT sum(quantity) FROM transactions t JOIN items ON items.id = item_id
                 WHERE item_type = 'consumable' AND status = 'completed' AND t.type IN ('store_purchase', 'loot_drop'))''')
            assert 0.3 < left / got < 0.6
        """
    )

    run(*args).assert_outcomes(passed=len(SQL) + 2)


TEAM = """
import uuid
import factory
import pytest
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from datetime import datetime
from pytest_gamedata.factories import InventoryFactory, ItemFactory, PlaySessionFactory, UserFactory

class Base(DeclarativeBase):
    pass

class Player(Base):
    __tablename__ = "players"
    uid: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    username: Mapped[str]

class Thing(Base):
    __tablename__ = "things"
    sku: Mapped[str] = mapped_column(String(128), primary_key=True)

class Visit(Base):
    __tablename__ = "visits"
    visit_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    player: Mapped[uuid.UUID] = mapped_column(ForeignKey("players.uid"))
    started_at: Mapped[datetime]
    minutes: Mapped[float]
    handle: Mapped[str]

class Possession(Base):
    __tablename__ = "possessions"
    player: Mapped[uuid.UUID] = mapped_column(ForeignKey("players.uid"), primary_key=True)
    thing: Mapped[str] = mapped_column(ForeignKey("things.sku"), primary_key=True)
    quantity: Mapped[int]

class PlayerFactory(UserFactory):
    class Meta:
        model = Player

class ThingFactory(ItemFactory):
    class Meta:
        model = Thing

class VisitFactory(PlaySessionFactory):
    class Meta:
        model = Visit
        rename = {"user_id": "player"}
    minutes = factory.LazyAttribute(lambda visit: visit.duration_seconds / 60)
    handle = factory.LazyAttribute(lambda visit: visit.user.username)

class PossessionFactory(InventoryFactory):
    class Meta:
        model = Possession
        rename = {"user_id": "player", "item_id": "thing"}
"""
OWN_TABLES = """
    import pytest
    from team import Base, PlayerFactory, PossessionFactory, ThingFactory, VisitFactory

    @pytest.fixture(scope="session")
    def gamedata_create_schema():
        return Base.metadata.create_all

    @pytest.fixture(scope="session")
    def gamedata_factories():
        return [VisitFactory, PossessionFactory, PlayerFactory, ThingFactory]
"""


def test_a_subclass_fills_a_table_of_the_team(project, run):
    project.ini("pythonpath = .")
    project.makepyfile(team=TEAM)
    project.makeconftest(dedent(OWN_TABLES) + ASKING)
    project.makepyfile(
        """
        def test_rows(ask, gamedata_db):
            assert ask("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
                       "ORDER BY 1") == [("players",), ("possessions",), ("things",), ("visits",)]
            counts = gamedata_db.counts
            assert list(counts) == ["visits", "possessions", "players", "things"]
            assert ask("SELECT count(*), count(DISTINCT player) FROM visits") == [(counts["visits"], 100)]
            [(possessions, total)] = ask("SELECT count(*), sum(quantity) FROM possessions")
            assert possessions == counts["possessions"] < total

        def test_declarations_read_what_the_dataset_says(ask):
            assert ask("SELECT * FROM visits JOIN players ON uid = player WHERE handle <> username") == []
            assert ask("SELECT 1 FROM visits WHERE abs(minutes * 60 - round(minutes * 60)) > 1e-6 OR minutes <= 0") == []

        def test_the_cast_has_sessions_and_things(ask, gamedata_db):
            for role in gamedata_db.cast.values():
                assert ask(f"SELECT count(*) FROM visits WHERE player = '{role}'")[0][0] > 0
            whale = gamedata_db.cast["whale"]
            assert ask(f"SELECT sum(quantity) FROM possessions WHERE player = '{whale}'")[0][0] > 10
        """
    )

    run().assert_outcomes(passed=3)


def test_a_subclass_without_a_model_changes_ours(project, run):
    project.makeconftest(
        dedent("""
        import factory
        import pytest
        from pytest_gamedata.factories import FACTORIES, PlaySessionFactory

        class WebFactory(PlaySessionFactory):
            platform = factory.LazyAttribute(lambda row: "web" if row.user.mfa_enabled else "linux")

        @pytest.fixture(scope="session")
        def gamedata_factories():
            return [*FACTORIES, WebFactory]
        """)
        + ASKING
    )
    project.makepyfile(
        """
        def test_platforms(ask):
            assert sorted(ask("SELECT DISTINCT s.platform, mfa_enabled FROM play_sessions s JOIN users u ON u.id = user_id")) == [
                ("linux", False), ("web", True)]
        """
    )

    run().assert_outcomes(passed=1)


def test_they_are_built_and_created_like_the_others(project, run):
    project.makeconftest(CONFTEST)
    project.makepyfile(
        """
        from pytest_gamedata.factories import InventoryFactory, PlaySessionFactory, UserFactory
        from pytest_gamedata.models import InventoryItem, PlaySession, User

        def test_build():
            session, held = PlaySessionFactory.build(), InventoryFactory.build()
            assert isinstance(session, PlaySession) and isinstance(session.user, User)
            assert session.user.created_at <= session.started_at < session.ended_at
            assert (session.ended_at - session.started_at).total_seconds() == session.duration_seconds
            assert isinstance(held, InventoryItem) and held.item.item_type != "currency_pack"
            assert held.user.created_at < held.acquired_at <= held.updated_at and held.quantity > 0
            assert len({session.session_id for session in PlaySessionFactory.build_batch(5)}) == 5

        def test_what_is_used_up_is_held_too():
            held = [InventoryFactory.build(item__store_type="consumable") for _ in range(20)]
            assert min(each.quantity for each in held) == 1

        def test_create(gamedata_session):
            user = UserFactory.create()
            session, held = PlaySessionFactory.create(user=user), InventoryFactory.create(user_id=user.id, item_id=3)
            gamedata_session.expire_all()
            assert gamedata_session.get(PlaySession, session.id).user_id == user.id
            assert gamedata_session.get(InventoryItem, held.id).item.id == 3

        def test_the_cast_has_sessions(gamedata_session, gamedata_db):
            for user_id in gamedata_db.cast.values():
                assert gamedata_session.query(PlaySession).filter_by(user_id=user_id).count()
        """
    )

    run().assert_outcomes(passed=4)


def test_by_default_they_are_not_there(project, run):
    project.makepyfile(
        """
        from sqlalchemy import inspect

        def test_tables(gamedata_db):
            assert sorted(inspect(gamedata_db.engine).get_table_names()) == ["auth_events", "items", "transactions", "users"]
            assert list(gamedata_db.counts) == ["users", "items", "transactions", "auth_events"]
        """
    )

    run().assert_outcomes(passed=1)


def test_the_header_counts_their_rows(project, run):
    project.makeconftest(CONFTEST)
    project.makepyfile("def test(gamedata_db): print(gamedata_db.counts)")

    result = run("--gamedata-users=0", "--gamedata-items=0")

    result.stdout.fnmatch_lines(
        ["*users 0, items 0, transactions 0, auth_events 0, play_sessions 0, inventory 0*"]
    )


def test_our_table_cannot_refer_to_tables_of_the_team(project, run):
    project.ini("pythonpath = .")
    project.makepyfile(team=TEAM)
    project.makeconftest(
        """
        import pytest
        from pytest_gamedata.factories import PlaySessionFactory
        from team import Base, PlayerFactory

        @pytest.fixture(scope="session")
        def gamedata_create_schema():
            return Base.metadata.create_all

        @pytest.fixture(scope="session")
        def gamedata_factories():
            return [PlayerFactory, PlaySessionFactory]
        """
    )
    project.makepyfile("def test(gamedata_db): pass")

    result = run()

    result.assert_outcomes(errors=1)
    message = (
        "*PlaySessionFactory: our table 'play_sessions' cannot be created beside yours: "
        'relation "users" does not exist. '
        "Subclass PlaySessionFactory with a table of your own in Meta.model or Meta.table."
    )
    result.stdout.fnmatch_lines([message])
