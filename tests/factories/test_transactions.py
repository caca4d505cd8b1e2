"""What the stories of the ledger keep to, over the default factories: nothing that no player would do."""

from datetime import UTC, datetime

import numpy as np
import pytest

from pytest_gamedata import DatasetSpec, build_dataset
from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.conversion import is_null, to_python
from pytest_gamedata.factories import TransactionFactory

DAY = np.timedelta64(1, "D")
PAID = ("completed", "refunded", "charged_back")


@pytest.fixture(scope="module", params=[1, 2, 3])
def tables(request):
    return build_dataset(DatasetSpec(users=1000, seed=request.param)).tables


def rows_of(tables, kind, *statuses):
    """The positions of all rows of a type, and the positions of their items."""
    rows = tables["transactions"]
    found = np.flatnonzero(rows["type"].is_(kind) & rows["status"].is_(*(statuses or PAID)))
    return found, rows["item_id"][found] - 1


def acquired(tables):
    """When each user first came by each item: drops, grants, the store, gifts and trades."""
    rows, first = tables["transactions"], {}
    done = rows["status"].is_("completed") & (rows["item_id"] > 0) & ~(rows["soft_delta"] > 0)
    kind = rows["type"].is_("loot_drop", "reward", "store_purchase", "trade", "gift")
    for row in np.flatnonzero(done & kind).tolist():
        owner = rows["counterparty_user_id" if rows["type"][[row]].is_("gift")[0] else "user_id"][row]
        first.setdefault((owner, rows["item_id"][row]), rows["created_at"][row])
    return first


def test_givers_have_what_they_give(tables):
    rows, had = tables["transactions"], acquired(tables)
    sold, _ = rows_of(tables, "trade", "completed")
    gave = np.append(sold[rows["soft_delta"][sold] > 0], rows_of(tables, "gift")[0])
    known = [(had.get((rows["user_id"][row], rows["item_id"][row])), rows["created_at"][row]) for row in gave]

    assert len(gave) > 100
    assert [at for since, at in known if since is None or since > at] == []


def test_a_grant_comes_after_the_first_login_and_costs_nothing(tables):
    rows, users = tables["transactions"], tables["users"]
    grants = rows_of(tables, "reward")[0]
    grants = grants[~is_null(rows["item_id"][grants])]

    assert len(grants) > 50
    assert not rows["amount_minor"][grants].any()
    assert (rows["created_at"][grants] > users["created_at"][rows["user_id"][grants] - 1]).all()


def test_nobody_buys_a_running_pass_or_a_starter_bundle_again(tables):
    rows, items = tables["transactions"], tables["items"]
    bought, item = rows_of(tables, "iap_purchase")
    ends, again = {}, []
    days = {
        "Season Pass": dist.SEASON_DAYS,
        "Guild Membership": dist.MEMBERSHIP_DAYS,
        "Starter Bundle": 36_500,
    }
    for row, name in zip(bought.tolist(), to_python(items["name"][item]), strict=True):
        if name in days:
            key, at = (rows["user_id"][row], name), rows["created_at"][row]
            again += [key] if at < ends.get(key, at) else []
            ends[key] = at + days[name] * DAY

    assert ends
    assert again == []


def test_nobody_buys_again_in_the_store_what_is_not_used_up(tables):
    rows, items = tables["transactions"], tables["items"]
    bought, item = rows_of(tables, "store_purchase", "completed")
    lasting = ~items["is_stackable"][item]
    pairs = set(zip(rows["user_id"][bought[lasting]], item[lasting], strict=True))

    assert lasting.sum() > 200
    assert len(pairs) == lasting.sum()


def test_nobody_buys_in_the_store_what_is_beyond_their_level(tables):
    rows, items, users = tables["transactions"], tables["items"], tables["users"]
    bought, item = rows_of(tables, "store_purchase", *PAID, "failed")
    needed = np.array([each.get("required_level", 1) for each in items["attributes"]])[item]

    assert (needed > 1).sum() > 50
    assert (needed <= users["level"][rows["user_id"][bought] - 1]).all()


def test_nothing_drops_that_is_retired(tables):
    rows, items = tables["transactions"], tables["items"]
    dropped, item = rows_of(tables, "loot_drop")

    assert (~items["is_active"]).any()
    assert (rows["created_at"][dropped] < items["available_until"][item]).all()
    assert (rows["created_at"][dropped] >= items["available_from"][item]).all()


def test_the_mix_of_drops_is_the_published_one(tables):
    rarity = tables["items"]["rarity"][rows_of(tables, "loot_drop")[1]]

    for name, share in dist.DROP_SHARES.items():
        assert rarity.is_(name).mean() * 100 == pytest.approx(share, abs=0.2)


def test_a_user_is_as_new_as_the_last_row_that_was_settled(tables):
    rows, users = tables["transactions"], tables["users"]
    last = users["created_at"].copy()
    np.fmax.at(last, rows["user_id"] - 1, rows["completed_at"])
    over = users["status"].is_("banned", "suspended", "deleted")

    assert (last <= users["updated_at"])[~over].all()
    assert (users["updated_at"][over] < np.datetime64("2025-01-01")).all()


def test_nobody_pays_in_a_way_that_the_provider_does_not_know(tables):
    rows = tables["transactions"]
    bought, _ = rows_of(tables, "iap_purchase", *PAID, "failed", "pending")
    pairs = zip(
        to_python(rows["payment_provider"][bought]), to_python(rows["payment_method"][bought]), strict=True
    )

    assert {method in dist.PAYMENT_METHODS[provider] for provider, method in pairs} == {True}


def test_what_is_bought_is_bought_on_the_platform_of_the_last_login(tables):
    rows, events = tables["transactions"], tables["auth_events"]
    bought = rows["type"].is_("iap_purchase", "store_purchase")
    logins = events["event_type"].is_("login_success") & is_null(events["attack_id"])
    wrong = 0
    for user in np.unique(rows["user_id"][bought]):
        own = np.flatnonzero(logins & (events["user_id"] == user))
        deeds = np.flatnonzero(bought & (rows["user_id"] == user))
        last = own[np.searchsorted(events["occurred_at"][own], rows["created_at"][deeds], side="right") - 1]
        pairs = zip(to_python(rows["platform"][deeds]), to_python(events["platform"][last]), strict=True)
        wrong += sum(mine != theirs for mine, theirs in pairs)

    assert wrong == 0


@pytest.mark.parametrize("days", [30, 90, 365])
def test_the_cast_has_its_money_back_as_soon_as_others(days):
    dataset = build_dataset(DatasetSpec(users=100, days=days))
    rows = dataset.tables["transactions"]
    for role, status, mean in (
        ("refunded", "refunded", dist.REFUND_DELAY_DAYS),
        ("charged_back", "charged_back", dist.CHARGEBACK_DELAY_DAYS),
    ):
        own = (rows["user_id"] == dataset.cast[role]) & rows["status"].is_(status)
        delay = rows["refunded_at"][own] - rows["created_at"][own]

        assert len(delay)
        assert (delay / DAY <= dist.SURE_DELAY_MEANS * mean + 0.01).all()


@pytest.mark.parametrize(
    "spec",
    [
        DatasetSpec(users=300, items=12, preset="median"),
        DatasetSpec(users=300, items=4, preset="median"),
        DatasetSpec(users=4000, seed=495492, days=45),
        DatasetSpec(users=4000, seed=954912, preset="hit", days=60, items=40),
        *(DatasetSpec(users=1, items=12, seed=seed) for seed in range(1, 6)),
    ],
    ids=str,
)
def test_nobody_spends_more_than_the_whale(spec):
    dataset = build_dataset(spec)
    spent, whale = dataset.tables["users"]["lifetime_spend_usd_cents"], dataset.cast["whale"] - 1

    assert spent[whale] > dist.WHALE_SPEND_MIN
    assert spent[whale] > np.delete(spent, whale).max(initial=0)


@pytest.mark.parametrize(
    "spec",
    [
        DatasetSpec(
            users=19, seed=852912, preset="median", days=200, items=12,
            until=datetime(2024, 3, 31, 1, 30, tzinfo=UTC),
        ),
        *(DatasetSpec(users=12, items=2, days=1, seed=seed) for seed in range(1, 11)),
    ],
    ids=str,
)  # fmt: skip
def test_the_cast_trades_and_gives_in_the_smallest_game(spec):
    dataset = build_dataset(spec)
    rows = dataset.tables["transactions"]

    for role, kind in (("trader", "trade"), ("gifter", "gift")):
        own = rows["user_id"] == dataset.cast[role]
        assert (own & rows["type"].is_(kind) & rows["status"].is_("completed")).any(), role


@pytest.mark.parametrize("transactions", [0, 1, 50, 333, 700, 5000])
def test_a_fixed_number_of_rows_is_met_whatever_has_to_be_granted(transactions):
    dataset = build_dataset(DatasetSpec(users=200, transactions=transactions))

    assert dataset.counts["transactions"] == transactions


def test_a_lone_reward_of_an_item_pays_nothing():
    assert TransactionFactory.build(type="reward").amount_minor == 0
    assert TransactionFactory.build(reward=True).amount_minor > 0
