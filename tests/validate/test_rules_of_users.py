import numpy as np
import pytest
from breaking import SEEDED, UNTIL, broken, refusal, row_of

LOCKED, BANNED = row_of("users", status="locked"), row_of("users", status="banned")
PASSWORD, ACTIVE = row_of("users", signup_provider="password"), row_of("users", status="active")
CASES = [
    ("password_hash", PASSWORD, None, "Every password account has an e-mail address and a password hash"),
    ("locked_until", LOCKED, UNTIL, "locked_until is after the end of the window"),
    ("banned_until", BANNED, UNTIL, "banned_until is after the end of the window"),
    ("banned_until", ACTIVE, np.datetime64("2030-01-01", "us"), "banned_until is set only where status is banned or suspended"),
    ("playtime_seconds", 5, 10**9, "No user has played for longer than the account exists"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "row", "new", "rule"), CASES)
def test_one_broken_value_is_found(column, row, new, rule):
    assert refusal(broken(("users", column, row, new))).startswith(f"{rule}: users row id={row + 1}, ")


def test_an_item_that_nobody_can_get_is_found():
    prices = [
        ("items", name, 50, np.iinfo(np.int64).min)
        for name in ("price_usd_cents", "price_hard", "price_soft")
    ]
    sku = SEEDED.tables["items"]["sku"][50].decode()

    message = refusal(broken(*prices, ("items", "drop_rate", 50, None)))

    assert message == f"Every item can be bought or dropped: items row id=51, sku={sku} (1 of 120 rows)."
