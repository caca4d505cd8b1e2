"""The ledger: every story of money and goods together, in the order of time."""

from __future__ import annotations

import numpy as np

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.combine import stack, take
from pytest_gamedata.columns.sampling import Rng
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.columns.values import Columns
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.simulation.ledger.purchases import plan_purchases
from pytest_gamedata.simulation.ledger.store import plan_everyday, plan_rewards, plan_welcomes
from pytest_gamedata.simulation.ledger.stories import Plan, row_counts, story_sizes
from pytest_gamedata.simulation.ledger.trades import hand_over, plan_gifts, plan_trades
from pytest_gamedata.simulation.sessions import Sessions


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
        everyday = round(len(sessions.user) * sum(dist.EVERYDAY_PER_SESSION.values()))
    else:
        plan = _keep(plan, spec.transactions, streams.of("stories", "keep"), list(cast.values()))
        everyday = spec.transactions - int(story_sizes(plan).sum())
    plan = stack([plan, plan_everyday(streams, items, sessions, everyday)])
    plan = stack([hand_over(streams, items, sessions, plan), plan])
    if spec.transactions is not None:  # what needed no grant leaves room
        left = spec.transactions - int(row_counts(plan).sum())
        plan = stack([plan, plan_rewards(streams.of("stories", "left"), sessions, left)])
    return take(plan, np.argsort(plan["at"], kind="stable"))


def _keep(plan: Plan, rows: int, rng: Rng, cast: list[int]) -> Plan:
    """Keep whole stories, the cast's first, as long as they fit into so many rows."""
    order = np.lexsort((rng.random(len(plan["at"])), ~np.isin(plan["user"], cast)))
    fits = np.cumsum(story_sizes(plan)[order]) <= rows
    return take(plan, np.sort(order[fits]))
