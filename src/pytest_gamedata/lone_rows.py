"""What lone rows go by: the session that create() persists through, and the dataset that they belong to."""

from __future__ import annotations

from typing import Any

from pytest_gamedata.settings import DatasetSpec

# `rng` is the stream that lone rows are drawn from, None until the first one is.
STATE: dict[str, Any] = {"session": None, "spec": DatasetSpec(), "rng": None}


def persist_through(session: Any, spec: DatasetSpec | None = None) -> None:
    """Let every factory's create() use this session (None: no longer) for rows that fit this dataset."""
    STATE.update(session=session, spec=spec or DatasetSpec(), rng=None)
