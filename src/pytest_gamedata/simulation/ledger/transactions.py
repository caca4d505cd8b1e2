"""Transactions: stories turned into rows of the ledger, with the rows that answer them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.categorical import Categorical, constant
from pytest_gamedata.columns.combine import choose, stack
from pytest_gamedata.columns.conversion import NULL, Column, Columns, give_back_memory, is_null, nulls_like
from pytest_gamedata.columns.parents import Parent
from pytest_gamedata.factories.fields import drop_params
from pytest_gamedata.factories.transactions import RefundFactory, SellerLegFactory, answering
from pytest_gamedata.models.values import REVERSAL_TYPES, TRANSACTION_STATUS_VALUES, TRANSACTION_TYPE_VALUES
from pytest_gamedata.simulation.ledger.stories import TRADE, Stories
from pytest_gamedata.simulation.world import World


def draw_transactions(world: World, stories: Stories, auth_events: Columns, factory: Any) -> Columns:
    """Draw the rows of all stories, in the order of time, before the wallets are settled; uses the stories up."""
    platform = platforms_at(world.users, auth_events, stories["user"], stories["at"])
    give_back_memory(len(auth_events["id"]))  # what planning and the search for platforms have left behind
    rows = _add_answers(world, stories, _draw_stories(world, stories, platform, factory), factory)
    count = len(stories["at"])
    stories.clear()
    order = np.lexsort((rows["line"], rows["created_at"]))
    rows = {name: rows.pop(name)[order] for name in list(rows)}  # column by column: memory holds each once
    rows["id"] = np.arange(1, len(rows["line"]) + 1)
    id_of_line = np.zeros(count + 1, dtype=np.int64)
    originals = ~rows["type"].is_(*REVERSAL_TYPES)
    id_of_line[rows["line"][originals]] = rows["id"][originals]
    return {**rows, "refund_of": np.where(originals, NULL, id_of_line[rows["line"]])}


def platforms_at(users: Columns, auth_events: Columns, user: NDArray[np.int64], at: Any) -> Column:
    """Return on which platform each user (a position) last logged in by a moment; else the user's own."""
    own: Any = users["platform"][user]
    used: Any = auth_events["platform"]
    own_logins = auth_events["event_type"].is_("login_success") & is_null(auth_events["attack_id"])
    logins = np.flatnonzero(own_logins & ~is_null(used) & ~is_null(auth_events["user_id"]))
    if not len(logins) or not isinstance(used, Categorical):
        return own
    key = (np.asarray(auth_events["user_id"])[logins] - 1 << 32) + logins  # events are in the order of time
    key.sort()
    so_far = np.searchsorted(auth_events["occurred_at"], at, side="right")
    last = np.maximum(np.searchsorted(key, (user << 32) + so_far) - 1, 0)
    known = key[last] >> 32 == user
    return choose(known, used[key[last] & 0xFFFFFFFF], own)


def _draw_stories(world: World, stories: Stories, platform: Column, factory: Any) -> Columns:
    """Draw one row per story; `line` counts the stories."""
    count, users = len(stories["at"]), world.users
    return factory.columns(
        count,
        world.streams,
        line=np.arange(count),
        user=Parent(users, stories["user"]),
        item=Parent(world.items, stories["item"]),
        user_id=_ids(stories["user"]),
        counterparty_user_id=_ids(stories["counterparty"]),
        item_id=_ids(stories["item"]),
        type=Categorical(stories["type"], TRANSACTION_TYPE_VALUES),
        status=Categorical(stories["status"], TRANSACTION_STATUS_VALUES),
        quantity=stories["quantity"],
        bonus=stories["bonus"],
        spends_gems=users["payer"][stories["user"]],
        platform=platform,
        created_at=stories["at"],
        refunded_at=stories["refunded_at"],
    )


def _ids(positions: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(positions >= 0, positions + 1, NULL)


def _add_answers(world: World, stories: Stories, rows: Columns, factory: Any) -> Columns:
    """Add the rows that answer others: the seller's leg of a trade, the refund of a purchase."""
    sellers = _draw_sellers(world, stories, rows, factory)
    refunds = _draw_refunds(world, stories, rows, factory)
    rows = drop_params(factory, rows)  # the memory of the others is free for the stacked columns
    return stack([rows, sellers, refunds])


def _draw_sellers(world: World, stories: Stories, rows: Columns, factory: Any) -> Columns:
    sold = np.flatnonzero(stories["type"] == TRADE)
    return answering(SellerLegFactory, factory).columns(
        len(sold),
        world.streams,
        line=rows["line"][sold],
        bought=Parent(rows, sold),
        user=Parent(world.users, stories["counterparty"][sold]),
        item=Parent(world.items, stories["item"][sold]),
        user_id=rows["counterparty_user_id"][sold],
        counterparty_user_id=rows["user_id"][sold],
        item_id=rows["item_id"][sold],
    )


def _draw_refunds(world: World, stories: Stories, rows: Columns, factory: Any) -> Columns:
    back = np.flatnonzero(~is_null(rows["refunded_at"]))
    charged = rows["status"][back].is_("charged_back")
    return answering(RefundFactory, factory).columns(
        len(back),
        world.streams,
        line=rows["line"][back],
        refunded=Parent(rows, back),
        user=Parent(world.users, stories["user"][back]),
        item=Parent(world.items, stories["item"][back]),
        user_id=rows["user_id"][back],
        item_id=rows["item_id"][back],
        type=choose(charged, constant("chargeback", len(back)), constant("refund", len(back))),
        refunded_at=nulls_like(rows["refunded_at"], len(back)),
    )
