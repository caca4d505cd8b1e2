"""The words that names are made of: Faker's word lists by locale, and our own for the game."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.arrays import Words, texts

# Handles are built of syllables, never of real names.
HANDLE_STARTS = (
    "Ash", "Bram", "Cinder", "Dusk", "Ember", "Frost", "Grim", "Hazel", "Iron", "Jade", "Kor", "Luna", "Mist",
    "Night", "Onyx", "Pixel", "Quill", "Rune", "Storm", "Thorn", "Umbra", "Vex", "Wild", "Xeno", "Yarrow", "Zeph",
)  # fmt: skip
HANDLE_ENDS = (
    "bane", "blade", "claw", "dancer", "fang", "forge", "fox", "heart", "hunter", "jinx", "knight", "leaf",
    "mancer", "moth", "owl", "rider", "runner", "seeker", "shade", "smith", "spark", "strider", "ward", "wolf",
)  # fmt: skip
EPITHETS = (
    "the Bold", "the Quiet", "the Swift", "the Lucky", "the Grey", "the Stubborn", "the Curious", "the Late",
)  # fmt: skip

ITEM_PREFIXES = {
    "common": ("Worn", "Plain", "Rusty", "Simple", "Traveller's"),
    "uncommon": ("Sturdy", "Polished", "Hunter's", "Silver", "Keen"),
    "rare": ("Runed", "Moonlit", "Stormforged", "Emerald", "Warden's"),
    "epic": ("Dragonbone", "Voidtouched", "Astral", "Phoenix", "Tempest"),
    "legendary": ("Worldender", "Eternal", "Sunforged", "Starborn", "Kingmaker"),
}
ITEM_NOUNS = {
    "cosmetic": ("Cape", "Mask", "Banner", "Glider", "Mount Skin", "Emote", "Aura", "Crown"),
    "equipment": ("Sword", "Bow", "Staff", "Shield", "Helm", "Gauntlets", "Boots", "Ring"),
    "consumable": ("Potion", "Elixir", "Scroll", "Bomb", "Ration", "Bandage", "Charm", "Whetstone"),
    "character": ("Ranger", "Paladin", "Alchemist", "Rogue", "Druid", "Gunner", "Bard", "Warlock"),
    "loot_box": ("Cache", "Coffer", "Crate", "Reliquary"),
}
ITEM_TAGS = {
    "currency_pack": ("shop", "currency"),
    "bundle": ("shop", "bundle", "value"),
    "battle_pass": ("shop", "season"),
    "subscription": ("shop", "monthly"),
    "cosmetic": ("wearable", "style"),
    "equipment": ("gear", "combat"),
    "consumable": ("stackable", "combat"),
    "character": ("roster", "playable"),
    "loot_box": ("chance", "chest"),
}

USER_AGENTS = {
    "android": ("ExampleGame/3.4.1 (Android 14; Pixel 7)", "ExampleGame/3.4.0 (Android 13; SM-A536B)",
                "ExampleGame/3.2.9 (Android 12; Redmi Note 11)"),
    "ios": ("ExampleGame/3.4.1 (iOS 17.4; iPhone14,5)", "ExampleGame/3.4.0 (iOS 16.7; iPhone12,8)",
            "ExampleGame/3.4.1 (iPadOS 17.4; iPad13,18)"),
    "windows": ("ExampleLauncher/2.1.0 (Windows NT 10.0; Win64; x64)",
                "ExampleLauncher/2.0.7 (Windows NT 10.0; Win64; x64)"),
    "macos": ("ExampleLauncher/2.1.0 (Macintosh; macOS 14.4)",),
    "linux": ("ExampleLauncher/2.1.0 (X11; Linux x86_64)",),
    "playstation": ("ExampleGame/3.4.0 (PlayStation 5)", "ExampleGame/3.4.0 (PlayStation 4)"),
    "xbox": ("ExampleGame/3.4.0 (Xbox Series X)", "ExampleGame/3.4.0 (Xbox One)"),
    "switch": ("ExampleGame/3.3.8 (Nintendo Switch)",),
    "web": ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/124.0.0.0 Safari/537.36",
            "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0"),
}  # fmt: skip
TOOL_USER_AGENTS = ("python-requests/2.31.0", "Go-http-client/1.1", "okhttp/4.12.0", "curl/8.5.0")

# Locales whose names Faker keeps under another name.
FAKER_LOCALES = {"ar-EG": "ar_AA"}

_DIGITS = np.frombuffer(b"0123456789abcdefghijklmnopqrstuvwxyz", dtype=np.uint8)


def base36(numbers: NDArray[np.int64], width: int = 6) -> NDArray[np.bytes_]:
    """Write numbers in base 36 without leading zeros: short suffixes that make names unique."""
    powers = 36 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    digits = numbers[:, None] // powers % 36
    raw = _DIGITS[digits]
    text = raw.reshape(-1).view(f"S{width}") if len(numbers) else np.array([], f"S{width}")
    return np.asarray(np.strings.lstrip(text, b"0"))


@cache
def first_names(locale: str) -> tuple[str, ...]:
    """Return Faker's first names of a locale, each once; English ones where it has none."""
    module = f"faker.providers.person.{FAKER_LOCALES.get(locale, locale.replace('-', '_'))}"
    provider = import_module(module if find_spec(module) else "faker.providers.person.en_US").Provider
    return tuple(dict.fromkeys(provider.first_names))


def display_names(
    locale: Words, first: NDArray[np.float64], epithet: NDArray[np.float64]
) -> NDArray[np.bytes_]:
    """Give each player a first name of the locale and, to a third of them, an epithet; both by quantile."""
    lists = [first_names(name) for name in locale.words]
    names = []
    for code, q, e in zip(locale.codes.tolist(), first.tolist(), epithet.tolist(), strict=True):
        name = lists[code][int(q * len(lists[code]))]
        names.append(name if e * 3 >= 1 else f"{name} {EPITHETS[int(e * 3 * len(EPITHETS))]}")
    return texts(names)
