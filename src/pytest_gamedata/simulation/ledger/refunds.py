"""Refunds and chargebacks: which purchases are taken back, and when."""

from __future__ import annotations

import numpy as np

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.categorical import constant
from pytest_gamedata.columns.conversion import to_moment
from pytest_gamedata.columns.sampling import Rng
from pytest_gamedata.factories.transactions import MEAN_REVERSAL_DAYS, draw_reversal_delays
from pytest_gamedata.models.values import TRANSACTION_STATUS_VALUES
from pytest_gamedata.simulation.ledger.stories import COMPLETED, NONE, Stories
from pytest_gamedata.simulation.sessions import PAYMENT_MARGIN
from pytest_gamedata.simulation.world import World

DAY_MICROSECONDS = 86_400_000_000
SHARES = {"refunded": dist.REFUND_SHARE, "charged_back": dist.CHARGEBACK_SHARE}


def mark_reversals(rng: Rng, world: World, bought: Stories) -> None:
    """Let some purchases be taken back before the window ends."""
    count = len(bought["user"])
    left = (to_moment(world.spec.until) - bought["at"] - PAYMENT_MARGIN).astype(np.int64)
    kept = np.isin(bought["user"], world.members("one_time_buyer", "whale", "refunded", "charged_back"))
    for status, share in SHARES.items():
        delay = draw_reversal_delays(rng, constant(status, count)).astype(np.int64)
        # the first purchase of the role of this name is taken back for certain
        sure = np.flatnonzero(bought["user"] == world.cast.get(status, NONE))[:1]
        longest = dist.SURE_DELAY_MEANS * MEAN_REVERSAL_DAYS[status] * DAY_MICROSECONDS
        delay[sure] = np.minimum(left[sure] * dist.SURE_DELAY_SHARE, longest)
        open_ = (bought["status"] == COMPLETED) & ~kept & (delay < left)
        others = np.setdiff1d(np.flatnonzero(open_), sure)
        chosen = np.append(sure, rng.permutation(others)[: max(0, round(count * share) - len(sure))])
        moment = bought["at"] + PAYMENT_MARGIN + delay.astype("timedelta64[us]")
        bought["status"][chosen] = TRANSACTION_STATUS_VALUES.index(status)
        bought["refunded_at"][chosen] = moment[chosen]
