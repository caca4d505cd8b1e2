"""The rules of every table: ids, foreign keys, unique and reserved values, timestamps, NULLs, ranges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.categorical import Categorical, categorical
from pytest_gamedata.columns.conversion import NULL, Column, is_null, pack_text, to_moment, to_python
from pytest_gamedata.models import OWN_TABLES, TABLES
from pytest_gamedata.models.values import PAID_STATUSES, REAL_MONEY_TYPES, REVERSAL_TYPES, REVERSED_STATUSES
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate.rules import Check, Mask, Tables, refuse, select

INT4_MAX = 2**31 - 1
FOREIGN_KEYS = (  # table, column, table that it refers to
    ("transactions", "user_id", "users"),
    ("transactions", "counterparty_user_id", "users"),
    ("transactions", "item_id", "items"),
    ("transactions", "refund_of", "transactions"),
    ("auth_events", "user_id", "users"),
    ("play_sessions", "user_id", "users"),
    ("inventory", "user_id", "users"),
    ("inventory", "item_id", "items"),
)
UNIQUE = (("users", "username"), ("users", "email"), ("items", "sku"))  # whatever their case
TIMESTAMPS = {
    "users": ("created_at", "email_verified_at", "last_login_at", "deleted_at", "updated_at"),
    "transactions": ("created_at", "completed_at", "refunded_at"),
    "auth_events": ("occurred_at",),
    "play_sessions": ("started_at", "ended_at"),
    "inventory": ("acquired_at", "updated_at"),
}
NOT_NULL = (
    ("users", "created_at"),
    ("users", "updated_at"),
    ("users", "status"),
    ("transactions", "user_id"),
    ("transactions", "created_at"),
    ("transactions", "type"),
    ("transactions", "status"),
    ("auth_events", "occurred_at"),
    ("auth_events", "event_type"),
    ("play_sessions", "user_id"),
    ("play_sessions", "started_at"),
    ("play_sessions", "ended_at"),
    ("inventory", "user_id"),
    ("inventory", "item_id"),
    ("inventory", "acquired_at"),
    ("inventory", "updated_at"),
)
# table, column, and the values of another column where it is set; everywhere else it is NULL
SET_WHERE = (
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
ORDERED_TIMESTAMPS = (  # table, earlier, later
    ("users", "created_at", "email_verified_at"),
    ("users", "created_at", "last_login_at"),
    ("users", "created_at", "updated_at"),
    ("users", "created_at", "deleted_at"),
    ("transactions", "created_at", "completed_at"),
    ("transactions", "completed_at", "refunded_at"),
    ("play_sessions", "started_at", "ended_at"),
    ("inventory", "acquired_at", "updated_at"),
)
NUMBERED_BY = (
    ("users", "created_at"),
    ("transactions", "created_at"),
    ("auth_events", "occurred_at"),
    ("play_sessions", "started_at"),
    ("inventory", "acquired_at"),
)
RANGES = (  # table, column, lowest, highest
    ("users", "level", 1, 1000),
    ("users", "xp", 0, None),
    ("users", "playtime_seconds", 0, None),
    ("items", "price_usd_cents", 1, INT4_MAX),
    ("items", "price_hard", 1, INT4_MAX),
    ("items", "price_soft", 1, INT4_MAX),
    ("items", "grants_hard", 0, INT4_MAX),
    ("transactions", "quantity", 1, INT4_MAX),
    ("auth_events", "risk_score", 0, 100),
    ("play_sessions", "duration_seconds", 1, INT4_MAX),
    ("inventory", "quantity", 1, INT4_MAX),
)


def _there(tables: Tables, about: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Yield what is said about tables that are there: the optional ones may be missing."""
    return (each for each in about if each[0] in tables)


def check_ids(tables: Tables, spec: DatasetSpec) -> None:
    """Ids count from 1, without gaps."""
    for table in (name for name in OWN_TABLES if name in tables):
        ids = np.asarray(tables[table]["id"])
        refuse(check_ids, table, tables[table], ids != np.arange(1, len(ids) + 1))


def check_foreign_keys(tables: Tables, spec: DatasetSpec) -> None:
    """Every foreign key refers to a row that exists."""
    for table, key, parents in _there(tables, FOREIGN_KEYS):
        value = np.asarray(tables[table][key])
        missing = (value != NULL) & ((value < 1) | (value > len(tables[parents]["id"])))
        refuse(f"{key} refers to a row of {parents}", table, tables[table], missing, key)


def check_not_null(tables: Tables, spec: DatasetSpec) -> None:
    """The columns that every row needs are not NULL."""
    for table, column in _there(tables, NOT_NULL):
        refuse(f"{column} is not NULL", table, tables[table], is_null(tables[table][column]))


def check_set_where(tables: Tables, spec: DatasetSpec) -> None:
    """Columns of certain types or statuses only are set where these are, and NULL elsewhere."""
    for table, column, kind, words in SET_WHERE:
        rows = tables[table]
        wrong = rows[kind].is_(*words) == is_null(rows[column])
        rule = f"{column} is set where {kind} is {' or '.join(words)}, and NULL elsewhere"
        refuse(rule, table, rows, wrong, kind, column)


def check_counts(tables: Tables, spec: DatasetSpec) -> None:
    """Every table has as many rows as asked for."""
    for table in TABLES:
        asked, rows = getattr(spec, table, None), tables[table]  # not every table has a setting
        if asked is not None:
            surplus = np.arange(max(asked, len(rows["id"]))) >= min(asked, len(rows["id"]))
            there = {"id": np.arange(1, len(surplus) + 1)}
            refuse(f"The table has {asked} rows, as asked for", table, there, surplus)


def check_unique_names(tables: Tables, spec: DatasetSpec) -> None:
    """Usernames, e-mail addresses and SKUs are unique, whatever their case."""
    for table, column in UNIQUE:
        value = np.strings.lower(np.asarray(tables[table][column]))
        refuse(f"{column} is unique, whatever its case", table, tables[table], _repeats(value), column)


def check_unique_payments(tables: Tables, spec: DatasetSpec) -> None:
    """Idempotency keys are unique per user, transaction ids of providers per provider."""
    rows = tables["transactions"]
    twice = _repeats(rows["idempotency_key"])
    if twice.any():  # two users may have the same one
        twice = _repeats(_join(rows["idempotency_key"], rows["user_id"]))
    refuse("idempotency_key is unique per user", "transactions", rows, twice, "user_id", "idempotency_key")
    names = ("provider_transaction_id", "payment_provider")
    paid = select(rows, ~is_null(rows["provider_transaction_id"]), *names)
    twice = _repeats(paid["provider_transaction_id"])
    if twice.any():  # two providers may have the same one
        twice = _repeats(_join(paid["provider_transaction_id"], paid["payment_provider"].codes))
    refuse("provider_transaction_id is unique per payment provider", "transactions", paid, twice, *names)


def _repeats(texts: Any) -> Mask:
    """Mark the texts that an earlier row has already; NULL is no text."""
    repeats = np.zeros(len(texts), dtype=np.bool_)
    rows = np.flatnonzero(~is_null(texts))
    values = np.sort(texts[rows])
    if (values[1:] == values[:-1]).any():
        _, first, inverse = np.unique(texts[rows], return_index=True, return_inverse=True)
        repeats[rows] = first[inverse] != np.arange(len(rows))
    return repeats


def _join(texts: Any, numbers: Any) -> NDArray[np.bytes_]:
    return np.strings.add(np.strings.add(texts, b" "), numbers.astype("S20"))


def check_reserved_addresses(tables: Tables, spec: DatasetSpec) -> None:
    """Every e-mail and IP address is in a domain or range reserved for examples."""
    users, events = tables["users"], tables["auth_events"]
    rule = "Every e-mail address is in a domain reserved for examples"
    refuse(rule, "users", users, _foreign(users["email"]), "email")
    tried = np.flatnonzero(is_null(events["user_id"]))
    typed = {"id": events["id"][tried], "identifier": events["identifier"][tried]}
    refuse(rule, "auth_events", typed, _foreign(typed["identifier"]), "identifier")
    ip = events["ip"] if isinstance(events["ip"], Categorical) else categorical(to_python(events["ip"]))
    foreign = np.array(
        [not word.startswith(dist.RESERVED_ADDRESSES) for word in ip.categories], dtype=np.bool_
    )
    rule = "Every IP address is in a range reserved for examples"
    refuse(rule, "auth_events", events, np.append(foreign, True)[ip.codes], "ip")


def _foreign(addresses: Column) -> Mask:
    """Mark the e-mail addresses outside the reserved domains."""
    left = np.flatnonzero(~is_null(addresses))
    for ending in dist.RESERVED_DOMAINS:
        left = left[~np.strings.endswith(pack_text(addresses[left]), ending)]
    foreign = np.zeros(len(addresses), dtype=np.bool_)
    foreign[left] = True
    return foreign


def check_numbering(tables: Tables, spec: DatasetSpec) -> None:
    """Ids follow the order of time."""
    for table, moment in _there(tables, NUMBERED_BY):
        at = np.asarray(tables[table][moment])
        back = np.append(np.zeros(min(len(at), 1), dtype=np.bool_), at[1:] < at[:-1])
        refuse(check_numbering, table, tables[table], back, moment)


def check_window(tables: Tables, spec: DatasetSpec) -> None:
    """Every timestamp lies inside the window of the dataset."""
    since, until = to_moment(spec.since), to_moment(spec.until)
    for table, columns in _there(tables, TIMESTAMPS.items()):
        for name in columns:
            moment = tables[table][name]
            outside = (moment < since) | (moment > until)
            refuse(check_window, table, tables[table], outside, name)


def check_timestamps(tables: Tables, spec: DatasetSpec) -> None:
    """The timestamps of a row are in order, such as its completion after its creation."""
    for table, first, then in _there(tables, ORDERED_TIMESTAMPS):
        rows = tables[table]
        refuse(f"{then} is not before {first}", table, rows, rows[then] < rows[first], first, then)


def check_ranges(tables: Tables, spec: DatasetSpec) -> None:
    """Every number lies within the limits of its column."""
    for table, column, lowest, highest in _there(tables, RANGES):
        rows = tables[table]
        value = np.asarray(rows[column])
        outside = ((value < lowest) | (value > (highest or np.iinfo(np.int64).max))) & (value != NULL)
        rule = f"{column} is at least {lowest}" + (f" and at most {highest}" if highest else "")
        refuse(rule, table, rows, outside, column)


# All other rules rely on these: they find rows by their ids, and read columns that are set.
PREREQUISITES: tuple[Check, ...] = (check_ids, check_foreign_keys, check_not_null, check_set_where)
