"""Attacks on accounts: stuffing from few addresses or from many, brute force on one, each with its label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.arrays import Columns, Words, stack, take, to_moment
from pytest_gamedata.factories.columns import Streams
from pytest_gamedata.factories.draws import Rng, pick, seconds, strata
from pytest_gamedata.factories.logins import (
    ACCOUNT_LOCKED,
    FAILURE,
    LOCK_DELAY,
    LOCKED,
    NONE,
    PASSWORD,
    RESET_COMPLETED,
    RESET_REQUESTED,
    SUCCESS,
    UNKNOWN_USER,
    UNLOCKED,
    WRONG_PASSWORD,
    Plan,
    methods_of,
    plan_events,
)
from pytest_gamedata.factories.sessions import Sessions
from pytest_gamedata.factories.vocabulary import TOOL_USER_AGENTS, USER_AGENTS
from pytest_gamedata.settings import DatasetSpec

DAY_SECONDS = 86_400
OWNERS_RETURN_SECONDS = 600.0  # after the lock has ended, and as long again before anything else
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


def plan_attacks(
    spec: DatasetSpec,
    streams: Streams,
    users: Columns,
    sessions: Sessions,
    attempts: int,
    cast: dict[str, int],
) -> Plan:
    """Plan attacks of so many attempts altogether, with the locks and the owners' returns that follow."""
    rng = streams.of("attacks", "plan")
    targets = _targets(users, cast)
    attacks = _draw_attacks(spec, rng, users, sessions, np.flatnonzero(targets), attempts, cast)
    events = stack([plan_events(0), *(_plan_attack(rng, users, targets, attack) for attack in attacks)])
    lone = np.arange(len(events["at"])) + LONE_STORIES
    events["story"] = np.where(_is_brute_force(events), BRUTE_FORCE_STORIES + events["attack"], lone)
    events = _break_in(rng, events)
    return stack([events, _plan_resets(spec, rng, events), _plan_locks(attacks)])


def _draw_attacks(
    spec: DatasetSpec,
    rng: Rng,
    users: Columns,
    sessions: Sessions,
    passwords: NDArray[np.int64],
    attempts: int,
    cast: dict[str, int],
) -> list[Attack]:
    attacks: list[Attack] = []
    passwords = rng.permutation(passwords)
    if "attacked" in cast and attempts > 0:
        size = min(dist.ATTACKED_ATTEMPTS, (attempts + 1) // 2)
        attacks += _brute_force(spec, sessions, 0, size, cast["attacked"])
    if "taken_over" in cast and attempts > 1:
        victim = cast["taken_over"]
        created_at = users["created_at"][victim]
        start = created_at + (to_moment(spec.until) - created_at) // 2
        size = min(dist.ATTACKED_ATTEMPTS, attempts // 2)
        span = size * dist.BRUTE_FORCE_GAP_SECONDS
        attacks.append(Attack(len(attacks), "few_addresses", size, start, span, victim=victim))
    left = max(0, attempts - sum(attack.attempts for attack in attacks))
    kinds = pick(dist.ATTACK_KINDS, strata(rng, int(left / dist.ATTEMPTS_PER_ATTACK) + 1))
    for code, size in zip(kinds.codes.tolist(), _split(rng, left, len(kinds)).tolist(), strict=True):
        if size:
            attacks.append(
                _draw_attack(spec, rng, sessions, passwords, len(attacks), kinds.words[code], size)
            )
    return attacks


def _brute_force(spec: DatasetSpec, sessions: Sessions, number: int, size: int, target: int) -> list[Attack]:
    """Return an attack in the longest silence of its target, none if it does not fit in there."""
    begin, end = sessions.longest_gap(target, to_moment(spec.until))
    span = size * dist.BRUTE_FORCE_GAP_SECONDS
    spare = (end - begin) - seconds(span + dist.LOCK_SECONDS + OWNERS_RETURN_SECONDS)
    if spare <= np.timedelta64(0, "us"):
        return []
    return [Attack(number, "brute_force", size, begin + spare // 2, span, target)]


def _split(rng: Rng, total: int, parts: int) -> NDArray[np.int64]:
    """Split a total into parts of uneven size."""
    return rng.multinomial(total, rng.dirichlet(np.full(parts, 2.0)))


def _draw_attack(
    spec: DatasetSpec,
    rng: Rng,
    sessions: Sessions,
    passwords: NDArray[np.int64],
    number: int,
    kind: str,
    size: int,
) -> Attack:
    if kind == "brute_force" and len(passwords):
        for attack in _brute_force(spec, sessions, number, size, int(passwords[number % len(passwords)])):
            return attack
    small = size < dist.FEW_ADDRESSES_ATTEMPTS_MIN
    kind = "spread" if small else "few_addresses" if kind == "brute_force" else kind
    window = spec.days * DAY_SECONDS
    span = min(dist.ATTACK_SPAN_HOURS[kind] * 3600, window * 0.5)
    start = to_moment(spec.since) + seconds(rng.uniform(0, window - span - 120))
    return Attack(number, kind, size, start, span)


def _targets(users: Columns, cast: dict[str, int]) -> NDArray[np.bool_]:
    """Tell which accounts attacks may try: with a password alone, active, and no role to play."""
    role = np.isin(np.arange(len(users["id"])), list(cast.values()))
    status = users["status"]
    return (methods_of(users) == PASSWORD) & ~users["mfa_enabled"] & status.is_("active") & ~role


def _plan_attack(rng: Rng, users: Columns, targets: NDArray[np.bool_], attack: Attack) -> Plan:
    """Plan the attempts of one attack; what matches no account at that moment is an unknown user."""
    at = attack.start + seconds(np.sort(_moments(rng, attack)))
    user = (
        _guess(rng, users, targets, at) if attack.target == NONE else np.full(attack.attempts, attack.target)
    )
    reason = np.where(user == NONE, UNKNOWN_USER, WRONG_PASSWORD)
    if attack.target != NONE:
        reason[dist.LOCK_AFTER_FAILURES :] = ACCOUNT_LOCKED
    addresses = max(1, round(attack.attempts / dist.ATTEMPTS_PER_IP[attack.kind]))
    kind = list(dist.ATTACK_KINDS).index(attack.kind)
    address = rng.permutation(attack.attempts) % addresses * len(dist.ATTACK_KINDS) + kind
    events = plan_events(
        attack.attempts,
        user=user,
        type=FAILURE,
        reason=reason,
        at=at,
        session=ATTACK_SESSIONS + (attack.number << 32) + np.arange(attack.attempts),
        attack=attack.number,
        address=address,
    )
    if attack.victim != NONE:
        middle = attack.attempts // 2
        events["user"][middle], events["type"][middle], events["reason"][middle] = (
            attack.victim,
            SUCCESS,
            NONE,
        )
    return events


def _moments(rng: Rng, attack: Attack) -> NDArray[Any]:
    """Draw when the attempts come, in seconds from the start: in spikes, evenly, or one after the other."""
    if attack.target != NONE:
        return np.arange(attack.attempts) * dist.BRUTE_FORCE_GAP_SECONDS
    if attack.kind == "spread":
        peaks = np.linspace(0.05, 0.95, int(rng.integers(*dist.SPREAD_SPIKES, endpoint=True)))
        around = rng.choice(peaks, attack.attempts) + rng.normal(0, 0.02, attack.attempts)
        return np.clip(around, 0, 1) * attack.span
    return rng.random(attack.attempts) * attack.span


def _guess(rng: Rng, users: Columns, targets: NDArray[np.bool_], at: Any) -> NDArray[np.int64]:
    there = np.searchsorted(np.asarray(users["created_at"]), at, side="left")  # users come by sign-up
    user = (rng.random(len(at)) * there).astype(np.int64)
    hit = (there > 0) & (rng.random(len(at)) >= dist.ATTACK_UNKNOWN_USER_SHARE)
    return np.where(hit & np.append(targets, False)[user], user, NONE)


def _break_in(rng: Rng, events: Plan) -> Plan:
    """Let some of the attempts on known accounts succeed."""
    known = np.flatnonzero(
        (events["user"] != NONE) & (events["reason"] == WRONG_PASSWORD) & ~_is_brute_force(events)
    )
    count = min(
        len(known),
        round(len(events["at"]) * dist.ATTACK_SUCCESS) - int((events["type"] == SUCCESS).sum()),
    )
    chosen = rng.permutation(known)[: max(count, 0)]
    events["type"][chosen], events["reason"][chosen] = SUCCESS, NONE
    return events


def _is_brute_force(events: Plan) -> NDArray[np.bool_]:
    return np.asarray(
        events["address"] % len(dist.ATTACK_KINDS) == list(dist.ATTACK_KINDS).index("brute_force")
    )


def _plan_resets(spec: DatasetSpec, rng: Rng, events: Plan) -> Plan:
    """Plan how the owners of the accounts that were broken into take them back."""
    entered = take(events, events["type"] == SUCCESS)
    count = len(entered["at"])
    left = (to_moment(spec.until) - entered["at"]).astype(np.int64) / 1e6
    asked = np.minimum(rng.uniform(1, 20, count) * 3600, left * 0.5)
    own = {"user": entered["user"], "story": entered["story"]}
    return stack(
        [
            plan_events(count, **own, type=RESET_REQUESTED, at=entered["at"] + seconds(asked)),
            plan_events(
                count,
                **own,
                type=RESET_COMPLETED,
                at=entered["at"] + seconds(asked + np.minimum(180, left * 0.2)),
            ),
            plan_events(
                count,
                **own,
                session=OWNERS_SESSION + entered["story"],
                at=entered["at"] + seconds(asked + np.minimum(200, left * 0.25)),
            ),
        ]
    )


def _plan_locks(attacks: list[Attack]) -> Plan:
    """Plan the lock after the fifth failure of each brute force, its end, and the owner's next login."""
    brute = [attack for attack in attacks if attack.target != NONE]
    user = np.array([attack.target for attack in brute], dtype=np.int64)
    start = np.array([attack.start for attack in brute], dtype="datetime64[us]")
    unlock_at = start + seconds(np.array([attack.span + dist.LOCK_SECONDS for attack in brute]))
    delay = (dist.LOCK_AFTER_FAILURES - 1) * dist.BRUTE_FORCE_GAP_SECONDS + LOCK_DELAY
    story = BRUTE_FORCE_STORIES + np.array([attack.number for attack in brute], dtype=np.int64)
    locks = np.array([attack.attempts >= dist.LOCK_AFTER_FAILURES for attack in brute], dtype=np.bool_)
    own = {"user": user, "story": story, "session": OWNERS_SESSION + story}
    return stack(
        [
            take(plan_events(len(user), **own, type=LOCKED, at=start + seconds(delay)), locks),
            take(plan_events(len(user), **own, type=UNLOCKED, at=unlock_at), locks),
            plan_events(len(user), **own, at=unlock_at + seconds(OWNERS_RETURN_SECONDS / 2)),
        ]
    )


def describe_attackers(streams: Streams, plan: Plan) -> Columns:
    """Draw what an attack shows of itself: addresses, tool, country and what it typed; NULL elsewhere."""
    rng = streams.of("attacks", "attacker")
    attack, count = plan["attack"], int(plan["attack"].max(initial=NONE)) + 1
    is_attack = attack != NONE
    tool = strata(rng, count) < dist.TOOL_USER_AGENT_SHARE
    agents = (*TOOL_USER_AGENTS, *USER_AGENTS["web"])
    agent = np.where(
        tool,
        rng.integers(0, len(TOOL_USER_AGENTS), count),
        rng.integers(len(TOOL_USER_AGENTS), len(agents), count),
    )
    origin = pick(dist.COUNTRIES, rng.random(count))
    unknown = is_attack & (plan["user"] == NONE)
    return {
        "attack_ip": _addresses(plan, is_attack),
        "attack_agent": Words(np.where(is_attack, np.append(agent, NONE)[attack], NONE), agents),
        "attack_country": Words(
            np.where(is_attack, np.append(origin.codes, NONE)[attack], NONE), origin.words
        ),
        "leaked": _leaks(rng, unknown),
    }


def _addresses(plan: Plan, is_attack: NDArray[np.bool_]) -> Words:
    key = plan["attack"][is_attack] * (1 << 32) + plan["address"][is_attack]
    distinct, codes = np.unique(key, return_inverse=True)
    column = np.full(len(is_attack), NONE, dtype=np.int64)
    column[is_attack] = codes
    kinds = tuple(dist.ATTACK_KINDS)
    words = []
    for attack, address in zip((distinct >> 32).tolist(), (distinct & 0xFFFFFFFF).tolist(), strict=True):
        nth, kind = divmod(address, len(kinds))
        words.append(_address(attack, nth, kinds[kind]))
    return Words(column, tuple(words))


def _address(attack: int, nth: int, kind: str) -> str:
    if kind == "spread":
        return f"{dist.ATTACKER_NETWORK6}:{attack:x}:{nth + 1:x}::1"
    network, host = divmod((attack * 31 + nth) % (3 * 254), 254)
    return f"{dist.ATTACKER_NETWORKS[network].rpartition('.')[0]}.{host + 1}"


def _leaks(rng: Rng, unknown: NDArray[np.bool_]) -> Any:
    """Make up addresses as lists of stolen credentials have them."""
    digits = np.frombuffer(b"0123456789abcdefghijklmnopqrstuvwxyz", dtype=np.uint8)
    names = digits[rng.integers(0, len(digits), (int(unknown.sum()), 9))].reshape(-1).view("S9")
    column = np.zeros(len(unknown), dtype="S21")
    column[unknown] = np.strings.add(names, b"@example.com")
    return column
