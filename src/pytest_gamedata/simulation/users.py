"""All users of a dataset, in the order of their sign-up."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_gamedata.columns.categorical import constant
from pytest_gamedata.columns.combine import take
from pytest_gamedata.columns.conversion import Columns, to_moment
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.distributions import ROLES
from pytest_gamedata.settings import DatasetSpec


def make_users(spec: DatasetSpec, streams: Streams, user_factory: Any) -> Columns:
    """Draw all users with what they are going to do, in the order of their sign-up; ids count from 1."""
    number = np.arange(1, spec.users + 1)
    users = user_factory.columns(
        spec.users,
        streams,
        number=number,
        always_active=False,
        shifts_names=True,
        rounding=0.0,
        since=to_moment(spec.since),
        until=to_moment(spec.until),
        preset=constant(spec.preset, spec.users),
        hashed=constant(spec.password_hash, spec.users),
        **{role: number == nth for nth, role in enumerate(ROLES[: spec.users], 1)},
    )
    users = take(users, np.argsort(users["created_at"], kind="stable"))
    return {**users, "id": number}
