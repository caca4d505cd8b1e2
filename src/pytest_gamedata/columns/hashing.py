"""Hashes of whole numbers, for values that must not depend on the order of drawing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.conversion import NIL_UUID, as_uuids
from pytest_gamedata.columns.sampling import Floats

UNITS = float(1 << 64)


def mix(*numbers: Any) -> NDArray[np.uint64]:
    """Hash columns of whole numbers into one (splitmix64): the same on every machine."""
    state: Any = np.uint64(0)
    with np.errstate(over="ignore"):
        for number in numbers:
            state = (np.asarray(number).astype(np.uint64) ^ state) + np.uint64(0x9E3779B97F4A7C15)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = state ^ (state >> np.uint64(31))
    return np.atleast_1d(np.asarray(state))


def hashed_quantiles(*numbers: Any) -> Floats:
    """Hash columns of whole numbers into quantiles."""
    return mix(*numbers) / UNITS


def derived_uuids(*numbers: Any, where: Any = True) -> NDArray[np.void]:
    """Hash columns of whole numbers into version 4 UUIDs; NULL in the rows that `where` does not mark."""
    halves = np.empty((np.broadcast(*numbers).size, 2), dtype="<u8")
    halves[:, 0] = mix(*numbers)
    halves[:, 1] = mix(*numbers, 1)
    uuids = as_uuids(halves.view(np.uint8).reshape(-1, 16))
    uuids[~np.broadcast_to(where, len(uuids))] = np.void(NIL_UUID)
    return uuids
