"""Times of day in each player's own time zone."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.categorical import Categorical
from pytest_gamedata.columns.sampling import Floats
from pytest_gamedata.distributions import HOURS

_TWO_DAYS = np.arange(49.0)  # hours
_ACTIVITY = np.cumsum([0, *HOURS, *HOURS]) / sum(HOURS)  # share of a day's sessions that have begun by then


def seconds(values: Any) -> NDArray[np.timedelta64]:
    """Convert seconds to durations of whole microseconds."""
    return (np.asarray(values) * 1_000_000).astype(np.int64).astype("timedelta64[us]")


def moments_in_day(quantiles: Floats, after: NDArray[Any], timezone: Categorical) -> NDArray[Any]:
    """Return a moment between `after` and the end of its UTC day for each quantile of the activity in between.

    Activity follows the hours of the player's own time zone (HOURS).
    """
    day = after.astype("datetime64[D]")
    offset = utc_offset_hours(timezone, day) % 24  # the local hour at which the UTC day begins
    begin = _hours_of_day(after, day)
    low, high = (np.interp(offset + hour, _TWO_DAYS, _ACTIVITY) for hour in (begin, 24.0))
    hour = np.interp(low + quantiles * (high - low), _ACTIVITY, _TWO_DAYS) - offset
    return day.astype("datetime64[us]") + seconds(np.clip(hour, begin, 24 - 1e-6) * 3600)


def local_hours(moments: NDArray[Any], timezone: Categorical) -> Floats:
    """Return the local time of each moment, in hours since midnight."""
    day = moments.astype("datetime64[D]")
    return (_hours_of_day(moments, day) + utc_offset_hours(timezone, day)) % 24


def _hours_of_day(moments: NDArray[Any], day: NDArray[Any]) -> Floats:
    return (moments - day).astype("timedelta64[us]").astype(np.float64) / 3600e6


def utc_offset_hours(timezone: Categorical, days: NDArray[Any]) -> Floats:
    """Return each row's offset from UTC at noon of its day, in hours."""
    distinct, day_codes = np.unique(days.astype("datetime64[D]"), return_inverse=True)
    noons = [(day + np.timedelta64(12, "h")).item() for day in distinct.astype("datetime64[s]")]
    shape = (len(timezone.categories), len(noons))
    offsets = np.reshape([_offset(zone, noon) for zone in timezone.categories for noon in noons], shape)
    return offsets.astype(np.float64)[timezone.codes, day_codes]


def _offset(zone: str, noon: Any) -> float:
    offset = _zone(zone).utcoffset(noon)
    return offset.total_seconds() / 3600 if offset else 0.0


@cache
def _zone(name: str) -> ZoneInfo:
    # from the tzdata package, not from the machine's own tables: the same rows everywhere
    with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
