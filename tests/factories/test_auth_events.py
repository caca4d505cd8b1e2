"""What holds of the auth log of our own factories."""

import numpy as np
import pytest

from pytest_gamedata import DatasetSpec, build_dataset
from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.combine import take
from pytest_gamedata.columns.conversion import is_null, pack_text, to_python

SECOND = np.timedelta64(1_000_000, "us")
FAILED = ("login_failure", "mfa_failure", "password_reset_requested")


@pytest.fixture(scope="module", params=[1, 2])
def tables(request):
    return build_dataset(DatasetSpec(users=1000, seed=request.param)).tables


@pytest.fixture(scope="module")
def events(tables):
    return tables["auth_events"]


@pytest.fixture(scope="module")
def own(tables, events):
    """What users did themselves, each user's events in one piece; `provider`, `mfa` and `verified` of the user."""
    rows = take(events, is_null(events["attack_id"]) & ~is_null(events["user_id"]))
    rows = take(rows, np.lexsort((rows["id"], rows["user_id"])))
    users, user = tables["users"], rows["user_id"] - 1
    return rows | {
        "provider": users["signup_provider"][user],
        "mfa": users["mfa_enabled"][user],
        "verified": users["email_verified_at"][user],
    }


def of_devices(own, *kinds):
    """Events of these kinds, those of a user and device in one piece, and which of them are the first there."""
    rows = take(own, own["event_type"].is_(*kinds))
    device = np.unique(rows["device_id"], return_inverse=True)[1]
    order = np.lexsort((rows["id"], device, rows["user_id"]))
    rows = take(rows, order)
    first = (np.diff(rows["user_id"], prepend=0) != 0) | (np.diff(device[order], prepend=-1) != 0)
    return rows, first


def shapes(rows, *names):
    """How many different values the last column has for each of the first."""
    keys, values = (np.unique(pack_text(rows[name]) if rows[name].__class__.__name__ == "Categorical" else rows[name],
                              return_inverse=True)[1] for name in names)  # fmt: skip
    pairs = np.unique(np.stack([keys, values], axis=1), axis=0)
    return np.bincount(pairs[:, 0])


def test_a_device_without_a_token_is_logged_in_by_hand(own):
    rows, first = of_devices(own, "login_success", "logout")
    login, token = rows["event_type"].is_("login_success"), rows["auth_method"].is_("refresh_token")
    after_logout = np.roll(rows["event_type"].is_("logout"), 1) & ~first

    assert (login & after_logout).sum() > 100
    assert not (token & login & (first | after_logout)).any()
    assert token.any()


def test_nobody_logs_in_at_once_after_a_logout(own):
    rows = take(own, own["event_type"].is_("login_success", "logout"))
    next_login = rows["event_type"].is_("logout")[:-1] & (np.diff(rows["user_id"]) == 0)
    waited = np.diff(rows["occurred_at"])[next_login]

    assert len(waited) > 100
    assert (waited > dist.LOGOUT_GAP_SECONDS * SECOND).all()


def test_a_device_account_has_one_device(own):
    rows = take(own, own["provider"].is_("device"))

    assert len(rows["id"])
    assert (shapes(rows, "user_id", "device_id") == 1).all()


def test_an_address_is_in_one_country_and_of_one_asn(events):
    assert (shapes(events, "ip", "country_code") == 1).all()
    assert (shapes(events, "ip", "asn") == 1).all()


def test_a_player_is_in_the_own_country_and_a_country_has_a_few_networks(tables, own):
    home = tables["users"]["country_code"][own["user_id"] - 1]

    assert to_python(own["country_code"]) == to_python(home)
    assert shapes(own, "asn", "country_code").max() == 1
    assert 1 < shapes(own, "country_code", "asn").mean() < 20


def test_attacks_cannot_be_told_by_a_single_column(events):
    attack = ~is_null(events["attack_id"])
    player = np.strings.startswith(pack_text(events["ip"]), b"198.1")
    risk = events["risk_score"]

    assert 0.2 < is_null(events["device_id"])[attack].mean() < 0.9
    assert (is_null(events["platform"]) == is_null(events["device_id"])).all()
    assert events["platform"][attack & ~is_null(events["platform"])].is_("web").all()
    assert (attack & player).any()
    assert (events["failure_reason"].is_("unknown_user") & ~attack).any()
    assert risk[attack].min() < np.quantile(risk[~attack], 0.99)
    assert risk[attack].mean() > risk[~attack].mean() + 30


def test_who_mistypes_the_own_name_is_nobody_on_a_known_device(events):
    typos = take(events, events["failure_reason"].is_("unknown_user") & is_null(events["attack_id"]))
    known = take(events, ~is_null(events["user_id"]))

    assert len(typos["id"]) > 0
    assert not np.isin(typos["identifier"], known["identifier"]).any()
    assert np.isin(typos["device_id"], known["device_id"]).all()
    assert all(b"@" not in typed or typed.endswith(dist.RESERVED_DOMAINS) for typed in typos["identifier"])


def test_an_attack_tries_an_account_once_or_locks_it(events):
    hits = take(events, ~is_null(events["attack_id"]) & ~is_null(events["user_id"]))
    attack = hits["attack_id"].codes.astype(np.int64)
    pair, times = np.unique(attack * 10_000 + hits["user_id"], return_inverse=True, return_counts=True)[1:]
    again = times[pair] > 1
    ruined = np.isin(attack, attack[hits["failure_reason"].is_("account_locked")])

    assert ruined[again].all()
    assert not np.isin(hits["user_id"][~ruined], hits["user_id"][ruined]).any()


def test_owners_take_their_own_time():
    events = build_dataset(DatasetSpec(users=8000, preset="whale_heavy")).tables["auth_events"]
    attack = ~is_null(events["attack_id"])
    entered = events["user_id"][attack & events["event_type"].is_("login_success")]
    ruined = events["user_id"][attack & events["failure_reason"].is_("account_locked")]

    for victims, before in (
        (entered, "password_reset_requested"),
        (entered, "password_reset_completed"),
        (ruined, "account_unlocked"),
    ):
        rows = take(events, np.isin(events["user_id"], victims) & ~attack)
        rows = take(rows, np.lexsort((rows["id"], rows["user_id"])))
        waits = np.diff(rows["occurred_at"])[
            rows["event_type"].is_(before)[:-1] & (np.diff(rows["user_id"]) == 0)
        ]
        assert len(waits) > 3
        assert len(np.unique(waits // SECOND)) > len(waits) / 2


def test_no_account_is_broken_into_twice():
    events = build_dataset(DatasetSpec(users=300, days=7, preset="whale_heavy", seed=3)).tables["auth_events"]
    entered = ~is_null(events["attack_id"]) & events["event_type"].is_("login_success")
    users = events["user_id"][entered]

    assert len(np.unique(users)) == len(users) > 0


def test_nothing_fails_while_its_device_is_in_a_session(own):
    rows, first = of_devices(own, "login_success", "logout", *FAILED)
    inside = rows["event_type"].is_(*FAILED) & np.roll(rows["event_type"].is_("login_success"), 1) & ~first
    # what is open for ever was left without a logout: provable is only what a logout ends
    ends = np.roll(rows["event_type"].is_("logout"), -1) & ~np.roll(first, -1)

    assert not (inside & ends).any()


def test_every_later_login_by_hand_of_a_second_factor_is_challenged_right_before(own):
    rows = take(own, own["mfa"])
    login = rows["event_type"].is_("login_success")
    earlier = np.cumsum(login) - login
    started = np.flatnonzero(np.diff(rows["user_id"], prepend=0) != 0)
    later = earlier > np.repeat(earlier[started], np.diff(np.append(started, len(login))))
    by_hand = login & later & ~rows["auth_method"].is_("refresh_token")
    asked = np.roll(rows["event_type"].is_("mfa_challenge"), 1)
    soon = np.diff(rows["occurred_at"], prepend=rows["occurred_at"][:1]) < dist.LOGOUT_GAP_SECONDS * SECOND

    assert by_hand.sum() > 50
    assert (asked & soon)[by_hand].all()


def test_a_reset_goes_to_a_verified_address(tables, own):
    rows = take(own, own["event_type"].is_("password_reset_requested", "password_reset_completed"))

    assert len(rows["id"]) > 10
    assert (rows["verified"] < rows["occurred_at"]).all()


@pytest.mark.parametrize(
    "spec",
    [
        {"users": 11108, "items": 67, "days": 7, "seed": 4996597725051857094},
        {"users": 20000, "days": 1, "seed": 1095},
        {"users": 20000, "days": 1, "seed": 1071},
        {"users": 20000, "days": 1, "seed": 1023},
        {"users": 20000, "days": 1, "seed": 1043},
    ],
)
def test_attacks_keep_out_of_each_others_way(spec):
    build_dataset(DatasetSpec(**spec, preset="whale_heavy"))
