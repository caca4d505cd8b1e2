import uuid
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import psycopg
import pytest
from sqlalchemy import create_engine, text

from pytest_gamedata import DatasetSpec, build_dataset, load_dataset
from pytest_gamedata.columns.categorical import categorical, free_text
from pytest_gamedata.columns.conversion import NULL, texts, to_python
from pytest_gamedata.databases.existing import raw_connection
from pytest_gamedata.errors import LoadError
from pytest_gamedata.postgres.rows.load import check_order, load_new_database, load_tables
from pytest_gamedata.postgres.rows.pack import ROWS_PER_BLOCK
from pytest_gamedata.postgres.rows.read_back import read_table


def objects(*values):
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


MOMENT = datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC)
UUID = uuid.UUID("12345678-1234-4678-9234-567812345678")
NOBODY = (
    "The rows of table 'auth_events' break 'auth_events_user_id_fkey': "
    'Key (user_id)=(77) is not present in table "users".'
)
ROUND_TRIPS = {
    "smallint": np.array([1, -7, NULL]),
    "integer": np.array([1, -(2**31), NULL]),
    "bigint": np.array([1, -(2**62), NULL]),
    "boolean": np.array([True, False, True]),
    "timestamptz": np.array(["2024-02-29T23:59:59.999999", "1999-12-31", "NaT"], dtype="datetime64[us]"),
    "text": texts(["a", "Zażółć 東京\n\t\\", None]),
    "varchar": free_text(3, np.array([1]), texts(["Zażółć"])),
    "varchar(40)": categorical(["x", None, "Ünïcode"]),
    "char(2)": categorical(["PL", "DE", None]),
    "inet": categorical(["198.18.0.255", "2001:db8::1", None]),
    "uuid": np.array([np.void(UUID.bytes), np.void(b"\1" * 16), np.void(bytes(16))]),
    "numeric(8,7)": objects(Decimal("0.7992000"), None, Decimal("1.0000000")),
    "text[]": objects(["a", "b,c"], [], None),
    "jsonb": objects({"a": [1, None]}, {}, None),
    "double precision": objects(1.5, None, -2.0),
}  # fmt: skip


@pytest.mark.gamedata(users=0, transactions=0)
@pytest.mark.parametrize("kind", ROUND_TRIPS)
def test_every_kind_of_column_survives_the_trip(gamedata_db, kind):
    column = ROUND_TRIPS[kind]
    with psycopg.connect(gamedata_db.dsn) as connection:
        connection.execute(f"CREATE TABLE trip (id bigint PRIMARY KEY, value {kind})")
        load_tables(connection, {"trip": {"id": np.arange(1, 4), "value": column}})
        found = [row[0] for row in connection.execute("SELECT value FROM trip ORDER BY id")]

    expected = to_python(column)
    if kind == "inet":
        found = [address and str(address) for address in found]
    assert found == expected


@pytest.mark.gamedata(users=0, transactions=0)
@pytest.mark.parametrize("count", [0, 1, ROWS_PER_BLOCK, ROWS_PER_BLOCK + 1])
def test_blocks_join_without_a_seam(gamedata_db, count):
    with psycopg.connect(gamedata_db.dsn) as connection:
        connection.execute("CREATE TABLE seam (id bigint PRIMARY KEY, value text)")
        values = np.strings.add(b"v", np.arange(count).astype("S8"))
        load_tables(connection, {"seam": {"id": np.arange(count), "value": values}})

        assert connection.execute("SELECT count(*), count(DISTINCT value) FROM seam").fetchone() == (
            count,
            count,
        )


@pytest.mark.gamedata(users=30)
def test_rows_in_the_database_are_the_rows_in_memory(gamedata_db):
    dataset = build_dataset(gamedata_db.spec)
    with psycopg.connect(gamedata_db.dsn) as connection:
        for table, columns in dataset.tables.items():
            names = ", ".join(columns)
            found = connection.execute(f"SELECT {names} FROM {table} ORDER BY id").fetchall()
            expected = list(zip(*(to_python(column) for column in columns.values()), strict=True))
            as_text = [
                tuple(str(v) if n == "ip" else v for n, v in zip(columns, row, strict=True)) for row in found
            ]
            assert as_text == expected


@pytest.mark.gamedata(users=5)
def test_identities_continue_after_the_highest_id(gamedata_db):
    with psycopg.connect(gamedata_db.dsn) as connection:
        for table, count in gamedata_db.counts.items():
            sequence = f"pg_get_serial_sequence('{table}', 'id')"
            assert connection.execute(f"SELECT nextval({sequence})").fetchone() == (count + 1,)


@pytest.mark.gamedata(users=5)
def test_keys_and_indexes_are_back_and_tables_are_analysed(gamedata_db):
    with psycopg.connect(gamedata_db.dsn) as connection:
        invalid = connection.execute("SELECT count(*) FROM pg_constraint WHERE NOT convalidated").fetchone()
        keys = connection.execute(
            "SELECT count(*) FROM pg_constraint WHERE contype IN ('p', 'f', 'u')"
        ).fetchone()
        estimate = connection.execute(
            "SELECT reltuples FROM pg_class WHERE relname = 'auth_events'"
        ).fetchone()
        with pytest.raises(psycopg.IntegrityError):
            connection.execute("DELETE FROM users WHERE id = 1")

    assert invalid == (0,)
    assert keys[0] >= 11
    assert estimate == (gamedata_db.counts["auth_events"],)


@pytest.mark.gamedata(users=30)
def test_rows_come_frozen_so_that_indexes_alone_answer(gamedata_db):
    with psycopg.connect(gamedata_db.dsn) as connection:
        for table in gamedata_db.counts:
            pages = connection.execute(
                f"SELECT count(DISTINCT (ctid::text::point)[0]) FROM {table}"
            ).fetchone()
            visible = connection.execute("SELECT relallvisible FROM pg_class WHERE relname = %s", [table])
            assert visible.fetchone() == pages


@pytest.mark.gamedata(users=0, transactions=0)
def test_a_partitioned_table_is_loaded_too(gamedata_db):
    with psycopg.connect(gamedata_db.dsn) as connection:
        connection.execute("CREATE TABLE log (id bigint) PARTITION BY RANGE (id)")
        connection.execute("CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (2)")
        connection.execute("CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (2) TO (9)")
        load_tables(connection, {"log": {"id": np.arange(5)}})

        assert connection.execute("SELECT count(*) FROM log_2").fetchone() == (3,)


SCHEMA = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) || convalidated
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION SELECT relname, 'rows', reltuples::text FROM pg_class WHERE relname IN ('users', 'auth_events')
    ORDER BY 1, 2, 3
"""


@pytest.mark.gamedata(users=0, items=0, transactions=0)
def test_several_connections_load_what_one_does(gamedata_db):
    tables = build_dataset(DatasetSpec(users=300)).tables
    found = []
    with psycopg.connect(gamedata_db.dsn) as one, psycopg.connect(gamedata_db.dsn) as two:
        with one.transaction(force_rollback=True):
            load_tables(one, tables)
            found.append(one.execute(SCHEMA).fetchall())
        load_new_database([one, two], tables)
        found.append(one.execute(SCHEMA).fetchall())
        counted = {name: one.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}

    assert found[0] == found[1]
    assert counted == {name: len(columns["id"]) for name, columns in tables.items()}


@pytest.mark.gamedata(users=0, items=0, transactions=0)
def test_an_error_of_one_of_several_connections_is_raised(gamedata_db):
    tables = build_dataset(DatasetSpec(users=3)).tables
    tables["auth_events"]["user_id"][0] = 77
    with (
        psycopg.connect(gamedata_db.dsn) as one,
        psycopg.connect(gamedata_db.dsn) as two,
        pytest.raises(LoadError) as caught,
    ):
        load_new_database([one, two], tables)

    assert str(caught.value) == NOBODY


@pytest.mark.gamedata(users=0, items=0, transactions=0)
def test_what_is_rolled_back_leaves_no_trace(gamedata_db):
    with psycopg.connect(gamedata_db.dsn) as connection:
        with connection.transaction(force_rollback=True):
            load_tables(connection, build_dataset(DatasetSpec(users=3)).tables)
        assert connection.execute("SELECT nextval('users_id_seq')").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)


@pytest.mark.gamedata(users=0, items=0, transactions=0)
def test_a_dataset_is_loaded_with_its_tables_or_not_at_all(gamedata_db):
    dataset = build_dataset(DatasetSpec(users=3))
    dataset.tables["auth_events"]["user_id"][0] = 77
    with gamedata_db.engine.begin() as connection:
        connection.execute(text("DROP TABLE auth_events"))

    with pytest.raises(LoadError) as caught:
        load_dataset(gamedata_db.engine, dataset)
    assert str(caught.value) == NOBODY

    with gamedata_db.engine.begin() as connection:
        assert connection.scalar(text("SELECT to_regclass('auth_events')")) is None
        assert connection.scalar(text("SELECT count(*) FROM users")) == 0


def test_an_engine_of_another_driver_is_refused():
    engine = create_engine("sqlite://")
    with pytest.raises(LoadError) as caught, engine.connect() as connection:
        raw_connection(connection)
    engine.dispose()

    assert str(caught.value) == "The engine uses sqlite3. Make it with postgresql+psycopg://..."


@pytest.mark.gamedata(users=60)
def test_rows_come_back_as_the_columns_they_were(gamedata_db):
    dataset = build_dataset(gamedata_db.spec)
    with psycopg.connect(gamedata_db.dsn) as connection:
        for table, columns in dataset.tables.items():
            found = read_table(connection, table)
            assert set(columns) == set(found)
            for name, column in columns.items():
                assert to_python(found[name]) == to_python(column), (table, name)


@pytest.mark.gamedata(users=0, items=0, transactions=0)
def test_moments_without_an_end_come_back_as_the_last_ones_that_python_knows(gamedata_db):
    with psycopg.connect(gamedata_db.dsn) as connection:
        connection.execute(
            "INSERT INTO items (id, sku, name, item_type, rarity, price_hard) VALUES (1, 'a', 'b', 'bundle', 'rare', 1)"
        )
        found = read_table(connection, "items", ["available_from", "available_until", "drop_rate"])

    assert {name: str(to_python(column)[0]) for name, column in found.items()} == {
        "available_from": "0001-01-01 00:00:00+00:00",
        "available_until": "9999-12-31 00:00:00+00:00",
        "drop_rate": "None",
    }


@pytest.mark.gamedata(users=5)
def test_a_table_with_rows_is_not_loaded(gamedata_engine):
    with pytest.raises(LoadError) as caught:
        load_dataset(gamedata_engine, build_dataset(DatasetSpec(users=1)))

    assert (
        str(caught.value) == "Table 'users' already has rows. Load into an empty database, or clear it first."
    )


@pytest.mark.gamedata(users=0, items=0, transactions=0)
def test_load_dataset_fills_an_empty_database(gamedata_db):
    dataset = build_dataset(DatasetSpec(users=3))

    load_dataset(gamedata_db.engine, dataset)

    with psycopg.connect(gamedata_db.dsn) as connection:
        for table, count in dataset.counts.items():
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,)


@pytest.mark.gamedata(users=0, items=0, transactions=0)
def test_an_error_leaves_the_tables_as_they_were(gamedata_db):
    dataset = build_dataset(DatasetSpec(users=3))
    dataset.tables["auth_events"]["user_id"][0] = 77  # nobody: the foreign key is made last

    with pytest.raises(LoadError) as caught:
        load_dataset(gamedata_db.engine, dataset)
    assert str(caught.value) == NOBODY

    with psycopg.connect(gamedata_db.dsn) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'users'").fetchone() == (
            6,
        )


@pytest.mark.gamedata(users=0, items=0, transactions=0)
def test_a_column_that_the_table_does_not_have_is_refused(gamedata_db):
    with psycopg.connect(gamedata_db.dsn) as connection:
        connection.execute("CREATE TABLE narrow (id bigint)")
        with pytest.raises(LoadError) as caught:
            load_tables(connection, {"narrow": {"id": np.arange(2), "height": np.arange(2)}})

    assert str(caught.value) == "Table 'narrow' has no column 'height'. Its columns are: id."


@pytest.mark.gamedata(users=0, items=0, transactions=0)
def test_a_table_of_the_app_may_refer_to_ours(gamedata_db):
    dataset = build_dataset(DatasetSpec(users=3))
    with psycopg.connect(gamedata_db.dsn) as connection:
        connection.execute("CREATE TABLE guilds (id bigint PRIMARY KEY, owner_id bigint REFERENCES users)")

    load_dataset(gamedata_db.engine, dataset)

    with psycopg.connect(gamedata_db.dsn) as connection:
        connection.execute("INSERT INTO guilds VALUES (1, 3)")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute("INSERT INTO guilds VALUES (2, 4)")


@pytest.mark.gamedata(users=0, items=0, transactions=0)
@pytest.mark.parametrize(("kind", "type_"), [("int2", "smallint"), ("int4", "integer")])
def test_a_number_that_does_not_fit_is_refused(gamedata_db, kind, type_):
    with psycopg.connect(gamedata_db.dsn) as connection:
        connection.execute(f"CREATE TABLE small (id {type_})")
        with pytest.raises(LoadError) as caught:
            load_tables(connection, {"small": {"id": np.array([1, 2**31])}})

    assert (
        str(caught.value) == f"The value 2147483648 does not fit a column of type {kind}. Use a wider type."
    )


def test_a_cycle_of_foreign_keys_is_refused():
    with pytest.raises(LoadError) as caught:
        check_order({"a": ["b"], "b": ["a"]})

    assert str(caught.value) in {
        f"Foreign keys form a cycle: {cycle}. Make one of them nullable and fill it later."
        for cycle in ("a -> b -> a", "b -> a -> b")
    }
