import numpy as np
import pytest
from breaking import SECOND, SEEDED, broken, only, refusal, row_of, rows_of, value

from pytest_gamedata.dataset import Dataset
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate.across_tables import (
    check_after_signup,
    check_buyers_are_logged_in,
    check_givers_own,
)

ROWS, EVENTS = SEEDED.tables["transactions"], SEEDED.tables["auth_events"]
BOUGHT = row_of("transactions", type="store_purchase", status="completed")
GIFT = row_of("transactions", type="gift")
LAST = int(np.argmax(SEEDED.tables["users"]["created_at"]))
BANNED, DELETED = row_of("users", status="banned"), row_of("users", status="deleted")


def test_a_purchase_before_signing_up_is_found():
    reward = int(rows_of("transactions", type="loot_drop")[0])

    assert refusal(broken(("transactions", "user_id", reward, LAST + 1))).startswith(
        f"No user acts or receives anything before signing up: transactions row id={reward + 1}, user_id={LAST + 1}, created_at="
    )


def test_a_gift_to_somebody_who_has_no_account_yet_is_found():
    assert refusal(broken(("transactions", "counterparty_user_id", GIFT, LAST + 1))).startswith(
        f"No user acts or receives anything before signing up: transactions row id={GIFT + 1}, counterparty_user_id={LAST + 1}, created_at="
    )


def test_a_login_before_signing_up_is_found():
    dataset = broken(("auth_events", "user_id", 5, LAST + 1))

    assert refusal(dataset, only(check_after_signup)).startswith(
        f"No user acts or receives anything before signing up: auth_events row id=6, user_id={LAST + 1}, occurred_at="
    )


@pytest.mark.parametrize(
    ("user", "column", "rule"),
    [
        (DELETED, "deleted_at", "Nothing happens to a user after being deleted"),
        (BANNED, "updated_at", "Nothing happens to a user after being banned or suspended"),
    ],
)
def test_what_comes_after_the_end_is_found(user, column, rule):
    soon = value("users", "created_at", user) + SECOND  # before the welcome reward

    message = refusal(broken(("users", column, user, soon)))

    assert message.startswith(f"{rule}: transactions row id=")
    assert f"user_id={user + 1}, created_at=" in message


def test_a_present_to_oneself_is_found():
    user = ROWS["user_id"][GIFT]

    assert refusal(broken(("transactions", "counterparty_user_id", GIFT, user))).startswith(
        f"No user trades with themselves or gives to themselves: transactions row id={GIFT + 1}, user_id={user}, "
    )


def without_logins(row):
    """The seeded dataset, whose events up to a purchase of one user are no logins."""
    logins = rows_of("auth_events", user_id=ROWS["user_id"][row], event_type="login_success")
    before = logins[EVENTS["occurred_at"][logins] <= ROWS["created_at"][row]]
    return [("auth_events", "event_type", before, "mfa_challenge")]


def logged_out(at):
    """The users whose last event by then was a logout."""
    for user in rows_of("users", status="active") + 1:
        own = rows_of("auth_events", user_id=user)
        own = own[EVENTS["occurred_at"][own] < at]
        if len(own) and EVENTS["event_type"][own[-1:]].is_("logout")[0]:
            yield int(user)


def test_a_purchase_before_the_first_login_is_found():
    user = ROWS["user_id"][BOUGHT]

    message = refusal(broken(*without_logins(BOUGHT)), only(check_buyers_are_logged_in))

    assert message.startswith("Every purchase follows a login of the user: transactions row id=")
    assert f", user_id={user}, created_at=" in message


def test_a_purchase_after_the_logout_is_found():
    failed = rows_of("transactions", type="iap_purchase", status="failed")  # moves no wallet
    row, user = next((row, user) for row in failed for user in logged_out(ROWS["created_at"][row]))

    assert refusal(broken(("transactions", "user_id", row, user))).startswith(
        f"No purchase follows the logout of the user: transactions row id={row + 1}, user_id={user}, created_at="
    )


def test_a_log_that_was_cut_may_miss_the_login_before_a_purchase():
    dataset = broken(*without_logins(BOUGHT))
    spec = DatasetSpec(users=80, auth_events=len(EVENTS["id"]))

    only(check_buyers_are_logged_in)(Dataset(spec, dataset.tables, dataset.cast))


def test_what_was_never_acquired_cannot_be_given():
    giver, item = ROWS["user_id"][GIFT], ROWS["item_id"][GIFT]
    had = rows_of("transactions", user_id=giver, item_id=item, type=["loot_drop", "reward", "store_purchase"])
    others = np.flatnonzero(np.arange(1, len(SEEDED.tables["items"]["id"]) + 1) != item)[:1] + 1

    message = refusal(broken(("transactions", "item_id", had, others[0])), only(check_givers_own))

    assert message.startswith("Users sell or give away only items that they own: transactions row id=")
    assert f", type=gift, user_id={giver}, item_id={item} (" in message


def test_what_is_acquired_only_afterwards_cannot_be_sold():
    sold = rows_of("transactions", type="trade", status="completed")
    sold = int(sold[ROWS["soft_delta"][sold] > 0][0])
    seller, item = ROWS["user_id"][sold], ROWS["item_id"][sold]
    had = rows_of("transactions", user_id=seller, item_id=item)
    last = int(rows_of("transactions", type="reward")[-1])
    changes = [
        ("transactions", "type", had[had < sold], "iap_purchase"),
        ("transactions", "user_id", last, seller),
        ("transactions", "item_id", last, item),
    ]

    assert last > sold
    assert refusal(broken(*changes), only(check_givers_own)).startswith(
        f"Users sell or give away only items that they own: transactions row id={sold + 1}, type=trade, user_id={seller}, "
    )
