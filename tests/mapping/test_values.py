import enum
import ipaddress
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import factory
import numpy as np
import psycopg
import pytest
import sqlalchemy as sa
from psycopg.types import TypeInfo
from psycopg.types.hstore import register_hstore
from psycopg.types.json import Jsonb
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range
from seeding import factory_of, seed
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session, declarative_base

from pytest_gamedata.columns.categorical import Categorical
from pytest_gamedata.factories import Draw, UserFactory

pytestmark = pytest.mark.gamedata(users=0, items=0, transactions=0)


class Mood(enum.Enum):
    SAD = "sad"
    OK = "fine"


class Level(enum.IntEnum):
    LOW = 1


TYPES = """
    CREATE TYPE mood AS ENUM ('sad', 'OK', 'it''s'); CREATE DOMAIN price AS numeric(12,2) CHECK (VALUE >= 0);
    CREATE DOMAIN handle AS text; CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE DOMAIN feeling AS mood;
    CREATE TYPE pair AS (a int, b text);
"""
MOMENT = datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC)
EAST = timezone(timedelta(hours=2))
TEXT = "quote ' \" back\\slash tab\t line\nfeed\r {a,b} \\N ZażółćX"
# type, value, what comes back where it is not the value itself (as text for what psycopg reads as a text)
VALUES = [
    ("mood", "it's"), ("mood", Mood.SAD, "sad"), ("mood", Mood.OK, "OK"), ("feeling", Mood.OK, "OK"),
    ("mood[]", [Mood.SAD, None, "it's"], "{sad,NULL,it's}"), ("mood[]", "{sad}"),
    ("price", Decimal("1.50")), ("price", 2.5, Decimal("2.50")), ("handle", "Ann"), ("feeling", None),
    ("hstore", {"a": "b c", "q": None, 'x"y': "\\"}), ("hstore", '"a"=>"1"', {"a": "1"}),
    ("citext", "AbC"), ("macaddr", "08:00:2b:01:02:03"), ("money", "12.50", "$12.50"), ("bit(3)", "101"), ("varbit", "10"),
    ("tsvector", "fat cat", "'cat' 'fat'"), ("inet", ipaddress.ip_address("192.0.2.1")), ("inet", "192.0.2.1", ipaddress.ip_address("192.0.2.1")),
    ("cidr", ipaddress.ip_network("192.0.2.0/24")), ("int4range", Range(1, 5)), ("tstzrange", Range(MOMENT, None)),
    ("int4range", postgresql.Range(1, 5), Range(1, 5)), ("int4multirange", Multirange([Range(1, 3), Range(5, 7)])),
    ("uuid", "12345678-1234-4678-9234-567812345678", uuid.UUID("12345678-1234-4678-9234-567812345678")),
    ("uuid", uuid.UUID(int=0)), ("uuid", np.void(bytes(15) + b"\1"), uuid.UUID(int=1)), ("uuid[]", [uuid.UUID(int=0)]),
    ("numeric(10,2)", 1.25, Decimal("1.25")), ("numeric", 3, Decimal(3)), ("numeric", np.int64(3), Decimal(3)),
    ("numeric", Decimal("NaN")),
    ("date", np.datetime64("2024-02-03"), date(2024, 2, 3)), ("date", datetime(2024, 3, 1, 1, tzinfo=EAST), date(2024, 2, 29)),
    ("date", date(2024, 2, 29)), ("date", np.datetime64("NaT", "D"), None),
    ("time", time(3, 4, 5)), ("interval", timedelta(days=3, hours=-3)), ("interval", np.timedelta64(90, "s"), timedelta(seconds=90)),
    ("timestamp", datetime(2024, 3, 1, 1, tzinfo=EAST), datetime(2024, 2, 29, 23)), ("timestamp", datetime(2024, 3, 1)),
    ("timestamptz", MOMENT), ("timestamptz", np.datetime64("2024-02-29T23:59:59.999999"), MOMENT),
    ("timestamptz", np.datetime64("2024-02-29T23:59:59.999999000"), MOMENT), ("timestamptz[]", [MOMENT]),
    ("bytea", b"a\x00"), ("bytea", bytearray(b"\x00\\"), b"\x00\\"),
    *[(kind, value) for kind in ("json", "jsonb") for value in ({"a": [1, None]}, [1, "x"], "text", "", 5, 1.5, True, None)],
    ("jsonb", Jsonb({"a": 1}), {"a": 1}), ("jsonb[]", [{"a": 1}, [2]]), ("jsonb", [], []),
    ("text", ""), ("text", TEXT), ("text", "\\N"), ("text", None), ("varchar(3)", "abc"), ("text", Mood.OK, "fine"),
    ("text", np.str_("x"), "x"), ("text", np.bytes_(b"x"), "x"), ("text", 5, "5"), ("text", np.ma.masked, None),
    ("bigint", -(2**63)), ("bigint", 2.0, 2), ("int", np.int16(-7), -7), ("int", Level.LOW, 1), ("smallint", Decimal("4"), 4),
    ("float8", float("inf")), ("float8", -0.5), ("real", np.float32(0.5), 0.5), ("boolean", True), ("boolean", np.bool_(False), False),
    ("char(4)", "ab", "ab  "), ("text[]", ["", None, 'a,b\\"', "NULL", TEXT]), ("int[]", [1, None]), ("int[]", []),
    ("int[]", np.array([1, 2]), [1, 2]), ("int[]", (1, 2), [1, 2]), ("int[]", [[1, 2], [3, 4]]), ("text[]", "{a,b}", ["a", "b"]),
    ("text[]", [["a", "b"]]), ("point", "(1,2)"), ("jsonpath", "$.a", '$."a"'), ("oid", 5), ('"char"', "x"), ("xml", "<a/>"),
    ("pair", (1, "x"), "(1,x)"),
]  # fmt: skip


def with_expected(cases):
    return [
        pytest.param(*case[:-1] if len(case) > 2 else case, case[-1], id=f"{case[0]}-{case[1]!r:.40}")
        for case in cases
    ]


def read_one(db, query="SELECT value FROM things"):
    with psycopg.connect(db.dsn) as connection:
        info = TypeInfo.fetch(connection, "hstore")
        register_hstore(info, connection)
        return connection.execute(query).fetchone()[0]


def read_all(db):
    with psycopg.connect(db.dsn) as connection:
        return [value for (value,) in connection.execute("SELECT value FROM things ORDER BY id")]


def has_xml(db):
    with psycopg.connect(db.dsn) as connection:
        try:
            return bool(connection.execute("SELECT '<a/>'::xml"))
        except psycopg.errors.FeatureNotSupported:
            return False


def create(db, statements):
    with psycopg.connect(db.dsn) as connection:
        connection.execute(statements)


@pytest.mark.parametrize(("kind", "value", "expected"), with_expected(VALUES))
def test_a_value_comes_back_as_it_was_declared(gamedata_db, kind, value, expected):
    create(gamedata_db, f"{TYPES} CREATE TABLE things (id bigint PRIMARY KEY, value {kind})")
    if kind == "xml" and not has_xml(gamedata_db):
        pytest.skip("this server is built without XML")

    seed(gamedata_db, (factory_of("things", value=factory.LazyFunction(lambda: value)), 2))

    found = read_one(gamedata_db)
    assert found == expected or str(found) == str(expected)
    assert type(found) is type(expected)


def test_a_float_that_is_no_number_stays_one(gamedata_db):
    create(gamedata_db, f"{TYPES} CREATE TABLE things (id bigint PRIMARY KEY, value float8)")

    seed(gamedata_db, (factory_of("things", value=float("nan")), 2))

    assert np.isnan(read_one(gamedata_db))


# ### columns drawn at once: what stands for NULL in the dataset's own columns is a value here ###


DRAWN = {
    "empty text": ("text", lambda n: np.array([b"", b"a"])[:n], ["", "a"]),
    "nil UUID": ("uuid", lambda n: np.array([np.void(bytes(16)), np.void(bytes(15) + b"\1")]), [uuid.UUID(int=0), uuid.UUID(int=1)]),
    "lowest integer": ("bigint", lambda n: np.array([-(2**63), 1]), [-(2**63), 1]),
    "moments": ("timestamptz", lambda n: np.array([np.datetime64(0, "us"), "NaT"], dtype="M8[us]"), [datetime(1970, 1, 1, tzinfo=UTC), None]),
    "days": ("date", lambda n: np.array(["2024-02-29", "NaT"], dtype="M8[D]"), [date(2024, 2, 29), None]),
    "objects": ("numeric", lambda n: np.array([Decimal(1), None]), [Decimal(1), None]),
    "masked": ("bigint", lambda n: np.ma.MaskedArray([1, 2], [True, False]), [None, 2]),
    "masked texts": ("text", lambda n: np.ma.MaskedArray([b"", b"b"], [False, True]), ["", None]),
    "categorical": ("text", lambda n: Categorical(np.array([0, -1]), ("", "b")), ["", None]),
    "floats": ("float8", lambda n: np.array([0.5, np.inf]), [0.5, np.inf]),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "make", "expected"), DRAWN.values(), ids=DRAWN)
def test_a_drawn_value_is_one_whatever_stands_for_null_elsewhere(gamedata_db, kind, make, expected):
    create(gamedata_db, f"{TYPES} CREATE TABLE things (id bigint PRIMARY KEY, value {kind})")

    class ThingFactory(UserFactory):
        class Meta:
            table = "things"

        value = Draw(lambda user, rng, n: make(n))

    seed(gamedata_db, ThingFactory, users=2)

    assert read_all(gamedata_db) == expected


@pytest.mark.parametrize(
    "declared",
    [factory.Iterator(["", None]), factory.LazyAttributeSequence(lambda o, n: [None, ""][n % 2]), factory.Maybe(factory.Sequence(lambda n: n % 2), "", None)],
)  # fmt: skip
def test_an_empty_text_is_no_null_in_any_declaration(gamedata_db, declared):
    create(gamedata_db, "CREATE TABLE things (id bigint PRIMARY KEY, value text)")

    seed(gamedata_db, (factory_of("things", value=declared), 2))

    assert sorted(read_all(gamedata_db), key=str) == ["", None]


# ### SQLAlchemy's types ###


class Lowered(sa.types.TypeDecorator):
    """A text that is lowered, and "none" for None."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return "none" if value is None else value.lower()


BOUND = [
    (sa.Enum(Mood, name="moods"), Mood.OK), (sa.Enum(Mood, name="moods"), "OK", Mood.OK), (sa.Enum(Mood, name="moods"), "fine", Mood.OK),
    (sa.Enum(Mood, name="moods", values_callable=lambda e: [m.value for m in e]), Mood.OK),
    (sa.Enum(Mood, name="moods", values_callable=lambda e: [m.value for m in e]), "fine", Mood.OK),
    (sa.Enum(Mood, name="moods", native_enum=False), Mood.OK), (sa.Enum("a", "b", name="letters"), "b"),
    (postgresql.ARRAY(sa.Enum(Mood, name="moods")), [Mood.SAD, Mood.OK]),
    (postgresql.ARRAY(sa.Enum(Mood, name="moods")), ["sad", "OK"], [Mood.SAD, Mood.OK]),
    (Lowered, "ABC", "abc"), (Lowered, None, "none"), (sa.JSON, {"a": 1}), (sa.JSON, "text"), (postgresql.JSONB, [1]), (sa.JSON, 5),
    (postgresql.JSONB(none_as_null=True), None), (postgresql.ARRAY(postgresql.JSONB), [{"a": 1}]),
    (sa.Numeric(10, 2, asdecimal=False), 1.25), (sa.Numeric(10, 2), Decimal("1.25")), (sa.Numeric(10, 2), 1.25, Decimal("1.25")),
    (sa.Interval, timedelta(hours=3)), (sa.LargeBinary, b"a\x00"), (sa.PickleType, {"a": (1, 2)}),
    (sa.Uuid(as_uuid=False), "12345678-1234-4678-9234-567812345678"), (sa.Uuid, uuid.UUID(int=0)), (sa.DateTime(timezone=True), MOMENT),
    (sa.DateTime, datetime(2024, 3, 1, 1, tzinfo=EAST), datetime(2024, 2, 29, 23)), (sa.Boolean, True), (sa.String(10), ""),
    (postgresql.INT4RANGE, postgresql.Range(1, 5)), (postgresql.INT4MULTIRANGE, postgresql.ranges.MultiRange([postgresql.Range(1, 3)])),
    (postgresql.HSTORE, {"a": None}), (postgresql.CITEXT, "Ab"), (postgresql.INET, ipaddress.ip_address("192.0.2.1")),
    (postgresql.ARRAY(sa.Text), ["", None]), (postgresql.MACADDR, "08:00:2b:01:02:03"), (postgresql.BIT(3), "101", postgresql.BitString("101")),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "value", "expected"), with_expected(BOUND))
def test_a_value_is_bound_as_sqlalchemy_binds_it(gamedata_db, type_, value, expected):
    base = declarative_base()
    columns = {"id": sa.Column(sa.BigInteger, primary_key=True), "value": sa.Column(type_)}
    model = type("Thing", (base,), {"__tablename__": "things", **columns})
    create(gamedata_db, "CREATE EXTENSION hstore; CREATE EXTENSION citext")
    base.metadata.create_all(gamedata_db.engine)
    made = type("ThingFactory", (factory.alchemy.SQLAlchemyModelFactory,), {
        "Meta": type("Meta", (), {"model": model}), "value": factory.LazyFunction(lambda: value),
    })  # fmt: skip

    seed(gamedata_db, (made, 2))

    with Session(gamedata_db.engine) as session:
        found = session.get(model, 1).value
    assert found == expected
    assert type(found) is type(expected)


def test_none_in_a_json_column_is_what_sqlalchemy_makes_of_it(gamedata_db):
    table = sa.Table(
        "things", sa.MetaData(), sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("value", sa.JSON)
    )
    table.create(gamedata_db.engine)

    class ThingFactory(factory.Factory):
        class Meta:
            model = table

        value = None

    seed(gamedata_db, (ThingFactory, 1))

    with psycopg.connect(gamedata_db.dsn) as connection:
        assert connection.execute("SELECT value::text FROM things").fetchone() == ("null",)


# ### Django's fields ###


DJANGO = """
    import uuid
    from datetime import UTC, datetime, timedelta
    from decimal import Decimal

    import django
    import factory
    import pytest
    from django.conf import settings

    settings.configure(
        USE_TZ=True, INSTALLED_APPS=["django.contrib.postgres"],
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "unused"}},
    )
    django.setup()
    from django.contrib.postgres.fields import ArrayField
    from django.db import connection, connections, models

    class Mood(models.TextChoices):
        OK = "fine"

    class Thing(models.Model):
        class Meta:
            app_label = "things"

        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        mood = models.CharField(max_length=10, choices=Mood.choices)
        price = models.DecimalField(max_digits=8, decimal_places=2)
        data = models.JSONField(null=True)
        nothing = models.JSONField(null=True)
        tags = ArrayField(models.TextField())
        at = models.DateTimeField()
        raw = models.BinaryField()
        address = models.GenericIPAddressField()
        span = models.DurationField()
        note = models.TextField()

    VALUES = {
        "mood": Mood.OK, "price": Decimal("1.50"), "data": {"a": [1, None]}, "nothing": None, "tags": ["", "a,b"],
        "at": datetime(2024, 2, 29, 23, tzinfo=UTC), "raw": b"a\\x00", "address": "192.0.2.1", "span": timedelta(hours=3), "note": "",
    }
    ThingFactory = type("ThingFactory", (factory.django.DjangoModelFactory,), {
        "Meta": type("Meta", (), {"model": Thing}), **{k: factory.LazyFunction(lambda v=v: v) for k, v in VALUES.items()},
    })

    def use(url):
        connections["default"].close()
        connections["default"].settings_dict.update(
            NAME=url.database, HOST=url.host, PORT=url.port, USER=url.username, PASSWORD=url.password,
        )

    @pytest.fixture(scope="session")
    def gamedata_create_schema():
        def create(engine):
            use(engine.url)
            with connection.schema_editor() as editor:
                editor.create_model(Thing)
            connection.close()
        return create

    @pytest.fixture(scope="session")
    def gamedata_factories():
        return [(ThingFactory, 2)]
"""


def test_a_value_is_stored_as_django_stores_it(project, run):
    project.makeconftest(DJANGO)
    project.makepyfile("""
        from conftest import VALUES, Thing, use

        def test_values(gamedata_db):
            use(gamedata_db.url)
            from django.db import connection
            things = list(Thing.objects.all())
            assert len(things) == 2
            for name, value in VALUES.items():
                found = getattr(things[0], name)
                assert (bytes(found) if name == "raw" else found) == value, name
            assert Thing.objects.filter(nothing__isnull=True).count() == 2
            connection.close()
    """)

    run().assert_outcomes(passed=1)
