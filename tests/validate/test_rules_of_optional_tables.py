"""Every rule of play_sessions and inventory names what breaks it."""

import numpy as np
import pytest
from breaking import SEEDED, refusal, replaced

from pytest_gamedata import DatasetSpec, build_dataset
from pytest_gamedata.columns.combine import take
from pytest_gamedata.dataset import Dataset
from pytest_gamedata.factories import FACTORIES, InventoryFactory, PlaySessionFactory
from pytest_gamedata.validate import CHECKS, OPTIONAL_CHECKS, check_rules

ASKED = build_dataset(DatasetSpec(users=80), [*FACTORIES, PlaySessionFactory, InventoryFactory])
SESSIONS, HELD = ASKED.tables["play_sessions"], ASKED.tables["inventory"]
SECOND = np.timedelta64(1, "s")
ALL_THAT_LASTS = "Users hold all that their transactions left them of what is not used up"


def broken(*changes):
    """The dataset with some values changed: (table, column, row, value)."""
    tables = {name: dict(columns) for name, columns in ASKED.tables.items()}
    for table, column, row, value in changes:
        tables[table][column] = replaced(tables[table][column], np.atleast_1d(row), value)
    return Dataset(ASKED.spec, tables, ASKED.cast)


def second_session():
    """The row of a user's second session, and of the first before it."""
    first, second = np.flatnonzero(SESSIONS["user_id"] == 1)[:2].tolist()
    return first, second


def holding(*types):
    """The row of an item of such a type."""
    kind = ASKED.tables["items"]["item_type"][HELD["item_id"] - 1]
    return int(np.flatnonzero(kind.is_(*types))[0])


def test_a_session_lasts_as_long_as_it_says():
    message = refusal(broken(("play_sessions", "duration_seconds", 3, 5)))

    assert message.startswith(
        "Every play session lasts for its duration, rounded up to whole seconds: play_sessions row id=4, started_at="
    )
    assert message.endswith(f"duration_seconds=5 (1 of {len(SESSIONS['id'])} rows).")


def test_sessions_of_a_user_do_not_overlap():
    first, second = second_session()
    end = SESSIONS["started_at"][second] + SECOND
    lasts = (end - SESSIONS["started_at"][first]) // SECOND + 1

    message = refusal(
        broken(("play_sessions", "ended_at", first, end), ("play_sessions", "duration_seconds", first, lasts))
    )

    assert message.startswith(
        f"No play session begins before the user's last one has ended: play_sessions row id={second + 1}, user_id=1, "
    )


def test_a_session_begins_with_a_login():
    row = len(SESSIONS["id"]) - 1
    moved = SESSIONS["started_at"][row] + np.timedelta64(1, "us")

    message = refusal(broken(("play_sessions", "started_at", row, moved)))

    assert message.startswith(
        f"Every play session begins with a login of its user: play_sessions row id={row + 1}, "
    )


def test_nobody_plays_after_the_end_of_the_account():
    user_id = ASKED.cast["deleted"]
    row = int(np.flatnonzero(SESSIONS["user_id"] == user_id)[-1])
    end = ASKED.tables["users"]["deleted_at"][user_id - 1] + SECOND
    lasts = -(-(end - SESSIONS["started_at"][row]).astype(np.int64) // 1_000_000)

    message = refusal(
        broken(("play_sessions", "ended_at", row, end), ("play_sessions", "duration_seconds", row, lasts))
    )

    assert message.startswith(
        f"No user plays after being deleted, banned or suspended: play_sessions row id={row + 1}, user_id={user_id}, "
    )


def test_nobody_plays_before_signing_up():
    created_at = ASKED.tables["users"]["created_at"]
    row, user_id = 0, 80

    message = refusal(broken(("play_sessions", "user_id", row, user_id)))

    assert SESSIONS["started_at"][row] < created_at[user_id - 1]
    assert message.startswith("No user plays before signing up: play_sessions row id=1, user_id=80, ")


def test_an_item_is_held_in_one_row():
    row = len(HELD["id"]) - 1
    same = [("inventory", name, row, HELD[name][0]) for name in ("user_id", "item_id")]

    message = refusal(broken(*same))

    assert message.startswith(f"Users hold every item in one row: inventory row id={row + 1}, user_id=")


def test_nobody_holds_more_than_the_ledger_says():
    row = holding("consumable", "cosmetic", "equipment")

    message = refusal(broken(("inventory", "quantity", row, 99)))

    assert message == (
        f"Users hold no more than their transactions left them: inventory row id={row + 1}, "
        f"user_id={HELD['user_id'][row]}, item_id={HELD['item_id'][row]}, quantity=99 (1 of {len(HELD['id'])} rows)."
    )


def test_what_lasts_is_held_as_the_ledger_says():
    lasting = ~ASKED.tables["items"]["item_type"][HELD["item_id"] - 1].is_("consumable", "loot_box")
    row = int(np.flatnonzero(lasting & (HELD["quantity"] > 1))[0])

    message = refusal(broken(("inventory", "quantity", row, 1)))

    assert message.startswith(f"{ALL_THAT_LASTS}: inventory row id={row + 1}, ")


def test_what_lasts_is_not_missing():
    kept = np.delete(np.arange(len(HELD["id"])), holding("cosmetic", "equipment"))
    inventory = {**take(HELD, kept), "id": np.arange(1, len(kept) + 1)}

    message = refusal(Dataset(ASKED.spec, {**ASKED.tables, "inventory": inventory}, ASKED.cast))

    assert message.startswith(f"{ALL_THAT_LASTS}: transactions row id=")
    assert "(1 of" in message


@pytest.mark.parametrize(
    ("table", "column", "value", "rule"),
    [
        ("play_sessions", "user_id", 81, "user_id refers to a row of users"),
        ("inventory", "item_id", 121, "item_id refers to a row of items"),
        ("inventory", "quantity", 0, "quantity is at least 1"),
        ("inventory", "acquired_at", np.datetime64("2030-01-01"), "Ids follow the order of time"),
    ],
)
def test_the_rules_of_every_table_hold_for_them(table, column, value, rule):
    assert refusal(broken((table, column, 5, value))).startswith(rule)


def test_rules_of_tables_that_are_not_there_are_left_out():
    optional = [check for checks in OPTIONAL_CHECKS.values() for check in checks]

    assert len(list(check_rules(SEEDED))) == len(CHECKS)
    assert len(list(check_rules(ASKED))) == len(CHECKS) + len(optional)
    assert not any(outcome.problem for outcome in check_rules(ASKED))


def test_the_other_tables_are_the_same_whoever_asks():
    for table, columns in SEEDED.tables.items():
        for name, column in columns.items():
            other = ASKED.tables[table][name]
            assert str(getattr(column, "codes", column)) == str(getattr(other, "codes", other))
