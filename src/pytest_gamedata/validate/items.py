"""The rules of items."""

from __future__ import annotations

import numpy as np

from pytest_gamedata.columns.values import is_null
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate.rules import Check, Tables, refuse


def check_obtainable(tables: Tables, spec: DatasetSpec) -> None:
    """Every item can be bought or dropped."""
    items = tables["items"]
    hidden = np.ones(len(items["id"]), dtype=np.bool_)
    for way in ("price_usd_cents", "price_hard", "price_soft", "drop_rate"):
        hidden &= is_null(items[way])
    refuse("an item can be bought or dropped", "items", items, hidden, "sku")


def check_sale(tables: Tables, spec: DatasetSpec) -> None:
    """The sale of an item ends after it began."""
    items = tables["items"]
    never = items["available_until"] <= items["available_from"]
    shown = ("available_from", "available_until")
    refuse("a sale ends after it began", "items", items, never, *shown)


CHECKS: tuple[Check, ...] = (check_obtainable, check_sale)
