"""Tags and attributes of items: by type, and higher the rarer the item is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.conversion import NULL, Column, to_python
from pytest_gamedata.columns.local_time import seconds
from pytest_gamedata.columns.sampling import Floats, Rng, largest_remainder, strata
from pytest_gamedata.words.items import (
    NOUNS,
    SEASONS,
    TAGS,
    THEME_OF_SUFFIX,
    THEMES,
    item_words,
)


def strength(row: Any) -> Floats:
    """Return each item's strength, 1 for an average uncommon one: its rarity's factor, within WORTH_SPREAD."""
    factors = row.rarity.to(dist.RARITY_PRICE_FACTOR, np.float64)
    return factors * (1 + dist.WORTH_SPREAD * (2 * row.worth - 1))


def draw_tags(row: Any, rng: Rng, n: int) -> Column:
    """Tag items by type and rarity, and what is not sold for real money by theme, season, age and scarcity."""
    store = ~(row.price_usd_cents > 0)
    seasonal = store & row.item_type.is_("cosmetic", "loot_box") & (strata(rng, n) < dist.SEASONAL_SHARE)
    themes = np.array(THEMES)[rng.integers(0, len(THEMES), n)].tolist()
    seasons = np.where(seasonal, np.array(SEASONS)[rng.integers(0, len(SEASONS), n)], "").tolist()
    new = store & (row.available_from > row.since - seconds(dist.NEW_DAYS * 86_400))
    limited = row.limited_edition_count != NULL
    marks = zip(seasons, np.where(new, "new", ""), np.where(limited, "limited", ""), strict=True)
    tags = np.empty(n, dtype=object)
    for position, ((kind, rarity, words), marked) in enumerate(
        zip(_kinds_and_words(row), marks, strict=True)
    ):
        theme = THEME_OF_SUFFIX.get(words[2], themes[position]) if store[position] else ""
        found = (*TAGS.get(kind, ()), rarity, theme, *map(str, marked))
        tags[position] = [tag for tag in found if tag]
    return tags


def draw_attributes(row: Any, rng: Rng, n: int) -> Column:
    """Describe each item by its type: such as the slot where it is worn, its power, its contents."""
    attributes = np.empty(n, dtype=object)
    numbers = zip(strength(row).tolist(), rng.random(n).tolist(), row.grants_hard.tolist(), strict=True)
    for position, ((kind, rarity, words), values) in enumerate(
        zip(_kinds_and_words(row), numbers, strict=True)
    ):
        meaning = NOUNS.get(kind, {}).get(words[1], "")
        describe = _DESCRIPTIONS.get(kind)
        attributes[position] = describe(_Item(rarity, meaning, *values)) if describe else {}
    return attributes


def _kinds_and_words(row: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    kinds = zip(to_python(row.item_type), to_python(row.rarity), row.wording.tolist(), strict=True)
    return [(kind, rarity, item_words(kind, rarity, wording)) for kind, rarity, wording in kinds]


@dataclass(frozen=True)
class _Item:
    """An item, as its attributes depend on it."""

    rarity: str
    meaning: str  # of its noun: slot, effect or role
    strength: float  # 1 for an uncommon item
    chance: float  # a uniform random number
    gems: int

    @property
    def power(self) -> int:
        return round(dist.BASE_POWER * self.strength)

    @property
    def required_level(self) -> int:
        return dist.REQUIRED_LEVELS[self.rarity] + int(self.chance * dist.REQUIRED_LEVEL_SPREAD)


def _describe_equipment(item: _Item) -> dict[str, Any]:
    durability = 10 * round(10 * item.strength * (1 + item.chance))
    return {
        "slot": item.meaning,
        "power": item.power,
        "required_level": item.required_level,
        "durability": durability,
    }


def _describe_cosmetic(item: _Item) -> dict[str, Any]:
    rank = list(dist.RARITIES).index(item.rarity)
    return {"slot": item.meaning, "dye_channels": rank + int(item.chance * 2), "animated": rank >= 3}


def _describe_consumable(item: _Item) -> dict[str, Any]:
    return {
        "effect": item.meaning,
        "power": item.power,
        "cooldown_seconds": 5 * (1 + int(item.chance * 12)),
        "stack_size": dist.STACK_SIZES[item.rarity],
    }


def _describe_character(item: _Item) -> dict[str, Any]:
    return {
        "role": item.meaning,
        "health": round(dist.BASE_HEALTH * item.strength),
        "power": item.power,
        "speed": 90 + int(item.chance * 21),
        "required_level": item.required_level,
    }


def _odds(rarity: str) -> dict[str, float]:
    """Return a box's chances by tier, which sum to 1: the published shares from one tier below its own on."""
    lowest = max(list(dist.DROP_SHARES).index(rarity) - 1, 0)
    shares = dict(list(dist.DROP_SHARES.items())[lowest:])
    return {name: count / 10_000 for name, count in largest_remainder(shares, 10_000).items()}


def _describe_battle_pass(item: _Item) -> dict[str, Any]:
    season = 1 + int(item.chance * dist.SEASON_MAX)
    return {
        "season": season,
        "tiers": dist.PASS_TIERS,
        "duration_days": dist.SEASON_DAYS,
        "gems": item.gems,
    }


def _describe_subscription(item: _Item) -> dict[str, Any]:
    return {"duration_days": dist.MEMBERSHIP_DAYS, "renews": True, "gems": item.gems}


_DESCRIPTIONS: dict[str, Callable[[_Item], dict[str, Any]]] = {
    "equipment": _describe_equipment,
    "cosmetic": _describe_cosmetic,
    "consumable": _describe_consumable,
    "character": _describe_character,
    "loot_box": lambda item: {"rolls": dist.LOOT_BOX_ROLLS[item.rarity], "odds": _odds(item.rarity)},
    "battle_pass": _describe_battle_pass,
    "subscription": _describe_subscription,
    "currency_pack": lambda item: {"gems": item.gems},
    "bundle": lambda item: {"gems": item.gems, "pieces": 2 + item.gems // 500},
}
