"""Users: the accounts of the players."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, Index, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pytest_gamedata.models.declarative import Base, Big, Country, Id, Moment, Now, one_of
from pytest_gamedata.models.values import PLATFORM_VALUES, SIGNUP_PROVIDER_VALUES, USER_STATUS_VALUES

if TYPE_CHECKING:
    from pytest_gamedata.models.auth_events import AuthEvent
    from pytest_gamedata.models.transactions import Transaction


class User(Base):
    """A player's account."""

    __tablename__ = "users"

    id: Mapped[Id]
    username: Mapped[str] = mapped_column(String(32))
    display_name: Mapped[str] = mapped_column(String(64))
    email: Mapped[str | None] = mapped_column(String(254))
    email_verified_at: Mapped[Moment | None]
    password_hash: Mapped[str | None]
    signup_provider: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="active")
    country_code: Mapped[Country]
    locale: Mapped[str] = mapped_column(String(18), server_default="en")
    timezone: Mapped[str] = mapped_column(server_default="UTC")
    platform: Mapped[str]
    level: Mapped[int] = mapped_column(server_default=text("1"))
    xp: Mapped[Big] = mapped_column(server_default=text("0"))
    playtime_seconds: Mapped[Big] = mapped_column(server_default=text("0"))
    soft_balance: Mapped[Big] = mapped_column(server_default=text("0"))
    hard_balance: Mapped[Big] = mapped_column(server_default=text("0"))
    lifetime_spend_usd_cents: Mapped[Big] = mapped_column(server_default=text("0"))
    mfa_enabled: Mapped[bool] = mapped_column(server_default=text("false"))
    failed_login_count: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    locked_until: Mapped[Moment | None]
    banned_until: Mapped[Moment | None]
    created_at: Mapped[Now]
    updated_at: Mapped[Now]
    last_login_at: Mapped[Moment | None]
    deleted_at: Mapped[Moment | None]

    transactions: Mapped[list[Transaction]] = relationship(
        back_populates="user", foreign_keys="Transaction.user_id", passive_deletes="all"
    )
    auth_events: Mapped[list[AuthEvent]] = relationship(back_populates="user", passive_deletes="all")

    __table_args__ = (
        one_of("signup_provider", SIGNUP_PROVIDER_VALUES),
        one_of("status", USER_STATUS_VALUES),
        CheckConstraint("country_code ~ '^[A-Z]{2}$'"),
        one_of("platform", PLATFORM_VALUES),
        CheckConstraint("level BETWEEN 1 AND 1000"),
        CheckConstraint("xp >= 0"),
        CheckConstraint("playtime_seconds >= 0"),
        CheckConstraint("soft_balance >= 0"),
        CheckConstraint("hard_balance >= 0"),
        CheckConstraint("lifetime_spend_usd_cents >= 0"),
        CheckConstraint("failed_login_count >= 0"),
        CheckConstraint("last_login_at IS NULL OR last_login_at >= created_at"),
        CheckConstraint("updated_at >= created_at"),
        CheckConstraint("(status = 'deleted') = (deleted_at IS NOT NULL)"),
        CheckConstraint("signup_provider <> 'password' OR (email IS NOT NULL AND password_hash IS NOT NULL)"),
        Index("users_username_lower_key", text("lower(username)"), unique=True),
        Index(
            "users_email_lower_key", text("lower(email)"), unique=True, postgresql_where="email IS NOT NULL"
        ),
        Index("users_created_at_idx", "created_at"),
        Index("users_last_login_idx", text("last_login_at DESC NULLS LAST")),
        Index("users_status_idx", "status", postgresql_where="status <> 'active'"),
    )
