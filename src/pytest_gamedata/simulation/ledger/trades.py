"""What players give to one another: trades and gifts, and how the giver came by it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.combine import take
from pytest_gamedata.columns.local_time import seconds
from pytest_gamedata.columns.sampling import Rng, strata
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.columns.values import NULL_MOMENT, Columns, to_moment
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.simulation.cast import members
from pytest_gamedata.simulation.ledger.stories import (
    CANCELLED,
    COMPLETED,
    GIFT,
    LOOT,
    NONE,
    REWARD,
    TRADE,
    Plan,
    draw_available,
    make_plan,
    rows_of_role,
)
from pytest_gamedata.simulation.sessions import Sessions


def plan_trades(
    spec: DatasetSpec,
    streams: Streams,
    users: Columns,
    items: Columns,
    sessions: Sessions,
    cast: dict[str, int],
) -> Plan:
    """Plan trade offers between the users who stayed beyond a week: the buyer's leg of each."""
    tradable = np.flatnonzero(items["is_tradable"])
    rng = streams.of("trades", "plan")
    chosen = _choose_traders(rng, spec.users, sessions, cast)
    traders = np.flatnonzero(chosen)
    if not len(tradable) or spec.users < 2:
        return make_plan(0)
    user = np.repeat(traders, 1 + rng.poisson(dist.TRADES_PER_TRADER - 1, len(traders)))
    plan = make_plan(len(user), user=user, type=TRADE)
    plan["at"] = sessions.moments(rng, user, rng.random(len(user)) ** dist.TRADE_SKEW)
    plan["status"] = np.where(strata(rng, len(user)) < dist.TRADE_COMPLETED_SHARE, COMPLETED, CANCELLED)
    sure = rows_of_role(plan, cast, "trader")
    plan["status"][sure] = COMPLETED
    paid = users["created_at"][user] + seconds(dist.WELCOME_SECONDS[1])  # the trader's capital is there
    plan["at"] = np.where(sure, np.maximum(plan["at"], paid), plan["at"])
    plan["item"] = draw_available(rng, items, tradable, plan["at"])
    stay = chosen & (users["ended_at"] >= to_moment(spec.until))
    pool = chosen if stay.sum() > 1 else np.ones(spec.users, dtype=np.bool_)
    return _with_counterparty(rng, users, sessions, pool, plan, sure)


def _choose_traders(rng: Rng, users: int, sessions: Sessions, cast: dict[str, int]) -> NDArray[np.bool_]:
    stayed = np.flatnonzero(sessions.last_day(users) >= dist.TRADER_DAY)
    chosen = np.zeros(users, dtype=np.bool_)
    chosen[stayed[strata(rng, len(stayed)) < dist.TRADER_SHARE]] = True
    chosen[members(cast, "trader")] = True
    return chosen


def plan_gifts(
    spec: DatasetSpec,
    streams: Streams,
    users: Columns,
    items: Columns,
    sessions: Sessions,
    cast: dict[str, int],
) -> Plan:
    """Plan gifts from one user to another, of what may change hands."""
    tradable = np.flatnonzero(items["is_tradable"])
    if not len(tradable) or spec.users < 2:
        return make_plan(0)
    rng = streams.of("gifts", "plan")
    giver = sessions.user[rng.random(len(sessions.user)) < dist.GIFTS_PER_SESSION]
    gifter = np.repeat(members(cast, "gifter"), dist.GIFTER_GIFTS)
    user = np.concatenate([giver, gifter]).astype(np.int64)
    plan = make_plan(len(user), user=user, type=GIFT)
    plan["at"] = sessions.moments(rng, user, rng.random(len(user)))
    plan["item"] = draw_available(rng, items, tradable, plan["at"])
    everybody = np.ones(spec.users, dtype=np.bool_)
    return _with_counterparty(rng, users, sessions, everybody, plan, rows_of_role(plan, cast, "gifter"))


def _with_counterparty(
    rng: Rng, users: Columns, sessions: Sessions, pool: NDArray[np.bool_], plan: Plan, sure: NDArray[np.bool_]
) -> Plan:
    """Give each row somebody else of the pool who began to play shortly before; drop the rows that find none.

    The rows that are `sure` to stay take anybody, and wait for somebody if need be.
    """
    playing = np.flatnonzero(pool[sessions.user])
    playing = playing[np.argsort(sessions.start[playing], kind="stable")]
    there: Any = np.searchsorted(sessions.start[playing], plan["at"], side="left")  # sessions begun by then
    other, ended_at = plan["counterparty"], users["ended_at"]
    for reach in dist.COUNTERPARTY_REACH:
        unfit = (other == NONE) | (other == plan["user"]) | (ended_at[other] <= plan["at"])
        back = 1 + (rng.random(len(there)) * np.minimum(reach, there)).astype(np.int64)
        unfit &= there > 0
        other[unfit] = sessions.user[playing[(there - back)[unfit]]]
    unfit = (other == NONE) | (other == plan["user"]) | (ended_at[other] <= plan["at"])
    for row in np.flatnonzero(unfit & sure).tolist():
        unfit[row] = not _find_anybody(rng, users, sessions, plan, row)
    return take(plan, ~unfit)


def _find_anybody(rng: Rng, users: Columns, sessions: Sessions, plan: Plan, row: int) -> bool:
    """Give a row anybody who has begun to play by then, or by the end of its user's time; tell if there is one."""
    user = plan["user"][row]
    end = sessions.latest[np.searchsorted(sessions.user, user, side="left")]
    for at in (plan["at"][row], end):
        begun = users["created_at"] + seconds(dist.REGISTRATION_SECONDS) < at
        found = np.flatnonzero(begun & (users["ended_at"] > at) & (np.arange(len(begun)) != user))
        if len(found):
            plan["at"][row], plan["counterparty"][row] = at, rng.choice(found)
            return True
    return False


def hand_over(streams: Streams, items: Columns, sessions: Sessions, plan: Plan) -> Plan:
    """Let the givers give what dropped for them before, each piece once; return the grants of all the rest."""
    given, giver = _in_order(plan, np.isin(plan["type"], (TRADE, GIFT)))
    tradable = np.append(items["is_tradable"], False)  # the last one for no item
    drops, finder = _in_order(plan, (plan["type"] == LOOT) & tradable[plan["item"]])
    # a giver's n-th exchange is of the n-th piece
    turns, pieces = _turns(giver), _turns(finder)
    piece = np.minimum(np.searchsorted(pieces, turns), max(len(drops) - 1, 0))
    has = np.zeros(len(given), dtype=np.bool_)
    if len(drops):
        has = (pieces[piece] == turns) & (plan["at"][drops[piece]] < plan["at"][given])
    plan["item"][given[has]] = plan["item"][drops[piece[has]]]
    rest = given[~has]
    at = _moments_before(streams.of("exchanges", "grant"), sessions, giver[~has], plan["at"][rest])
    return make_plan(len(rest), user=giver[~has], type=REWARD, item=plan["item"][rest], at=at)


def _in_order(plan: Plan, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the chosen rows by who has the item, then by time, and who has it."""
    rows = np.flatnonzero(chosen)
    owner = np.where(plan["type"] == TRADE, plan["counterparty"], plan["user"])[rows]
    order = np.lexsort((plan["at"][rows], owner))
    return rows[order], owner[order]


def _turns(owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one ascending number per row, of its owner and of how many rows of the owner come before."""
    return owner * (1 << 32) + np.arange(len(owner)) - np.searchsorted(owner, owner)


def _moments_before(rng: Rng, sessions: Sessions, user: NDArray[np.int64], at: Any) -> NDArray[np.datetime64]:
    """Draw a moment in one of the sessions that each user began before a moment, and before that moment."""
    since = sessions.start[0] if len(sessions.start) else NULL_MOMENT

    def key(who: Any, when: Any) -> NDArray[np.int64]:
        """Number users and milliseconds in one: a user's sessions lie together, by time."""
        return who * (1 << 42) + (when - since).astype(np.int64) // 1000

    first = np.searchsorted(sessions.user, user, side="left")
    begun = np.searchsorted(key(sessions.user, sessions.start), key(user, at), side="left") - first
    session = first + (rng.random(len(user)) * np.maximum(begun, 1)).astype(np.int64)
    start = sessions.start[session]
    length = np.minimum(sessions.seconds[session] * 1_000_000, (at - start).astype(np.int64))
    return start + (rng.random(len(user)) * length).astype(np.int64).astype("timedelta64[us]")
