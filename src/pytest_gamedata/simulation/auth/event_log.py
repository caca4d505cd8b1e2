"""The auth log: planned events turned into rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_gamedata.columns.categorical import Categorical, narrow
from pytest_gamedata.columns.conversion import NULL, Columns, to_moment, to_python
from pytest_gamedata.columns.hashing import derived_uuids
from pytest_gamedata.columns.parents import Parent
from pytest_gamedata.factories.fields import drop_params
from pytest_gamedata.models.values import AUTH_METHOD_VALUES, EVENT_TYPE_VALUES, FAILURE_REASON_VALUES
from pytest_gamedata.simulation.auth.attackers import describe_attackers
from pytest_gamedata.simulation.auth.events import NONE, Events
from pytest_gamedata.simulation.world import World

ATTACKERS_START = 1 << 40  # attackers' devices and addresses are numbered apart from the users'


def draw_event_log(world: World, events: Events, auth_event_factory: Any) -> Columns:
    """Draw the rows of planned events, in the order of their ids; uses the events up."""
    count = len(events["at"])
    rows = auth_event_factory.columns(count, world.streams, **_describe(world, events))
    return {**drop_params(auth_event_factory, rows), "id": np.arange(1, count + 1)}


def _describe(world: World, events: Events) -> dict[str, Any]:
    """Return what the rows of planned events are drawn from; uses the events up."""
    attackers = describe_attackers(world.streams, events)
    user, attack, person = events.pop("user"), events.pop("attack"), events.pop("person")
    attack_ids = derived_uuids(world.spec.seed, np.arange(attack.max(initial=NONE) + 1), 11)
    typo = person != NONE
    person = np.maximum(user, person).astype(np.int32)  # a user who mistypes the own name still has a device
    del events["story"]
    return {
        "number": np.arange(len(user)),
        "user": Parent(world.users, person),
        "user_id": np.where(user == NONE, NULL, user + 1),
        "since": to_moment(world.spec.since),
        "typo": typo,
        "who": np.where(attack != NONE, ATTACKERS_START + attack * (1 << 20), person),
        "device": events.pop("device"),
        "address": events.pop("address"),
        "session": events.pop("session"),
        "occurred_at": events.pop("at"),
        "event_type": Categorical(events.pop("type"), EVENT_TYPE_VALUES),
        "failure_reason": Categorical(events.pop("reason"), FAILURE_REASON_VALUES),
        "auth_method": Categorical(events.pop("method"), AUTH_METHOD_VALUES),
        "attack_id": Categorical(narrow(attack, len(attack_ids)), tuple(to_python(attack_ids))),
        **attackers,
    }
