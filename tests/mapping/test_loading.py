from datetime import date

import factory
import psycopg
import pytest
from seeding import factory_of, seed

from pytest_gamedata.errors import GamedataError

pytestmark = pytest.mark.gamedata(users=0, items=0, transactions=0)

TYPES = "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN price AS numeric(5,2) CHECK (VALUE >= 0);"
MISFITS = {
    "enum": ("mood", "angry", "'angry' of row 0 does not fit column 'value' of table 'things' (mood): its labels are sad, ok."),
    "array of enums": ("mood[]", ["ok", "x"], "['ok', 'x'] of row 0 does not fit column 'value' of table 'things' (mood[]): its labels are sad, ok."),
    "bytes for a text": ("text", b"x", "b'x' of row 0 does not fit column 'value' of table 'things' (text): bytes are no text; decode them."),
    "set": ("text[]", {"a"}, "{'a'} of row 0 does not fit column 'value' of table 'things': cannot adapt type 'set' using placeholder '%t' (format: TEXT)."),
    "NUL": ("text", "a\0", "'a\\x00' of row 0 does not fit column 'value' of table 'things': PostgreSQL text fields cannot contain NUL (0x00) bytes."),
    "surrogate": ("text", "\ud800", "'\\ud800' of row 0 does not fit column 'value' of table 'things': 'utf-8' codec can't encode character '\\ud800' in position 0: surrogates not allowed."),
    "out of range": ("smallint", 40000, '40000 of row 0 does not fit column \'value\' of table \'things\': value "40000" is out of range for type smallint.'),
    "too long": ("varchar(3)", "long", "'long' of row 0 does not fit column 'value' of table 'things': value too long for type character varying(3)."),
    "no number": ("int", "many", "'many' of row 0 does not fit column 'value' of table 'things': invalid input syntax for type integer: \"many\"."),
    "half": ("int", 1.5, "1.5 of row 0 does not fit column 'value' of table 'things': invalid input syntax for type integer: \"1.5\"."),
    "domain": ("price", -1, "-1 of row 0 does not fit column 'value' of table 'things': value for domain price violates check constraint \"price_check\"."),
    "too large": ("price", 1000, "1000 of row 0 does not fit column 'value' of table 'things': numeric field overflow."),
    "no UUID": ("uuid", "x" * 300, f"'{'x' * 199}... of row 0 does not fit column 'value' of table 'things': invalid input syntax for type uuid: \"{'x' * 300}\"."),
}  # fmt: skip


def create(db, statements):
    with psycopg.connect(db.dsn) as connection:
        connection.execute(statements)


def refusal(db, *factories):
    with pytest.raises(GamedataError) as caught:
        seed(db, *factories)
    return str(caught.value)


@pytest.mark.parametrize(("kind", "value", "message"), MISFITS.values(), ids=MISFITS)
def test_a_value_that_does_not_fit_is_refused(gamedata_db, kind, value, message):
    create(gamedata_db, f"{TYPES} CREATE TABLE things (id bigint PRIMARY KEY, value {kind})")

    made = factory_of("things", value=factory.LazyFunction(lambda: value))

    assert refusal(gamedata_db, (made, 2)) == f"ThingFactory: the value {message}"


def test_the_row_of_a_value_that_does_not_fit_is_named(gamedata_db):
    create(
        gamedata_db, 'CREATE SCHEMA game; CREATE TABLE game."Odd things" (id bigint PRIMARY KEY, "A: b" date)'
    )
    days = ["2024-01-01", "2024-02-30", date(2024, 1, 1)]

    found = refusal(gamedata_db, (factory_of('game."Odd things"', **{"A: b": factory.Iterator(days)}), 3))

    assert found == (
        "ThingFactory: the value '2024-02-30' of row 1 does not fit column 'A: b' of table 'game.\"Odd things\"': "
        'date/time field value out of range: "2024-02-30".'
    )


@pytest.mark.parametrize(
    ("constraint", "value", "message"),
    [
        ("CHECK (value > 0)", 0, """row 0: new row for relation "things" violates check constraint "things_value_check"."""),
        ("NOT NULL", None, """row 0: null value in column "value" of relation "things" violates not-null constraint."""),
    ],
)  # fmt: skip
def test_a_row_that_does_not_fit_is_refused(gamedata_db, constraint, value, message):
    create(gamedata_db, f"CREATE TABLE things (id bigint PRIMARY KEY, value int {constraint})")

    found = refusal(gamedata_db, (factory_of("things", value=value), 2))

    row = f"Failing row contains (1, {'null' if value is None else value})."
    assert found == f"ThingFactory: table 'things' does not take {message} {row}"


def test_values_that_are_not_unique_are_refused(gamedata_db):
    create(gamedata_db, "CREATE TABLE things (id bigint PRIMARY KEY, value text UNIQUE)")

    assert refusal(gamedata_db, (factory_of("things", value="same"), 2)) == (
        "ThingFactory: the rows of table 'things' break 'things_value_key': Key (value)=(same) is duplicated."
    )


def test_a_table_that_is_not_there_is_refused(gamedata_db):
    assert refusal(gamedata_db, (factory_of("things", value="a"), 2)) == (
        "ThingFactory: there is no table 'things' after gamedata_create_schema ran. "
        "Create it there, or name another one in Meta.model or Meta.table."
    )


@pytest.mark.parametrize("key", ["int GENERATED ALWAYS AS IDENTITY", "serial", "smallint", "uuid"])
def test_seeded_rows_join_those_of_migrations(gamedata_db, key):
    first = "'00000000-0000-0000-0000-000000000000'" if key == "uuid" else 7
    overriding = "OVERRIDING SYSTEM VALUE" if "ALWAYS" in key else ""
    create(
        gamedata_db,
        f"""CREATE TABLE things (id {key} PRIMARY KEY, value text UNIQUE);
            INSERT INTO things (id, value) {overriding} VALUES ({first}, 'migrated')""",
    )

    seed(gamedata_db, (factory_of("things", value=factory.Sequence(lambda n: f"seeded {n}")), 2))

    with psycopg.connect(gamedata_db.dsn) as connection:
        found = connection.execute("SELECT id, value FROM things").fetchall()
        assert sorted(value for _, value in found) == ["migrated", "seeded 0", "seeded 1"]
        if key != "uuid":
            assert sorted(number for number, _ in found) == [7, 8, 9]
        if key not in ("uuid", "smallint"):
            row = connection.execute("INSERT INTO things (value) VALUES ('next') RETURNING id").fetchone()
            assert row == (10,)


def test_a_seeded_row_that_a_migration_has_made_before_is_refused(gamedata_db):
    create(gamedata_db, "CREATE TABLE things (id text PRIMARY KEY); INSERT INTO things VALUES ('admin')")

    assert refusal(gamedata_db, (factory_of("things", id="admin"), 1)) == (
        "ThingFactory: the rows of table 'things' break 'things_pkey': Key (id)=(admin) is duplicated."
    )
