"""The rules that tie tables together: nobody acts before the account is there, or after it ended, or logged out."""

from __future__ import annotations

import numpy as np

from pytest_gamedata.columns.values import NULL_MOMENT, Columns, is_null
from pytest_gamedata.models.values import REVERSAL_TYPES
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate.rules import HISTORIES, Check, Tables, history_key, latest, parent, part, refuse


def check_nothing_before_signup(tables: Tables, spec: DatasetSpec) -> None:
    """Nobody buys, earns, is given anything or logs in before the account exists."""
    for table, rows, key, moment in _deeds(tables):
        early = (rows[moment] < parent(tables, "users", "created_at", rows[key])) & ~is_null(rows[key])
        refuse("nothing happens before sign-up", table, rows, early, key, moment)


def _deeds(tables: Tables) -> tuple[tuple[str, Columns, str, str], ...]:
    """Return whose deeds are recorded where: table, rows, whose they are and when they were done."""
    return (
        ("transactions", tables["transactions"], "user_id", "created_at"),
        ("transactions", tables["transactions"], "counterparty_user_id", "created_at"),
        ("auth_events", tables[HISTORIES], "user_id", "occurred_at"),
    )


def check_nothing_after_the_end(tables: Tables, spec: DatasetSpec) -> None:
    """Nobody whose account is deleted, banned or suspended buys, earns or logs in afterwards."""
    users = tables["users"]
    banned = users["status"].is_("banned", "suspended")
    ends = (  # money may still be taken back, and the banned may try to get in
        ("nothing happens after deletion", users["deleted_at"], REVERSAL_TYPES),
        (
            "nothing happens after a ban",
            np.where(banned, users["updated_at"], NULL_MOMENT),
            (*REVERSAL_TYPES, "login_failure"),
        ),
    )
    for rule, ended_at, allowed in ends:
        over = np.append(~np.isnat(ended_at), False)
        for table, rows, key, moment in _deeds(tables):
            kind = "event_type" if table == "auth_events" else "type"
            deeds = part(rows, over[np.maximum(rows[key], 0) - 1], key, moment, kind)
            late = (deeds[moment] > ended_at[deeds[key] - 1]) & ~deeds[kind].is_(*allowed)
            refuse(rule, table, deeds, late, key, moment)


def check_self_dealing(tables: Tables, spec: DatasetSpec) -> None:
    """Nobody trades with themselves, or gives themselves a present."""
    rows = tables["transactions"]
    alone = rows["counterparty_user_id"] == rows["user_id"]
    shown = ("user_id", "counterparty_user_id")
    refuse("the counterparty is somebody else", "transactions", rows, alone, *shown)


def check_purchases_follow_logins(tables: Tables, spec: DatasetSpec) -> None:
    """Who buys has logged in and not yet logged out, if the whole log is there."""
    rows, histories, events = tables["transactions"], tables[HISTORIES], tables["auth_events"]
    if spec.auth_events is not None:
        return
    bought = part(rows, rows["type"].is_("iap_purchase", "store_purchase"), "user_id", "created_at")
    user, at = bought["user_id"], bought["created_at"]
    if not len(histories["id"]):
        everybody = np.ones(len(at), dtype=np.bool_)
        refuse("a login comes before a purchase", "transactions", bought, everybody, "user_id", "created_at")
        return
    so_far = np.searchsorted(events["occurred_at"], at, side="right")
    key = history_key(histories["user_id"], histories["row"])  # counts up
    last = np.searchsorted(key, history_key(user, so_far)) - 1  # the user's last event by then
    login = latest(histories["login"])[last]
    stranger = (last < 0) | (login < 0) | (histories["user_id"][login] != user)
    refuse("a login comes before a purchase", "transactions", bought, stranger, "user_id", "created_at")
    logout = latest(histories["event_type"].is_("logout"))[last]
    gone = np.flatnonzero((logout > login) & (histories["occurred_at"][logout] < at))
    session = [events["session_id"][histories["row"][event[gone]]] for event in (login, logout)]
    over = np.zeros(len(at), dtype=np.bool_)
    over[gone[session[0] == session[1]]] = True
    refuse("nobody buys after the logout", "transactions", bought, over, "user_id", "created_at")


def check_givers(tables: Tables, spec: DatasetSpec) -> None:
    """Who sells or gives something away has come by it before."""
    rows = tables["transactions"]
    kind, done = rows["type"], rows["status"].is_("completed") & ~is_null(rows["item_id"])
    is_gift, sells = kind.is_("gift"), kind.is_("trade") & (rows["soft_delta"] > 0)
    gave = np.flatnonzero(done & (is_gift | sells))
    got = np.flatnonzero(done & ~sells & kind.is_("gift", "trade", "loot_drop", "reward", "store_purchase"))
    owner = np.where(is_gift, rows["counterparty_user_id"], rows["user_id"])
    given = history_key(rows["user_id"][gave], rows["item_id"][gave])
    things, first = np.unique(history_key(owner[got], rows["item_id"][got]), return_index=True)
    place = np.searchsorted(things, given)
    # rows are in the order of time
    never = np.append(things, -1)[place] != given
    never |= np.append(got[first], len(kind))[place] > gave
    dealt = part(rows, gave, "type", "user_id", "item_id")
    refuse("nobody gives what they never had", "transactions", dealt, never, "type", "user_id", "item_id")


CHECKS: tuple[Check, ...] = (
    check_nothing_before_signup,
    check_nothing_after_the_end,
    check_self_dealing,
    check_purchases_follow_logins,
    check_givers,
)
