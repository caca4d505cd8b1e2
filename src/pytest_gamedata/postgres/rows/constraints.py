"""Keys and indexes of tables: dropped before rows are copied, and made again afterwards.

Only those are dropped that come back as they were. What something else depends on stays in place, and so does what
the statement that makes it again would not say: a comment, a tablespace, storage parameters, statistics targets.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import psycopg
from psycopg import sql

from pytest_gamedata.errors import LoadError
from pytest_gamedata.postgres.rows.jobs import Cursor

# An index that CREATE INDEX or ADD CONSTRAINT would not make again as it is.
SPECIAL_INDEX = """
    (SELECT indisreplident OR indisclustered OR NOT indisvalid OR reltablespace <> 0
            OR relkind <> 'i' OR relispartition
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
        SELECT oid, conrelid, conname, contype, confrelid, conindid, condeferrable,
               NOT conislocal OR obj_description(oid, 'pg_constraint') IS NOT NULL
               OR EXISTS (SELECT FROM pg_depend WHERE refobjid = pg_constraint.oid AND deptype = 'n')
               OR contype = 'f' AND EXISTS (SELECT FROM pg_trigger
                                          WHERE tgconstraint = pg_constraint.oid AND tgenabled <> 'O')
               OR contype <> 'f' AND (SELECT reloptions IS NOT NULL FROM pg_class WHERE oid = conindid)
               OR contype <> 'f' AND {SPECIAL_INDEX.format(index="conindid")} AS is_special
        FROM pg_constraint WHERE contype IN ('p', 'u', 'x', 'f')
        AND (conrelid = ANY(%(tables)s::regclass[]) OR confrelid = ANY(%(tables)s::regclass[]))
    )
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), contype = 'f', confrelid::regclass::text,
           conindid::regclass::text, condeferrable,
           NOT is_special AND NOT EXISTS (SELECT FROM found stays WHERE stays.contype = 'f' AND stays.is_special
                                          AND found.contype <> 'f' AND stays.conindid = found.conindid)
    FROM found ORDER BY contype = 'f', conrelid, oid
"""
INDEXES = f"""
    SELECT indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index listed
    WHERE indrelid = ANY(%(tables)s::regclass[]) AND indexrelid <> ALL(%(needed)s::regclass[])
    AND NOT {SPECIAL_INDEX.format(index="listed.indexrelid")}
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
    ORDER BY indexrelid
"""
# A trigger that COPY or TRUNCATE runs; the foreign keys' own are internal.
TRIGGERS = """
    SELECT count(*) > 0, coalesce(bool_or(tgdeferrable), false) FROM pg_trigger
    WHERE tgrelid = ANY(%s::regclass[]) AND NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype::int & 36 <> 0
"""
FORCED = "SELECT oid::regclass::text FROM pg_class WHERE oid = ANY(%s::regclass[]) AND relforcerowsecurity"


# What rows can do wrong: break a key, be too long for an index, or fail in an index's expression.
ROW_ERRORS = (psycopg.IntegrityError, psycopg.DataError, psycopg.errors.ProgramLimitExceeded)


@dataclass(frozen=True)
class Constraint:
    """A primary key, unique, exclusion or foreign key constraint."""

    table: str
    name: str
    definition: str
    is_foreign: bool
    parent: str  # the table that a foreign key refers to
    index: str  # that it is checked by
    is_deferrable: bool
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


def find_indexes(cursor: Cursor, tables: Collection[str], needed: Collection[str]) -> list[Index]:
    """Return the indexes of tables that can be dropped and made again as they were, but for those that are needed."""
    found = cursor.execute(INDEXES, {"tables": list(tables), "needed": list(needed)})
    return [Index(*row) for row in found.fetchall()]


def find_triggers(cursor: Cursor, tables: Collection[str]) -> tuple[bool, bool]:
    """Tell whether tables have triggers that loading runs, and whether one may wait for the end of a transaction."""
    has_any, may_wait = cursor.execute(TRIGGERS, [list(tables)]).fetchone() or (False, False)
    return has_any, may_wait


def lift_row_security(cursor: Cursor, tables: Collection[str]) -> list[str]:
    """Let the owner of tables see and write all rows; return the tables that had policies for it."""
    forced = [name for (name,) in cursor.execute(FORCED, [list(tables)]).fetchall()]
    for table in forced:
        cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    return forced


def force_row_security(cursor: Cursor, tables: Collection[str]) -> None:
    """Apply the policies of tables to their owner again."""
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def drop(cursor: Cursor, constraints: list[Constraint], indexes: list[Index]) -> None:
    """Drop constraints, foreign keys first, and indexes."""
    for each in reversed(constraints):
        cursor.execute(sql.SQL(f"ALTER TABLE {each.table} DROP CONSTRAINT ") + sql.Identifier(each.name))
    for index in indexes:
        cursor.execute(f"DROP INDEX {index.name}")


def add_constraints(cursor: Cursor, constraints: list[Constraint], source: str) -> None:
    """Make constraints again.

    Raises LoadError that names the source of the rows, the table and the constraint if rows break one.
    """
    _sort_in_memory(cursor)
    for each in constraints:
        # not format(): the definition may contain braces
        start, end = sql.SQL(f"ALTER TABLE {each.table} ADD CONSTRAINT "), sql.SQL(f" {each.definition}")
        try:
            cursor.execute(start + sql.Identifier(each.name) + end)
        except ROW_ERRORS as error:
            raise _broken(source, each, error) from error


def create_index(cursor: Cursor, index: Index, source: str) -> None:
    """Make an index again.

    Raises LoadError that names the source of the rows, the table and the index if rows do not fit it.
    """
    _sort_in_memory(cursor)
    try:
        cursor.execute(index.definition)
    except ROW_ERRORS as error:
        raise _broken(source, index, error) from error


def _broken(source: str, broken: Constraint | Index, error: psycopg.Error) -> LoadError:
    detail = error.diag.message_detail or error.diag.message_primary or str(error)
    rows = f"{source}: the rows" if source else "The rows"
    return LoadError(f"{rows} of table {broken.table!r} break {broken.name!r}: {detail.rstrip('.')}.")


def _sort_in_memory(cursor: Cursor) -> None:
    cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
