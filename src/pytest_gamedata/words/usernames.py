"""Usernames: handles as players choose them, unique by construction."""

from __future__ import annotations

from functools import cache, reduce

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.conversion import texts
from pytest_gamedata.words import load_words

_USERNAME_WORDS = load_words("usernames")
_STARTS, _ENDS, _ONSETS = _USERNAME_WORDS["starts"], _USERNAME_WORDS["ends"], _USERNAME_WORDS["onsets"]
_ENDINGS = [vowel + coda for vowel in _USERNAME_WORDS["vowels"] for coda in _USERNAME_WORDS["codas"]]
_FIRSTS = (*_STARTS, *_ONSETS, *(f"{start}_" for start in _STARTS))
_LASTS = (*_ENDS, *_ENDINGS)
_TAGS = _USERNAME_WORDS["tags"]
_PREFIXES = (
    *[""]
    * round(len(_USERNAME_WORDS["prefixes"]) / dist.USERNAME_PREFIX_SHARE - len(_USERNAME_WORDS["prefixes"])),
    *_USERNAME_WORDS["prefixes"],
)
_CAPITAL, _LOWER, _UPPER = range(3)
_CASES = {
    "CamelCase": (_CAPITAL, _CAPITAL),
    "Capitalised": (_CAPITAL, _LOWER),
    "lower": (_LOWER, _LOWER),
    "UPPER": (_UPPER, _UPPER),
}
_WEIGHTED_CASES = np.array(
    [_CASES[name] for name, weight in dist.USERNAME_CASES.items() for _ in range(weight)]
)

_COMPOUNDS = len(_STARTS) * len(_ENDS)
HANDLE_STEMS = _COMPOUNDS + len(_ONSETS) * len(_ENDINGS)
_STRIDE = 7919  # a prime that does not divide HANDLE_STEMS: neighbouring numbers get unlike stems
_TURNS = 900  # that fit into three digits
_LAST_YEAR = dist.USERNAME_BIRTH_YEARS[1]


def handles(
    number: NDArray[np.int64], shift: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.bytes_]:
    """Return a handle for each number, unique whatever the case as long as the shift is the same.

    A number is a stem and a turn. On the first turn a stem may stand alone; on later turns, as in a game where
    the good names are taken, it ends in three digits, from the 901st in five: both can be read back.
    """
    n = len(number)
    turn, stem = np.divmod(number, HANDLE_STEMS)
    stem = (stem * _STRIDE + shift) % HANDLE_STEMS
    first_case, last_case = _WEIGHTED_CASES[rng.integers(0, len(_WEIGHTED_CASES), n)].T
    first, last = _find_words(stem, rng.random(n) < dist.USERNAME_UNDERSCORE_SHARE)
    coined = stem >= _COMPOUNDS
    last_case = np.where(coined & (last_case == _CAPITAL), _LOWER, last_case)
    prefix = rng.integers(0, len(_PREFIXES), n)
    parts = (
        _in_all_cases(_PREFIXES)[first_case * len(_PREFIXES) + prefix],
        _in_all_cases(_FIRSTS)[first_case * len(_FIRSTS) + first],
        _in_all_cases(_LASTS)[last_case * len(_LASTS) + last],
        _draw_tails(turn, stem, rng),
    )
    return reduce(np.strings.add, parts)


def _find_words(
    stem: NDArray[np.int64], gap: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions in _FIRSTS and _LASTS of a stem's parts; only compounds have an underscore between."""
    start, end = np.divmod(stem, len(_ENDS))
    onset, ending = np.divmod(stem - _COMPOUNDS, len(_ENDINGS))
    coined, starts, onsets = stem >= _COMPOUNDS, len(_STARTS), len(_ONSETS)
    first = np.where(coined, starts + onset, start + np.where(gap, starts + onsets, 0))
    return first, np.where(coined, len(_ENDS) + ending, end)


@cache
def _in_all_cases(words: tuple[str, ...]) -> NDArray[np.bytes_]:
    return texts([*map(str.capitalize, words), *map(str.lower, words), *map(str.upper, words)])


def _draw_tails(
    turn: NDArray[np.int64], stem: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.bytes_]:
    """Draw the tail of a handle: nothing, a number, a year or a tag on the first turn of its stem, the turn later."""
    n, quantile, tails = len(turn), rng.random(len(turn)), _all_tails()
    number, year, tag = np.cumsum(
        [dist.USERNAME_NUMBER_SHARE, dist.USERNAME_BIRTH_YEAR_SHARE, dist.USERNAME_TAG_SHARE]
    )
    chosen = np.zeros(n, dtype=np.int64)
    for share, lowest, highest in (
        (tag, _LAST_YEAR + 1, _LAST_YEAR + len(_TAGS)),
        (year, *dist.USERNAME_BIRTH_YEARS),
        (number, 1, 99),
    ):
        chosen = np.where(quantile < share, rng.integers(lowest, highest + 1, n), chosen)
    # 37: so that the digits of one turn differ from stem to stem
    chosen = np.where(turn > 0, 100 + (turn - 1 + 37 * stem) % _TURNS, chosen)
    found = tails[chosen + np.where(rng.random(n) < dist.USERNAME_UNDERSCORE_SHARE, len(tails) // 2, 0)]
    for row in np.flatnonzero(turn > _TURNS):
        found[row] = b"%d" % (10_000 + (turn[row] - _TURNS - 1 + 37 * stem[row]) % 90_000)
    return found


@cache
def _all_tails() -> NDArray[np.bytes_]:
    """Return all tails: none, the numbers up to the last year and the tags, without and with an underscore."""
    tails = [*map(str, range(1, _LAST_YEAR + 1)), *_TAGS]
    return texts(["", *tails, "", *(f"_{tail}" for tail in tails)])
