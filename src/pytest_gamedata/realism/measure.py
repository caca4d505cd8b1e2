"""Measure a database: run every query of queries.sql."""

from __future__ import annotations

from contextlib import suppress
from importlib import resources
from typing import Any

from psycopg import DataError

Figures = dict[str, list[dict[str, Any]]]  # the rows that each query of queries.sql gave


def measure(connection: Any) -> Figures:
    """Run every query of queries.sql on a psycopg connection, in a transaction that is rolled back.

    A query has no rows for values that it cannot reckon with: a division by zero, an unknown time zone.
    """
    figures: Figures = {}
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        for name, statements in queries().items():
            figures[name] = []
            with suppress(DataError), connection.transaction():
                figures[name] = [row for statement in statements for row in _rows(cursor, statement)]
    return figures


def _rows(cursor: Any, statement: str) -> list[dict[str, Any]]:
    cursor.execute(statement)
    if not cursor.description:
        return []
    columns = [column.name for column in cursor.description]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def queries() -> dict[str, list[str]]:
    """Return the statements of queries.sql by the name of their query; views stand under an empty name."""
    text = resources.files("pytest_gamedata.realism").joinpath("queries.sql").read_text(encoding="utf-8")
    queries: dict[str, list[str]] = {"": []}
    name, statement = "", ""
    for line in text.splitlines():
        if line.startswith("--"):
            word = line[2:].split()[0]
            name = word if word[1:3].isdigit() else name
            continue
        statement += line + "\n"
        if line.endswith(";"):
            queries.setdefault(name, []).append(statement)
            statement = ""
    return queries
