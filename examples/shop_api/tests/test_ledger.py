"""A user's transactions, page by page."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from pytest_gamedata import GameDatabase
from pytest_gamedata.factories import TransactionFactory

AsUser = Callable[[int], dict[str, str]]
LEDGER = "/users/me/transactions"


def pages(client: TestClient, headers: dict[str, str], **query: Any) -> Iterator[list[dict[str, Any]]]:
    page = client.get(LEDGER, params=query, headers=headers).json()
    yield page["transactions"]
    while page["next"] is not None:
        page = client.get(LEDGER, params={**query, "before": page["next"]}, headers=headers).json()
        yield page["transactions"]


def walk(client: TestClient, headers: dict[str, str], **query: Any) -> list[int]:
    return [row["id"] for page in pages(client, headers, **query) for row in page]


def ledger_ids(db: GameDatabase, user_id: int, condition: str = "true") -> list[int]:
    query = f"SELECT id FROM transactions WHERE user_id = :user_id AND {condition} ORDER BY created_at DESC, id DESC"
    with db.session() as session:
        return list(session.scalars(text(query), {"user_id": user_id}))


@pytest.mark.parametrize("limit", [4, 10, 100])
def test_pages_hold_every_row_once_newest_first(
    client: TestClient, gamedata_db: GameDatabase, as_user: AsUser, limit: int
) -> None:
    whale = gamedata_db.cast["whale"]
    expected = ledger_ids(gamedata_db, whale)
    assert len(expected) > 40
    assert walk(client, as_user(whale), limit=limit) == expected


def test_rows_of_one_moment_are_not_lost_between_pages(
    client: TestClient, gamedata_db: GameDatabase, gamedata_session: Session, as_user: AsUser
) -> None:
    newcomer, moment = gamedata_db.cast["newcomer"], gamedata_db.spec.until
    TransactionFactory.create_batch(5, user_id=newcomer, created_at=moment)
    gamedata_session.commit()
    walked = walk(client, as_user(newcomer), limit=2)
    assert walked == ledger_ids(gamedata_db, newcomer)
    assert len(walked) == len(set(walked)) > 5


def test_what_is_bought_meanwhile_moves_no_page(
    client: TestClient, gamedata_db: GameDatabase, gamedata_session: Session, as_user: AsUser
) -> None:
    whale = gamedata_db.cast["whale"]
    expected = ledger_ids(gamedata_db, whale)
    walked = []
    for page in pages(client, as_user(whale), limit=25):
        walked += [row["id"] for row in page]
        TransactionFactory.create(user_id=whale, created_at=gamedata_db.spec.until)
        gamedata_session.commit()
    assert walked == expected


def test_one_type_can_be_asked_for(client: TestClient, gamedata_db: GameDatabase, as_user: AsUser) -> None:
    whale = gamedata_db.cast["whale"]
    expected = ledger_ids(gamedata_db, whale, "type = 'iap_purchase'")
    assert 10 < len(expected) < len(ledger_ids(gamedata_db, whale))
    assert walk(client, as_user(whale), type="iap_purchase", limit=7) == expected


def test_the_failed_payer_has_paid_nothing(
    client: TestClient, gamedata_db: GameDatabase, as_user: AsUser
) -> None:
    payments = client.get(
        LEDGER, params={"type": "iap_purchase"}, headers=as_user(gamedata_db.cast["failed_payer"])
    ).json()["transactions"]
    assert {payment["status"] for payment in payments} == {"failed"}


def test_a_page_of_somebody_else_is_not_found(
    client: TestClient, gamedata_db: GameDatabase, as_user: AsUser
) -> None:
    [theirs, *_] = ledger_ids(gamedata_db, gamedata_db.cast["whale"])
    headers = as_user(gamedata_db.cast["trader"])
    assert client.get(LEDGER, params={"before": theirs}, headers=headers).status_code == 404


@pytest.mark.gamedata(users=5, transactions=0)
def test_without_transactions_there_is_one_empty_page(
    client: TestClient, gamedata_db: GameDatabase, as_user: AsUser
) -> None:
    answer = client.get(LEDGER, headers=as_user(gamedata_db.cast["whale"]))
    assert answer.json() == {"transactions": [], "next": None}
