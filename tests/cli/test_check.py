import re

import psycopg
import pytest
from commands import run, seeded

from pytest_gamedata import DatasetSpec, build_dataset, load_dataset
from pytest_gamedata.realism.targets import TARGETS
from pytest_gamedata.validate import CHECKS

RULES, FIGURES = len(CHECKS), len(TARGETS)
# one row broken by hand, and how the rule that it breaks is told
BREAKS = {
    "UPDATE users SET soft_balance = soft_balance + 1 WHERE id = 7": "Every user's balance equals the sum of their transactions: users row id=7, ",
    "UPDATE transactions SET amount_usd_cents = amount_usd_cents + 1, quantity = quantity WHERE id = (SELECT min(id) FROM transactions WHERE type = 'iap_purchase')": "Every purchase costs the price of its item times the quantity: transactions row id=",
    "UPDATE auth_events SET occurred_at = '2031-01-01' WHERE id = (SELECT max(id) FROM auth_events)": "Every timestamp lies inside the window of the dataset: auth_events row id=",
    "UPDATE users SET email = 'somebody@gmail.com' WHERE id = 3": "Every e-mail address is in a domain reserved for examples: users row id=3, email=somebody@gmail.com (1 of 2000 rows).",
    "DELETE FROM auth_events WHERE id = 5": "Ids count from 1, without gaps: auth_events row id=6 ",
    "UPDATE users SET last_login_at = last_login_at - interval '1 second' WHERE id = (SELECT min(id) FROM users WHERE last_login_at > created_at + interval '1 day')": "Every user's last_login_at is their last successful login: users row id=",
    "UPDATE transactions SET counterparty_user_id = user_id % 5 + 1 WHERE id = (SELECT min(id) FROM transactions WHERE type = 'trade')": "The two legs of a trade mirror each other: transactions row id=",
}


def last_line(out):
    return out.splitlines()[-1]


@pytest.fixture(scope="module")
def checked(shared):
    """A seeded database that nobody changes."""
    seeded(shared, "--users", 2000)
    return shared


def test_what_was_seeded_passes(checked):
    status, out, err = run("check", "--url", checked.dsn)

    assert (status, err) == (0, "")
    found = re.fullmatch(
        f"{RULES} rules, 0 broken; {FIGURES} figures, 0 outside their band, (\\d+) too small to tell.",
        last_line(out),
    )
    lines = out.splitlines()
    assert sum(line.endswith(" ok") for line in lines) == RULES + FIGURES - int(found[1])
    assert any(re.fullmatch(r"Ids count from 1, without gaps +ok", line) for line in lines)
    assert any(re.fullmatch(r"users who ever pay +0\.\d+ to 0\.\d+ +0\.0\d+ +ok", line) for line in lines)


@pytest.mark.parametrize(("damage", "told"), BREAKS.items())
def test_a_row_broken_by_hand_is_told_with_its_rule(empty, damage, told):
    load_dataset(empty.engine, build_dataset(DatasetSpec(users=2000)))
    empty.close()
    with psycopg.connect(empty.dsn) as connection:
        assert connection.execute(damage).rowcount == 1

    status, out, err = run("check", "--url", empty.dsn)

    assert (status, err) == (1, "")
    assert told in out
    assert re.search(rf"^{RULES} rules, [1-9]\d* broken;", last_line(out))


@pytest.mark.parametrize(
    ("damage", "told"),
    {
        "TRUNCATE auth_events": "Every purchase follows a login of the user: transactions row id=",
        "UPDATE auth_events SET user_id = NULL, event_type = 'login_failure', failure_reason = 'unknown_user'": "Every user's first event is the registration: users row id=1, ",
        "DELETE FROM items": "item_id refers to a row of items: transactions row id=",
        "UPDATE transactions SET item_id = NULL; DELETE FROM items": "Every transaction except a reward has an item: transactions row id=",
        "UPDATE items SET grants_hard = 0": "Every wallet changes by the amount that was paid: transactions row id=",
        "UPDATE users SET created_at = 'infinity'": "No user acts or receives anything before signing up: transactions row id=1, ",
    }.items(),
)
def test_no_damage_is_too_much_to_be_told(empty, damage, told):
    load_dataset(empty.engine, build_dataset(DatasetSpec(users=300)))
    empty.close()
    with psycopg.connect(empty.dsn) as connection:
        connection.execute("""
            DO $$ DECLARE found record; BEGIN
                FOR found IN SELECT conrelid::regclass AS owner, conname FROM pg_constraint
                    WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace
                LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.owner, found.conname); END LOOP;
            END $$
        """)
        for statement in damage.split("; "):
            connection.execute(statement)

    status, out, err = run("check", "--url", empty.dsn)

    assert (status, err) == (1, "")
    assert told in out
    assert last_line(out).startswith(f"{RULES} rules, ")


def test_a_figure_that_cannot_be_reckoned_is_none(empty):
    load_dataset(empty.engine, build_dataset(DatasetSpec(users=300)))
    empty.close()
    with psycopg.connect(empty.dsn) as connection:
        connection.execute("UPDATE users SET timezone = ''")

    status, out, err = run("check", "--url", empty.dsn)

    assert (status, err) == (0, "")
    assert re.search(r"^hour of most sessions +19 to 21 +- +too small$", out, re.MULTILINE)


def test_columns_of_other_types_that_hold_the_same_are_read_too(empty):
    load_dataset(empty.engine, build_dataset(DatasetSpec(users=300)))
    empty.close()
    with psycopg.connect(empty.dsn) as connection:
        connection.execute("ALTER TABLE users ALTER username TYPE name, ALTER platform TYPE varchar(20)")
        connection.execute(
            "ALTER TABLE transactions ALTER completed_at TYPE timestamp USING completed_at AT TIME ZONE 'UTC'"
        )

    assert run("check", "--url", empty.dsn)[0] == 0


@pytest.mark.parametrize(
    ("note", "status", "err"),
    [
        ("gamedata seed --users 300 --of-a-later-version 3", 0, ""),
        ("gamedata seed --users many", 2, "Error: the comment on table users: 'many' is not allowed. Allowed: a whole number from 0 to 100000000.\n"),
    ],
)  # fmt: skip
def test_what_others_have_noted_is_no_hindrance(empty, note, status, err):
    load_dataset(empty.engine, build_dataset(DatasetSpec(users=300)))
    empty.close()
    with psycopg.connect(empty.dsn) as connection:
        connection.execute(f"COMMENT ON TABLE users IS '{note}'")

    checked = run("check", "--url", empty.dsn)

    assert (checked[0], checked[2]) == (status, err)
    assert run("summary", "--url", empty.dsn)[0] == 0
    assert run("clear", "--url", empty.dsn, "--yes")[0] == 0
