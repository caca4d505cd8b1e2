"""Attackers: addresses with their country and ASN, tools, and the identifiers they typed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.categorical import Categorical, free_text, narrow
from pytest_gamedata.columns.conversion import NULL, Columns
from pytest_gamedata.columns.hashing import hashed_quantiles, mix
from pytest_gamedata.columns.sampling import Rng, strata
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.simulation.auth.events import NONE, Events
from pytest_gamedata.words.addresses import (
    COUNTRY_CODES,
    addresses,
    asns,
    country_codes,
    hosts_anywhere,
    pick_countries,
)
from pytest_gamedata.words.user_agents import TOOL_USER_AGENTS, USER_AGENTS

KINDS = tuple(dist.ATTACK_KINDS)
SPREAD = KINDS.index("spread")
HOSTS = 254  # of an attacker's /24 network
AGENTS = (*TOOL_USER_AGENTS, *USER_AGENTS["web"])
ASNS_OF_SPREAD = 256  # their addresses outside the players' network are of so many


def addresses_of(kind: str, nth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the addresses of an attack so that they tell its kind."""
    return nth * len(KINDS) + KINDS.index(kind)


def kinds_of(address: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the kind of attack, as a position in KINDS, that an address is numbered for."""
    return address % len(KINDS)


def describe_attackers(streams: Streams, events: Events) -> Columns:
    """Draw what an attack shows of itself: addresses, tool, platform and what it typed; NULL elsewhere."""
    rng = streams.of("attacks", "attacker")
    attack, count = events["attack"], int(events["attack"].max(initial=NONE)) + 1
    tool = strata(rng, count) < dist.TOOL_USER_AGENT_SHARE
    agent = np.where(
        tool,
        rng.integers(0, len(TOOL_USER_AGENTS), count),
        rng.integers(len(TOOL_USER_AGENTS), len(AGENTS), count),
    )
    return {
        **_describe_addresses(events),
        "attack_agent": Categorical(narrow(np.append(agent, NONE), len(AGENTS))[attack], AGENTS),
        # a tool that passes for a browser shows what a browser would
        "attack_platform": Categorical(narrow(np.append(np.where(tool, NONE, 0), NONE), 1)[attack], ("web",)),
        "leaked": _leaks(rng, (attack != NONE) & (events["user"] == NONE)),
    }


def _describe_addresses(events: Events) -> Columns:
    is_attack = events["attack"] != NONE
    key = events["attack"][is_attack] * (1 << 32) + events["address"][is_attack]
    distinct, codes = np.unique(key, return_inverse=True)
    words, country, asn = _places(distinct >> 32, distinct & 0xFFFFFFFF)
    column = np.full(len(is_attack), NONE, dtype=np.int32)
    column[is_attack] = codes
    return {
        "attack_ip": Categorical(column, tuple(words)),
        "attack_country": Categorical(
            narrow(np.append(country, NONE), len(COUNTRY_CODES))[column], COUNTRY_CODES
        ),
        "attack_asn": np.append(asn, NULL)[column],
    }


def _places(attack: NDArray[np.int64], address: NDArray[np.int64]) -> tuple[list[str], Any, Any]:
    """Return the IP address, country and ASN of each address of an attack."""
    nth, spread = address // len(KINDS), kinds_of(address) == SPREAD
    proxy = spread & (hashed_quantiles(attack, nth, 21) < dist.PROXY_SHARE)
    host = np.where(proxy, hosts_anywhere(hashed_quantiles(attack, nth, 22)), 0)
    rented = (attack * 31 + nth) % (len(dist.ATTACKER_NETWORKS) * HOSTS)
    block = rented // dist.ATTACKER_BLOCK
    country = np.where(spread, hashed_quantiles(attack, nth, 23), hashed_quantiles(block, 24))
    far = len(dist.ATTACKER_NETWORKS) * HOSTS // dist.ATTACKER_BLOCK + 1  # numbered below those of the blocks
    below = np.where(spread, far + (mix(attack, nth, 25) % np.uint64(ASNS_OF_SPREAD)).astype(np.int64), block)
    own = [
        f"{dist.ATTACKER_NETWORK6}:{number:x}:{n + 1:x}::1" if is_spread else _address4(place)
        for number, n, is_spread, place in zip(
            *map(np.ndarray.tolist, (attack, nth, spread, rented)), strict=True
        )
    ]
    return (
        np.where(proxy, addresses(host), own).tolist(),
        np.where(proxy, country_codes(host), pick_countries(country)),
        np.where(proxy, asns(host), dist.ASNS[1] - below),
    )


def _address4(place: int) -> str:
    network, host = divmod(place, HOSTS)
    return f"{dist.ATTACKER_NETWORKS[network].rpartition('.')[0]}.{host + 1}"


def _leaks(rng: Rng, unknown: NDArray[np.bool_]) -> Categorical:
    """Make up addresses as lists of stolen credentials have them."""
    digits = np.frombuffer(b"0123456789abcdefghijklmnopqrstuvwxyz", dtype=np.uint8)
    names = digits[rng.integers(0, len(digits), (int(unknown.sum()), 9))].reshape(-1).view("S9")
    return free_text(len(unknown), np.flatnonzero(unknown), np.strings.add(names, b"@example.com"))
