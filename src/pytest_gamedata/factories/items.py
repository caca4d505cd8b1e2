"""Items: the catalogue. A few are sold for real money at fixed price points, the rest for wallet currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import factory
import numpy as np

from pytest_gamedata import distributions as dist
from pytest_gamedata.arrays import (
    NULL,
    Column,
    Columns,
    choose,
    same_word,
    texts,
    to_moment,
    to_python,
    words_of,
)
from pytest_gamedata.factories.columns import Draw, GameFactory, Streams, of_spec
from pytest_gamedata.factories.draws import Rng, pick, seconds, strata
from pytest_gamedata.factories.vocabulary import ITEM_NOUNS, ITEM_PREFIXES, ITEM_TAGS, base36
from pytest_gamedata.models import Item
from pytest_gamedata.settings import DatasetSpec

DAY_SECONDS = 86_400
PRICE_POINTS = np.array(list(dist.PRICE_POINTS), dtype=np.int64)
# how much of the catalogue is sold for real money, once there is room for every price point
PRICE_POINT_ORDER = (499, 999, 99, 1499, 1999, 199, 299, 2999, 4999, 9999)


def _draw_item_type(row: Any, rng: Rng, n: int) -> Column:
    sold = words_of(
        [dist.PRICE_POINT_ITEMS.get(price, ("cosmetic",))[0] for price in row.price_usd_cents.tolist()]
    )
    return choose(row.price_usd_cents > 0, sold, pick(dist.ITEM_TYPES, strata(rng, n)))


def _draw_rarity(row: Any, rng: Rng, n: int) -> Column:
    return choose(row.price_usd_cents > 0, same_word("common", n), pick(dist.RARITIES, strata(rng, n)))


def _draw_name(row: Any, rng: Rng, n: int) -> Column:
    names = []
    rows = zip(
        row.price_usd_cents.tolist(),
        to_python(row.item_type),
        to_python(row.rarity),
        rng.random((n, 2)),
        strict=True,
    )
    for price, item_type, rarity, (prefix, noun) in rows:
        if price in dist.PRICE_POINT_ITEMS:
            names.append(dist.PRICE_POINT_ITEMS[price][1])
        else:
            prefixes, nouns = ITEM_PREFIXES[rarity], ITEM_NOUNS.get(item_type, ("Bundle",))
            names.append(f"{prefixes[int(prefix * len(prefixes))]} {nouns[int(noun * len(nouns))]}")
    return texts(names)


def _draw_sku(row: Any, rng: Rng, n: int) -> Column:
    numbers = [number.decode() for number in base36(row.number).tolist()]
    return texts(
        [
            f"com.example.game.{kind}_{code:0>4}"
            for kind, code in zip(to_python(row.item_type), numbers, strict=True)
        ]
    )


def _draw_grants_hard(row: Any, rng: Rng, n: int) -> Column:
    price = row.price_usd_cents
    bonus = 1 + dist.PACK_BONUS_MAX * (np.maximum(price, 99) - 99) / (PRICE_POINTS.max() - 99)
    share = np.where(row.item_type.is_("currency_pack"), 1.0, dist.BUNDLE_GEM_SHARE)
    return np.where(price > 0, np.maximum(price, 0) * dist.GEMS_PER_USD_CENT * bonus * share, 0).astype(
        np.int64
    )


def _wallet_price(base: int, has_price: Any) -> Draw:
    """Price by rarity: the middle of a rarity is its factor times the base, give or take a fifth."""

    def draw(row: Any, rng: Rng, n: int) -> Column:
        factors = row.rarity.to(dist.RARITY_PRICE_FACTOR, np.float64)
        steps = np.round(base * factors * rng.uniform(0.8, 1.2, n) / 5).astype(np.int64)
        return np.where((row.price_usd_cents == NULL) & has_price(row), np.maximum(steps * 5, 5), NULL)

    return Draw(draw)


def _draw_drop_rate(row: Any, rng: Rng, n: int) -> Column:
    """Give a tier's published share, which the items of the tier split when loot is drawn."""
    rates = np.empty(n, dtype=object)
    droppable = row.item_type.is_("cosmetic", "equipment", "consumable")
    for position, (drops, rarity) in enumerate(zip(droppable.tolist(), to_python(row.rarity), strict=True)):
        rates[position] = Decimal(str(dist.DROP_SHARES[rarity] / 100)) if drops else None
    return rates


def _draw_available_until(row: Any, rng: Rng, n: int) -> Column:
    retired = (
        (row.price_usd_cents == NULL) & ~row.item_type.is_("consumable") & (rng.random(n) < row.retired_share)
    )
    # the first item of the store stays, so that there always is something to buy
    first = np.cumsum(row.price_usd_cents == NULL) == 1
    retired &= ~first | (row.retired_share >= 1)
    window = (row.until - row.since).astype(np.int64)
    moment = row.since + (rng.uniform(0.3, 0.9, n) * window).astype("timedelta64[us]")
    return np.where(retired, moment, np.datetime64(dist.FOR_EVER, "us"))


def _draw_tags(row: Any, rng: Rng, n: int) -> Column:
    tags = np.empty(n, dtype=object)
    for position, (kind, rarity) in enumerate(
        zip(to_python(row.item_type), to_python(row.rarity), strict=True)
    ):
        tags[position] = [*ITEM_TAGS[kind], rarity]
    return tags


def _draw_attributes(row: Any, rng: Rng, n: int) -> Column:
    attributes = np.empty(n, dtype=object)
    rolls = rng.integers(1, 100, (n, 2)).tolist()
    for position, (kind, (power, weight)) in enumerate(zip(to_python(row.item_type), rolls, strict=True)):
        attributes[position] = {
            "equipment": {"power": power, "weight": weight},
            "consumable": {"cooldown_seconds": weight, "power": power},
            "character": {"health": 500 + 10 * power, "speed": weight},
            "cosmetic": {"slot": ("head", "back", "hand")[power % 3]},
            "loot_box": {"rolls": 1 + power % 3},
        }.get(kind, {})
    return attributes


class ItemFactory(GameFactory):
    """Build catalogue items."""

    class Meta:
        model = Item

    class Params:
        number = factory.Sequence(lambda number: number)
        retired_share = 0.0  # a lone item is on sale, unless the trait says otherwise
        retired = factory.Trait(retired_share=1.0)
        since = of_spec(lambda spec: spec.since)
        until = of_spec(lambda spec: spec.until)

    price_usd_cents = None
    item_type = Draw(_draw_item_type)
    rarity = Draw(_draw_rarity)
    name = Draw(_draw_name)
    sku = Draw(_draw_sku)
    price_hard = _wallet_price(dist.BASE_PRICE_HARD, lambda row: ~row.item_type.is_("consumable"))
    price_soft = _wallet_price(dist.BASE_PRICE_SOFT, lambda row: True)
    grants_hard = Draw(_draw_grants_hard)
    drop_rate = Draw(_draw_drop_rate)
    is_stackable = Draw(lambda row, rng, n: row.item_type.is_("consumable", "loot_box"))
    is_tradable = Draw(
        lambda row, rng, n: (
            row.item_type.is_("equipment", "cosmetic", "consumable") & (strata(rng, n) < dist.TRADABLE_SHARE)
        )
    )
    limited_edition_count = Draw(
        lambda row, rng, n: np.where(
            row.rarity.is_("epic", "legendary") & (rng.random(n) < dist.LIMITED_SHARE),
            rng.integers(1, 21, n) * 500,
            NULL,
        )
    )
    created_at = Draw(lambda row, rng, n: row.since - seconds(rng.uniform(30, 400, n) * DAY_SECONDS))
    available_from = Draw(lambda row, rng, n: row.created_at + seconds(rng.uniform(1, 20, n) * DAY_SECONDS))
    available_until = Draw(_draw_available_until)
    is_active = Draw(lambda row, rng, n: row.available_until > row.until)
    updated_at = Draw(lambda row, rng, n: np.where(row.is_active, row.available_from, row.available_until))
    tags = Draw(_draw_tags)
    attributes = Draw(_draw_attributes)


def make_items(spec: DatasetSpec, streams: Streams, item_factory: Any) -> Columns:
    """Draw the catalogue: one item per price point as far as a quarter of it has room, then the rest."""
    sold = PRICE_POINT_ORDER[: max(min(len(PRICE_POINT_ORDER), spec.items // 4), min(spec.items, 1))]
    prices = np.full(spec.items, NULL, dtype=np.int64)
    prices[: len(sold)] = sorted(sold)
    items = item_factory.columns(
        spec.items,
        streams,
        number=np.arange(1, spec.items + 1),
        since=to_moment(spec.since),
        until=to_moment(spec.until),
        retired_share=dist.RETIRED_SHARE,
        price_usd_cents=prices,
    )
    return {**items, "id": np.arange(1, spec.items + 1)}
