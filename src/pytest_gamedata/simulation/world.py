"""World: what all planning functions share, in one record."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pytest_gamedata.columns.conversion import Columns
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.distributions import ROLES
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.simulation.sessions import Sessions


@dataclass(frozen=True)
class World:
    """Players, catalogue and sessions of a dataset, with its settings and its random streams.

    Users and items come in the order of their ids. The simulation refers to them by position: an id less one.
    """

    spec: DatasetSpec
    streams: Streams
    users: Columns
    items: Columns
    sessions: Sessions

    @cached_property
    def cast(self) -> dict[str, int]:
        """The position of each role's user, as far as there are users enough."""
        return {role: int(np.argmax(self.users[role])) for role in ROLES if self.users[role].any()}

    @property
    def cast_ids(self) -> dict[str, int]:
        """The id of each role's user."""
        return {role: position + 1 for role, position in self.cast.items()}

    def members(self, *roles: str) -> list[int]:
        """Return the positions of the users who play these roles, as far as the cast has them."""
        return [self.cast[role] for role in roles if role in self.cast]
