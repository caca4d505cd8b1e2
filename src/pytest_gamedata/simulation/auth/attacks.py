"""Attacks on accounts: credential stuffing from few addresses or many, brute force on one, each with its label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.combine import stack, take
from pytest_gamedata.columns.conversion import Columns, to_moment, to_python
from pytest_gamedata.columns.local_time import seconds
from pytest_gamedata.columns.sampling import Rng, pick, strata
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.simulation.auth.attackers import KINDS, addresses_of, kinds_of
from pytest_gamedata.simulation.auth.events import (
    ACCOUNT_LOCKED,
    FAILURE,
    LOCKED,
    NONE,
    PASSWORD,
    RESET_COMPLETED,
    RESET_REQUESTED,
    SUCCESS,
    UNKNOWN_USER,
    UNLOCKED,
    WRONG_PASSWORD,
    Events,
    make_events,
    methods_of,
)
from pytest_gamedata.simulation.auth.failed_logins import ROOM, lock_delay
from pytest_gamedata.simulation.world import World

DAY_SECONDS = 86_400
# Stories are numbered apart from those of sessions: each attempt its own, a brute force one with its lock.
LONE_STORIES, BRUTE_FORCE_STORIES = 1 << 41, 1 << 42
# Sessions are numbered apart from the planned ones: those in which an owner comes back, and attackers'.
OWNERS_SESSION, ATTACK_SESSIONS = 1 << 40, 1 << 56


@dataclass(frozen=True)
class Attack:
    """One attack: its kind, number of attempts, start, length in seconds, and its target if it has one."""

    number: int
    kind: str
    attempts: int
    start: Any  # a moment
    span: float
    target: int = NONE
    victim: int = NONE  # the account that it gets into


def plan_attacks(world: World, legitimate: Events, attempts: int) -> Events:
    """Plan attacks of so many attempts altogether, with the locks and the owners' returns that follow."""
    rng, users = world.streams.of("attacks", "plan"), world.users
    targets = _targets(world)
    attacks = _draw_attacks(rng, world, rng.permutation(np.flatnonzero(targets)), attempts)
    events = stack([make_events(0), *(_plan_attack(rng, users, targets, attack) for attack in attacks)])
    events = _try_once(events, [attack.target for attack in attacks])
    single = np.arange(len(events["at"])) + LONE_STORIES
    events["story"] = np.where(_is_brute_force(events), BRUTE_FORCE_STORIES + events["attack"], single)
    last = np.append(
        world.sessions.last_start(world.spec.users), to_moment(world.spec.since)
    )  # nobody's last
    events = _break_in(rng, events, _can_break_in(users, legitimate, events, last))
    # who had left long before does not notice, unless it is a story of the cast
    noticed = (last[events["user"]] > events["at"]) | np.isin(events["user"], [a.victim for a in attacks])
    entered = take(events, (events["type"] == SUCCESS) & noticed)
    brute = [attack for attack in attacks if attack.target != NONE]
    back = [a.target == world.cast.get("attacked") or bool(last[a.target] > a.start) for a in brute]
    resets = _plan_resets(rng, to_moment(world.spec.until), entered)
    return stack([events, resets, _plan_locks(rng, brute, np.array(back, np.bool_))])


def _draw_attacks(rng: Rng, world: World, targets: NDArray[np.int64], attempts: int) -> list[Attack]:
    """Draw attacks of so many attempts; brute force takes one target after the other."""
    attacks = _attack_cast(world, attempts)
    left = max(0, attempts - sum(attack.attempts for attack in attacks))
    kinds = to_python(pick(dist.ATTACK_KINDS, strata(rng, int(left / dist.ATTEMPTS_PER_ATTACK) + 1)))
    for kind, size in zip(kinds, _split(rng, left, len(kinds)).tolist(), strict=True):
        if not size:
            continue
        attack, number = None, len(attacks)
        if kind == "brute_force" and number < len(targets):  # no account is the target of two
            attack = _brute_force(world, number, size, int(targets[number]))
        attacks.append(attack or _draw_stuffing(rng, world.spec, number, kind, size))
    return attacks


def _attack_cast(world: World, attempts: int) -> list[Attack]:
    """Return the attacks on the cast, as far as there are attempts for them."""
    cast, attacks = world.cast, []
    if "attacked" in cast and attempts > 0:
        size = min(dist.ATTACKED_ATTEMPTS, (attempts + 1) // 2)
        attack = _brute_force(world, 0, size, cast["attacked"])
        attacks += [attack] if attack else []
    if "taken_over" in cast and attempts > 1:
        created_at = world.users["created_at"][cast["taken_over"]]
        start = created_at + (to_moment(world.spec.until) - created_at) // 2
        size = min(dist.ATTACKED_ATTEMPTS, attempts // 2)
        span = size * dist.BRUTE_FORCE_GAP_SECONDS
        victim = cast["taken_over"]
        attacks.append(Attack(len(attacks), "few_addresses", size, start, span, victim=victim))
    return attacks


def _brute_force(world: World, number: int, size: int, target: int) -> Attack | None:
    """Return an attack in the longest silence of its target, None if it does not fit in there."""
    begin, end = world.sessions.longest_gap(target, to_moment(world.spec.until))
    span = size * dist.BRUTE_FORCE_GAP_SECONDS
    # the owner comes back after the lock; then there must be room for the failures before the next session
    spare = (end - begin) - seconds(span + dist.LOCK_SECONDS + dist.OWNERS_RETURN_SECONDS[1]) - ROOM
    if spare <= np.timedelta64(0, "us"):
        return None
    return Attack(number, "brute_force", size, begin + spare // 2, span, target)


def _draw_stuffing(rng: Rng, spec: DatasetSpec, number: int, kind: str, size: int) -> Attack:
    """Draw credential stuffing from few addresses or from many; a small one always comes from many."""
    small = size < dist.FEW_ADDRESSES_ATTEMPTS_MIN
    kind = "spread" if small else "few_addresses" if kind == "brute_force" else kind
    window = spec.days * DAY_SECONDS
    span = min(dist.ATTACK_SPAN_HOURS[kind] * 3600, window * 0.5)
    start = to_moment(spec.since) + seconds(rng.uniform(0, window - span - 120))
    return Attack(number, kind, size, start, span)


def _split(rng: Rng, total: int, parts: int) -> NDArray[np.int64]:
    """Split a total into parts of uneven size."""
    return rng.multinomial(total, rng.dirichlet(np.full(parts, dist.ATTACK_SIZES_DIRICHLET)))


def _targets(world: World) -> NDArray[np.bool_]:
    """Tell which accounts attacks may try: with a password alone, active, and no role to play."""
    users = world.users
    role = np.isin(np.arange(world.spec.users), list(world.cast.values()))
    return (methods_of(users) == PASSWORD) & ~users["mfa_enabled"] & users["status"].is_("active") & ~role


def _plan_attack(rng: Rng, users: Columns, targets: NDArray[np.bool_], attack: Attack) -> Events:
    """Plan the attempts of one attack; an identifier that matches no account at that moment is an unknown user."""
    count, brute = attack.attempts, attack.target != NONE
    at = attack.start + seconds(np.sort(_moments(rng, attack)))
    user = np.full(count, attack.target) if brute else _guess(rng, users, targets, at)
    reason = np.where(user == NONE, UNKNOWN_USER, WRONG_PASSWORD)
    reason[dist.LOCK_AFTER_FAILURES if brute else count :] = ACCOUNT_LOCKED
    number = rng.permutation(count) % max(1, round(count / dist.ATTEMPTS_PER_IP[attack.kind]))
    address = addresses_of(attack.kind, number)
    session = ATTACK_SESSIONS + (attack.number << 32) + np.arange(count)
    origin = {"attack": attack.number, "address": address, "device": address, "session": session}
    events = make_events(count, user=user, type=FAILURE, reason=reason, at=at, **origin)
    if attack.victim != NONE:
        middle = count // 2
        events["user"][middle] = attack.victim
        events["type"][middle], events["reason"][middle] = SUCCESS, NONE
    return events


def _moments(rng: Rng, attack: Attack) -> NDArray[Any]:
    """Draw when the attempts come, in seconds from the start: in spikes, evenly, or one after the other."""
    if attack.target != NONE:
        return np.arange(attack.attempts) * dist.BRUTE_FORCE_GAP_SECONDS
    if attack.kind == "spread":
        peaks = np.linspace(*dist.SPREAD_SPIKES_WITHIN, int(rng.integers(*dist.SPREAD_SPIKES, endpoint=True)))
        spread = rng.normal(0, dist.SPREAD_SPIKE_SIGMA, attack.attempts)
        around = rng.choice(peaks, attack.attempts) + spread
        return np.clip(around, 0, 1) * attack.span
    return rng.random(attack.attempts) * attack.span


def _guess(rng: Rng, users: Columns, targets: NDArray[np.bool_], at: Any) -> NDArray[np.int64]:
    there = np.searchsorted(np.asarray(users["created_at"]), at, side="left")  # users come by sign-up
    user = (rng.random(len(at)) * there).astype(np.int64)
    hit = (there > 0) & (rng.random(len(at)) >= dist.ATTACK_UNKNOWN_USER_SHARE)
    return np.where(hit & np.append(targets, False)[user], user, NONE)


def _try_once(events: Events, targets: list[int]) -> Events:
    """Let stuffing try each account once, and none that a brute force locks; what is left over is unknown."""
    stuffed = np.flatnonzero(
        (events["user"] != NONE) & (events["type"] == FAILURE) & ~_is_brute_force(events)
    )
    user = events["user"][stuffed]
    _, first = np.unique(events["attack"][stuffed] * (1 << 40) + user, return_index=True)
    kept = np.zeros(len(stuffed), dtype=np.bool_)
    kept[first] = True
    over = stuffed[~kept | np.isin(user, targets)]
    events["user"][over], events["reason"][over] = NONE, UNKNOWN_USER
    return events


def _can_break_in(users: Columns, legitimate: Events, events: Events, last: Any) -> NDArray[np.bool_]:
    """Tell which attempts may succeed: on accounts never locked, whose owners can take them back if they notice."""
    ever_locked = np.zeros(len(last), dtype=np.bool_)
    ever_locked[legitimate["user"][legitimate["type"] == LOCKED]] = True
    user, at = events["user"], events["at"]
    verified = np.append(users["email_verified_at"], np.datetime64("NaT", "us"))[user] < at
    stuffed = (user != NONE) & (events["reason"] == WRONG_PASSWORD) & ~_is_brute_force(events)
    return np.asarray(stuffed & ~ever_locked[user] & (verified | (last[user] <= at)))


def _break_in(rng: Rng, events: Events, able: NDArray[np.bool_]) -> Events:
    """Let some of the attempts on known accounts succeed, one on each account at most."""
    wanted = round(len(events["at"]) * dist.ATTACK_SUCCESS) - int((events["type"] == SUCCESS).sum())
    possible = rng.permutation(np.flatnonzero(able))
    _, first = np.unique(events["user"][possible], return_index=True)
    chosen = possible[np.sort(first)][: max(wanted, 0)]
    events["type"][chosen], events["reason"][chosen] = SUCCESS, NONE
    return events


def _is_brute_force(events: Events) -> NDArray[np.bool_]:
    return np.asarray(kinds_of(events["address"]) == KINDS.index("brute_force"))


def _plan_resets(rng: Rng, until: Any, entered: Events) -> Events:
    """Plan how the owners of the accounts that were broken into take them back."""
    count = len(entered["at"])
    left = (until - entered["at"]).astype(np.int64) / 1e6  # seconds: all of it must fit in there
    asked = np.minimum(rng.uniform(*dist.BREAK_IN_NOTICED_HOURS, count) * 3600, left * 0.5)
    done = asked + np.minimum(rng.uniform(*dist.BREAK_IN_RESET_SECONDS, count), left * 0.2)
    back = done + np.minimum(rng.uniform(*dist.BREAK_IN_RETURN_SECONDS, count), left * 0.1)
    own = {"user": entered["user"], "story": entered["story"]}
    session = OWNERS_SESSION + entered["story"]
    return stack(
        [
            make_events(count, **own, type=RESET_REQUESTED, at=entered["at"] + seconds(asked)),
            make_events(count, **own, type=RESET_COMPLETED, at=entered["at"] + seconds(done)),
            make_events(count, **own, session=session, at=entered["at"] + seconds(back)),
        ]
    )


def _plan_locks(rng: Rng, brute: list[Attack], back: NDArray[np.bool_]) -> Events:
    """Plan the lock after the fifth failure of each brute force, its end, and logins of owners who come back.

    Every attempt on a locked account renews the lock: it ends LOCK_SECONDS after the last of them.
    """
    user = np.array([attack.target for attack in brute], dtype=np.int64)
    start = np.array([attack.start for attack in brute], dtype="datetime64[us]")
    unlock_at = start + seconds(np.array([attack.span + dist.LOCK_SECONDS for attack in brute]))
    lock_at = start + lock_delay(dist.BRUTE_FORCE_GAP_SECONDS)
    back_at = unlock_at + seconds(rng.uniform(*dist.OWNERS_RETURN_SECONDS, len(user)))
    story = BRUTE_FORCE_STORIES + np.array([attack.number for attack in brute], dtype=np.int64)
    locks = np.array([attack.attempts >= dist.LOCK_AFTER_FAILURES for attack in brute], dtype=np.bool_)
    own = {"user": user, "story": story, "session": OWNERS_SESSION + story}
    return stack(
        [
            take(make_events(len(user), **own, type=LOCKED, at=lock_at), locks),
            take(make_events(len(user), **own, type=UNLOCKED, at=unlock_at), locks),
            take(make_events(len(user), **own, at=back_at), back),
        ]
    )
