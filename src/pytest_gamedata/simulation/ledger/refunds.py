"""Refunds and chargebacks: which purchases are taken back, and when."""

from __future__ import annotations

import numpy as np

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.sampling import Rng
from pytest_gamedata.columns.values import to_moment
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.simulation.ledger.stories import (
    CHARGED_BACK,
    COMPLETED,
    NONE,
    REFUNDED,
    Plan,
    rows_of_role,
)
from pytest_gamedata.simulation.sessions import PAYMENT_MARGIN


def mark_reversals(spec: DatasetSpec, rng: Rng, bought: Plan, cast: dict[str, int]) -> None:
    """Let some purchases be taken back before the window ends."""
    count = len(bought["user"])
    left = (to_moment(spec.until) - bought["at"] - PAYMENT_MARGIN).astype(np.int64)
    kept = rows_of_role(bought, cast, "one_time_buyer", "whale", "refunded", "charged_back")
    for role, status, share, days in (
        ("refunded", REFUNDED, dist.REFUND_SHARE, dist.REFUND_DELAY_DAYS),
        ("charged_back", CHARGED_BACK, dist.CHARGEBACK_SHARE, dist.CHARGEBACK_DELAY_DAYS),
    ):
        delay = ((rng.exponential(days * 86_400, count) + 60) * 1e6).astype(np.int64)
        sure = np.flatnonzero(bought["user"] == cast.get(role, NONE))[:1]
        longest = dist.SURE_DELAY_MEANS * days * 86_400_000_000
        delay[sure] = np.minimum(left[sure] * dist.SURE_DELAY_SHARE, longest)
        open_ = (bought["status"] == COMPLETED) & ~kept & (delay < left)
        others = np.setdiff1d(np.flatnonzero(open_), sure)
        chosen = np.append(sure, rng.permutation(others)[: max(0, round(count * share) - len(sure))])
        moment = bought["at"] + PAYMENT_MARGIN + delay.astype("timedelta64[us]")
        bought["status"][chosen], bought["refunded_at"][chosen] = status, moment[chosen]
