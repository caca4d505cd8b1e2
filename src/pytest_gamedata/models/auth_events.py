"""Auth events: the log of registrations, logins, locks and password resets."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pytest_gamedata.models.declarative import Base, Big, Country, Id, Moment, one_of
from pytest_gamedata.models.values import AUTH_METHOD_VALUES, EVENT_TYPE_VALUES, FAILURE_REASON_VALUES

if TYPE_CHECKING:
    from pytest_gamedata.models.users import User


class AuthEvent(Base):
    """An event of authentication: a registration, a login, a lock, a password reset."""

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
        one_of("event_type", EVENT_TYPE_VALUES),
        one_of("failure_reason", FAILURE_REASON_VALUES),
        one_of("auth_method", AUTH_METHOD_VALUES),
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
            "auth_events_fail_idx", text("occurred_at DESC"), postgresql_where="event_type = 'login_failure'"
        ),
        Index("auth_events_time_brin", "occurred_at", postgresql_using="brin"),
    )
