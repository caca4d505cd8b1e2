"""The cast: named users that API tests keep needing, carved out of the users of a dataset."""

from __future__ import annotations

# In order of precedence: a dataset of five users has the first five.
ROLES = (
    "whale", "free_player", "newcomer", "churned", "one_time_buyer", "banned", "locked", "deleted", "refunded",
    "charged_back", "trader", "gifter", "mfa_user", "attacked", "taken_over", "failed_payer", "multi_device",
    "unverified",
)  # fmt: skip


def cast_positions(users: int) -> dict[str, int]:
    """Give each role that fits a position among the users as they are drawn."""
    return dict(zip(ROLES[:users], range(users), strict=False))


def members(cast: dict[str, int], *roles: str) -> list[int]:
    """Return who plays these roles, as far as the cast has them."""
    return [cast[role] for role in roles if role in cast]
