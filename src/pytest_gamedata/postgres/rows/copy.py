"""Load columns into tables: COPY BINARY without keys and indexes, which follow; then advance the sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import Any

from psycopg import sql

from pytest_gamedata.columns.conversion import Columns
from pytest_gamedata.errors import LoadError
from pytest_gamedata.postgres.rows.jobs import Connection, Cursor, Jobs, run_at_once, run_in_turn
from pytest_gamedata.postgres.rows.pack import SIGNATURE, TRAILER, Block, find_packer, pack_rows

Report = Callable[[str, int], None]  # called with a table and how many of its rows were sent

COLUMN_TYPES = """
    SELECT attname, typname, atttypid FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
"""
CAN_FREEZE = "SELECT relkind = 'r' FROM pg_class WHERE oid = %s::regclass"  # a partitioned table cannot
# Foreign keys are dropped first and added last; a primary key or unique constraint brings its own index. Indexes with
# another purpose stay: a replica identity, the order of CLUSTER, the parent of partitions' indexes.
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), contype, confrelid::regclass::text
    FROM pg_constraint WHERE contype IN ('p', 'u', 'x', 'f') AND conislocal
    AND (conrelid = ANY(%(tables)s::regclass[]) OR confrelid = ANY(%(tables)s::regclass[]))
    AND (contype = 'f' OR NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = conindid
                                      AND (indisreplident OR indisclustered)))
    ORDER BY contype = 'f', conrelid, oid
"""
INDEXES = """
    SELECT indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = ANY(%s::regclass[]) AND NOT indisreplident AND NOT indisclustered
    AND (SELECT relkind FROM pg_class WHERE oid = indexrelid) = 'i'
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
    ORDER BY indexrelid
"""
IDENTITIES = """
    SELECT attname, pg_get_serial_sequence(%s, attname) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
    AND pg_get_serial_sequence(%s, attname) IS NOT NULL
"""


def tell_nobody(table: str, rows: int) -> None:
    """Report to nobody."""


def load_tables(connection: Connection, tables: Mapping[str, Columns], report: Report = tell_nobody) -> None:
    """Load columns into existing, empty tables in one transaction, and analyse them.

    Raises LoadError if a table has rows already or the foreign keys form a cycle.
    """
    with connection.transaction(), connection.cursor() as cursor:
        run_in_turn(cursor, _strip(cursor, tables, report))


def load_new_database(connections: Sequence[Connection], tables: Mapping[str, Columns]) -> None:
    """Load columns as `load_tables` does, several tables and indexes at a time, each in its own transaction.

    For a database that nothing else uses yet: an error leaves it half loaded.
    """
    with connections[0].transaction(), connections[0].cursor() as cursor:
        jobs = _strip(cursor, tables, tell_nobody)
    run_at_once(connections, jobs)


def _strip(cursor: Cursor, tables: Mapping[str, Columns], report: Report) -> Jobs:
    """Drop the keys and indexes of empty tables; return the jobs that fill the tables and bring them back."""
    names = list(tables)
    cursor.execute("SET LOCAL row_security = off")  # an error, instead of rows that a policy hides
    _check_empty(cursor, names)  # an error before others wait for our locks
    # children first, the order in which an app's INSERT locks them: the table, then those that its keys refer to
    cursor.execute(f"LOCK TABLE {', '.join(reversed(names))} IN ACCESS EXCLUSIVE MODE")
    _check_empty(cursor, names)  # empty tables stay empty under the lock
    constraints = cursor.execute(CONSTRAINTS, {"tables": names}).fetchall()
    indexes = cursor.execute(INDEXES, [names]).fetchall()
    names = loading_order(names, constraints)
    _drop(cursor, constraints, indexes)
    names.sort(key=lambda name: -_count(tables[name]))  # the longest begins first
    return _make_jobs({name: tables[name] for name in names}, constraints, indexes, report)


def _check_empty(cursor: Cursor, names: list[str]) -> None:
    for name in names:
        row = cursor.execute(f"SELECT EXISTS (SELECT FROM {name})").fetchone()
        if row and row[0]:
            raise LoadError(
                f"Table {name!r} already has rows. Load into an empty database, or clear it first."
            )


def loading_order(names: list[str], constraints: list[Any]) -> list[str]:
    """Return the tables with every parent before its children; a table may refer to itself."""
    parents: dict[str, set[str]] = {name: set() for name in names}
    for child, _, _, kind, parent in constraints:
        if _is_foreign(kind) and child != parent and {child, parent} <= set(parents):
            parents[child].add(parent)
    try:
        return list(TopologicalSorter(parents).static_order())
    except CycleError as error:
        raise LoadError(
            f"Foreign keys form a cycle: {' -> '.join(error.args[1])}. Make one of them nullable and fill it later."
        ) from None


def _is_foreign(kind: Any) -> bool:
    return kind in ("f", b"f")


def _drop(cursor: Cursor, constraints: list[Any], indexes: list[Any]) -> None:
    for table, name, *_ in reversed(constraints):
        cursor.execute(sql.SQL(f"ALTER TABLE {table} DROP CONSTRAINT ") + sql.Identifier(name))
    for _, name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")


def _make_jobs(
    tables: Mapping[str, Columns], constraints: list[Any], indexes: list[Any], report: Report
) -> Jobs:
    """Divide the loading into jobs that do not wait for each other's locks: rows and keys, indexes, statistics."""
    jobs: Jobs = {}
    for table, columns in tables.items():
        keys = [row for row in constraints if row[0] == table and not _is_foreign(row[3])]
        fill = partial(_fill, table=table, columns=columns, keys=keys, report=partial(report, table))
        jobs["rows", table] = ((), fill)
    for table, name, definition in indexes:
        jobs["index", table, name] = ([("rows", table)], partial(_create_index, definition=definition))
    for table in tables:
        before = [("rows", table), *(job for job in jobs if job[:2] == ("index", table))]
        jobs["statistics", table] = (before, partial(_finish, table=table))
    for row in constraints:
        if _is_foreign(row[3]):
            before = [("statistics", table) for table in (row[0], row[4]) if table in tables]
            jobs["foreign key", row[0], row[1]] = (before, partial(_add_constraints, constraints=[row]))
    return jobs


def _count(columns: Columns) -> int:
    return len(next(iter(columns.values())))


def _fill(
    cursor: Cursor, table: str, columns: Columns, keys: list[Any], report: Callable[[int], None]
) -> None:
    # TRUNCATE in the same transaction spares COPY the write-ahead log, and lets it freeze the rows. A rollback undoes
    # RESTART IDENTITY too.
    cursor.execute(f"TRUNCATE {table} RESTART IDENTITY")
    _copy(cursor, table, columns, report)
    _add_constraints(cursor, keys)


def _create_index(cursor: Cursor, definition: str) -> None:
    _sort_in_memory(cursor)
    cursor.execute(definition)


def _add_constraints(cursor: Cursor, constraints: list[Any]) -> None:
    _sort_in_memory(cursor)
    for table, name, definition, *_ in constraints:
        # not format(): the definition may contain braces
        start, end = sql.SQL(f"ALTER TABLE {table} ADD CONSTRAINT "), sql.SQL(f" {definition}")
        cursor.execute(start + sql.Identifier(name) + end)


def _sort_in_memory(cursor: Cursor) -> None:
    cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")


def _finish(cursor: Cursor, table: str) -> None:
    for column, sequence in cursor.execute(IDENTITIES, [table, table, table]).fetchall():
        highest = sql.SQL(f"SELECT setval(%s, max({{}})) FROM {table} HAVING max({{}}) IS NOT NULL")
        cursor.execute(highest.format(sql.Identifier(column), sql.Identifier(column)), [sequence])
    cursor.execute(f"ANALYZE {table}")


def _copy(cursor: Cursor, table: str, columns: Columns, report: Callable[[int], None]) -> None:
    types = {name: (kind, oid) for name, kind, oid in cursor.execute(COLUMN_TYPES, [table]).fetchall()}
    missing = sorted(set(columns) - set(types))
    if missing:
        raise LoadError(f"Table {table!r} has no column {missing[0]!r}. Its columns are: {', '.join(types)}.")
    names = sql.SQL(", ").join(sql.Identifier(name) for name in columns)
    packers = [find_packer(column, *types[name], cursor.connection) for name, column in columns.items()]
    freeze = ", FREEZE" if cursor.execute(CAN_FREEZE, [table]).fetchone() == (True,) else ""
    statement = sql.SQL(f"COPY {table} ({{}}) FROM STDIN (FORMAT BINARY{freeze})").format(names)
    with cursor.copy(statement) as copy:
        copy.write(SIGNATURE)
        for rows, block in _ahead(pack_rows(packers, _count(columns))):
            copy.write(block)
            report(rows)
        copy.write(TRAILER)


def _ahead(blocks: Iterator[Block]) -> Iterator[Block]:
    """Pack the next block in a thread while this one is sent: numpy and the socket release Python's lock."""
    with ThreadPoolExecutor(1, "gamedata-pack") as packer:
        following = packer.submit(next, blocks, None)
        while (block := following.result()) is not None:
            following = packer.submit(next, blocks, None)
            yield block
