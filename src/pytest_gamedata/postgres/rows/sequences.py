"""Sequences of tables: whatever was loaded, their next value is past the highest that is there."""

from __future__ import annotations

from collections.abc import Collection
from itertools import groupby
from operator import itemgetter

from pytest_gamedata.postgres.rows.jobs import Cursor

# The columns that the sequences of tables number, in any table: their own, and those whose default names them.
NUMBERED = """
    WITH numbered AS (
        SELECT objid AS sequence, refobjid AS relation, refobjsubid AS number FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')
        UNION
        SELECT refobjid, adrelid, adnum FROM pg_depend JOIN pg_attrdef ON pg_attrdef.oid = objid
        WHERE classid = 'pg_attrdef'::regclass AND refclassid = 'pg_class'::regclass
    )
    SELECT sequence::regclass::text, seqincrement < 0, relation::regclass::text, quote_ident(attname) FROM numbered
    JOIN pg_sequence ON seqrelid = sequence
    JOIN pg_class ON pg_class.oid = relation AND relkind IN ('r', 'p')
    JOIN pg_attribute ON attrelid = relation AND attnum = number
    JOIN pg_type ON pg_type.oid = atttypid
    WHERE sequence IN (SELECT sequence FROM numbered WHERE relation = ANY(%s::regclass[]))
    AND coalesce(nullif(typbasetype, 0), atttypid) = ANY('{int2,int4,int8,numeric}'::regtype[])
    ORDER BY 1, 3, 4
"""


def advance_sequences(cursor: Cursor, tables: Collection[str]) -> None:
    """Advance the sequences of tables past the highest value, past the lowest where they count down."""
    found = cursor.execute(NUMBERED, [list(tables)]).fetchall()
    for (sequence, is_descending), columns in groupby(found, itemgetter(0, 1)):
        best, beyond = ("min", "<=") if is_descending else ("max", ">=")
        values = " UNION ALL ".join(
            f"SELECT {best}({column})::numeric AS value FROM {table}" for _, _, table, column in columns
        )
        cursor.execute(f"""
            SELECT setval(seqrelid, value::int8)
            FROM (SELECT {best}(value) AS value FROM ({values}) each_column) most, {sequence} state
            JOIN pg_sequence ON seqrelid = state.tableoid
            WHERE value BETWEEN seqmin AND seqmax AND value {beyond} last_value
        """)
