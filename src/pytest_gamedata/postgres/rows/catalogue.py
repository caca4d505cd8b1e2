"""Tables as the database's own catalogue has them: columns, keys, and what refers to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]

FIND_TABLE = """
    SELECT pg_class.oid::int8, nspname, relname, pg_class.oid::regclass::text, pg_table_is_visible(pg_class.oid)
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind IN ('r', 'p')
"""
BY_NAME = (
    f"{FIND_TABLE} AND relname = %s"
    " AND (nspname = %s OR %s::text IS NULL AND pg_table_is_visible(pg_class.oid))"
)
BY_TEXT = f"{FIND_TABLE} AND pg_class.oid = to_regclass(%s)"
BY_OID = f"{FIND_TABLE} AND pg_class.oid = %s"
# A domain is told by the type below it, an array by the type of its elements.
TABLE_COLUMNS = """
    WITH RECURSIVE below AS (
        SELECT attnum, atttypid AS type, attnotnull AS not_null FROM pg_attribute
        WHERE attrelid = %(oid)s AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT attnum, typbasetype, not_null OR typnotnull FROM below JOIN pg_type ON pg_type.oid = type
        WHERE typtype = 'd'
    )
    SELECT attname, format_type(atttypid, atttypmod), base.typname, element.typname,
           ARRAY(SELECT enumlabel::text FROM pg_enum
                 WHERE enumtypid IN (base.oid, element.oid) ORDER BY enumsortorder),
           (SELECT bool_or(not_null) FROM below WHERE below.attnum = pg_attribute.attnum),
           atthasdef OR attidentity <> '', attgenerated <> ''
    FROM pg_attribute
    JOIN below ON below.attnum = pg_attribute.attnum
    JOIN pg_type base ON base.oid = below.type AND base.typtype <> 'd'
    LEFT JOIN pg_type element ON element.oid = base.typelem AND base.typcategory = 'A'
    WHERE attrelid = %(oid)s ORDER BY pg_attribute.attnum
"""
TABLE_KEYS = """
    SELECT contype = 'p', contype = 'f', ARRAY(
               SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS key (attnum, place)
               JOIN pg_attribute ON attrelid = conrelid AND pg_attribute.attnum = key.attnum ORDER BY place
           ), confrelid::int8, ARRAY(
               SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS key (attnum, place)
               JOIN pg_attribute ON attrelid = confrelid AND pg_attribute.attnum = key.attnum ORDER BY place
           )
    FROM pg_constraint WHERE conrelid = %s AND contype IN ('p', 'u', 'f') ORDER BY conname
"""


@dataclass(frozen=True)
class TableColumn:
    """A column of a table."""

    name: str
    type: str  # as PostgreSQL writes it: numeric(10,2)
    kind: str  # the name of its type, of the type below a domain: int4, uuid, _text
    element: str | None  # the kind of an array's elements
    labels: tuple[str, ...]  # of an enum, or an array of one
    not_null: bool
    has_default: bool  # a default or an identity fills it
    is_generated: bool  # nobody else may fill it


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key: its columns, and the table and columns that they refer to."""

    columns: tuple[str, ...]
    table: int  # oid
    referred: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of a database."""

    oid: int
    schema: str
    name: str
    sql: str  # quoted, with its schema where the search path does not lead to it
    is_visible: bool  # on the search path
    columns: Mapping[str, TableColumn]
    primary_key: tuple[str, ...]
    unique_keys: tuple[tuple[str, ...], ...]  # the primary key is one of them
    foreign_keys: tuple[ForeignKey, ...]

    def __str__(self) -> str:
        return self.name if self.is_visible else f"{self.schema}.{self.name}"


def find_table(connection: Connection, name: str, schema: str | None = None) -> Table | None:
    """Return the table of this exact name, None if there is none; without a schema one on the search path."""
    row = connection.execute(BY_NAME, [name, schema, schema]).fetchone()
    return _describe(connection, row) if row else None


def find_table_by_text(connection: Connection, text: str) -> Table | None:
    """Return the table that a name leads to as PostgreSQL reads it: with a schema, quoted or not."""
    try:
        with connection.transaction():
            row = connection.execute(BY_TEXT, [text]).fetchone()
    except psycopg.errors.SyntaxError:  # no name at all
        return None
    return _describe(connection, row) if row else None


def find_table_by_oid(connection: Connection, oid: int) -> Table | None:
    """Return the table with this oid."""
    row = connection.execute(BY_OID, [oid]).fetchone()
    return _describe(connection, row) if row else None


def _describe(connection: Connection, row: Sequence[Any]) -> Table:
    oid, schema, name, quoted, is_visible = row
    columns = [_describe_column(*row) for row in connection.execute(TABLE_COLUMNS, {"oid": oid}).fetchall()]
    keys = connection.execute(TABLE_KEYS, [oid]).fetchall()
    primary = [tuple(names) for is_primary, _, names, *_ in keys if is_primary]
    return Table(
        oid=oid,
        schema=schema,
        name=name,
        sql=quoted,
        is_visible=is_visible,
        columns={column.name: column for column in columns},
        primary_key=primary[0] if primary else (),
        unique_keys=tuple(tuple(names) for _, is_foreign, names, *_ in keys if not is_foreign),
        foreign_keys=tuple(
            ForeignKey(tuple(names), parent, tuple(referred))
            for _, is_foreign, names, parent, referred in keys
            if is_foreign
        ),
    )


def _describe_column(*row: Any) -> TableColumn:
    name, type_, kind, element, labels, *flags = row
    return TableColumn(name, type_, kind, element, tuple(labels), *flags)
