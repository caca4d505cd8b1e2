import numpy as np
import pytest
from breaking import SECOND, SEEDED, SINCE, UNTIL, broken, refusal, row_of, rows_of, set_rows, value

from pytest_gamedata.dataset import Dataset
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate import CHECKS, validate_dataset

BOUGHT = row_of("transactions", type="iap_purchase", status="completed")
STORE = row_of("transactions", type="store_purchase", status="completed")
TRADED = row_of("transactions", type="trade", status="completed")
FAILED = row_of("transactions", type="iap_purchase", status="failed")
REFUND = row_of("transactions", type="refund")
ACTIVE = row_of("users", status="active")
KNOWN, UNKNOWN = (
    int(set_rows("auth_events", "user_id")[0]),
    row_of("auth_events", failure_reason="unknown_user"),
)
NULL_NUMBER, NEVER = np.iinfo(np.int64).min, np.datetime64("NaT", "us")
ELSEWHERE = "and NULL elsewhere"

CASES = [
    ("users", "id", 5, 7, "Ids count from 1, without gaps"),
    ("transactions", "item_id", STORE, 999, "item_id refers to a row of items"),
    ("transactions", "user_id", STORE, 81, "user_id refers to a row of users"),
    ("transactions", "counterparty_user_id", TRADED, 0, "counterparty_user_id refers to a row of users"),
    ("transactions", "refund_of", REFUND, 10**6, "refund_of refers to a row of transactions"),
    ("auth_events", "user_id", KNOWN, 81, "user_id refers to a row of users"),
    ("transactions", "user_id", STORE, NULL_NUMBER, "user_id is not NULL"),
    ("users", "updated_at", ACTIVE, NEVER, "updated_at is not NULL"),
    ("auth_events", "event_type", KNOWN, None, "event_type is not NULL"),
    ("users", "username", 5, value("users", "username", 0).upper(), "username is unique, whatever its case"),
    ("items", "sku", 5, value("items", "sku", 0), "sku is unique, whatever its case"),
    ("users", "email", 5, b"somebody@gmail.com", "Every e-mail address is in a domain reserved for examples"),
    ("auth_events", "identifier", UNKNOWN, b"somebody@gmail.com", "Every e-mail address is in a domain reserved for examples"),
    ("auth_events", "ip", 5, "8.8.8.8", "Every IP address is in a range reserved for examples"),
    ("transactions", "created_at", 5, UNTIL, "Ids follow the order of time"),
    ("users", "updated_at", 5, UNTIL + SECOND, "Every timestamp lies inside the window of the dataset"),
    ("transactions", "created_at", 0, SINCE - SECOND, "Every timestamp lies inside the window of the dataset"),
    ("users", "status", ACTIVE, "deleted", f"deleted_at is set where status is deleted, {ELSEWHERE}"),
    ("users", "status", ACTIVE, "locked", f"locked_until is set where status is locked, {ELSEWHERE}"),
    ("transactions", "counterparty_user_id", STORE, 1, f"counterparty_user_id is set where type is trade or gift, {ELSEWHERE}"),
    ("transactions", "trade_id", TRADED, np.void(bytes(16)), f"trade_id is set where type is trade, {ELSEWHERE}"),
    ("transactions", "refund_of", STORE, 1, f"refund_of is set where type is refund or chargeback, {ELSEWHERE}"),
    ("transactions", "refund_reason", STORE, "fraud", f"refund_reason is set where type is refund or chargeback, {ELSEWHERE}"),
    ("transactions", "amount_usd_cents", STORE, 5, f"amount_usd_cents is set where type is iap_purchase or refund or chargeback, {ELSEWHERE}"),
    ("transactions", "payment_provider", BOUGHT, None, f"payment_provider is set where type is iap_purchase or refund or chargeback, {ELSEWHERE}"),
    ("transactions", "failure_code", FAILED, None, f"failure_code is set where status is failed, {ELSEWHERE}"),
    ("transactions", "completed_at", BOUGHT, NEVER, f"completed_at is set where status is completed or refunded or charged_back, {ELSEWHERE}"),
    ("transactions", "refunded_at", BOUGHT, UNTIL, f"refunded_at is set where status is refunded or charged_back, {ELSEWHERE}"),
    ("auth_events", "failure_reason", KNOWN, "wrong_password", f"failure_reason is set where event_type is login_failure or mfa_failure, {ELSEWHERE}"),
    ("users", "email_verified_at", int(set_rows("users", "email_verified_at")[3]), SINCE, "email_verified_at is not before created_at"),
    ("transactions", "completed_at", BOUGHT, SINCE, "completed_at is not before created_at"),
    ("users", "level", 5, 0, "level is at least 1 and at most 1000"),
    ("users", "xp", 5, -1, "xp is at least 0"),
    ("items", "grants_hard", 5, -1, "grants_hard is at least 0 and at most 2147483647"),
    ("transactions", "quantity", STORE, 0, "quantity is at least 1 and at most 2147483647"),
    ("auth_events", "risk_score", 5, 101, "risk_score is at least 0 and at most 100"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "column", "row", "new", "rule"), CASES)
def test_one_broken_value_is_found(table, column, row, new, rule):
    assert refusal(broken((table, column, row, new))).startswith(f"{rule}: {table} row id=")


def test_the_error_names_rule_table_row_and_value():
    message = refusal(broken(("transactions", "quantity", STORE, 0)))

    count = len(SEEDED.tables["transactions"]["id"])
    assert message == (
        "quantity is at least 1 and at most 2147483647: "
        f"transactions row id={STORE + 1}, quantity=0 (1 of {count} rows)."
    )


@pytest.mark.parametrize(("table", "there"), [("users", 80), ("items", 120)])
def test_a_missing_row_is_found(table, there):
    spec = DatasetSpec(**{"users": 80, table: there + 1})

    message = refusal(Dataset(spec, SEEDED.tables, SEEDED.cast))

    assert message == (
        f"The table has {there + 1} rows, as asked for: {table} row id={there + 1} (1 of {there + 1} rows)."
    )


def test_a_key_is_unique_to_its_user_and_no_more():
    rows, user = SEEDED.tables["transactions"], SEEDED.tables["transactions"]["user_id"]
    first = int(np.argmax(user))
    own = int(np.flatnonzero(user == user[first])[1])
    other = int(np.argmax(user != user[first]))
    key = rows["idempotency_key"][first]

    validate_dataset(broken(("transactions", "idempotency_key", other, key)))
    message = refusal(broken(("transactions", "idempotency_key", own, key)))

    assert message.startswith(
        f"idempotency_key is unique per user: transactions row id={own + 1}, user_id={user[first]}, "
    )


def test_a_number_of_a_payment_is_unique_to_its_provider_and_no_more():
    name = ("transactions", "provider_transaction_id")
    paid = set_rows(*name)
    provider = SEEDED.tables["transactions"]["payment_provider"].codes[paid]
    same, other = paid[provider == provider[0]][1], paid[provider != provider[0]][0]

    validate_dataset(broken((*name, other, value(*name, paid[0]))))
    message = refusal(broken((*name, same, value(*name, paid[0]))))

    assert message.startswith(
        f"provider_transaction_id is unique per payment provider: transactions row id={same + 1}, "
    )


def test_every_check_has_a_docstring_that_states_its_rule():
    assert all(check.__doc__ and check.__name__.startswith("check_") for check in CHECKS)
    assert len({check.__name__ for check in CHECKS}) == len(CHECKS)


def test_the_seeded_dataset_has_what_the_tests_break():
    assert len(rows_of("auth_events", event_type="account_locked")) > 0
    validate_dataset(SEEDED)
