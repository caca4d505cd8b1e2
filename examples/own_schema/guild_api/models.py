"""The tables: UUID keys, an enum, money as numeric, guilds in a schema of their own."""

from __future__ import annotations

import enum
import uuid
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import DateTime, Enum, ForeignKey, Numeric, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """The metadata that the migrations keep up with."""


class State(enum.Enum):
    """What an account may do."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    CLOSED = "closed"


class Account(Base):
    """A player."""

    __tablename__ = "accounts"

    uuid: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    handle: Mapped[str] = mapped_column(String(40), unique=True)
    mail: Mapped[str | None] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None]
    state: Mapped[State] = mapped_column(Enum(State, name="account_state"))
    spent: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    country_code: Mapped[str] = mapped_column(String(2))
    joined_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Order(Base):
    """A movement of an account's money or goods."""

    __tablename__ = "orders"

    uuid: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    account_uuid: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.uuid"), index=True)
    kind: Mapped[str]
    amount: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Guild(Base):
    """A guild of players."""

    __tablename__ = "guilds"
    __table_args__ = {"schema": "social"}

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    founder_uuid: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.uuid"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=lambda: datetime.now(UTC))

    founder: Mapped[Account] = relationship()


class Membership(Base):
    """An account's place in a guild."""

    __tablename__ = "memberships"
    __table_args__ = {"schema": "social"}

    guild_id: Mapped[int] = mapped_column(ForeignKey("social.guilds.id"), primary_key=True)
    account_uuid: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.uuid"), primary_key=True)
    rank: Mapped[str] = mapped_column(String(20))

    guild: Mapped[Guild] = relationship()
    account: Mapped[Account] = relationship()
