"""The rules of transactions: what was paid, taken back, traded, and what the wallets hold."""

from __future__ import annotations

import numpy as np

from pytest_gamedata.columns.values import is_null
from pytest_gamedata.models.values import PAID_STATUSES, REAL_MONEY_TYPES, REVERSAL_TYPES, REVERSED_STATUSES
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate.rules import Check, Tables, parent, part, refuse


def check_goods(tables: Tables, spec: DatasetSpec) -> None:
    """Only rewards come without an item; what drops can drop, what is traded may be."""
    rows, table = tables["transactions"], "transactions"
    item = rows["item_id"]
    bare = is_null(item) & ~rows["type"].is_("reward")
    refuse("all but rewards have an item", table, rows, bare, "type", "item_id")
    if len(tables["items"]["id"]):
        drops = rows["type"].is_("loot_drop") & is_null(tables["items"]["drop_rate"])[np.maximum(item, 1) - 1]
        refuse("what drops has a drop_rate", table, rows, drops, "item_id")
        bound = rows["type"].is_("trade") & ~parent(tables, "items", "is_tradable", item)
        refuse("what is traded is tradable", table, rows, bound, "item_id")


def check_grants(tables: Tables, spec: DatasetSpec) -> None:
    """A reward is an item or money, not both."""
    rows = tables["transactions"]
    both = rows["type"].is_("reward") & ~is_null(rows["item_id"]) & (np.asarray(rows["amount_minor"]) != 0)
    refuse("a reward of an item pays nothing", "transactions", rows, both, "item_id", "amount_minor")


def check_amounts(tables: Tables, spec: DatasetSpec) -> None:
    """Every purchase costs its item's price times the quantity."""
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
        bought = part(rows, chosen, *shown, amount)
        asked = parent(tables, "items", price, bought["item_id"]) * bought["quantity"]
        wrong = bought[amount] != asked
        refuse("amount is price times quantity", "transactions", bought, wrong, *shown, amount)


def check_signs(tables: Tables, spec: DatasetSpec) -> None:
    """Only what is taken back has a negative amount."""
    rows = tables["transactions"]
    wrong = (np.asarray(rows["amount_minor"]) < 0) != rows["type"].is_(*REVERSAL_TYPES)
    refuse("only refunds and chargebacks are negative", "transactions", rows, wrong, "type", "amount_minor")


def check_on_sale(tables: Tables, spec: DatasetSpec) -> None:
    """Nothing is bought but what is on sale at that moment."""
    rows = tables["transactions"]
    bought = part(rows, rows["type"].is_("iap_purchase", "store_purchase"), "item_id", "created_at")
    item, at = bought["item_id"], bought["created_at"]
    since, until = (parent(tables, "items", name, item) for name in ("available_from", "available_until"))
    off = (at < since) | (at >= until)
    refuse("items are bought while on sale", "transactions", bought, off, "item_id", "created_at")


def check_refunds(tables: Tables, spec: DatasetSpec) -> None:
    """Each refund or chargeback takes back one purchase of the same user, in full, after it was completed."""
    rows = tables["transactions"]
    names = (
        "type",
        "user_id",
        "item_id",
        "quantity",
        "currency",
        "amount_minor",
        "amount_usd_cents",
        "hard_delta",
    )
    back = part(rows, rows["type"].is_(*REVERSAL_TYPES), *names, "refund_of", "created_at")
    bought = part(rows, back["refund_of"] - 1, *names, "status", "completed_at", "refunded_at")
    wrong = (back["created_at"] < bought["completed_at"]) | (back["created_at"] != bought["refunded_at"])
    wrong |= ~bought["type"].is_("iap_purchase") | ~bought["status"].is_(*REVERSED_STATUSES)
    wrong |= back["type"].is_("chargeback") != bought["status"].is_("charged_back")
    wrong |= back["currency"].codes != bought["currency"].codes
    for amount in ("amount_usd_cents", "amount_minor"):
        wrong |= back[amount] != -bought[amount]
    for same in ("user_id", "item_id", "quantity"):
        wrong |= back[same] != bought[same]
    refuse("a refund mirrors its purchase", "transactions", back, wrong, "refund_of", "amount_usd_cents")
    taken = np.bincount(back["refund_of"] - 1, minlength=len(rows["id"]))
    open_ = taken != rows["status"].is_(*REVERSED_STATUSES)
    refuse("a refunded purchase has one refund", "transactions", rows, open_, "status")


def check_trades(tables: Tables, spec: DatasetSpec) -> None:
    """Each trade has two legs at one instant, and what one side pays the other gets."""
    rows = tables["transactions"]
    same = ("item_id", "quantity", "amount_minor", "created_at", "completed_at")
    crossed = ("user_id", "counterparty_user_id")
    chosen = rows["type"].is_("trade")
    legs = part(rows, chosen, *same, *crossed, "trade_id", "soft_delta", "hard_delta", "status")
    _, trade, sizes = np.unique(legs["trade_id"].view("S16"), return_inverse=True, return_counts=True)
    refuse("a trade has two legs", "transactions", legs, sizes[trade] != 2, "trade_id")
    pairs = np.argsort(trade, kind="stable")
    other = np.empty_like(pairs)
    other[pairs] = pairs.reshape(-1, 2)[:, ::-1].ravel()
    wrong = legs["status"].codes != legs["status"].codes[other]
    for name in same:
        wrong |= (legs[name] != legs[name][other]) & ~(is_null(legs[name]) & is_null(legs[name][other]))
    for mine, theirs in (crossed, crossed[::-1]):
        wrong |= legs[mine] != legs[theirs][other]
    for paid in ("soft_delta", "hard_delta"):
        wrong |= legs[paid] != -legs[paid][other]
    refuse("the legs of a trade mirror each other", "transactions", legs, wrong, "trade_id", "soft_delta")


def check_deltas(tables: Tables, spec: DatasetSpec) -> None:
    """A wallet moves by what was paid from it or into it, and only where the payment was completed."""
    rows = tables["transactions"]
    kind, amount = rows["type"], np.asarray(rows["amount_minor"])
    grants = parent(tables, "items", "grants_hard", rows["item_id"]) if len(tables["items"]["id"]) else 0
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
        refuse("a wallet moves by what was paid", "transactions", rows, wrong, "type", "amount_minor", delta)


def _granted(tables: Tables, delta: str) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return what the purchase that a row takes back did to the wallet."""
    rows = tables["transactions"]
    return np.where(is_null(rows["refund_of"]), 0, parent(tables, "transactions", delta, rows["refund_of"]))


def check_wallets(tables: Tables, spec: DatasetSpec) -> None:
    """Balances are the sums of their deltas, and no wallet is ever overdrawn."""
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
        refuse("no wallet is overdrawn", "transactions", rows, overdrawn, "user_id", delta)
        wrong = running[start[1:]] - before != np.asarray(users[balance])
        refuse("balances are the sum of the ledger", "users", users, wrong, balance)


def check_spend(tables: Tables, spec: DatasetSpec) -> None:
    """Lifetime spend is what was paid less what was taken back."""
    rows, users = tables["transactions"], tables["users"]
    counts = rows["type"].is_(*REAL_MONEY_TYPES) & rows["status"].is_(*PAID_STATUSES)
    spent = np.zeros(len(users["id"]), dtype=np.int64)
    np.add.at(spent, np.asarray(rows["user_id"])[counts] - 1, np.asarray(rows["amount_usd_cents"])[counts])
    wrong = spent != np.asarray(users["lifetime_spend_usd_cents"])
    refuse("lifetime spend is the sum of the ledger", "users", users, wrong, "lifetime_spend_usd_cents")


CHECKS: tuple[Check, ...] = (
    check_goods,
    check_grants,
    check_amounts,
    check_signs,
    check_on_sale,
    check_refunds,
    check_trades,
    check_deltas,
    check_wallets,
    check_spend,
)
