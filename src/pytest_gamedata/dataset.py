"""The whole dataset: users, items, transactions, auth events, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_gamedata.columns.conversion import Columns
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.factories import FACTORIES, columns_of_table
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.simulation.auth import make_auth_events
from pytest_gamedata.simulation.items import make_items
from pytest_gamedata.simulation.ledger import make_transactions
from pytest_gamedata.simulation.sessions import make_sessions
from pytest_gamedata.simulation.settlement import settle_playtime, settle_users
from pytest_gamedata.simulation.users import make_users
from pytest_gamedata.simulation.world import World
from pytest_gamedata.validate import validate_dataset


@dataclass(frozen=True)
class Dataset:
    """Rows by table, as columns in the order of their ids, and the ids of the cast."""

    spec: DatasetSpec
    tables: dict[str, Columns]
    cast: dict[str, int]

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
    dataset = _simulate(spec, factories)
    validate_dataset(dataset)
    tables = {name: columns_of_table(factories[name], columns) for name, columns in dataset.tables.items()}
    return Dataset(spec, tables, dataset.cast)


def _simulate(spec: DatasetSpec, factories: Mapping[str, Any]) -> Dataset:
    """Draw the tables one after the other, each from those before it, in the fields of our factories."""
    streams = Streams(spec.seed)
    users = make_users(spec, streams, factories["users"])
    items = make_items(spec, streams, factories["items"])
    sessions = make_sessions(spec, streams, users)
    users = settle_playtime(users, sessions, factories["users"])
    world = World(spec, streams, users, items, sessions)
    auth_events = make_auth_events(world, factories["auth_events"])
    transactions = make_transactions(world, auth_events, factories["transactions"])
    users = settle_users(world, auth_events, transactions, factories["users"])
    tables = {"users": users, "items": items, "transactions": transactions, "auth_events": auth_events}
    return Dataset(spec, tables, world.cast_ids)
