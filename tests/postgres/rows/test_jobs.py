import time

import psycopg
import pytest

from pytest_gamedata.postgres.rows.jobs import run_at_once, run_in_turn

pytestmark = pytest.mark.gamedata(users=0, items=0, transactions=0)


@pytest.fixture
def connections(gamedata_db):
    opened = [psycopg.connect(gamedata_db.dsn) for _ in range(2)]
    yield opened
    for connection in opened:
        connection.close()


def saying(query):
    return lambda cursor: cursor.execute(query)


def test_a_job_waits_for_those_that_it_needs_and_sees_what_they_did(connections):
    jobs = {
        ("third",): ([("second",)], saying("INSERT INTO steps SELECT max(step) + 1 FROM steps")),
        ("second",): ([("first",)], saying("INSERT INTO steps VALUES (2)")),
        ("first",): ([], saying("CREATE TABLE steps (step int)")),
    }

    run_at_once(connections, jobs)
    assert connections[0].execute("SELECT max(step) FROM steps").fetchone() == (3,)

    connections[0].execute("DROP TABLE steps")
    run_in_turn(connections[0].cursor(), jobs)
    assert connections[0].execute("SELECT max(step) FROM steps").fetchone() == (3,)


def test_as_many_jobs_run_at_a_time_as_there_are_connections(connections):
    meet = """
        DO $$ BEGIN
            PERFORM pg_advisory_lock({});
            FOR _ IN 1..500 LOOP
                IF EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = {}) THEN RETURN; END IF;
                PERFORM pg_sleep(0.01);
            END LOOP;
            RAISE 'nobody else came';
        END $$
    """

    run_at_once(
        connections, {("one",): ([], saying(meet.format(1, 2))), ("two",): ([], saying(meet.format(2, 1)))}
    )


def test_an_error_cancels_what_else_is_under_way(connections):
    began = time.monotonic()
    jobs = {
        ("endless",): ([], saying("SELECT pg_sleep(60)")),
        ("wrong",): ([], saying("SELECT 1 / 0")),
        ("never",): ([("wrong",)], saying("CREATE TABLE never ()")),
    }

    with pytest.raises(psycopg.errors.DivisionByZero):
        run_at_once(connections, jobs)

    assert time.monotonic() - began < 30
    assert connections[0].execute("SELECT to_regclass('never')").fetchone() == (None,)
