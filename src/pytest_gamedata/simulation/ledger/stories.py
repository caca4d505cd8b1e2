"""Deals: what a story of the ledger is before any amount is drawn, and the ways to draw one.

A plan is a dict of columns: `user`, `item`, `counterparty` (positions, -1 for none), `type` and `status`
(codes of TYPES and STATUSES), `at` (moment), `quantity`, `bonus`, `refunded_at`. A story takes one row of
the ledger, or more: a purchase with its refund, a trade with its other leg, what is given away with its grant.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.combine import table_of
from pytest_gamedata.columns.sampling import Rng
from pytest_gamedata.columns.values import NULL_MOMENT, Columns
from pytest_gamedata.simulation.cast import members

Plan = dict[str, Any]
TYPES = ("iap_purchase", "store_purchase", "trade", "gift", "loot_drop", "reward")
STATUSES = ("completed", "failed", "pending", "cancelled", "refunded", "charged_back")
IAP, STORE, TRADE, GIFT, LOOT, REWARD = range(6)
COMPLETED, FAILED, PENDING, CANCELLED, REFUNDED, CHARGED_BACK = range(6)
NONE = -1
_BLANK = {
    "user": 0, "item": NONE, "counterparty": NONE, "type": np.int8(REWARD), "status": np.int8(COMPLETED),
    "quantity": 1, "bonus": 0, "at": NULL_MOMENT, "refunded_at": NULL_MOMENT,
}  # fmt: skip


def make_plan(count: int, **given: Any) -> Plan:
    """Make a plan of so many stories: rewards, unless something else is given."""
    return table_of(count, _BLANK, given)


def row_counts(plan: Plan) -> NDArray[np.int64]:
    """Return how many rows of the ledger each story takes by itself."""
    return 1 + ((plan["type"] == TRADE) | ~np.isnat(plan["refunded_at"])).astype(np.int64)


def story_sizes(plan: Plan) -> NDArray[np.int64]:
    """Return how many rows each story takes at most: what is given away may have to be granted first."""
    return row_counts(plan) + np.isin(plan["type"], (TRADE, GIFT))


def draw_available(rng: Rng, items: Columns, among: NDArray[np.int64], at: Any) -> NDArray[np.int64]:
    """Draw one of these items for each moment, none that was retired by then while there is another."""
    until = np.asarray(items["available_until"])[among]
    order = np.argsort(until, kind="stable")
    first = np.minimum(np.searchsorted(until[order], at, side="right"), len(among) - 1)
    return among[order[first + (rng.random(len(at)) * (len(among) - first)).astype(np.int64)]]


def rows_of_role(plan: Plan, cast: dict[str, int], *roles: str) -> NDArray[np.bool_]:
    """Tell which stories belong to one of these roles of the cast."""
    return np.isin(plan["user"], members(cast, *roles))
