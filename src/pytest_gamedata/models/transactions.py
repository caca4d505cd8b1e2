"""Transactions: the ledger of purchases, refunds, trades, gifts, loot and rewards."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pytest_gamedata.models.declarative import Base, Big, Country, Id, Moment, Now, one_of
from pytest_gamedata.models.values import (
    ENVIRONMENT_VALUES,
    FAILURE_CODE_VALUES,
    PAYMENT_METHOD_VALUES,
    PAYMENT_PROVIDER_VALUES,
    REFUND_REASON_VALUES,
    TRANSACTION_STATUS_VALUES,
    TRANSACTION_TYPE_VALUES,
)

if TYPE_CHECKING:
    from pytest_gamedata.models.items import Item
    from pytest_gamedata.models.users import User


class Transaction(Base):
    """A line of a user's ledger: real money, a change of the wallet, or an item."""

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
        one_of("type", TRANSACTION_TYPE_VALUES),
        one_of("status", TRANSACTION_STATUS_VALUES),
        CheckConstraint("quantity > 0"),
        CheckConstraint("currency ~ '^[A-Z]{3,8}$'"),
        one_of("payment_provider", PAYMENT_PROVIDER_VALUES),
        one_of("payment_method", PAYMENT_METHOD_VALUES),
        one_of("failure_code", FAILURE_CODE_VALUES),
        one_of("refund_reason", REFUND_REASON_VALUES),
        one_of("environment", ENVIRONMENT_VALUES),
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
            "transactions_open_idx", "status", "created_at", postgresql_where="status IN ('pending','failed')"
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
