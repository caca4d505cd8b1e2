"""What players do at the door: registrations, logins with their failures, resets, logouts, second factors.

A plan is a table of events before their details are drawn: `user` (position, -1 for none), `type`, `reason`
and `method` (codes of TYPES, REASONS and METHODS), `at`, `session`, `device`, `address`, `attack` (number,
-1 for legitimate events) and `story`: events of one story stay together when a dataset is cut to size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.arrays import NULL_MOMENT, Columns, stack, table_of, take, to_moment
from pytest_gamedata.factories.columns import Streams
from pytest_gamedata.factories.draws import Rng, seconds, strata
from pytest_gamedata.factories.sessions import Sessions
from pytest_gamedata.settings import DatasetSpec

Plan = dict[str, Any]
TYPES = (
    "register", "login_success", "login_failure", "logout", "mfa_challenge", "mfa_failure",
    "password_reset_requested", "password_reset_completed", "account_locked", "account_unlocked",
)  # fmt: skip
(
    REGISTER, SUCCESS, FAILURE, LOGOUT, CHALLENGE, MFA_FAILURE, RESET_REQUESTED, RESET_COMPLETED, LOCKED, UNLOCKED,
) = range(len(TYPES))  # fmt: skip
REASONS = ("wrong_password", "unknown_user", "account_locked", "mfa_failed", "provider_error")
WRONG_PASSWORD, UNKNOWN_USER, ACCOUNT_LOCKED, MFA_FAILED, PROVIDER_ERROR = range(len(REASONS))
METHODS = (
    "password", "refresh_token", "device", "google", "apple", "steam", "facebook", "psn", "xbox", "nintendo",
    "email_link",
)  # fmt: skip
PASSWORD, REFRESH_TOKEN = 0, 1
NONE = -1
TRIES_MAX = 30  # so that an episode always fits into ROOM
ROOM = np.timedelta64(20, "m")  # between two logins of a user, for failures, locks and resets
LOCK_DELAY = 0.5  # seconds from the last failure that is allowed to the lock
_BLANK = {
    "user": NONE, "type": SUCCESS, "reason": NONE, "method": PASSWORD, "at": NULL_MOMENT, "session": 0,
    "device": 0, "address": 0, "attack": NONE, "story": 0,
}  # fmt: skip


def plan_legitimate(
    spec: DatasetSpec, streams: Streams, users: Columns, sessions: Sessions, cast: dict[str, int]
) -> Plan:
    """Plan all that the players themselves do; a story is a registration or a session."""
    logins = plan_logins(streams.of("logins", "login"), users, sessions)
    parts = [
        plan_registrations(users),
        logins,
        plan_failures(streams.of("logins", "failure"), users, logins),
        plan_resets(streams.of("logins", "reset"), users, logins),
        plan_second_factors(streams.of("logins", "mfa"), users, logins),
        plan_logouts(streams.of("logins", "logout"), sessions, logins),
        plan_lock_out(spec, users),
    ]
    return stack(parts)


def plan_events(count: int, **given: Any) -> Plan:
    """Make a table of so many planned events."""
    return table_of(count, _BLANK, given)


def methods_of(users: Columns) -> NDArray[np.int64]:
    """Return each user's own way to log in, as a code of METHODS."""
    provider = users["signup_provider"]
    return provider.to({word: METHODS.index(word) for word in provider.words}, np.int64)


def plan_registrations(users: Columns) -> Plan:
    """Plan each user's first event."""
    count = len(users["id"])
    user = np.arange(count)
    return plan_events(
        count, user=user, type=REGISTER, method=methods_of(users), at=users["created_at"], story=user
    )


def plan_logins(rng: Rng, users: Columns, sessions: Sessions) -> Plan:
    """Plan the login that begins each session: by hand, or by a token that the device keeps."""
    user, count = sessions.user, len(sessions.user)
    first = np.diff(user, prepend=-1) != 0
    nth = _nth_session(user)
    # who has a second factor is asked for it on coming back
    asked = (nth == 1) & users["mfa_enabled"][user]
    settled = sessions.start - np.asarray(users["created_at"])[user] > np.timedelta64(1, "m")
    by_hand = first | (settled & (asked | (rng.random(count) < dist.INTERACTIVE_LOGIN_SHARE)))
    devices, addresses = np.asarray(users["devices"])[user], np.asarray(users["addresses"])[user]
    # the first device and address are the usual ones; each user's last sessions show them all
    device = np.where(first, 0, (rng.random(count) ** 2 * devices).astype(np.int64))
    address = np.where(first, 0, (rng.random(count) ** 2 * addresses).astype(np.int64))
    device = np.where((nth > 0) & (nth < devices), nth, device)
    return plan_events(
        count,
        user=user,
        method=np.where(by_hand, methods_of(users)[user], REFRESH_TOKEN),
        at=sessions.start,
        session=np.arange(count),
        device=device,
        address=address,
        story=len(users["id"]) + np.arange(count),
    )


def _nth_session(user: NDArray[np.int64]) -> NDArray[np.int64]:
    position = np.arange(len(user))
    return position - np.searchsorted(user, user, side="left")


def _around(login: Plan, **changed: Any) -> Plan:
    """Plan events that belong to these logins: the same user, device, address and story."""
    return plan_events(len(login["at"]), **{**login, "method": PASSWORD, **changed})


def _by_password(logins: Plan) -> NDArray[np.bool_]:
    """Tell which logins were typed by hand, with a password, with room before them for what went wrong."""
    room = np.diff(logins["at"], prepend=logins["at"][:1])
    same_user = np.diff(logins["user"], prepend=NONE) == 0
    return (logins["method"] == PASSWORD) & same_user & (room > ROOM)


def plan_failures(rng: Rng, users: Columns, logins: Plan) -> Plan:
    """Plan failing episodes before password logins: wrong passwords, and a lock after every fifth.

    One more try meets the lock, then the player waits until it has ended.
    """
    quantile = strata(rng, len(logins["at"]))
    login = take(logins, _by_password(logins) & (quantile < dist.FAILING_EPISODE_SHARE))
    count = len(login["at"])
    tries = np.minimum(rng.geometric(dist.RETRY_SUCCESS, count), TRIES_MAX)
    gap = rng.uniform(*dist.RETRY_SECONDS, count)
    per_round = dist.LOCK_AFTER_FAILURES + 1
    locks = (tries + 1) // per_round
    begin = login["at"] - seconds(locks * (dist.LOCK_SECONDS + LOCK_DELAY) + tries * gap)
    each = np.repeat(np.arange(count), tries)
    nth = np.arange(len(each)) - np.repeat(np.cumsum(tries) - tries, tries)
    waited = nth // per_round * (dist.LOCK_SECONDS + LOCK_DELAY)
    at = begin[each] + seconds(nth * gap[each] + waited)
    wrong = np.where(rng.random(len(each)) < dist.WRONG_PASSWORD_SHARE, WRONG_PASSWORD, PROVIDER_ERROR)
    wrong = np.where(locks[each] > 0, WRONG_PASSWORD, wrong)
    met_lock = nth % per_round == dist.LOCK_AFTER_FAILURES
    fifth = nth % per_round == dist.LOCK_AFTER_FAILURES - 1
    failures = _around(
        take(login, each), type=FAILURE, at=at, reason=np.where(met_lock, ACCOUNT_LOCKED, wrong)
    )
    locked, lock_at = take(login, each[fifth]), at[fifth] + seconds(LOCK_DELAY)
    unlock_at = lock_at + seconds(dist.LOCK_SECONDS)
    return stack(
        [failures, _around(locked, type=LOCKED, at=lock_at), _around(locked, type=UNLOCKED, at=unlock_at)]
    )


def plan_resets(rng: Rng, users: Columns, logins: Plan) -> Plan:
    """Plan forgotten passwords: a reset is asked for before a login, and mostly completed."""
    share = dist.RESETS_PER_PASSWORD_LOGIN
    quantile = strata(rng, len(logins["at"]))
    chosen = _by_password(logins) & (quantile < share)
    login = take(logins, chosen)
    completed = quantile[chosen] < share * dist.RESET_COMPLETED_SHARE
    asked_at = login["at"] - seconds(rng.uniform(300, 900, len(login["at"])))
    done = take(login, completed)
    return stack(
        [
            _around(login, type=RESET_REQUESTED, at=asked_at),
            _around(
                done, type=RESET_COMPLETED, at=done["at"] - seconds(rng.uniform(120, 280, len(done["at"])))
            ),
        ]
    )


def plan_second_factors(rng: Rng, users: Columns, logins: Plan) -> Plan:
    """Plan the challenge before each login by hand of a user with a second factor, and some failures."""
    room = logins["at"] - np.asarray(users["created_at"])[logins["user"]]
    asked = np.asarray(users["mfa_enabled"])[logins["user"]] & (logins["method"] != REFRESH_TOKEN)
    login = take(logins, asked & (room > np.timedelta64(1, "m")))
    missed = take(login, strata(rng, len(login["at"])) < dist.MFA_FAILURE_SHARE)
    return stack(
        [
            _around(login, type=CHALLENGE, method=login["method"], at=login["at"] - seconds(6)),
            _around(missed, type=CHALLENGE, method=missed["method"], at=missed["at"] - seconds(25)),
            _around(
                missed,
                type=MFA_FAILURE,
                method=missed["method"],
                reason=MFA_FAILED,
                at=missed["at"] - seconds(12),
            ),
        ]
    )


def plan_logouts(rng: Rng, sessions: Sessions, logins: Plan) -> Plan:
    """Plan the sessions that end with a logout."""
    chosen = strata(rng, len(logins["at"])) < dist.LOGOUT_SHARE
    end = np.minimum(sessions.start + seconds(sessions.seconds), sessions.latest)
    login = take(logins, chosen)
    return _around(login, type=LOGOUT, method=login["method"], at=np.maximum(end, sessions.start)[chosen])


def plan_lock_out(spec: DatasetSpec, users: Columns) -> Plan:
    """Plan how the locked users failed to get in, half way between the last session and the end."""
    user = np.flatnonzero(users["status"].is_("locked"))
    ended_at = users["ended_at"][user]
    start = ended_at + (to_moment(spec.until) - ended_at) // 2
    each = np.repeat(user, dist.LOCK_AFTER_FAILURES)
    nth = np.arange(len(each)) % dist.LOCK_AFTER_FAILURES
    at = np.repeat(start, dist.LOCK_AFTER_FAILURES) + seconds(nth * dist.RETRY_SECONDS[0])
    story = np.int64(NONE)  # a story before all others: it stays with the dataset
    failures = plan_events(len(each), user=each, type=FAILURE, reason=WRONG_PASSWORD, at=at, story=story)
    lock_at = start + seconds((dist.LOCK_AFTER_FAILURES - 1) * dist.RETRY_SECONDS[0] + LOCK_DELAY)
    return stack([failures, plan_events(len(user), user=user, type=LOCKED, at=lock_at, story=story)])
