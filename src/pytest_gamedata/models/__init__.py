"""The four tables of the dataset as SQLAlchemy models.

They create the reference schema: money is integer minor units, moments are timestamptz, primary
keys are bigint identities. Checks and indexes are part of it, so that the database
refuses rows that break them.
"""

from __future__ import annotations

from pytest_gamedata.models.auth_events import AuthEvent
from pytest_gamedata.models.declarative import Base, describe_tables
from pytest_gamedata.models.items import Item
from pytest_gamedata.models.transactions import Transaction
from pytest_gamedata.models.users import User

__all__ = ["AuthEvent", "Base", "Item", "Transaction", "User"]

TABLES = tuple(
    model.__tablename__ for model in (User, Item, Transaction, AuthEvent)
)  # parents before children
UNCHANGED = describe_tables()  # before anybody adds to our tables or changes them
UNCHANGED = describe_tables()  # before anybody adds to our tables or changes them
