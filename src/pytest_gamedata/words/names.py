"""Display names: Faker's first names by locale, with epithets of our own."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.categorical import Categorical
from pytest_gamedata.columns.conversion import texts
from pytest_gamedata.distributions import EPITHET_ONE_IN

EPITHETS = (
    "the Bold", "the Curious", "the Early", "the Grey", "the Hungry", "the Kind", "the Late", "the Loud", "the Lucky",
    "the Patient", "the Quiet", "the Restless", "the Stubborn", "the Swift", "the Wise", "of the North",
)  # fmt: skip

# Locales whose names Faker keeps under another name.
FAKER_LOCALES = {"ar-EG": "ar_AA"}


@cache
def first_names(locale: str) -> tuple[str, ...]:
    """Return Faker's first names of a locale, each once; English ones where it has none."""
    module = f"faker.providers.person.{FAKER_LOCALES.get(locale, locale.replace('-', '_'))}"
    provider = import_module(module if find_spec(module) else "faker.providers.person.en_US").Provider
    return tuple(dict.fromkeys(provider.first_names))


def display_names(
    locale: Categorical, first: NDArray[np.float64], epithet: NDArray[np.float64]
) -> NDArray[np.bytes_]:
    """Return the first names at these quantiles of each player's locale; some English ones get an epithet."""
    names, starts, counts = _all_first_names(locale.categories)
    chosen = names[starts[locale.codes] + (first * counts[locale.codes]).astype(np.int64)]
    english = locale.is_(*(word for word in locale.categories if word.startswith("en")))
    epithets = texts([f" {words}" for words in EPITHETS])[
        (epithet * EPITHET_ONE_IN % 1 * len(EPITHETS)).astype(np.int64)
    ]
    return np.strings.add(chosen, np.where(english & (epithet * EPITHET_ONE_IN < 1), epithets, b""))


@cache
def _all_first_names(locales: tuple[str, ...]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the first names of all locales in one column, where each locale's names start, and their counts."""
    lists = [first_names(locale) for locale in locales]
    counts = np.array([len(names) for names in lists], dtype=np.int64)
    return texts([name for names in lists for name in names]), np.cumsum(counts) - counts, counts
