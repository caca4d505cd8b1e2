"""All users of a dataset, in the order of their sign-up."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_gamedata.columns.categorical import constant
from pytest_gamedata.columns.combine import take
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.columns.values import Columns, to_moment
from pytest_gamedata.settings import DatasetSpec


def make_users(spec: DatasetSpec, streams: Streams, cast: dict[str, int], user_factory: Any) -> Columns:
    """Draw all users with their plans, in the order of their sign-up; ids count from 1."""
    roles = {role: np.arange(spec.users) == position for role, position in cast.items()}
    users = user_factory.columns(
        spec.users,
        streams,
        number=np.arange(1, spec.users + 1),
        lone=False,
        since=to_moment(spec.since),
        until=to_moment(spec.until),
        preset=constant(spec.preset, spec.users),
        hashed=constant(spec.password_hash, spec.users),
        **roles,
    )
    users = take(users, np.argsort(users["created_at"], kind="stable"))
    return {**users, "id": np.arange(1, spec.users + 1)}
