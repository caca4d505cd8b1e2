"""The ways to draw n values at once, used by the draw functions of all tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from statistics import NormalDist
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.arrays import Words
from pytest_gamedata.distributions import HOURS, SESSIONS_DISPERSION, SESSIONS_PER_ACTIVE_DAY, Weights

GOLDEN_RATIO = 0.6180339887498949
NEGATIVE_BINOMIAL_MAX = 1000  # beyond any count that the laws in use give

Floats = NDArray[np.float64]
Rng = np.random.Generator

_QUANTILES = np.linspace(0.0005, 0.9995, 1000)
_NORMAL_QUANTILES = np.array([NormalDist().inv_cdf(q) for q in _QUANTILES])
_TWO_DAYS = np.arange(49.0)  # hours
_ACTIVITY = np.concatenate([[0.0], np.cumsum(HOURS * 2)]) / sum(HOURS)  # how many days' sessions by then


def strata(rng: Rng, n: int) -> Floats:
    """Draw n uniform quantiles, one from each n-th of [0, 1), in random order.

    Shares drawn by them are as close to their target as n rows allow.
    """
    return (rng.permutation(n) + rng.random(n)) / max(n, 1)


def spread(rng: Rng, n: int) -> Floats:
    """Draw n quantiles that lie evenly in [0, 1), and so do those of every stretch of them."""
    return np.modf(rng.random() + GOLDEN_RATIO * np.arange(n, dtype=np.float64))[0]


def normal(quantiles: Floats) -> Floats:
    """Turn quantiles into standard normal values, cut at 3.3 sigma."""
    return np.interp(quantiles, _QUANTILES, _NORMAL_QUANTILES)


def normal_quantile(values: NDArray[Any]) -> Floats:
    """Return the quantiles of standard normal values: the way back from `normal`."""
    return np.interp(values, _NORMAL_QUANTILES, _QUANTILES)


def pick(weights: Mapping[str, float], quantiles: Floats) -> Words:
    """Pick a word for each quantile by weight."""
    edges = np.cumsum(list(weights.values()))
    codes = np.searchsorted(edges / edges[-1], quantiles, side="right")
    return Words(np.minimum(codes, len(weights) - 1).astype(np.int16), tuple(weights))


def pick_by(key: Words, weights: Mapping[str, Weights], quantiles: Floats, default: Weights) -> Words:
    """Pick a word for each quantile by the weights that belong to the row's key, else by the default."""
    words = tuple(sorted({word for options in (*weights.values(), default) for word in options}))
    codes = np.zeros(len(key), dtype=np.int16)
    for code, name in enumerate(key.words):
        rows = key.codes == code
        options = pick(weights.get(name, default), quantiles[rows])
        codes[rows] = np.array([words.index(word) for word in options.words])[options.codes]
    return Words(codes, words)


def session_counts(rng: Rng, n: int) -> NDArray[np.int64]:
    """Draw how many sessions n active days have: one, and a negative binomial number more."""
    r, mean = SESSIONS_DISPERSION, SESSIONS_PER_ACTIVE_DAY - 1
    return 1 + rng.negative_binomial(r, r / (r + mean), n)


def negative_binomial_at(quantiles: Floats, r: float, mean: float) -> NDArray[np.int64]:
    """Return the counts at these quantiles of the negative binomial: as exact as there are quantiles."""
    count = np.arange(1, NEGATIVE_BINOMIAL_MAX)
    chance = r / (r + mean)
    ratios = (count - 1 + r) / count * (1 - chance)  # of the probability of each count to the one before
    return np.searchsorted(np.cumsum(chance**r * np.cumprod(np.append(1.0, ratios))), quantiles)


def sample(rng: Rng, weights: Floats, count: int) -> NDArray[np.intp]:
    """Choose so many different rows, each as likely as its weight, by equal steps through them all."""
    order = rng.permutation(len(weights))
    edges = np.cumsum(weights[order])
    steps = (np.arange(count) + rng.random()) / max(count, 1) * (edges[-1] if len(edges) else 0.0)
    return np.unique(order[np.minimum(np.searchsorted(edges, steps, side="right"), len(order) - 1)])


def seconds(values: Any) -> NDArray[np.timedelta64]:
    """Turn seconds into durations of whole microseconds."""
    return (np.asarray(values) * 1_000_000).astype(np.int64).astype("timedelta64[us]")


def moments_in_day(quantiles: Floats, after: NDArray[Any], timezone: Words) -> NDArray[Any]:
    """Return the moments at these quantiles of what players do from a moment to the end of its UTC day.

    Their hours are those of their own time zone (HOURS).
    """
    day = after.astype("datetime64[D]")
    offset = utc_offset_hours(timezone, day) % 24  # the local hour at which the UTC day begins
    begin = _hours_of_day(after, day)
    low, high = (np.interp(offset + hour, _TWO_DAYS, _ACTIVITY) for hour in (begin, 24.0))
    hour = np.interp(low + quantiles * (high - low), _ACTIVITY, _TWO_DAYS) - offset
    return day.astype("datetime64[us]") + seconds(np.clip(hour, begin, 24 - 1e-6) * 3600)


def local_hours(moments: NDArray[Any], timezone: Words) -> Floats:
    """Return the local time of each moment, in hours since midnight."""
    day = moments.astype("datetime64[D]")
    return (_hours_of_day(moments, day) + utc_offset_hours(timezone, day)) % 24


def _hours_of_day(moments: NDArray[Any], day: NDArray[Any]) -> Floats:
    return (moments - day).astype("timedelta64[us]").astype(np.float64) / 3600e6


def utc_offset_hours(timezone: Words, days: NDArray[Any]) -> Floats:
    """Return each row's offset from UTC at noon of its day, in hours."""
    distinct, day_codes = np.unique(days.astype("datetime64[D]"), return_inverse=True)
    noons = [(day + np.timedelta64(12, "h")).item() for day in distinct.astype("datetime64[s]")]
    offsets = [[_offset(zone, noon) for noon in noons] for zone in timezone.words]
    return np.array(offsets, dtype=np.float64).reshape(len(timezone.words), len(noons))[
        timezone.codes, day_codes
    ]


def _offset(zone: str, noon: Any) -> float:
    offset = _zone(zone).utcoffset(noon)
    return offset.total_seconds() / 3600 if offset else 0.0


@cache
def _zone(name: str) -> ZoneInfo:
    # from the tzdata package, not from the machine's own tables: the same rows everywhere
    with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
