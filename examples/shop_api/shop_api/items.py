"""The catalogue."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, and_, func, select

from pytest_gamedata.models import Item
from shop_api.dependencies import BIGINT_MAX, INTEGER_MAX, Database, Now

router = APIRouter()

ItemId = Annotated[int, Path(ge=1, le=BIGINT_MAX)]
PRICES = {"USD": Item.price_usd_cents, "GEM": Item.price_hard, "GLD": Item.price_soft}


class ItemQuery(BaseModel):
    """What to list; `max_price` is in minor units of `currency`."""

    type: str | None = Field(None, pattern=r"^[a-z_]+$")
    rarity: Literal["common", "uncommon", "rare", "epic", "legendary"] | None = None
    tag: str | None = Field(None, pattern=r"^[a-z_]+$")
    max_price: int | None = Field(None, ge=0, le=INTEGER_MAX)
    currency: Literal["USD", "GEM", "GLD"] = "GEM"
    limit: int = Field(20, ge=1, le=100)
    offset: int = Field(0, ge=0, le=INTEGER_MAX)


class ItemOut(BaseModel):
    """An item as customers see it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    item_type: str
    rarity: str
    price_usd_cents: int | None
    price_hard: int | None
    price_soft: int | None
    tags: list[str]


class ItemPage(BaseModel):
    """A page of items, and how many there are on all pages."""

    items: list[ItemOut]
    total: int


@router.get("/items")
def list_items(query: Annotated[ItemQuery, Query()], session: Database, now: Now) -> ItemPage:
    wanted = select(Item).where(is_on_sale(now), *conditions(query))
    total = session.scalars(select(func.count()).select_from(wanted.subquery())).one()
    page = session.scalars(wanted.order_by(Item.id).limit(query.limit).offset(query.offset))
    return ItemPage(items=[ItemOut.model_validate(item) for item in page], total=total)


@router.get("/items/{item_id}")
def show_item(item_id: ItemId, session: Database) -> ItemOut:
    item = session.get(Item, item_id)
    if item is None:
        raise HTTPException(404, "There is no such item.")
    return ItemOut.model_validate(item)


def is_on_sale(now: datetime) -> ColumnElement[bool]:
    return and_(Item.is_active, Item.available_from <= now, Item.available_until > now)


def conditions(query: ItemQuery) -> Iterator[ColumnElement[bool]]:
    if query.type is not None:
        yield Item.item_type == query.type
    if query.rarity is not None:
        yield Item.rarity == query.rarity
    if query.tag is not None:
        yield Item.tags.bool_op("@>")([query.tag])
    if query.max_price is not None:
        yield PRICES[query.currency] <= query.max_price
