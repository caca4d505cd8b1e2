"""The rows of the ledger: stories turned into transactions, with the rows that answer them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.categorical import Categorical, constant
from pytest_gamedata.columns.combine import choose, stack, take
from pytest_gamedata.columns.parents import Parent
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.columns.values import NULL, Column, Columns, give_back_memory, is_null, nulls_like
from pytest_gamedata.factories.adapter import declarations_of, excluded_by, model_of
from pytest_gamedata.factories.fields import changed_fields, drop_params
from pytest_gamedata.factories.transactions import RefundFactory, SellerLegFactory
from pytest_gamedata.models.values import REVERSAL_TYPES
from pytest_gamedata.simulation.ledger.stories import STATUSES, TRADE, TYPES, Plan
from pytest_gamedata.simulation.ledger.wallets import settle


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
    rows = take(rows, np.lexsort((rows["line"], rows["created_at"])))
    give_back_memory(len(rows["line"]))
    rows["id"] = np.arange(1, len(rows["line"]) + 1)
    id_of_line = np.zeros(stories + 1, dtype=np.int64)
    originals = ~rows["type"].is_(*REVERSAL_TYPES)
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
    if not len(logins) or not isinstance(used, Categorical):
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
        type=Categorical(plan["type"], TYPES),
        status=Categorical(plan["status"], STATUSES),
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
        type=choose(charged, constant("chargeback", len(back)), constant("refund", len(back))),
        refunded_at=nulls_like(rows["refunded_at"], len(back)),
    )
    return stack([drop_params(factory, rows), sellers, refunds])


def answering(answer: Any, factory: Any) -> Any:
    """Return a factory of answers that keeps what a user's own factory changes."""
    fields = changed_fields(factory) - set(vars(answer))
    if not fields:
        return answer
    declared = {name: declarations_of(factory)[name] for name in fields}
    meta = type("Meta", (), {"model": model_of(factory), "exclude": excluded_by(answer)})
    return type(answer)(
        answer.__name__, (answer,), {**declared, "Meta": meta, "__module__": factory.__module__}
    )
