"""Functions that the rules share: report a broken rule, select rows, look up parent rows, walk through histories."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.combine import take
from pytest_gamedata.columns.conversion import NULL, Columns, is_null, nulls_like, to_python
from pytest_gamedata.errors import DatasetInvalidError
from pytest_gamedata.settings import DatasetSpec

Tables = dict[str, Columns]
Mask = NDArray[np.bool_]
Check = Callable[[Tables, DatasetSpec], None]

HISTORIES = "histories"  # one more table for the rules: the auth events of known users, ordered by user


def checks_of(module: ModuleType) -> tuple[Check, ...]:
    """Return the functions `check_...` of a module, in the order of their definition."""
    return tuple(value for name, value in vars(module).items() if name.startswith("check_"))


def name_of(check: Check) -> str:
    """Return the name of a rule: the first line of its docstring."""
    return (check.__doc__ or check.__name__).splitlines()[0].rstrip(".")


def refuse(rule: Check | str, table: str, columns: Columns, bad: Mask, *shown: str) -> None:
    """Raise DatasetInvalidError if a row is bad, and show the named columns of the first that is.

    The rule is a check, or a sentence where a check has several.
    """
    if not bad.any():
        return
    row = int(np.argmax(bad))
    values = ", ".join(f"{name}={to_python(columns[name][row : row + 1])[0]!s}" for name in ("id", *shown))
    broken = rule if isinstance(rule, str) else name_of(rule)
    raise DatasetInvalidError(f"{broken}: {table} row {values} ({int(bad.sum())} of {len(bad)} rows).")


def select(columns: Columns, rows: Any, *names: str) -> Columns:
    """Select rows by mask or position, with their ids and the named columns."""
    return take({name: columns[name] for name in ("id", *names)}, rows)


def parent_values(tables: Tables, table: str, column: str, key: Any) -> Any:
    """Look up a column of the parent row that each foreign key refers to.

    The value of a NULL key is that of some row, or NULL if the parent table is empty: the caller leaves it out.
    """
    values = tables[table][column]
    if not len(values):
        return nulls_like(values, len(key))
    return values[np.maximum(key, 1) - 1]


def histories_of(events: Columns) -> Columns:
    """Order the events of known users by user, then by time.

    The columns beside those of the table: `row` is the position in the table, `login` marks successful logins,
    `attack` the events of attacks.
    """
    known = np.flatnonzero(np.asarray(events["user_id"]) != NULL)
    row = np.sort(history_key(events["user_id"][known], known)) & (2**32 - 1)  # rows are in the order of time
    rows = select(events, row, "user_id", "occurred_at", "event_type", "failure_reason")
    return {
        **rows,
        "row": row.astype(np.int32),
        "login": rows["event_type"].is_("login_success"),
        "attack": ~is_null(events["attack_id"])[row],
    }


def history_key(user_id: Any, position: Any) -> Any:
    """Combine a user and a position into one number that sorts by user, then by position."""
    return (user_id << 32) | position


def first_of_user(user_id: Any) -> Mask:
    """Mark the first row of each user, in rows ordered by user."""
    return np.append(np.ones(min(len(user_id), 1), dtype=np.bool_), user_id[1:] != user_id[:-1])


def last_position(happened: Mask) -> NDArray[np.int64]:
    """Return for each row the last position up to it where something happened, -1 if it never did."""
    return np.maximum.accumulate(np.where(happened, np.arange(len(happened)), -1))
