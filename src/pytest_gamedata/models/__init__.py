"""The tables of the dataset as SQLAlchemy models: four that are always there, and two that are asked for.

They create the reference schema: money is integer minor units, moments are timestamptz, primary
keys are bigint identities. Checks and indexes are part of it, so that the database
refuses rows that break them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from pytest_gamedata.models.auth_events import AuthEvent
from pytest_gamedata.models.declarative import Base, OptionalBase, describe_tables
from pytest_gamedata.models.inventory import InventoryItem
from pytest_gamedata.models.items import Item
from pytest_gamedata.models.play_sessions import PlaySession
from pytest_gamedata.models.transactions import Transaction
from pytest_gamedata.models.users import User

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["AuthEvent", "Base", "InventoryItem", "Item", "PlaySession", "Transaction", "User"]

TABLES = tuple(
    model.__tablename__ for model in (User, Item, Transaction, AuthEvent)
)  # parents before children
OPTIONAL_TABLES = tuple(model.__tablename__ for model in (PlaySession, InventoryItem))
OWN_TABLES = Base.metadata.tables | OptionalBase.metadata.tables  # by name
UNCHANGED = describe_tables()  # before anybody adds to our tables or changes them


def create_optional_tables(bind: Engine | Connection, names: Collection[str]) -> None:
    """Create those of these tables that are optional, and missing."""
    wanted = [table for name, table in OptionalBase.metadata.tables.items() if name in names]
    OptionalBase.metadata.create_all(bind, tables=wanted)
