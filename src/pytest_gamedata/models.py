"""The four tables of the dataset as SQLAlchemy models.

They create the reference schema: money is integer minor units, moments are timestamptz, primary
keys are bigint identities. Checks and indexes are part of it, so that a test which breaks a rule of
the game fails in the database too.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Numeric,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INET, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from pytest_gamedata.distributions import FOR_EVER

# What an Item made in Python gets: the schema's own default, infinity, has no Python value to read back.
LONG_AGO, FAR_OFF = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in ("1970-01-01", FOR_EVER))

Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Now = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
Big = Annotated[int, mapped_column(BigInteger)]
Country = Annotated[str, mapped_column(CHAR(2))]


class Base(DeclarativeBase):
    """The metadata that `create_all` makes the four tables from."""

    type_annotation_map = {str: Text}  # noqa: RUF012 - SQLAlchemy reads it from the class


def one_of(column: str, values: str) -> CheckConstraint:
    """Allow only these space-separated words in a column."""
    allowed = ",".join(f"'{value}'" for value in values.split())
    return CheckConstraint(f"{column} IN ({allowed})")


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
        one_of("signup_provider", "password device google apple steam facebook psn xbox nintendo"),
        one_of("status", "active locked suspended banned deleted"),
        CheckConstraint("country_code ~ '^[A-Z]{2}$'"),
        one_of("platform", "ios android windows macos linux playstation xbox switch web"),
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


class Item(Base):
    """Something in the game's catalogue."""

    __tablename__ = "items"

    id: Mapped[Id]
    sku: Mapped[str] = mapped_column(String(128), unique=True)
    name: Mapped[str] = mapped_column(String(128))
    item_type: Mapped[str]
    rarity: Mapped[str]
    price_usd_cents: Mapped[int | None]
    price_hard: Mapped[int | None]
    price_soft: Mapped[int | None]
    grants_hard: Mapped[int] = mapped_column(server_default=text("0"))
    drop_rate: Mapped[Decimal | None] = mapped_column(Numeric(8, 7))
    is_stackable: Mapped[bool] = mapped_column(server_default=text("false"))
    is_tradable: Mapped[bool] = mapped_column(server_default=text("false"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    limited_edition_count: Mapped[int | None]
    available_from: Mapped[Moment] = mapped_column(server_default=text("'-infinity'"), default=LONG_AGO)
    available_until: Mapped[Moment] = mapped_column(server_default=text("'infinity'"), default=FAR_OFF)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    created_at: Mapped[Now]
    updated_at: Mapped[Now]

    __table_args__ = (
        one_of(
            "item_type",
            "currency_pack bundle battle_pass subscription cosmetic consumable equipment character loot_box",
        ),
        one_of("rarity", "common uncommon rare epic legendary"),
        CheckConstraint("price_usd_cents > 0"),
        CheckConstraint("price_hard > 0"),
        CheckConstraint("price_soft > 0"),
        CheckConstraint("grants_hard >= 0"),
        CheckConstraint("drop_rate > 0 AND drop_rate <= 1"),
        CheckConstraint("limited_edition_count > 0"),
        CheckConstraint("available_until > available_from"),
        CheckConstraint("num_nonnulls(price_usd_cents, price_hard, price_soft, drop_rate) >= 1"),
        Index("items_type_rarity_idx", "item_type", "rarity", postgresql_where="is_active"),
        Index("items_tags_idx", "tags", postgresql_using="gin"),
    )


class Transaction(Base):
    """One line of a player's ledger: real money, wallet or goods."""

    __tablename__ = "transactions"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    counterparty_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id", ondelete="RESTRICT"))
    type: Mapped[str]
    status: Mapped[str]
    quantity: Mapped[int] = mapped_column(server_default=text("1"))
    currency: Mapped[str] = mapped_column(String(8))
    amount_minor: Mapped[Big]
    amount_usd_cents: Mapped[Big | None]
    soft_delta: Mapped[Big] = mapped_column(server_default=text("0"))
    hard_delta: Mapped[Big] = mapped_column(server_default=text("0"))
    payment_provider: Mapped[str | None]
    payment_method: Mapped[str | None]
    provider_transaction_id: Mapped[str | None] = mapped_column(String(128))
    idempotency_key: Mapped[str] = mapped_column(String(64))
    failure_code: Mapped[str | None]
    refund_of: Mapped[int | None] = mapped_column(ForeignKey("transactions.id", ondelete="RESTRICT"))
    refund_reason: Mapped[str | None]
    trade_id: Mapped[uuid.UUID | None]
    environment: Mapped[str] = mapped_column(server_default="production")
    platform: Mapped[str]
    country_code: Mapped[Country]
    created_at: Mapped[Now]
    completed_at: Mapped[Moment | None]
    refunded_at: Mapped[Moment | None]

    user: Mapped[User] = relationship(back_populates="transactions", foreign_keys=[user_id])
    counterparty: Mapped[User | None] = relationship(foreign_keys=[counterparty_user_id])
    item: Mapped[Item | None] = relationship()
    refunded: Mapped[Transaction | None] = relationship(remote_side="Transaction.id")

    __table_args__ = (
        one_of("type", "iap_purchase store_purchase trade gift loot_drop reward refund chargeback"),
        one_of("status", "pending completed failed cancelled refunded charged_back"),
        CheckConstraint("quantity > 0"),
        CheckConstraint("currency ~ '^[A-Z]{3,8}$'"),
        one_of("payment_provider", "apple google steam xsolla stripe paypal"),
        one_of("payment_method", "card wallet carrier gift_card bank store_credit"),
        one_of(
            "failure_code",
            "insufficient_funds do_not_honor expired_card fraud_suspected authentication_failed "
            "user_cancelled provider_error",
        ),
        one_of(
            "refund_reason",
            "other remorse not_received defective accidental_purchase fraud friendly_fraud chargeback",
        ),
        one_of("environment", "production sandbox"),
        UniqueConstraint("user_id", "idempotency_key"),
        CheckConstraint("item_id IS NOT NULL OR type = 'reward'"),
        CheckConstraint("counterparty_user_id IS NULL OR counterparty_user_id <> user_id"),
        CheckConstraint("(type IN ('trade','gift')) = (counterparty_user_id IS NOT NULL)"),
        CheckConstraint("(type = 'trade') = (trade_id IS NOT NULL)"),
        CheckConstraint("(type IN ('refund','chargeback')) = (refund_of IS NOT NULL)"),
        CheckConstraint("(type IN ('refund','chargeback')) = (refund_reason IS NOT NULL)"),
        CheckConstraint("(type IN ('iap_purchase','refund','chargeback')) = (amount_usd_cents IS NOT NULL)"),
        CheckConstraint("(type IN ('iap_purchase','refund','chargeback')) = (payment_provider IS NOT NULL)"),
        CheckConstraint(
            "CASE WHEN type IN ('refund','chargeback') THEN amount_minor < 0 ELSE amount_minor >= 0 END"
        ),
        CheckConstraint("(status = 'failed') = (failure_code IS NOT NULL)"),
        CheckConstraint(
            "status NOT IN ('pending','failed','cancelled') OR (soft_delta = 0 AND hard_delta = 0)"
        ),
        CheckConstraint(
            "status NOT IN ('completed','refunded','charged_back') OR completed_at >= created_at"
        ),
        CheckConstraint("(status IN ('refunded','charged_back')) = (refunded_at IS NOT NULL)"),
        CheckConstraint("refunded_at IS NULL OR refunded_at >= completed_at"),
        Index("transactions_user_time_idx", "user_id", text("created_at DESC"), text("id DESC")),
        Index("transactions_time_user_idx", text("created_at DESC"), "user_id", "id"),
        Index("transactions_item_idx", "item_id", text("created_at DESC")),
        Index(
            "transactions_open_idx",
            "status",
            "created_at",
            postgresql_where="status IN ('pending','failed')",
        ),
        Index("transactions_refund_of_idx", "refund_of", postgresql_where="refund_of IS NOT NULL"),
        Index("transactions_trade_idx", "trade_id", postgresql_where="trade_id IS NOT NULL"),
        Index(
            "transactions_provider_key",
            "payment_provider",
            "provider_transaction_id",
            unique=True,
            postgresql_where="provider_transaction_id IS NOT NULL",
        ),
    )


class AuthEvent(Base):
    """Something that happened at the door: a registration, a login, a lock, a reset."""

    __tablename__ = "auth_events"

    id: Mapped[Id]
    occurred_at: Mapped[Moment]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    identifier: Mapped[str | None]
    event_type: Mapped[str]
    failure_reason: Mapped[str | None]
    auth_method: Mapped[str]
    ip: Mapped[str] = mapped_column(INET)
    country_code: Mapped[Country | None]
    asn: Mapped[Big | None]
    user_agent: Mapped[str | None]
    platform: Mapped[str | None]
    device_id: Mapped[uuid.UUID | None]
    session_id: Mapped[uuid.UUID | None]
    risk_score: Mapped[int | None] = mapped_column(SmallInteger)
    attack_id: Mapped[uuid.UUID | None]

    user: Mapped[User | None] = relationship(back_populates="auth_events")

    __table_args__ = (
        one_of(
            "event_type",
            "register login_success login_failure logout mfa_challenge mfa_failure "
            "password_reset_requested password_reset_completed password_changed "
            "account_locked account_unlocked",
        ),
        one_of(
            "failure_reason",
            "wrong_password unknown_user account_locked account_banned mfa_failed rate_limited "
            "breached_password provider_error",
        ),
        one_of(
            "auth_method",
            "password refresh_token device google apple steam facebook psn xbox nintendo email_link",
        ),
        CheckConstraint("risk_score BETWEEN 0 AND 100"),
        CheckConstraint("(event_type IN ('login_failure','mfa_failure')) = (failure_reason IS NOT NULL)"),
        CheckConstraint("failure_reason <> 'unknown_user' OR user_id IS NULL"),
        CheckConstraint("event_type IN ('login_failure','password_reset_requested') OR user_id IS NOT NULL"),
        Index(
            "auth_events_user_time_idx",
            "user_id",
            text("occurred_at DESC"),
            postgresql_where="user_id IS NOT NULL",
        ),
        Index("auth_events_ip_time_idx", "ip", text("occurred_at DESC")),
        Index(
            "auth_events_fail_idx",
            text("occurred_at DESC"),
            postgresql_where="event_type = 'login_failure'",
        ),
        Index("auth_events_time_brin", "occurred_at", postgresql_using="brin"),
    )
