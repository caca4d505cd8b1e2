"""Names of items: a prefix, a noun and a suffix by type and rarity, and a numeral where the names run out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import prod

from pytest_gamedata.words import load_words

_ITEM_WORDS = load_words("items")
PREFIXES: dict[str, dict[str, list[str]]] = _ITEM_WORDS["prefixes"]  # by item type and rarity
NOUNS: dict[str, dict[str, str]] = {  # by item type, each with its slot, effect or role
    item_type: {noun: meaning for meaning, nouns in by_meaning.items() for noun in nouns}
    for item_type, by_meaning in _ITEM_WORDS["nouns"].items()
}
THEMES = tuple(_ITEM_WORDS["suffixes"])
THEME_OF_SUFFIX = {
    suffix: theme for theme, suffixes in _ITEM_WORDS["suffixes"].items() for suffix in suffixes
}
SUFFIXED_TYPES = ("equipment", "cosmetic", "character", "loot_box")
SUFFIXED_RARITIES = ("epic", "legendary")
TAGS: dict[str, list[str]] = _ITEM_WORDS["tags"]  # by item type
SEASONS: list[str] = _ITEM_WORDS["seasons"]

_ROMAN = {1000: "M", 900: "CM", 500: "D", 400: "CD", 100: "C", 90: "XC", 50: "L", 40: "XL", 10: "X", 9: "IX", 5: "V",
          4: "IV", 1: "I"}  # fmt: skip


def item_words(item_type: str, rarity: str, wording: int) -> tuple[str, str, str, str]:
    """Return prefix, noun, suffix and numeral of a type and rarity's name with this number."""
    prefixes, nouns, suffixes = _item_word_lists(item_type, rarity)
    wording, prefix = divmod(wording, len(prefixes))
    wording, noun = divmod(wording, len(nouns))
    turn, suffix = divmod(wording, len(suffixes))
    return prefixes[prefix], nouns[noun], suffixes[suffix], _roman(turn + 1) if turn else ""


def count_item_names(item_type: str, rarity: str) -> int:
    """Count the names that a type and a rarity have without numerals."""
    return prod(map(len, _item_word_lists(item_type, rarity)))


@cache
def _item_word_lists(item_type: str, rarity: str) -> tuple[Sequence[str], ...]:
    """Return the prefixes, nouns and suffixes that names of a type and a rarity have."""
    prefixes = PREFIXES.get(item_type, PREFIXES["other"])
    suffixed = item_type in SUFFIXED_TYPES and rarity in SUFFIXED_RARITIES
    return (
        prefixes.get(rarity, prefixes["common"]),
        tuple(NOUNS.get(item_type, NOUNS["bundle"])),
        tuple(THEME_OF_SUFFIX) if suffixed else ("",),
    )


def _roman(number: int) -> str:
    """Write a number in Roman numerals."""
    text = ""
    for value, letters in _ROMAN.items():
        text += letters * (number // value)
        number %= value
    return text
