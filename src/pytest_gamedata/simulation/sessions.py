"""Sessions: the times at which each user plays, which logins, purchases and playtime follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.combine import take
from pytest_gamedata.columns.conversion import Columns, to_moment
from pytest_gamedata.columns.local_time import moments_in_day, seconds
from pytest_gamedata.columns.sampling import Rng, normal_quantile, session_counts, session_lengths, strata
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.settings import DatasetSpec

USERS_PER_BLOCK = 10_000  # bounds the memory of the users x days table
PAYMENT_MARGIN = np.timedelta64(10, "s")  # what a payment takes at most: it ends before the window does


@dataclass(frozen=True)
class Sessions:
    """All sessions, ordered by user and time; a user's first begins with the registration.

    `user` is a position, `day` counts from the sign-up, `seconds` is the length.
    """

    user: NDArray[np.int64]
    day: NDArray[np.int64]
    start: NDArray[np.datetime64]
    seconds: NDArray[np.int64]
    latest: NDArray[np.datetime64]  # what happens in the session happens no later

    def moments(self, rng: Rng, user: NDArray[np.int64], when: NDArray[np.float64]) -> NDArray[np.datetime64]:
        """Draw a moment in one of each user's sessions: `when` 0 the first of them, just below 1 the last."""
        return self.moments_in(rng, self.choose(user, when))

    def choose(self, user: NDArray[np.int64], when: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the position of one of each user's sessions."""
        first = np.searchsorted(self.user, user, side="left")
        count = np.searchsorted(self.user, user, side="right") - first
        return first + (when * count).astype(np.int64)

    def draw(self, rng: Rng, count: int) -> NDArray[np.int64]:
        """Return the positions of so many sessions, spread evenly over all of them."""
        return (strata(rng, count) * len(self.user)).astype(np.int64)

    def next_of_day(self, session: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the session after each of these on the same day; the same one where there is none."""
        following = np.minimum(session + 1, len(self.user) - 1)
        same = (self.user[following] == self.user[session]) & (self.day[following] == self.day[session])
        return np.where(same, following, session)

    def moments_in(self, rng: Rng, session: NDArray[np.int64]) -> NDArray[np.datetime64]:
        """Draw a moment in each of these sessions."""
        start, latest = self.start[session], self.latest[session]
        moment = start + seconds(rng.random(len(session)) * self.seconds[session])
        return np.maximum(np.minimum(moment, latest), start)

    def end(self) -> NDArray[np.datetime64]:
        """Return when each session ends."""
        return np.maximum(np.minimum(self.start + seconds(self.seconds), self.latest), self.start)

    def room(self) -> NDArray[np.timedelta64]:
        """Return for how long the user was away before each session; before the first, not at all."""
        away = self.start - np.roll(self.end(), 1)
        return np.where(np.diff(self.user, prepend=-1) == 0, away, np.timedelta64(0, "us"))

    def last_start(self, users: int) -> NDArray[np.datetime64]:
        """Return when the last session of each user begins."""
        return self.start[self._last(users)]

    def longest_gap(self, user: int, until: Any) -> tuple[Any, Any]:
        """Return the end of one session and the start of the next (or the window's end), furthest apart."""
        rows = slice(*np.searchsorted(self.user, [user, user + 1]))
        end = self.start[rows] + seconds(self.seconds[rows])
        following = np.append(self.start[rows][1:], until)
        longest = int(np.argmax(following - end))
        return end[longest], following[longest]

    def last_day(self, users: int) -> NDArray[np.int64]:
        """Return for each user the last day with a session."""
        return self.day[self._last(users)]

    def _last(self, users: int) -> NDArray[np.intp]:
        """Return the position of each user's last session."""
        return np.searchsorted(self.user, np.arange(users), side="right") - 1


def make_sessions(spec: DatasetSpec, streams: Streams, users: Columns) -> Sessions:
    """Draw every session of every user; each user has at least one."""
    active = _draw_active_days(spec, streams.of("sessions", "day"), users)
    rng = streams.of("sessions", "count")
    count = session_counts(rng, len(active["user"]))
    count = np.where(active["day"] == 0, users["first_day_sessions"][active["user"]], count)
    sessions = take(active, np.repeat(np.arange(len(count)), count))
    sessions["start"] = _draw_starts(spec, streams.of("sessions", "start"), users, sessions)
    engagement = np.asarray(users["engagement"][sessions["user"]])
    sessions["seconds"] = session_lengths(streams.of("sessions", "length"), engagement)
    sessions = take(sessions, _still_playing(spec, users, sessions))
    end = np.minimum(np.asarray(users["ended_at"][sessions["user"]]), to_moment(spec.until))
    sessions["latest"] = end - PAYMENT_MARGIN
    sessions = take(sessions, np.lexsort((sessions["start"], sessions["user"])))
    return Sessions(**sessions | {"seconds": _until_next(sessions)})


def _until_next(sessions: Columns) -> NDArray[np.int64]:
    """Cut sessions where the next one of the same user begins, or the time to play is over."""
    user, start = sessions["user"], sessions["start"]
    following = np.append(start[1:], start[:1])
    is_last = np.append(np.diff(user) != 0, np.ones(min(len(user), 1), dtype=np.bool_))
    end = np.where(is_last, sessions["latest"], np.minimum(following, sessions["latest"]))
    left = (end - start).astype(np.int64) // 1_000_000
    return np.clip(sessions["seconds"], 1, np.maximum(left, 1))


def _draw_active_days(spec: DatasetSpec, rng: Rng, users: Columns) -> Columns:
    """Draw the days on which each user is active; day 0, the sign-up, always is one."""
    has_role = np.any([users[role] for role in dist.ROLES], axis=0)
    blocks = [
        _draw_block(spec, rng, users, has_role, slice(start, min(start + USERS_PER_BLOCK, spec.users)))
        for start in range(0, spec.users, USERS_PER_BLOCK)
    ]
    user = np.concatenate([np.zeros(0, np.int64), *(block[0] for block in blocks)])
    day = np.concatenate([np.zeros(0, np.int64), *(block[1] for block in blocks)])
    return {"user": user, "day": day}


def _draw_block(
    spec: DatasetSpec, rng: Rng, users: Columns, has_role: NDArray[np.bool_], rows: slice
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    count = rows.stop - rows.start
    rho = dist.ENGAGEMENT_CORRELATION
    own, other = np.float32(rho), np.float32((1 - rho**2) ** 0.5)
    noise = rng.standard_normal((spec.days, count), dtype=np.float32)
    drive = own * users["engagement"][rows].astype(np.float32) + other * noise
    quantile = _ranks(drive, ~has_role[rows])
    # a role is played whatever the others do: the cast's days are measured against the law, not the ranks
    quantile[:, has_role[rows]] = normal_quantile(drive[:, has_role[rows]])
    day, user = np.nonzero(quantile > 1 - _chances(spec, users, rows))
    first = np.arange(count)
    return np.concatenate([first, user]) + rows.start, np.concatenate([first * 0, day + 1])


def _ranks(drive: NDArray[np.float32], of: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return each user's quantile among these users, day by day: shares come out as close as their number allows."""
    ranks = np.zeros(drive.shape, dtype=np.float32)
    there = np.flatnonzero(of)
    quantiles = (np.arange(len(there), dtype=np.float32) + np.float32(0.5)) / np.float32(max(len(there), 1))
    np.put_along_axis(ranks, there[np.argsort(drive[:, there], axis=1)], quantiles[None, :], axis=1)
    return ranks


def _chances(spec: DatasetSpec, users: Columns, rows: slice) -> NDArray[np.float32]:
    """Return the chance that a user plays on each day after the sign-up: days x users."""
    preset = dist.PRESETS[spec.preset]
    scale, exponent = dist.PAYER_RETENTION
    day = np.arange(1, spec.days + 1)
    everyone = preset.day1_retention * day**preset.retention_exponent
    payers = np.minimum(scale * day**exponent, dist.PAYER_RETENTION_MAX)
    free = np.maximum((everyone - preset.payer_share * payers) / (1 - preset.payer_share), 1e-6)
    curves = np.stack([free, payers], axis=1).astype(np.float32)
    weekday = (_day(users["created_at"][rows]).astype(np.int64) + 3) % 7  # day 0 of the epoch was a Thursday
    weekend = (weekday + day[:, None]) % 7 >= 5
    # what weekends add is taken from the other days
    usual = np.float32(7 / (5 + 2 * dist.WEEKEND_UPLIFT))
    factor = np.where(weekend, usual * np.float32(dist.WEEKEND_UPLIFT), usual)
    return curves[:, users["payer"][rows].astype(np.intp)] * factor


def _draw_starts(spec: DatasetSpec, rng: Rng, users: Columns, sessions: Columns) -> Any:
    user = sessions["user"]
    created_at = np.asarray(users["created_at"][user])
    day = (_day(created_at) + sessions["day"]).astype("datetime64[us]")
    after = np.maximum(day, created_at + seconds(dist.REGISTRATION_SECONDS))
    start = moments_in_day(rng.random(len(user)), after, users["timezone"][user])
    first = np.flatnonzero(np.diff(np.asarray(user), prepend=-1) * (sessions["day"] == 0))
    start[first] = created_at[first] + seconds(dist.REGISTRATION_SECONDS)
    return start


def _still_playing(spec: DatasetSpec, users: Columns, sessions: Columns) -> NDArray[np.bool_]:
    """Keep the sessions before the window's end, a ban or deletion, and the day on which a user quits."""
    user = sessions["user"]
    end = np.minimum(np.asarray(users["ended_at"][user]), to_moment(spec.until))
    first = np.diff(np.asarray(user), prepend=-1).astype(bool) & (sessions["day"] == 0)
    return first | (
        (sessions["start"] <= end - PAYMENT_MARGIN) & (sessions["day"] <= users["quit_after_days"][user])
    )


def _day(moments: Any) -> Any:
    return np.asarray(moments).astype("datetime64[D]")
