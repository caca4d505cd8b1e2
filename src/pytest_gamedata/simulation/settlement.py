"""Settlement: the columns of users that follow from the auth log and the ledger."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.values import NULL_MOMENT, Columns
from pytest_gamedata.factories.users import level_of
from pytest_gamedata.models.values import PAID_STATUSES, REVERSAL_TYPES
from pytest_gamedata.simulation.sessions import Sessions


def settle_logins(users: Columns, auth_events: Columns, sessions: Sessions) -> Columns:
    """Fill in what the log says of each user: last login, failures since, playtime, level."""
    count = len(users["id"])
    at, kind = auth_events["occurred_at"], auth_events["event_type"]
    user = np.maximum(np.asarray(auth_events["user_id"]), 0) - 1  # -1 for NULL
    last_login = _latest(count, user, at, kind.is_("login_success"))
    failed = np.flatnonzero(kind.is_("login_failure") & (user >= 0))
    since = failed[np.isnat(last_login[user[failed]]) | (at[failed] > last_login[user[failed]])]
    playtime = np.bincount(sessions.user, sessions.seconds, count).astype(np.int64)
    created_at, ended_at = users["created_at"], users["ended_at"]
    changed = np.where(users["status"].is_("deleted", "banned", "suspended"), ended_at, created_at)
    return {
        **users,
        "last_login_at": last_login,
        "failed_login_count": np.bincount(user[since], minlength=count).astype(np.int64),
        "playtime_seconds": playtime,
        "level": level_of(playtime),
        "xp": playtime * dist.XP_PER_SECOND,
        "updated_at": np.fmax(np.fmax(last_login, changed), created_at),
    }


def _latest(count: int, user: Any, at: Any, chosen: NDArray[np.bool_]) -> NDArray[np.datetime64]:
    latest = np.full(count, NULL_MOMENT)
    rows = np.flatnonzero(chosen)  # in the order of time: the last one written stays
    latest[user[rows]] = at[rows]
    return latest


def settle_users(users: Columns, transactions: Columns) -> Columns:
    """Fill in what the ledger says of each user: balances and lifetime spend."""
    position = np.asarray(transactions["user_id"]) - 1
    counts = transactions["type"].is_("iap_purchase", *REVERSAL_TYPES) & transactions["status"].is_(
        *PAID_STATUSES
    )
    spent = np.where(counts, transactions["amount_usd_cents"], 0)
    count = len(users["id"])

    def total(values: Any) -> NDArray[np.int64]:
        sums = np.zeros(count, dtype=np.int64)
        np.add.at(sums, position, values)
        return sums

    return {
        **users,
        "soft_balance": total(transactions["soft_delta"]),
        "hard_balance": total(transactions["hard_delta"]),
        "lifetime_spend_usd_cents": total(spent),
    }


def touch_users(users: Columns, transactions: Columns) -> Columns:
    """Let no user be older than the last row that was settled; a ban or a deletion remains the last word."""
    last = np.array(users["updated_at"])
    np.fmax.at(last, np.asarray(transactions["user_id"]) - 1, transactions["completed_at"])
    over = users["status"].is_("banned", "suspended", "deleted")
    return {**users, "updated_at": np.where(over, users["updated_at"], last)}
