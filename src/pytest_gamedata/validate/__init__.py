"""The rules that every dataset keeps: one check per rule, over whole columns, in one room per table.

Each check takes the tables and raises DatasetInvalidError that names rule, table, row and values.
"""

from __future__ import annotations

from typing import Any

from pytest_gamedata.arrays import give_back_memory
from pytest_gamedata.validate import accounts, auth_log, catalogue, ledger, stories, tables
from pytest_gamedata.validate.rules import HISTORIES, Check, histories_of


def validate_dataset(dataset: Any) -> None:
    """Check every rule; the first that is broken raises DatasetInvalidError."""
    rows = {**dataset.tables, HISTORIES: histories_of(dataset.tables["auth_events"])}
    for check in CHECKS:
        give_back_memory(len(dataset.tables["auth_events"]["id"]))
        check(rows, dataset.spec)


# The rules of all tables come first: the others rely on ids, keys and the order of time.
CHECKS: tuple[Check, ...] = (
    *tables.CHECKS,
    *accounts.CHECKS,
    *catalogue.CHECKS,
    *ledger.CHECKS,
    *auth_log.CHECKS,
    *stories.CHECKS,
)
