"""Play sessions: the sessions of the simulation as rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.conversion import Columns
from pytest_gamedata.columns.parents import Parent
from pytest_gamedata.factories.fields import drop_params
from pytest_gamedata.simulation.auth.logins import draw_devices
from pytest_gamedata.simulation.sessions import Sessions
from pytest_gamedata.simulation.world import World


def make_play_sessions(world: World, play_session_factory: Any) -> Columns:
    """Draw a row for each session, in the order of time; ids count from 1."""
    sessions, count = world.sessions, len(world.sessions.user)
    device = draw_devices(world.streams.of("logins", "login"), world.users, sessions.user)  # as the logins do
    order = np.argsort(sessions.start, kind="stable")
    user = sessions.user[order]
    rows = play_session_factory.columns(
        count,
        world.streams,
        number=np.arange(count),
        user=Parent(world.users, user),
        user_id=user + 1,
        who=user,
        device=device[order],
        session=order,
        started_at=sessions.start[order],
        ended_at=_ends(sessions)[order],
        duration_seconds=sessions.seconds[order],
    )
    return {**drop_params(play_session_factory, rows), "id": np.arange(1, count + 1)}


def _ends(sessions: Sessions) -> NDArray[np.datetime64]:
    """Return when each session ends: before the next one begins, even where it is shorter than a second."""
    end, following = sessions.end(), np.roll(sessions.start, -1)
    is_last = np.append(np.diff(sessions.user) != 0, np.ones(min(len(end), 1), dtype=np.bool_))
    return np.where(is_last, end, np.minimum(end, following))
