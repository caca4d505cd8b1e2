"""Usernames: handles as players choose them, unique by construction."""

from __future__ import annotations

from functools import cache, reduce

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.values import texts

# Handles are built of words and syllables, never of real names. A compound is a start and an end, a coined one
# an onset, a vowel and a coda; no two of them read the same, nor with what is put around them (a test checks it).
HANDLE_STARTS = (
    "Acorn", "Amber", "Ash", "Bramble", "Breeze", "Briar", "Bristle", "Cedar", "Cinder", "Clover", "Cobalt",
    "Comet", "Copper", "Coral", "Cosmic", "Crimson", "Crisp", "Dapple", "Dawn", "Dizzy", "Drift", "Dusk", "Dust",
    "Echo", "Ember", "Fable", "Feather", "Fern", "Fickle", "Flint", "Foggy", "Frosty", "Fuzzy", "Gale", "Garnet",
    "Ginger", "Glimmer", "Gloomy", "Grim", "Grumpy", "Hazel", "Honey", "Humble", "Indigo", "Ivory", "Ivy", "Jade",
    "Jolly", "Juniper", "Kelp", "Lazy", "Lilac", "Lost", "Lucky", "Lunar", "Maple", "Marble", "Mellow", "Midnight",
    "Mint", "Misty", "Mossy", "Muddy", "Neon", "Night", "Nimble", "Noodle", "Nova", "Nutty", "Oak", "Ocean", "Odd",
    "Onyx", "Opal", "Pebble", "Pepper", "Pickle", "Pine", "Pixel", "Plum", "Polar", "Quartz", "Quick", "Quiet",
    "Quill", "Rain", "Rapid", "Reed", "Rogue", "Rowdy", "Ruby", "Rune", "Rust", "Sable", "Saffron", "Salty",
    "Scarlet", "Shady", "Shy", "Silent", "Slate", "Sleepy", "Smoky", "Snow", "Solar", "Stone", "Storm", "Sunny",
    "Swift", "Tangle", "Thistle", "Thorn", "Thunder", "Timber", "Tiny", "Toasty", "Turbo", "Twilight", "Umber",
    "Velvet", "Violet", "Wander", "Wicked", "Wild", "Willow", "Winter", "Witty", "Zesty",
)  # fmt: skip
HANDLE_ENDS = (
    "badger", "bandit", "barrel", "beetle", "biscuit", "blade", "bloom", "bolt", "button", "cactus", "candle",
    "claw", "cloud", "coyote", "crab", "crow", "cube", "dancer", "dream", "drum", "dumpling", "falcon", "fang",
    "ferret", "finch", "flame", "flute", "fox", "frog", "gecko", "ghost", "gnome", "goblin", "goose", "grove",
    "gull", "hammer", "hare", "harp", "hawk", "heart", "heron", "hornet", "hound", "hunter", "jester", "kettle",
    "kite", "knight", "koala", "lantern", "leaf", "lemur", "lizard", "llama", "lynx", "magpie", "marmot", "marten",
    "mitten", "mole", "moose", "moth", "muffin", "newt", "otter", "owl", "pancake", "panda", "parrot", "pelican",
    "pigeon", "pilot", "pirate", "puffin", "quail", "rabbit", "raccoon", "ram", "rider", "ridge", "river", "robot",
    "runner", "sailor", "salmon", "scout", "seeker", "shade", "shrew", "sloth", "smith", "snail", "spark",
    "sparrow", "sprout", "squid", "stag", "stork", "strider", "swan", "teapot", "toad", "toast", "turnip",
    "turtle", "viper", "voyager", "waffle", "walker", "walrus", "warden", "weasel", "whale", "whisk", "wolf",
    "wombat", "wren", "yak",
)  # fmt: skip
HANDLE_ONSETS = (
    "Bal", "Bren", "Cor", "Dax", "Dre", "Eld", "Fal", "Fen", "Gry", "Hux", "Jor", "Kal", "Kry", "Lix", "Lum", "Mor",
    "Myr", "Nax", "Orv", "Pyr", "Quor", "Rha", "Ryn", "Ska", "Syl", "Tav", "Thal", "Tor", "Ulv", "Vex", "Vor",
    "Vyn", "Wex", "Xar", "Xil", "Yth", "Yar", "Zev", "Zil", "Zor",
)  # fmt: skip
HANDLE_VOWELS = ("a", "e", "i", "o", "u", "ae")
HANDLE_CODAS = (
    "bor", "dor", "dral", "dris", "gon", "kai", "kos", "lith", "lox", "lune", "mir", "mus", "nar", "ner", "nyx",
    "phor", "quil", "rax", "rin", "rok", "ryn", "shan", "tek", "thos", "tis", "vane", "vas", "vir", "vok", "voss",
    "wyn", "xis", "zan", "zar", "zek", "zhen",
)  # fmt: skip
# What players put before and after, each as often as it weighs (own choice).
HANDLE_PREFIXES = ("",) * 90 + ("the", "the", "the_", "its", "its_", "im_", "mr", "mr_", "not", "not_a_")
HANDLE_TAGS = ("x", "xx", "gg", "jr", "hq", "tv", "zz", "irl")
# How they write the two words, each way as often as it weighs (own choice): CamelCase, Capitalised, lower, UPPER.
CAPITAL, LOWER, UPPER = range(3)
HANDLE_CASES = ((CAPITAL, CAPITAL),) * 8 + ((CAPITAL, LOWER),) * 4 + ((LOWER, LOWER),) * 7 + ((UPPER, UPPER),)
HANDLE_NUMBER_SHARE = 0.28  # of handles that end in one or two digits (own choice)
HANDLE_YEAR_SHARE = 0.12  # of handles that end in a year of birth (own choice)
HANDLE_TAG_SHARE = 0.10  # of handles that end in one of HANDLE_TAGS (own choice)
HANDLE_YEARS = (1980, 2012)  # first and last (own choice)
HANDLE_GAP_SHARE = 0.2  # of joints that are an underscore (own choice)

_ENDINGS = tuple(vowel + coda for vowel in HANDLE_VOWELS for coda in HANDLE_CODAS)
_FIRSTS = (*HANDLE_STARTS, *HANDLE_ONSETS, *(f"{start}_" for start in HANDLE_STARTS))
_LASTS = (*HANDLE_ENDS, *_ENDINGS)
_COMPOUNDS = len(HANDLE_STARTS) * len(HANDLE_ENDS)
HANDLE_STEMS = _COMPOUNDS + len(HANDLE_ONSETS) * len(_ENDINGS)
_STRIDE = 7919  # a prime that does not divide HANDLE_STEMS: neighbouring numbers get unlike stems
_TURNS = 900  # that fit into three digits


def handles(
    number: NDArray[np.int64], shift: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.bytes_]:
    """Give each number a handle that no other number gets, whatever the case, as long as the shift is the same.

    A number is a stem and a turn. On the first turn a stem may stand alone; on later turns, as in a game where
    the good names are taken, it ends in three digits, from the 901st in five: both can be read back.
    """
    n = len(number)
    turn, stem = np.divmod(number, HANDLE_STEMS)
    stem = (stem * _STRIDE + shift) % HANDLE_STEMS
    case = rng.integers(0, len(HANDLE_CASES), n)
    first_case, last_case = (np.array(cases)[case] for cases in zip(*HANDLE_CASES, strict=True))
    first, last = _find_words(stem, rng.random(n) < HANDLE_GAP_SHARE)
    coined = stem >= _COMPOUNDS
    last_case = np.where(coined & (last_case == CAPITAL), LOWER, last_case)
    prefix = rng.integers(0, len(HANDLE_PREFIXES), n)
    parts = (
        _in_all_cases(HANDLE_PREFIXES)[first_case * len(HANDLE_PREFIXES) + prefix],
        _in_all_cases(_FIRSTS)[first_case * len(_FIRSTS) + first],
        _in_all_cases(_LASTS)[last_case * len(_LASTS) + last],
        _draw_tails(turn, stem, rng),
    )
    return reduce(np.strings.add, parts)


def _find_words(
    stem: NDArray[np.int64], gap: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which of _FIRSTS and of _LASTS a stem is made of; only compounds have a gap."""
    start, end = np.divmod(stem, len(HANDLE_ENDS))
    onset, ending = np.divmod(stem - _COMPOUNDS, len(_ENDINGS))
    coined, starts, onsets = stem >= _COMPOUNDS, len(HANDLE_STARTS), len(HANDLE_ONSETS)
    first = np.where(coined, starts + onset, start + np.where(gap, starts + onsets, 0))
    return first, np.where(coined, len(HANDLE_ENDS) + ending, end)


@cache
def _in_all_cases(words: tuple[str, ...]) -> NDArray[np.bytes_]:
    return texts([*map(str.capitalize, words), *map(str.lower, words), *map(str.upper, words)])


def _draw_tails(
    turn: NDArray[np.int64], stem: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.bytes_]:
    """Draw what follows a stem: what its player likes on the first turn, the turn in digits later."""
    n, quantile, tails = len(turn), rng.random(len(turn)), _all_tails()
    number, year, tag = np.cumsum([HANDLE_NUMBER_SHARE, HANDLE_YEAR_SHARE, HANDLE_TAG_SHARE])
    chosen = np.zeros(n, dtype=np.int64)
    for share, lowest, highest in (
        (tag, HANDLE_YEARS[1] + 1, HANDLE_YEARS[1] + len(HANDLE_TAGS)),
        (year, *HANDLE_YEARS),
        (number, 1, 99),
    ):
        chosen = np.where(quantile < share, rng.integers(lowest, highest + 1, n), chosen)
    # 37: so that the digits of one turn differ from stem to stem
    chosen = np.where(turn > 0, 100 + (turn - 1 + 37 * stem) % _TURNS, chosen)
    found = tails[chosen + np.where(rng.random(n) < HANDLE_GAP_SHARE, len(tails) // 2, 0)]
    for row in np.flatnonzero(turn > _TURNS):
        found[row] = b"%d" % (10_000 + (turn[row] - _TURNS - 1 + 37 * stem[row]) % 90_000)
    return found


@cache
def _all_tails() -> NDArray[np.bytes_]:
    """List nothing, all numbers up to the last year and all tags, without an underscore and with one."""
    tails = [*map(str, range(1, HANDLE_YEARS[1] + 1)), *HANDLE_TAGS]
    return texts(["", *tails, "", *(f"_{tail}" for tail in tails)])
