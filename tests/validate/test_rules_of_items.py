import numpy as np
from breaking import SEEDED, broken, refusal


def test_an_item_that_nobody_can_get_is_found():
    prices = [
        ("items", name, 50, np.iinfo(np.int64).min)
        for name in ("price_usd_cents", "price_hard", "price_soft")
    ]
    sku = SEEDED.tables["items"]["sku"][50].decode()

    message = refusal(broken(*prices, ("items", "drop_rate", 50, None)))

    assert message == f"Every item can be bought or dropped: items row id=51, sku={sku} (1 of 120 rows)."


def test_a_sale_that_ends_before_it_starts_is_found():
    message = refusal(broken(("items", "available_until", 3, np.datetime64("2001-01-01", "us"))))

    assert message.startswith("Every sale of an item ends after it starts: items row id=4, available_from=")
