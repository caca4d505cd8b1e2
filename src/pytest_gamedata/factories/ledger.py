"""The ledger: planned stories turned into rows, and settled against what the wallets hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.arrays import (
    NULL,
    NULL_MOMENT,
    Column,
    Columns,
    Words,
    append,
    choose,
    give_back_memory,
    is_null,
    nulls_like,
    same_word,
    sort,
)
from pytest_gamedata.factories.columns import changed_fields, drop_params
from pytest_gamedata.factories.deals import STATUSES, TRADE, TYPES, Plan
from pytest_gamedata.factories.transactions import PAID, REVERSALS, RefundFactory, SellerLegFactory
from pytest_gamedata.factories.views import Parent, Streams


def make_transactions(
    streams: Streams,
    users: Columns,
    items: Columns,
    plan: Plan,
    auth_events: Columns,
    transaction_factory: Any,
) -> Columns:
    """Draw all transactions of planned stories in the order of their ids, settled: no wallet is ever overdrawn.

    Uses the plan up.
    """
    platform = platforms_at(users, auth_events, plan["user"], plan["at"])
    rows = _draw_rows(streams, users, items, plan, platform, transaction_factory)
    give_back_memory(len(rows["line"]))
    rows = _add_answers(streams, users, items, plan, rows, transaction_factory)
    stories = len(plan["at"])
    plan.clear()
    rows = sort(rows, np.lexsort((rows["line"], rows["created_at"])))
    give_back_memory(len(rows["line"]))
    rows["id"] = np.arange(1, len(rows["line"]) + 1)
    id_of_line = np.zeros(stories + 1, dtype=np.int64)
    originals = ~rows["type"].is_(*REVERSALS)
    id_of_line[rows["line"][originals]] = rows["id"][originals]
    rows["refund_of"] = np.where(originals, NULL, id_of_line[rows["line"]])
    return settle(rows)


def platforms_at(users: Columns, auth_events: Columns, user: NDArray[np.int64], at: Any) -> Column:
    """Return on which platform each user (a position) last logged in by a moment; else the user's own."""
    own: Any = users["platform"][user]
    used: Any = auth_events["platform"]
    wanted = (
        auth_events["event_type"].is_("login_success") & is_null(auth_events["attack_id"]) & ~is_null(used)
    )
    logins = np.flatnonzero(wanted & ~is_null(auth_events["user_id"]))
    if not len(logins) or not isinstance(used, Words):
        return own
    key = (np.asarray(auth_events["user_id"])[logins] - 1 << 32) + logins  # events are in the order of time
    key.sort()
    so_far = np.searchsorted(auth_events["occurred_at"], at, side="right")
    last = np.maximum(np.searchsorted(key, (user << 32) + so_far) - 1, 0)
    known = key[last] >> 32 == user
    return choose(known, used[key[last] & 0xFFFFFFFF], own)


def _draw_rows(
    streams: Streams, users: Columns, items: Columns, plan: Plan, platform: Column, factory: Any
) -> Columns:
    """Draw one row per story; `line` counts the stories."""
    count = len(plan["at"])
    return factory.columns(
        count,
        streams,
        line=np.arange(count),
        user=Parent(users, plan["user"]),
        item=Parent(items, plan["item"]),
        user_id=np.asarray(users["id"])[plan["user"]],
        counterparty_user_id=_ids(users, plan["counterparty"]),
        item_id=_ids(items, plan["item"]),
        type=Words(plan["type"], TYPES),
        status=Words(plan["status"], STATUSES),
        quantity=plan["quantity"],
        bonus=plan["bonus"],
        spends_gems=users["payer"][plan["user"]],
        platform=platform,
        created_at=plan["at"],
        refunded_at=plan["refunded_at"],
    )


def _ids(parents: Columns, positions: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(positions >= 0, positions + 1, NULL)


def _add_answers(
    streams: Streams, users: Columns, items: Columns, plan: Plan, rows: Columns, factory: Any
) -> Columns:
    """Add the rows that answer others: the seller's leg of a trade, the refund of a purchase."""
    sold = np.flatnonzero(plan["type"] == TRADE)
    sellers = answering(SellerLegFactory, factory).columns(
        len(sold),
        streams,
        line=rows["line"][sold],
        bought=Parent(rows, sold),
        user=Parent(users, plan["counterparty"][sold]),
        item=Parent(items, plan["item"][sold]),
        user_id=rows["counterparty_user_id"][sold],
        counterparty_user_id=rows["user_id"][sold],
        item_id=rows["item_id"][sold],
    )
    back = np.flatnonzero(~is_null(rows["refunded_at"]))
    charged = rows["status"][back].is_("charged_back")
    refunds = answering(RefundFactory, factory).columns(
        len(back),
        streams,
        line=rows["line"][back],
        refunded=Parent(rows, back),
        user=Parent(users, plan["user"][back]),
        item=Parent(items, plan["item"][back]),
        user_id=rows["user_id"][back],
        item_id=rows["item_id"][back],
        type=choose(charged, same_word("chargeback", len(back)), same_word("refund", len(back))),
        refunded_at=nulls_like(rows["refunded_at"], len(back)),
    )
    kept = drop_params(factory, rows)
    rows.clear()
    return append(kept, sellers, refunds)


def answering(answer: Any, factory: Any) -> Any:
    """Return a factory of answers that keeps what a user's own factory changes."""
    fields = changed_fields(factory) - set(vars(answer))
    if not fields:
        return answer
    declared = {name: factory._meta.declarations[name] for name in fields}
    meta = type("Meta", (), {"model": factory._meta.model, "exclude": answer._meta.exclude})
    return type(answer)(
        answer.__name__, (answer,), {**declared, "Meta": meta, "__module__": factory.__module__}
    )


def settle(rows: Columns) -> Columns:
    """Walk through the wallets in time; what they cannot pay fails, a refund takes back what is left."""
    status, soft, hard = rows["status"], np.array(rows["soft_delta"]), np.array(rows["hard_delta"])
    broke, cancelled = _find_overdrafts(rows, soft, hard)
    failed = choose(broke, same_word("failed", len(broke)), status)
    undone = broke | cancelled
    code: Any = rows["failure_code"]
    return {
        **rows,
        "status": choose(cancelled, same_word("cancelled", len(broke)), failed),
        "failure_code": choose(broke, same_word("insufficient_funds", len(broke)), code),
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
    columns = (rows["user_id"], rows["line"], type_.is_("trade"), type_.is_(*REVERSALS), soft, hard)
    return zip(moves.tolist(), *(column[moves].tolist() for column in columns), strict=True)


def settle_users(users: Columns, transactions: Columns) -> Columns:
    """Fill in what the ledger says of each user: balances and lifetime spend."""
    position = np.asarray(transactions["user_id"]) - 1
    counts = transactions["type"].is_("iap_purchase", *REVERSALS) & transactions["status"].is_(*PAID)
    spent = np.where(counts, transactions["amount_usd_cents"], 0)
    count = len(users["id"])

    def total(values: Any) -> NDArray[np.int64]:
        sums = np.zeros(count, dtype=np.int64)
        np.add.at(sums, position, values)
        return sums

    return {
        **users,
        "soft_balance": total(transactions["soft_delta"]),
        "hard_balance": total(transactions["hard_delta"]),
        "lifetime_spend_usd_cents": total(spent),
    }


def touch_users(users: Columns, transactions: Columns) -> Columns:
    """Let no user be older than the last row that was settled; a ban or a deletion remains the last word."""
    last = np.array(users["updated_at"])
    np.fmax.at(last, np.asarray(transactions["user_id"]) - 1, transactions["completed_at"])
    over = users["status"].is_("banned", "suspended", "deleted")
    return {**users, "updated_at": np.where(over, users["updated_at"], last)}
