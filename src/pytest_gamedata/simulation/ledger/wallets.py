"""Wallets: payments in the order of time, none beyond what a wallet holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.categorical import constant
from pytest_gamedata.columns.combine import choose
from pytest_gamedata.columns.conversion import NULL_MOMENT, Columns
from pytest_gamedata.models.values import REVERSAL_TYPES


def settle_wallets(rows: Columns) -> Columns:
    """Walk through the wallets in time; what they cannot pay fails, a refund takes back what is left."""
    status, soft, hard = rows["status"], np.array(rows["soft_delta"]), np.array(rows["hard_delta"])
    broke, cancelled = _find_overdrafts(rows, soft, hard)
    failed = choose(broke, constant("failed", len(broke)), status)
    undone = broke | cancelled
    code: Any = rows["failure_code"]
    return {
        **rows,
        "status": choose(cancelled, constant("cancelled", len(broke)), failed),
        "failure_code": choose(broke, constant("insufficient_funds", len(broke)), code),
        "completed_at": np.where(undone, NULL_MOMENT, rows["completed_at"]),
        "soft_delta": np.where(undone, 0, soft),
        "hard_delta": np.where(undone, 0, hard),
    }


def _find_overdrafts(rows: Columns, soft: Any, hard: Any) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which purchases and which trades the buyer could not pay; cap refunds in `hard` in place."""
    broke, cancelled = np.zeros(len(soft), dtype=np.bool_), np.zeros(len(soft), dtype=np.bool_)
    soft_of: dict[int, int] = {}
    hard_of: dict[int, int] = {}
    off: set[int] = set()  # trades whose buyer could not pay
    for row, who, line, is_trade, is_back, soft_delta, hard_delta in _moves(rows, soft, hard):
        after_soft, after_hard = soft_of.get(who, 0) + soft_delta, hard_of.get(who, 0) + hard_delta
        if is_back and after_hard < 0:
            hard[row], after_hard = hard_delta - after_hard, 0
        if is_trade and (after_soft < 0 or line in off):
            off.add(line)
            cancelled[row] = True
        elif after_soft < 0 or after_hard < 0:
            broke[row] = True
        else:
            soft_of[who], hard_of[who] = after_soft, after_hard
    return broke, cancelled


def _moves(rows: Columns, soft: Any, hard: Any) -> Iterator[tuple[int, int, int, bool, bool, int, int]]:
    """Yield what moves a wallet, in time: row, user, story, whether it is a trade or a reversal, both deltas."""
    type_: Any = rows["type"]
    moves = np.flatnonzero((soft != 0) | (hard != 0))
    moves = moves[np.lexsort((moves, rows["completed_at"][moves]))]
    columns = (rows["user_id"], rows["line"], type_.is_("trade"), type_.is_(*REVERSAL_TYPES), soft, hard)
    return zip(moves.tolist(), *(column[moves].tolist() for column in columns), strict=True)
