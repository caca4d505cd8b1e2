"""Trades and gifts between players, and how the giver came by what is given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.combine import take
from pytest_gamedata.columns.conversion import to_moment
from pytest_gamedata.columns.local_time import seconds
from pytest_gamedata.columns.sampling import Rng, strata
from pytest_gamedata.simulation.ledger.stories import (
    CANCELLED,
    COMPLETED,
    GIFT,
    NONE,
    REWARD,
    TRADE,
    Stories,
    draw_available,
    make_stories,
)
from pytest_gamedata.simulation.world import World


def plan_trades(world: World) -> Stories:
    """Plan trade offers between the users who stayed beyond a week: the buyer's leg of each."""
    users, items, sessions = world.users, world.items, world.sessions
    tradable = np.flatnonzero(items["is_tradable"])
    if not len(tradable) or world.spec.users < 2:
        return make_stories(0)
    rng = world.streams.of("trades", "plan")
    chosen = _choose_traders(rng, world)
    traders = np.flatnonzero(chosen)
    user = np.repeat(traders, 1 + rng.poisson(dist.TRADES_PER_TRADER - 1, len(traders)))
    trades = make_stories(len(user), user=user, type=TRADE)
    trades["at"] = sessions.moments(rng, user, rng.random(len(user)) ** dist.TRADE_SKEW)
    trades["status"] = np.where(strata(rng, len(user)) < dist.TRADE_COMPLETED_SHARE, COMPLETED, CANCELLED)
    sure = np.isin(user, world.members("trader"))
    trades["status"][sure] = COMPLETED
    paid = users["created_at"][user] + seconds(dist.WELCOME_SECONDS[1])  # the trader's capital is there
    trades["at"] = np.where(sure, np.maximum(trades["at"], paid), trades["at"])
    trades["item"] = draw_available(rng, items, tradable, trades["at"])
    stay = chosen & (users["ended_at"] >= to_moment(world.spec.until))
    pool = chosen if stay.sum() > 1 else np.ones(world.spec.users, dtype=np.bool_)
    return _with_counterparty(rng, world, pool, trades, sure)


def _choose_traders(rng: Rng, world: World) -> NDArray[np.bool_]:
    users = world.spec.users
    stayed = np.flatnonzero(world.sessions.last_day(users) >= dist.TRADER_DAY)
    chosen = np.zeros(users, dtype=np.bool_)
    chosen[stayed[strata(rng, len(stayed)) < dist.TRADER_SHARE]] = True
    chosen[world.members("trader")] = True
    return chosen


def plan_gifts(world: World) -> Stories:
    """Plan gifts from one user to another, of what may change hands."""
    items, sessions = world.items, world.sessions
    tradable = np.flatnonzero(items["is_tradable"])
    if not len(tradable) or world.spec.users < 2:
        return make_stories(0)
    rng = world.streams.of("gifts", "plan")
    giver = sessions.user[rng.random(len(sessions.user)) < dist.GIFTS_PER_SESSION]
    gifter = np.repeat(world.members("gifter"), dist.GIFTER_GIFTS)
    user = np.concatenate([giver, gifter]).astype(np.int64)
    gifts = make_stories(len(user), user=user, type=GIFT)
    gifts["at"] = sessions.moments(rng, user, rng.random(len(user)))
    gifts["item"] = draw_available(rng, items, tradable, gifts["at"])
    everybody = np.ones(world.spec.users, dtype=np.bool_)
    return _with_counterparty(rng, world, everybody, gifts, np.isin(user, world.members("gifter")))


def _with_counterparty(
    rng: Rng, world: World, pool: NDArray[np.bool_], deals: Stories, sure: NDArray[np.bool_]
) -> Stories:
    """Give each row somebody else of the pool who began to play shortly before; drop the rows that find none.

    The rows that are `sure` to stay take anybody, and wait for somebody if need be.
    """
    sessions, ended_at = world.sessions, world.users["ended_at"]
    playing = np.flatnonzero(pool[sessions.user])
    playing = playing[np.argsort(sessions.start[playing], kind="stable")]
    there: Any = np.searchsorted(sessions.start[playing], deals["at"], side="left")  # sessions begun by then
    other = deals["counterparty"]

    def find_unfit() -> NDArray[np.bool_]:
        return (other == NONE) | (other == deals["user"]) | (ended_at[other] <= deals["at"])

    for reach in dist.COUNTERPARTY_REACH:
        back = 1 + (rng.random(len(there)) * np.minimum(reach, there)).astype(np.int64)
        unfit = find_unfit() & (there > 0)
        other[unfit] = sessions.user[playing[(there - back)[unfit]]]
    unfit = find_unfit()
    for row in np.flatnonzero(unfit & sure).tolist():
        unfit[row] = not _find_anybody(rng, world, deals, row)
    return take(deals, ~unfit)


def _find_anybody(rng: Rng, world: World, deals: Stories, row: int) -> bool:
    """Give a row anybody who has begun to play by then, or by the end of its user's time; tell if there is one."""
    users, sessions, user = world.users, world.sessions, deals["user"][row]
    end = sessions.latest[np.searchsorted(sessions.user, user, side="left")]
    for at in (deals["at"][row], end):
        begun = users["created_at"] + seconds(dist.REGISTRATION_SECONDS) < at
        found = np.flatnonzero(begun & (users["ended_at"] > at) & (np.arange(len(begun)) != user))
        if len(found):
            deals["at"][row], deals["counterparty"][row] = at, rng.choice(found)
            return True
    return False


def plan_grants(world: World, stories: Stories) -> Stories:
    """Plan the reward by which each giver has come by what is given: after the sign-up, before the exchange."""
    exchanges = take(stories, np.isin(stories["type"], (TRADE, GIFT)))
    count, item = len(exchanges["at"]), exchanges["item"]
    giver = np.where(exchanges["type"] == TRADE, exchanges["counterparty"], exchanges["user"])
    since = world.users["created_at"][giver] + seconds(dist.REGISTRATION_SECONDS)
    part = world.streams.of("exchanges", "grant").random(count)
    at = since + ((exchanges["at"] - since).astype(np.int64) * part).astype("timedelta64[us]")
    return make_stories(count, user=giver, type=REWARD, item=item, at=at)
