"""The auth log: logins, failed logins, locks, resets and attacks, and the rows that they turn into."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.combine import stack, take
from pytest_gamedata.columns.conversion import Columns, give_back_memory
from pytest_gamedata.columns.sampling import Rng
from pytest_gamedata.simulation.auth.attacks import plan_attacks
from pytest_gamedata.simulation.auth.event_log import draw_event_log
from pytest_gamedata.simulation.auth.events import (
    FAILURE,
    LOCKED,
    REFRESH_TOKEN,
    REGISTER,
    SUCCESS,
    Events,
    make_events,
)
from pytest_gamedata.simulation.auth.logins import plan_legitimate
from pytest_gamedata.simulation.sessions import Sessions
from pytest_gamedata.simulation.world import World


def make_auth_events(world: World, auth_event_factory: Any) -> Columns:
    """Draw all auth events in the order of their ids."""
    events = plan_events(world)
    give_back_memory(len(events["at"]))
    return draw_event_log(world, events, auth_event_factory)


def plan_events(world: World) -> Events:
    """Plan every event, in the order of time; with spec.auth_events, exactly so many."""
    wanted, streams = world.spec.auth_events, world.streams
    events = _plan_all(world)
    if wanted is not None:
        events = _keep(events, wanted, streams.of("logins", "keep"), list(world.cast.values()))
        more = _plan_more(streams.of("logins", "more"), world.sessions, wanted - len(events["at"]))
        events = stack([events, more])
    return take(events, np.argsort(events["at"], kind="stable"))


def _plan_all(world: World) -> Events:
    legitimate = plan_legitimate(world)
    share = dist.PRESETS[world.spec.preset].attack_share
    attempts = int(np.isin(legitimate["type"], (SUCCESS, FAILURE)).sum() * share / (1 - share))
    return stack([legitimate, plan_attacks(world, legitimate, attempts)])


def _keep(events: Events, rows: int, rng: Rng, cast: list[int]) -> Events:
    """Keep whole stories as long as they fit: all registrations first, then the cast's, those with a lock ahead."""
    stories, story, sizes = np.unique(events["story"], return_inverse=True, return_counts=True)
    rank = np.full(len(stories), 3)
    is_cast = np.isin(events["user"], cast)
    rank[story[is_cast]] = 2
    rank[story[is_cast & (events["type"] == LOCKED)]] = 1
    rank[story[events["type"] == REGISTER]] = 0
    # short ones ahead of the long, so that every lock has its chance
    order = np.lexsort((rng.random(len(stories)), np.where(rank == 1, sizes, 0), rank))
    kept = np.zeros(len(stories), dtype=np.bool_)
    kept[order] = np.cumsum(sizes[order]) <= rows
    return take(events, kept[story])


def _plan_more(rng: Rng, sessions: Sessions, count: int) -> Events:
    """Plan so many more logins by token, each in a session that is there."""
    chosen = sessions.draw(rng, count)
    return make_events(
        count,
        user=sessions.user[chosen],
        method=REFRESH_TOKEN,
        at=sessions.moments_in(rng, chosen),
        session=chosen,
    )
