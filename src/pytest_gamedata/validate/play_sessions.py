"""The rules of play_sessions: each begins with a login, they do not overlap, and end before the account does."""

from __future__ import annotations

import numpy as np

from pytest_gamedata.columns.combine import take
from pytest_gamedata.columns.conversion import NULL_MOMENT
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate.rules import HISTORIES, Mask, Tables, first_of_user, parent_values, refuse

TABLE = "play_sessions"
USER_AND_START = ("user_id", "started_at")


def check_durations(tables: Tables, spec: DatasetSpec) -> None:
    """Every play session lasts for its duration, rounded up to whole seconds."""
    rows = tables[TABLE]
    lasted = (np.asarray(rows["ended_at"]) - rows["started_at"]).astype(np.int64)
    wrong = np.maximum(-(-lasted // 1_000_000), 1) != rows["duration_seconds"]
    refuse(check_durations, TABLE, rows, wrong, "started_at", "ended_at", "duration_seconds")


def check_overlaps(tables: Tables, spec: DatasetSpec) -> None:
    """No play session begins before the user's last one has ended."""
    rows = tables[TABLE]
    ordered = take(rows, np.argsort(np.asarray(rows["user_id"]), kind="stable"))  # each user's by time
    overlaps = ordered["started_at"] < np.roll(ordered["ended_at"], 1)
    overlaps &= ~first_of_user(ordered["user_id"])
    refuse(check_overlaps, TABLE, ordered, overlaps, *USER_AND_START)


def check_accounts(tables: Tables, spec: DatasetSpec) -> None:
    """Users play after signing up, and not after being deleted, banned or suspended."""
    rows, users = tables[TABLE], tables["users"]
    early = rows["started_at"] < parent_values(tables, "users", "created_at", rows["user_id"])
    refuse("No user plays before signing up", TABLE, rows, early, *USER_AND_START)
    banned = users["status"].is_("banned", "suspended")
    over = np.where(banned, users["updated_at"], np.asarray(users["deleted_at"]))
    ends = np.append(over, NULL_MOMENT)[np.asarray(rows["user_id"]) - 1]
    late = rows["ended_at"] > ends
    rule = "No user plays after being deleted, banned or suspended"
    refuse(rule, TABLE, rows, late, "user_id", "ended_at")


def check_logins(tables: Tables, spec: DatasetSpec) -> None:
    """Every play session begins with a login of its user.

    A log that was cut to a number of rows may miss it.
    """
    if spec.auth_events is None:
        rows = tables[TABLE]
        refuse(check_logins, TABLE, rows, ~_has_login(tables), *USER_AND_START)


def _has_login(tables: Tables) -> Mask:
    """Tell for each play session whether its user logged in at its start."""
    rows, logins = tables[TABLE], take(tables[HISTORIES], tables[HISTORIES]["login"])
    moments, at = np.unique(
        np.concatenate([np.asarray(logins["occurred_at"]), rows["started_at"]]), return_inverse=True
    )
    key = np.concatenate([np.asarray(logins["user_id"]), rows["user_id"]]) * (len(moments) + 1) + at
    count = len(logins["user_id"])
    return np.isin(key[count:], key[:count])
