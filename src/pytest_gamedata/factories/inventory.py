"""Factory of inventories: the items that users hold, and how many pieces of each."""

from __future__ import annotations

from typing import Any

import factory
import numpy as np

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.conversion import Column
from pytest_gamedata.columns.local_time import seconds
from pytest_gamedata.columns.sampling import Rng
from pytest_gamedata.factories.base import GameFactory
from pytest_gamedata.factories.draw import Draw
from pytest_gamedata.factories.items import ItemFactory
from pytest_gamedata.factories.users import UserFactory
from pytest_gamedata.models import InventoryItem


def _draw_received(row: Any, rng: Rng, n: int) -> Column:
    return np.where(row.item.is_stackable, rng.integers(1, dist.STACK_SIZE_MAX + 1, n), 1)


def _draw_quantity(row: Any, rng: Rng, n: int) -> Column:
    """Draw how many pieces are left: all, or some of what is used up."""
    left = rng.binomial(row.received, row.item.item_type.weigh(dist.UNUSED_SHARES))
    return np.maximum(left, row.fewest)


class InventoryFactory(GameFactory):
    """Build items that users hold; a dataset has those that the ledger left, if this factory is asked for."""

    class Meta:
        model = InventoryItem

    class Params:
        number = factory.Sequence(lambda number: number)
        received = Draw(_draw_received)  # pieces, less those that were given away
        fewest = 1  # pieces that are left; a dataset drops the rows of what is used up
        changed_at = factory.SelfAttribute("acquired_at")  # when a piece last came or went
        used_at = factory.SelfAttribute("changed_at")  # when a piece was last used up, if any was

    user_id = None
    user = factory.Maybe("user_id", no_declaration=factory.SubFactory(UserFactory))
    item_id = None
    item = factory.Maybe("item_id", no_declaration=factory.SubFactory(ItemFactory))
    quantity = Draw(_draw_quantity)
    acquired_at = Draw(lambda row, rng, n: row.user.created_at + seconds(rng.uniform(120, 3600, n)))
    updated_at = Draw(lambda row, rng, n: np.where(row.quantity < row.received, row.used_at, row.changed_at))
