"""Purchases with wallet currency: who pays, how often, and who may not."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from pytest_gamedata import GameDatabase
from pytest_gamedata.factories import ItemFactory
from pytest_gamedata.models import Item, Transaction, User

AsUser = Callable[[int], dict[str, str]]


@pytest.fixture
def item(gamedata_session: Session, gamedata_db: GameDatabase) -> Item:
    """Something on sale for 150 GEM or 900 GLD."""
    until = gamedata_db.spec.until
    item: Item = ItemFactory.create(
        price_hard=150,
        price_soft=900,
        is_active=True,
        available_from=until,
        available_until=until + timedelta(1),
    )
    gamedata_session.commit()
    return item


def buy(
    client: TestClient, item_id: int, headers: dict[str, str], key: str = "key", currency: str = "GEM"
) -> Any:
    headers = {**headers, "Idempotency-Key": key}
    return client.post(f"/items/{item_id}/purchases", json={"currency": currency}, headers=headers)


def set_wallet(session: Session, user_id: int, gems: int) -> None:
    session.get_one(User, user_id).hard_balance = gems
    session.commit()


def wallet(db: GameDatabase, user_id: int) -> tuple[int, int]:
    with db.session() as session:
        user = session.get_one(User, user_id)
        return user.hard_balance, user.soft_balance


def purchases_since(db: GameDatabase, user_id: int) -> list[Transaction]:
    """Return what was bought since the seeded history ended."""
    wanted = select(Transaction).where(
        Transaction.user_id == user_id, Transaction.created_at >= db.spec.until
    )
    with db.session() as session:
        return list(session.scalars(wanted))


def test_the_whale_buys_the_dearest_thing_on_sale(
    client: TestClient, gamedata_db: GameDatabase, as_user: AsUser
) -> None:
    whale = gamedata_db.cast["whale"]
    hard, soft = wallet(gamedata_db, whale)
    with gamedata_db.session() as session:
        on_sale = select(Item).where(Item.is_active, Item.price_hard <= hard)
        dearest = session.scalars(on_sale.order_by(Item.price_hard.desc(), Item.id)).first()
    assert dearest is not None
    assert dearest.price_hard is not None

    answer = buy(client, dearest.id, as_user(whale))

    assert answer.status_code == 201
    assert wallet(gamedata_db, whale) == (hard - dearest.price_hard, soft)
    [bought] = purchases_since(gamedata_db, whale)
    assert answer.json()["id"] == bought.id > gamedata_db.counts["transactions"]
    assert (bought.type, bought.status, bought.item_id) == ("store_purchase", "completed", dearest.id)
    assert (bought.currency, bought.amount_minor, bought.hard_delta) == (
        "GEM", dearest.price_hard, -dearest.price_hard,
    )  # fmt: skip


def test_gold_pays_from_the_other_purse(
    client: TestClient, gamedata_db: GameDatabase, as_user: AsUser, item: Item
) -> None:
    trader = gamedata_db.cast["trader"]
    hard, soft = wallet(gamedata_db, trader)
    assert buy(client, item.id, as_user(trader), currency="GLD").json()["amount_minor"] == 900
    assert wallet(gamedata_db, trader) == (hard, soft - 900)


def test_ledger_and_wallets_still_agree_for_everybody(
    client: TestClient, gamedata_db: GameDatabase, as_user: AsUser, item: Item
) -> None:
    assert buy(client, item.id, as_user(gamedata_db.cast["whale"])).status_code == 201
    with gamedata_db.session() as session:
        disagreeing = session.execute(
            text("""
            SELECT u.id FROM users u LEFT JOIN transactions t ON t.user_id = u.id
            GROUP BY u.id
            HAVING (u.soft_balance, u.hard_balance)
                <> (coalesce(sum(t.soft_delta), 0), coalesce(sum(t.hard_delta), 0))
        """)
        ).all()
    assert disagreeing == []


@pytest.mark.parametrize(("gems", "status", "left"), [(149, 409, 149), (150, 201, 0)])
def test_the_last_gem_counts(
    client: TestClient, gamedata_db: GameDatabase, gamedata_session: Session, as_user: AsUser, item: Item,
    gems: int, status: int, left: int,
) -> None:  # fmt: skip
    buyer = gamedata_db.cast["free_player"]
    set_wallet(gamedata_session, buyer, gems)
    assert buy(client, item.id, as_user(buyer)).status_code == status
    assert wallet(gamedata_db, buyer)[0] == left
    assert len(purchases_since(gamedata_db, buyer)) == (status == 201)


def test_an_unknown_item_cannot_be_bought(
    client: TestClient, gamedata_db: GameDatabase, as_user: AsUser
) -> None:
    answer = buy(client, gamedata_db.counts["items"] + 1, as_user(gamedata_db.cast["whale"]))
    assert answer.status_code == 404


def test_a_retired_item_is_gone(
    client: TestClient, gamedata_db: GameDatabase, gamedata_session: Session, as_user: AsUser, item: Item
) -> None:
    item.is_active = False
    gamedata_session.commit()
    assert buy(client, item.id, as_user(gamedata_db.cast["whale"])).status_code == 410


def test_what_the_seeded_game_has_retired_is_gone(
    client: TestClient, gamedata_db: GameDatabase, as_user: AsUser
) -> None:
    with gamedata_db.session() as session:
        retired = session.scalars(select(Item.id).where(~Item.is_active)).all()
    assert retired
    for item_id in retired:
        assert buy(client, item_id, as_user(gamedata_db.cast["whale"])).status_code == 410


def test_what_is_sold_for_real_money_cannot_be_had_for_gems(
    client: TestClient, gamedata_db: GameDatabase, as_user: AsUser
) -> None:
    assert buy(client, 1, as_user(gamedata_db.cast["whale"])).status_code == 422


def test_the_same_key_gives_the_same_purchase_even_after_the_sale_has_ended(
    client: TestClient, gamedata_db: GameDatabase, gamedata_session: Session, as_user: AsUser, item: Item
) -> None:
    whale = gamedata_db.cast["whale"]
    hard, _ = wallet(gamedata_db, whale)
    first = buy(client, item.id, as_user(whale), key="once")
    item.is_active = False
    gamedata_session.commit()
    again = buy(client, item.id, as_user(whale), key="once")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert wallet(gamedata_db, whale)[0] == hard - 150
    assert buy(client, item.id, as_user(whale), key="twice").status_code == 410


def test_a_key_of_the_seeded_history_is_not_free_for_another_purchase(
    client: TestClient, gamedata_db: GameDatabase, as_user: AsUser, item: Item
) -> None:
    whale = gamedata_db.cast["whale"]
    with gamedata_db.session() as session:
        used = select(Transaction.idempotency_key).where(Transaction.user_id == whale).limit(1)
        key = session.scalars(used).one()
    assert buy(client, item.id, as_user(whale), key=key).status_code == 409
    assert purchases_since(gamedata_db, whale) == []


def buy_at_once(client: TestClient, item: Item, headers: dict[str, str], keys: list[str]) -> list[Any]:
    start = Barrier(len(keys))

    def buyer(key: str) -> Any:
        start.wait(timeout=5)
        return buy(client, item.id, headers, key=key)

    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(buyer, keys))


def test_two_buyers_at_once_cannot_spend_the_same_gems(
    client: TestClient, gamedata_db: GameDatabase, gamedata_session: Session, as_user: AsUser, item: Item
) -> None:
    buyer = gamedata_db.cast["free_player"]
    set_wallet(gamedata_session, buyer, gems=299)
    answers = buy_at_once(client, item, as_user(buyer), ["left", "right"])
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert wallet(gamedata_db, buyer)[0] == 149
    assert len(purchases_since(gamedata_db, buyer)) == 1


def test_the_same_key_twice_at_once_is_one_purchase(
    client: TestClient, gamedata_db: GameDatabase, as_user: AsUser, item: Item
) -> None:
    whale = gamedata_db.cast["whale"]
    one, other = buy_at_once(client, item, as_user(whale), ["same", "same"])
    assert (one.status_code, one.json()) == (other.status_code, other.json()) == (201, one.json())
    assert len(purchases_since(gamedata_db, whale)) == 1


@pytest.mark.parametrize(("role", "status"), [("banned", 403), ("deleted", 401)])
def test_a_token_is_worth_nothing_once_its_account_is_gone(
    client: TestClient, gamedata_db: GameDatabase, as_user: AsUser, item: Item, role: str, status: int
) -> None:
    user_id = gamedata_db.cast[role]
    assert buy(client, item.id, as_user(user_id), currency="GLD").status_code == status
    assert purchases_since(gamedata_db, user_id) == []


def test_only_our_own_unexpired_tokens_open_the_shop(
    client: TestClient, gamedata_db: GameDatabase, as_user: AsUser, item: Item, clock: SimpleNamespace
) -> None:
    good = as_user(gamedata_db.cast["whale"])
    forged = {"Authorization": good["Authorization"].replace("Bearer ", "Bearer 1")}
    for headers in ({}, forged, {"Authorization": "Bearer nonsense"}):
        assert buy(client, item.id, headers).status_code == 401
    clock.now += timedelta(hours=2)
    assert buy(client, item.id, good).status_code == 401
