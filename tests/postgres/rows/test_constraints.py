import numpy as np
import psycopg
import pytest

from pytest_gamedata.postgres.rows.constraints import find_constraints, find_indexes

pytestmark = pytest.mark.gamedata(users=0, items=0, transactions=0)

SCHEMA = """
    CREATE TABLE parents (id bigint PRIMARY KEY, code text CONSTRAINT parents_code UNIQUE, span int4range);
    CREATE TABLE children (
        id bigint PRIMARY KEY, parent_id bigint NOT NULL CONSTRAINT children_parent REFERENCES parents, code text
    );
    CREATE INDEX children_code ON children (code);
"""
ROWS = {
    "children": {"id": np.arange(1, 5), "parent_id": np.array([1, 1, 2, 3]), "code": np.array([b"a"] * 4)},
    "parents": {"id": np.arange(1, 4), "code": np.array([b"a", b"b", b"c"])},
}
CASES = {
    "plain": "",
    "a view that groups by a primary key": """
        CREATE VIEW sizes AS SELECT parents.*, count(*) FROM parents JOIN children ON parent_id = parents.id
        GROUP BY parents.id
    """,
    "a materialized view that groups by a primary key": """
        CREATE MATERIALIZED VIEW sizes AS SELECT parents.*, count(*) FROM parents JOIN children ON parent_id = parents.id
        GROUP BY parents.id
    """,
    "a function that names a constraint": """
        CREATE FUNCTION put() RETURNS void LANGUAGE sql BEGIN ATOMIC
            INSERT INTO parents VALUES (1) ON CONFLICT ON CONSTRAINT parents_pkey DO NOTHING;
        END
    """,
    "a foreign key of another table": "CREATE TABLE others (parent_id bigint REFERENCES parents)",
    "a foreign key that stays, of another table": """
        CREATE TABLE others (parent_id bigint CONSTRAINT others_parent REFERENCES parents);
        COMMENT ON CONSTRAINT others_parent ON others IS 'ours'
    """,
    "a foreign key that stays, to a unique index": """
        CREATE UNIQUE INDEX parents_span ON parents (span);
        ALTER TABLE children ADD span int4range CONSTRAINT children_span REFERENCES parents (span);
        COMMENT ON CONSTRAINT children_span ON children IS 'ours'
    """,
    "a foreign key to a unique index": """
        CREATE UNIQUE INDEX parents_span ON parents (span);
        ALTER TABLE children ADD span int4range REFERENCES parents (span)
    """,
    "a comment on a primary key": "COMMENT ON CONSTRAINT parents_pkey ON parents IS 'ours'",
    "a comment on the index of a key": "COMMENT ON INDEX parents_code IS 'ours'",
    "a comment on a foreign key": "COMMENT ON CONSTRAINT children_parent ON children IS 'ours'",
    "a comment on an index": "COMMENT ON INDEX children_code IS 'ours'",
    "storage parameters": """
        ALTER INDEX parents_pkey SET (fillfactor = 70);
        ALTER INDEX children_code SET (fillfactor = 80)
    """,
    "statistics targets": """
        CREATE INDEX children_lower ON children (lower(code));
        ALTER INDEX children_lower ALTER COLUMN 1 SET STATISTICS 500
    """,
    "cluster": "ALTER TABLE parents CLUSTER ON parents_pkey; ALTER TABLE children CLUSTER ON children_code",
    "replica identity by index": """
        CREATE UNIQUE INDEX children_parent_id ON children (parent_id, id);
        ALTER TABLE children REPLICA IDENTITY USING INDEX children_parent_id;
        ALTER TABLE parents REPLICA IDENTITY USING INDEX parents_pkey
    """,
    "replica identity of all columns": "ALTER TABLE children REPLICA IDENTITY FULL",
    "constraints that are not valid": """
        ALTER TABLE children ADD CONSTRAINT late FOREIGN KEY (id) REFERENCES children NOT VALID;
        ALTER TABLE children ADD CHECK (id > 0) NOT VALID
    """,
    "deferrable constraints": """
        ALTER TABLE parents ADD UNIQUE (span) DEFERRABLE INITIALLY DEFERRED;
        ALTER TABLE children ADD FOREIGN KEY (id) REFERENCES children DEFERRABLE INITIALLY DEFERRED;
        ALTER TABLE children ALTER CONSTRAINT children_parent DEFERRABLE
    """,
    "a deferrable foreign key that stays": """
        ALTER TABLE children ALTER CONSTRAINT children_parent DEFERRABLE INITIALLY IMMEDIATE;
        COMMENT ON CONSTRAINT children_parent ON children IS 'ours'
    """,
    "a cycle of deferrable foreign keys that stay": """
        ALTER TABLE children ALTER CONSTRAINT children_parent DEFERRABLE;
        COMMENT ON CONSTRAINT children_parent ON children IS 'ours';
        ALTER TABLE parents ADD CONSTRAINT first_child FOREIGN KEY (id) REFERENCES children DEFERRABLE;
        COMMENT ON CONSTRAINT first_child ON parents IS 'ours'
    """,
    "an exclusion constraint": "ALTER TABLE parents ADD EXCLUDE USING gist (span WITH &&) WHERE (id > 0)",
    "what keys may have": """
        CREATE TABLE others (a int, b int, FOREIGN KEY (a) REFERENCES others (a) ON DELETE CASCADE ON UPDATE SET NULL,
            UNIQUE (a) INCLUDE (b));
        ALTER TABLE children ADD FOREIGN KEY (id) REFERENCES parents MATCH FULL ON DELETE SET NULL NOT VALID;
        CREATE UNIQUE INDEX partial ON children (id DESC NULLS LAST) INCLUDE (code) WHERE code <> '{}%';
        CREATE INDEX "Odd ""name" ON children USING hash (code text_pattern_ops)
    """,
    "names that need quotes": """
        ALTER TABLE children RENAME CONSTRAINT children_parent TO "Parent {0} %s";
        ALTER INDEX children_code RENAME TO "Code ""of"" child"
    """,
    "extended statistics": """
        CREATE STATISTICS related (dependencies) ON parent_id, code FROM children;
        ALTER STATISTICS related SET STATISTICS 300
    """,
    "an index that goes with an extension": """
        CREATE EXTENSION pg_trgm;
        CREATE INDEX children_trigrams ON children USING gin (code gin_trgm_ops);
        ALTER INDEX children_trigrams DEPENDS ON EXTENSION pg_trgm
    """,
    "partitions of a parent": """
        CREATE TABLE log (id bigint PRIMARY KEY, child_id bigint REFERENCES children, note text) PARTITION BY RANGE (id);
        CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (3);
        CREATE TABLE log_2 PARTITION OF log DEFAULT;
        CREATE INDEX log_note ON log (note);
        COMMENT ON INDEX log_1_note_idx IS 'ours';
        CREATE TABLE pages (log_id bigint REFERENCES log, id bigint)
    """,
    "children by inheritance": "CREATE TABLE adopted (PRIMARY KEY (id)) INHERITS (children)",
    "unlogged tables": "ALTER TABLE children SET UNLOGGED",
}
NEWER_CASES = {
    15: {"nulls that are not distinct": "ALTER TABLE parents ADD UNIQUE NULLS NOT DISTINCT (span, id)"},
    18: {
        "constraints that are not enforced": """
            ALTER TABLE children ADD FOREIGN KEY (id) REFERENCES parents NOT ENFORCED;
            ALTER TABLE children ADD CHECK (id > 2) NOT ENFORCED
        """,
        "keys over time": """
            CREATE EXTENSION btree_gist;
            ALTER TABLE parents ADD CONSTRAINT over_time UNIQUE (id, span WITHOUT OVERLAPS);
            ALTER TABLE children ADD span int4range;
            ALTER TABLE children ADD FOREIGN KEY (id, PERIOD span) REFERENCES parents (id, PERIOD span)
        """,
        "not null constraints": """
            ALTER TABLE children ADD CONSTRAINT coded NOT NULL code NOT VALID;
            COMMENT ON CONSTRAINT children_id_not_null ON children IS 'ours'
        """,
    },
}  # fmt: skip
SNAPSHOT = [
    """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), conindid::regclass::text, convalidated,
               condeferrable, condeferred, conislocal, coninhcount, connoinherit, obj_description(oid, 'pg_constraint'),
               to_jsonb(pg_constraint) -> 'conenforced'
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    """,
    """
        SELECT indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisprimary,
               indisclustered, indisreplident, indisvalid, indimmediate, reloptions, spcname, relpersistence,
               obj_description(indexrelid, 'pg_class'), relkind
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid LEFT JOIN pg_tablespace ON pg_tablespace.oid = reltablespace
        WHERE relnamespace = 'public'::regnamespace
    """,
    """
        SELECT attrelid::regclass::text, attname, attnum, attnotnull, attstattarget, attoptions, attislocal,
               col_description(attrelid, attnum)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0
    """,
    """
        SELECT relname, relkind, relreplident, reloptions, relpersistence, obj_description(oid, 'pg_class')
        FROM pg_class WHERE relnamespace = 'public'::regnamespace
    """,
    """
        SELECT tgrelid::regclass::text, conname, CASE WHEN NOT tgisinternal THEN tgname END, tgenabled, tgtype,
               tgdeferrable, tginitdeferred, tgfoid::regproc::text
        FROM pg_trigger LEFT JOIN pg_constraint ON pg_constraint.oid = tgconstraint
    """,
    "SELECT pg_get_statisticsobjdef(oid), to_jsonb(pg_statistic_ext) -> 'stxstattarget' FROM pg_statistic_ext",
    """
        SELECT pg_describe_object(classid, objid, objsubid), pg_describe_object(refclassid, refobjid, refobjsubid), deptype
        FROM pg_depend WHERE refobjid >= 16384 AND classid IN ('pg_class'::regclass, 'pg_constraint'::regclass)
        AND pg_describe_object(classid, objid, objsubid) NOT LIKE 'toast%%'
    """,
]  # fmt: skip


def snapshot(connection):
    """Return all that the catalogue says of constraints, indexes, tables and triggers, without oids."""
    found = [sorted(connection.execute(query).fetchall(), key=repr) for query in SNAPSHOT]
    connection.rollback()
    return found


def pairs(connection):
    query = "SELECT children.id, parents.code FROM children JOIN parents ON parents.id = parent_id ORDER BY 1"
    return connection.execute(query).fetchall()


@pytest.fixture
def superuser(gamedata_server, gamedata_db):
    host = str(gamedata_server.directory)
    with psycopg.connect(
        host=host,
        port=gamedata_server.port,
        user="postgres",
        dbname=gamedata_db.url.database,
        autocommit=True,
    ) as connection:
        yield connection


def check_all_comes_back(connection, load, case):
    connection.execute(SCHEMA + case)
    connection.commit()
    before = snapshot(connection)

    load(ROWS)

    after = snapshot(connection)
    assert after == before
    assert pairs(connection) == [(1, "a"), (2, "a"), (3, "b"), (4, "c")]


@pytest.mark.parametrize("case", CASES)
def test_all_that_was_there_is_there_again(connection, load, case):
    check_all_comes_back(connection, load, CASES[case])


@pytest.mark.parametrize(("version", "case"), [(v, case) for v in NEWER_CASES for case in NEWER_CASES[v]])
def test_all_of_newer_servers_is_there_again(connection, load, version, case):
    if connection.info.server_version < version * 10_000:
        pytest.skip(f"only PostgreSQL {version} has it")
    check_all_comes_back(connection, load, NEWER_CASES[version][case])


@pytest.mark.parametrize("change", ["DISABLE TRIGGER ALL", "ENABLE ALWAYS TRIGGER"])
def test_triggers_of_foreign_keys_stay_as_they_are(connection, superuser, load, change):
    connection.execute(SCHEMA)
    connection.commit()
    names = superuser.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'children'::regclass").fetchall()
    for (name,) in names:
        change_one = "DISABLE TRIGGER ALL" if change == "DISABLE TRIGGER ALL" else f'{change} "{name}"'
        superuser.execute(f"ALTER TABLE children {change_one}")
    before = snapshot(connection)

    load(ROWS)

    assert snapshot(connection) == before


def test_indexes_stay_in_their_tablespace(connection, superuser, load):
    superuser.execute("SET allow_in_place_tablespaces = on")
    superuser.execute("CREATE TABLESPACE elsewhere LOCATION ''")
    try:
        connection.execute(SCHEMA)
        connection.commit()
        for index in ("parents_pkey", "children_code"):
            superuser.execute(f"ALTER INDEX {index} SET TABLESPACE elsewhere")
        before = snapshot(connection)
        load(ROWS)
        assert snapshot(connection) == before
    finally:
        for index in ("parents_pkey", "children_code"):
            superuser.execute(f"ALTER INDEX {index} SET TABLESPACE pg_default")
        superuser.execute("DROP TABLESPACE elsewhere")


def test_plain_keys_and_indexes_are_dropped_while_rows_are_copied(connection):
    connection.execute(SCHEMA)
    cursor = connection.cursor()

    assert all(each.comes_back for each in find_constraints(cursor, ["parents", "children"]))
    assert [each.name for each in find_indexes(cursor, ["parents", "children"], [])] == ["children_code"]
