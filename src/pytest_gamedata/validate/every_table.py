"""The rules of all tables: ids and keys, names, moments, and columns that only go together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.categorical import Categorical, categorical
from pytest_gamedata.columns.hashing import mix
from pytest_gamedata.columns.values import NULL, Column, is_null, pack_text, to_moment, to_python
from pytest_gamedata.models.values import PAID_STATUSES, REAL_MONEY_TYPES, REVERSAL_TYPES, REVERSED_STATUSES
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate.rules import Check, Mask, Tables, part, refuse

INT4_MAX = 2**31 - 1
REFERENCES = (
    ("transactions", "user_id", "users"),
    ("transactions", "counterparty_user_id", "users"),
    ("transactions", "item_id", "items"),
    ("transactions", "refund_of", "transactions"),
    ("auth_events", "user_id", "users"),
)
UNIQUE = (("users", "username"), ("users", "email"), ("items", "sku"))  # whatever the case
MOMENTS = {
    "users": ("created_at", "email_verified_at", "last_login_at", "deleted_at", "updated_at"),
    "transactions": ("created_at", "completed_at", "refunded_at"),
    "auth_events": ("occurred_at",),
}
REQUIRED = (  # not NULL
    ("users", "created_at"),
    ("users", "updated_at"),
    ("users", "status"),
    ("transactions", "user_id"),
    ("transactions", "created_at"),
    ("transactions", "type"),
    ("transactions", "status"),
    ("auth_events", "occurred_at"),
    ("auth_events", "event_type"),
)
# A column is set where another says one of these words, and nowhere else.
TOGETHER = (
    ("users", "deleted_at", "status", ("deleted",)),
    ("users", "locked_until", "status", ("locked",)),
    ("transactions", "counterparty_user_id", "type", ("trade", "gift")),
    ("transactions", "trade_id", "type", ("trade",)),
    ("transactions", "refund_of", "type", REVERSAL_TYPES),
    ("transactions", "refund_reason", "type", REVERSAL_TYPES),
    ("transactions", "amount_usd_cents", "type", REAL_MONEY_TYPES),
    ("transactions", "payment_provider", "type", REAL_MONEY_TYPES),
    ("transactions", "failure_code", "status", ("failed",)),
    ("transactions", "completed_at", "status", PAID_STATUSES),
    ("transactions", "refunded_at", "status", REVERSED_STATUSES),
    ("auth_events", "failure_reason", "event_type", ("login_failure", "mfa_failure")),
)
IN_ORDER = (
    ("users", "created_at", "email_verified_at"),
    ("users", "created_at", "last_login_at"),
    ("users", "created_at", "updated_at"),
    ("users", "created_at", "deleted_at"),
    ("transactions", "created_at", "completed_at"),
    ("transactions", "completed_at", "refunded_at"),
)
BETWEEN = (
    ("users", "level", 1, 1000),
    ("users", "xp", 0, None),
    ("users", "playtime_seconds", 0, None),
    ("items", "price_usd_cents", 1, INT4_MAX),
    ("items", "price_hard", 1, INT4_MAX),
    ("items", "price_soft", 1, INT4_MAX),
    ("items", "grants_hard", 0, INT4_MAX),
    ("transactions", "quantity", 1, INT4_MAX),
    ("auth_events", "risk_score", 0, 100),
)


def check_ids(tables: Tables, spec: DatasetSpec) -> None:
    """Ids count from 1."""
    for table in ("users", "items", "transactions", "auth_events"):
        ids = np.asarray(tables[table]["id"])
        refuse("ids count from 1", table, tables[table], ids != np.arange(1, len(ids) + 1))


def check_keys(tables: Tables, spec: DatasetSpec) -> None:
    """Every reference names a row that is there."""
    for table, key, parents in REFERENCES:
        value = np.asarray(tables[table][key])
        missing = (value != NULL) & ((value < 1) | (value > len(tables[parents]["id"])))
        refuse(f"{key} names a row of {parents}", table, tables[table], missing, key)


def check_required(tables: Tables, spec: DatasetSpec) -> None:
    """Who did what and when is always known."""
    for table, column in REQUIRED:
        refuse(f"{column} is always set", table, tables[table], is_null(tables[table][column]))


def check_unique_names(tables: Tables, spec: DatasetSpec) -> None:
    """No two users share a username or an e-mail address, no two items a SKU."""
    for table, column in UNIQUE:
        value = np.strings.lower(np.asarray(tables[table][column]))
        refuse(f"{column} is unique", table, tables[table], _repeats(value), column)


def check_unique_payments(tables: Tables, spec: DatasetSpec) -> None:
    """No user has an idempotency key twice, no provider a number of a payment."""
    rows = tables["transactions"]
    twice = _repeats(rows["idempotency_key"])
    if twice.any():  # two users may have the same one
        twice = _repeats(_join(rows["idempotency_key"], rows["user_id"]))
    refuse("idempotency_key is unique to its user", "transactions", rows, twice, "user_id", "idempotency_key")
    names = ("provider_transaction_id", "payment_provider")
    paid = part(rows, ~is_null(rows["provider_transaction_id"]), *names)
    twice = _repeats(paid["provider_transaction_id"])
    if twice.any():  # two providers may have the same one
        twice = _repeats(_join(paid["provider_transaction_id"], paid["payment_provider"].codes))
    refuse("provider_transaction_id is unique to its provider", "transactions", paid, twice, *names)


def _join(texts: Any, numbers: Any) -> NDArray[np.bytes_]:
    return np.strings.add(np.strings.add(texts, b" "), numbers.astype("S20"))


def _hash(texts: NDArray[np.bytes_]) -> NDArray[np.uint64]:
    """Mix each text into a number: texts that differ hardly ever get the same one."""
    width = -(-texts.dtype.itemsize // 8)
    parts = texts.astype(f"S{8 * width}").view(np.uint64).reshape(len(texts), width)
    return mix(*parts.T)


def _repeats(texts: Any) -> Mask:
    """Mark the texts that an earlier row has already; NULL is no text."""
    twice = np.zeros(len(texts), dtype=np.bool_)
    there = np.flatnonzero(~is_null(texts))
    values = texts[there]
    hashes = np.sort(_hash(values))
    if (hashes[1:] == hashes[:-1]).any():  # much quicker than to sort the texts
        _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
        twice[there] = first[inverse] != np.arange(len(values))
    return twice


def check_reserved_names(tables: Tables, spec: DatasetSpec) -> None:
    """Every e-mail domain and IP address is reserved for examples: it can belong to nobody."""
    users, events = tables["users"], tables["auth_events"]
    refuse("e-mail domains are reserved", "users", users, _foreign(users["email"]), "email")
    tried = np.flatnonzero(is_null(events["user_id"]))
    typed = {"id": events["id"][tried], "identifier": events["identifier"][tried]}
    refuse("e-mail domains are reserved", "auth_events", typed, _foreign(typed["identifier"]), "identifier")
    ip = events["ip"] if isinstance(events["ip"], Categorical) else categorical(to_python(events["ip"]))
    foreign = np.array(
        [not word.startswith(dist.RESERVED_ADDRESSES) for word in ip.categories], dtype=np.bool_
    )
    refuse("IP addresses are reserved", "auth_events", events, np.append(foreign, True)[ip.codes], "ip")


def _foreign(addresses: Column) -> Mask:
    """Mark the e-mail addresses that could belong to somebody."""
    left = np.flatnonzero(~is_null(addresses))
    for ending in dist.RESERVED_DOMAINS:
        left = left[~np.strings.endswith(pack_text(addresses[left]), ending)]
    foreign = np.zeros(len(addresses), dtype=np.bool_)
    foreign[left] = True
    return foreign


def check_counts(tables: Tables, spec: DatasetSpec) -> None:
    """There are as many rows as were asked for."""
    for table in ("users", "items", "transactions", "auth_events"):
        asked, rows = getattr(spec, table), tables[table]
        if asked is not None:
            surplus = np.arange(max(asked, len(rows["id"]))) >= min(asked, len(rows["id"]))
            there = {"id": np.arange(1, len(surplus) + 1)}
            refuse(f"there are {asked} rows, as asked for", table, there, surplus)


def check_numbering(tables: Tables, spec: DatasetSpec) -> None:
    """Rows are numbered in the order of time."""
    for table, moment in (
        ("users", "created_at"),
        ("transactions", "created_at"),
        ("auth_events", "occurred_at"),
    ):
        at = np.asarray(tables[table][moment])
        back = np.append(np.zeros(min(len(at), 1), dtype=np.bool_), at[1:] < at[:-1])
        refuse("rows are numbered in the order of time", table, tables[table], back, moment)


def check_window(tables: Tables, spec: DatasetSpec) -> None:
    """Nothing happens outside the window."""
    since, until = to_moment(spec.since), to_moment(spec.until)
    for table, columns in MOMENTS.items():
        for name in columns:
            moment = tables[table][name]
            outside = (moment < since) | (moment > until)
            refuse("everything happens inside the window", table, tables[table], outside, name)


def check_together(tables: Tables, spec: DatasetSpec) -> None:
    """What belongs to some kinds of rows only is set for these, and for no others."""
    for table, column, kind, words in TOGETHER:
        rows = tables[table]
        wrong = rows[kind].is_(*words) == is_null(rows[column])
        rule = f"{column} is set where {kind} is {' or '.join(words)}, and nowhere else"
        refuse(rule, table, rows, wrong, kind, column)


def check_in_order(tables: Tables, spec: DatasetSpec) -> None:
    """What a row tells of several moments comes in their order."""
    for table, first, then in IN_ORDER:
        rows = tables[table]
        refuse(f"{then} is not before {first}", table, rows, rows[then] < rows[first], first, then)


def check_between(tables: Tables, spec: DatasetSpec) -> None:
    """Numbers are neither too low nor too high."""
    for table, column, lowest, highest in BETWEEN:
        rows = tables[table]
        value = np.asarray(rows[column])
        outside = ((value < lowest) | (value > (highest or np.iinfo(np.int64).max))) & (value != NULL)
        rule = f"{column} is at least {lowest}" + (f" and at most {highest}" if highest else "")
        refuse(rule, table, rows, outside, column)


CHECKS: tuple[Check, ...] = (
    check_ids,
    check_keys,
    check_required,
    check_counts,
    check_unique_names,
    check_unique_payments,
    check_reserved_names,
    check_numbering,
    check_window,
    check_together,
    check_in_order,
    check_between,
)
