"""Stories: what happens in the ledger, before any amount is drawn.

A table of stories has the columns `user`, `item`, `counterparty` (positions, -1 for none), `type` and `status`
(codes: positions among the values of the models), `at` (moment), `quantity`, `bonus` and `refunded_at`. A story
takes one row of the ledger, or more: a purchase with its refund, a trade with its other leg, what is given away
with its grant.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.combine import table_of
from pytest_gamedata.columns.conversion import NULL_MOMENT, Columns
from pytest_gamedata.columns.sampling import Rng
from pytest_gamedata.models.values import TRANSACTION_STATUS_VALUES, TRANSACTION_TYPE_VALUES

Stories = dict[str, Any]
IAP, STORE, TRADE, GIFT, LOOT, REWARD = map(
    TRANSACTION_TYPE_VALUES.index, ("iap_purchase", "store_purchase", "trade", "gift", "loot_drop", "reward")
)
PENDING, COMPLETED, FAILED, CANCELLED, REFUNDED, CHARGED_BACK = range(len(TRANSACTION_STATUS_VALUES))
NONE = -1
_BLANK_STORY = {
    "user": 0, "item": NONE, "counterparty": NONE, "type": np.int8(REWARD), "status": np.int8(COMPLETED),
    "quantity": 1, "bonus": 0, "at": NULL_MOMENT, "refunded_at": NULL_MOMENT,
}  # fmt: skip


def make_stories(count: int, **given: Any) -> Stories:
    """Make a table of so many stories: rewards, unless something else is given."""
    return table_of(count, _BLANK_STORY, given)


def row_counts(stories: Stories) -> NDArray[np.int64]:
    """Return how many rows of the ledger each story takes: itself, what answers it, and the grant before it."""
    is_trade, is_gift = stories["type"] == TRADE, stories["type"] == GIFT
    return 1 + 2 * is_trade.astype(np.int64) + is_gift + ~np.isnat(stories["refunded_at"])


def draw_available(rng: Rng, items: Columns, among: NDArray[np.int64], at: Any) -> NDArray[np.int64]:
    """Draw one of these items for each moment, none that was retired by then while there is another."""
    until = np.asarray(items["available_until"])[among]
    order = np.argsort(until, kind="stable")
    first = np.minimum(np.searchsorted(until[order], at, side="right"), len(among) - 1)
    return among[order[first + (rng.random(len(at)) * (len(among) - first)).astype(np.int64)]]
