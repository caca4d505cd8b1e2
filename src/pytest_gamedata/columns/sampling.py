"""Ways to draw n values at once: stratified and systematic sampling, choice by weight, counts."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.categorical import Categorical
from pytest_gamedata.distributions import (
    PLAYTIME_ENGAGEMENT,
    SESSION_MINUTES,
    SESSION_WEIBULL_SHAPE,
    SESSIONS_DISPERSION,
    SESSIONS_PER_ACTIVE_DAY,
    SHORTEST_SESSION_SECONDS,
    Weights,
)

GOLDEN_RATIO = 0.6180339887498949
NEGATIVE_BINOMIAL_MAX = 1000  # beyond any count that the distributions in use give

Floats = NDArray[np.float64]
Rng = np.random.Generator

_QUANTILES = np.linspace(0.0005, 0.9995, 1000)
_NORMAL_QUANTILES = np.array([NormalDist().inv_cdf(q) for q in _QUANTILES])


def strata(rng: Rng, n: int) -> Floats:
    """Draw n quantiles by stratified sampling: one from each n-th of [0, 1), in random order.

    Shares drawn by them are as close to their target as n rows allow.
    """
    return (rng.permutation(n) + rng.random(n)) / max(n, 1)


def low_discrepancy(rng: Rng, n: int) -> Floats:
    """Draw a low-discrepancy sequence of n quantiles: any stretch of it, too, lies evenly in [0, 1)."""
    return np.modf(rng.random() + GOLDEN_RATIO * np.arange(n, dtype=np.float64))[0]


def normal(quantiles: Floats) -> Floats:
    """Return the standard normal values at these quantiles, cut at 3.3 sigma."""
    return np.interp(quantiles, _QUANTILES, _NORMAL_QUANTILES)


def normal_quantile(values: NDArray[Any]) -> Floats:
    """Return the quantiles of standard normal values: the inverse of `normal`."""
    return np.interp(values, _NORMAL_QUANTILES, _QUANTILES)


def pick(weights: Mapping[str, float], quantiles: Floats) -> Categorical:
    """Pick the category at each quantile, by weight."""
    edges = np.cumsum(list(weights.values()))
    codes = np.searchsorted(edges / edges[-1], quantiles, side="right")
    return Categorical(np.minimum(codes, len(weights) - 1).astype(np.int16), tuple(weights))


def pick_by(
    key: Categorical, weights: Mapping[str, Weights], quantiles: Floats, default: Weights
) -> Categorical:
    """Pick the category at each quantile, by the weights of the row's key, or by the default weights."""
    words = tuple(sorted({word for options in (*weights.values(), default) for word in options}))
    codes = np.zeros(len(key), dtype=np.int16)
    for code, name in enumerate(key.categories):
        rows = key.codes == code
        options = pick(weights.get(name, default), quantiles[rows])
        codes[rows] = np.array([words.index(word) for word in options.categories])[options.codes]
    return Categorical(codes, words)


def session_counts(rng: Rng, n: int) -> NDArray[np.int64]:
    """Draw how many sessions n active days have: one, and a negative binomial number more."""
    r, mean = SESSIONS_DISPERSION, SESSIONS_PER_ACTIVE_DAY - 1
    return 1 + rng.negative_binomial(r, r / (r + mean), n)


def session_lengths(rng: Rng, engagement: Floats) -> NDArray[np.int64]:
    """Draw how many seconds sessions last by Weibull's law: longer for the engaged."""
    minutes = rng.weibull(SESSION_WEIBULL_SHAPE, len(engagement)) * SESSION_MINUTES
    factor = np.exp(PLAYTIME_ENGAGEMENT * engagement - PLAYTIME_ENGAGEMENT**2 / 2)  # of mean 1
    return (minutes * 60 * factor).astype(np.int64) + SHORTEST_SESSION_SECONDS


def negative_binomial_at(quantiles: Floats, r: float, mean: float) -> NDArray[np.int64]:
    """Return the counts of the negative binomial distribution at these quantiles."""
    count = np.arange(1, NEGATIVE_BINOMIAL_MAX)
    chance = r / (r + mean)
    ratios = (count - 1 + r) / count * (1 - chance)  # of the probability of each count to the one before
    return np.searchsorted(np.cumsum(chance**r * np.cumprod(np.append(1.0, ratios))), quantiles)


def systematic_sample(rng: Rng, weights: Floats, count: int) -> NDArray[np.intp]:
    """Draw rows by systematic sampling with probabilities proportional to the weights.

    There are at most `count`, since a row that is hit twice counts once.
    """
    order = rng.permutation(len(weights))
    edges = np.cumsum(weights[order])
    steps = (np.arange(count) + rng.random()) / max(count, 1) * (edges[-1] if len(edges) else 0.0)
    return np.unique(order[np.minimum(np.searchsorted(edges, steps, side="right"), len(order) - 1)])


def largest_remainder(weights: Weights, count: int) -> dict[str, int]:
    """Divide a count into quotas by weight, rounded by the method of largest remainders."""
    exact = {name: weight / sum(weights.values()) * count for name, weight in weights.items()}
    given = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: given[name] - exact[name])
    for name in by_remainder[: count - sum(given.values())]:
        given[name] += 1
    return given
