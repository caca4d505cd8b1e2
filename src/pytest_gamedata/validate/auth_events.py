"""The rules of auth_events: registrations, logins, logouts, password resets, locks and account takeovers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.combine import take
from pytest_gamedata.columns.conversion import NULL_MOMENT, Columns, is_null
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate.rules import (
    HISTORIES,
    Mask,
    Tables,
    first_of_user,
    last_position,
    refuse,
    select,
)

WHO_AND_WHEN = ("user_id", "occurred_at")
MINUTE = np.timedelta64(1, "m")
# In the history of a user, the n-th event of the first kind comes after the n-th of the second.
FOLLOW_UPS = (
    ("password_reset_completed", "password_reset_requested"),
    ("mfa_failure", "mfa_challenge"),
    ("account_unlocked", "account_locked"),
)


def check_unknown_users(tables: Tables, spec: DatasetSpec) -> None:
    """Events without a user are failures of unknown users or requests for a password reset."""
    events = tables["auth_events"]
    nobody = is_null(events["user_id"])
    shown = ("event_type", "failure_reason")
    rows = select(events, nobody, *shown)
    known = ~(rows["failure_reason"].is_("unknown_user") | rows["event_type"].is_("password_reset_requested"))
    rule = "Only failures of unknown users and reset requests have no user_id"
    refuse(rule, "auth_events", rows, known, *shown)
    named = events["failure_reason"].is_("unknown_user") & ~nobody
    refuse("Failures of unknown users have no user_id", "auth_events", events, named, "user_id")


def check_registrations(tables: Tables, spec: DatasetSpec) -> None:
    """Every user's first event is the registration.

    A log that was cut to a number of rows may miss it.
    """
    rows, users = tables[HISTORIES], tables["users"]
    first, registers = first_of_user(rows["user_id"]), rows["event_type"].is_("register")
    late = registers & ~first
    refuse("No event of a user comes before the registration", "auth_events", rows, late, *WHO_AND_WHEN)
    unregistered = np.ones(len(users["id"]), dtype=np.bool_)
    unregistered[rows["user_id"][registers] - 1] = False
    if spec.auth_events is None:
        refuse(check_registrations, "users", users, unregistered, "created_at")


def check_last_logins(tables: Tables, spec: DatasetSpec) -> None:
    """Every user's last_login_at is their last successful login."""
    rows, users = tables[HISTORIES], tables["users"]
    last = _last_of(tables, rows["login"])
    wrong = last.astype(np.int64) != np.asarray(users["last_login_at"]).astype(np.int64)
    refuse(check_last_logins, "users", users, wrong, "last_login_at")


def check_failed_logins(tables: Tables, spec: DatasetSpec) -> None:
    """Every user's failed_login_count counts the failures since their last login."""
    rows, users = tables[HISTORIES], tables["users"]
    failed = np.flatnonzero(rows["event_type"].is_("login_failure"))
    user = rows["user_id"][failed] - 1
    last = users["last_login_at"][user]
    since = np.isnat(last) | (rows["occurred_at"][failed] > last)
    wrong = np.bincount(user[since], minlength=len(users["id"])) != users["failed_login_count"]
    refuse(check_failed_logins, "users", users, wrong, "failed_login_count")


def check_logouts(tables: Tables, spec: DatasetSpec) -> None:
    """Every logout ends a session that a login of the same user began."""
    histories, session = tables[HISTORIES], tables["auth_events"]["session_id"]
    logout = np.flatnonzero(histories["event_type"].is_("logout"))
    login = last_position(histories["login"])[logout]  # mostly the one that began the session
    user, row = histories["user_id"], histories["row"]
    astray = (login < 0) | (user[login] != user[logout]) | (session[row[login]] != session[row[logout]])
    bad = np.zeros(len(user), dtype=np.bool_)
    for position in logout[astray].tolist():
        own = slice(np.searchsorted(user, user[position]), position)
        began = histories["login"][own] & (session[row[own]] == session[row[position]])
        bad[position] = not began.any()
    refuse(check_logouts, "auth_events", histories, bad, *WHO_AND_WHEN)


def check_follow_ups(tables: Tables, spec: DatasetSpec) -> None:
    """Resets completed, second factors failed and accounts unlocked follow a request, a challenge, a lock."""
    histories = tables[HISTORIES]
    for answer, question in FOLLOW_UPS:
        rows = take(histories, histories["event_type"].is_(answer, question))
        step = np.where(rows["event_type"].is_(question), 1, -1)
        unanswered = np.cumsum(step)
        first = np.flatnonzero(first_of_user(rows["user_id"]))
        before = np.repeat((unanswered - step)[first], np.diff(np.append(first, len(step))))
        rule = f"Every {answer} follows its {question}"
        refuse(rule, "auth_events", rows, unanswered < before, *WHO_AND_WHEN)


def check_locks(tables: Tables, spec: DatasetSpec) -> None:
    """An account is locked only after five wrong passwords within a minute."""
    histories = tables[HISTORIES]
    locks = histories["event_type"].is_("account_locked")
    rows = take(histories, locks | histories["failure_reason"].is_("wrong_password"))
    due = np.roll(_fifth_failures(rows), 1) & ~first_of_user(rows["user_id"])
    early = rows["event_type"].is_("account_locked") & ~due
    refuse(check_locks, "auth_events", rows, early, *WHO_AND_WHEN)


def check_failures_lock(tables: Tables, spec: DatasetSpec) -> None:
    """Five wrong passwords within a minute lock the account.

    Those of the user and those of attackers are counted apart.
    """
    histories = {**tables[HISTORIES], "logins": np.cumsum(tables[HISTORIES]["login"])}
    locks = histories["event_type"].is_("account_locked")
    wrong = histories["failure_reason"].is_("wrong_password")
    for attack in (False, True):
        rows = take(histories, locks | (wrong & (histories["attack"] == attack)))
        due = _fifth_failures(rows) & (rows["logins"] == rows["logins"][_fourth_before(rows)])
        locked = np.roll(rows["event_type"].is_("account_locked") & ~first_of_user(rows["user_id"]), -1)
        refuse(check_failures_lock, "auth_events", rows, due & ~locked, *WHO_AND_WHEN)


def _fifth_failures(rows: Columns) -> Mask:
    """Mark the wrong passwords that are the fifth, or a later one, of the same user within a minute."""
    wrong = rows["failure_reason"].is_("wrong_password")
    in_a_row = np.arange(len(wrong)) - last_position(~wrong)
    first = _fourth_before(rows)
    same_user = rows["user_id"] == rows["user_id"][first]
    soon = rows["occurred_at"] - rows["occurred_at"][first] <= MINUTE
    return wrong & (in_a_row >= dist.LOCK_AFTER_FAILURES) & same_user & soon


def _fourth_before(rows: Columns) -> NDArray[np.int64]:
    """Return for each row the position of the first of the five that end with it."""
    return np.maximum(np.arange(len(rows["id"])) - (dist.LOCK_AFTER_FAILURES - 1), 0)


def check_locked_logins(tables: Tables, spec: DatasetSpec) -> None:
    """While an account is locked nobody logs in, and login attempts fail with account_locked."""
    rows, locked = _lock_state(tables)
    reason = rows["failure_reason"]
    # a refresh token only renews a session that has begun already
    token = tables["auth_events"]["auth_method"][rows["row"]].is_("refresh_token")
    inside = locked & rows["login"] & ~token
    refuse("Nobody logs in to a locked account", "auth_events", rows, inside, *WHO_AND_WHEN)
    # attackers with many accounts to try may see wrong_password in spite of the lock
    wrong = reason.is_("account_locked") & ~locked
    wrong |= reason.is_("wrong_password") & locked & ~rows["attack"]
    rule = "Logins fail with account_locked only while the account is locked, and always then"
    refuse(rule, "auth_events", rows, wrong, *WHO_AND_WHEN, "failure_reason")
    twice = rows["event_type"].is_("account_locked") & locked
    refuse("No account is locked that is locked already", "auth_events", rows, twice, *WHO_AND_WHEN)


def _lock_state(tables: Tables) -> tuple[Columns, Mask]:
    """Return the histories of users who were ever locked, and mark the rows at which the account was locked."""
    histories = tables[HISTORIES]
    ever = np.zeros(len(tables["users"]["id"]) + 1, dtype=np.bool_)
    shut = histories["event_type"].is_("account_locked") | histories["failure_reason"].is_("account_locked")
    ever[histories["user_id"][shut]] = True
    rows = take(histories, ever[histories["user_id"]])
    kind, user = rows["event_type"], rows["user_id"]
    change = last_position(kind.is_("account_locked", "account_unlocked"))
    change = np.append(np.full(min(len(change), 1), -1), change[:-1])  # before the row itself
    locked = (change >= 0) & (user[change] == user) & kind.is_("account_locked")[change]
    return rows, locked


def check_locked_status(tables: Tables, spec: DatasetSpec) -> None:
    """Users are locked exactly if their last lock was not lifted.

    A log that was cut to a number of rows may miss the lock.
    """
    histories, users = tables[HISTORIES], tables["users"]
    rows = take(histories, histories["event_type"].is_("account_locked", "account_unlocked"))
    shut = np.zeros(len(users["id"]), dtype=np.bool_)
    shut[rows["user_id"] - 1] = rows["event_type"].is_(
        "account_locked"
    )  # in the order of time: the last one stays
    locked = users["status"].is_("locked")
    wrong = shut != locked if spec.auth_events is None else shut & ~locked
    refuse(check_locked_status, "users", users, wrong, "status")


def check_takeovers(tables: Tables, spec: DatasetSpec) -> None:
    """Every user who comes back after a takeover has reset the password."""
    rows = tables[HISTORIES]
    reset = _last_of(tables, rows["event_type"].is_("password_reset_completed"))
    came = _last_of(tables, rows["login"] & ~rows["attack"])
    entered = select(rows, rows["login"] & rows["attack"], "user_id", "occurred_at")
    user, at = entered["user_id"] - 1, entered["occurred_at"]
    lost = (came[user] > at) & ~(reset[user] > at)
    refuse(check_takeovers, "auth_events", entered, lost, *WHO_AND_WHEN)


def _last_of(tables: Tables, events: Mask) -> NDArray[np.datetime64]:
    """Return for each user the time of the last of these events of the histories, NULL without one."""
    rows = select(tables[HISTORIES], events, "user_id", "occurred_at")
    last = np.full(len(tables["users"]["id"]), NULL_MOMENT)
    last[rows["user_id"] - 1] = rows["occurred_at"]  # in the order of time: the last one stays
    return last
