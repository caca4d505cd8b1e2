"""Load rows into tables: without keys and indexes, which follow; then advance the sequences and analyse."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import Any

from psycopg import sql

from pytest_gamedata.errors import LoadError
from pytest_gamedata.postgres.rows.constraints import (
    Constraint,
    Index,
    add_constraints,
    create_index,
    drop,
    find_constraints,
    find_indexes,
    has_deferred_triggers,
)
from pytest_gamedata.postgres.rows.copy import Rows, copy_rows, count_of
from pytest_gamedata.postgres.rows.jobs import Connection, Cursor, Jobs, Name, run_at_once, run_in_turn

Report = Callable[[str, int], None]  # called with a table and how many of its rows were sent
Tables = Mapping[str, Rows]

CAN_FREEZE = "SELECT relkind = 'r' FROM pg_class WHERE oid = %s::regclass"  # a partitioned table cannot
# The sequences that belong to a table's columns, and those that only their defaults name.
IDENTITIES = """
    SELECT attname, pg_get_serial_sequence(%s, attname) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
    AND pg_get_serial_sequence(%s, attname) IS NOT NULL
"""
SHARED_SEQUENCES = """
    SELECT attname, pg_class.oid::regclass::text FROM pg_attrdef
    JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
    JOIN pg_depend ON classid = 'pg_attrdef'::regclass AND objid = pg_attrdef.oid AND refclassid = 'pg_class'::regclass
    JOIN pg_class ON pg_class.oid = refobjid AND relkind = 'S'
    WHERE adrelid = %s::regclass AND pg_get_serial_sequence(%s, attname) IS NULL
"""


def tell_nobody(table: str, rows: int) -> None:
    """Report to nobody."""


def load_tables(connection: Connection, tables: Tables, report: Report = tell_nobody) -> None:
    """Load rows into existing, empty tables in one transaction, and analyse them.

    Raises LoadError if a table has rows already, or a row does not fit.
    """
    with connection.transaction(), connection.cursor() as cursor:
        run_in_turn(cursor, _strip(cursor, tables, report))


def load_new_database(connections: Sequence[Connection], tables: Tables) -> None:
    """Load rows as `load_tables` does, several tables and indexes at a time, each in its own transaction.

    For a database that nothing else uses yet: an error leaves it half loaded.
    """
    with connections[0].cursor() as cursor:
        if has_deferred_triggers(cursor, tables):  # they check several tables at the end of one transaction
            connections[0].rollback()
            return load_tables(connections[0], tables)
        connections[0].rollback()
    with connections[0].transaction(), connections[0].cursor() as cursor:
        jobs = _strip(cursor, tables, tell_nobody)
    return run_at_once(connections, jobs)


def _strip(cursor: Cursor, tables: Tables, report: Report) -> Jobs:
    """Drop the keys and indexes of empty tables; return the jobs that fill the tables and bring them back."""
    names = list(tables)
    if not names:
        return {}
    cursor.execute("SET LOCAL row_security = off")  # an error, instead of rows that a policy hides
    _check_empty(cursor, names)  # an error before others wait for our locks
    # children first, the order in which an app's INSERT locks them: the table, then those that its keys refer to
    cursor.execute(f"LOCK TABLE {', '.join(reversed(names))} IN ACCESS EXCLUSIVE MODE")
    _check_empty(cursor, names)  # empty tables stay empty under the lock
    constraints, indexes = find_constraints(cursor, names), find_indexes(cursor, names)
    dropped = [each for each in constraints if each.comes_back]
    drop(cursor, dropped, indexes)
    kept = [each for each in constraints if each.is_foreign and not each.comes_back]
    names.sort(key=lambda name: -count_of(tables[name]))  # the longest begins first
    jobs = _rows_jobs({name: tables[name] for name in names}, kept, report)
    if has_deferred_triggers(cursor, names):
        jobs["deferred triggers",] = (list(jobs), _run_deferred_triggers)
    return jobs | _other_jobs(names, dropped, indexes, list(jobs))


def _check_empty(cursor: Cursor, names: list[str]) -> None:
    for name in names:
        row = cursor.execute(f"SELECT EXISTS (SELECT FROM {name})").fetchone()
        if row and row[0]:
            raise LoadError(
                f"Table {name!r} already has rows. Load into an empty database, or clear it first."
            )


def _rows_jobs(tables: Tables, kept: list[Constraint], report: Report) -> Jobs:
    """Return a job per table that copies its rows: after its parents', where a foreign key has stayed in place."""
    parents: dict[str, set[str]] = {name: set() for name in tables}
    for each in kept:
        if each.table in tables and each.parent in tables and each.table != each.parent:
            parents[each.table].add(each.parent)
    check_order(parents)
    referred = {each.parent for each in kept}
    jobs: Jobs = {}
    for name, rows in tables.items():
        fill = partial(
            _fill, table=name, rows=rows, report=partial(report, name), truncate=name not in referred
        )
        jobs["rows", name] = ([("rows", parent) for parent in parents[name]], fill)
    return jobs


def check_order(parents: Mapping[str, Collection[str]]) -> None:
    """Refuse tables that need each other's rows first.

    Raises LoadError that names them.
    """
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        raise LoadError(
            f"Foreign keys form a cycle: {' -> '.join(error.args[1])}. Make one of them nullable and fill it later."
        ) from None


def _other_jobs(
    tables: list[str], constraints: list[Constraint], indexes: list[Index], first: list[Name]
) -> Jobs:
    """Return the jobs that make keys and indexes again, analyse the tables, and add foreign keys last of all."""
    waits = [name for name in first if name[0] != "rows"]
    jobs: Jobs = {}
    for table in tables:
        keys = [each for each in constraints if each.table == table and not each.is_foreign]
        jobs["keys", table] = ([("rows", table), *waits], partial(add_constraints, constraints=keys))
    for index in indexes:
        jobs["index", index.table, index.name] = ([("keys", index.table)], partial(create_index, index=index))
    for table in tables:
        before = [("keys", table), *(job for job in jobs if job[:2] == ("index", table))]
        jobs["statistics", table] = (before, partial(_finish, table=table))
    for each in constraints:
        if each.is_foreign:
            before = [("statistics", table) for table in (each.table, each.parent) if table in tables]
            jobs["foreign key", each.table, each.name] = (
                before,
                partial(add_constraints, constraints=[each]),
            )
    return jobs


def _fill(cursor: Cursor, table: str, rows: Rows, report: Callable[[int], None], *, truncate: bool) -> None:  # noqa: PLR0913
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    if truncate:
        # In the same transaction it spares COPY the write-ahead log, and lets it freeze the rows. A rollback undoes
        # RESTART IDENTITY too.
        cursor.execute(f"TRUNCATE {table} RESTART IDENTITY")
    freeze = truncate and cursor.execute(CAN_FREEZE, [table]).fetchone() == (True,)
    copy_rows(cursor, table, rows, report, freeze=freeze)


def _run_deferred_triggers(cursor: Cursor) -> None:
    """Let deferred triggers see the rows of all tables; no key can be made while they wait."""
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _finish(cursor: Cursor, table: str) -> None:
    """Advance the sequences past the highest value, and analyse."""
    sequences: list[Any] = cursor.execute(IDENTITIES, [table, table, table]).fetchall()
    shared = cursor.execute(SHARED_SEQUENCES, [table, table]).fetchall()
    for column, sequence in sequences:
        highest = sql.SQL(f"SELECT setval(%s, max({{}})) FROM {table} HAVING max({{}}) IS NOT NULL")
        cursor.execute(highest.format(sql.Identifier(column), sql.Identifier(column)), [sequence])
    for column, sequence in shared:
        highest = sql.SQL(
            f"SELECT setval(%s, greatest(max({{}}), (SELECT last_value FROM {sequence}))) FROM {table} "
            "HAVING max({}) IS NOT NULL"
        )
        cursor.execute(highest.format(sql.Identifier(column), sql.Identifier(column)), [sequence])
    cursor.execute(f"ANALYZE {table}")
