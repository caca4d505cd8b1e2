import json
import re
from collections import Counter, defaultdict
from decimal import Decimal
from statistics import mean, median_high, median_low

import factory
import pytest

from pytest_gamedata import DatasetSpec, build_dataset
from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.conversion import to_python
from pytest_gamedata.factories import ItemFactory
from pytest_gamedata.models import Item

DROPPED = ("cosmetic", "equipment", "consumable")
RARITIES = list(dist.RARITIES)
SEEDS = range(1, 6)


def catalogue(items=120, seed=1, factories=()):
    """Return the rows of a catalogue."""
    spec = DatasetSpec(users=0, transactions=0, items=items, seed=seed)
    columns = build_dataset(spec, factories).tables["items"]
    rows = zip(*map(to_python, columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def by_rarity(rows, value):
    found = defaultdict(list)
    for row in rows:
        if value(row) is not None:
            found[row["rarity"]].append(value(row))
    return [found[rarity] for rarity in RARITIES]


@pytest.mark.parametrize("items", [19, 20, 30, 60, 120, 400])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_median_price_of_a_rarity_is_its_factor(items, seed):
    for column, base in (("price_hard", dist.BASE_PRICE_HARD), ("price_soft", dist.BASE_PRICE_SOFT)):
        prices = by_rarity(catalogue(items, seed), lambda row, column=column: row[column])
        wanted = [5 * round(base * factor / 5) for factor in dist.RARITY_PRICE_FACTOR.values()]

        assert [median_low(found) for found in prices] == wanted
        assert [median_high(found) for found in prices] == wanted


@pytest.mark.parametrize("seed", SEEDS)
def test_the_mix_of_rarities_is_as_close_as_the_catalogue_allows(seed):
    counts = Counter(row["rarity"] for row in catalogue(seed=seed))

    assert [counts[rarity] for rarity in RARITIES] == [54, 32, 19, 11, 4]


@pytest.mark.parametrize("items", [19, 25, 30, 47, 120, 400])
def test_every_rarity_drops_and_the_chances_sum_to_one(items):
    rows = catalogue(items)
    rates = by_rarity(rows, lambda row: row["drop_rate"])

    assert {row["item_type"] for row in rows if row["drop_rate"]} <= set(DROPPED)
    assert [sum(found) for found in rates] == [
        Decimal(str(share)) / 100 for share in dist.DROP_SHARES.values()
    ]


@pytest.mark.parametrize("items", [120, 700])
@pytest.mark.parametrize("seed", SEEDS)
def test_no_two_items_share_a_name_or_a_sku(items, seed):
    rows = catalogue(items, seed)

    assert len({row["name"] for row in rows}) == items
    assert len({row["sku"] for row in rows}) == items
    assert all(re.fullmatch(r"com\.example\.game\.[a-z0-9_]{5,60}", row["sku"]) for row in rows)


def test_a_catalogue_larger_than_the_vocabulary_counts_in_roman_numerals():
    names = {row["name"] for row in catalogue(6000)}
    again = [name for name in names if name.endswith(" II")]

    assert len(names) == 6000
    assert len(again) > 100
    assert {name.removesuffix(" II") for name in again} <= names


def test_what_is_sold_for_real_money_has_the_sku_of_a_store():
    rows = [row for row in catalogue() if row["price_usd_cents"]]

    assert [row["sku"].removeprefix("com.example.game.") for row in rows] == [
        "gems_0100", "bundle_starter", "bundle_travellers", "gems_0550", "battle_pass_season", "subscription_guild",
        "gems_2450", "bundle_champion", "gems_6550", "gems_13600", "gems_1175", "gems_1825", "gems_0210",
    ]  # fmt: skip
    assert {row["attributes"]["gems"] == row["grants_hard"] for row in rows} == {True}


def test_a_gem_is_cheaper_the_larger_the_pack():
    packs = [row for row in catalogue() if row["item_type"] == "currency_pack"]
    packs.sort(key=lambda row: row["price_usd_cents"])
    price = [row["price_usd_cents"] / row["grants_hard"] for row in packs]

    assert price == sorted(price, reverse=True)
    assert len(set(price)) == 8
    assert price[-1] / price[0] == pytest.approx(0.74, abs=0.01)


def test_attributes_say_what_a_game_would():
    fields = {
        "equipment": {"slot", "power", "required_level", "durability"},
        "cosmetic": {"slot", "dye_channels", "animated"},
        "consumable": {"effect", "power", "cooldown_seconds", "stack_size"},
        "character": {"role", "health", "power", "speed", "required_level"},
        "loot_box": {"rolls", "odds"},
        "currency_pack": {"gems"},
        "bundle": {"gems", "pieces"},
        "battle_pass": {"season", "tiers", "duration_days", "gems"},
        "subscription": {"duration_days", "renews", "gems"},
    }
    rows = catalogue()

    assert {row["item_type"]: set(row["attributes"]) for row in rows} == fields
    assert all(json.loads(json.dumps(row["attributes"])) == row["attributes"] for row in rows)
    assert all(row["attributes"].get("slot") != "" for row in rows)


def test_a_slot_fits_the_name():
    slots = {"Helm": "head", "Boots": "feet", "Bow": "two_hands", "Cape": "back", "Mask": "face"}
    worn = [
        (slots[noun], row["attributes"]["slot"])
        for row in catalogue(400)
        for noun in slots
        if noun in row["name"].split()
    ]

    assert len(worn) > 20
    assert {expected == found for expected, found in worn} == {True}


@pytest.mark.parametrize("field", ["power", "required_level", "health", "dye_channels", "rolls"])
def test_what_is_rarer_is_better_on_average(field):
    values = by_rarity(catalogue(400), lambda row: row["attributes"].get(field))
    means = [mean(found) for found in values if found]

    assert len(means) >= 4
    assert means == sorted(means)
    assert len(set(means)) == len(means)


def test_the_odds_of_a_loot_box_sum_to_one_and_grow_with_its_rarity():
    boxes = [row for row in catalogue(400) if row["item_type"] == "loot_box"]
    best = {row["rarity"]: row["attributes"]["odds"]["legendary"] for row in boxes}

    assert {round(sum(row["attributes"]["odds"].values()), 9) for row in boxes} == {1.0}
    assert best["common"] == 0.0026
    assert best["common"] < best["rare"] < best["epic"]


def test_tags_tell_items_apart():
    rows = catalogue(400)
    tags = Counter(tag for row in rows for tag in row["tags"])

    assert all(row["rarity"] in row["tags"] for row in rows)
    assert all(len(set(row["tags"])) == len(row["tags"]) for row in rows)
    assert rows[0]["tags"] == ["shop", "currency", "common"]
    for tag in ("gear", "fire", "shadow", "spring", "winter", "new", "limited"):
        assert 0 < tags[tag] < 200
    assert all((row["limited_edition_count"] is not None) == ("limited" in row["tags"]) for row in rows)


def test_the_theme_of_a_name_is_its_tag():
    named = [row for row in catalogue(400) if row["name"].endswith(("of Embers", "of the Forge"))]

    assert named
    assert all("fire" in row["tags"] for row in named)


def test_two_catalogues_of_one_seed_are_equal_and_of_another_are_not():
    assert catalogue(60) == catalogue(60)
    assert catalogue(60) != catalogue(60, seed=2)


@pytest.mark.parametrize(
    "item_type", [*dist.ITEM_TYPES, "bundle", "battle_pass", "subscription", "currency_pack"]
)
@pytest.mark.parametrize("rarity", RARITIES)
def test_a_lone_item_of_any_type_is_plausible(item_type, rarity):
    item = ItemFactory.build(item_type=item_type, rarity=rarity)

    assert len(item.name.split()) >= 2
    assert re.fullmatch(r"com\.example\.game\.[a-z_]+\d*_\d{10}", item.sku)
    assert rarity in item.tags
    assert item.price_soft == pytest.approx(150 * dist.RARITY_PRICE_FACTOR[rarity], rel=0.25)
    assert item.drop_rate is None or item.drop_rate == Decimal(str(dist.DROP_SHARES[rarity])) / 100


def test_lone_items_differ():
    items = ItemFactory.build_batch(300, item_type="equipment", rarity="rare")

    assert len({item.price_hard for item in items}) > 5
    assert len({item.name for item in items}) > 50


def test_a_lone_pack_of_gems_is_named_after_its_gems():
    packs = ItemFactory.build_batch(2, price_usd_cents=499)

    assert {pack.name for pack in packs} == {"Sack of Gems"}
    assert all(re.fullmatch(r"com\.example\.game\.gems_0550_\d{10}", pack.sku) for pack in packs)
    assert packs[0].sku != packs[1].sku


def test_an_item_at_a_price_of_its_own_has_a_name_of_its_type():
    item = ItemFactory.build(price_usd_cents=499, item_type="equipment", rarity="common")

    assert item.name != "Sack of Gems"
    assert item.attributes["slot"]


def test_a_catalogue_of_one_price_still_has_unique_skus():
    class Packs(ItemFactory):
        class Meta:
            model = Item

        price_usd_cents = 499

    rows = catalogue(12, factories=[Packs])

    assert {row["item_type"] for row in rows} == {"currency_pack"}
    assert len({row["sku"] for row in rows}) == 12


def test_a_changed_name_changes_neither_sku_nor_attributes():
    class Renamed(ItemFactory):
        class Meta:
            model = Item

        name = factory.Sequence(lambda number: f"Übername {number}")

    ours, theirs = catalogue(40), catalogue(40, factories=[Renamed])

    assert [row["name"] for row in theirs] == [f"Übername {number}" for number in range(40)]
    assert [row | {"name": ""} for row in ours] == [row | {"name": ""} for row in theirs]


def test_a_small_catalogue_has_dear_price_points_too():
    prices = {items: [row["price_usd_cents"] for row in catalogue(items)] for items in (1, 8, 12, 40)}
    sold = {items: [price for price in found if price] for items, found in prices.items()}

    assert sold[1] == [999]
    assert sold[8] == [999, 4999]
    assert sold[12] == [99, 999, 4999]
    assert sold[40] == sorted(dist.PRICE_POINTS)


def test_what_lasts_has_something_else_beside_it_at_its_price():
    sold = [row for row in catalogue() if row["price_usd_cents"]]
    beside = {price: [row for row in sold if row["price_usd_cents"] == price] for price in dist.LASTING_DAYS}

    assert {price: len(rows) for price, rows in beside.items()} == {999: 2, 1499: 2, 199: 2}
    assert {rows[1]["item_type"] for rows in beside.values()} == {"currency_pack"}
    assert [row["attributes"].get("duration_days") for row in (beside[999][0], beside[1499][0])] == [
        dist.LASTING_DAYS[999], dist.LASTING_DAYS[1499],
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(1, 21))
def test_something_can_change_hands_and_something_of_each_rarity_still_drops(seed):
    for items in (2, 3, 5, 12, 30):
        rows = catalogue(items, seed)
        dropped = {row["rarity"] for row in rows if row["drop_rate"]}

        assert any(row["is_tradable"] for row in rows)
        assert {row["rarity"] for row in rows if row["drop_rate"] and row["is_active"]} == dropped
