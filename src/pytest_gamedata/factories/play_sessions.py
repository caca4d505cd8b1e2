"""Factory of play sessions: when and on which device users played."""

from __future__ import annotations

from typing import Any

import factory
import numpy as np

from pytest_gamedata.columns.conversion import Column
from pytest_gamedata.columns.local_time import seconds
from pytest_gamedata.columns.sampling import Rng, normal, session_lengths
from pytest_gamedata.factories.auth_events import device_ids, own_platform, session_ids
from pytest_gamedata.factories.base import GameFactory
from pytest_gamedata.factories.draw import Draw, of_spec
from pytest_gamedata.factories.users import UserFactory
from pytest_gamedata.models import PlaySession


def _draw_started_at(row: Any, rng: Rng, n: int) -> Column:
    """Draw a moment between the sign-up and the end of the window."""
    left = np.maximum((row.until - row.user.created_at).astype(np.int64), 0)
    return row.user.created_at + (rng.random(n) * left).astype("timedelta64[us]")


def _draw_duration_seconds(row: Any, rng: Rng, n: int) -> Column:
    """Draw how long somebody plays, no longer than the window lasts."""
    left = (row.until - row.started_at).astype(np.int64) // 1_000_000
    return np.clip(session_lengths(rng, normal(rng.random(n))), 1, np.maximum(left, 1))


class PlaySessionFactory(GameFactory):
    """Build play sessions; a dataset has them, one for each login that begins one, if this factory is asked for."""

    class Meta:
        model = PlaySession

    class Params:
        number = factory.Sequence(lambda number: number)
        until = of_spec(lambda spec: spec.until)
        who = factory.SelfAttribute("number")  # what the devices depend on: the user
        device = 0  # of the user's devices
        session = factory.SelfAttribute("number")

    user_id = None
    user = factory.Maybe("user_id", no_declaration=factory.SubFactory(UserFactory))
    started_at = Draw(_draw_started_at)
    duration_seconds = Draw(_draw_duration_seconds)
    ended_at = Draw(lambda row, rng, n: row.started_at + seconds(row.duration_seconds))
    platform = Draw(lambda row, rng, n: own_platform(row))
    device_id = Draw(lambda row, rng, n: device_ids(row))
    session_id = Draw(lambda row, rng, n: session_ids(row))
