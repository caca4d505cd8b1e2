"""The rules of inventory: users hold what the ledger says, and once each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.conversion import Columns, is_null
from pytest_gamedata.models.values import REVERSAL_TYPES
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate.rules import Mask, Tables, history_key, refuse, select

HELD = ("user_id", "item_id", "quantity")


def check_once(tables: Tables, spec: DatasetSpec) -> None:
    """Users hold every item in one row."""
    rows = tables["inventory"]
    _, first, inverse = np.unique(_keys(tables), return_index=True, return_inverse=True)
    refuse(check_once, "inventory", rows, first[inverse] != np.arange(len(inverse)), *HELD)


def check_holdings(tables: Tables, spec: DatasetSpec) -> None:
    """Users hold what their transactions left them; of what is used up, no more than that."""
    rows, left, key = tables["inventory"], _left_by_ledger(tables), _keys(tables)
    place = np.searchsorted(left["key"], key)
    known = np.append(left["key"], -1)[place] == key
    received, held = np.where(known, np.append(left["pieces"], 0)[place], 0), np.asarray(rows["quantity"])
    rule = "Users hold no more than their transactions left them"
    refuse(rule, "inventory", rows, held > received, *HELD)
    rule = "Users hold all that their transactions left them of what is not used up"
    fewer = _lasts(tables, rows["item_id"]) & (held < received)
    refuse(rule, "inventory", rows, fewer, *HELD)
    ledger = select(tables["transactions"], left["row"], "type", "item_id")
    gone = (left["pieces"] > 0) & _lasts(tables, ledger["item_id"]) & ~np.isin(left["key"], key)
    refuse(rule, "transactions", ledger, gone, "type", "item_id")


def _keys(tables: Tables) -> NDArray[np.int64]:
    rows = tables["inventory"]
    return np.asarray(history_key(np.asarray(rows["user_id"]), rows["item_id"]))


def _lasts(tables: Tables, item_id: NDArray[np.int64]) -> Mask:
    """Tell which items are not used up."""
    used_up = tables["items"]["item_type"].is_(*dist.UNUSED_SHARES)
    return ~np.append(used_up, False)[np.asarray(item_id) - 1]


def _left_by_ledger(tables: Tables) -> Columns:
    """Return the pieces that completed transactions left of each item to each user: key, pieces, a transaction."""
    rows = tables["transactions"]
    done = np.flatnonzero(_moves_items(tables))
    kind, item, pieces = rows["type"][done], rows["item_id"][done], rows["quantity"][done]
    given = kind.is_("gift")
    leaves = given | (kind.is_("trade") & (np.asarray(rows["soft_delta"])[done] > 0))
    own = history_key(rows["user_id"][done], item)
    others = history_key(rows["counterparty_user_id"][done], item)[given]
    key, first, place = np.unique(np.append(own, others), return_index=True, return_inverse=True)
    left = np.zeros(len(key), dtype=np.int64)
    np.add.at(left, place, np.append(np.where(leaves, -pieces, pieces), pieces[given]))
    return {"key": key, "pieces": left, "row": np.append(done, done[given])[first]}


def _moves_items(tables: Tables) -> Mask:
    """Tell which transactions bring items or take them: not those that fill a wallet, nor those that were undone."""
    rows = tables["transactions"]
    packs = np.append(tables["items"]["item_type"].is_("currency_pack"), True)
    item = np.where(is_null(rows["item_id"]), 0, rows["item_id"]) - 1  # -1, the last: no item
    return ~packs[item] & rows["status"].is_("completed") & ~rows["type"].is_(*REVERSAL_TYPES)
