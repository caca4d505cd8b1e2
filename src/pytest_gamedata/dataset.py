"""The whole dataset: users, items, transactions, auth events, and the optional tables that are asked for, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_gamedata.columns.conversion import Columns
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.factories import FACTORIES, factories_by_table
from pytest_gamedata.factories.fields import own_columns
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.simulation.auth import make_auth_events
from pytest_gamedata.simulation.inventory import make_inventory
from pytest_gamedata.simulation.items import make_items
from pytest_gamedata.simulation.ledger import make_transactions
from pytest_gamedata.simulation.play_sessions import make_play_sessions
from pytest_gamedata.simulation.sessions import make_sessions
from pytest_gamedata.simulation.settlement import settle_playtime, settle_users
from pytest_gamedata.simulation.users import make_users
from pytest_gamedata.simulation.world import World
from pytest_gamedata.validate import validate_dataset


@dataclass(frozen=True)
class Dataset:
    """Rows by table, as columns in the order of their ids, and the ids of the cast.

    `fields` are the same rows with the params that they were drawn from, for tables whose factory a team has changed.
    """

    spec: DatasetSpec
    tables: dict[str, Columns]
    cast: dict[str, int]
    fields: dict[str, Columns] = field(default_factory=dict, repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """Rows per table."""
        return {name: len(columns["id"]) for name, columns in self.tables.items()}


def build_dataset(spec: DatasetSpec, factories: Iterable[Any] = FACTORIES) -> Dataset:
    """Build all rows of a dataset in memory.

    The factories change ours, or ask for the tables that are there only on request: play sessions and inventory.
    Raises DatasetInvalidError if a row breaks a rule of `pytest_gamedata.validate`.

    >>> dataset = build_dataset(DatasetSpec(users=1000))
    >>> dataset.counts["users"], dataset.tables["users"]["level"].mean().round(1)
    (1000, ...)
    >>> from pytest_gamedata.factories import PlaySessionFactory
    >>> build_dataset(DatasetSpec(users=1000), [PlaySessionFactory]).counts["play_sessions"]
    13816
    """
    dataset = _simulate(spec, factories_by_table(factories))
    validate_dataset(dataset)
    tables = {name: own_columns(name, columns) for name, columns in dataset.tables.items()}
    return Dataset(spec, tables, dataset.cast, dataset.tables)


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
    return Dataset(spec, tables | _make_optional(world, transactions, factories), world.cast_ids)


def _make_optional(world: World, transactions: Columns, factories: Mapping[str, Any]) -> dict[str, Columns]:
    """Draw the tables that are there only if a factory asks for them."""
    made: dict[str, Columns] = {}
    if "play_sessions" in factories:
        made["play_sessions"] = make_play_sessions(world, factories["play_sessions"])
    if "inventory" in factories:
        made["inventory"] = make_inventory(world, transactions, factories["inventory"])
    return made
