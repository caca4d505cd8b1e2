"""Purchases with wallet currency, and the ledger they are written to."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Header, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, tuple_

from pytest_gamedata.models import Item, Transaction, User
from shop_api.dependencies import BIGINT_MAX, CurrentUser, Database, Now
from shop_api.items import ItemId, is_on_sale

router = APIRouter()

WalletCurrency = Annotated[Literal["GEM", "GLD"], Body(embed=True)]
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=64)]


class LedgerQuery(BaseModel):
    """Which transactions to list; `before` is the `next` of the page before."""

    type: str | None = Field(None, pattern=r"^[a-z_]+$")
    limit: int = Field(20, ge=1, le=100)
    before: int | None = Field(None, ge=1, le=BIGINT_MAX)


class TransactionOut(BaseModel):
    """A line of the ledger; amounts are whole minor units."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    type: str
    status: str
    item_id: int | None
    quantity: int
    currency: str
    amount_minor: int
    created_at: datetime


class TransactionPage(BaseModel):
    """A page of the ledger, and where the next one starts."""

    transactions: list[TransactionOut]
    next: int | None


@router.post("/items/{item_id}/purchases", status_code=201)
def buy_item(
    item_id: ItemId, currency: WalletCurrency, key: Key, user: CurrentUser, session: Database, now: Now
) -> TransactionOut:
    found = session.execute(select(Item, is_on_sale(now)).where(Item.id == item_id)).one_or_none()
    if found is None:
        raise HTTPException(404, "There is no such item.")
    item, on_sale = found
    # one purchase of a user at a time, so that nobody spends the same coin twice
    session.refresh(user, with_for_update=True)
    same_key = (Transaction.user_id == user.id, Transaction.idempotency_key == key)
    purchase = session.scalars(select(Transaction).where(*same_key)).one_or_none()
    if purchase is None:
        if not on_sale:
            raise HTTPException(410, "This item is no longer on sale.")
        purchase = charge(user, item, currency, key, now)
        session.add(purchase)
        session.commit()
    elif not is_same_order(purchase, item, currency):
        raise HTTPException(409, "This Idempotency-Key belongs to another transaction.")
    return TransactionOut.model_validate(purchase)


@router.get("/users/me/transactions")
def list_transactions(
    query: Annotated[LedgerQuery, Query()], user: CurrentUser, session: Database
) -> TransactionPage:
    wanted = select(Transaction).where(Transaction.user_id == user.id)
    if query.type is not None:
        wanted = wanted.where(Transaction.type == query.type)
    if query.before is not None:
        last = session.get(Transaction, query.before)
        if last is None or last.user_id != user.id:
            raise HTTPException(404, "There is no such page.")
        wanted = wanted.where(tuple_(Transaction.created_at, Transaction.id) < (last.created_at, last.id))
    newest_first = wanted.order_by(Transaction.created_at.desc(), Transaction.id.desc())
    rows = session.scalars(newest_first.limit(query.limit + 1)).all()  # one more tells of a next page
    page = [TransactionOut.model_validate(row) for row in rows[: query.limit]]
    return TransactionPage(transactions=page, next=page[-1].id if len(rows) > query.limit else None)


def is_same_order(earlier: Transaction, item: Item, currency: str) -> bool:
    bought = earlier.type == "store_purchase" and earlier.status == "completed"
    return bought and (earlier.item_id, earlier.currency) == (item.id, currency)


def charge(user: User, item: Item, currency: str, key: str, now: datetime) -> Transaction:
    """Take the price from the user's wallet; return the line for the ledger."""
    price, balance = (
        (item.price_hard, user.hard_balance) if currency == "GEM" else (item.price_soft, user.soft_balance)
    )
    if price is None:
        raise HTTPException(422, f"This item is not sold for {currency}.")
    if price > balance:
        raise HTTPException(409, f"This costs {price} {currency}, the wallet holds {balance}.")
    hard, soft = (price, 0) if currency == "GEM" else (0, price)
    user.hard_balance -= hard
    user.soft_balance -= soft
    user.updated_at = now
    return Transaction(
        user=user, item=item, type="store_purchase", status="completed", currency=currency,
        amount_minor=price, hard_delta=-hard, soft_delta=-soft, idempotency_key=key,
        platform=user.platform, country_code=user.country_code, created_at=now, completed_at=now,
    )  # fmt: skip
