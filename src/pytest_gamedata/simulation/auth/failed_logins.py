"""Failed logins of the players themselves, locks, password resets and second factors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.combine import stack, take
from pytest_gamedata.columns.conversion import Columns, to_moment
from pytest_gamedata.columns.local_time import seconds
from pytest_gamedata.columns.sampling import Floats, Rng, strata
from pytest_gamedata.simulation.auth.events import (
    ACCOUNT_LOCKED,
    CHALLENGE,
    FAILURE,
    LOCKED,
    MFA_FAILED,
    MFA_FAILURE,
    NONE,
    PASSWORD,
    PROVIDER_ERROR,
    REFRESH_TOKEN,
    RESET_COMPLETED,
    RESET_REQUESTED,
    UNKNOWN_USER,
    UNLOCKED,
    WRONG_PASSWORD,
    Events,
    events_around,
    make_events,
)
from pytest_gamedata.simulation.world import World

TRIES_MAX = 30  # so that an episode always fits into ROOM
ROOM = np.timedelta64(20, "m")  # from the end of a session to the next login, for failures, locks and resets
ROUND = dist.LOCK_AFTER_FAILURES + 1  # tries: those that lock, and one that meets the lock


def plan_troubles(world: World, logins: Events) -> Events:
    """Plan failing episodes and resets before logins by password, and second factors; one or the other at a time."""
    streams, users = world.streams, world.users
    quantile = strata(streams.of("logins", "trouble"), len(logins["at"]))
    room = world.sessions.room()
    able = (logins["method"] == PASSWORD) & (room > ROOM)
    # a lock of its own would be in the way of the cast's break-in
    able &= logins["user"] != world.cast.get("taken_over", NONE)
    failing = able & (quantile < dist.FAILING_EPISODE_SHARE)
    place = (quantile - dist.FAILING_EPISODE_SHARE) / dist.RESETS_PER_PASSWORD_LOGIN
    forgotten = able & (place >= 0) & (place < 1)
    return stack(
        [
            plan_failures(streams.of("logins", "failure"), users, take(logins, failing)),
            plan_resets(streams.of("logins", "reset"), users, take(logins, forgotten), place[forgotten]),
            plan_second_factors(streams.of("logins", "mfa"), users, logins, room),
        ]
    )


def plan_failures(rng: Rng, users: Columns, login: Events) -> Events:
    """Plan the failing episode before each of these logins: wrong passwords, and a lock after every fifth.

    One more try meets the lock, then the player waits until it has ended, LOCK_SECONDS after it began.
    """
    count = len(login["at"])
    tries = np.minimum(rng.geometric(dist.RETRY_SUCCESS, count), TRIES_MAX)
    gap = rng.uniform(*dist.RETRY_SECONDS, count)
    locks = (tries + 1) // ROUND
    wait = dist.LOCK_SECONDS + dist.LOCK_DELAY_SECONDS
    # a second factor comes after all this
    factor = np.asarray(users["mfa_enabled"])[login["user"]] * dist.MFA_SECONDS["missed"]
    begin = login["at"] - seconds(locks * wait + tries * gap + factor)
    each = np.repeat(np.arange(count), tries)
    nth = np.arange(len(each)) - np.repeat(np.cumsum(tries) - tries, tries)
    at = begin[each] + seconds(nth * gap[each] + nth // ROUND * wait)
    fifth = nth % ROUND == dist.LOCK_AFTER_FAILURES - 1
    met_lock = nth % ROUND == dist.LOCK_AFTER_FAILURES
    reason = np.where(met_lock, ACCOUNT_LOCKED, _draw_reasons(rng, locks[each] > 0))
    failures = events_around(take(login, each), type=FAILURE, at=at, reason=reason)
    return stack([_mistype(failures), _plan_locks(take(login, each[fifth]), at[fifth])])


def _draw_reasons(rng: Rng, locks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Draw why each try fails; where that locks the account, for wrong passwords alone."""
    quantile = rng.random(len(locks))
    mistyped = quantile < dist.WRONG_PASSWORD_SHARE + dist.MISTYPED_NAME_SHARE
    other = np.where(mistyped, UNKNOWN_USER, PROVIDER_ERROR)
    return np.where(locks | (quantile < dist.WRONG_PASSWORD_SHARE), WRONG_PASSWORD, other)


def _mistype(failures: Events) -> Events:
    """Let those who mistype their name be nobody that the game knows."""
    mistyped = failures["reason"] == UNKNOWN_USER
    person = np.where(mistyped, failures["user"], NONE)
    return {**failures, "user": np.where(mistyped, NONE, failures["user"]), "person": person}


def _plan_locks(login: Events, failed_at: NDArray[np.datetime64]) -> Events:
    """Plan the lock after each of these failures, and its end."""
    lock_at = failed_at + seconds(dist.LOCK_DELAY_SECONDS)
    unlock_at = lock_at + seconds(dist.LOCK_SECONDS)
    return stack(
        [events_around(login, type=LOCKED, at=lock_at), events_around(login, type=UNLOCKED, at=unlock_at)]
    )


def plan_resets(rng: Rng, users: Columns, login: Events, place: Floats) -> Events:
    """Plan forgotten passwords: a reset is asked for before a login, and mostly completed.

    `place` are their quantiles. The link goes to an address that is known to be the user's.
    """
    count = len(place)
    asked_at = login["at"] - seconds(rng.uniform(*dist.RESET_ASKED_SECONDS, count))
    done_at = login["at"] - seconds(rng.uniform(*dist.RESET_DONE_SECONDS, count))
    verified = np.asarray(users["email_verified_at"])[login["user"]] < asked_at
    completed = verified & (place < dist.RESET_COMPLETED_SHARE)
    return stack(
        [
            take(events_around(login, type=RESET_REQUESTED, at=asked_at), verified),
            take(events_around(login, type=RESET_COMPLETED, at=done_at), completed),
        ]
    )


def plan_second_factors(rng: Rng, users: Columns, logins: Events, room: NDArray[np.timedelta64]) -> Events:
    """Plan the challenge before each login by hand of a user with a second factor, and some failures."""
    first = np.diff(logins["user"], prepend=NONE) != 0
    asked = np.asarray(users["mfa_enabled"])[logins["user"]] & (logins["method"] != REFRESH_TOKEN) & ~first
    login = take(logins, asked)
    lead = seconds(dist.MFA_SECONDS["challenge"])
    since = np.diff(logins["at"], prepend=logins["at"][:1])[asked]  # the login before
    spacious = room[asked] > seconds(dist.LOGOUT_GAP_SECONDS)
    missed = take(login, spacious & (strata(rng, len(since)) < dist.MFA_FAILURE_SHARE))
    again = {"method": missed["method"]}
    missed_at = missed["at"] - seconds(dist.MFA_SECONDS["missed"])
    failed_at = missed["at"] - seconds(dist.MFA_SECONDS["failure"])
    return stack(
        [
            events_around(
                login, type=CHALLENGE, method=login["method"], at=login["at"] - np.minimum(lead, since // 2)
            ),
            events_around(missed, type=CHALLENGE, **again, at=missed_at),
            events_around(missed, type=MFA_FAILURE, **again, reason=MFA_FAILED, at=failed_at),
        ]
    )


def lock_delay(gap: float) -> NDArray[np.timedelta64]:
    """Return how long after the first of several failures, so many seconds apart, the account is locked."""
    return seconds((dist.LOCK_AFTER_FAILURES - 1) * gap + dist.LOCK_DELAY_SECONDS)


def plan_lock_out(world: World) -> Events:
    """Plan how the locked users failed to get in, half way between the last session and the end."""
    user = np.flatnonzero(world.users["status"].is_("locked"))
    ended_at = world.users["ended_at"][user]
    start = ended_at + (to_moment(world.spec.until) - ended_at) // 2
    each = np.repeat(user, dist.LOCK_AFTER_FAILURES)
    nth = np.arange(len(each)) % dist.LOCK_AFTER_FAILURES
    at = np.repeat(start, dist.LOCK_AFTER_FAILURES) + seconds(nth * dist.RETRY_SECONDS[0])
    story = np.int64(NONE)  # a story before all others: it stays with the dataset
    failures = make_events(len(each), user=each, type=FAILURE, reason=WRONG_PASSWORD, at=at, story=story)
    lock_at = start + lock_delay(dist.RETRY_SECONDS[0])
    return stack([failures, make_events(len(user), user=user, type=LOCKED, at=lock_at, story=story)])
