"""Registrations, logins by hand or by token, and logouts of the players themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.combine import stack, take
from pytest_gamedata.columns.conversion import Columns
from pytest_gamedata.columns.local_time import seconds
from pytest_gamedata.columns.sampling import Rng, strata
from pytest_gamedata.simulation.auth.events import (
    LOGOUT,
    REFRESH_TOKEN,
    REGISTER,
    Events,
    events_around,
    make_events,
    methods_of,
)
from pytest_gamedata.simulation.auth.failed_logins import plan_lock_out, plan_troubles
from pytest_gamedata.simulation.sessions import Sessions
from pytest_gamedata.simulation.world import World


def plan_legitimate(world: World) -> Events:
    """Plan all that the players themselves do; a story is a registration or a session."""
    leaves = _draw_logouts(world.streams.of("logins", "logout"), world.sessions)
    logins = plan_logins(world, leaves)
    return stack(
        [
            plan_registrations(world.users),
            logins,
            plan_troubles(world, logins),
            plan_logouts(world.sessions, logins, leaves),
            plan_lock_out(world),
        ]
    )


def plan_registrations(users: Columns) -> Events:
    """Plan each user's first event."""
    count = len(users["id"])
    user = np.arange(count)
    return make_events(
        count, user=user, type=REGISTER, method=methods_of(users), at=users["created_at"], story=user
    )


def plan_logins(world: World, leaves: NDArray[np.bool_]) -> Events:
    """Plan the login that begins each session: by hand, or by a token that the device keeps."""
    users, sessions, rng = world.users, world.sessions, world.streams.of("logins", "login")
    user, count = sessions.user, len(sessions.user)
    device = draw_devices(rng, users, user)
    by_hand = _no_token(user, device, leaves) | _draw_by_hand(rng, users, sessions)
    return make_events(
        count,
        user=user,
        method=np.where(by_hand, methods_of(users)[user], REFRESH_TOKEN),
        at=sessions.start,
        session=np.arange(count),
        device=device,
        address=_draw_usual(rng, np.asarray(users["addresses"])[user], _nth_session(user)),
        story=len(users["id"]) + np.arange(count),
    )


def draw_devices(rng: Rng, users: Columns, user: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw on which device each session is played: each user's second sessions and next show them all."""
    # an account that a device opened is known by nothing else
    devices = np.where(users["signup_provider"].is_("device"), 1, users["devices"])[user]
    nth = _nth_session(user)
    return np.where((nth > 0) & (nth < devices), nth, _draw_usual(rng, devices, nth))


def _draw_usual(rng: Rng, count: NDArray[np.int64], nth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw one of so many for each session, the first ones most often; the first session has the first."""
    drawn = (rng.random(len(count)) ** dist.USUAL_SKEW * count).astype(np.int64)
    return np.where(nth == 0, 0, drawn)


def _nth_session(user: NDArray[np.int64]) -> NDArray[np.int64]:
    position = np.arange(len(user))
    return position - np.searchsorted(user, user, side="left")


def _no_token(
    user: NDArray[np.int64], device: NDArray[np.int64], leaves: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tell which sessions find no token on their device: the first on it, and those after a logout."""
    key = user * (int(device.max(initial=0)) + 1) + device
    order = np.argsort(key, kind="stable")  # each user's sessions by device
    missing = np.zeros(len(user), dtype=np.bool_)
    missing[order] = (np.diff(key[order], prepend=-1) != 0) | np.roll(leaves[order], 1)
    return missing


def _draw_by_hand(rng: Rng, users: Columns, sessions: Sessions) -> NDArray[np.bool_]:
    """Draw where somebody logs in by hand although there is a token."""
    user = sessions.user
    # who has a second factor is asked for it on coming back
    asked = (_nth_session(user) == 1) & users["mfa_enabled"][user]
    settled = sessions.start - np.asarray(users["created_at"])[user] > np.timedelta64(1, "m")
    return settled & (asked | (rng.random(len(user)) < dist.INTERACTIVE_LOGIN_SHARE))


def _draw_logouts(rng: Rng, sessions: Sessions) -> NDArray[np.bool_]:
    """Draw the sessions that end with a logout: none that the next one follows at once."""
    room = np.roll(sessions.room(), -1)
    last = np.append(np.diff(sessions.user) != 0, np.ones(min(len(room), 1), dtype=np.bool_))
    apart = last | (room > seconds(dist.LOGOUT_GAP_SECONDS))
    return apart & (strata(rng, len(room)) < dist.LOGOUT_SHARE)


def plan_logouts(sessions: Sessions, logins: Events, leaves: NDArray[np.bool_]) -> Events:
    """Plan the logouts at the end of these sessions."""
    login = take(logins, leaves)
    return events_around(login, type=LOGOUT, method=login["method"], at=sessions.end()[leaves])
