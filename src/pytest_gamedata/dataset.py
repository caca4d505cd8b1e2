"""The whole dataset: users, items, transactions, auth events, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.columns.values import Columns, give_back_memory
from pytest_gamedata.errors import SettingsError
from pytest_gamedata.factories import FACTORIES
from pytest_gamedata.factories.adapter import excluded_by, model_of, renames_of
from pytest_gamedata.factories.fields import changed_fields, drop_params
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.simulation.auth.event_log import make_auth_events
from pytest_gamedata.simulation.cast import cast_positions
from pytest_gamedata.simulation.items import make_items
from pytest_gamedata.simulation.ledger import plan_stories
from pytest_gamedata.simulation.ledger.transactions import make_transactions
from pytest_gamedata.simulation.sessions import make_sessions
from pytest_gamedata.simulation.settlement import settle_logins, settle_users, touch_users
from pytest_gamedata.simulation.users import make_users
from pytest_gamedata.validate import validate_dataset


@dataclass(frozen=True)
class Dataset:
    """Rows by table, as columns in the order of their ids, and the ids of the cast."""

    spec: DatasetSpec
    tables: dict[str, Columns]
    cast: dict[str, int]
    fields: dict[str, Columns] = field(
        default_factory=dict
    )  # as drawn and settled, under our names, params included

    @property
    def counts(self) -> dict[str, int]:
        """Rows per table."""
        return {name: len(columns["id"]) for name, columns in self.tables.items()}


def build_dataset(spec: DatasetSpec, factories: Mapping[str, Any] = FACTORIES) -> Dataset:
    """Build all rows of a dataset in memory.

    Raises DatasetInvalidError if a row breaks a rule of `pytest_gamedata.validate`.

    >>> dataset = build_dataset(DatasetSpec(users=1000))
    >>> dataset.counts["users"], dataset.tables["users"]["level"].mean().round(1)
    (1000, ...)
    """
    streams = Streams(spec.seed)
    users = make_users(spec, streams, cast_positions(spec.users), factories["users"])
    cast = {role: int(np.argmax(users[role])) for role in cast_positions(spec.users)}
    items = make_items(spec, streams, factories["items"])
    sessions = make_sessions(spec, streams, users, cast.values())
    give_back_memory(len(sessions.user))
    auth_events = make_auth_events(spec, streams, users, sessions, cast, factories["auth_events"])
    count = len(auth_events["id"])
    give_back_memory(count)
    settled = settle_logins(users, auth_events, sessions)
    stories = plan_stories(spec, streams, users, items, sessions, cast)
    del sessions
    give_back_memory(count)
    transactions = make_transactions(streams, users, items, stories, auth_events, factories["transactions"])
    settled = touch_users(settle_users(settled, transactions), transactions)
    changed = {name: users[name] for name in changed_fields(factories["users"])}
    users = drop_params(factories["users"], settled | changed)
    del settled, changed
    give_back_memory(count)  # the checks need some
    tables = {"users": users, "items": items, "transactions": transactions, "auth_events": auth_events}
    cast = {role: position + 1 for role, position in cast.items()}
    validate_dataset(Dataset(spec, tables, cast))
    give_back_memory(count)
    return Dataset(
        spec, {name: _stored(factories[name], columns) for name, columns in tables.items()}, cast, tables
    )


def factories_by_table(factories: Iterable[Any]) -> dict[str, Any]:
    """Sort factories to the tables that they fill; a table without one keeps ours.

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


def _stored(factory: Any, columns: Columns) -> Columns:
    """Keep the columns that the factory's table has, under the names that it has them.

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
