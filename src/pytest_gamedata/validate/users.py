"""The rules of users."""

from __future__ import annotations

import numpy as np

from pytest_gamedata.columns.values import is_null, to_moment
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate.rules import Check, Tables, refuse


def check_passwords(tables: Tables, spec: DatasetSpec) -> None:
    """Password accounts have an address and a hash."""
    users = tables["users"]
    by_password = users["signup_provider"].is_("password")
    bare = by_password & (is_null(users["email"]) | is_null(users["password_hash"]))
    refuse("a password account has email and password_hash", "users", users, bare, "signup_provider", "email")


def check_in_force(tables: Tables, spec: DatasetSpec) -> None:
    """Locks, bans and suspensions still hold when the window ends."""
    users, until = tables["users"], to_moment(spec.until)
    for column, statuses in (("locked_until", ("locked",)), ("banned_until", ("banned", "suspended"))):
        over = users[column] <= until
        refuse(f"{column} is after the window", "users", users, over, "status", column)
        idle = ~is_null(users[column]) & ~users["status"].is_(*statuses)  # a ban without an end is for ever
        refuse(f"{column} is of the {' or '.join(statuses)} only", "users", users, idle, "status", column)


def check_playtime(tables: Tables, spec: DatasetSpec) -> None:
    """Nobody has played longer than the account is old."""
    users = tables["users"]
    age = (to_moment(spec.until) - users["created_at"]).astype(np.int64) // 1_000_000
    bad = users["playtime_seconds"] > age
    refuse("playtime fits the account's age", "users", users, bad, "playtime_seconds")


CHECKS: tuple[Check, ...] = (
    check_passwords,
    check_in_force,
    check_playtime,
)
