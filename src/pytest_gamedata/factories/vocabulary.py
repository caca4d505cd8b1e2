"""The words that names are made of: Faker's word lists by locale, and our own for the game."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.arrays import Words, texts

EPITHETS = (
    "the Bold", "the Curious", "the Early", "the Grey", "the Hungry", "the Kind", "the Late", "the Loud", "the Lucky",
    "the Patient", "the Quiet", "the Restless", "the Stubborn", "the Swift", "the Wise", "of the North",
)  # fmt: skip

# By item type and rarity: what comes before the noun. All are disjoint within a type, so no names meet.
ITEM_PREFIXES: dict[str, dict[str, tuple[str, ...]]] = {
    "equipment": {
        "common": ("Worn", "Plain", "Rusty", "Chipped", "Dented", "Crude", "Patched", "Weathered", "Recruit's"),
        "uncommon": ("Sturdy", "Polished", "Tempered", "Keen", "Balanced", "Hunter's", "Scout's", "Reinforced"),
        "rare": ("Runed", "Moonlit", "Silvered", "Warden's", "Gilded", "Enchanted", "Sapphire", "Duelist's"),
        "epic": ("Astral", "Tempestuous", "Spellbound", "Voidglass", "Spectral", "Warlord's", "Obsidian", "Radiant"),
        "legendary": ("Eternal", "Sunwrought", "Starwrought", "Undying", "Worldrending", "Celestial", "Unbroken"),
    },
    "cosmetic": {
        "common": ("Plain", "Faded", "Striped", "Checkered", "Dusty", "Everyday", "Patchwork", "Muted", "Wayfarer's"),
        "uncommon": ("Painted", "Festive", "Feathered", "Tasselled", "Sailor's", "Minstrel's", "Bright", "Ribboned"),
        "rare": ("Moonlit", "Gilded", "Jewelled", "Opaline", "Courtier's", "Ornate", "Sapphire", "Silken"),
        "epic": ("Prismatic", "Spectral", "Crystalline", "Enchanter's", "Nebulous", "Regal", "Shimmering", "Astral"),
        "legendary": ("Celestial", "Eternal", "Sunwoven", "Starwoven", "Sovereign's", "Ethereal", "Everlasting"),
    },
    "consumable": {
        "common": ("Weak", "Minor", "Small", "Basic", "Cheap", "Makeshift", "Homemade", "Meagre"),
        "uncommon": ("Fine", "Decent", "Reliable", "Improved", "Solid", "Traveller's", "Ranger's", "Honest"),
        "rare": ("Greater", "Potent", "Refined", "Strong", "Blessed", "Masterful", "Scholar's", "Gleaming"),
        "epic": ("Superior", "Grand", "Alchemist's", "Supreme", "Exalted", "Royal", "Arcane", "Volatile"),
        "legendary": ("Perfect", "Divine", "Miraculous", "Fabled", "Peerless", "Ancient", "Wondrous", "Boundless"),
    },
    "character": {
        "common": ("Novice", "Wandering", "Village", "Young", "Hopeful", "Humble", "Rookie", "Barefoot"),
        "uncommon": ("Seasoned", "Watchful", "Hired", "Roving", "Steadfast", "Cunning", "Daring", "Frontier"),
        "rare": ("Veteran", "Silver", "Moonlit", "Fearless", "Hooded", "Oathbound", "Stalwart", "Knighted"),
        "epic": ("Master", "Spectral", "Dread", "Exiled", "Crimson", "Runebound", "Exalted", "Battle-Scarred"),
        "legendary": ("Ageless", "Immortal", "Ascended", "Fabled", "Undefeated", "Crowned", "Nameless"),
    },
    "loot_box": {
        "common": ("Wooden", "Battered", "Plain", "Small", "Rough", "Mossy"),
        "uncommon": ("Iron", "Sturdy", "Banded", "Bronze", "Sealed", "Painted"),
        "rare": ("Silver", "Runed", "Lacquered", "Moonlit", "Locked", "Carved"),
        "epic": ("Golden", "Jewelled", "Astral", "Enchanted", "Royal", "Obsidian"),
        "legendary": ("Celestial", "Eternal", "Sovereign's", "Sunlit", "Fabled", "Boundless"),
    },
}  # fmt: skip
OTHER_PREFIXES = {  # of what the store sells for real money, where it has no name of its own
    "common": ("Starter", "Handy"), "uncommon": ("Adventurer's", "Seasonal"), "rare": ("Deluxe", "Veteran's"),
    "epic": ("Grand", "Champion's"), "legendary": ("Ultimate", "Hero's"),
}  # fmt: skip
# By item type: the nouns, each with what it says of the item: slot, effect or role.
ITEM_NOUNS: dict[str, dict[str, str]] = {
    "equipment": {
        "Sword": "main_hand", "Axe": "main_hand", "Mace": "main_hand", "Dagger": "main_hand", "Spear": "two_hands",
        "Bow": "two_hands", "Staff": "two_hands", "Shield": "off_hand", "Tome": "off_hand", "Helm": "head",
        "Breastplate": "chest", "Gauntlets": "hands", "Greaves": "legs", "Boots": "feet", "Ring": "finger",
        "Amulet": "neck",
    },
    "cosmetic": {
        "Cape": "back", "Cloak": "back", "Mantle": "back", "Hood": "head", "Hat": "head", "Circlet": "head",
        "Mask": "face", "Scarf": "neck", "Tunic": "body", "Robe": "body", "Sash": "waist", "Banner": "banner",
        "Parasol": "hand", "Lantern": "hand", "Glider": "glider", "Saddle": "mount",
    },
    "consumable": {
        "Potion": "heal", "Salve": "heal", "Bandage": "heal", "Elixir": "restore_mana", "Tonic": "haste",
        "Ration": "restore_stamina", "Antidote": "cure_poison", "Draught": "resist", "Bomb": "area_damage",
        "Whetstone": "sharpen", "Scroll": "teleport", "Incense": "luck",
    },
    "character": {
        "Ranger": "damage", "Duelist": "damage", "Gunner": "damage", "Rogue": "damage", "Warlock": "damage",
        "Paladin": "tank", "Sentinel": "tank", "Brawler": "tank", "Alchemist": "support", "Druid": "support",
        "Bard": "support", "Cleric": "support",
    },
    "loot_box": dict.fromkeys(("Chest", "Coffer", "Crate", "Strongbox", "Cache", "Trunk"), ""),
    "currency_pack": {"Gems": ""}, "bundle": {"Bundle": ""}, "battle_pass": {"Pass": ""},
    "subscription": {"Membership": ""},
}  # fmt: skip
# By theme: what epic and legendary gear, clothes, heroes and chests are named after.
ITEM_SUFFIXES = {
    "fire": ("of Embers", "of the Forge"), "frost": ("of Hoarfrost", "of the Long Winter"),
    "storm": ("of Thunder", "of the Gale"), "sea": ("of the Tides", "of the Deep"),
    "forest": ("of Thorns", "of the Old Wood"), "light": ("of Dawn", "of the High Sun"),
    "shadow": ("of Dusk", "of the Starless Night"), "sky": ("of the Winds", "of Falling Stars"),
}  # fmt: skip
THEME_OF_SUFFIX = {suffix: theme for theme, suffixes in ITEM_SUFFIXES.items() for suffix in suffixes}
SUFFIXED_TYPES = ("equipment", "cosmetic", "character", "loot_box")
SUFFIXED_RARITIES = ("epic", "legendary")
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
SEASONS = ("spring", "summer", "autumn", "winter")

# Versions of the app that are still in use, by platform family, and what it runs on; the models are made up.
_APP = ("3.4.1", "3.4.0", "3.3.2", "3.2.9")
_LAUNCHER = ("2.1.0", "2.0.7")
_DEVICES = {
    "android": ("Android 15; EX-A72", "Android 14; EX-A71", "Android 14; EX-G510", "Android 13; EX-G430",
                "Android 12; EX-M205"),
    "ios": ("iOS 18.1; iPhone", "iOS 17.6; iPhone", "iOS 16.7; iPhone", "iPadOS 17.6; iPad"),
    "windows": ("Windows NT 10.0; Win64; x64", "Windows NT 10.0; Win64; arm64"),
    "macos": ("Macintosh; macOS 15.1", "Macintosh; macOS 14.6"),
    "linux": ("X11; Linux x86_64",),
    "playstation": ("PlayStation 5", "PlayStation 4"),
    "xbox": ("Xbox Series X", "Xbox Series S", "Xbox One"),
    "switch": ("Nintendo Switch",),
}  # fmt: skip
_DESKTOPS = ("windows", "macos", "linux")
USER_AGENTS = {
    platform: tuple(
        f"ExampleLauncher/{version} ({device})"
        if platform in _DESKTOPS
        else f"ExampleGame/{version} ({device})"
        for version in (_LAUNCHER if platform in _DESKTOPS else _APP)
        for device in devices
    )
    for platform, devices in _DEVICES.items()
} | {
    "web": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.6 Safari/605.1.15",
        "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    )
}
TOOL_USER_AGENTS = ("python-requests/2.31.0", "Go-http-client/1.1", "okhttp/4.12.0", "curl/8.5.0")

# Locales whose names Faker keeps under another name.
FAKER_LOCALES = {"ar-EG": "ar_AA"}

_ROMAN = {1000: "M", 900: "CM", 500: "D", 400: "CD", 100: "C", 90: "XC", 50: "L", 40: "XL", 10: "X", 9: "IX", 5: "V",
          4: "IV", 1: "I"}  # fmt: skip


@cache
def first_names(locale: str) -> tuple[str, ...]:
    """Return Faker's first names of a locale, each once; English ones where it has none."""
    module = f"faker.providers.person.{FAKER_LOCALES.get(locale, locale.replace('-', '_'))}"
    provider = import_module(module if find_spec(module) else "faker.providers.person.en_US").Provider
    return tuple(dict.fromkeys(provider.first_names))


def display_names(
    locale: Words, first: NDArray[np.float64], epithet: NDArray[np.float64]
) -> NDArray[np.bytes_]:
    """Give each player a first name of the locale and, to a third of those in English, an epithet; by quantile."""
    names, starts, counts = _all_first_names(locale.words)
    chosen = names[starts[locale.codes] + (first * counts[locale.codes]).astype(np.int64)]
    english = locale.is_(*(word for word in locale.words if word.startswith("en")))
    epithets = texts([f" {words}" for words in EPITHETS])[(epithet * 3 % 1 * len(EPITHETS)).astype(np.int64)]
    return np.strings.add(chosen, np.where(english & (epithet * 3 < 1), epithets, b""))


@cache
def _all_first_names(locales: tuple[str, ...]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the first names of all locales in one column, and where each locale's begin and how many they are."""
    lists = [first_names(locale) for locale in locales]
    counts = np.array([len(names) for names in lists], dtype=np.int64)
    return texts([name for names in lists for name in names]), np.cumsum(counts) - counts, counts


def item_words(item_type: str, rarity: str, wording: int) -> tuple[str, str, str, str]:
    """Return the words of one of the names that a type and a rarity have: prefix, noun, suffix and numeral."""
    prefixes, nouns, suffixes = _item_word_lists(item_type, rarity)
    wording, prefix = divmod(wording, len(prefixes))
    wording, noun = divmod(wording, len(nouns))
    turn, suffix = divmod(wording, len(suffixes))
    return prefixes[prefix], nouns[noun], suffixes[suffix], roman(turn + 1) if turn else ""


def count_item_names(item_type: str, rarity: str) -> int:
    """Count the names that a type and a rarity have without numerals."""
    return prod(map(len, _item_word_lists(item_type, rarity)))


@cache
def _item_word_lists(item_type: str, rarity: str) -> tuple[tuple[str, ...], ...]:
    prefixes = ITEM_PREFIXES.get(item_type, OTHER_PREFIXES)
    suffixed = item_type in SUFFIXED_TYPES and rarity in SUFFIXED_RARITIES
    return (
        prefixes.get(rarity, prefixes["common"]),
        tuple(ITEM_NOUNS.get(item_type, ITEM_NOUNS["bundle"])),
        tuple(THEME_OF_SUFFIX) if suffixed else ("",),
    )


def roman(number: int) -> str:
    """Write a number in Roman numerals."""
    text = ""
    for value, letters in _ROMAN.items():
        text += letters * (number // value)
        number %= value
    return text
