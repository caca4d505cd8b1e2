"""How many rows an extra table gets: so many for each row of a parent table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Per:
    """Ask for so many rows per parent row on average; each parent's own number is drawn.

    >>> Per(UserFactory, 1.5)  # doctest: +SKIP
    """

    parent: Any  # a factory
    mean: float

    def __post_init__(self) -> None:
        if (
            isinstance(self.mean, bool)
            or not isinstance(self.mean, int | float)
            or not 0 <= self.mean < 10_000
        ):
            raise ValueError(f"Per: mean {self.mean!r} is not allowed. Allowed: a number from 0 to 10000.")
