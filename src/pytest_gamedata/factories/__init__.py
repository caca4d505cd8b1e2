"""Factory Boy factories for the four tables; `FACTORIES` are those that seed a database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pytest_gamedata.columns.conversion import Columns
from pytest_gamedata.errors import SettingsError
from pytest_gamedata.factories.adapter import excluded_by, model_of, renames_of
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


def factories_by_table(factories: Iterable[Any]) -> dict[str, Any]:
    """Return the factory of each table: the given ones, and ours where none is given.

    Raises SettingsError for a factory that is no subclass of ours.
    """
    chosen: dict[str, Any] = dict(FACTORIES)
    for given in factories:
        tables = [name for name, ours in FACTORIES.items() if issubclass(given, ours)]
        if not tables:
            ours = ", ".join(factory.__name__ for factory in FACTORIES.values())
            raise SettingsError(
                f"gamedata_factories: {given.__name__} is not allowed. Allowed: subclasses of {ours}."
            )
        chosen[tables[0]] = given
    return chosen


def columns_of_table(factory: Any, columns: Columns) -> Columns:
    """Return the columns that the factory's table has, under their names there.

    Raises SettingsError for a column of the table that nobody fills.
    """
    renames, excluded = renames_of(factory), excluded_by(factory)
    named = {renames.get(name, name): value for name, value in columns.items() if name not in excluded}
    table = model_of(factory).__table__
    for column in table.columns:
        optional = column.nullable or column.server_default is not None or column.identity is not None
        if column.name not in named and not optional:
            raise SettingsError(
                f"{factory.__name__}: nobody fills column {column.name!r} of table {table.name!r}. "
                "Declare it in the factory, make it nullable, or give it a server default."
            )
    return {column.name: named[column.name] for column in table.columns if column.name in named}
