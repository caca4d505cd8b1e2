import json
import re

import pytest
from commands import run, seeded

from pytest_gamedata import DatasetSpec, build_dataset, summarize

USERS = 400


@pytest.fixture(scope="module")
def filled(shared):
    seeded(shared, "--users", USERS)
    return shared


def test_json_is_what_python_gets(filled):
    status, out, err = run("summary", "--url", filled.dsn, "--json")

    expected = summarize(build_dataset(DatasetSpec(users=USERS)))
    assert (status, err) == (0, "")
    assert json.loads(out) == expected == summarize(filled.engine)
    assert list(json.loads(out)) == list(expected)
    filled.close()


def test_numbers_are_those_of_the_database(filled):
    import psycopg

    found = summarize(build_dataset(DatasetSpec(users=USERS)))
    with psycopg.connect(filled.dsn) as connection:

        def ask(query):
            return connection.execute(query).fetchall()

        assert list(found["users"].items()) == ask(
            "SELECT status, count(*) FROM users GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        assert list(found["countries"].items()) == ask(
            "SELECT country_code, count(*) FROM users GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5"
        )
        assert found["auth_events"] == dict(ask("SELECT event_type, count(*) FROM auth_events GROUP BY 1"))
        assert found["attacks"] == {"events": ask("SELECT count(attack_id) FROM auth_events")[0][0]}
        payers = ask(
            "SELECT count(DISTINCT user_id), sum(amount_usd_cents) FROM transactions "
            "WHERE amount_usd_cents IS NOT NULL AND status IN ('completed', 'refunded', 'charged_back')"
        )
        assert [(found["payers"]["users"], found["payers"]["revenue_usd_cents"])] == payers
        last = ask(
            "SELECT greatest((SELECT max(created_at) FROM transactions), (SELECT max(occurred_at) FROM auth_events))"
        )
        assert found["last"] == last[0][0].isoformat()


def test_people_get_a_line_per_group(filled):
    status, out, _ = run("summary", "--url", filled.dsn)

    assert status == 0
    lines = [line.split("  ")[0] for line in out.splitlines() if not line.startswith(" ")]
    assert lines == ["rows", "first", "last", "users", "platforms", "countries", "items", "rarities", "transactions",
                     "statuses", "payers", "auth events", "failures", "attacks"]  # fmt: skip
    assert re.search(
        r"^payers +users \d+, share \d+\.\d\d%, revenue \$[\d,.]+, revenue per payer \$[\d,.]+ *$", out, re.M
    )


def test_an_empty_dataset_has_a_summary_too():
    found = summarize(build_dataset(DatasetSpec(users=0, items=0, transactions=0)))

    assert found["rows"] == {"users": 0, "items": 0, "transactions": 0, "auth_events": 0}
    assert found["payers"] == {
        "users": 0, "share": None, "revenue_usd_cents": 0, "revenue_per_payer_usd_cents": None,
    }  # fmt: skip
    assert (found["first"], found["last"], found["users"]) == (None, None, {})


@pytest.mark.parametrize("command", ["summary", "check"])
def test_a_database_without_the_tables_is_told_of(empty, command):
    assert run(command, "--url", empty.dsn) == (
        3,
        "",
        "Error: The database has no table 'users'. Fill it with `gamedata seed` first.\n",
    )
