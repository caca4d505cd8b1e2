import numpy as np
import pytest
from breaking import SECOND, SEEDED, broken, only, refusal, row_of, rows_of, set_rows, value

from pytest_gamedata.dataset import Dataset
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate import validate_dataset
from pytest_gamedata.validate.auth_events import (
    check_follow_ups,
    check_locked_logins,
    check_locked_status,
    check_locks,
    check_takeovers,
)

EVENTS = SEEDED.tables["auth_events"]
UNKNOWN = row_of("auth_events", failure_reason="unknown_user")
LOCK = row_of("auth_events", event_type="account_locked")
LOGOUT = row_of("auth_events", event_type="logout")
LOGIN, REGISTER = (
    row_of("auth_events", event_type="login_success"),
    row_of("auth_events", event_type="register"),
)


def own_rows(row, **wanted):
    return rows_of("auth_events", user_id=EVENTS["user_id"][row], **wanted)


def renamed(rows, kind):
    return ("auth_events", "event_type", rows, kind)


def test_a_known_unknown_user_is_found():
    message = refusal(broken(("auth_events", "user_id", UNKNOWN, 1)))

    assert message.startswith(
        f"Failures of unknown users have no user_id: auth_events row id={UNKNOWN + 1}, user_id=1 (1 of "
    )


def test_a_login_of_nobody_is_found():
    message = refusal(
        broken(renamed(UNKNOWN, "login_success"), ("auth_events", "failure_reason", UNKNOWN, None))
    )

    assert message.startswith(
        f"Only failures of unknown users and reset requests have no user_id: auth_events row id={UNKNOWN + 1}, event_type=login_success, "
    )


def test_a_user_without_a_registration_is_found():
    user = EVENTS["user_id"][REGISTER]

    assert refusal(broken(renamed(REGISTER, "logout"))).startswith(
        f"Every user's first event is the registration: users row id={user}, created_at="
    )


def test_a_second_registration_is_found():
    assert refusal(broken(renamed(LOGIN, "register"))).startswith(
        f"No event of a user comes before the registration: auth_events row id={LOGIN + 1}, user_id="
    )


def test_a_log_that_was_cut_may_miss_a_registration():
    last = int(SEEDED.tables["users"]["created_at"].argmax()) + 1
    keep = np.asarray(EVENTS["user_id"]) != last
    events = {name: column[keep] for name, column in EVENTS.items()}
    events["id"] = np.arange(1, int(keep.sum()) + 1)
    users = {**SEEDED.tables["users"]}
    for name, nothing in (("last_login_at", np.datetime64("NaT", "us")), ("failed_login_count", 0)):
        users[name] = np.where(users["id"] == last, nothing, users[name])

    spec = DatasetSpec(users=80, auth_events=int(keep.sum()))
    validate_dataset(Dataset(spec, {**SEEDED.tables, "users": users, "auth_events": events}, SEEDED.cast))


@pytest.mark.parametrize(
    ("column", "new", "rule"),
    [
        (
            "failed_login_count",
            9,
            "Every user's failed_login_count counts the failures since their last login",
        ),
        (
            "last_login_at",
            SEEDED.tables["users"]["created_at"][5],
            "Every user's last_login_at is their last successful login",
        ),
        (
            "last_login_at",
            np.datetime64("NaT", "us"),
            "Every user's last_login_at is their last successful login",
        ),
    ],
)
def test_what_a_user_says_of_the_log_is_compared(column, new, rule):
    assert refusal(broken(("users", column, 5, new))).startswith(f"{rule}: users row id=6, {column}=")


def test_a_logout_from_somebody_elses_session_is_found():
    other = next(row for row in rows_of("auth_events", event_type="logout") if row != LOGOUT)
    session = value("auth_events", "session_id", other)

    assert refusal(broken(("auth_events", "session_id", LOGOUT, session))).startswith(
        f"Every logout ends a session that a login of the same user began: auth_events row id={LOGOUT + 1}, user_id="
    )


def test_a_logout_after_another_login_is_none():
    between = next(
        (login, logout)
        for logout in rows_of("auth_events", event_type="logout")
        for login in own_rows(logout, event_type="login_success")
        if login > logout
    )
    session = value("auth_events", "session_id", between[1])
    later = int(own_rows(between[1], event_type="login_success")[-1])

    validate_dataset(broken(("auth_events", "session_id", later, session)))


@pytest.mark.parametrize(
    ("answer", "question"),
    [("password_reset_completed", "password_reset_requested"), ("account_unlocked", "account_locked")],
)
def test_an_answer_without_its_question_is_found(answer, question):
    row = row_of("auth_events", event_type=answer)
    dataset = broken(renamed(own_rows(row, event_type=question), "password_changed"))

    assert refusal(dataset, only(check_follow_ups)).startswith(
        f"Every {answer} follows its {question}: auth_events row id={row + 1}, user_id="
    )


def test_a_missed_second_factor_that_nobody_asked_for_is_found():
    changes = [renamed(LOGOUT, "mfa_failure"), ("auth_events", "failure_reason", LOGOUT, "mfa_failed")]

    assert refusal(broken(*changes)).startswith(
        f"Every mfa_failure follows its mfa_challenge: auth_events row id={LOGOUT + 1}, user_id="
    )


def test_a_lock_without_its_failures_is_found():
    wrong = own_rows(LOCK, failure_reason="wrong_password")
    last = int(wrong[wrong < LOCK][-1])

    assert refusal(broken(("auth_events", "failure_reason", last, "provider_error"))).startswith(
        f"An account is locked only after five wrong passwords within a minute: auth_events row id={LOCK + 1}, user_id="
    )


def test_a_lock_after_slow_failures_is_found():
    wrong = own_rows(LOCK, failure_reason="wrong_password")
    first = int(wrong[wrong < LOCK][-5])
    dataset = broken(
        ("auth_events", "occurred_at", first, value("auth_events", "occurred_at", LOCK) - 61 * SECOND)
    )

    assert refusal(dataset, only(check_locks)).startswith(
        f"An account is locked only after five wrong passwords within a minute: auth_events row id={LOCK + 1}, user_id="
    )


def test_failures_that_do_not_lock_are_found():
    unlocked = [
        renamed(own_rows(LOCK, event_type=kind), "password_changed")
        for kind in ("account_locked", "account_unlocked")
    ]
    wrong = own_rows(LOCK, failure_reason="wrong_password")
    fifth = int(wrong[wrong < LOCK][-1])

    assert refusal(broken(*unlocked)).startswith(
        f"Five wrong passwords within a minute lock the account: auth_events row id={fifth + 1}, user_id="
    )


def test_a_lock_that_is_not_opened_is_found():
    unlock = row_of("auth_events", event_type="account_unlocked")
    user = EVENTS["user_id"][unlock]

    dataset = broken(renamed(own_rows(unlock, event_type="account_unlocked"), "password_changed"))

    assert refusal(dataset, only(check_locked_status)) == (
        f"Users are locked exactly if their last lock was not lifted: users row id={user}, status=active (1 of 80 rows)."
    )


def test_a_locked_account_without_a_lock_is_found():
    active = int(rows_of("users", status="active")[-1])
    forever = np.datetime64("2030-01-01", "us")

    assert refusal(
        broken(("users", "status", active, "locked"), ("users", "locked_until", active, forever))
    ) == (
        f"Users are locked exactly if their last lock was not lifted: users row id={active + 1}, status=locked (1 of 80 rows)."
    )


def test_a_break_in_that_nobody_answers_is_found():
    entered = next(
        row
        for row in set_rows("auth_events", "attack_id")
        if EVENTS["event_type"][[row]].is_("login_success")[0]
    )
    resets = own_rows(entered, event_type="password_reset_completed")

    assert refusal(broken(renamed(resets, "password_changed"))).startswith(
        f"Every user who comes back after a takeover has reset the password: auth_events row id={entered + 1}, user_id="
    )


def test_a_break_in_whose_owner_never_comes_back_needs_no_answer():
    entered = next(
        row
        for row in set_rows("auth_events", "attack_id")
        if EVENTS["event_type"][[row]].is_("login_success")[0]
    )
    later = own_rows(entered)
    later = later[later > entered]
    lost = broken(renamed(later, "logout"))

    only(check_takeovers)(lost)
    assert refusal(
        broken(renamed(later[-1:], "login_success"), renamed(later[:-1], "logout")), only(check_takeovers)
    )


TRIED = row_of("auth_events", failure_reason="account_locked")


@pytest.mark.parametrize(
    ("rule", "row", "changes"),
    [
        (
            "Nobody logs in to a locked account",
            TRIED,
            [renamed(TRIED, "login_success"), ("auth_events", "failure_reason", TRIED, None)],
        ),
        (
            "Logins fail with account_locked only while the account is locked, and always then",
            TRIED,
            [renamed(own_rows(TRIED, event_type="account_locked"), "password_changed")],
        ),
        (
            "No account is locked that is locked already",
            TRIED,
            [renamed(TRIED, "account_locked"), ("auth_events", "failure_reason", TRIED, None)],
        ),
    ],
)
def test_what_happens_to_a_locked_account_is_checked(rule, row, changes):
    only(check_locked_logins)(SEEDED)

    assert refusal(broken(*changes), only(check_locked_logins)).startswith(
        f"{rule}: auth_events row id={row + 1}, user_id={EVENTS['user_id'][row]}, occurred_at="
    )
