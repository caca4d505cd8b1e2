"""Settlement: the columns of users that follow from sessions, auth log and ledger."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.conversion import NULL_MOMENT, Columns
from pytest_gamedata.factories.fields import drop_params, fields_changed_early
from pytest_gamedata.factories.users import level_of, xp_of
from pytest_gamedata.models.values import PAID_STATUSES, REVERSAL_TYPES
from pytest_gamedata.simulation.sessions import Sessions
from pytest_gamedata.simulation.world import World


def settle_playtime(users: Columns, sessions: Sessions, user_factory: Any) -> Columns:
    """Fill in what the sessions say of each user: playtime, level and experience; nobody has logged in yet."""
    playtime = np.bincount(sessions.user, sessions.seconds, len(users["id"])).astype(np.int64)
    settled = {
        "playtime_seconds": playtime,
        "level": level_of(playtime),
        "xp": xp_of(playtime),
        "last_login_at": np.full(len(playtime), NULL_MOMENT),
        "updated_at": users["created_at"],
    }
    return _fill(users, settled, user_factory)


def settle_users(world: World, auth_events: Columns, transactions: Columns, user_factory: Any) -> Columns:
    """Fill in what auth log and ledger say of each user: logins, failures, balances; leave the params out."""
    users = world.users
    last_login_at = _last_logins(users, auth_events)
    settled = {
        **_settle_balances(users, transactions),
        "last_login_at": last_login_at,
        "failed_login_count": _count_failures(last_login_at, auth_events),
        "updated_at": _last_changes(users, last_login_at, transactions),
    }
    return drop_params(user_factory, _fill(users, settled, user_factory))


def _fill(users: Columns, settled: Columns, user_factory: Any) -> Columns:
    """Put settled columns in place, except where a user's own factory declares the field."""
    changed = fields_changed_early(user_factory)
    return users | {name: column for name, column in settled.items() if name not in changed}


def _settle_balances(users: Columns, transactions: Columns) -> Columns:
    kind, status = transactions["type"], transactions["status"]
    paid = kind.is_("iap_purchase", *REVERSAL_TYPES) & status.is_(*PAID_STATUSES)
    amounts = {
        "soft_balance": transactions["soft_delta"],
        "hard_balance": transactions["hard_delta"],
        "lifetime_spend_usd_cents": np.where(paid, transactions["amount_usd_cents"], 0),
    }
    position = np.asarray(transactions["user_id"]) - 1
    totals = {name: np.zeros(len(users["id"]), dtype=np.int64) for name in amounts}
    for name, values in amounts.items():
        np.add.at(totals[name], position, values)
    return totals


def _last_logins(users: Columns, auth_events: Columns) -> NDArray[np.datetime64]:
    last = np.full(len(users["id"]), NULL_MOMENT)
    logins = np.flatnonzero(auth_events["event_type"].is_("login_success"))
    # in the order of time: the last one written stays
    last[auth_events["user_id"][logins] - 1] = auth_events["occurred_at"][logins]
    return last


def _count_failures(last_login_at: NDArray[np.datetime64], auth_events: Columns) -> NDArray[np.int64]:
    """Count each user's failed logins since the last one that succeeded."""
    failed = np.flatnonzero(auth_events["event_type"].is_("login_failure") & (auth_events["user_id"] > 0))
    user, at = auth_events["user_id"][failed] - 1, auth_events["occurred_at"][failed]
    since = np.isnat(last_login_at[user]) | (at > last_login_at[user])
    return np.bincount(user[since], minlength=len(last_login_at)).astype(np.int64)


def _last_changes(users: Columns, last_login_at: Any, transactions: Columns) -> NDArray[np.datetime64]:
    """Return when each account last changed: at a login or a transaction, unless it was ended before."""
    over = users["status"].is_("banned", "suspended", "deleted")
    ended_at = np.where(over, users["ended_at"], NULL_MOMENT)
    last = np.fmax(np.fmax(last_login_at, ended_at), users["created_at"])
    touched = last.copy()
    np.fmax.at(touched, np.asarray(transactions["user_id"]) - 1, transactions["completed_at"])
    return np.where(over, last, touched)
