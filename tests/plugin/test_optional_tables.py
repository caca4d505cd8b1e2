"""Play sessions and inventory: tables of ours that are filled only where their factories are returned."""

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
