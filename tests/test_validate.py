import numpy as np
import pytest

from pytest_gamedata import DatasetSpec, build_dataset
from pytest_gamedata.arrays import Words, concatenate, is_null, same_word, to_moment
from pytest_gamedata.dataset import Dataset
from pytest_gamedata.errors import DatasetInvalidError
from pytest_gamedata.validate import CHECKS, validate_dataset

SEEDED = build_dataset(DatasetSpec(users=80))


def broken(table, column, row, value):
    """The seeded dataset with one value changed."""
    columns = SEEDED.tables[table]
    old = columns[column]
    if isinstance(old, Words):
        new = concatenate([old[:row], same_word(value, 1), old[row + 1 :]])
    else:
        new = old.copy().astype(object).astype("S80") if old.dtype.kind == "S" else old.copy()
        new[row] = value
    return Dataset(SEEDED.spec, {**SEEDED.tables, table: {**columns, column: new}}, SEEDED.cast)


def first(table, column, *words, **others):
    """The first row with one of these words."""
    mask = SEEDED.tables[table][column].is_(*words)
    for name, values in others.items():
        mask &= SEEDED.tables[table][name].is_(values)
    return int(np.argmax(mask))


def paid(column):
    return int(np.argmax(np.asarray(SEEDED.tables["transactions"][column]) != 0))


TRANSACTIONS = SEEDED.tables["transactions"]
ROW_OF = {
    "iap": first("transactions", "type", "iap_purchase", status="completed"),
    "store": first("transactions", "type", "store_purchase", status="completed"),
    "refund": first("transactions", "type", "refund"),
    "trade": first("transactions", "type", "trade", status="completed"),
    "password": first("users", "signup_provider", "password"),
    "active": first("users", "status", "active"),
    "late": len(TRANSACTIONS["id"]) - 1,
    "owned": int(np.argmax(~is_null(SEEDED.tables["auth_events"]["user_id"]))),
}
SINCE = to_moment(SEEDED.spec.since)
CASES = [
    ("transactions", "item_id", "store", 999, "item_id names a row of items"),
    ("auth_events", "user_id", "owned", 81, "user_id names a row of users"),
    ("users", "username", 5, SEEDED.tables["users"]["username"][0].upper(), "username is unique"),
    ("users", "email", 5, b"somebody@gmail.com", "e-mail domains are reserved"),
    ("auth_events", "ip", 5, "8.8.8.8", "IP addresses are reserved"),
    ("users", "password_hash", "password", None, "a password account has email and password_hash"),
    ("users", "status", "active", "deleted", "deleted_at is set for deleted accounts only"),
    ("transactions", "created_at", "late", SINCE, "nothing happens before sign-up"),
    ("auth_events", "occurred_at", "owned", SINCE, "nothing happens before sign-up"),
    ("transactions", "amount_usd_cents", "iap", 1, "amount is price times quantity"),
    ("transactions", "quantity", "store", 77, "amount is price times quantity"),
    ("transactions", "amount_usd_cents", "refund", -1, "a refund mirrors its purchase"),
    ("transactions", "soft_delta", "trade", -1, "a trade has two legs that balance"),
    ("users", "soft_balance", 5, 10**9, "balances are the sum of the ledger"),
    ("users", "hard_balance", 5, 10**9, "balances are the sum of the ledger"),
    ("users", "lifetime_spend_usd_cents", 5, 10**9, "lifetime spend is the sum of the ledger"),
    ("users", "failed_login_count", 5, 9, "failed_login_count is the failures since the last login"),
    ("users", "playtime_seconds", 5, 10**9, "playtime fits the account's age"),
    ("users", "updated_at", 5, np.datetime64("2030-01-01", "us"), "everything happens inside the window"),
    (
        "transactions",
        "created_at",
        5,
        np.datetime64("2020-01-01", "us"),
        "everything happens inside the window",
    ),
    ("transactions", "amount_minor", "refund", -1, "a refund mirrors its purchase"),
    ("users", "last_login_at", 5, np.datetime64("2024-12-30", "us"), "last_login_at is the last login"),
]


@pytest.mark.parametrize(("table", "column", "row", "value", "rule"), CASES)
def test_one_broken_value_is_found(table, column, row, value, rule):
    dataset = broken(table, column, ROW_OF.get(row, row), value)

    with pytest.raises(DatasetInvalidError) as caught:
        validate_dataset(dataset)

    assert str(caught.value).startswith(f"{rule}: {table} row id=")


def test_the_error_names_rule_table_row_and_value():
    row = ROW_OF["iap"]
    item = TRANSACTIONS["item_id"][row]

    with pytest.raises(DatasetInvalidError) as caught:
        validate_dataset(broken("transactions", "amount_usd_cents", row, 1))

    assert str(caught.value) == (
        f"amount is price times quantity: transactions row id={row + 1}, type=iap_purchase, item_id={item}, "
        f"quantity=1, amount_usd_cents=1 (1 of {len(TRANSACTIONS['id'])} rows)."
    )


def test_an_overdrawn_wallet_is_found():
    row = paid("soft_delta")  # somebody's welcome reward: without it, what follows is not covered

    with pytest.raises(DatasetInvalidError, match=r"^no wallet is overdrawn: transactions row id="):
        validate_dataset(broken("transactions", "soft_delta", row, -1))


def test_an_item_that_is_no_longer_on_sale_is_found():
    item = int(TRANSACTIONS["item_id"][ROW_OF["store"]]) - 1

    with pytest.raises(DatasetInvalidError, match=r"^items are bought while on sale: transactions row id="):
        validate_dataset(broken("items", "available_until", item, np.datetime64("2024-10-01", "us")))


def test_a_purchase_after_deletion_is_found():
    rows = SEEDED.tables["transactions"]
    user = int(rows["user_id"][ROW_OF["iap"]]) - 1
    dataset = broken("users", "status", user, "deleted")
    deleted_at = SEEDED.tables["users"]["deleted_at"].copy()
    deleted_at[user] = rows["created_at"][ROW_OF["iap"]] - np.timedelta64(1, "s")
    dataset.tables["users"]["deleted_at"] = deleted_at

    with pytest.raises(DatasetInvalidError, match=r"^nothing happens after deletion: transactions row id="):
        validate_dataset(dataset)


def test_a_refunded_purchase_without_its_refund_is_found():
    with pytest.raises(
        DatasetInvalidError, match=r"^a refunded purchase has one refund: transactions row id="
    ):
        validate_dataset(broken("transactions", "status", ROW_OF["iap"], "refunded"))


def test_a_user_without_a_registration_is_found():
    with pytest.raises(
        DatasetInvalidError, match=r"^a user's first event is the registration: users row id=1,"
    ):
        validate_dataset(broken("auth_events", "event_type", 0, "logout"))


def test_a_lock_without_its_failures_is_found():
    events = SEEDED.tables["auth_events"]
    lock = int(np.argmax(events["event_type"].is_("account_locked")))
    user = events["user_id"][lock]
    own = np.flatnonzero((events["user_id"] == user) & (np.arange(len(events["id"])) < lock))

    with pytest.raises(DatasetInvalidError, match=r"^(a lock follows five failures|failed_login_count is)"):
        validate_dataset(broken("auth_events", "event_type", int(own[-1]), "logout"))


def test_every_check_has_a_docstring_that_states_its_rule():
    assert all(check.__doc__ and check.__name__.startswith("check_") for check in CHECKS)
