"""The rules across tables: users act between sign-up and the end of their account, logged in, with items they own."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_gamedata.columns.conversion import NULL_MOMENT, Columns, is_null
from pytest_gamedata.models.values import REVERSAL_TYPES
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate.rules import (
    HISTORIES,
    Mask,
    Tables,
    history_key,
    last_position,
    parent_values,
    refuse,
    select,
)

BUYER_AND_TIME = ("user_id", "created_at")


def check_after_signup(tables: Tables, spec: DatasetSpec) -> None:
    """No user acts or receives anything before signing up."""
    for table, rows, key, moment in _actions(tables):
        early = (rows[moment] < parent_values(tables, "users", "created_at", rows[key])) & ~is_null(rows[key])
        refuse(check_after_signup, table, rows, early, key, moment)


def _actions(tables: Tables) -> tuple[tuple[str, Columns, str, str], ...]:
    """Return the places that record actions of users: table, rows, column of the user, column of the time."""
    return (
        ("transactions", tables["transactions"], "user_id", "created_at"),
        ("transactions", tables["transactions"], "counterparty_user_id", "created_at"),
        ("auth_events", tables[HISTORIES], "user_id", "occurred_at"),
    )


def check_before_the_end(tables: Tables, spec: DatasetSpec) -> None:
    """Nothing happens to a user after being deleted, banned or suspended, except refunds and failed logins."""
    users = tables["users"]
    banned = users["status"].is_("banned", "suspended")
    ends = (  # money may still be taken back, and the banned may try to get in
        ("Nothing happens to a user after being deleted", users["deleted_at"], REVERSAL_TYPES),
        (
            "Nothing happens to a user after being banned or suspended",
            np.where(banned, users["updated_at"], NULL_MOMENT),
            (*REVERSAL_TYPES, "login_failure"),
        ),
    )
    for rule, ended_at, allowed in ends:
        over = np.append(~np.isnat(ended_at), False)
        for table, rows, key, moment in _actions(tables):
            kind = "event_type" if table == "auth_events" else "type"
            actions = select(rows, over[np.maximum(rows[key], 0) - 1], key, moment, kind)
            late = (actions[moment] > ended_at[actions[key] - 1]) & ~actions[kind].is_(*allowed)
            refuse(rule, table, actions, late, key, moment)


def check_counterparties(tables: Tables, spec: DatasetSpec) -> None:
    """No user trades with themselves or gives to themselves."""
    rows = tables["transactions"]
    alone = rows["counterparty_user_id"] == rows["user_id"]
    shown = ("user_id", "counterparty_user_id")
    refuse(check_counterparties, "transactions", rows, alone, *shown)


def check_buyers_are_logged_in(tables: Tables, spec: DatasetSpec) -> None:
    """Every purchase is made while the user is logged in.

    A log that was cut to a number of rows may miss the login.
    """
    if spec.auth_events is None:
        rows = tables["transactions"]
        bought = select(rows, rows["type"].is_("iap_purchase", "store_purchase"), *BUYER_AND_TIME)
        before, after = _sessions_at(tables, bought["user_id"], bought["created_at"])
        rule = "Every purchase follows a login of the user"
        refuse(rule, "transactions", bought, before, *BUYER_AND_TIME)
        rule = "No purchase follows the logout of the user"
        refuse(rule, "transactions", bought, after, *BUYER_AND_TIME)


def _sessions_at(tables: Tables, user: Any, at: Any) -> tuple[Mask, Mask]:
    """Mark the users who at a moment have not logged in yet, and those who have logged out since they did."""
    histories, events = tables[HISTORIES], tables["auth_events"]
    if not len(histories["id"]):
        return np.ones(len(at), dtype=np.bool_), np.zeros(len(at), dtype=np.bool_)
    so_far = np.searchsorted(events["occurred_at"], at, side="right")
    key = history_key(histories["user_id"], histories["row"])  # ascending
    last = np.searchsorted(key, history_key(user, so_far)) - 1  # the user's last event by then
    login = last_position(histories["login"])[last]
    before = (last < 0) | (login < 0) | (histories["user_id"][login] != user)
    logout = last_position(histories["event_type"].is_("logout"))[last]
    left = np.flatnonzero((logout > login) & (histories["occurred_at"][logout] < at))
    begun, ended = (events["session_id"][histories["row"][event[left]]] for event in (login, logout))
    after = np.zeros(len(at), dtype=np.bool_)
    after[left[begun == ended]] = True
    return before, after


def check_givers_own(tables: Tables, spec: DatasetSpec) -> None:
    """Users sell or give away only items that they own."""
    rows = tables["transactions"]
    kind, done = rows["type"], rows["status"].is_("completed") & ~is_null(rows["item_id"])
    is_gift, sells = kind.is_("gift"), kind.is_("trade") & (rows["soft_delta"] > 0)
    gave = np.flatnonzero(done & (is_gift | sells))
    got = np.flatnonzero(done & ~sells & kind.is_("gift", "trade", "loot_drop", "reward", "store_purchase"))
    owner = np.where(is_gift, rows["counterparty_user_id"], rows["user_id"])
    given = history_key(rows["user_id"][gave], rows["item_id"][gave])
    owned, first = np.unique(history_key(owner[got], rows["item_id"][got]), return_index=True)
    place = np.searchsorted(owned, given)
    never = np.append(owned, -1)[place] != given
    never |= np.append(got[first], len(kind))[place] > gave  # rows are in the order of time
    dealt = select(rows, gave, "type", "user_id", "item_id")
    refuse(check_givers_own, "transactions", dealt, never, "type", "user_id", "item_id")
