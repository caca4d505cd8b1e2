"""What players do with money and goods: one story per line, before any amount is drawn.

A plan is a dict of columns: `user`, `item`, `counterparty` (positions, -1 for none), `type` and `status`
(codes of TYPES and STATUSES), `at` (moment), `quantity`, `bonus`, `refunded_at`. A story takes one row of
the ledger, or two: a purchase with its refund, a trade with its other leg.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.arrays import NULL_MOMENT, Columns, is_null, stack, table_of, take, to_moment
from pytest_gamedata.factories.columns import Streams
from pytest_gamedata.factories.draws import Rng, local_hours, pick, seconds, strata
from pytest_gamedata.factories.sessions import PAYMENT_MARGIN, Sessions
from pytest_gamedata.settings import DatasetSpec

Plan = dict[str, Any]
TYPES = ("iap_purchase", "store_purchase", "trade", "gift", "loot_drop", "reward")
STATUSES = ("completed", "failed", "pending", "cancelled", "refunded", "charged_back")
IAP, STORE, TRADE, GIFT, LOOT, REWARD = range(6)
COMPLETED, FAILED, PENDING, CANCELLED, REFUNDED, CHARGED_BACK = range(6)
NONE = -1
COUNTERPARTY_REACH = (8, 8, 64, 64, 512, 512, 1 << 40, 1 << 40)  # how many sessions back, draw by draw
_BLANK = {
    "user": 0, "item": NONE, "counterparty": NONE, "type": REWARD, "status": COMPLETED, "quantity": 1, "bonus": 0,
    "at": NULL_MOMENT, "refunded_at": NULL_MOMENT,
}  # fmt: skip


def plan_stories(
    spec: DatasetSpec,
    streams: Streams,
    users: Columns,
    items: Columns,
    sessions: Sessions,
    cast: dict[str, int],
) -> Plan:
    """Plan every story; with spec.transactions, exactly as many as give that number of rows."""
    plans = [
        plan_purchases(spec, streams, users, items, sessions, cast),
        plan_trades(spec, streams, users, items, sessions, cast),
        plan_gifts(spec, streams, users, items, sessions, cast),
        plan_welcomes(streams, users, cast),
    ]
    plan = stack(plans)
    if spec.transactions is None:
        extra = round(len(sessions.user) * sum(dist.EVERYDAY_PER_SESSION.values()))
    else:
        plan = _keep(plan, spec.transactions, streams.of("stories", "keep"), list(cast.values()))
        extra = spec.transactions - int(story_sizes(plan).sum())
    plan = stack([plan, plan_everyday(spec, streams, users, items, sessions, extra)])
    return take(plan, np.argsort(plan["at"], kind="stable"))


def story_sizes(plan: Plan) -> NDArray[np.int64]:
    """Return how many rows of the ledger each story takes."""
    return 1 + ((plan["type"] == TRADE) | ~np.isnat(plan["refunded_at"])).astype(np.int64)


def plan_purchases(
    spec: DatasetSpec,
    streams: Streams,
    users: Columns,
    items: Columns,
    sessions: Sessions,
    cast: dict[str, int],
) -> Plan:
    """Plan what payers buy for real money, with the attempts that failed or were left open."""
    sold = np.flatnonzero(np.asarray(items["price_usd_cents"]) > 0)
    if not len(sold):
        return _plan(0)
    user = np.repeat(np.arange(spec.users), users["planned_purchases"])
    rng = streams.of("purchases", "session")
    session = sessions.choose(user, _draw_when(rng, user))
    waits = rng.random(len(user)) < dist.PURCHASE_DELAY_SHARE
    session = np.where(waits, _rather_late(users, sessions, session), session)
    bought = _plan(len(user), user=user, type=IAP, at=sessions.moments_in(rng, session))
    bought["item"] = _draw_price_points(spec, streams.of("purchases", "price"), users, items, sold, user)
    _mark_reversals(spec, streams.of("purchases", "reversal"), bought, cast)
    return stack(
        [bought, _plan_attempts(streams.of("purchases", "attempt"), bought, session, sessions, sold, cast)]
    )


def _draw_when(rng: Rng, user: NDArray[np.int64]) -> NDArray[np.float64]:
    """Draw which part of a user's sessions each purchase falls in: 0 the first, 1 the last."""
    first = np.diff(user, prepend=-1) != 0
    at_once = rng.random(len(user)) < dist.FIRST_SESSION_PURCHASE_SHARE
    start = np.where(at_once, 0.0, rng.random(len(user)) ** dist.FIRST_PURCHASE_SKEW)
    start = start[np.maximum.accumulate(np.where(first, np.arange(len(user)), 0))]
    later = start + (1 - start) * rng.random(len(user)) ** dist.NEXT_PURCHASE_SKEW
    return np.where(first, start, later)


def _rather_late(users: Columns, sessions: Sessions, session: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the next session of the same day where it is a late one and this one is not."""
    following = sessions.next_of_day(session)
    timezone = users["timezone"][sessions.user[session]]
    hours = [local_hours(sessions.start[each], timezone) for each in (session, following)]
    return np.where((hours[0] < dist.LATE_HOUR) & (hours[1] >= dist.LATE_HOUR), following, session)


def _draw_price_points(
    spec: DatasetSpec, rng: Rng, users: Columns, items: Columns, sold: Any, user: Any
) -> NDArray[np.int64]:
    """Rank all purchases by their payers' price tier and give each rank its price: the mix is exact."""
    rho = dist.PRESETS[spec.preset].price_tier_correlation
    tier = np.asarray(users["price_tier"])[user]
    latent = rho * tier + np.sqrt(1 - rho * rho) * rng.standard_normal(len(user))
    quantile = (np.argsort(np.argsort(latent, kind="stable"), kind="stable") + 0.5) / max(len(user), 1)
    by_price = sold[np.argsort(np.asarray(items["price_usd_cents"])[sold], kind="stable")]
    prices = np.asarray(items["price_usd_cents"])[by_price].tolist()
    weights = {str(position): dist.PRICE_POINTS.get(price, 1.0) for position, price in enumerate(prices)}
    return by_price[pick(weights, quantile).codes]


def _mark_reversals(spec: DatasetSpec, rng: Rng, bought: Plan, cast: dict[str, int]) -> None:
    """Let some purchases be taken back before the window ends."""
    count = len(bought["user"])
    left = (to_moment(spec.until) - bought["at"] - PAYMENT_MARGIN).astype(np.int64)
    kept = bought["user"] == cast.get("one_time_buyer", NONE)
    for role, status, share, days in (
        ("refunded", REFUNDED, dist.REFUND_SHARE, dist.REFUND_DELAY_DAYS),
        ("charged_back", CHARGED_BACK, dist.CHARGEBACK_SHARE, dist.CHARGEBACK_DELAY_DAYS),
    ):
        delay = ((rng.exponential(days * 86_400, count) + 60) * 1e6).astype(np.int64)
        sure = np.flatnonzero(bought["user"] == cast.get(role, NONE))[:1]
        delay[sure] = left[sure] * 0.4
        open_ = (bought["status"] == COMPLETED) & ~kept & (delay < left)
        others = np.setdiff1d(np.flatnonzero(open_), sure)
        chosen = np.append(sure, rng.permutation(others)[: max(0, round(count * share) - len(sure))])
        moment = bought["at"] + PAYMENT_MARGIN + delay.astype("timedelta64[us]")
        bought["status"][chosen], bought["refunded_at"][chosen] = status, moment[chosen]


def _plan_attempts(
    rng: Rng, bought: Plan, session: NDArray[np.int64], sessions: Sessions, sold: Any, cast: dict[str, int]
) -> Plan:
    """Plan attempts that led to nothing: shortly before a purchase, and all that the failed payer makes."""
    share = dist.FAILED_PAYMENT_SHARE / (1 - dist.FAILED_PAYMENT_SHARE)
    quantile = strata(rng, len(bought["user"]))
    chosen = quantile < share + dist.PENDING_SHARE
    attempts = take(bought, chosen)
    attempts["status"] = np.where(quantile[chosen] < share, FAILED, PENDING)
    before = attempts["at"] - seconds(rng.uniform(10, 60, len(attempts["at"])))
    attempts["at"] = np.maximum(before, sessions.start[session[chosen]])
    attempts["refunded_at"] = np.full(len(attempts["at"]), NULL_MOMENT)
    unlucky = np.repeat(
        [cast[role] for role in ("failed_payer",) if role in cast], dist.FAILED_PAYER_ATTEMPTS
    )
    unlucky = unlucky.astype(np.int64)
    failed = _plan(len(unlucky), user=unlucky, type=IAP, status=FAILED, item=rng.choice(sold, len(unlucky)))
    failed["at"] = sessions.moments(rng, unlucky, rng.random(len(unlucky)))
    return stack([attempts, failed])


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
        return _plan(0)
    user = np.repeat(traders, 1 + rng.poisson(dist.TRADES_PER_TRADER - 1, len(traders)))
    plan = _plan(len(user), user=user, type=TRADE, item=rng.choice(tradable, len(user)))
    plan["at"] = sessions.moments(rng, user, rng.random(len(user)) ** 0.5)
    plan["status"] = np.where(strata(rng, len(user)) < dist.TRADE_COMPLETED_SHARE, COMPLETED, CANCELLED)
    plan["status"][plan["user"] == cast.get("trader", NONE)] = COMPLETED
    stay = chosen & (users["ended_at"] >= to_moment(spec.until))
    pool = chosen if stay.sum() > 1 else np.ones(spec.users, dtype=np.bool_)
    return _with_counterparty(rng, users, sessions, pool, plan)


def _choose_traders(rng: Rng, users: int, sessions: Sessions, cast: dict[str, int]) -> NDArray[np.bool_]:
    stayed = np.flatnonzero(sessions.last_day(users) >= dist.TRADER_DAY)
    chosen = np.zeros(users, dtype=np.bool_)
    chosen[stayed[strata(rng, len(stayed)) < dist.TRADER_SHARE]] = True
    chosen[[cast[role] for role in ("trader",) if role in cast]] = True
    return chosen


def plan_gifts(
    spec: DatasetSpec,
    streams: Streams,
    users: Columns,
    items: Columns,
    sessions: Sessions,
    cast: dict[str, int],
) -> Plan:
    """Plan gifts from one user to another."""
    given = np.flatnonzero(items["item_type"].is_("cosmetic", "consumable"))
    if not len(given) or spec.users < 2:
        return _plan(0)
    rng = streams.of("gifts", "plan")
    giver = sessions.user[rng.random(len(sessions.user)) < dist.GIFTS_PER_SESSION]
    user = np.concatenate([giver, np.repeat([cast[role] for role in ("gifter",) if role in cast], 2)]).astype(
        np.int64
    )
    plan = _plan(len(user), user=user, type=GIFT, item=rng.choice(given, len(user)))
    plan["at"] = sessions.moments(rng, user, rng.random(len(user)))
    return _with_counterparty(rng, users, sessions, np.ones(spec.users, dtype=np.bool_), plan)


def _with_counterparty(
    rng: Rng, users: Columns, sessions: Sessions, pool: NDArray[np.bool_], plan: Plan
) -> Plan:
    """Give each row somebody else of the pool who began to play shortly before; drop the rows that find none."""
    playing = np.flatnonzero(pool[sessions.user])
    playing = playing[np.argsort(sessions.start[playing], kind="stable")]
    there: Any = np.searchsorted(sessions.start[playing], plan["at"], side="left")  # sessions begun by then
    other, ended_at = plan["counterparty"], users["ended_at"]
    for reach in COUNTERPARTY_REACH:
        unfit = (other == NONE) | (other == plan["user"]) | (ended_at[other] <= plan["at"])
        back = 1 + (rng.random(len(there)) * np.minimum(reach, there)).astype(np.int64)
        unfit &= there > 0
        other[unfit] = sessions.user[playing[(there - back)[unfit]]]
    unfit = (other == NONE) | (other == plan["user"]) | (ended_at[other] <= plan["at"])
    return take(plan, ~unfit)


def plan_welcomes(streams: Streams, users: Columns, cast: dict[str, int]) -> Plan:
    """Plan the reward that every user gets right after signing up."""
    count = len(users["created_at"])
    at = users["created_at"] + seconds(streams.of("welcomes", "at").uniform(5, 20, count))
    bonus = np.full(count, dist.WELCOME_REWARD_SOFT)
    bonus[[cast[role] for role in ("trader",) if role in cast]] = dist.TRADER_CAPITAL_SOFT
    return _plan(count, user=np.arange(count), type=REWARD, at=at, bonus=bonus)


def plan_everyday(
    spec: DatasetSpec, streams: Streams, users: Columns, items: Columns, sessions: Sessions, count: int
) -> Plan:
    """Plan so many purchases in the store, loot drops and rewards, spread over all sessions."""
    rng = streams.of("everyday", "plan")
    chosen = (strata(rng, count) * len(sessions.user)).astype(np.int64)
    user = sessions.user[chosen]
    store, loot = store_ranks(streams, items), np.flatnonzero(~is_null(items["drop_rate"]))
    kind = pick(dist.EVERYDAY_PER_SESSION, strata(rng, count))
    buys, drops = kind.is_("store_purchase") & (len(store) > 0), kind.is_("loot_drop") & (len(loot) > 0)
    plan = _plan(count, user=user, at=sessions.moments_in(rng, chosen))
    plan["type"] = np.select([buys, drops], [STORE, LOOT], REWARD)
    plan["item"][buys] = _draw_store_items(rng, items, store, plan["at"][buys])
    plan["item"][drops] = _draw_loot(rng, items, loot, int(drops.sum()))
    stacks = buys & np.asarray(items["is_stackable"])[plan["item"]] if len(items["id"]) else buys
    plan["quantity"] = np.where(stacks, rng.integers(1, dist.STACK_SIZE_MAX + 1, count), 1)
    return plan


def store_ranks(streams: Streams, items: Columns) -> NDArray[np.int64]:
    """Return the items sold for wallet currency, the most popular first."""
    store = np.flatnonzero((np.asarray(items["price_hard"]) > 0) | (np.asarray(items["price_soft"]) > 0))
    return streams.of("items", "popularity").permutation(store)


def _draw_store_items(rng: Rng, items: Columns, store: NDArray[np.int64], at: Any) -> NDArray[np.int64]:
    """Draw items by Zipf's law; what was no longer on sale gives way to the most popular that was."""
    weights = {str(rank): rank**-dist.ITEM_ZIPF_EXPONENT for rank in range(1, len(store) + 1)}
    item = store[pick(weights, rng.random(len(at))).codes] if len(store) else np.zeros(0, np.int64)
    until = np.asarray(items["available_until"])
    return np.where(until[item] > at, item, store[np.argmax(until[store])] if len(store) else 0)


def _draw_loot(rng: Rng, items: Columns, loot: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Draw a rarity by its published share, then one of its items."""
    rarity: Any = items["rarity"]
    there = {name: share for name, share in dist.DROP_SHARES.items() if rarity[loot].is_(name).any()}
    item = np.zeros(count, dtype=np.int64)
    drawn = pick(there, strata(rng, count)) if there else None
    for name in there:
        rows = drawn.is_(name) if drawn else np.zeros(0, bool)
        item[rows] = rng.choice(loot[rarity[loot].is_(name)], int(rows.sum()))
    return item


def _keep(plan: Plan, rows: int, rng: Rng, cast: list[int]) -> Plan:
    """Keep whole stories, the cast's first, as long as they fit into so many rows."""
    order = np.lexsort((rng.random(len(plan["at"])), ~np.isin(plan["user"], cast)))
    fits = np.cumsum(story_sizes(plan)[order]) <= rows
    return take(plan, np.sort(order[fits]))


def _plan(count: int, **given: Any) -> Plan:
    return table_of(count, _BLANK, given)
