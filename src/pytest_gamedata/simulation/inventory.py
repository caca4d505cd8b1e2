"""Inventory: the items that users hold at the end, as the ledger and their use left them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.combine import stack, take
from pytest_gamedata.columns.conversion import Columns, is_null
from pytest_gamedata.columns.parents import Parent
from pytest_gamedata.factories.fields import drop_params
from pytest_gamedata.simulation.world import World

TO_THE_USER = ("iap_purchase", "store_purchase", "loot_drop", "reward")


def make_inventory(world: World, transactions: Columns, inventory_factory: Any) -> Columns:
    """Draw a row for each item that a user holds, in the order of acquisition; ids count from 1."""
    held = _sum_up(_moves(world.items, transactions))
    held = take(held, np.argsort(held["acquired_at"], kind="stable"))
    user, item, count = held.pop("user"), held.pop("item"), len(held["received"])
    rows = inventory_factory.columns(
        count,
        world.streams,
        number=np.arange(count),
        user=Parent(world.users, user),
        item=Parent(world.items, item),
        user_id=user + 1,
        item_id=item + 1,
        fewest=0,
        used_at=_draw_uses(world, user, held["changed_at"]),
        **held,
    )
    rows = drop_params(inventory_factory, take(rows, np.asarray(rows["quantity"]) > 0))
    return {**rows, "id": np.arange(1, len(rows["quantity"]) + 1)}


def _moves(items: Columns, transactions: Columns) -> Columns:
    """Return what came to users and what left them: who, what, how many pieces (negative if they left), and when."""
    done = np.flatnonzero(transactions["status"].is_("completed") & ~is_null(transactions["item_id"]))
    rows = take({name: transactions[name] for name in _MOVED}, done)
    rows = take(rows, ~items["item_type"][rows["item_id"] - 1].is_("currency_pack"))
    kind, trade = rows["type"], rows["type"].is_("trade")
    sold = trade & (np.asarray(rows["soft_delta"]) > 0)
    return stack(
        [
            _pieces(rows, kind.is_(*TO_THE_USER) | (trade & ~sold), "user_id", 1),
            _pieces(rows, kind.is_("gift"), "counterparty_user_id", 1),
            _pieces(rows, kind.is_("gift") | sold, "user_id", -1),
        ]
    )


_MOVED = ("user_id", "counterparty_user_id", "item_id", "type", "quantity", "soft_delta", "completed_at")


def _pieces(rows: Columns, chosen: NDArray[np.bool_], owner: str, sign: int) -> Columns:
    moved = take({name: rows[name] for name in (owner, "item_id", "quantity", "completed_at")}, chosen)
    return {
        "user": moved[owner] - 1,
        "item": moved["item_id"] - 1,
        "pieces": moved["quantity"] * sign,
        "at": moved["completed_at"],
    }


def _sum_up(moves: Columns) -> Columns:
    """Return the pieces that are left to each user of each item, where any are."""
    key, place = np.unique((moves["user"] << 32) | moves["item"], return_inverse=True)
    received = np.zeros(len(key), dtype=np.int64)
    np.add.at(received, place, moves["pieces"])
    came = moves["pieces"] > 0
    acquired_at = np.full(len(key), np.datetime64(dist.FOR_EVER, "us"))
    np.minimum.at(acquired_at, place[came], moves["at"][came])
    changed_at = acquired_at.copy()
    np.maximum.at(changed_at, place, moves["at"])
    held = {"user": key >> 32, "item": key & (2**32 - 1), "received": received}
    return take({**held, "acquired_at": acquired_at, "changed_at": changed_at}, received > 0)


def _draw_uses(
    world: World, user: NDArray[np.int64], changed_at: NDArray[np.datetime64]
) -> NDArray[np.datetime64]:
    """Draw when each user last used up a piece: in one of the later sessions, after the last piece came."""
    rng = world.streams.of("inventory", "use")
    late = rng.random(len(user)) ** dist.LAST_USE_SKEW
    return np.maximum(world.sessions.moments(rng, user, late), changed_at)
