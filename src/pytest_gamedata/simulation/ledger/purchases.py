"""Purchases for real money: when, at which price, and the attempts that fail."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.combine import stack, take
from pytest_gamedata.columns.conversion import NULL_MOMENT, Columns
from pytest_gamedata.columns.local_time import local_hours, seconds
from pytest_gamedata.columns.sampling import Rng, low_discrepancy, pick, strata
from pytest_gamedata.simulation.ledger.refunds import mark_reversals
from pytest_gamedata.simulation.ledger.stories import FAILED, IAP, NONE, PENDING, Stories, make_stories
from pytest_gamedata.simulation.sessions import Sessions
from pytest_gamedata.simulation.world import World


def plan_purchases(world: World) -> Stories:
    """Plan what payers buy for real money, with the attempts that failed or were left open."""
    users, items, sessions, streams = world.users, world.items, world.sessions, world.streams
    sold = np.flatnonzero(np.asarray(items["price_usd_cents"]) > 0)
    if not len(sold):
        return make_stories(0)
    user = np.repeat(np.arange(world.spec.users), users["planned_purchases"])
    rng = streams.of("purchases", "session")
    session = sessions.choose(user, _draw_when(rng, user, users["appetite"][user]))
    waits = rng.random(len(user)) < dist.PURCHASE_DELAY_SHARE
    session = np.where(waits, _rather_late(world, session), session)
    bought = make_stories(len(user), user=user, type=IAP, at=sessions.moments_in(rng, session))
    bought["item"] = _draw_price_points(streams.of("purchases", "price"), world, sold, user)
    _let_lead(items, bought, world.cast.get("whale", NONE))
    _replace_repeats(items, bought)
    mark_reversals(streams.of("purchases", "reversal"), world, bought)
    rng = streams.of("purchases", "attempt")
    attempts = _plan_attempts(rng, sessions, bought, session)
    return stack([bought, attempts, _plan_failed_payer(rng, world, sold)])


def _draw_when(rng: Rng, user: NDArray[np.int64], appetite: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draw which part of a user's sessions each purchase falls in: 0 the first, 1 the last."""
    first = np.diff(user, prepend=-1) != 0
    at_once = rng.random(len(user)) < dist.FIRST_SESSION_PURCHASE_SHARE
    # evenly over those who buy little and much, so that those with a month behind them show the law of all
    quantile = np.zeros(len(user))
    firsts = np.flatnonzero(first)
    quantile[firsts[np.argsort(appetite[firsts], kind="stable")]] = low_discrepancy(rng, len(firsts))
    start = np.where(at_once, 0.0, quantile**dist.FIRST_PURCHASE_SKEW)
    start = start[np.maximum.accumulate(np.where(first, np.arange(len(user)), 0))]
    later = start + (1 - start) * rng.random(len(user)) ** dist.NEXT_PURCHASE_SKEW
    return np.where(first, start, later)


def _rather_late(world: World, session: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the next session of the same day where it is a late one and this one is not."""
    sessions = world.sessions
    following = sessions.next_of_day(session)
    timezone = world.users["timezone"][sessions.user[session]]
    hours = [local_hours(sessions.start[each], timezone) for each in (session, following)]
    return np.where((hours[0] < dist.LATE_HOUR) & (hours[1] >= dist.LATE_HOUR), following, session)


def _draw_price_points(rng: Rng, world: World, sold: Any, user: Any) -> NDArray[np.int64]:
    """Rank all purchases by their payers' price tier and give each rank its price: the mix is exact."""
    rho = dist.PRESETS[world.spec.preset].price_tier_correlation
    tier = np.asarray(world.users["price_tier"])[user]
    latent = rho * tier + np.sqrt(1 - rho * rho) * rng.standard_normal(len(user))
    quantile = (np.argsort(np.argsort(latent, kind="stable"), kind="stable") + 0.5) / max(len(user), 1)
    prices, first = np.unique(np.asarray(world.items["price_usd_cents"])[sold], return_index=True)
    weights = {str(price): dist.PRICE_POINTS.get(price, 1.0) for price in prices.tolist()}
    return sold[first][pick(weights, quantile).codes]


def _let_lead(items: Columns, bought: Stories, whale: int) -> None:
    """Let nobody spend more than the whale: its cheapest purchase swaps with a rival's dearest.

    Where nobody has a dearer one, the dearest item of the catalogue takes the place of the cheapest.
    """
    price, user, item = np.asarray(items["price_usd_cents"]), bought["user"], bought["item"]
    own = np.flatnonzero(user == whale)
    dearest = np.argmax(price)
    while len(own):
        spent = np.bincount(user, price[item])
        lead, spent[whale] = spent[whale], 0
        rival = np.argmax(spent)
        if lead > max(spent[rival], dist.WHALE_SPEND_MIN):
            break
        cheap = own[np.argmin(price[item[own]])]
        others = np.flatnonzero(user == rival if spent[rival] >= lead else user != whale)
        dear = others[np.argmax(price[item[others]])] if len(others) else cheap
        if price[item[dear]] > price[item[cheap]]:
            item[[cheap, dear]] = item[[dear, cheap]]
        elif price[item[cheap]] < price[dearest]:
            item[cheap] = dearest
        else:
            break


def _replace_repeats(items: Columns, bought: Stories) -> None:
    """Sell nobody what they still have: the other item at its price takes the place, if there is one."""
    by_time = np.lexsort((bought["at"], bought["user"]))
    for price, days in dist.LASTING_DAYS.items():
        lasting, *others = np.flatnonzero(items["price_usd_cents"] == price)[:2].tolist() or [NONE]
        rows = by_time[bought["item"][by_time] == lasting] if others else by_time[:0]
        ends: dict[int, Any] = {}
        for row, user, at in zip(rows, bought["user"][rows].tolist(), bought["at"][rows], strict=True):
            if user in ends and at < ends[user]:
                bought["item"][row] = others[0]
            else:
                ends[user] = at + np.timedelta64(days, "D")


def _plan_attempts(rng: Rng, sessions: Sessions, bought: Stories, session: NDArray[np.int64]) -> Stories:
    """Plan attempts that led to nothing, shortly before some of the purchases."""
    share = dist.FAILED_PAYMENT_SHARE / (1 - dist.FAILED_PAYMENT_SHARE)
    quantile = strata(rng, len(bought["user"]))
    chosen = quantile < share + dist.PENDING_SHARE
    attempts = take(bought, chosen)
    attempts["status"] = np.where(quantile[chosen] < share, FAILED, PENDING)
    before = attempts["at"] - seconds(rng.uniform(*dist.ATTEMPT_SECONDS, len(attempts["at"])))
    attempts["at"] = np.maximum(before, sessions.start[session[chosen]])
    attempts["refunded_at"] = np.full(len(attempts["at"]), NULL_MOMENT)
    return attempts


def _plan_failed_payer(rng: Rng, world: World, sold: NDArray[np.int64]) -> Stories:
    """Plan the attempts of the cast's failed payer."""
    user = np.repeat(world.members("failed_payer"), dist.FAILED_PAYER_ATTEMPTS).astype(np.int64)
    failed = make_stories(len(user), user=user, type=IAP, status=FAILED, item=rng.choice(sold, len(user)))
    failed["at"] = world.sessions.moments(rng, user, rng.random(len(user)))
    return failed
