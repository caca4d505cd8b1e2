import re

import psycopg
import pytest
from commands import run, seeded

from pytest_gamedata import DatasetSpec, build_dataset, load_dataset

RULES, FIGURES = 43, 107
# one row broken by hand, and how the rule that it breaks is told
BREAKS = {
    "UPDATE users SET soft_balance = soft_balance + 1 WHERE id = 7": "balances are the sum of the ledger: users row id=7, ",
    "UPDATE transactions SET amount_usd_cents = amount_usd_cents + 1, quantity = quantity WHERE id = (SELECT min(id) FROM transactions WHERE type = 'iap_purchase')": "amount is price times quantity: transactions row id=",
    "UPDATE auth_events SET occurred_at = '2031-01-01' WHERE id = (SELECT max(id) FROM auth_events)": "everything happens inside the window: auth_events row id=",
    "UPDATE users SET email = 'somebody@gmail.com' WHERE id = 3": "e-mail domains are reserved: users row id=3, email=somebody@gmail.com (1 of 2000 rows).",
    "DELETE FROM auth_events WHERE id = 5": "ids count from 1: auth_events row id=6 ",
    "UPDATE users SET last_login_at = last_login_at - interval '1 second' WHERE id = (SELECT min(id) FROM users WHERE last_login_at > created_at + interval '1 day')": "last_login_at is the last login: users row id=",
    "UPDATE transactions SET counterparty_user_id = user_id % 5 + 1 WHERE id = (SELECT min(id) FROM transactions WHERE type = 'trade')": "the legs of a trade mirror each other: transactions row id=",
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
    assert any(re.fullmatch(r"Ids count from 1 +ok", line) for line in lines)
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
    assert re.search(r"^43 rules, [1-9]\d* broken;", last_line(out))
