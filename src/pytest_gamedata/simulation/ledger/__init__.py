"""The ledger: stories of money and goods, and the transactions that they turn into."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.combine import stack, take
from pytest_gamedata.columns.conversion import Columns, give_back_memory
from pytest_gamedata.columns.sampling import Rng
from pytest_gamedata.simulation.ledger.purchases import plan_purchases
from pytest_gamedata.simulation.ledger.store import plan_everyday, plan_welcomes
from pytest_gamedata.simulation.ledger.stories import Stories, row_counts
from pytest_gamedata.simulation.ledger.trades import plan_gifts, plan_grants, plan_trades
from pytest_gamedata.simulation.ledger.transactions import draw_transactions
from pytest_gamedata.simulation.ledger.wallets import settle_wallets
from pytest_gamedata.simulation.world import World


def make_transactions(world: World, auth_events: Columns, transaction_factory: Any) -> Columns:
    """Draw all transactions in the order of their ids, settled: no wallet is ever overdrawn."""
    # the trims of both folders: with 300,000 users build_dataset has its peak at 1,465 MB, without them at 1,590
    rows = draw_transactions(world, plan_stories(world), auth_events, transaction_factory)
    give_back_memory(len(auth_events["id"]))
    return settle_wallets(rows)


def plan_stories(world: World) -> Stories:
    """Plan every story, in the order of time; with spec.transactions, exactly as many as give that number of rows."""
    wanted, rng = world.spec.transactions, world.streams.of("stories", "keep")
    stories = stack([plan_purchases(world), plan_trades(world), plan_gifts(world), plan_welcomes(world)])
    if wanted is None:
        everyday = round(len(world.sessions.user) * sum(dist.EVERYDAY_PER_SESSION.values()))
    else:
        stories = _keep(stories, wanted, rng, list(world.cast.values()))
        everyday = wanted - int(row_counts(stories).sum())
    stories = stack([plan_grants(world, stories), stories, plan_everyday(world, everyday)])
    return take(stories, np.argsort(stories["at"], kind="stable"))


def _keep(stories: Stories, rows: int, rng: Rng, cast: list[int]) -> Stories:
    """Keep whole stories, the cast's first, as long as they fit into so many rows."""
    order = np.lexsort((rng.random(len(stories["at"])), ~np.isin(stories["user"], cast)))
    fits = np.cumsum(row_counts(stories)[order]) <= rows
    return take(stories, np.sort(order[fits]))
