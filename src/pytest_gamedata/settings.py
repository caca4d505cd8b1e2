"""The settings: one table of options, and the frozen specification of a dataset that they resolve to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pytest_gamedata.errors import SettingsError

PRESETS = ("top_quartile",)
LATER_PRESETS = ("median", "hit", "whale_heavy")
ISOLATIONS = ("database",)
LATER_ISOLATIONS = ("transaction", "readonly")


@dataclass(frozen=True)
class DatasetSpec:
    """What a dataset is made from; equal specs give equal rows.

    `transactions` and `auth_events` are exact numbers of rows, None for what the users' activity gives.
    `until` is the end of the window of `days` days, in UTC.
    """

    users: int = 100
    items: int = 120
    transactions: int | None = None
    auth_events: int | None = None
    days: int = 90
    until: datetime = datetime(2025, 1, 1, tzinfo=UTC)
    seed: int = 1
    preset: str = "top_quartile"
    isolation: str = "database"

    @property
    def since(self) -> datetime:
        """The start of the window."""
        return self.until - timedelta(days=self.days)
