"""Factory Boy factories for the four tables; `FACTORIES` are those that seed a database by default."""

from __future__ import annotations

from pytest_gamedata.factories.auth_events import AuthEventFactory
from pytest_gamedata.factories.base import GameFactory
from pytest_gamedata.factories.draw import Draw
from pytest_gamedata.factories.items import ItemFactory
from pytest_gamedata.factories.per_parent import Per
from pytest_gamedata.factories.transactions import RefundFactory, SellerLegFactory, TransactionFactory
from pytest_gamedata.factories.users import UserFactory

FACTORIES = (UserFactory, ItemFactory, TransactionFactory, AuthEventFactory)

__all__ = [
    "FACTORIES",
    "AuthEventFactory",
    "Draw",
    "GameFactory",
    "ItemFactory",
    "Per",
    "RefundFactory",
    "SellerLegFactory",
    "TransactionFactory",
    "UserFactory",
]
