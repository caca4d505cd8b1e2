"""The rules that every dataset keeps, one check per rule over whole columns.

Each check takes the tables and raises DatasetInvalidError that names rule, table, row and values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.arrays import NULL, Column, Columns, is_null, take, to_moment, to_python
from pytest_gamedata.errors import DatasetInvalidError
from pytest_gamedata.settings import DatasetSpec

Tables = dict[str, Columns]
Mask = NDArray[np.bool_]
PAID = ("completed", "refunded", "charged_back")
REVERSALS = ("refund", "chargeback")
REAL_MONEY = ("iap_purchase", *REVERSALS)


def validate_dataset(dataset: Any) -> None:
    """Check every rule; the first that is broken raises DatasetInvalidError."""
    for check in CHECKS:
        check(dataset.tables, dataset.spec)


def _refuse(rule: str, table: str, columns: Columns, bad: Mask, *shown: str) -> None:
    """Raise for the first of the bad rows, if there is one."""
    if not bad.any():
        return
    row = int(np.argmax(bad))
    values = ", ".join(f"{name}={to_python(columns[name][row : row + 1])[0]!s}" for name in ("id", *shown))
    raise DatasetInvalidError(f"{rule}: {table} row {values} ({int(bad.sum())} of {len(bad)} rows).")


def _parent(tables: Tables, table: str, key: Column) -> Columns:
    """Return the parent row of each row; where the key is NULL, the first one stands in."""
    return take(tables[table], np.maximum(np.asarray(key), 1) - 1)


def check_keys(tables: Tables, spec: DatasetSpec) -> None:
    """Every reference names a row that is there."""
    references = {
        "transactions": {
            "user_id": "users", "counterparty_user_id": "users", "item_id": "items", "refund_of": "transactions",
        },
        "auth_events": {"user_id": "users"},
    }  # fmt: skip
    for table, keys in references.items():
        for key, parent in keys.items():
            value = np.asarray(tables[table][key])
            missing = (value != NULL) & ((value < 1) | (value > len(tables[parent]["id"])))
            _refuse(f"{key} names a row of {parent}", table, tables[table], missing, key)


def check_unique_names(tables: Tables, spec: DatasetSpec) -> None:
    """No two users share a username or an e-mail address, no two items a SKU."""
    for table, column in (("users", "username"), ("users", "email"), ("items", "sku")):
        value = np.strings.lower(np.asarray(tables[table][column]))
        _, first, inverse = np.unique(value, return_index=True, return_inverse=True)
        twice = (first[inverse] != np.arange(len(value))) & ~is_null(value)
        _refuse(f"{column} is unique", table, tables[table], twice, column)


def check_reserved_names(tables: Tables, spec: DatasetSpec) -> None:
    """Every e-mail domain and IP address is reserved for examples: it can belong to nobody."""
    email = np.asarray(tables["users"]["email"])
    reserved = np.zeros(len(email), dtype=np.bool_)
    for ending in dist.RESERVED_DOMAINS:
        reserved |= np.strings.endswith(email, ending)
    _refuse("e-mail domains are reserved", "users", tables["users"], ~reserved & ~is_null(email), "email")
    ip = tables["auth_events"]["ip"]
    foreign = np.array([not word.startswith(dist.RESERVED_ADDRESSES) for word in ip.words], dtype=np.bool_)
    bad = np.append(foreign, True)[ip.codes]
    _refuse("IP addresses are reserved", "auth_events", tables["auth_events"], bad, "ip")


def check_accounts(tables: Tables, spec: DatasetSpec) -> None:
    """Password accounts have an address and a hash; deleted ones a moment of deletion, no others."""
    users = tables["users"]
    by_password = users["signup_provider"].is_("password")
    bare = by_password & (is_null(users["email"]) | is_null(users["password_hash"]))
    _refuse(
        "a password account has email and password_hash", "users", users, bare, "signup_provider", "email"
    )
    wrong = users["status"].is_("deleted") == is_null(users["deleted_at"])
    _refuse("deleted_at is set for deleted accounts only", "users", users, wrong, "status", "deleted_at")


def check_nothing_before_signup(tables: Tables, spec: DatasetSpec) -> None:
    """Nobody buys, earns or logs in before the account exists."""
    for table, moment in (("transactions", "created_at"), ("auth_events", "occurred_at")):
        rows = tables[table]
        key = rows["user_id"]
        early = np.asarray(rows[moment]) < np.asarray(_parent(tables, "users", key)["created_at"])
        _refuse("nothing happens before sign-up", table, rows, early & ~is_null(key), "user_id", moment)


def check_window(tables: Tables, spec: DatasetSpec) -> None:
    """Nothing happens outside the window."""
    since, until = to_moment(spec.since), to_moment(spec.until)
    for table, columns in (
        ("users", ("created_at", "email_verified_at", "last_login_at", "deleted_at", "updated_at")),
        ("transactions", ("created_at", "completed_at", "refunded_at")),
        ("auth_events", ("occurred_at",)),
    ):
        for name in columns:
            moment = tables[table][name]
            outside = ~np.isnat(moment) & ((moment < since) | (moment > until))
            _refuse("everything happens inside the window", table, tables[table], outside, name)


def check_nothing_after_deletion(tables: Tables, spec: DatasetSpec) -> None:
    """Nobody with a deleted account buys, earns or logs in afterwards."""
    for table, moment in (("transactions", "created_at"), ("auth_events", "occurred_at")):
        rows = tables[table]
        key = rows["user_id"]
        late = (rows[moment] > _parent(tables, "users", key)["deleted_at"]) & ~is_null(key)
        if table == "transactions":  # others may still close a trade or take money back
            late &= ~rows["type"].is_("trade", *REVERSALS)
        _refuse("nothing happens after deletion", table, rows, late, "user_id", moment)


def check_amounts(tables: Tables, spec: DatasetSpec) -> None:
    """Every purchase costs its item's price times the quantity."""
    rows = tables["transactions"]
    item = _parent(tables, "items", rows["item_id"]) if len(tables["items"]["id"]) else {}
    kind, currency = rows["type"], rows["currency"]
    for purchase, price, amount in (
        (kind.is_("iap_purchase"), "price_usd_cents", "amount_usd_cents"),
        (kind.is_("store_purchase") & currency.is_("GEM"), "price_hard", "amount_minor"),
        (kind.is_("store_purchase") & currency.is_("GLD"), "price_soft", "amount_minor"),
    ):
        if not purchase.any():
            continue
        asked = np.where(purchase, np.asarray(item[price]), 0) * np.where(purchase, rows["quantity"], 0)
        wrong = purchase & (np.asarray(rows[amount]) != asked)
        _refuse(
            "amount is price times quantity",
            "transactions",
            rows,
            wrong,
            "type",
            "item_id",
            "quantity",
            amount,
        )


def check_on_sale(tables: Tables, spec: DatasetSpec) -> None:
    """Nothing is bought but what is on sale at that moment."""
    rows = tables["transactions"]
    bought = rows["type"].is_("iap_purchase", "store_purchase")
    if not bought.any():
        return
    item = _parent(tables, "items", rows["item_id"])
    at = np.asarray(rows["created_at"])
    off = bought & ((at < np.asarray(item["available_from"])) | (at >= np.asarray(item["available_until"])))
    _refuse("items are bought while on sale", "transactions", rows, off, "item_id", "created_at")


def check_refunds(tables: Tables, spec: DatasetSpec) -> None:
    """Each refund or chargeback takes back one purchase of the same user, in full, after it was completed."""
    rows = tables["transactions"]
    back = take(rows, rows["type"].is_(*REVERSALS))
    bought = _parent(tables, "transactions", back["refund_of"])
    wrong = (back["created_at"] < bought["completed_at"]) | ~bought["status"].is_("refunded", "charged_back")
    for amount in ("amount_usd_cents", "amount_minor"):
        wrong |= back[amount] != -bought[amount]
    for same in ("user_id", "item_id", "quantity"):
        wrong |= back[same] != bought[same]
    _refuse("a refund mirrors its purchase", "transactions", back, wrong, "refund_of", "amount_usd_cents")
    taken = np.bincount(np.asarray(back["refund_of"]) - 1, minlength=len(rows["id"]))
    open_ = (taken == 1) != rows["status"].is_("refunded", "charged_back")
    _refuse("a refunded purchase has one refund", "transactions", rows, open_, "status")


def check_trades(tables: Tables, spec: DatasetSpec) -> None:
    """Each trade has two legs at one instant, and what one side pays the other gets."""
    rows = tables["transactions"]
    legs = take(rows, rows["type"].is_("trade"))
    _, first, trade, sizes = np.unique(
        legs["trade_id"].view("S16"),
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    paid = np.zeros(len(sizes), dtype=np.int64)
    np.add.at(paid, trade, np.asarray(legs["soft_delta"]))
    at = np.asarray(legs["created_at"])
    wrong = (sizes[trade] != 2) | (paid[trade] != 0) | (at != at[first[trade]])
    _refuse(
        "a trade has two legs that balance",
        "transactions",
        legs,
        wrong,
        "trade_id",
        "soft_delta",
        "created_at",
    )


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
        _refuse("no wallet is overdrawn", "transactions", rows, overdrawn, "user_id", delta)
        wrong = running[start[1:]] - before != np.asarray(users[balance])
        _refuse("balances are the sum of the ledger", "users", users, wrong, balance)


def check_spend(tables: Tables, spec: DatasetSpec) -> None:
    """Lifetime spend is what was paid less what was taken back."""
    rows, users = tables["transactions"], tables["users"]
    counts = rows["type"].is_(*REAL_MONEY) & rows["status"].is_(*PAID)
    spent = np.zeros(len(users["id"]), dtype=np.int64)
    np.add.at(spent, np.asarray(rows["user_id"])[counts] - 1, np.asarray(rows["amount_usd_cents"])[counts])
    wrong = spent != np.asarray(users["lifetime_spend_usd_cents"])
    _refuse("lifetime spend is the sum of the ledger", "users", users, wrong, "lifetime_spend_usd_cents")


def check_last_logins(tables: Tables, spec: DatasetSpec) -> None:
    """last_login_at is the last successful login, NULL without one."""
    events, users = tables["auth_events"], tables["users"]
    login = take(events, events["event_type"].is_("login_success"))
    last = np.full(len(users["id"]), np.iinfo(np.int64).min)
    np.maximum.at(last, np.asarray(login["user_id"]) - 1, np.asarray(login["occurred_at"]).astype(np.int64))
    wrong = last != np.asarray(users["last_login_at"]).astype(np.int64)  # NaT is the same lowest number
    _refuse("last_login_at is the last login", "users", users, wrong, "last_login_at")


def check_failed_logins(tables: Tables, spec: DatasetSpec) -> None:
    """failed_login_count counts the failures since the last success."""
    events, users = tables["auth_events"], tables["users"]
    failed = take(events, events["event_type"].is_("login_failure") & ~is_null(events["user_id"]))
    last = users["last_login_at"][failed["user_id"] - 1]
    since = failed["user_id"][np.isnat(last) | (failed["occurred_at"] > last)]
    counted = np.bincount(since - 1, minlength=len(users["id"]))
    wrong = counted != users["failed_login_count"]
    _refuse(
        "failed_login_count is the failures since the last login", "users", users, wrong, "failed_login_count"
    )


def check_locks(tables: Tables, spec: DatasetSpec) -> None:
    """An account is locked after as many failures in a row as it takes, and not before."""
    events = tables["auth_events"]
    rows = np.flatnonzero(~is_null(events["user_id"]))
    rows = rows[np.argsort(events["user_id"][rows], kind="stable")]
    kind = events["event_type"][rows]
    failures = np.concatenate([[0], np.cumsum(kind.is_("login_failure"))])
    lock = np.flatnonzero(kind.is_("account_locked"))
    before = np.maximum(lock - dist.LOCK_AFTER_FAILURES, 0)
    bad = np.zeros(len(events["id"]), dtype=np.bool_)
    bad[rows[lock[failures[lock] - failures[before] < dist.LOCK_AFTER_FAILURES]]] = True
    _refuse("a lock follows five failures in a row", "auth_events", events, bad, "user_id", "occurred_at")


def check_registrations(tables: Tables, spec: DatasetSpec) -> None:
    """The first event of every user is the registration, where the log is not cut to a number of rows."""
    if spec.auth_events is not None:
        return
    events, users = tables["auth_events"], tables["users"]
    rows = np.flatnonzero(~is_null(events["user_id"]))
    known, first = np.unique(events["user_id"][rows], return_index=True)
    unregistered = np.ones(len(users["id"]), dtype=np.bool_)
    unregistered[known[events["event_type"][rows[first]].is_("register")] - 1] = False
    _refuse("a user's first event is the registration", "users", users, unregistered, "created_at")


def check_playtime(tables: Tables, spec: DatasetSpec) -> None:
    """Nobody has played longer than the account is old."""
    users = tables["users"]
    age = (to_moment(spec.until) - users["created_at"]).astype(np.int64) // 1_000_000
    _refuse(
        "playtime fits the account's age", "users", users, users["playtime_seconds"] > age, "playtime_seconds"
    )


CHECKS: tuple[Callable[[Tables, DatasetSpec], None], ...] = (
    check_keys,
    check_unique_names,
    check_reserved_names,
    check_accounts,
    check_window,
    check_nothing_before_signup,
    check_nothing_after_deletion,
    check_amounts,
    check_on_sale,
    check_refunds,
    check_trades,
    check_wallets,
    check_spend,
    check_last_logins,
    check_failed_logins,
    check_registrations,
    check_locks,
    check_playtime,
)
