"""Primary keys by the type of their column: whole numbers by position, UUIDs hashed from seed, table and position."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from typing import Any

from pytest_gamedata.postgres.rows.catalogue import TableColumn

WHOLE_NUMBERS = {"int2": 2**15 - 1, "int4": 2**31 - 1, "int8": 2**63 - 1, "numeric": 2**63 - 1}


def make_keys(column: TableColumn, table: str, seed: int, rows: range) -> Sequence[Any] | None:
    """Return a key for each row, numbered from 1 as a rule; None if keys of the column's type must be declared."""
    if column.kind in WHOLE_NUMBERS and rows.stop - 1 <= WHOLE_NUMBERS[column.kind]:
        return rows
    if column.kind == "uuid":
        return [_hashed_uuid(f"{seed}:{table}:{position}") for position in range(len(rows))]
    return None


def _hashed_uuid(text: str) -> uuid.UUID:
    """Return a version 4 UUID that depends on nothing but the text."""
    return uuid.UUID(bytes=hashlib.blake2b(text.encode(), digest_size=16).digest(), version=4)
