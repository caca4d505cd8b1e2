"""The cast: named users that API tests keep needing, carved out of the users of a dataset."""

from __future__ import annotations

from pytest_gamedata.distributions import ROLES


def cast_positions(users: int) -> dict[str, int]:
    """Give each role that fits a position among the users as they are drawn."""
    return dict(zip(ROLES[:users], range(users), strict=False))


def members(cast: dict[str, int], *roles: str) -> list[int]:
    """Return who plays these roles, as far as the cast has them."""
    return [cast[role] for role in roles if role in cast]
