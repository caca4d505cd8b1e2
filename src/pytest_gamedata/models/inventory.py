"""Inventory: the items that each user holds."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pytest_gamedata.models.declarative import Id, Moment, Now, OptionalBase
from pytest_gamedata.models.items import Item
from pytest_gamedata.models.users import User


class InventoryItem(OptionalBase):
    """An item that a user holds, and how many pieces of it."""

    __tablename__ = "inventory"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    item_id: Mapped[int] = mapped_column(ForeignKey(Item.id, ondelete="RESTRICT"))
    quantity: Mapped[int] = mapped_column(server_default=text("1"))
    acquired_at: Mapped[Moment]
    updated_at: Mapped[Now]

    user: Mapped[User] = relationship()
    item: Mapped[Item] = relationship()

    __table_args__ = (
        UniqueConstraint("user_id", "item_id"),
        CheckConstraint("quantity > 0"),
        CheckConstraint("updated_at >= acquired_at"),
        Index("inventory_item_idx", "item_id"),
    )
