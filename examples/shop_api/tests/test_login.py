"""The door: what opens it, what locks it, and what the log says afterwards."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from pytest_gamedata import GameDatabase
from pytest_gamedata.factories import UserFactory
from pytest_gamedata.models import AuthEvent, User


def find_user(db: GameDatabase, user_id: int) -> User:
    with db.session() as session:
        return session.get_one(User, user_id)


def find_email(db: GameDatabase, role: str) -> str | None:
    return find_user(db, db.cast[role]).email


def log_in(client: TestClient, email: str | None, password: str) -> Any:
    return client.post("/login", json={"email": email, "password": password})


def events_since(db: GameDatabase) -> list[tuple[int | None, str, str | None]]:
    """Return what the log says since the seeded history ended."""
    wanted = select(AuthEvent).where(AuthEvent.occurred_at >= db.spec.until).order_by(AuthEvent.id)
    with db.session() as session:
        return [(event.user_id, event.event_type, event.failure_reason) for event in session.scalars(wanted)]


@pytest.fixture
def attacked(gamedata_db: GameDatabase, gamedata_session: Session) -> User:
    """Who was attacked, with the failures that the attack left behind forgiven."""
    user = gamedata_session.get_one(User, gamedata_db.cast["attacked"])
    user.failed_login_count = 0
    gamedata_session.commit()
    return user


@pytest.mark.parametrize("role", ["mfa_user", "attacked", "taken_over", "unverified"])
def test_the_right_password_opens_the_door(client: TestClient, gamedata_db: GameDatabase, role: str) -> None:
    answer = log_in(client, find_email(gamedata_db, role), gamedata_db.password)
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert client.get("/users/me/transactions", headers=headers).status_code == 200
    user = find_user(gamedata_db, gamedata_db.cast[role])
    assert user.last_login_at == gamedata_db.spec.until
    assert events_since(gamedata_db) == [(user.id, "login_success", None)]


def test_an_address_may_be_typed_in_capitals(
    client: TestClient, gamedata_db: GameDatabase, attacked: User
) -> None:
    assert log_in(client, str(attacked.email).upper(), gamedata_db.password).status_code == 200


def test_a_wrong_password_is_counted_and_logged(
    client: TestClient, gamedata_db: GameDatabase, attacked: User
) -> None:
    assert log_in(client, attacked.email, "wrong").status_code == 401
    assert find_user(gamedata_db, attacked.id).failed_login_count == 1
    assert events_since(gamedata_db) == [(attacked.id, "login_failure", "wrong_password")]


def test_the_log_says_where_an_attempt_came_from(
    client: TestClient, gamedata_session: Session, attacked: User
) -> None:
    log_in(client, attacked.email, "wrong")
    event = gamedata_session.scalars(select(AuthEvent).order_by(AuthEvent.id.desc()).limit(1)).one()
    assert (str(event.ip), event.user_agent) == ("203.0.113.7", "testclient")


def test_nobody_learns_which_addresses_have_an_account(
    client: TestClient, gamedata_db: GameDatabase, attacked: User
) -> None:
    known, unknown = (log_in(client, email, "wrong") for email in (attacked.email, "nobody@example.com"))
    assert (unknown.status_code, unknown.json()) == (known.status_code, known.json())
    assert events_since(gamedata_db)[1] == (None, "login_failure", "unknown_user")


def test_the_fifth_wrong_password_locks_the_account(
    client: TestClient, gamedata_db: GameDatabase, attacked: User
) -> None:
    failures = [log_in(client, attacked.email, f"guess {guess}").status_code for guess in range(5)]
    assert failures == [401] * 5
    assert log_in(client, attacked.email, gamedata_db.password).status_code == 423
    user = find_user(gamedata_db, attacked.id)
    assert (user.status, user.failed_login_count) == ("locked", 5)
    assert events_since(gamedata_db) == [
        *[(user.id, "login_failure", "wrong_password")] * 5,
        (user.id, "account_locked", None),
        (user.id, "login_failure", "account_locked"),
    ]


def test_wrong_passwords_at_once_are_all_counted(
    client: TestClient, gamedata_db: GameDatabase, attacked: User
) -> None:
    start, email = Barrier(4), attacked.email

    def guess(password: str) -> int:
        start.wait(timeout=5)
        return int(log_in(client, email, password).status_code)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(guess, "abcd")) == [401] * 4
    assert find_user(gamedata_db, attacked.id).failed_login_count == 4


def test_a_success_wipes_the_slate(client: TestClient, gamedata_db: GameDatabase, attacked: User) -> None:
    for password in [*["wrong"] * 4, gamedata_db.password, *["wrong"] * 4]:
        log_in(client, attacked.email, password)
    assert log_in(client, attacked.email, gamedata_db.password).status_code == 200
    assert find_user(gamedata_db, attacked.id).failed_login_count == 0


def test_the_locked_user_gets_in_when_the_lock_is_over(
    client: TestClient, gamedata_db: GameDatabase, clock: SimpleNamespace
) -> None:
    locked, email = gamedata_db.cast["locked"], find_email(gamedata_db, "locked")
    assert log_in(client, email, gamedata_db.password).status_code == 423
    clock.now = find_user(gamedata_db, locked).locked_until
    assert log_in(client, email, gamedata_db.password).status_code == 200
    user = find_user(gamedata_db, locked)
    assert (user.status, user.failed_login_count, user.locked_until) == ("active", 0, None)
    assert (locked, "account_unlocked", None) in events_since(gamedata_db)


def test_after_a_lock_there_are_five_attempts_again(
    client: TestClient, gamedata_db: GameDatabase, clock: SimpleNamespace
) -> None:
    email = find_email(gamedata_db, "locked")
    clock.now = find_user(gamedata_db, gamedata_db.cast["locked"]).locked_until
    assert [log_in(client, email, "wrong").status_code for _ in range(6)] == [401] * 5 + [423]


def test_only_who_knows_the_password_learns_of_a_ban(
    client: TestClient, gamedata_db: GameDatabase, gamedata_session: Session, clock: SimpleNamespace
) -> None:
    banned = UserFactory.create(
        banned=True, signup_provider="password", banned_until=clock.now + timedelta(1)
    )
    gamedata_session.commit()
    assert log_in(client, banned.email, "wrong").status_code == 401
    assert log_in(client, banned.email, gamedata_db.password).status_code == 403
    clock.now += timedelta(days=1)
    assert log_in(client, banned.email, gamedata_db.password).status_code == 200


def test_a_lock_does_not_lift_a_ban(
    client: TestClient, gamedata_db: GameDatabase, gamedata_session: Session, clock: SimpleNamespace
) -> None:
    banned = UserFactory.create(banned=True, signup_provider="password", banned_until=None)
    gamedata_session.commit()
    for _ in range(5):
        log_in(client, banned.email, "wrong")
    assert log_in(client, banned.email, gamedata_db.password).status_code == 423
    clock.now += timedelta(hours=1)
    assert log_in(client, banned.email, gamedata_db.password).status_code == 403


def test_a_deleted_account_is_as_if_it_had_never_been(
    client: TestClient, gamedata_db: GameDatabase, gamedata_session: Session
) -> None:
    deleted = UserFactory.create(deleted=True, signup_provider="password")
    gamedata_session.commit()
    answer = log_in(client, deleted.email, gamedata_db.password)
    assert (answer.status_code, answer.json()["detail"]) == (401, "Wrong e-mail or password.")
    assert events_since(gamedata_db) == [(None, "login_failure", "unknown_user")]


def test_who_signs_in_elsewhere_has_no_password_to_guess(
    client: TestClient, gamedata_db: GameDatabase, gamedata_session: Session
) -> None:
    steam = UserFactory.create(signup_provider="steam", platform="windows", status="active")
    gamedata_session.commit()
    assert log_in(client, steam.email, gamedata_db.password).status_code == 401
