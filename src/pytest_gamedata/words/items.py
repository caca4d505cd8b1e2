"""Names of items: prefixes, nouns and suffixes by type and rarity."""

from __future__ import annotations

from functools import cache
from math import prod

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

_ROMAN = {1000: "M", 900: "CM", 500: "D", 400: "CD", 100: "C", 90: "XC", 50: "L", 40: "XL", 10: "X", 9: "IX", 5: "V",
          4: "IV", 1: "I"}  # fmt: skip


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
