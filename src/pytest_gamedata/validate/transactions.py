"""The rules of transactions: purchases, refunds, trades, and the balances of wallets."""

from __future__ import annotations

import numpy as np

from pytest_gamedata.columns.conversion import Columns, is_null
from pytest_gamedata.models.values import PAID_STATUSES, REAL_MONEY_TYPES, REVERSAL_TYPES, REVERSED_STATUSES
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate.rules import Mask, Tables, parent_values, refuse, select

UNCHANGED_BY_REFUND = ("user_id", "item_id", "quantity")
NEGATED_BY_REFUND = ("amount_usd_cents", "amount_minor")
SAME_IN_BOTH_LEGS = ("item_id", "quantity", "amount_minor", "created_at", "completed_at")
MIRRORED_PARTIES = ("user_id", "counterparty_user_id")
MIRRORED_AMOUNTS = ("soft_delta", "hard_delta")


def check_items(tables: Tables, spec: DatasetSpec) -> None:
    """Every transaction except a reward has an item, which can be dropped or traded if it was."""
    rows, table = tables["transactions"], "transactions"
    item = rows["item_id"]
    bare = is_null(item) & ~rows["type"].is_("reward")
    refuse("Every transaction except a reward has an item", table, rows, bare, "type", "item_id")
    if len(tables["items"]["id"]):
        drops = rows["type"].is_("loot_drop") & is_null(tables["items"]["drop_rate"])[np.maximum(item, 1) - 1]
        refuse("Every item that drops as loot has a drop_rate", table, rows, drops, "item_id")
        bound = rows["type"].is_("trade") & ~parent_values(tables, "items", "is_tradable", item)
        refuse("Every item that is traded is tradable", table, rows, bound, "item_id")


def check_rewards(tables: Tables, spec: DatasetSpec) -> None:
    """A reward is an item or money, not both."""
    rows = tables["transactions"]
    both = rows["type"].is_("reward") & ~is_null(rows["item_id"]) & (np.asarray(rows["amount_minor"]) != 0)
    refuse(check_rewards, "transactions", rows, both, "item_id", "amount_minor")


def check_amounts(tables: Tables, spec: DatasetSpec) -> None:
    """Every purchase costs the price of its item times the quantity."""
    rows = tables["transactions"]
    shown = ("type", "item_id", "quantity")
    for kind, currency, price, amount in (
        ("iap_purchase", None, "price_usd_cents", "amount_usd_cents"),
        ("store_purchase", "GEM", "price_hard", "amount_minor"),
        ("store_purchase", "GLD", "price_soft", "amount_minor"),
    ):
        chosen = rows["type"].is_(kind)
        if currency:
            chosen &= rows["currency"].is_(currency)
        bought = select(rows, chosen, *shown, amount)
        asked = parent_values(tables, "items", price, bought["item_id"]) * bought["quantity"]
        wrong = bought[amount] != asked
        refuse(check_amounts, "transactions", bought, wrong, *shown, amount)


def check_signs(tables: Tables, spec: DatasetSpec) -> None:
    """Refunds and chargebacks have negative amounts, and no others have."""
    rows = tables["transactions"]
    wrong = (np.asarray(rows["amount_minor"]) < 0) != rows["type"].is_(*REVERSAL_TYPES)
    refuse(check_signs, "transactions", rows, wrong, "type", "amount_minor")


def check_on_sale(tables: Tables, spec: DatasetSpec) -> None:
    """Items are bought only while they are on sale."""
    rows = tables["transactions"]
    bought = select(rows, rows["type"].is_("iap_purchase", "store_purchase"), "item_id", "created_at")
    item, at = bought["item_id"], bought["created_at"]
    since, until = (parent_values(tables, "items", f"available_{end}", item) for end in ("from", "until"))
    off = (at < since) | (at >= until)
    refuse(check_on_sale, "transactions", bought, off, "item_id", "created_at")


def check_refunds(tables: Tables, spec: DatasetSpec) -> None:
    """Every refund or chargeback takes back one purchase of the same user, in full, after it was completed."""
    rows = tables["transactions"]
    columns = ("type", "currency", *UNCHANGED_BY_REFUND, *NEGATED_BY_REFUND)
    back = select(rows, rows["type"].is_(*REVERSAL_TYPES), *columns, "refund_of", "created_at")
    bought = select(rows, back["refund_of"] - 1, *columns, "status", "completed_at", "refunded_at")
    wrong = (back["created_at"] < bought["completed_at"]) | (back["created_at"] != bought["refunded_at"])
    wrong |= ~bought["type"].is_("iap_purchase") | ~bought["status"].is_(*REVERSED_STATUSES)
    wrong |= back["type"].is_("chargeback") != bought["status"].is_("charged_back")
    wrong |= back["currency"].codes != bought["currency"].codes
    for name in UNCHANGED_BY_REFUND:
        wrong |= back[name] != bought[name]
    for name in NEGATED_BY_REFUND:
        wrong |= back[name] != -bought[name]
    rule = "A refund repeats its purchase with the opposite sign"
    refuse(rule, "transactions", back, wrong, "refund_of", "amount_usd_cents")
    taken = np.bincount(back["refund_of"] - 1, minlength=len(rows["id"]))
    wrong = taken != rows["status"].is_(*REVERSED_STATUSES)
    refuse("Every refunded purchase has exactly one refund", "transactions", rows, wrong, "status")


def check_trades(tables: Tables, spec: DatasetSpec) -> None:
    """Every trade has two legs at the same moment, and what one side pays the other receives."""
    rows = tables["transactions"]
    columns = (*SAME_IN_BOTH_LEGS, *MIRRORED_PARTIES, *MIRRORED_AMOUNTS, "trade_id", "status")
    legs = select(rows, rows["type"].is_("trade"), *columns)
    _, trade, sizes = np.unique(legs["trade_id"].view("S16"), return_inverse=True, return_counts=True)
    refuse("Every trade has two legs", "transactions", legs, sizes[trade] != 2, "trade_id")
    pairs = np.argsort(trade, kind="stable")
    other = np.empty_like(pairs)
    other[pairs] = pairs.reshape(-1, 2)[:, ::-1].ravel()
    wrong = _legs_differ(legs, {name: column[other] for name, column in legs.items()})
    refuse("The two legs of a trade mirror each other", "transactions", legs, wrong, "trade_id", "soft_delta")


def _legs_differ(legs: Columns, others: Columns) -> Mask:
    """Mark the legs that do not mirror the other leg of their trade."""
    wrong = legs["status"].codes != others["status"].codes
    for name in SAME_IN_BOTH_LEGS:
        wrong |= (legs[name] != others[name]) & ~(is_null(legs[name]) & is_null(others[name]))
    for mine, theirs in (MIRRORED_PARTIES, MIRRORED_PARTIES[::-1]):
        wrong |= legs[mine] != others[theirs]
    for name in MIRRORED_AMOUNTS:
        wrong |= legs[name] != -others[name]
    return wrong


def check_wallet_changes(tables: Tables, spec: DatasetSpec) -> None:
    """Every wallet changes by the amount that was paid."""
    rows = tables["transactions"]
    kind, amount = rows["type"], np.asarray(rows["amount_minor"])
    has_items = len(tables["items"]["id"]) > 0
    grants = parent_values(tables, "items", "grants_hard", rows["item_id"]) if has_items else 0
    iap = np.where(kind.is_("iap_purchase"), grants * rows["quantity"], 0)
    paid = np.select([kind.is_("store_purchase"), kind.is_("reward")], [-amount, amount], 0)
    done = rows["status"].is_(*PAID_STATUSES)
    trade, back = kind.is_("trade"), kind.is_(*REVERSAL_TYPES)
    for delta, currency, extra in (("soft_delta", "GLD", 0), ("hard_delta", "GEM", iap)):
        moved = np.asarray(rows[delta])
        asked = np.where(done, np.where(rows["currency"].is_(currency), paid, extra), 0)
        traded = np.where(done & rows["currency"].is_(currency), amount, 0)
        wrong = np.where(trade, np.abs(moved) != traded, moved != asked)
        wrong = np.where(back, (moved > 0) | (-moved > _granted(tables, delta)), wrong)
        refuse(check_wallet_changes, "transactions", rows, wrong, "type", "amount_minor", delta)


def _granted(tables: Tables, delta: str) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return the change of the wallet by the purchase that each row takes back, 0 for rows that take back none."""
    rows = tables["transactions"]
    return np.where(
        is_null(rows["refund_of"]), 0, parent_values(tables, "transactions", delta, rows["refund_of"])
    )


def check_wallets(tables: Tables, spec: DatasetSpec) -> None:
    """Every user's balance equals the sum of their transactions, and no wallet is ever overdrawn."""
    rows, users = tables["transactions"], tables["users"]
    user, done = np.asarray(rows["user_id"]), np.asarray(rows["completed_at"])
    at = np.where(np.isnat(done), np.asarray(rows["created_at"]), done)
    order = np.lexsort((np.asarray(rows["id"]), at, user))
    start = np.searchsorted(user[order], np.arange(1, len(users["id"]) + 2))
    for delta, balance in (("soft_delta", "soft_balance"), ("hard_delta", "hard_balance")):
        running = np.concatenate([[0], np.cumsum(np.asarray(rows[delta])[order])])
        before = running[start[:-1]]
        overdrawn = np.zeros(len(user), dtype=np.bool_)
        overdrawn[order] = running[1:] < before[user[order] - 1]
        refuse("No wallet is ever overdrawn", "transactions", rows, overdrawn, "user_id", delta)
        wrong = running[start[1:]] - before != np.asarray(users[balance])
        refuse("Every user's balance equals the sum of their transactions", "users", users, wrong, balance)


def check_spend(tables: Tables, spec: DatasetSpec) -> None:
    """Every user's lifetime spend equals their purchases less what was taken back."""
    rows, users = tables["transactions"], tables["users"]
    counts = rows["type"].is_(*REAL_MONEY_TYPES) & rows["status"].is_(*PAID_STATUSES)
    spent = np.zeros(len(users["id"]), dtype=np.int64)
    np.add.at(spent, np.asarray(rows["user_id"])[counts] - 1, np.asarray(rows["amount_usd_cents"])[counts])
    wrong = spent != np.asarray(users["lifetime_spend_usd_cents"])
    refuse(check_spend, "users", users, wrong, "lifetime_spend_usd_cents")
