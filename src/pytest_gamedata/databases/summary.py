"""The summary of a dataset: rows, kinds of rows, and money, in numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_gamedata.columns.categorical import Categorical, categorical
from pytest_gamedata.columns.conversion import Column, is_null, to_python
from pytest_gamedata.databases.existing import raw_connection, read_dataset
from pytest_gamedata.dataset import Dataset
from pytest_gamedata.models import TABLES
from pytest_gamedata.models.values import PAID_STATUSES, REAL_MONEY_TYPES
from pytest_gamedata.settings import DatasetSpec

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pytest_gamedata.databases.existing import Connection


Summary = dict[str, Any]

COUNTRIES_SHOWN = 5
# the columns that a summary reads
COLUMNS_READ = {
    "users": ("id", "status", "platform", "country_code", "created_at"),
    "items": ("id", "item_type", "rarity"),
    "transactions": ("id", "user_id", "type", "status", "amount_usd_cents", "created_at"),
    "auth_events": ("id", "event_type", "failure_reason", "attack_id", "occurred_at"),
    "play_sessions": ("id",),
    "inventory": ("id",),
}


def summarize(source: Dataset | Engine) -> Summary:
    """Count what is in a dataset, or in the database of an engine: rows, kinds of rows, and money in US cents.

    The result has only dicts, str, int, float and None, for JSON.
    Raises LoadError if the database has no such tables.

    >>> summary = summarize(build_dataset(DatasetSpec(users=1000)))
    >>> summary["rows"]["users"], summary["payers"]["users"]
    (1000, 20)
    """
    if isinstance(source, Dataset):
        return _summarize(source)
    with source.connect() as connection:
        return summarize_stored(raw_connection(connection))


def summarize_stored(connection: Connection) -> Summary:
    """Summarize the rows of a database."""
    with connection.transaction():
        return _summarize(read_dataset(connection, DatasetSpec(), COLUMNS_READ))


def _summarize(dataset: Dataset) -> Summary:
    users, items, transactions, events = (dataset.tables[name] for name in TABLES)
    moments = [users["created_at"], transactions["created_at"], events["occurred_at"]]
    return {
        "rows": dataset.counts,
        "first": _moment(np.min, moments),
        "last": _moment(np.max, moments),
        "users": _count(users["status"]),
        "platforms": _count(users["platform"]),
        "countries": dict(list(_count(users["country_code"]).items())[:COUNTRIES_SHOWN]),
        "items": _count(items["item_type"]),
        "rarities": _count(items["rarity"]),
        "transactions": _count(transactions["type"]),
        "statuses": _count(transactions["status"]),
        "payers": _payers(transactions, len(users["id"])),
        "auth_events": _count(events["event_type"]),
        "failures": _count(events["failure_reason"]),
        "attacks": {"events": int((~is_null(events["attack_id"])).sum())},
    }


def _count(column: Column) -> dict[str, int]:
    """Count the rows of each category, the most frequent first."""
    values = column if isinstance(column, Categorical) else categorical(to_python(column))
    counts = np.bincount(values.codes[values.codes >= 0], minlength=len(values.categories)).tolist()
    found = {category: count for category, count in zip(values.categories, counts, strict=True) if count}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _payers(transactions: Any, users: int) -> Summary:
    """Count the users who paid with real money, and sum up the revenue, net of refunds and chargebacks."""
    paid = transactions["type"].is_(*REAL_MONEY_TYPES) & transactions["status"].is_(*PAID_STATUSES)
    payers = len(np.unique(np.asarray(transactions["user_id"])[paid]))
    cents = int(np.asarray(transactions["amount_usd_cents"])[paid].sum())
    return {
        "users": payers,
        "share": round(payers / users, 4) if users else None,
        "revenue_usd_cents": cents,
        "revenue_per_payer_usd_cents": round(cents / payers) if payers else None,
    }


def _moment(pick: Any, columns: list[Any]) -> str | None:
    """Return the first or the last moment of all columns, as ISO text."""
    found = [pick(column) for column in columns if len(column)]
    if not found:
        return None
    moment: datetime = pick(np.array(found)).astype("datetime64[us]").item()
    return moment.replace(tzinfo=UTC).isoformat()
