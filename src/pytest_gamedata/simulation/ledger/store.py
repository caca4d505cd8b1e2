"""Everyday stories: purchases in the store, loot drops and rewards."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.combine import take
from pytest_gamedata.columns.conversion import Columns, is_null
from pytest_gamedata.columns.local_time import seconds
from pytest_gamedata.columns.sampling import Rng, pick, strata
from pytest_gamedata.factories.users import level_of
from pytest_gamedata.simulation.ledger.stories import (
    LOOT,
    REWARD,
    STORE,
    Stories,
    draw_available,
    make_stories,
)
from pytest_gamedata.simulation.sessions import Sessions
from pytest_gamedata.simulation.world import World


def plan_everyday(world: World, count: int) -> Stories:
    """Plan so many purchases in the store, loot drops and rewards, spread over all sessions."""
    items, sessions, rng = world.items, world.sessions, world.streams.of("everyday", "plan")
    chosen = sessions.draw(rng, count)
    store, loot = store_ranks(world), np.flatnonzero(~is_null(items["drop_rate"]))
    kind = pick(dist.EVERYDAY_PER_SESSION, strata(rng, count))
    buys, drops = kind.is_("store_purchase") & (len(store) > 0), kind.is_("loot_drop") & (len(loot) > 0)
    stories = make_stories(count, user=sessions.user[chosen], at=sessions.moments_in(rng, chosen))
    stories["type"] = np.select([buys, drops], [STORE, LOOT], REWARD)
    levels = levels_before(sessions, chosen[buys])
    stories["item"][buys] = _Store(items, store, take(stories, buys), levels).draw(rng)
    stories["item"][drops] = _draw_loot(rng, items, loot, stories["at"][drops])
    stacks = buys & np.asarray(items["is_stackable"])[stories["item"]] if len(items["id"]) else buys
    stories["quantity"] = np.where(stacks, rng.integers(1, dist.STACK_SIZE_MAX + 1, count), 1)
    return stories


def store_ranks(world: World) -> NDArray[np.int64]:
    """Return the items sold for wallet currency, the most popular first.

    What is used up and what is cheap sell best; what sells well is not retired.
    """
    items = world.items
    store = np.flatnonzero((np.asarray(items["price_hard"]) > 0) | (np.asarray(items["price_soft"]) > 0))
    luck = world.streams.of("items", "popularity").random(len(store))
    again = np.asarray(items["is_stackable"])[store]
    luck *= np.where(again, dist.STACKABLE_RANK_FACTOR, 1.0)
    luck *= items["rarity"][store].weigh(dist.RARITY_PRICE_FACTOR) / max(dist.RARITY_PRICE_FACTOR.values())
    retired = ~np.asarray(items["is_active"])[store]
    return store[np.argsort(np.where(retired, (1 + luck) / 2, luck), kind="stable")]


def levels_before(sessions: Sessions, session: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the level that each of these sessions' players had reached before it."""
    played = np.cumsum(sessions.seconds) - sessions.seconds
    first = np.searchsorted(sessions.user, sessions.user[session], side="left")
    return level_of(played[session] - played[first])


class _Store:
    """Purchases in the store, and the items that fit each: on sale, within the level, not owned already."""

    def __init__(self, items: Columns, ranks: NDArray[np.int64], buys: Stories, level: Any) -> None:
        self._ranks, self._level = ranks, level
        self._user, self._at = buys["user"], buys["at"]
        self._count = len(items["id"])
        self._until = np.asarray(items["available_until"])
        self._again = np.asarray(items["is_stackable"])
        self._needed = np.array([_required_level(each) for each in items["attributes"]], dtype=np.int64)

    def draw(self, rng: Rng) -> NDArray[np.int64]:
        """Draw items by Zipf's law; what does not fit its buyer is drawn again, at last among what always fits."""
        item = self._draw_ranked(rng, self._ranks, len(self._user))
        for ranks in (*[self._ranks] * dist.STORE_REDRAWS, self._always()):
            unfit = self._find_unfit(item)
            item[unfit] = self._draw_ranked(rng, ranks, int(unfit.sum()))
        return item

    def _find_unfit(self, item: NDArray[np.int64]) -> NDArray[np.bool_]:
        unfit = (self._until[item] <= self._at) | (self._needed[item] > self._level)
        lasting = np.flatnonzero(~self._again[item])
        _, first = np.unique(self._user[lasting] * self._count + item[lasting], return_index=True)
        unfit[np.delete(lasting, first)] = True
        return unfit

    def _always(self) -> NDArray[np.int64]:
        """Return what anybody can buy at any time, again and again; else what is on sale for longest."""
        until = self._until[self._ranks]
        longest = until == np.sort(until)[-1:]
        steady = longest & self._again[self._ranks] & (self._needed[self._ranks] <= 1)
        return self._ranks[steady if steady.any() else np.flatnonzero(longest)[:1]]

    @staticmethod
    def _draw_ranked(rng: Rng, ranks: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        weights = {str(rank): rank**-dist.ITEM_ZIPF_EXPONENT for rank in range(1, len(ranks) + 1)}
        return ranks[pick(weights, rng.random(count)).codes] if count else np.zeros(0, np.int64)


def _required_level(attributes: Any) -> int:
    return int(attributes.get("required_level", 1)) if isinstance(attributes, dict) else 1


def _draw_loot(rng: Rng, items: Columns, loot: NDArray[np.int64], at: Any) -> NDArray[np.int64]:
    """Draw a rarity by its published share, then one of its items that is still there."""
    rarity: Any = items["rarity"]
    there = {name: share for name, share in dist.DROP_SHARES.items() if rarity[loot].is_(name).any()}
    item = np.zeros(len(at), dtype=np.int64)
    drawn = pick(there, strata(rng, len(at))) if there else None
    for name in there:
        rows = drawn.is_(name) if drawn else np.zeros(0, bool)
        item[rows] = draw_available(rng, items, loot[rarity[loot].is_(name)], at[rows])
    return item


def plan_welcomes(world: World) -> Stories:
    """Plan the reward that every user gets right after signing up."""
    count, since = world.spec.users, world.users["created_at"]
    at = since + seconds(world.streams.of("welcomes", "at").uniform(*dist.WELCOME_SECONDS, count))
    bonus = np.full(count, dist.WELCOME_REWARD_SOFT)
    bonus[world.members("trader")] = dist.TRADER_CAPITAL_SOFT
    return make_stories(count, user=np.arange(count), type=REWARD, at=at, bonus=bonus)
