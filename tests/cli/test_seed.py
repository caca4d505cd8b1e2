import contextlib
import os
import pty
import random
import re
import signal
import time

import psycopg
import pytest
from commands import environment, interrupt, run, seeded, start, state, wait_until_alone

from pytest_gamedata import DatasetSpec, build_dataset, load_dataset

USERS = 8_000  # enough to be interrupted at


def count(database, table="users"):
    with psycopg.connect(database.dsn) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_an_empty_database_gets_tables_and_rows(empty):
    out = seeded(empty, "--users", 60, "--seed", 3)

    dataset = build_dataset(DatasetSpec(users=60, seed=3))
    assert {table: count(empty, table) for table in dataset.counts} == dataset.counts
    rows = ", ".join(f"{table} {number:,}" for table, number in dataset.counts.items())
    assert re.search(rf"^rows +{rows} *$", out, re.MULTILINE)
    assert re.search(r"^cast +whale \d+, free_player \d+, ", out, re.MULTILINE)
    where = f"postgresql://gamedata:***@127.0.0.1:{empty.server.port}/{empty.name}"
    total = f"{sum(dataset.counts.values()):,}"
    last = rf"{total} rows loaded into {re.escape(where)} in \d+\.\d s \([\d,]+ rows/s\)\."
    assert re.fullmatch(last, out.splitlines()[-1])


def test_a_terminal_shows_a_bar_for_each_table(empty):
    ours, theirs = pty.openpty()
    command = ("seed", "--url", empty.dsn, "--users", 3000)
    terminal = {"stdout": theirs, "stderr": theirs, "env": environment(COLUMNS="150", TERM="xterm")}
    with start(*command, **terminal) as process:
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # Linux says so at the end
            while block := os.read(ours, 65536):
                seen += block
    os.close(ours)

    assert process.returncode == 0
    for table, rows in build_dataset(DatasetSpec(users=3000)).counts.items():
        assert re.search(rf"✓ {table} .*{rows:,} of {rows:,}, [\d,]+ rows/s", seen.decode()), table
    assert re.search("✓ keys, indexes", seen.decode())


def test_what_others_have_made_of_the_tables_stays(empty):
    """Partitions and their indexes, a replica identity, a comment, braces, a column that is gone."""
    seeded(empty, "--users", 5)
    run("clear", "--url", empty.dsn, "--yes")
    with psycopg.connect(empty.dsn) as connection:
        connection.execute("COMMENT ON TABLE users IS 'Owner: accounts'")
        connection.execute("ALTER TABLE users REPLICA IDENTITY USING INDEX users_pkey")
        connection.execute("ALTER TABLE users ADD extra int, ADD UNIQUE (id, username)")
        connection.execute("ALTER TABLE users DROP extra")
        connection.execute('CREATE TABLE "odd{x}" (user_id bigint REFERENCES users)')
        connection.execute("ALTER TABLE auth_events RENAME TO plain")
        connection.execute(
            "CREATE TABLE auth_events (LIKE plain INCLUDING DEFAULTS INCLUDING IDENTITY) PARTITION BY RANGE (id)"
        )
        connection.execute("CREATE TABLE auth_events_1 PARTITION OF auth_events FOR VALUES FROM (1) TO (100)")
        connection.execute("CREATE TABLE auth_events_2 PARTITION OF auth_events DEFAULT")
        connection.execute("CREATE UNIQUE INDEX once ON auth_events (id, occurred_at)")

    seeded(empty, "--users", 60)

    with psycopg.connect(empty.dsn) as connection:

        def ask(query):
            return connection.execute(query).fetchall()

        assert ask("SELECT obj_description('users'::regclass)") == [("Owner: accounts",)]
        assert ask("SELECT indexrelid::regclass::text FROM pg_index WHERE indisreplident") == [
            ("users_pkey",)
        ]
        assert ask("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
        assert ask("SELECT count(*) FROM pg_inherits WHERE inhparent = 'once'::regclass") == [(2,)]
        assert ask(
            "SELECT conrelid::regclass::text FROM pg_constraint WHERE confrelid = 'users'::regclass AND conrelid = '\"odd{x}\"'::regclass"
        ) == [('"odd{x}"',)]


def test_of_two_at_once_one_is_refused(empty):
    both = [start("seed", "--url", empty.dsn, "--users", 500) for _ in range(2)]
    told = sorted((process.communicate(timeout=60)[1], process.returncode) for process in both)

    assert told[0] == ("", 0)
    assert told[1][1] == 3
    assert "has rows already" in told[1][0] or "already has rows" in told[1][0]
    assert count(empty) == 500


def test_a_reader_that_has_seen_enough_is_no_failed_check(empty):
    seeded(empty, "--users", 60)
    process = start("check", "--url", empty.dsn)
    process.stdout.close()  # as `| head` does

    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == -signal.SIGPIPE


def test_what_is_no_terminal_gets_no_bar(empty):
    assert run("seed", "--url", empty.dsn, "--users", 300)[2] == ""


def test_it_loads_the_rows_that_python_loads(empty):
    seeded(empty, "--users", 20)
    with psycopg.connect(empty.dsn) as connection:
        by_command = connection.execute("SELECT * FROM auth_events ORDER BY id").fetchall()
    run("clear", "--url", empty.dsn, "--yes")
    load_dataset(empty.engine, build_dataset(DatasetSpec(users=20)))
    empty.close()

    with psycopg.connect(empty.dsn) as connection:
        assert connection.execute("SELECT * FROM auth_events ORDER BY id").fetchall() == by_command


def test_the_environment_says_where(empty):
    assert run("seed", "--users", 5, DATABASE_URL=empty.dsn)[0] == 0
    assert count(empty) == 5


@pytest.mark.parametrize("driver", ["postgres", "postgresql+asyncpg"])
def test_addresses_for_other_clients_will_do(empty, driver):
    assert run("seed", "--users", 5, "--url", empty.dsn.replace("postgresql", driver, 1))[0] == 0
    assert count(empty) == 5


def test_rows_that_are_there_stay(empty):
    seeded(empty, "--users", 5, "--transactions", 0, "--auth-events", 9)
    before = state(empty)

    status, out, err = run("seed", "--url", empty.dsn, "--users", 7)

    where = f"postgresql://gamedata:***@127.0.0.1:{empty.server.port}/{empty.name}"
    assert (status, out) == (3, "")
    assert err == (
        f"Error: {where} has rows already: users 5, items 120, transactions 0, auth_events 9. "
        "Add --clear to remove them first.\n"
    )
    assert state(empty) == before


@pytest.mark.parametrize(("answer", "users"), [("y\n", 7), ("n\n", 5), ("", 5)])
def test_clearing_is_asked_for(empty, answer, users):
    seeded(empty, "--users", 5, "--transactions", 0, "--auth-events", 9)

    status, _, err = run("seed", "--url", empty.dsn, "--users", 7, "--clear", answer=answer)

    where = f"postgresql://gamedata:***@127.0.0.1:{empty.server.port}/{empty.name}"
    question = (
        f"{where} has users 5, items 120, transactions 0, auth_events 9. Remove all of these rows? [y/N]: "
    )
    refusal = "Error: Nothing was changed. Answer y, or add --yes.\n"
    assert err.replace("\n", "") == (question if users == 7 else question + refusal).replace("\n", "")
    assert status == (0 if users == 7 else 2)
    assert count(empty) == users


def test_nobody_is_asked_with_yes(empty):
    seeded(empty, "--users", 5)
    seeded(empty, "--users", 7, "--clear", "--yes")

    assert count(empty) == 7
    with psycopg.connect(empty.dsn) as connection:
        assert connection.execute("SELECT nextval('users_id_seq')").fetchone() == (8,)


def test_a_table_that_is_not_ours_is_refused(empty):
    with psycopg.connect(empty.dsn) as connection:
        connection.execute("CREATE TABLE users (id bigint PRIMARY KEY, name text)")
        connection.execute("INSERT INTO users VALUES (1, 'somebody real')")
    before = state(empty)

    status, out, err = run("seed", "--url", empty.dsn, "--clear", "--yes")

    assert (status, out) == (3, "")
    assert err == (
        "Error: Table 'users' is not one of ours: it has no column 'username'. Nothing was changed. "
        "Rename it, or use another database.\n"
    )
    assert state(empty) == before


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--users", "many"], "--users: 'many' is not allowed. Allowed: a whole number from 0 to 100000000."),
        (["--users", "1.5"], "--users: '1.5' is not allowed. Allowed: a whole number from 0 to 100000000."),
        (["--until", "soon"], "--until: 'soon' is not allowed. Allowed: an ISO date or datetime from 1971 to 2090, or now."),
        (["--items", "0"], "items=0 leaves nothing to trade, but transactions are asked for (as many as the users make). Allowed: items from 1, or transactions=0 as well."),
        (["--url", "mysql://localhost/x"], "--url: that is no PostgreSQL address. Write postgresql://user:password@host/database."),
        (["--url", "postgresql://localhost:port/x"], "--url: that is no PostgreSQL address. Write postgresql://user:password@host/database."),
        (["--url", "localhost"], "--url: that is no PostgreSQL address. Write postgresql://user:password@host/database."),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_a_usage_error(args, message):
    status, out, err = run("seed", "--url", "postgresql://localhost:1/nowhere", *args)

    assert (status, out) == (2, "")
    assert err.splitlines()[-1] == f"Error: {message}"


def test_an_option_of_the_address_that_nobody_understands_is_a_usage_error(empty):
    assert run("seed", "--url", f"{empty.dsn}?row_factory=1") == (
        2,
        "",
        "Error: --url: 'str' object is not callable. Write postgresql://user:password@host/database.\n",
    )


def test_no_address_is_a_usage_error():
    status, out, err = run("seed")

    assert (status, out) == (2, "")
    assert err.splitlines()[-1] == "Error: Missing option '--url' (env var: 'DATABASE_URL')."


def test_a_server_that_does_not_answer_is_named():
    status, out, err = run("seed", "--url", "postgresql://me:secret@127.0.0.1:1/nowhere?sslpassword=secret")

    assert (status, out) == (3, "")
    assert re.fullmatch(
        r"Error: postgresql://me:\*\*\*@127\.0\.0\.1:1/nowhere cannot be used: .*Connection refused.*\. "
        r"Nothing was changed\.\n",
        err,
    )
    assert "secret" not in err


def test_rows_that_appear_meanwhile_are_not_removed_unasked(empty):
    seeded(empty, "--users", 5)
    run("clear", "--url", empty.dsn, "--yes")
    with psycopg.connect(empty.dsn) as blocker:
        blocker.execute("LOCK TABLE users IN ACCESS SHARE MODE")  # nobody else can have it for himself
        process = start("seed", "--url", empty.dsn, "--users", 7, "--clear", "--yes")
        wait_for(
            empty,
            process,
            "pg_stat_activity WHERE application_name = 'gamedata' AND wait_event_type = 'Lock'",
        )
        blocker.execute(
            "INSERT INTO users (username, display_name, signup_provider, country_code, platform) "
            "VALUES ('real', 'Real', 'steam', 'SE', 'linux')"
        )
    _, err = process.communicate(timeout=60)

    assert process.returncode == 3
    assert err == "Error: Table 'users' already has rows. Load into an empty database, or clear it first.\n"
    assert count(empty) == 1


@pytest.mark.gamedata(users=0, items=0, transactions=0)
def test_a_database_is_as_it_was_after_ctrl_c(gamedata_db):
    """At five random moments of a run that would have replaced what is there."""
    seeded(gamedata_db, "--users", 30)
    before = state(gamedata_db)
    command = ("seed", "--url", gamedata_db.dsn, "--users", USERS, "--clear", "--yes")
    began = time.monotonic()
    with psycopg.connect(gamedata_db.dsn) as blocker:  # it cannot go on before this lets go of the table
        blocker.execute("LOCK TABLE auth_events IN ACCESS SHARE MODE")
        assert interrupt(start(*command), 6) == 130
    assert time.monotonic() - began < 30
    assert state(gamedata_db) == before

    for _ in range(5):
        moment = random.uniform(0.3, 2.5)
        process = start(*command)
        status = interrupt(process, moment)
        wait_until_alone(gamedata_db)
        if status in (None, 0) or count(gamedata_db) == USERS:  # it was quicker: then all of it is there
            assert (status, count(gamedata_db)) != (130, USERS)
            assert count(gamedata_db) == USERS
            seeded(gamedata_db, "--users", 30, "--clear", "--yes")
            before = state(gamedata_db)
            continue
        assert status in (130, -signal.SIGINT), moment  # the latter while Python itself starts
        assert state(gamedata_db) == before, moment


def test_ctrl_c_says_what_has_become_of_the_database(empty):
    process = start("seed", "--url", empty.dsn, "--users", 100_000)
    wait_for(empty, process, "pg_stat_activity WHERE application_name = 'gamedata'")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert err.splitlines()[-1] == "Interrupted. Nothing was changed."


def test_a_database_is_as_it_was_after_kill_9(empty):
    seeded(empty, "--users", 30)
    before = state(empty)
    process = start("seed", "--url", empty.dsn, "--users", USERS, "--clear", "--yes")
    wait_for(empty, process, "pg_stat_progress_copy WHERE true")

    assert interrupt(process, 0.05, signal.SIGKILL) == -signal.SIGKILL
    wait_until_alone(empty)
    assert state(empty) == before


def wait_for(database, process, what):
    """Wait until the server says that a process has come so far."""
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        while not connection.execute(f"SELECT 1 FROM {what} AND datname = current_database()").fetchone():
            assert process.poll() is None, process.communicate()
            time.sleep(0.005)
