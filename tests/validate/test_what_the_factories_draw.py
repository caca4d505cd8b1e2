"""What holds for our own factories, but not for a dataset whose columns somebody has replaced."""

import numpy as np
import pytest

from pytest_gamedata import DatasetSpec, build_dataset
from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.conversion import is_null, to_python
from pytest_gamedata.words.user_agents import USER_AGENTS


@pytest.fixture(scope="module", params=[1, 2])
def tables(request):
    return build_dataset(DatasetSpec(users=300, seed=request.param)).tables


def texts_of(columns, rows, *names):
    return list(zip(*(to_python(columns[name][rows]) for name in names), strict=True))


def test_level_and_experience_follow_playtime(tables):
    users = tables["users"]
    order = np.argsort(users["playtime_seconds"])

    for column in ("level", "xp"):
        assert (np.diff(users[column][order]) >= 0).all()


def test_only_an_address_that_is_there_was_verified(tables):
    users = tables["users"]

    assert not is_null(users["email"])[~np.isnat(users["email_verified_at"])].any()


def test_bans_and_suspensions_have_an_end(tables):
    users = tables["users"]

    assert (users["status"].is_("banned", "suspended") == ~np.isnat(users["banned_until"])).all()


def test_real_money_is_paid_at_a_price_point_to_a_provider_of_the_platform(tables):
    rows, items = tables["transactions"], tables["items"]
    bought = np.flatnonzero(rows["type"].is_("iap_purchase"))

    assert set(items["price_usd_cents"][rows["item_id"][bought] - 1].tolist()) <= set(dist.PRICE_POINTS)
    for platform, provider, currency in texts_of(rows, bought, "platform", "payment_provider", "currency"):
        assert provider in dist.PAYMENT_PROVIDERS[platform]
        assert currency not in ("GEM", "GLD")


def test_all_else_is_paid_in_the_currencies_of_the_game(tables):
    rows = tables["transactions"]
    others = ~rows["type"].is_("iap_purchase", "refund", "chargeback")

    assert set(to_python(rows["currency"][others])) == {"GEM", "GLD"}


def test_prices_rise_with_rarity(tables):
    items = tables["items"]
    priced = items["price_hard"] > 0
    medians = [
        np.percentile(items["price_hard"][priced & items["rarity"].is_(rarity)], 50, method="inverted_cdf")
        for rarity in dist.RARITIES
    ]

    assert (np.diff(medians) > 0).all()


def test_user_agents_fit_the_platform(tables):
    events = tables["auth_events"]
    own = is_null(events["attack_id"]) & ~is_null(events["user_id"])

    for agent, platform in set(texts_of(events, own, "user_agent", "platform")):
        assert agent in USER_AGENTS[platform]


def test_a_user_registers_at_home_on_the_usual_platform(tables):
    users, events = tables["users"], tables["auth_events"]
    registers = events["event_type"].is_("register")
    at = events["user_id"][registers] - 1

    for column in ("platform", "country_code"):
        assert to_python(events[column][registers]) == to_python(users[column][at])


@pytest.mark.parametrize("column", ["device_id", "session_id"])
def test_devices_and_sessions_are_their_users_alone(tables, column):
    events = tables["auth_events"]
    own = is_null(events["attack_id"]) & ~is_null(events["user_id"]) & ~is_null(events[column])
    pairs = set(texts_of(events, own, column, "user_id"))

    assert len(pairs) == len({value for value, _ in pairs}) > 300


def test_attackers_type_what_they_found(tables):
    events = tables["auth_events"]
    unknown = events["failure_reason"].is_("unknown_user")

    assert unknown.any()
    assert not is_null(events["identifier"][unknown]).any()
