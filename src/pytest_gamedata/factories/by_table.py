"""The factory that draws each of our tables: ours, or a team's subclass of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pytest_gamedata.factories import FACTORIES
from pytest_gamedata.models import TABLES

OWN_FACTORIES = dict(zip(TABLES, FACTORIES, strict=True))


def table_of(factory: Any) -> str | None:
    """Return which of our tables a factory draws, None if it is no factory of ours nor a subclass."""
    return next((table for table, own in OWN_FACTORIES.items() if issubclass(factory, own)), None)


def factories_by_table(factories: Iterable[Any]) -> dict[str, Any]:
    """Return the factory of each table: the last of these that changes ours, else ours."""
    return OWN_FACTORIES | {table: each for each in factories if (table := table_of(each))}
