"""Items: the catalogue of the game."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, Index, Numeric, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from pytest_gamedata.distributions import FOR_EVER
from pytest_gamedata.models.declarative import Base, Id, Moment, Now, one_of
from pytest_gamedata.models.values import ITEM_TYPE_VALUES, RARITY_VALUES

# The defaults of an Item made in Python: the schema's own defaults, -infinity and infinity, are no Python values.
LONG_AGO, FAR_OFF = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in ("1970-01-01", FOR_EVER))


class Item(Base):
    """An item of the game's catalogue."""

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
        one_of("item_type", ITEM_TYPE_VALUES),
        one_of("rarity", RARITY_VALUES),
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
