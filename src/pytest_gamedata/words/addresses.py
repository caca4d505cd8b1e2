"""IP addresses of players: every block of their network is in one country and of one ASN."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.categorical import Categorical
from pytest_gamedata.columns.sampling import Floats, pick

BLOCK = 256  # addresses

COUNTRY_CODES = tuple(dist.COUNTRIES)
_FIRST, _SECOND = map(int, dist.PLAYER_NETWORK.split(".")[:2])
_OWN_BLOCKS = dist.PLAYER_BLOCKS - dist.SHARED_BLOCKS
_WEIGHTS = np.cumsum(list(dist.COUNTRIES.values()))
# The first block of each country, the first of those that all other countries share, and the end.
_EDGES = np.concatenate([[0], np.rint(_WEIGHTS / _WEIGHTS[-1] * _OWN_BLOCKS), [dist.PLAYER_BLOCKS]]).astype(
    int
)


def hosts_of(country: Categorical, quantiles: Floats) -> NDArray[np.int64]:
    """Return the host at each quantile of a country's part of the players' network."""
    parts = {word: part for part, word in enumerate(COUNTRY_CODES)}
    part = np.array([parts.get(word, len(parts)) for word in (*country.categories, "")])[country.codes]
    hosts = quantiles * (np.diff(_EDGES) * BLOCK)[part]
    return _EDGES[part] * BLOCK + hosts.astype(np.int64)


def hosts_anywhere(quantiles: Floats) -> NDArray[np.int64]:
    """Return the host at each quantile of the part of the network that belongs to COUNTRY_CODES."""
    return (quantiles * (_OWN_BLOCKS * BLOCK)).astype(np.int64)


def country_codes(hosts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position in COUNTRY_CODES of each host's country, beyond the end for the shared blocks."""
    return np.searchsorted(_EDGES, hosts // BLOCK, side="right") - 1


def asns(hosts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each host's ASN: a few for each country."""
    begin = _EDGES[country_codes(hosts)]
    return dist.ASNS[0] + begin + (hosts // BLOCK - begin) // dist.BLOCKS_PER_ASN


def addresses(hosts: NDArray[np.int64]) -> list[str]:
    """Write hosts of the players' network as IP addresses."""
    return [f"{_FIRST}.{_SECOND + (host >> 16)}.{host >> 8 & 255}.{host & 255}" for host in hosts.tolist()]


def pick_countries(quantiles: Floats) -> NDArray[np.int64]:
    """Pick positions in COUNTRY_CODES by weight."""
    return pick(dist.COUNTRIES, quantiles).codes.astype(np.int64)
