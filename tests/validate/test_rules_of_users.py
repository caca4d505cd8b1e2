import numpy as np
import pytest
from breaking import UNTIL, broken, refusal, row_of

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
