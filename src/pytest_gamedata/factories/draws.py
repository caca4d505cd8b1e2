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
from pytest_gamedata.distributions import HOURS, Weights

Floats = NDArray[np.float64]
Rng = np.random.Generator

_QUANTILES = np.linspace(0.0005, 0.9995, 1000)
_NORMAL_QUANTILES = np.array([NormalDist().inv_cdf(q) for q in _QUANTILES])


def strata(rng: Rng, n: int) -> Floats:
    """Draw n uniform quantiles, one from each n-th of [0, 1), in random order.

    Shares drawn by them are as close to their target as n rows allow.
    """
    return (rng.permutation(n) + rng.random(n)) / max(n, 1)


def normal(quantiles: Floats) -> Floats:
    """Turn quantiles into standard normal values, cut at 3.3 sigma."""
    return np.interp(quantiles, _QUANTILES, _NORMAL_QUANTILES)


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


def negative_binomial(rng: Rng, r: float, mean: float, n: int) -> NDArray[np.int64]:
    """Draw n counts with dispersion r and a mean."""
    return rng.negative_binomial(r, r / (r + mean), n)


def seconds(values: Any) -> NDArray[np.timedelta64]:
    """Turn seconds into durations of whole microseconds."""
    return (np.asarray(values) * 1_000_000).astype(np.int64).astype("timedelta64[us]")


def moments_in_day(rng: Rng, days: NDArray[Any], timezone: Words) -> NDArray[Any]:
    """Draw a moment in each of these UTC days, at the hours that players keep in their own time zone."""
    edges = np.cumsum(HOURS) / sum(HOURS)
    local_hour = np.searchsorted(edges, rng.random(len(days)), side="right") + rng.random(len(days))
    utc_hour = (local_hour - utc_offset_hours(timezone, days)) % 24
    return days.astype("datetime64[us]") + seconds(utc_hour * 3600)


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
