import numpy as np
import pytest
from breaking import SECOND, SEEDED, broken, refusal, row_of, rows_of, set_rows, value

ROWS = SEEDED.tables["transactions"]
BOUGHT = row_of("transactions", type="iap_purchase", status="completed")
STORE = row_of("transactions", type="store_purchase", status="completed")
REWARD = row_of("transactions", type="reward", item_id=np.iinfo(np.int64).min)
GRANT = int(
    rows_of("transactions", type="reward")[ROWS["item_id"][rows_of("transactions", type="reward")] > 0][0]
)
DROP = row_of("transactions", type="loot_drop")
TRADED = row_of("transactions", type="trade", status="completed")
REFUND = row_of("transactions", type="refund")
REFUNDED = int(ROWS["refund_of"][REFUND]) - 1
FAILED = row_of("transactions", type="iap_purchase", status="failed")
TRADABLE = np.flatnonzero(SEEDED.tables["items"]["is_tradable"]) + 1
OTHER_TRADABLE = int(TRADABLE[ROWS["item_id"][TRADED] != TRADABLE][0])
NULL = np.iinfo(np.int64).min
MIRROR = "A refund repeats its purchase with the opposite sign"
TRADE = "The two legs of a trade mirror each other"

CASES = [
    ("transactions", "item_id", STORE, NULL, "Every transaction except a reward has an item"),
    ("items", "drop_rate", int(ROWS["item_id"][DROP]) - 1, None, "Every item that drops as loot has a drop_rate"),
    ("items", "is_tradable", int(ROWS["item_id"][TRADED]) - 1, False, "Every item that is traded is tradable"),
    ("transactions", "amount_minor", GRANT, 5, "A reward is an item or money, not both"),
    ("transactions", "amount_usd_cents", BOUGHT, 1, "Every purchase costs the price of its item times the quantity"),
    ("transactions", "quantity", STORE, 77, "Every purchase costs the price of its item times the quantity"),
    ("transactions", "amount_minor", REWARD, -5, "Refunds and chargebacks have negative amounts, and no others have"),
    ("transactions", "amount_usd_cents", REFUND, -1, MIRROR),
    ("transactions", "amount_minor", REFUND, -1, MIRROR),
    ("transactions", "currency", REFUND, "XAU", MIRROR),
    ("transactions", "type", REFUND, "chargeback", MIRROR),
    ("transactions", "refunded_at", REFUNDED, value("transactions", "completed_at", REFUNDED), MIRROR),
    ("transactions", "soft_delta", TRADED, -1, TRADE),
    ("transactions", "item_id", TRADED, OTHER_TRADABLE, TRADE),
    ("transactions", "soft_delta", FAILED, 5, "Every wallet changes by the amount that was paid"),
    ("transactions", "hard_delta", BOUGHT, 10**6, "Every wallet changes by the amount that was paid"),
    ("transactions", "soft_delta", REWARD, 10**6, "Every wallet changes by the amount that was paid"),
    ("users", "soft_balance", 5, 10**9, "Every user's balance equals the sum of their transactions"),
    ("users", "hard_balance", 5, 10**9, "Every user's balance equals the sum of their transactions"),
    ("users", "lifetime_spend_usd_cents", 5, 10**9, "Every user's lifetime spend equals their purchases less what was taken back"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "column", "row", "new", "rule"), CASES)
def test_one_broken_value_is_found(table, column, row, new, rule):
    of = "users" if table == "users" else "transactions"

    assert refusal(broken((table, column, row, new))).startswith(f"{rule}: {of} row id=")


def test_an_overdrawn_wallet_is_found():
    spent = rows_of("transactions", type="store_purchase", status="completed", currency="GLD")[0]
    rewards = rows_of("transactions", type="reward", user_id=ROWS["user_id"][spent])
    late = value("transactions", "created_at", -1)  # the rewards come when the money is long spent

    message = refusal(broken(("transactions", "completed_at", rewards, late)))

    assert message.startswith("No wallet is ever overdrawn: transactions row id=")


def test_an_item_that_is_no_longer_on_sale_is_found():
    item = int(ROWS["item_id"][STORE]) - 1
    over = value("items", "available_from", item) + SECOND

    message = refusal(broken(("items", "available_until", item, over)))

    assert message.startswith("Items are bought only while they are on sale: transactions row id=")


def test_a_refunded_purchase_without_its_refund_is_found():
    done = value("transactions", "completed_at", BOUGHT)
    changes = [("transactions", "status", BOUGHT, "refunded"), ("transactions", "refunded_at", BOUGHT, done)]

    count = len(ROWS["id"])
    assert refusal(broken(*changes)) == (
        f"Every refunded purchase has exactly one refund: transactions row id={BOUGHT + 1}, status=refunded (1 of {count} rows)."
    )


def test_a_trade_with_one_leg_is_found():
    other = ROWS["trade_id"][TRADED].tobytes()[:-1] + b"\x01"

    message = refusal(broken(("transactions", "trade_id", TRADED, np.void(other))))

    assert message.startswith(f"Every trade has two legs: transactions row id={TRADED + 1}, trade_id=")


def test_a_refund_may_take_back_less_than_was_granted_but_not_more():
    packs = [row for row in set_rows("transactions", "refund_of") if ROWS["hard_delta"][row] < 0]
    row = int(packs[0])
    more = int(ROWS["hard_delta"][row]) - 1

    message = refusal(broken(("transactions", "hard_delta", row, more)))

    assert message.startswith(
        f"Every wallet changes by the amount that was paid: transactions row id={row + 1}, "
    )
