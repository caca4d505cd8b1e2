"""The auth log as a whole: all planned events turned into rows, and what they say of each user."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.arrays import (
    NULL,
    NULL_MOMENT,
    Columns,
    Words,
    give_back_memory,
    narrow,
    sort,
    stack,
    take,
    to_moment,
    to_python,
)
from pytest_gamedata.factories.attackers import describe_attackers
from pytest_gamedata.factories.attacks import plan_attacks
from pytest_gamedata.factories.auth_events import derived_uuids
from pytest_gamedata.factories.columns import drop_params
from pytest_gamedata.factories.draws import Rng
from pytest_gamedata.factories.logins import plan_legitimate
from pytest_gamedata.factories.plans import (
    FAILURE,
    LOCKED,
    METHODS,
    NONE,
    REASONS,
    REFRESH_TOKEN,
    REGISTER,
    SUCCESS,
    TYPES,
    Plan,
    plan_events,
)
from pytest_gamedata.factories.sessions import Sessions
from pytest_gamedata.factories.users import level_of
from pytest_gamedata.factories.views import Parent, Streams
from pytest_gamedata.settings import DatasetSpec

ATTACKERS_START = 1 << 40  # attackers' devices and addresses are numbered apart from the users'


def make_auth_events(
    spec: DatasetSpec,
    streams: Streams,
    users: Columns,
    sessions: Sessions,
    cast: dict[str, int],
    auth_event_factory: Any,
) -> Columns:
    """Draw all auth events in the order of their ids."""
    plan = _plan(spec, streams, users, sessions, cast)
    count = len(plan["at"])
    give_back_memory(count)
    rows = auth_event_factory.use_up(count, streams, _describe(spec, streams, users, plan))
    return {**drop_params(auth_event_factory, rows), "id": np.arange(1, count + 1)}


def _describe(spec: DatasetSpec, streams: Streams, users: Columns, plan: Plan) -> dict[str, Any]:
    """Say of planned events what their rows are drawn from; uses the plan up."""
    attackers = describe_attackers(streams, plan)
    user, attack, person = plan.pop("user"), plan.pop("attack"), plan.pop("person")
    attack_ids = derived_uuids(spec.seed, np.arange(attack.max(initial=NONE) + 1), 11)
    typo = person != NONE
    person = np.maximum(user, person).astype(np.int32)  # whoever mistypes the own name is still somebody
    del plan["story"]
    return {
        "number": np.arange(len(user)),
        "user": Parent(users, person),
        "user_id": np.where(user == NONE, NULL, user + 1),
        "since": to_moment(spec.since),
        "typo": typo,
        "who": np.where(attack != NONE, ATTACKERS_START + attack * (1 << 20), person),
        "device": plan.pop("device"),
        "address": plan.pop("address"),
        "session": plan.pop("session"),
        "occurred_at": plan.pop("at"),
        "event_type": Words(plan.pop("type"), TYPES),
        "failure_reason": Words(plan.pop("reason"), REASONS),
        "auth_method": Words(plan.pop("method"), METHODS),
        "attack_id": Words(narrow(attack, len(attack_ids)), tuple(to_python(attack_ids))),
        **attackers,
    }


def _plan(
    spec: DatasetSpec, streams: Streams, users: Columns, sessions: Sessions, cast: dict[str, int]
) -> Plan:
    """Plan everything that happens at the door; with spec.auth_events, exactly so many events."""
    legitimate = plan_legitimate(spec, streams, users, sessions, cast)
    share = dist.PRESETS[spec.preset].attack_share
    attempts = int(np.isin(legitimate["type"], (SUCCESS, FAILURE)).sum() * share / (1 - share))
    plan = stack([legitimate, plan_attacks(spec, streams, users, sessions, legitimate, attempts, cast)])
    if spec.auth_events is not None:
        plan = _keep(plan, spec.auth_events, streams.of("logins", "keep"), list(cast.values()))
        extra = spec.auth_events - len(plan["at"])
        plan = stack([plan, _plan_more(streams.of("logins", "more"), sessions, extra)])
    return sort(plan, np.argsort(plan["at"], kind="stable"))


def _keep(plan: Plan, rows: int, rng: Rng, cast: list[int]) -> Plan:
    """Keep whole stories as long as they fit: all registrations first, then the cast's, those with a lock ahead."""
    stories, story, sizes = np.unique(plan["story"], return_inverse=True, return_counts=True)
    rank = np.full(len(stories), 3)
    is_cast = np.isin(plan["user"], cast)
    rank[story[is_cast]] = 2
    rank[story[is_cast & (plan["type"] == LOCKED)]] = 1
    rank[story[plan["type"] == REGISTER]] = 0
    # short ones ahead of the long, so that every lock has its chance
    order = np.lexsort((rng.random(len(stories)), np.where(rank == 1, sizes, 0), rank))
    kept = np.zeros(len(stories), dtype=np.bool_)
    kept[order] = np.cumsum(sizes[order]) <= rows
    return take(plan, kept[story])


def _plan_more(rng: Rng, sessions: Sessions, count: int) -> Plan:
    """Plan so many more logins by token, each in a session that is there."""
    chosen = sessions.draw(rng, count)
    return plan_events(
        count,
        user=sessions.user[chosen],
        method=REFRESH_TOKEN,
        at=sessions.moments_in(rng, chosen),
        session=chosen,
    )


def settle_logins(users: Columns, auth_events: Columns, sessions: Sessions) -> Columns:
    """Fill in what the log says of each user: last login, failures since, playtime, level."""
    count = len(users["id"])
    at, kind = auth_events["occurred_at"], auth_events["event_type"]
    user = np.maximum(np.asarray(auth_events["user_id"]), 0) - 1  # -1 for NULL
    last_login = _latest(count, user, at, kind.is_("login_success"))
    failed = np.flatnonzero(kind.is_("login_failure") & (user >= 0))
    since = failed[np.isnat(last_login[user[failed]]) | (at[failed] > last_login[user[failed]])]
    playtime = np.bincount(sessions.user, sessions.seconds, count).astype(np.int64)
    created_at, ended_at = users["created_at"], users["ended_at"]
    changed = np.where(users["status"].is_("deleted", "banned", "suspended"), ended_at, created_at)
    return {
        **users,
        "last_login_at": last_login,
        "failed_login_count": np.bincount(user[since], minlength=count).astype(np.int64),
        "playtime_seconds": playtime,
        "level": level_of(playtime),
        "xp": playtime * dist.XP_PER_SECOND,
        "updated_at": np.fmax(np.fmax(last_login, changed), created_at),
    }


def _latest(count: int, user: Any, at: Any, chosen: NDArray[np.bool_]) -> NDArray[np.datetime64]:
    latest = np.full(count, NULL_MOMENT)
    rows = np.flatnonzero(chosen)  # in the order of time: the last one written stays
    latest[user[rows]] = at[rows]
    return latest
