"""The catalogue of a dataset: price points first, then a mix of types and rarities."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.categorical import categorical
from pytest_gamedata.columns.conversion import NULL, Columns, to_moment
from pytest_gamedata.columns.sampling import Rng, largest_remainder
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.settings import DatasetSpec


def make_items(spec: DatasetSpec, streams: Streams, item_factory: Any) -> Columns:
    """Draw the catalogue: one item per price point as far as there is room, then second ones, then the rest.

    RARITIES is the mix of the whole catalogue, in which what is sold for real money counts as common.
    """
    room = max(spec.items // dist.ITEMS_PER_PRICED, min(spec.items, 1))
    points = sorted(dist.PRICE_POINT_ORDER[:room])
    sold = [*points, *list(dist.SECOND_ITEMS)[: max(room - len(dist.PRICE_POINT_ORDER), 0)]]
    prices = np.full(spec.items, NULL, dtype=np.int64)
    prices[: len(sold)] = sold
    items = item_factory.columns(
        spec.items,
        streams,
        number=np.arange(1, spec.items + 1),
        since=to_moment(spec.since),
        until=to_moment(spec.until),
        retired_share=dist.RETIRED_SHARE,
        price_usd_cents=prices,
        second=np.arange(spec.items) >= len(points),
        in_catalogue=np.ones(spec.items, dtype=np.bool_),
        **_deal_kinds(streams.of("items", "kinds"), spec.items, len(sold)),
    )
    return {**items, "id": np.arange(1, spec.items + 1)}


def _deal_kinds(rng: Rng, items: int, sold: int) -> Columns:
    """Deal types and rarities to the items that are not sold for real money, so that each rarity has a mix.

    The rarest items get the commonest types: something that drops, and something that is sold for GEM.
    """
    rarities = largest_remainder(dist.RARITIES, items)
    rarities["common"] -= sold
    types = largest_remainder(dist.ITEM_TYPES, items - sold)
    turns = sorted(((turn + 0.5) / count, name) for name, count in types.items() for turn in range(count))
    rarest_first = [name for name in reversed(rarities) for _ in range(rarities[name])]
    order = rng.permutation(items - sold).tolist()
    return {
        "store_type": categorical(["cosmetic"] * sold + [turns[place][1] for place in order]),
        "store_rarity": categorical(["common"] * sold + [rarest_first[place] for place in order]),
    }
