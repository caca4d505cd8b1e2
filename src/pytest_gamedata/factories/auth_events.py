"""Factory of auth events: identifier, address, device and risk score of each row of the log."""

from __future__ import annotations

from typing import Any

import factory
import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.categorical import Categorical, constant, free_text
from pytest_gamedata.columns.combine import choose
from pytest_gamedata.columns.conversion import Column, is_null, pack_text
from pytest_gamedata.columns.hashing import derived_uuids, hashed_quantiles
from pytest_gamedata.columns.sampling import Rng, pick_by
from pytest_gamedata.factories.adapter import Parent
from pytest_gamedata.factories.base import GameFactory
from pytest_gamedata.factories.draw import Draw, of_spec
from pytest_gamedata.factories.users import UserFactory
from pytest_gamedata.models import AuthEvent
from pytest_gamedata.words.addresses import addresses, asns, hosts_of
from pytest_gamedata.words.user_agents import USER_AGENTS


def _draw_identifier(row: Any, rng: Rng, n: int) -> Column:
    """Draw what is typed at a login by hand: stolen credentials, else the own e-mail address or username."""
    by_hand = np.flatnonzero(row.auth_method.is_("password", "email_link"))
    email = pack_text(row.user.email[by_hand])
    own = np.where(email == b"", pack_text(row.user.username[by_hand]), email)
    own = _hit_twice(own, row.typo[by_hand])
    stolen = pack_text(row.leaked[by_hand])
    return free_text(n, by_hand, np.where(stolen == b"", own, stolen))


def _hit_twice(typed: NDArray[np.bytes_], rows: NDArray[np.bool_]) -> NDArray[np.bytes_]:
    """Double the first letter in these rows."""
    wide = typed.astype(f"S{typed.dtype.itemsize + 1}")
    wide[rows] = np.strings.add(typed[rows].astype("S1"), typed[rows])
    return wide


def _draw_ip(row: Any, rng: Rng, n: int) -> Column:
    distinct = np.flatnonzero(np.bincount(row.host))  # hosts are few and low: no need to sort
    code_of = np.zeros(distinct[-1] + 1 if n else 0, dtype=np.int32)
    code_of[distinct] = np.arange(len(distinct))
    own = Categorical(code_of[row.host], tuple(addresses(distinct)))
    return choose(is_null(row.attack_ip), own, row.attack_ip)


def _draw_occurred_at(row: Any, rng: Rng, n: int) -> Column:
    soon = row.user.created_at + rng.integers(60, 3600, n).astype("timedelta64[s]")
    return np.where(np.isnat(soon), row.since, soon)


def _draw_auth_method(row: Any, rng: Rng, n: int) -> Column:
    method = row.user.signup_provider
    return choose(is_null(method), constant("password", n), method)


def own_platform(row: Any) -> Column:
    """Return the platform of the device that a user logs in on: the first device has the user's own."""
    other = row.user.platform.rename(dist.OTHER_DEVICES, "android")
    return choose(row.device == 0, row.user.platform, other)


def device_ids(row: Any, **where: Any) -> Column:
    """Return the ids of the devices that users log in on; NULL except `where` they have one."""
    return derived_uuids(row.who, row.device, **where)


def session_ids(row: Any, **where: Any) -> Column:
    """Return the ids of the sessions that logins begin; NULL except `where` there is one."""
    return derived_uuids(row.session, 5, **where)


def _draw_platform(row: Any, rng: Rng, n: int) -> Column:
    return choose(is_null(row.attack_ip), own_platform(row), row.attack_platform)


def _draw_user_agent(row: Any, rng: Rng, n: int) -> Column:
    agents = {platform: dict.fromkeys(names, 1.0) for platform, names in USER_AGENTS.items()}
    own = pick_by(row.platform, agents, hashed_quantiles(row.who, row.device, 3), agents["web"])
    return choose(is_null(row.attack_agent), own, row.attack_agent)


def _draw_risk_score(row: Any, rng: Rng, n: int) -> Column:
    calm, tense, hostile = (
        (rng.beta(*dist.RISK_SCORES[mood], n) * 100).astype(np.int32) for mood in ("calm", "failed", "attack")
    )
    failed = row.event_type.is_("login_failure", "mfa_failure", "account_locked")
    return np.where(is_null(row.attack_ip), np.where(failed, tense, calm), hostile)


class AuthEventFactory(GameFactory):
    """Build auth events; by default a user's successful login."""

    class Meta:
        model = AuthEvent

    class Params:
        number = factory.Sequence(lambda number: number)
        since = of_spec(lambda spec: spec.since)
        who = factory.SelfAttribute("number")  # what devices and addresses depend on: the user
        device = 0  # of the user's devices
        address = 0  # of the user's addresses
        session = factory.SelfAttribute("number")
        typo = False  # the identifier is mistyped
        host = Draw(  # of the players' network, in the user's country
            lambda row, rng, n: hosts_of(row.user.country_code, hashed_quantiles(row.who, row.address, 15))
        )
        leaked = ""  # what an attacker typed
        attack_ip = ""  # where an attack came from
        attack_agent = ""  # with which tool
        attack_platform = ""  # passing for which one
        attack_country = ""  # of which country
        attack_asn = None  # and network
        failed = factory.Trait(
            event_type="login_failure", failure_reason="wrong_password", auth_method="password"
        )
        unknown_user = factory.Trait(event_type="login_failure", failure_reason="unknown_user", user=None)
        registered = factory.Trait(event_type="register")
        locked = factory.Trait(event_type="account_locked", auth_method="password")

    user_id = None
    user = factory.Maybe("user_id", no_declaration=Parent(UserFactory))
    occurred_at = Draw(_draw_occurred_at)
    event_type = "login_success"
    failure_reason = None
    auth_method = Draw(_draw_auth_method)
    identifier = Draw(_draw_identifier)
    ip = Draw(_draw_ip)
    country_code = Draw(
        lambda row, rng, n: choose(is_null(row.attack_country), row.user.country_code, row.attack_country)
    )
    asn = Draw(lambda row, rng, n: np.where(is_null(row.attack_ip), asns(row.host), row.attack_asn))
    platform = Draw(_draw_platform)
    user_agent = Draw(_draw_user_agent)
    device_id = Draw(  # a tool of an attack has none
        lambda row, rng, n: device_ids(row, where=~is_null(row.platform) | is_null(row.attack_ip))
    )
    session_id = Draw(
        lambda row, rng, n: session_ids(row, where=row.event_type.is_("login_success", "logout"))
    )
    risk_score = Draw(_draw_risk_score)
    attack_id = None
