"""Rounds of measurements, and the rows that are made of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from environment import Environment

Figures = dict[str, float]
TINY_USERS = 50
SLOW_ROUNDS = 2  # what takes minutes is not repeated more often
RATES = ("rows/s", "MB/s")  # of these more is better, of everything else less


@dataclass(frozen=True)
class Bench:
    """What to measure with, and how often; `tiny` only shows that everything works."""

    environment: Environment
    rounds: int
    tiny: bool

    def tests(self, number: int) -> int:
        """Return how many tests to run."""
        return 2 if self.tiny else number

    def users(self, number: int) -> int:
        """Return how many users to make."""
        return TINY_USERS if self.tiny else number


@dataclass(frozen=True)
class Target:
    """What is asked for: a least ratio, or a most of ours; and why it is missed, where it is."""

    least_ratio: float | None = None
    most: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the table: a figure of ours beside one of a peer's."""

    what: str
    ours: float
    unit: str
    peer: str = ""
    peers: float | None = None
    target: Target | None = None

    @property
    def ratio(self) -> float | None:
        """How many times better ours is."""
        if self.peers is None:
            return None
        return self.ours / self.peers if self.unit in RATES else self.peers / self.ours

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met, None where there is none."""
        if self.target is None:
            return None
        if self.target.most is not None:
            return self.ours <= self.target.most
        return (self.ratio or 0) >= (self.target.least_ratio or 0)


def interleave(
    name: str, rounds: int, contestants: Mapping[str, Callable[[], Figures]]
) -> dict[str, Figures]:
    """Let everybody have a turn in each round; return the median of each figure of each contestant."""
    found: dict[str, list[Figures]] = {contestant: [] for contestant in contestants}
    for number in range(1, rounds + 1):
        for contestant, measure in contestants.items():
            figures = measure()
            found[contestant].append(figures)
            shown = ", ".join(f"{key} {value:.4g}" for key, value in figures.items())
            print(f"{name}, round {number} of {rounds}: {contestant}: {shown}", file=sys.stderr, flush=True)
    return {
        contestant: {key: median(figures[key] for figures in every) for key in every[0]}
        for contestant, every in found.items()
    }
