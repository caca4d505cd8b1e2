"""Load rows into tables: without keys and indexes, which follow; then advance the sequences and analyse."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from graphlib import CycleError, TopologicalSorter

import psycopg

from pytest_gamedata.errors import LoadError
from pytest_gamedata.postgres.rows.constraints import (
    Constraint,
    Index,
    add_constraints,
    create_index,
    drop,
    find_constraints,
    find_indexes,
    find_triggers,
    force_row_security,
    lift_row_security,
)
from pytest_gamedata.postgres.rows.copy import Rows, TextRows, copy_rows, count_of, source_of
from pytest_gamedata.postgres.rows.jobs import Connection, Cursor, Jobs, Name, run_at_once, run_in_turn
from pytest_gamedata.postgres.rows.sequences import advance_sequences

Report = Callable[[str, int], None]  # called with a table and how many of its rows were sent
Tables = Mapping[str, Rows]
Parents = dict[str, set[str]]  # of each table, those that its foreign keys refer to

CAN_FREEZE = "SELECT relkind = 'r' FROM pg_class WHERE oid = %s::regclass"  # a partitioned table cannot
DEFERRED: Name = ("deferred",)  # a job that needs the rows of all tables in its own transaction


def tell_nobody(table: str, rows: int) -> None:
    """Report to nobody."""


def load_tables(connection: Connection, tables: Tables, report: Report = tell_nobody) -> None:
    """Load rows into existing, empty tables in one transaction, and analyse them.

    Raises LoadError if a table has rows already, or a row does not fit.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL row_security = off")  # an error, instead of rows that a policy hides
        _refuse_rows(cursor, tables)  # an error before others wait for our locks
        _lock(cursor, tables)
        _refuse_rows(cursor, tables)  # empty tables stay empty under the lock
        run_in_turn(cursor, _begin(cursor, tables, report))


def load_new_database(connections: Sequence[Connection], tables: Tables) -> None:
    """Load rows as `load_tables` does, several tables and indexes at a time, each in its own transaction.

    For a database that nothing else uses yet: an error leaves it half loaded. A team's tables may have rows of its
    migrations. Triggers and foreign keys that wait for the end of a transaction get one for all tables.
    """
    with connections[0].transaction(), connections[0].cursor() as cursor:
        _lock(cursor, tables)
        forced = lift_row_security(cursor, tables)
        _refuse_rows(cursor, {name: rows for name, rows in tables.items() if not isinstance(rows, TextRows)})
        jobs = _begin(cursor, tables, tell_nobody)
        jobs["row security",] = (list(jobs), partial(force_row_security, tables=forced))
        if DEFERRED in jobs:
            return run_in_turn(cursor, jobs)
    return run_at_once(connections, jobs)


def _lock(cursor: Cursor, tables: Collection[str]) -> None:
    # children first, the order in which an app's INSERT locks them: the table, then those that its keys refer to
    if tables:
        cursor.execute(f"LOCK TABLE {', '.join(reversed(list(tables)))} IN ACCESS EXCLUSIVE MODE")


def _refuse_rows(cursor: Cursor, tables: Tables) -> None:
    for name in _with_rows(cursor, tables):
        source = source_of(tables[name])
        table = f"{source}: table" if source else "Table"
        raise LoadError(f"{table} {name!r} already has rows. Load into an empty database, or clear it first.")


def _with_rows(cursor: Cursor, tables: Collection[str]) -> list[str]:
    queries = {name: f"SELECT EXISTS (SELECT FROM {name})" for name in tables}
    return [name for name, query in queries.items() if cursor.execute(query).fetchone() == (True,)]


def _begin(cursor: Cursor, tables: Tables, report: Report) -> Jobs:
    """Drop keys and indexes; return the jobs that fill the tables and bring back what was dropped.

    Triggers find all in place but the foreign keys, and the rows of parents: what they do may need both.
    """
    names = sorted(tables, key=lambda name: -count_of(tables[name]))  # the longest begins first
    has_triggers, may_wait = find_triggers(cursor, names)
    constraints = find_constraints(cursor, names)
    foreign = [each for each in constraints if each.is_foreign]
    kept = [each for each in foreign if not each.comes_back]
    dropped = [each for each in constraints if each.comes_back and (each.is_foreign or not has_triggers)]
    indexes = [] if has_triggers else find_indexes(cursor, names, [each.index for each in kept])
    drop(cursor, dropped, indexes)
    stay = set(names) if has_triggers else {each.parent for each in kept}.union(_with_rows(cursor, names))
    order = _order(names, kept, foreign if has_triggers else kept)
    jobs: Jobs = {
        ("rows", name): (
            [("rows", parent) for parent in order[name]],
            partial(
                _fill, table=name, rows=tables[name], report=partial(report, name), truncate=name not in stay
            ),
        )
        for name in names
    }
    if may_wait or any(each.is_deferrable for each in kept):
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        jobs[DEFERRED] = (list(jobs), _run_deferred)
    sources = {name: source_of(tables[name]) for name in names}
    return jobs | _other_jobs(sources, dropped, indexes, [name for name in jobs if name == DEFERRED])


def _order(names: Collection[str], kept: list[Constraint], wished: list[Constraint]) -> Parents:
    """Return the parents whose rows each table needs first, and those that it is to have first where that goes."""
    needed = _parents(names, [each for each in kept if not each.is_deferrable])
    check_order(needed)
    try:
        check_order(more := _parents(names, wished))
    except LoadError:
        return needed
    return more


def _parents(names: Collection[str], foreign: list[Constraint]) -> Parents:
    return {
        name: {each.parent for each in foreign if each.table == name != each.parent and each.parent in names}
        for name in names
    }


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
    sources: Mapping[str, str], constraints: list[Constraint], indexes: list[Index], first: list[Name]
) -> Jobs:
    """Return the jobs that make keys and indexes again, analyse the tables, and add foreign keys last of all."""
    jobs: Jobs = {}
    for table, source in sources.items():
        keys = [each for each in constraints if each.table == table and not each.is_foreign]
        jobs["keys", table] = (
            [("rows", table), *first],
            partial(add_constraints, constraints=keys, source=source),
        )
    jobs["sequences",] = (list(jobs), partial(advance_sequences, tables=list(sources)))
    for index in indexes:
        create = partial(create_index, index=index, source=sources[index.table])
        jobs["index", index.table, index.name] = ([("keys", index.table)], create)
    for table in sources:
        before = [("keys", table), *(job for job in jobs if job[:2] == ("index", table))]
        jobs["statistics", table] = (before, partial(_analyze, table=table))
    for each in constraints:
        if each.is_foreign:
            before = [("statistics", table) for table in (each.table, each.parent) if table in sources]
            add = partial(add_constraints, constraints=[each], source=sources.get(each.table, ""))
            jobs["foreign key", each.table, each.name] = (before, add)
    return jobs


def _fill(cursor: Cursor, table: str, rows: Rows, report: Callable[[int], None], *, truncate: bool) -> None:
    if truncate:
        # In the same transaction it spares COPY the write-ahead log, and lets it freeze the rows. A rollback undoes
        # RESTART IDENTITY too.
        cursor.execute(f"TRUNCATE {table} RESTART IDENTITY")
    freeze = truncate and cursor.execute(CAN_FREEZE, [table]).fetchone() == (True,)
    copy_rows(cursor, table, rows, report, freeze=freeze)


def _run_deferred(cursor: Cursor) -> None:
    """Let what has waited see the rows of all tables; no key can be made while it waits."""
    try:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.DatabaseError as error:
        reason = " ".join(filter(None, (error.diag.message_primary, error.diag.message_detail))) or str(error)
        raise LoadError(
            f"A deferred trigger or foreign key refuses the rows: {reason.rstrip('.')}."
        ) from error


def _analyze(cursor: Cursor, table: str) -> None:
    cursor.execute(f"ANALYZE {table}")
