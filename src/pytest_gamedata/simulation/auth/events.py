"""Planned events of the auth log, before their details are drawn.

The columns of such a table are `user` (position, -1 for none), `person` (who acts where that is not the user:
the position of somebody who mistypes the own name, else -1), `type`, `reason` and `method` (codes: positions
among the values of the models), `at`, `session`, `device`, `address`, `attack` (number, -1 for legitimate events) and
`story`: events of one story stay together when a dataset is cut to size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.combine import table_of
from pytest_gamedata.columns.conversion import NULL_MOMENT, Columns
from pytest_gamedata.models.values import AUTH_METHOD_VALUES, EVENT_TYPE_VALUES, FAILURE_REASON_VALUES

Events = dict[str, Any]
(
    REGISTER, SUCCESS, FAILURE, LOGOUT, CHALLENGE, MFA_FAILURE, RESET_REQUESTED, RESET_COMPLETED, LOCKED, UNLOCKED,
) = map(
    EVENT_TYPE_VALUES.index,
    (
        "register", "login_success", "login_failure", "logout", "mfa_challenge", "mfa_failure",
        "password_reset_requested", "password_reset_completed", "account_locked", "account_unlocked",
    ),
)  # fmt: skip
WRONG_PASSWORD, UNKNOWN_USER, ACCOUNT_LOCKED, MFA_FAILED, PROVIDER_ERROR = map(
    FAILURE_REASON_VALUES.index,
    ("wrong_password", "unknown_user", "account_locked", "mfa_failed", "provider_error"),
)
PASSWORD, REFRESH_TOKEN = map(AUTH_METHOD_VALUES.index, ("password", "refresh_token"))
NONE = -1
_BLANK_EVENT = {
    "user": NONE, "person": NONE, "type": np.int8(SUCCESS), "reason": np.int8(NONE), "method": np.int8(PASSWORD),
    "at": NULL_MOMENT,
    "session": 0, "device": np.int32(0), "address": np.int32(0), "attack": NONE, "story": 0,
}  # fmt: skip


def make_events(count: int, **given: Any) -> Events:
    """Make a table of so many planned events."""
    return table_of(count, _BLANK_EVENT, given)


def events_around(login: Events, **changed: Any) -> Events:
    """Make events that belong to these logins: the same user, device, address and story."""
    return make_events(len(login["at"]), **{**login, "method": PASSWORD, **changed})


def methods_of(users: Columns) -> NDArray[np.int64]:
    """Return each user's own way to log in, as a code."""
    provider = users["signup_provider"]
    return provider.to({word: AUTH_METHOD_VALUES.index(word) for word in provider.categories}, np.int64)
