"""The catalogue, compared with what SQL says of the seeded items."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from pytest_gamedata import GameDatabase
from pytest_gamedata.factories import ItemFactory

ON_SALE = "SELECT id FROM items WHERE is_active AND available_from <= :now AND available_until > :now"


def ids_on_sale(db: GameDatabase, condition: str = "true") -> list[int]:
    with db.session() as session:
        return list(session.scalars(text(f"{ON_SALE} AND {condition} ORDER BY id"), {"now": db.spec.until}))


def listed_ids(client: TestClient, limit: int = 100, **query: Any) -> list[int]:
    """Return the ids on all pages."""
    ids: list[int] = []
    while True:
        page = client.get("/items", params={**query, "limit": limit, "offset": len(ids)}).json()
        ids += [item["id"] for item in page["items"]]
        if not page["items"] or len(ids) >= page["total"]:
            return ids


@pytest.mark.parametrize("limit", [7, 100])
def test_pages_hold_every_item_on_sale_once(
    client: TestClient, gamedata_db: GameDatabase, limit: int
) -> None:
    expected = ids_on_sale(gamedata_db)
    assert len(expected) > 100
    assert listed_ids(client, limit) == expected


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ({"type": "cosmetic"}, "item_type = 'cosmetic'"),
        ({"rarity": "epic"}, "rarity = 'epic'"),
        ({"tag": "currency"}, "'currency' = ANY (tags)"),
        ({"max_price": 100}, "price_hard <= 100"),
        ({"max_price": 500, "currency": "GLD"}, "price_soft <= 500"),
        ({"max_price": 999, "currency": "USD"}, "price_usd_cents <= 999"),
        (
            {"type": "equipment", "rarity": "common", "tag": "gear", "max_price": 90},
            "item_type = 'equipment' AND rarity = 'common' AND tags @> '{gear}' AND price_hard <= 90",
        ),
    ],
)
def test_filters_agree_with_sql(
    client: TestClient, gamedata_db: GameDatabase, query: dict[str, Any], condition: str
) -> None:
    expected = ids_on_sale(gamedata_db, condition)
    assert 0 < len(expected) < len(ids_on_sale(gamedata_db))
    assert listed_ids(client, **query) == expected


def test_what_is_retired_or_yet_to_come_is_not_listed(
    client: TestClient, gamedata_session: Session, gamedata_db: GameDatabase
) -> None:
    until, an_instant = gamedata_db.spec.until, timedelta(microseconds=1)
    on_sale = {"is_active": True, "available_from": until, "available_until": until + an_instant}
    just_there = ItemFactory.create(**on_sale)
    others = [
        ItemFactory.create(**on_sale | {"is_active": False}),
        ItemFactory.create(**on_sale | {"available_from": until - an_instant, "available_until": until}),
        ItemFactory.create(
            **on_sale | {"available_from": until + an_instant, "available_until": until + timedelta(1)}
        ),
    ]
    gamedata_session.commit()
    listed = listed_ids(client)
    assert just_there.id in listed
    assert not {item.id for item in others} & set(listed)


def test_an_item_is_shown_with_its_prices_in_whole_minor_units(client: TestClient) -> None:
    assert client.get("/items/1").json() == {
        "id": 1,
        "name": "Pouch of Gems",
        "item_type": "currency_pack",
        "rarity": "common",
        "price_usd_cents": 99,
        "price_hard": None,
        "price_soft": None,
        "tags": ["shop", "currency", "common"],
    }


def test_an_unknown_item_is_not_found(client: TestClient, gamedata_db: GameDatabase) -> None:
    assert client.get(f"/items/{gamedata_db.counts['items'] + 1}").status_code == 404


@pytest.mark.gamedata(users=0, items=0)
def test_an_empty_catalogue_has_no_items(client: TestClient) -> None:
    assert client.get("/items").json() == {"items": [], "total": 0}


@pytest.mark.gamedata(users=0, items=2_000)
def test_a_large_catalogue_is_counted_in_full(client: TestClient, gamedata_db: GameDatabase) -> None:
    page = client.get("/items", params={"limit": 1}).json()
    assert page["total"] == len(ids_on_sale(gamedata_db)) > 1_500
    assert len(page["items"]) == 1


@pytest.mark.parametrize(
    "path",
    ["/items?limit=0", "/items?limit=101", "/items?offset=-1", "/items?rarity=mythic", "/items?max_price=2147483648",
     "/items?tag=%00", "/items/0", "/items/9223372036854775808", "/items/one"],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 422
