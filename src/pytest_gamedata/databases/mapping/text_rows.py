"""The rows of a filled table as PostgreSQL is to parse them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pytest_gamedata.databases.mapping.filled import Filled
from pytest_gamedata.errors import LoadError
from pytest_gamedata.factories import OWN_FACTORIES
from pytest_gamedata.postgres.rows.adapt import make_adapter
from pytest_gamedata.postgres.rows.copy import TextRows


def stored_rows(filled: Filled) -> Any:
    """Return the columns of a table of ours as they are, those of any other as rows of values for COPY."""
    if filled.entry.factory in OWN_FACTORIES.values():
        return {name: filled.fields[name] for name in filled.table.columns if name in filled.fields}
    names = [name for name in filled.table.columns if name in filled.stored]
    columns = [_prepared(filled, name) for name in names]
    return TextRows(names, filled.count, columns, filled.entry.name)


def _prepared(filled: Filled, name: str) -> Sequence[Any]:
    """Return a column's values after the bind processing of its type, which may turn None into a value too."""
    column, process = filled.table.columns[name], filled.entry.model.processors.get(name)
    adapt = make_adapter(column, is_bound=process is not None)
    found = []
    for row, value in enumerate(filled.stored[name]):
        given = None if value is np.ma.masked else value
        try:
            found.append(adapt(given if process is None else process(given)))
        except Exception as error:
            raise LoadError(
                f"{filled.entry.name}: the value {value!r} of row {row} does not fit column {name!r} of table "
                f"{filled.table.sql!r} ({column.type}): {error}."
            ) from error
    return found
