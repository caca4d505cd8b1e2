"""The door: passwords, a lock after too many wrong ones, and a line in the log for every attempt."""

from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pytest_gamedata.models import AuthEvent, User
from shop_api.dependencies import Database, Now, is_barred, sign_token

router = APIRouter()

LOCK_AFTER_FAILURES = 5
LOCK_DURATION = timedelta(minutes=15)
TOKEN_LIFETIME = timedelta(hours=12)
HASHER = PasswordHasher()
ANSWERS = {
    "unknown_user": (401, "Wrong e-mail or password."),
    "wrong_password": (401, "Wrong e-mail or password."),
    "account_locked": (423, "This account is locked. Try again later."),
    "account_banned": (403, "This account is banned."),
}


class Credentials(BaseModel):
    """What somebody types at the door."""

    email: str = Field(pattern=r"^[^@\s\x00]+@[^@\s\x00]+$", max_length=254)
    password: str = Field(max_length=1024)


@router.post("/login")
def login(credentials: Credentials, request: Request, session: Database, now: Now) -> dict[str, str]:
    assert request.client is not None, "The app must be served over TCP: the log needs an address."
    user = find_user(session, credentials.email)
    failure = find_failure(user, credentials.password, now)
    for event_type in settle(user, failure, now):
        event = AuthEvent(
            user=user, occurred_at=now, identifier=credentials.email, auth_method="password",
            event_type=event_type, failure_reason=failure if event_type == "login_failure" else None,
            ip=request.client.host, user_agent=request.headers.get("user-agent"),
        )  # fmt: skip
        session.add(event)
    session.commit()
    if user is None or failure is not None:
        raise HTTPException(*ANSWERS[failure or "unknown_user"])
    return {"token": sign_token(request.app.state.secret, user.id, now + TOKEN_LIFETIME)}


def find_user(session: Session, email: str) -> User | None:
    """Find an account that is not deleted, and make other attempts on it wait: each must be counted."""
    same_email = func.lower(User.email) == func.lower(email)
    found = select(User).where(same_email, User.status != "deleted").with_for_update()
    return session.scalars(found).one_or_none()


def find_failure(user: User | None, password: str, now: datetime) -> str | None:
    """Return why this attempt fails, None if it does not."""
    if user is None:
        return "unknown_user"
    if user.locked_until is not None and user.locked_until > now:
        return "account_locked"
    if not verify_password(user.password_hash, password):
        return "wrong_password"
    return "account_banned" if is_barred(user, now) else None


def verify_password(password_hash: str | None, password: str) -> bool:
    try:
        return password_hash is not None and HASHER.verify(password_hash, password)
    except VerifyMismatchError:
        return False


def settle(user: User | None, failure: str | None, now: datetime) -> list[str]:
    """Let the account feel the attempt; return what to write into the log."""
    if user is not None and failure is None:
        return admit(user, now)
    if user is not None and failure == "wrong_password":
        return count_failure(user, now)
    return ["login_failure"]


def admit(user: User, now: datetime) -> list[str]:
    events = ["account_unlocked", "login_success"] if user.status == "locked" else ["login_success"]
    user.status, user.failed_login_count, user.locked_until = "active", 0, None
    user.last_login_at = user.updated_at = now
    return events


def count_failure(user: User, now: datetime) -> list[str]:
    earlier = 0 if user.locked_until else user.failed_login_count  # a lock that is over has wiped the slate
    user.failed_login_count, user.locked_until = earlier + 1, None
    if user.failed_login_count < LOCK_AFTER_FAILURES:
        return ["login_failure"]
    user.locked_until = now + LOCK_DURATION
    user.status = "locked" if user.status == "active" else user.status  # a ban outlives the lock
    return ["login_failure", "account_locked"]
