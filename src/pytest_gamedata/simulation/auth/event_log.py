"""The auth log as a whole: all planned events turned into rows, and what they say of each user."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.categorical import Categorical, narrow
from pytest_gamedata.columns.combine import stack, take
from pytest_gamedata.columns.hashing import derived_uuids
from pytest_gamedata.columns.parents import Parent
from pytest_gamedata.columns.sampling import Rng
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.columns.values import NULL, Columns, give_back_memory, to_moment, to_python
from pytest_gamedata.factories.fields import drop_params
from pytest_gamedata.settings import DatasetSpec
from pytest_gamedata.simulation.auth.attackers import describe_attackers
from pytest_gamedata.simulation.auth.attacks import plan_attacks
from pytest_gamedata.simulation.auth.events import (
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
from pytest_gamedata.simulation.auth.logins import plan_legitimate
from pytest_gamedata.simulation.sessions import Sessions

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
    rows = auth_event_factory.columns(count, streams, **_describe(spec, streams, users, plan))
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
        "event_type": Categorical(plan.pop("type"), TYPES),
        "failure_reason": Categorical(plan.pop("reason"), REASONS),
        "auth_method": Categorical(plan.pop("method"), METHODS),
        "attack_id": Categorical(narrow(attack, len(attack_ids)), tuple(to_python(attack_ids))),
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
    return take(plan, np.argsort(plan["at"], kind="stable"))


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
