"""The rules of users: passwords, locks and bans, playtime."""

from __future__ import annotations

import numpy as np

from pytest_gamedata.columns.conversion import is_null, to_moment
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate.rules import Tables, refuse


def check_passwords(tables: Tables, spec: DatasetSpec) -> None:
    """Every password account has an e-mail address and a password hash."""
    users = tables["users"]
    by_password = users["signup_provider"].is_("password")
    bare = by_password & (is_null(users["email"]) | is_null(users["password_hash"]))
    refuse(check_passwords, "users", users, bare, "signup_provider", "email")


def check_locks_and_bans(tables: Tables, spec: DatasetSpec) -> None:
    """Locks and bans end after the window, and only locked, banned or suspended users have one."""
    users, until = tables["users"], to_moment(spec.until)
    for column, statuses in (("locked_until", ("locked",)), ("banned_until", ("banned", "suspended"))):
        over = users[column] <= until
        refuse(f"{column} is after the end of the window", "users", users, over, "status", column)
        idle = ~is_null(users[column]) & ~users["status"].is_(*statuses)  # a ban without an end is for ever
        rule = f"{column} is set only where status is {' or '.join(statuses)}"
        refuse(rule, "users", users, idle, "status", column)


def check_playtime(tables: Tables, spec: DatasetSpec) -> None:
    """No user has played for longer than the account exists."""
    users = tables["users"]
    age = (to_moment(spec.until) - users["created_at"]).astype(np.int64) // 1_000_000
    bad = users["playtime_seconds"] > age
    refuse(check_playtime, "users", users, bad, "playtime_seconds")
