"""Factory Boy factories for our tables; `FACTORIES` are those that seed a database by default."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pytest_gamedata.factories.auth_events import AuthEventFactory
from pytest_gamedata.factories.base import GameFactory, Per
from pytest_gamedata.factories.draw import Draw
from pytest_gamedata.factories.inventory import InventoryFactory
from pytest_gamedata.factories.items import ItemFactory
from pytest_gamedata.factories.play_sessions import PlaySessionFactory
from pytest_gamedata.factories.transactions import RefundFactory, SellerLegFactory, TransactionFactory
from pytest_gamedata.factories.users import UserFactory
from pytest_gamedata.models import OPTIONAL_TABLES, TABLES

FACTORIES = (UserFactory, ItemFactory, TransactionFactory, AuthEventFactory)

__all__ = [
    "FACTORIES",
    "AuthEventFactory",
    "Draw",
    "GameFactory",
    "InventoryFactory",
    "ItemFactory",
    "Per",
    "PlaySessionFactory",
    "RefundFactory",
    "SellerLegFactory",
    "TransactionFactory",
    "UserFactory",
]


DEFAULT_FACTORIES = dict(zip(TABLES, FACTORIES, strict=True))
OWN_FACTORIES = DEFAULT_FACTORIES | dict(
    zip(OPTIONAL_TABLES, (PlaySessionFactory, InventoryFactory), strict=True)
)


def table_of(factory: Any) -> str | None:
    """Return which of our tables a factory draws, None if it is no factory of ours nor a subclass."""
    return next((table for table, own in OWN_FACTORIES.items() if issubclass(factory, own)), None)


def factories_by_table(factories: Iterable[Any]) -> dict[str, Any]:
    """Return the factory of each of our tables: the last of these that changes ours, else ours.

    Optional tables are there only if a factory asks for them.
    """
    return DEFAULT_FACTORIES | {table: each for each in factories if (table := table_of(each))}
