"""Rows as ready-made bytes: the best that one connection can load, and a fair start for a peer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg


@dataclass(frozen=True)
class Rows:
    """The statements that make bare tables, each table's rows as COPY BINARY wants them, keys and indexes."""

    tables: str
    data: dict[str, bytes]
    keys: str


def read_rows(directory: Path) -> Rows:
    """Read what save_rows.py has written."""
    data = {path.stem: path.read_bytes() for path in sorted(directory.glob("*.bin"))}
    tables, keys = ((directory / name).read_text(encoding="utf-8") for name in ("tables.sql", "keys.sql"))
    return Rows(tables, data, keys)


def load_rows(connection: psycopg.Connection[Any], rows: Rows) -> None:
    """Make the tables, copy the rows, add keys and indexes, and analyse, in one transaction."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        cursor.execute(rows.tables.encode())
        for table, data in rows.data.items():
            with cursor.copy(f"COPY public.{table} FROM STDIN (FORMAT BINARY)".encode()) as copy:
                copy.write(data)
        cursor.execute(rows.keys.encode())
        cursor.execute(f"ANALYZE {', '.join(f'public.{table}' for table in rows.data)}".encode())
