"""The rules of items: how to obtain them, and when they are on sale."""

from __future__ import annotations

import numpy as np

from pytest_gamedata.columns.conversion import is_null
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.validate.rules import Tables, refuse


def check_obtainable(tables: Tables, spec: DatasetSpec) -> None:
    """Every item can be bought or dropped."""
    items = tables["items"]
    hidden = np.ones(len(items["id"]), dtype=np.bool_)
    for way in ("price_usd_cents", "price_hard", "price_soft", "drop_rate"):
        hidden &= is_null(items[way])
    refuse(check_obtainable, "items", items, hidden, "sku")


def check_sale(tables: Tables, spec: DatasetSpec) -> None:
    """Every sale of an item ends after it starts."""
    items = tables["items"]
    never = items["available_until"] <= items["available_from"]
    shown = ("available_from", "available_until")
    refuse(check_sale, "items", items, never, *shown)
