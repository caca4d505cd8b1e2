"""Keys and indexes of tables: dropped before rows are copied, and made again afterwards.

Only those are dropped that come back as they were. What something else depends on stays in place, and so does what the
statement that makes it again would not say: a comment, a tablespace, storage parameters, statistics targets.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from pytest_gamedata.errors import LoadError
from pytest_gamedata.postgres.rows.jobs import Cursor

# An index that CREATE INDEX or ADD CONSTRAINT would not make again as it is.
SPECIAL_INDEX = """
    (SELECT indisreplident OR indisclustered OR NOT indisvalid OR reltablespace <> 0 OR relkind <> 'i'
            OR obj_description(pg_class.oid, 'pg_class') IS NOT NULL
            OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attstattarget >= 0)
            OR EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'x')
            OR EXISTS (SELECT FROM pg_depend WHERE refobjid = pg_class.oid AND deptype = 'n'
                       AND classid <> 'pg_constraint'::regclass)
     FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indexrelid = {index})
"""
# Foreign keys come first; then the keys whose index a foreign key that stays needs, which stay too.
CONSTRAINTS = f"""
    WITH found AS (
        SELECT oid, conrelid, conname, contype, confrelid, conindid,
               obj_description(oid, 'pg_constraint') IS NOT NULL
               OR EXISTS (SELECT FROM pg_depend WHERE refobjid = pg_constraint.oid AND deptype = 'n')
               OR contype = 'f' AND EXISTS (SELECT FROM pg_trigger WHERE tgconstraint = pg_constraint.oid AND tgenabled <> 'O')
               OR contype <> 'f' AND (SELECT reloptions IS NOT NULL FROM pg_class WHERE oid = conindid)
               OR contype <> 'f' AND {SPECIAL_INDEX.format(index="conindid")} AS is_special
        FROM pg_constraint WHERE contype IN ('p', 'u', 'x', 'f') AND conislocal
        AND (conrelid = ANY(%(tables)s::regclass[]) OR confrelid = ANY(%(tables)s::regclass[]))
    )
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), contype = 'f', confrelid::regclass::text,
           NOT is_special AND NOT EXISTS (SELECT FROM found stays WHERE stays.contype = 'f' AND stays.is_special
                                          AND found.contype <> 'f' AND stays.conindid = found.conindid)
    FROM found ORDER BY contype = 'f', conrelid, oid
"""
INDEXES = f"""
    SELECT indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index listed
    WHERE indrelid = ANY(%s::regclass[]) AND NOT {SPECIAL_INDEX.format(index="listed.indexrelid")}
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
    ORDER BY indexrelid
"""
DEFERRED = """
    SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = ANY(%s::regclass[]) AND tgdeferrable AND NOT tgisinternal)
"""


@dataclass(frozen=True)
class Constraint:
    """A primary key, unique, exclusion or foreign key constraint."""

    table: str
    name: str
    definition: str
    is_foreign: bool
    parent: str  # the table that a foreign key refers to
    comes_back: bool  # it can be dropped, and be made again as it was


@dataclass(frozen=True)
class Index:
    """An index that is not a constraint's."""

    table: str
    name: str
    definition: str


def find_constraints(cursor: Cursor, tables: Collection[str]) -> list[Constraint]:
    """Return the constraints of tables, and the foreign keys that refer to them, keys first."""
    return [Constraint(*row) for row in cursor.execute(CONSTRAINTS, {"tables": list(tables)}).fetchall()]


def find_indexes(cursor: Cursor, tables: Collection[str]) -> list[Index]:
    """Return the indexes of tables that can be dropped and made again as they were."""
    return [Index(*row) for row in cursor.execute(INDEXES, [list(tables)]).fetchall()]


def has_deferred_triggers(cursor: Cursor, tables: Collection[str]) -> bool:
    """Tell whether a trigger of these tables may wait for the end of the transaction."""
    return cursor.execute(DEFERRED, [list(tables)]).fetchone() == (True,)


def drop(cursor: Cursor, constraints: list[Constraint], indexes: list[Index]) -> None:
    """Drop constraints, foreign keys first, and indexes."""
    for each in reversed(constraints):
        cursor.execute(sql.SQL(f"ALTER TABLE {each.table} DROP CONSTRAINT ") + sql.Identifier(each.name))
    for index in indexes:
        cursor.execute(f"DROP INDEX {index.name}")


def add_constraints(cursor: Cursor, constraints: list[Constraint]) -> None:
    """Make constraints again.

    Raises LoadError that names the table and the constraint if rows break one.
    """
    _sort_in_memory(cursor)
    for each in constraints:
        # not format(): the definition may contain braces
        start, end = sql.SQL(f"ALTER TABLE {each.table} ADD CONSTRAINT "), sql.SQL(f" {each.definition}")
        try:
            cursor.execute(start + sql.Identifier(each.name) + end)
        except psycopg.errors.IntegrityError as error:
            raise broken(each.table, each.name, error) from error


def create_index(cursor: Cursor, index: Index) -> None:
    """Make an index again.

    Raises LoadError that names the table and the index if it is unique and rows are not.
    """
    _sort_in_memory(cursor)
    try:
        cursor.execute(index.definition)
    except psycopg.errors.IntegrityError as error:
        raise broken(index.table, index.name, error) from error


def broken(table: str, name: str, error: psycopg.Error) -> LoadError:
    """Return the error for rows that break a constraint or a unique index."""
    detail: Any = error.diag.message_detail or error.diag.message_primary
    return LoadError(f"The rows of table {table!r} break {name!r}: {str(detail).rstrip('.')}.")


def _sort_in_memory(cursor: Cursor) -> None:
    cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
