"""What the checks of all tables share: how a broken rule is reported, and how rows of two tables meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.combine import take
from pytest_gamedata.columns.values import NULL, Columns, is_null, nulls_like, to_python
from pytest_gamedata.errors import DatasetInvalidError
from pytest_gamedata.settings import DatasetSpec

Tables = dict[str, Columns]
Mask = NDArray[np.bool_]
Check = Callable[[Tables, DatasetSpec], None]

HISTORIES = "histories"  # the auth events once more, ordered by user: see histories_of


def refuse(rule: str, table: str, columns: Columns, bad: Mask, *shown: str) -> None:
    """Raise for the first of the bad rows, if there is one."""
    if not bad.any():
        return
    row = int(np.argmax(bad))
    values = ", ".join(f"{name}={to_python(columns[name][row : row + 1])[0]!s}" for name in ("id", *shown))
    raise DatasetInvalidError(f"{rule}: {table} row {values} ({int(bad.sum())} of {len(bad)} rows).")


def part(columns: Columns, rows: Any, *names: str) -> Columns:
    """Select rows, by mask or by position, from the ids and some more columns."""
    return take({name: columns[name] for name in ("id", *names)}, rows)


def parent(tables: Tables, table: str, column: str, key: Any) -> Any:
    """Return a column of the parent row of each row; where the key is NULL, of the first one, NULL without any."""
    values = tables[table][column]
    if not len(values):
        return nulls_like(values, len(key))
    return values[np.maximum(key, 1) - 1]


def histories_of(events: Columns) -> Columns:
    """Order the events of known users by user, then by time: each user's history in one piece.

    Beside some of their columns: `row` is the position in the log, `login` tells successful logins, `attack` what
    belongs to one.
    """
    known = np.flatnonzero(np.asarray(events["user_id"]) != NULL)
    row = known[_order_of(events["user_id"][known])]
    rows = part(events, row, "user_id", "occurred_at", "event_type", "failure_reason")
    return {
        **rows,
        "row": row.astype(np.int32),
        "login": rows["event_type"].is_("login_success"),
        "attack": ~is_null(events["attack_id"])[row],
    }


def _order_of(ids: Any) -> NDArray[np.int64]:
    """Sort ids, equal ones in the order they come in; by halves, as numpy is quickest with 16 bits."""
    order = np.argsort((ids & 0xFFFF).astype(np.uint16), kind="stable")
    return order[np.argsort((ids >> 16).astype(np.uint16)[order], kind="stable")]


def history_key(user_id: Any, position: Any) -> Any:
    """Return where in the histories an event of this user at this position of the log belongs."""
    return (user_id << 32) | position


def first_of_each(user_id: Any) -> Mask:
    """Mark the first row of each user, in rows ordered by user."""
    return np.append(np.ones(min(len(user_id), 1), dtype=np.bool_), user_id[1:] != user_id[:-1])


def latest(happened: Mask) -> NDArray[np.int64]:
    """Return for each row the last position, up to it, at which something happened; -1 for none."""
    return np.maximum.accumulate(np.where(happened, np.arange(len(happened)), -1))
