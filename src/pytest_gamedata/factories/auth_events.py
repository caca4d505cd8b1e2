"""Auth events: what each row of the log says, once it is known who came to the door, when and how."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import factory
import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.arrays import (
    NIL_UUID,
    Column,
    Words,
    as_uuids,
    choose,
    is_null,
    pack_text,
    same_word,
)
from pytest_gamedata.factories.columns import Draw, GameFactory, of_spec
from pytest_gamedata.factories.draws import Rng, pick_by
from pytest_gamedata.factories.users import UserFactory
from pytest_gamedata.factories.vocabulary import USER_AGENTS
from pytest_gamedata.models import AuthEvent

PLAYER_ADDRESSES = 1 << 17  # a /15 network
_FIRST_ADDRESS = int(IPv4Address(dist.PLAYER_NETWORK))
_UNITS = float(1 << 64)
# what else somebody plays on who has more than one device
OTHER_DEVICES = {"android": "web", "ios": "web", "web": "android"}


def mix(*numbers: Any) -> NDArray[np.uint64]:
    """Hash columns of whole numbers into one, the same everywhere (splitmix64)."""
    state: Any = np.uint64(0)
    with np.errstate(over="ignore"):
        for number in numbers:
            state = (np.asarray(number).astype(np.uint64) ^ state) + np.uint64(0x9E3779B97F4A7C15)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = state ^ (state >> np.uint64(31))
    return np.atleast_1d(np.asarray(state))


def derived_uuids(*numbers: Any) -> NDArray[np.void]:
    """Make version 4 UUIDs that depend on nothing but these numbers."""
    halves = np.stack([mix(*numbers), mix(*numbers, 1)], axis=1)
    return as_uuids(halves.astype("<u8").view(np.uint8).reshape(-1, 16))


def _draw_identifier(row: Any, rng: Rng, n: int) -> Column:
    typed = np.where(is_null(row.user.email), pack_text(row.user.username), pack_text(row.user.email))
    by_hand = row.auth_method.is_("password", "email_link")
    return np.where(by_hand, np.where(is_null(row.leaked), typed, pack_text(row.leaked)), b"")


def _draw_ip(row: Any, rng: Rng, n: int) -> Column:
    number = mix(row.who, row.address, 15) % np.uint64(PLAYER_ADDRESSES)
    distinct, codes = np.unique(number, return_inverse=True)
    words = tuple(str(IPv4Address(_FIRST_ADDRESS + value)) for value in distinct.tolist())
    return choose(is_null(row.attack_ip), Words(codes, words), row.attack_ip)


def _draw_occurred_at(row: Any, rng: Rng, n: int) -> Column:
    soon = row.user.created_at + rng.integers(60, 3600, n).astype("timedelta64[s]")
    return np.where(np.isnat(soon), row.since, soon)


def _draw_auth_method(row: Any, rng: Rng, n: int) -> Column:
    method = row.user.signup_provider
    return choose(is_null(method), same_word("password", n), method)


def _draw_platform(row: Any, rng: Rng, n: int) -> Column:
    other = row.user.platform.rename(OTHER_DEVICES, "android")
    own = choose(row.device == 0, row.user.platform, other)
    return choose(is_null(row.attack_ip), own, same_word(None, n))


def _draw_user_agent(row: Any, rng: Rng, n: int) -> Column:
    agents = {platform: dict.fromkeys(names, 1.0) for platform, names in USER_AGENTS.items()}
    own = pick_by(row.platform, agents, mix(row.who, row.device, 3) / _UNITS, agents["web"])
    return choose(is_null(row.attack_agent), own, row.attack_agent)


def _draw_risk_score(row: Any, rng: Rng, n: int) -> Column:
    calm, tense, hostile = rng.beta(1.5, 8, n) * 50, 20 + rng.beta(2, 3, n) * 50, 65 + rng.beta(2, 2, n) * 35
    failed = row.event_type.is_("login_failure", "mfa_failure", "account_locked")
    return np.select([~is_null(row.attack_ip), failed], [hostile, tense], calm).astype(np.int64)


class AuthEventFactory(GameFactory):
    """Build events at the door; by default a user's successful login."""

    class Meta:
        model = AuthEvent

    class Params:
        number = factory.Sequence(lambda number: number)
        since = of_spec(lambda spec: spec.since)
        who = factory.SelfAttribute("number")  # what devices and addresses depend on: the user
        device = 0  # of the user's devices
        address = 0  # of the user's addresses
        session = factory.SelfAttribute("number")
        leaked = ""  # what an attacker typed
        attack_ip = ""  # where an attack came from
        attack_agent = ""  # with which tool
        attack_country = ""  # and of which country
        failed = factory.Trait(
            event_type="login_failure", failure_reason="wrong_password", auth_method="password"
        )
        unknown_user = factory.Trait(event_type="login_failure", failure_reason="unknown_user", user=None)
        registered = factory.Trait(event_type="register")
        locked = factory.Trait(event_type="account_locked", auth_method="password")

    user_id = None
    user = factory.Maybe("user_id", no_declaration=factory.SubFactory(UserFactory))
    occurred_at = Draw(_draw_occurred_at)
    event_type = "login_success"
    failure_reason = None
    auth_method = Draw(_draw_auth_method)
    identifier = Draw(_draw_identifier)
    ip = Draw(_draw_ip)
    country_code = Draw(
        lambda row, rng, n: choose(is_null(row.attack_country), row.user.country_code, row.attack_country)
    )
    asn = Draw(
        lambda row, rng, n: (
            dist.ASNS[0]
            + (mix(row.who, row.address, 7) % np.uint64(dist.ASNS[1] - dist.ASNS[0] + 1)).astype(np.int64)
        )
    )
    platform = Draw(_draw_platform)
    user_agent = Draw(_draw_user_agent)
    device_id = Draw(
        lambda row, rng, n: np.where(
            is_null(row.attack_ip), derived_uuids(row.who, row.device), np.void(NIL_UUID)
        )
    )
    session_id = Draw(
        lambda row, rng, n: np.where(
            row.event_type.is_("login_success", "logout"), derived_uuids(row.session, 5), np.void(NIL_UUID)
        )
    )
    risk_score = Draw(_draw_risk_score)
    attack_id = None
