"""What routes ask for: a database session, the time, and who is calling."""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from pytest_gamedata.models import User

INTEGER_MAX = 2**31 - 1
BIGINT_MAX = 2**63 - 1


def open_session(request: Request) -> Iterator[Session]:
    with Session(request.app.state.engine) as session:
        yield session


def read_clock(request: Request) -> datetime:
    now: datetime = request.app.state.now()
    return now


def sign_token(secret: bytes, user_id: int, expires: datetime) -> str:
    claim = f"{user_id}.{int(expires.timestamp())}"
    return f"{claim}.{hmac.digest(secret, claim.encode(), hashlib.sha256).hex()}"


def read_token(secret: bytes, token: str, now: datetime) -> int | None:
    """Return the user's id, None if the token is not ours or no longer valid."""
    claim, _, signature = token.rpartition(".")
    expected = hmac.digest(secret, claim.encode(), hashlib.sha256).hex()
    if not hmac.compare_digest(signature.encode(), expected.encode()):
        return None
    user_id, expires = map(int, claim.split("."))
    return user_id if now.timestamp() < expires else None


def is_barred(user: User, now: datetime) -> bool:
    """Tell whether a ban or a suspension is in force."""
    in_force = user.banned_until is None or user.banned_until > now
    return user.status in ("banned", "suspended") and in_force


Database = Annotated[Session, Depends(open_session)]
Now = Annotated[datetime, Depends(read_clock)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


def find_current_user(request: Request, session: Database, now: Now, bearer: Bearer) -> User:
    user_id = read_token(request.app.state.secret, bearer.credentials, now) if bearer else None
    user = session.get(User, user_id) if user_id else None
    if user is None or user.status == "deleted":
        raise HTTPException(401, "Log in first.", {"WWW-Authenticate": "Bearer"})
    if is_barred(user, now):
        raise HTTPException(403, "This account is banned.")
    return user


CurrentUser = Annotated[User, Depends(find_current_user)]
