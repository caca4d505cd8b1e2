"""The routes, over SQLAlchemy's async engine."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, Request
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from guild_api.models import Account, Guild, Membership, State

router = APIRouter()


async def open_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with AsyncSession(request.app.state.engine, expire_on_commit=False) as session:
        yield session


Database = Annotated[AsyncSession, Depends(open_session)]


@router.get("/accounts/{account}")
async def read_account(session: Database, account: uuid.UUID) -> dict[str, Any]:
    found = await session.get(Account, account)
    if found is None:
        raise HTTPException(404, "There is no such account.")
    return {"handle": found.handle, "state": found.state.value, "spent": str(found.spent)}


@router.post("/login")
async def log_in(
    session: Database, handle: Annotated[str, Body()], password: Annotated[str, Body()]
) -> dict[str, str]:
    found = await session.scalar(select(Account).where(Account.handle == handle))
    if found is None or found.password_hash is None or not _verify(found.password_hash, password):
        raise HTTPException(401, "The name or the password is wrong.")
    if found.state is not State.ACTIVE:
        raise HTTPException(403, f"This account is {found.state.value}.")
    return {"account": str(found.uuid)}


def _verify(password_hash: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(password_hash, password)
    except VerifyMismatchError:
        return False


@router.get("/guilds")
async def list_guilds(session: Database) -> list[dict[str, Any]]:
    members = func.count(Membership.account_uuid)
    query = (
        select(Guild.name, members)
        .outerjoin(Membership)
        .group_by(Guild.id)
        .order_by(members.desc(), Guild.name)
    )
    return [{"name": name, "members": count} for name, count in await session.execute(query)]


@router.post("/guilds/{guild}/members", status_code=201)
async def join(session: Database, guild: int, account: Annotated[uuid.UUID, Body(embed=True)]) -> None:
    session.add(Membership(guild_id=guild, account_uuid=account, rank="member"))
    try:
        await session.commit()
    except IntegrityError:
        raise HTTPException(
            409, "There is no such guild or account, or the account is a member already."
        ) from None


def create_app(engine: AsyncEngine) -> FastAPI:
    """Build the app on an engine."""
    app = FastAPI(title="Guilds")
    app.state.engine = engine
    app.include_router(router)
    return app
