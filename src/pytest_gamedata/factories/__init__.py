"""Factory Boy factories for the four tables; `FACTORIES` are those that seed a database."""

from __future__ import annotations

from pytest_gamedata.factories.auth_events import AuthEventFactory
from pytest_gamedata.factories.base import GameFactory
from pytest_gamedata.factories.draw import Draw
from pytest_gamedata.factories.items import ItemFactory
from pytest_gamedata.factories.transactions import RefundFactory, SellerLegFactory, TransactionFactory
from pytest_gamedata.factories.users import UserFactory

FACTORIES = {
    "users": UserFactory,
    "items": ItemFactory,
    "transactions": TransactionFactory,
    "auth_events": AuthEventFactory,
}

__all__ = [
    "FACTORIES",
    "AuthEventFactory",
    "Draw",
    "GameFactory",
    "ItemFactory",
    "RefundFactory",
    "SellerLegFactory",
    "TransactionFactory",
    "UserFactory",
]
