"""Play sessions: when and on which device users played."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pytest_gamedata.models.declarative import Id, Moment, OptionalBase, one_of
from pytest_gamedata.models.users import User
from pytest_gamedata.models.values import PLATFORM_VALUES


class PlaySession(OptionalBase):
    """A play session, which a login begins: `session_id` is that of the login's auth event."""

    __tablename__ = "play_sessions"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    started_at: Mapped[Moment]
    ended_at: Mapped[Moment]
    duration_seconds: Mapped[int]
    platform: Mapped[str]
    device_id: Mapped[uuid.UUID]
    session_id: Mapped[uuid.UUID]

    user: Mapped[User] = relationship()

    __table_args__ = (
        one_of("platform", PLATFORM_VALUES),
        CheckConstraint("ended_at >= started_at"),
        CheckConstraint("duration_seconds > 0"),
        UniqueConstraint("session_id"),
        Index("play_sessions_user_time_idx", "user_id", text("started_at DESC")),
        Index("play_sessions_time_brin", "started_at", postgresql_using="brin"),
    )
