"""Factory of items: a few are sold for real money at fixed price points, the rest for wallet currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import factory
import numpy as np

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.categorical import categorical, constant
from pytest_gamedata.columns.combine import choose
from pytest_gamedata.columns.conversion import NULL, Column, is_null, texts, to_python
from pytest_gamedata.columns.local_time import seconds
from pytest_gamedata.columns.sampling import Rng, pick, strata
from pytest_gamedata.factories.base import GameFactory
from pytest_gamedata.factories.draw import Draw, of_spec
from pytest_gamedata.models import Item
from pytest_gamedata.words.item_details import draw_attributes, draw_tags, strength
from pytest_gamedata.words.items import count_item_names, item_words

DAY_SECONDS = 86_400


def _sold_as(row: Any) -> list[tuple[str | None, str | None]]:
    """Return type and name of what stands at each item's price point: the first item there, or the second."""
    nothing = (None, None)
    first = [dist.PRICE_POINT_ITEMS.get(price, nothing) for price in row.price_usd_cents.tolist()]
    pairs = zip(row.price_usd_cents.tolist(), row.second.tolist(), first, strict=True)
    return [dist.SECOND_ITEMS.get(price, here) if second else here for price, second, here in pairs]


def _draw_item_type(row: Any, rng: Rng, n: int) -> Column:
    sold = categorical([kind or "cosmetic" for kind, _ in _sold_as(row)])
    return choose(row.price_usd_cents > 0, sold, row.store_type)


def _draw_rarity(row: Any, rng: Rng, n: int) -> Column:
    return choose(row.price_usd_cents > 0, constant("common", n), row.store_rarity)


def _draw_wording(row: Any, rng: Rng, n: int) -> Column:
    """Draw which of the names of its type and rarity each item has, none twice."""
    members: dict[tuple[str, str], list[int]] = {}
    for position, kind in enumerate(zip(to_python(row.item_type), to_python(row.rarity), strict=True)):
        members.setdefault(kind, []).append(position)
    wording = np.zeros(n, dtype=np.int64)
    for kind, rows in members.items():
        names = count_item_names(*kind)
        turns = range(-(-len(rows) // names))
        wording[rows] = np.concatenate([turn * names + rng.permutation(names) for turn in turns])[: len(rows)]
    return wording


def _names_of(row: Any) -> list[tuple[str | None, tuple[str, ...]]]:
    """Return each item's own name, if it stands at a price point, and the words of the name it has otherwise."""
    names: list[tuple[str | None, tuple[str, ...]]] = []
    kinds = zip(to_python(row.item_type), to_python(row.rarity), row.wording.tolist(), strict=True)
    for (sold_as, name), kind in zip(_sold_as(row), kinds, strict=True):
        names.append((name if sold_as == kind[0] else None, item_words(*kind)))
    return names


def _draw_name(row: Any, rng: Rng, n: int) -> Column:
    return texts([own or " ".join(filter(None, words)) for own, words in _names_of(row)])


def _draw_sku(row: Any, rng: Rng, n: int) -> Column:
    """Say what the item is; its number follows, but where a catalogue sells it for real money, and once."""
    skus: list[str] = []
    plain: set[str] = set()
    columns = (
        row.in_catalogue.tolist(),
        row.number.tolist(),
        row.grants_hard.tolist(),
        to_python(row.item_type),
    )
    for (own, words), in_catalogue, number, gems, kind in zip(_names_of(row), *columns, strict=True):
        slug = _slug(kind, own, words, gems)
        alone = own is not None and in_catalogue and slug not in plain
        plain.add(slug)
        skus.append(f"com.example.game.{slug}" if alone else f"com.example.game.{slug}_{number:04}")
    return texts(skus)


def _slug(kind: str, own: str | None, words: tuple[str, ...], gems: int) -> str:
    if kind == "currency_pack":
        return f"gems_{gems:04}"
    slug = f"{kind}_{own.split()[0]}" if own else f"{words[1]}_{words[0]}"
    return slug.lower().replace("'", "").replace("-", "_")


def _draw_grants_hard(row: Any, rng: Rng, n: int) -> Column:
    """Give more GEM for the money in a larger pack, in round numbers."""
    price = np.maximum(row.price_usd_cents, 1)
    lowest, highest = min(dist.PRICE_POINTS), max(dist.PRICE_POINTS)
    bonus = 1 + dist.PACK_BONUS_MAX * np.log(price / lowest) / np.log(highest / lowest)
    share = np.where(row.item_type.is_("currency_pack"), 1.0, dist.BUNDLE_GEM_SHARE)
    gems = price * dist.GEMS_PER_USD_CENT * np.maximum(bonus, 1) * share
    step = np.select([gems < 500, gems < 2000], [10, 25], 50)
    return np.where(row.price_usd_cents > 0, np.maximum(np.round(gems / step), 1) * step, 0).astype(np.int64)


def _draw_worth(row: Any, rng: Rng, n: int) -> Column:
    """Draw where in its rarity's range an item lies, from 0 to 1; in a catalogue, each rarity's median at 0.5."""
    worth = rng.random(n)
    group = row.rarity.codes * 2 + row.item_type.is_("consumable")
    group = np.where((row.price_usd_cents > 0) | ~row.in_catalogue, -1, group)
    for code in np.unique(group[group >= 0]).tolist():
        rows = np.flatnonzero(group == code)
        quantiles = (np.arange(len(rows)) + rng.random(len(rows))) / len(rows)
        quantiles[(len(rows) - 1) // 2 : len(rows) // 2 + 1] = 0.5
        worth[rows] = rng.permutation(quantiles)
    return worth


def _wallet_price(base: int, has_price: Any) -> Draw:
    """Price by rarity and worth, in steps of five."""

    def draw(row: Any, rng: Rng, n: int) -> Column:
        steps = np.round(base * strength(row) / 5).astype(np.int64)
        return np.where((row.price_usd_cents == NULL) & has_price(row), np.maximum(steps, 1) * 5, NULL)

    return Draw(draw)


def _draw_drop_rate(row: Any, rng: Rng, n: int) -> Column:
    """Split each tier's published share among its items, in ten-millionths: their sum is exact."""
    rates = np.full(n, None, dtype=object)
    droppable = row.item_type.is_("cosmetic", "equipment", "consumable")
    for rarity, share in dist.DROP_SHARES.items():
        rows = np.flatnonzero(droppable & row.rarity.is_(rarity))
        each, left = divmod(round(share * 100_000), max(len(rows), 1))
        for place, position in enumerate(rows.tolist()):
            rates[position] = Decimal(max(each + (place < left), 1)).scaleb(-7)
    return rates


def _draw_available_until(row: Any, rng: Rng, n: int) -> Column:
    may_retire = (row.price_usd_cents == NULL) & ~row.item_type.is_("consumable")
    retired = may_retire & (rng.random(n) < row.retired_share)
    # the first item of the store stays, and the first of each rarity that drops: there always is something
    first = np.cumsum(row.price_usd_cents == NULL) == 1
    for rarity in dist.DROP_SHARES:
        first[np.flatnonzero(row.rarity.is_(rarity) & ~is_null(row.drop_rate))[:1]] = True
    retired &= ~first | (row.retired_share >= 1)
    window = (row.until - row.since).astype(np.int64)
    moment = row.since + (rng.uniform(*dist.RETIRED_AT, n) * window).astype("timedelta64[us]")
    return np.where(retired, moment, np.datetime64(dist.FOR_EVER, "us"))


def _draw_tradable(row: Any, rng: Rng, n: int) -> Column:
    """Let some of what is worn, fought with or used up change hands; in a catalogue, at least one."""
    could = row.item_type.is_("equipment", "cosmetic", "consumable")
    tradable = could & (strata(rng, n) < dist.TRADABLE_SHARE)
    if not tradable.any():
        tradable[np.flatnonzero(could & row.in_catalogue)[:1]] = True
    return tradable


class ItemFactory(GameFactory):
    """Build catalogue items."""

    class Meta:
        model = Item

    class Params:
        number = factory.Sequence(lambda number: number)
        in_catalogue = False  # a dataset's items are spread over their rarities' ranges; others are anywhere
        second = False  # whether another item stands at its price point
        # what an item is where it is not sold for real money
        store_type = Draw(lambda row, rng, n: pick(dist.ITEM_TYPES, strata(rng, n)))
        store_rarity = Draw(lambda row, rng, n: pick(dist.RARITIES, strata(rng, n)))
        wording = Draw(_draw_wording)
        worth = Draw(_draw_worth)
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
    is_tradable = Draw(_draw_tradable)
    limited_edition_count = Draw(
        lambda row, rng, n: np.where(
            row.rarity.is_("epic", "legendary") & (rng.random(n) < dist.LIMITED_SHARE),
            rng.integers(1, dist.LIMITED_LOTS_MAX + 1, n) * dist.LIMITED_LOT,
            NULL,
        )
    )
    created_at = Draw(
        lambda row, rng, n: row.since - seconds(rng.uniform(*dist.CREATED_DAYS, n) * DAY_SECONDS)
    )
    available_from = Draw(
        lambda row, rng, n: row.created_at + seconds(rng.uniform(*dist.ON_SALE_DAYS, n) * DAY_SECONDS)
    )
    available_until = Draw(_draw_available_until)
    is_active = Draw(lambda row, rng, n: row.available_until > row.until)
    updated_at = Draw(lambda row, rng, n: np.where(row.is_active, row.available_from, row.available_until))
    tags = Draw(draw_tags)
    attributes = Draw(draw_attributes)
