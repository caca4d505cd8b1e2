"""Values as a column takes them: psycopg adapts a value by its own type, and knows nothing of the column's."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
from psycopg.types.json import Json, Jsonb
from psycopg.types.range import Range

from pytest_gamedata.postgres.rows.catalogue import TableColumn

Adapt = Callable[[Any], Any]
JSON_KINDS = ("json", "jsonb")


def make_adapter(column: TableColumn, *, is_bound: bool) -> Adapt:
    """Return the adaptation of a column's values; `is_bound` where an ORM's type has processed them before.

    It raises ValueError for a value that the column cannot take, as far as that is known without the database.
    """
    kind = column.element or column.kind
    adapt = ADAPTERS.get(kind, _plain)
    if column.labels:
        adapt = partial(_label, column.labels)
    if kind in JSON_KINDS:
        adapt = _plain if is_bound else _json
    if column.element is None:
        return adapt
    return partial(_each, adapt, has_dimensions=kind not in JSON_KINDS)


def _each(adapt: Adapt, value: Any, *, has_dimensions: bool) -> Any:
    """Adapt the elements of an array, which may be arrays too; a text is one that PostgreSQL is to parse."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        deeper = partial(_each, adapt, has_dimensions=True) if has_dimensions else adapt
        return [deeper(each) if isinstance(each, list | tuple) else adapt(each) for each in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    if value is np.ma.masked:
        return None
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, np.generic):
        return _from_numpy(value)
    if hasattr(value, "bounds") and not isinstance(value, Range):  # SQLAlchemy's
        return Range(value.lower, value.upper, value.bounds, empty=value.empty)
    return value


def _from_numpy(value: Any) -> Any:
    if isinstance(value, np.datetime64 | np.timedelta64):
        unit = np.datetime_data(value.dtype)[0]
        return (
            value.astype(value.dtype.str[:2] + "8[us]").item()
            if unit in ("ns", "ps", "fs", "as")
            else value.item()
        )
    return value.decode() if isinstance(value, np.bytes_) else value.item()


def _label(labels: tuple[str, ...], value: Any) -> Any:
    """Return the label that stands for a member of a Python enum, by its value or else by its name; or a label."""
    found = value.name if isinstance(value, enum.Enum) and value.value not in labels else _plain(value)
    if found is not None and found not in labels:
        raise ValueError(f"its labels are {', '.join(labels)}")
    return found


def _json(value: Any) -> Any:
    value = _plain(value)
    return value if value is None or isinstance(value, Json | Jsonb) else Json(value)


def _hstore(value: Any) -> Any:
    def quote(text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    if not isinstance(value, dict):
        return _plain(value)
    return ", ".join(f"{quote(k)}=>{'NULL' if v is None else quote(v)}" for k, v in value.items())


def _whole_number(value: Any) -> Any:
    value = _plain(value)
    return int(value) if isinstance(value, float | Decimal) and value == value // 1 else value


def _without_zone(value: Any) -> Any:
    """Return a moment in UTC where the column has no time zone: PostgreSQL would drop the offset."""
    value = _plain(value)
    is_aware = isinstance(value, datetime) and value.tzinfo is not None
    return value.astimezone(UTC).replace(tzinfo=None) if is_aware else value


def _with_zone(value: Any) -> Any:
    """Return a moment of numpy's in UTC, which they are in; other moments as they are."""
    plain = _plain(value)
    is_numpy = isinstance(value, np.datetime64) and isinstance(plain, datetime)
    return plain.replace(tzinfo=UTC) if is_numpy else plain


def _date(value: Any) -> Any:
    value = _without_zone(value)
    return value.date() if isinstance(value, datetime) else value


def _uuid(value: Any) -> Any:
    value = _plain(value)  # numpy's bytes become bytes
    return uuid.UUID(bytes=value) if isinstance(value, bytes) else value


def _text(value: Any) -> Any:
    value = _plain(value)
    if isinstance(value, bytes | bytearray | memoryview):
        raise ValueError("bytes are no text; decode them")
    return value


ADAPTERS: dict[str, Adapt] = {
    "hstore": _hstore,
    **dict.fromkeys(("int2", "int4", "int8"), _whole_number),
    "timestamp": _without_zone,
    "timestamptz": _with_zone,
    "date": _date,
    "uuid": _uuid,
    **dict.fromkeys(("text", "varchar", "bpchar", "citext", "name"), _text),
}
