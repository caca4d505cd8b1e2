"""The rules of auth_events: registrations, logins, sessions, locks, attacks, and what users say of them.

`tables["histories"]` are the events of known users, each user's in one piece.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.combine import take
from pytest_gamedata.columns.values import NULL_MOMENT, Columns, is_null
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate.rules import HISTORIES, Check, Mask, Tables, first_of_each, latest, part, refuse

WHO_AND_WHEN = ("user_id", "occurred_at")
MINUTE = np.timedelta64(1, "m")
# In each history the n-th of these comes after the n-th of those.
ANSWERS = (
    ("password_reset_completed", "password_reset_requested"),
    ("mfa_failure", "mfa_challenge"),
    ("account_unlocked", "account_locked"),
)


def check_unknown_users(tables: Tables, spec: DatasetSpec) -> None:
    """An unknown user is no user, and does nothing but fail to log in or ask for a reset."""
    events = tables["auth_events"]
    nobody = is_null(events["user_id"])
    shown = ("event_type", "failure_reason")
    rows = part(events, nobody, *shown)
    known = ~(rows["failure_reason"].is_("unknown_user") | rows["event_type"].is_("password_reset_requested"))
    rule = "only an unknown_user or a reset is logged without a user_id"
    refuse(rule, "auth_events", rows, known, *shown)
    named = events["failure_reason"].is_("unknown_user") & ~nobody
    refuse("an unknown_user has no user_id", "auth_events", events, named, "user_id")


def check_registrations(tables: Tables, spec: DatasetSpec) -> None:
    """The first event of every user is the registration; only a log cut to a number of rows may miss it."""
    rows, users = tables[HISTORIES], tables["users"]
    first, registers = first_of_each(rows["user_id"]), rows["event_type"].is_("register")
    late = registers & ~first
    refuse("nothing comes before the registration", "auth_events", rows, late, *WHO_AND_WHEN)
    unregistered = np.ones(len(users["id"]), dtype=np.bool_)
    unregistered[rows["user_id"][registers] - 1] = False
    if spec.auth_events is None:
        refuse("a user's first event is the registration", "users", users, unregistered, "created_at")


def check_last_logins(tables: Tables, spec: DatasetSpec) -> None:
    """last_login_at is the last successful login, NULL without one."""
    rows, users = tables[HISTORIES], tables["users"]
    last = np.full(len(users["id"]), NULL_MOMENT)
    last[rows["user_id"][rows["login"]] - 1] = rows["occurred_at"][
        rows["login"]
    ]  # by time: the last one stays
    wrong = last.astype(np.int64) != np.asarray(users["last_login_at"]).astype(np.int64)
    refuse("last_login_at is the last login", "users", users, wrong, "last_login_at")


def check_failed_logins(tables: Tables, spec: DatasetSpec) -> None:
    """failed_login_count counts the failures since the last success."""
    rows, users = tables[HISTORIES], tables["users"]
    failed = np.flatnonzero(rows["event_type"].is_("login_failure"))
    user = rows["user_id"][failed] - 1
    last = users["last_login_at"][user]
    since = np.isnat(last) | (rows["occurred_at"][failed] > last)
    wrong = np.bincount(user[since], minlength=len(users["id"])) != users["failed_login_count"]
    rule = "failed_login_count is the failures since the last login"
    refuse(rule, "users", users, wrong, "failed_login_count")


def check_logouts(tables: Tables, spec: DatasetSpec) -> None:
    """Every logout ends a session that the same user's login began."""
    histories, session = tables[HISTORIES], tables["auth_events"]["session_id"]
    logout = np.flatnonzero(histories["event_type"].is_("logout"))
    login = latest(histories["login"])[logout]  # mostly the one that began the session
    user, row = histories["user_id"], histories["row"]
    astray = (login < 0) | (user[login] != user[logout]) | (session[row[login]] != session[row[logout]])
    bad = np.zeros(len(user), dtype=np.bool_)
    for position in logout[astray].tolist():
        own = slice(np.searchsorted(user, user[position]), position)
        began = histories["login"][own] & (session[row[own]] == session[row[position]])
        bad[position] = not began.any()
    refuse("a logout ends a session that a login began", "auth_events", histories, bad, *WHO_AND_WHEN)


def check_answers(tables: Tables, spec: DatasetSpec) -> None:
    """No reset is completed and no second factor missed that was not asked for, no lock opened that was not shut."""
    histories = tables[HISTORIES]
    for answer, question in ANSWERS:
        rows = take(histories, histories["event_type"].is_(answer, question))
        step = np.where(rows["event_type"].is_(question), 1, -1)
        unanswered = np.cumsum(step)
        first = np.flatnonzero(first_of_each(rows["user_id"]))
        before = np.repeat((unanswered - step)[first], np.diff(np.append(first, len(step))))
        refuse(f"{answer} follows {question}", "auth_events", rows, unanswered < before, *WHO_AND_WHEN)


def check_locks(tables: Tables, spec: DatasetSpec) -> None:
    """An account is locked after as many wrong passwords within a minute as it takes, and not before."""
    histories = tables[HISTORIES]
    locks = histories["event_type"].is_("account_locked")
    rows = take(histories, locks | histories["failure_reason"].is_("wrong_password"))
    due = np.roll(_fifth_failures(rows), 1) & ~first_of_each(rows["user_id"])
    early = rows["event_type"].is_("account_locked") & ~due
    refuse("a lock follows five failures within a minute", "auth_events", rows, early, *WHO_AND_WHEN)


def check_limits(tables: Tables, spec: DatasetSpec) -> None:
    """As many wrong passwords as it takes, of the user or of attackers, within a minute lock the account."""
    histories = {**tables[HISTORIES], "logins": np.cumsum(tables[HISTORIES]["login"])}
    locks = histories["event_type"].is_("account_locked")
    wrong = histories["failure_reason"].is_("wrong_password")
    for attack in (False, True):
        rows = take(histories, locks | (wrong & (histories["attack"] == attack)))
        due = _fifth_failures(rows) & (rows["logins"] == rows["logins"][_fourth_before(rows)])
        locked = np.roll(rows["event_type"].is_("account_locked") & ~first_of_each(rows["user_id"]), -1)
        rule = "five failures within a minute lock the account"
        refuse(rule, "auth_events", rows, due & ~locked, *WHO_AND_WHEN)


def _fifth_failures(rows: Columns) -> Mask:
    """Mark the rows of histories with which one user's wrong passwords are enough for a lock."""
    wrong = rows["failure_reason"].is_("wrong_password")
    in_a_row = np.arange(len(wrong)) - latest(~wrong)
    first = _fourth_before(rows)
    same_user = rows["user_id"] == rows["user_id"][first]
    soon = rows["occurred_at"] - rows["occurred_at"][first] <= MINUTE
    return wrong & (in_a_row >= dist.LOCK_AFTER_FAILURES) & same_user & soon


def _fourth_before(rows: Columns) -> NDArray[np.int64]:
    """Return for each row the position of the first of the five that end with it."""
    return np.maximum(np.arange(len(rows["id"])) - (dist.LOCK_AFTER_FAILURES - 1), 0)


def check_locked_out(tables: Tables, spec: DatasetSpec) -> None:
    """While an account is locked nobody gets in, and its user's attempts fail for that reason, else they do not."""
    rows, locked = _lock_state(tables)
    reason = rows["failure_reason"]
    # a token only renews what somebody was in already
    token = tables["auth_events"]["auth_method"][rows["row"]].is_("refresh_token")
    inside = locked & rows["login"] & ~token
    refuse("nobody gets into a locked account", "auth_events", rows, inside, *WHO_AND_WHEN)
    # attackers with many accounts to try are not told of a lock
    wrong = reason.is_("account_locked") & ~locked
    wrong |= reason.is_("wrong_password") & locked & ~rows["attack"]
    rule = "attempts fail for account_locked while the account is locked"
    refuse(rule, "auth_events", rows, wrong, *WHO_AND_WHEN, "failure_reason")
    twice = rows["event_type"].is_("account_locked") & locked
    refuse("an account is locked once at a time", "auth_events", rows, twice, *WHO_AND_WHEN)


def _lock_state(tables: Tables) -> tuple[Columns, Mask]:
    """Return the histories of users who were ever locked, and for each row whether the account was locked then."""
    histories = tables[HISTORIES]
    ever = np.zeros(len(tables["users"]["id"]) + 1, dtype=np.bool_)
    shut = histories["event_type"].is_("account_locked") | histories["failure_reason"].is_("account_locked")
    ever[histories["user_id"][shut]] = True
    rows = take(histories, ever[histories["user_id"]])
    kind, user = rows["event_type"], rows["user_id"]
    change = latest(kind.is_("account_locked", "account_unlocked"))
    change = np.append(np.full(min(len(change), 1), -1), change[:-1])  # before the row itself
    locked = (change >= 0) & (user[change] == user) & kind.is_("account_locked")[change]
    return rows, locked


def check_locked_accounts(tables: Tables, spec: DatasetSpec) -> None:
    """Accounts are locked whose last lock was not opened, and if the whole log is there no others."""
    histories, users = tables[HISTORIES], tables["users"]
    rows = take(histories, histories["event_type"].is_("account_locked", "account_unlocked"))
    shut = np.zeros(len(users["id"]), dtype=np.bool_)
    shut[rows["user_id"] - 1] = rows["event_type"].is_("account_locked")  # by time: the last one stays
    locked = users["status"].is_("locked")
    wrong = shut != locked if spec.auth_events is None else shut & ~locked
    refuse("locked accounts are those whose lock was not opened", "users", users, wrong, "status")


def check_break_ins(tables: Tables, spec: DatasetSpec) -> None:
    """Whose account was broken into takes it back on coming back: the password is reset afterwards."""
    rows = tables[HISTORIES]
    reset = _last_of(tables, rows["event_type"].is_("password_reset_completed"))
    came = _last_of(tables, rows["login"] & ~rows["attack"])
    entered = part(rows, rows["login"] & rows["attack"], "user_id", "occurred_at")
    user, at = entered["user_id"] - 1, entered["occurred_at"]
    lost = (came[user] > at) & ~(reset[user] > at)
    refuse("a password reset follows a break-in", "auth_events", entered, lost, *WHO_AND_WHEN)


def _last_of(tables: Tables, events: Mask) -> NDArray[np.datetime64]:
    """Return for each user the last of these events of the histories."""
    rows = part(tables[HISTORIES], events, "user_id", "occurred_at")
    last = np.full(len(tables["users"]["id"]), NULL_MOMENT)
    last[rows["user_id"] - 1] = rows["occurred_at"]  # by time: the last one stays
    return last


CHECKS: tuple[Check, ...] = (
    check_unknown_users,
    check_registrations,
    check_last_logins,
    check_failed_logins,
    check_logouts,
    check_answers,
    check_locks,
    check_limits,
    check_locked_out,
    check_locked_accounts,
    check_break_ins,
)
