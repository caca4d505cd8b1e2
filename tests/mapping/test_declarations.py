"""Factory Boy's reference, declaration by declaration and option by option: seeded rows hold what `build()` gives."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import random

import factory
import factory.fuzzy
import pytest
from sqlalchemy import ForeignKey, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from pytest_gamedata.errors import LoadError, SettingsError
from pytest_gamedata.factories import AuthEventFactory, Draw, TransactionFactory, UserFactory

ROWS = 7


class Base(DeclarativeBase):
    type_annotation_map = {dict: JSONB, list: JSONB}  # noqa: RUF012


class Gadget(Base):
    __tablename__ = "gadgets"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    size: Mapped[int | None]
    data: Mapped[dict | None]


class Player(Base):
    __tablename__ = "players"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    size: Mapped[int | None]
    data: Mapped[dict | None]


class Part(Base):
    __tablename__ = "parts"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    gadget_id: Mapped[int | None] = mapped_column(ForeignKey("gadgets.id"))
    gadget: Mapped[Gadget | None] = relationship()


class Colour:
    """A value object, mapped to no table."""

    def __init__(self, name, number=0):
        self.name, self.number = name, number


class ColourFactory(factory.Factory):
    class Meta:
        model = Colour

    name = "red"
    number = factory.Sequence(lambda n: n * 10)


class PairFactory(factory.DictFactory):
    left = 1
    right = factory.SelfAttribute("left")


def lazy(read):
    return factory.LazyAttribute(read)


def generator():
    yield from "xyz"


@factory.lazy_attribute
def decorated_attribute(row):
    return f"{row.size} big"


@factory.sequence
def decorated_sequence(number):
    return f"no. {number}"


@factory.lazy_attribute_sequence
def decorated_both(row, number):
    return f"{row.size}/{number}"


@factory.iterator
def decorated_iterator():
    yield from ("p", "q")


# Each with the fields that it declares: a value here is what an attribute of a factory's class would be.
DECLARATIONS = {
    "a plain value": {"name": "plain", "size": 3, "data": {"a": [1]}},
    "None": {"name": None},
    "LazyFunction": {"name": factory.LazyFunction(lambda: "called")},
    "LazyAttribute": {"size": 4, "name": lazy(lambda row: "x" * row.size)},
    "LazyAttribute, before the field it reads": {"name": lazy(lambda row: f"{row.size}"), "size": factory.Sequence(int)},
    "lazy_attribute, decorator": {"size": 4, "name": decorated_attribute},
    "Transformer": {"name": factory.Transformer("abc", transform=str.upper)},
    "Transformer of a Sequence": {
        "name": factory.Transformer(factory.Sequence(lambda n: f"a{n}"), transform=str.upper)
    },
    "Transformer with Force": {
        "name": factory.Transformer(factory.Transformer.Force("abc"), transform=str.upper)
    },
    "Transformer of an Iterator": {"name": factory.Transformer(factory.Iterator("ab"), transform=str.upper)},
    "Sequence": {"name": factory.Sequence(lambda n: f"no. {n}"), "size": factory.Sequence(int)},
    "sequence, decorator": {"name": decorated_sequence},
    "LazyAttributeSequence": {"size": 2, "name": factory.LazyAttributeSequence(lambda row, n: f"{row.size}-{n}")},
    "lazy_attribute_sequence, decorator": {"size": 2, "name": decorated_both},
    "SelfAttribute": {"name": "n", "size": 1, "data": factory.SelfAttribute("name")},
    "SelfAttribute, deeper": {"colour": factory.SubFactory(ColourFactory), "name": factory.SelfAttribute("colour.name")},
    "SelfAttribute with a default": {"name": factory.SelfAttribute("nothing", default="none")},
    "Iterator": {"name": factory.Iterator(["a", "b", "c"])},
    "Iterator with a getter": {"size": factory.Iterator([(1, 2), (3, 4)], getter=lambda pair: pair[1])},
    "Iterator, cycle=False, long enough": {"size": factory.Iterator(range(100), cycle=False)},
    "Iterator of a generator": {"name": factory.Iterator(generator())},
    "iterator, decorator": {"name": decorated_iterator},
    "Dict": {"data": factory.Dict({"a": 1, "n": factory.Sequence(int), "up": factory.SelfAttribute("..name")}), "name": "z"},
    "Dict in a Dict": {"data": factory.Dict({"in": factory.Dict({"n": factory.SelfAttribute("...name")})}), "name": "z"},
    "Dict of another factory": {"data": factory.Dict({"left": 5}, dict_factory=PairFactory)},
    "List": {"data": factory.List([1, factory.Sequence(int), factory.Iterator("ab"), factory.SelfAttribute("..name")]), "name": "l"},
    "an Iterator within a Dict": {"data": factory.Dict({"a": factory.Iterator("xyz")})},
    "Maybe": {"size": factory.Iterator([0, 1]), "name": factory.Maybe("size", "yes", "no")},
    "Maybe without a no": {"size": factory.Iterator([0, 1]), "name": factory.Maybe("size", "yes")},
    "Maybe without a yes": {"size": factory.Iterator([0, 1]), "name": factory.Maybe("size", no_declaration="no")},
    "Maybe with declarations": {
        "size": factory.Iterator([0, 1]),
        "name": factory.Maybe("size", factory.Iterator("ab"), factory.Sequence(lambda n: f"s{n}")),
    },
    "Maybe with a computed decider": {
        "size": factory.Iterator([0, 1, 2]),
        "name": factory.Maybe(lazy(lambda row: row.size > 1), "large", "small"),
    },
    "Maybe in a Maybe": {
        "size": factory.Iterator([0, 1, 2]),
        "name": factory.Maybe("size", factory.Maybe(lazy(lambda row: row.size == 1), "one", "two"), "zero"),
    },
    "SubFactory of a value object": {
        "colour": factory.SubFactory(ColourFactory),
        "name": lazy(lambda row: f"{row.colour.name}{row.colour.number}"),
    },
    "SubFactory by its path, with arguments": {
        "colour": factory.SubFactory(f"{__name__}.ColourFactory", name="blue", number=factory.SelfAttribute("..size")),
        "size": 9,
        "name": lazy(lambda row: f"{row.colour.name}{row.colour.number}"),
    },
    "ContainerAttribute in a SubFactory": {
        "colour": factory.SubFactory(
            ColourFactory, name=factory.ContainerAttribute(lambda row, chain: f"in {chain[0].size}")
        ),
        "size": 9,
        "name": factory.SelfAttribute("colour.name"),
    },
    "ContainerAttribute, not strict": {
        "name": factory.ContainerAttribute(lambda row, chain: f"{len(chain)}", strict=False)
    },
    "a field's arguments": {
        "colour": factory.SubFactory(ColourFactory),
        "colour__name": "green",
        "name": factory.SelfAttribute("colour.name"),
    },
    "a custom declaration": {"name": type("Own", (factory.declarations.ParameteredAttribute,), {"generate": lambda self, step, params: f"{step.sequence}{params}"})(a=1)},
}  # fmt: skip
RANDOM = {
    "Faker": {"name": factory.Faker("name")},
    "Faker with a locale": {"name": factory.Faker("name", locale="ja_JP")},
    "Faker with arguments": {"size": factory.Faker("pyint", min_value=5, max_value=9)},
    "Faker with declarations as arguments": {
        "size": factory.Faker("pyint", min_value=factory.Sequence(lambda n: 10 * n), max_value=factory.Sequence(lambda n: 10 * n + 1))
    },
    "FuzzyText": {"name": factory.fuzzy.FuzzyText(prefix="p", length=5)},
    "FuzzyChoice": {"name": factory.fuzzy.FuzzyChoice(["a", "b", "c", "d"])},
    "FuzzyChoice with a getter": {"size": factory.fuzzy.FuzzyChoice([(1, 2), (3, 4)], getter=lambda pair: pair[0])},
    "FuzzyInteger": {"size": factory.fuzzy.FuzzyInteger(0, 1000)},
    "FuzzyAttribute": {"name": factory.fuzzy.FuzzyAttribute(lambda: str(factory.random.randgen.random()))},
    "FuzzyFloat": {"data": factory.Dict({"x": factory.fuzzy.FuzzyFloat(0, 1)})},
    "FuzzyDecimal": {"number": factory.fuzzy.FuzzyDecimal(1, 5), "name": lazy(lambda row: str(row.number))},
    "FuzzyDate": {
        "day": factory.fuzzy.FuzzyDate(dt.date(2024, 1, 1), dt.date(2024, 12, 31)),
        "name": lazy(lambda row: str(row.day)),
    },
    "FuzzyDateTime": {
        "at": factory.fuzzy.FuzzyDateTime(
            dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(2024, 12, 31, tzinfo=dt.UTC)
        ),
        "name": lazy(lambda row: str(row.at)),
    },
    "FuzzyNaiveDateTime": {
        "at": factory.fuzzy.FuzzyNaiveDateTime(dt.datetime(2024, 1, 1), dt.datetime(2024, 12, 31)),
        "name": lazy(lambda row: str(row.at)),
    },
    "Python's own random": {"size": factory.LazyFunction(lambda: random.randrange(10_000))},
    "factory.random": {"size": factory.LazyFunction(lambda: factory.random.randgen.randrange(10_000))},
}  # fmt: skip
HIDDEN = ("colour", "number", "day", "at")  # what only other fields read


def gadgets(fields, **meta):
    body = {"model": Gadget, "exclude": tuple(name for name in HIDDEN if name in fields), **meta}
    return type(
        "GadgetFactory",
        (factory.Factory,),
        {**fields, "Meta": type("Meta", (), body), "__module__": __name__},
    )


def players(fields, **meta):
    body = {"model": Player, "exclude": tuple(name for name in HIDDEN if name in fields), **meta}
    return type(
        "PlayerFactory", (UserFactory,), {**fields, "Meta": type("Meta", (), body), "__module__": __name__}
    )


def create_all(engine):
    Base.metadata.create_all(engine)


def values(row):
    return {name: row[name] for name in ("name", "size", "data")}


def built(cls, count):
    ColourFactory.reset_sequence(0)
    found = [cls.build(__sequence=number) for number in range(count)]
    return [{name: getattr(row, name) for name in ("name", "size", "data")} for row in found]


@pytest.mark.parametrize("fields", DECLARATIONS.values(), ids=DECLARATIONS)
def test_an_extra_table_holds_what_build_gives(rows, fields):
    made = gadgets(fields)

    seeded = rows(create_all, [(made, ROWS)], "gadgets")

    assert list(map(values, seeded)) == built(made, ROWS)


@pytest.mark.parametrize("fields", DECLARATIONS.values(), ids=DECLARATIONS)
def test_a_team_s_users_hold_what_build_gives(rows, fields):
    made = players(fields)

    seeded = rows(create_all, [made], "players", users=ROWS)

    assert list(map(values, seeded)) == built(made, ROWS)


@pytest.mark.parametrize("fields", RANDOM.values(), ids=RANDOM)
def test_random_values_depend_on_the_seed_alone(rows, fields):
    made, before = gadgets(fields), random.getstate()

    one = rows(create_all, [(made, ROWS)], "gadgets")
    random.seed(99)
    factory.random.reseed_random(99)
    state = random.getstate()
    same = rows(create_all, [(made, ROWS)], "gadgets")
    other = rows(create_all, [(made, ROWS)], "gadgets", seed=2)

    assert random.getstate() == state
    random.setstate(before)
    assert one == same != other


# ### options, params, hooks ###


def test_exclude_rename_and_inline_args(rows):
    class Made(factory.Factory):
        class Meta:
            model = Gadget
            exclude = ("helper",)
            rename = {"title": "name"}  # noqa: RUF012
            inline_args = ("size",)

        helper = 4
        size = factory.SelfAttribute("helper")
        title = "renamed"

    assert list(map(values, rows(create_all, [(Made, 1)], "gadgets"))) == [
        {"name": "renamed", "size": 4, "data": None}
    ]


def test_adjust_kwargs(rows):
    class Made(factory.Factory):
        class Meta:
            model = Gadget

        name = "a"

        @classmethod
        def _adjust_kwargs(cls, **kwargs):
            return {"name": kwargs["name"].upper(), "size": 2}

    assert list(map(values, rows(create_all, [(Made, 1)], "gadgets"))) == [
        {"name": "A", "size": 2, "data": None}
    ]


def test_adjust_kwargs_of_a_team_s_users_reads_our_fields(rows):
    class Made(UserFactory):
        class Meta:
            model = Player

        @classmethod
        def _adjust_kwargs(cls, **kwargs):
            return {"name": kwargs["username"].upper(), "size": kwargs["level"]}

    seeded = rows(create_all, [Made], "players")

    assert all(row["name"].isupper() and row["size"] >= 1 for row in seeded)


def test_setup_next_sequence(rows):
    class Made(factory.Factory):
        class Meta:
            model = Gadget

        size = factory.Sequence(int)

        @classmethod
        def _setup_next_sequence(cls):
            return 40

    assert [row["size"] for row in rows(create_all, [(Made, 3)], "gadgets")] == [40, 41, 42]


def test_params_and_traits_that_are_on(rows):
    class Made(factory.Factory):
        class Meta:
            model = Gadget

        class Params:
            big = factory.Trait(size=100, named=True)
            named = factory.Trait(name="named")
            depth = 3

        size = factory.SelfAttribute("depth")

    class Big(Made):
        big = True

    assert list(map(values, rows(create_all, [(Made, 1)], "gadgets"))) == [
        {"name": None, "size": 3, "data": None}
    ]
    assert list(map(values, rows(create_all, [(Big, 1)], "gadgets"))) == [
        {"name": "named", "size": 100, "data": None}
    ]


def test_an_abstract_base_passes_on_its_declarations(rows):
    class Common(factory.Factory):
        class Meta:
            abstract = True
            strategy = factory.BUILD_STRATEGY

        name = "common"

    class Made(Common):
        class Meta:
            model = Gadget

    assert [row["name"] for row in rows(create_all, [(Made, 1)], "gadgets")] == ["common"]


def test_a_counter_of_build_neither_changes_seeding_nor_is_changed_by_it(rows):
    made = gadgets({"size": factory.Sequence(int), "name": factory.Iterator("abc")})
    made.build_batch(5)
    made.reset_sequence(30)

    seeded = rows(create_all, [(made, 3)], "gadgets")

    assert [(row["size"], row["name"]) for row in seeded] == [(0, "a"), (1, "b"), (2, "c")]
    assert (made.build().size, made.build().name) == (30, "b")


# ### parents ###


class PartFactory(factory.Factory):
    class Meta:
        model = Part

    name = factory.SelfAttribute("gadget.name")


def parts(**fields):
    return type("PartsFactory", (PartFactory,), {**fields, "__module__": __name__})


NAMED = gadgets({"name": factory.Iterator("abc"), "size": factory.Sequence(int)})
FROM_PARENTS = {
    "SubFactory": (factory.SubFactory(NAMED), {"a", "b", "c"}),
    "SubFactory with a value": (factory.SubFactory(NAMED, name="b"), {"b"}),
    "SubFactory with a declaration": (factory.SubFactory(NAMED, name=factory.Iterator("ac")), {"a", "c"}),
    "SubFactory with a value of its container": (factory.SubFactory(NAMED, name=factory.SelfAttribute("..wish")), {"c"}),
    "Maybe of a SubFactory": (factory.Maybe("wish", factory.SubFactory(NAMED, name="a")), {"a"}),
    "Transformer of a SubFactory": (
        factory.Transformer(factory.SubFactory(NAMED, name="a"), transform=lambda row: row),
        {"a"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("declaration", "names"), FROM_PARENTS.values(), ids=FROM_PARENTS)
def test_a_sub_factory_chooses_a_seeded_row(rows, declaration, names):
    made = parts(gadget=declaration, wish="c", Meta=type("Meta", (), {"model": Part, "exclude": ("wish",)}))

    seeded = rows(
        create_all, [(made, 30), (NAMED, 9)], "parts JOIN gadgets ON gadget_id = gadgets.id", "parts.id"
    )

    assert {row["name"] for row in seeded} == names
    assert len(seeded) == 30


def test_a_trait_that_gives_arguments_to_a_sub_factory(rows):
    class Made(PartFactory):
        class Meta:
            model = Part

        class Params:
            best = factory.Trait(gadget__name="c")

        gadget = factory.SubFactory(NAMED)

    class Best(Made):
        best = True

    table = "parts JOIN gadgets ON gadget_id = gadgets.id"
    assert {row["name"] for row in rows(create_all, [(Made, 30), (NAMED, 9)], table, "parts.id")} == {
        "a",
        "b",
        "c",
    }
    assert {row["name"] for row in rows(create_all, [(Best, 30), (NAMED, 9)], table, "parts.id")} == {"c"}


# ### settled fields ###


def test_declarations_read_settled_fields(rows):
    class Made(UserFactory):
        class Meta:
            model = Player

        name = factory.LazyAttribute(lambda row: f"{row.lifetime_spend_usd_cents}")
        size = Draw(lambda row, rng, n: row.level * 2)
        data = factory.Dict(
            {"level": factory.SelfAttribute("..level"), "whale": factory.SelfAttribute("..whale")}
        )

    seeded = rows(create_all, [Made], "players", users=30)

    assert max(int(row["name"]) for row in seeded) > 10_000
    assert all(row["size"] == 2 * row["data"]["level"] for row in seeded)
    assert [row["data"]["whale"] for row in seeded].count(True) == 1


def test_a_changed_field_of_ours_holds_what_its_declaration_gives_for_the_settled_row(rows):
    class Account(Base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)
        username: Mapped[str]
        display_name: Mapped[str]
        level: Mapped[int]
        xp: Mapped[int]
        playtime_seconds: Mapped[int]

    class Made(UserFactory):
        class Meta:
            model = Account

        username = factory.LazyAttribute(lambda row: f"p{row.level}-{row.number}")
        display_name = factory.SelfAttribute("username")
        level = factory.LazyAttribute(lambda row: 1 + row.playtime_seconds // 1000)
        xp = Draw(lambda row, rng, n: row.playtime_seconds // 10)

    seeded = rows(create_all, [Made], "accounts", users=30)

    assert max(row["level"] for row in seeded) > 100
    for row in seeded:
        assert row["username"].startswith(f"p{row['level']}-")
        assert row["display_name"] == row["username"]
        assert (row["level"], row["xp"]) == (
            1 + row["playtime_seconds"] // 1000,
            row["playtime_seconds"] // 10,
        )


class Level(enum.Enum):
    LOW = "low"


# Fields of ours that a team declares as something which our rows could not hold: the simulation goes on with ours.
OTHER_TYPES = {
    "status": (factory.LazyAttribute(lambda row: Level.LOW.value), "text", "low"),
    "level": (factory.LazyAttribute(lambda row: f"L{len(row.username) // 99}"), "text", "L0"),
    "xp": ("many", "text", "many"),
    "soft_balance": (decimal.Decimal("0.5"), "numeric", decimal.Decimal("0.5")),
    "created_at": (factory.LazyFunction(lambda: dt.date(2024, 1, 2)), "date", dt.date(2024, 1, 2)),
    "display_name": (factory.Dict({"first": "A"}), "jsonb", {"first": "A"}),
    "mfa_enabled": (Draw(lambda row, rng, n: ["yes"] * n), "text", "yes"),
    "email_verified_at": (factory.Iterator([None]), "text", None),
}


@pytest.mark.parametrize("name", OTHER_TYPES)
def test_a_changed_field_of_ours_may_have_another_type(rows, name):
    declaration, kind, expected = OTHER_TYPES[name]

    def create_schema(engine):
        with engine.begin() as connection:
            connection.execute(text(f"CREATE TABLE accounts (id int PRIMARY KEY, {name} {kind})"))

    made = type(
        "AccountFactory",
        (UserFactory,),
        {name: declaration, "Meta": type("Meta", (), {"table": "accounts"}), "__module__": __name__},
    )

    assert [row[name] for row in rows(create_schema, [made], "accounts")] == [expected] * 8


def test_a_changed_field_that_reads_nothing_settled_is_the_same_in_other_rows(rows):
    class NamedAccount(Base):
        __tablename__ = "named_accounts"
        id: Mapped[int] = mapped_column(primary_key=True)
        username: Mapped[str]

    class Login(Base):
        __tablename__ = "logins"
        id: Mapped[int] = mapped_column(primary_key=True)
        user_id: Mapped[int | None] = mapped_column(ForeignKey("named_accounts.id"))
        identifier: Mapped[str | None]

    accounts = type(
        "A",
        (UserFactory,),
        {
            "username": factory.Sequence(lambda n: f"player{n}"),
            "Meta": type("Meta", (), {"model": NamedAccount}),
            "__module__": __name__,
        },
    )
    logins = type(
        "L", (AuthEventFactory,), {"Meta": type("Meta", (), {"model": Login}), "__module__": __name__}
    )
    table = "logins JOIN named_accounts ON user_id = named_accounts.id WHERE identifier LIKE 'player%'"

    seeded = rows(create_all, [accounts, logins], table, "logins.id")

    assert len(seeded) > 3
    assert all(row["identifier"].partition("@")[0] == row["username"] for row in seeded)


@pytest.mark.parametrize("made_from", [TransactionFactory, AuthEventFactory])
def test_rows_of_users_can_be_read_where_no_users_are_filled(rows, made_from):
    class Made(made_from):
        class Meta:
            model = Gadget

        name = factory.LazyAttribute(lambda row: row.user.username if row.user else "nobody")
        size = factory.LazyAttribute(lambda row: row.user.level if row.user else None)

    seeded = rows(create_all, [Made], "gadgets")

    assert len({row["name"] for row in seeded}) > 3
    assert max(row["size"] or 0 for row in seeded) > 1


# ### refused ###


def after(row, create, extracted):
    raise AssertionError


REFUSED = {
    "PostGeneration": factory.PostGeneration(after),
    "RelatedFactory": factory.RelatedFactory(PartFactory, "gadget"),
    "RelatedFactoryList": factory.RelatedFactoryList(PartFactory, "gadget", size=2),
    "PostGenerationMethodCall": factory.PostGenerationMethodCall("save"),
}


@pytest.mark.parametrize(("kind", "declaration"), REFUSED.items(), ids=REFUSED)
@pytest.mark.parametrize("make", [gadgets, players])
def test_what_runs_after_an_instance_is_made_is_refused(seed_tables, make, kind, declaration):
    made = make({"more": declaration})

    with pytest.raises(SettingsError) as caught:
        seed_tables(create_all, [made if make is players else (made, 1)])

    assert str(caught.value) == (
        f"{made.__name__}.more: {kind} runs after an instance is made, and seeding makes none. Seed with a subclass of "
        f"{made.__name__} that sets more = None, and give related rows a factory of their own in gamedata_factories."
    )


def test_the_cure_for_what_is_refused(rows):
    made = gadgets({"name": "a", "more": REFUSED["RelatedFactory"]})

    class Cured(made):
        more = None

    assert [row["name"] for row in rows(create_all, [(Cured, 1)], "gadgets")] == ["a"]


def test_a_related_factory_of_a_trait_is_refused_only_where_the_trait_is_on(rows):
    class Made(factory.Factory):
        class Meta:
            model = Gadget

        class Params:
            with_parts = factory.Trait(parts=REFUSED["RelatedFactory"])

        name = "a"

    class On(Made):
        with_parts = True

    assert [row["name"] for row in rows(create_all, [(Made, 1)], "gadgets")] == ["a"]
    with pytest.raises(SettingsError, match=r"^On\.parts: RelatedFactory runs after an instance is made"):
        rows(create_all, [(On, 1)], "gadgets")


@pytest.mark.parametrize(
    "hook", ["_create", "_build", "_after_postgeneration", "_generate", "create", "build"]
)
def test_a_hook_that_is_never_called_is_refused(seed_tables, hook):
    made = gadgets({hook: classmethod(lambda cls, *args, **kwargs: None)})

    with pytest.raises(SettingsError) as caught:
        seed_tables(create_all, [(made, 1)])

    assert str(caught.value) == (
        f"GadgetFactory.{hook}() is never called when a database is seeded, for no instance is made. "
        "Seed with a subclass that has declarations instead."
    )


def test_get_or_create_is_refused(seed_tables):
    class Made(factory.alchemy.SQLAlchemyModelFactory):
        class Meta:
            model = Gadget
            sqlalchemy_get_or_create = ("name",)
            sqlalchemy_session_persistence = "commit"

        name = "a"

    with pytest.raises(SettingsError) as caught:
        seed_tables(create_all, [(Made, 1)])

    assert str(caught.value) == (
        "Made: Meta.sqlalchemy_get_or_create cannot be honoured when a database is seeded. "
        "Seed with a subclass that sets it to (), and let its declarations give each row a value of its own."
    )


def test_an_iterator_that_ends_is_refused(seed_tables):
    made = gadgets({"name": factory.Iterator("ab", cycle=False)})

    with pytest.raises(SettingsError) as caught:
        seed_tables(create_all, [(made, 3)])

    assert str(caught.value) == (
        "GadgetFactory: an Iterator with cycle=False ends after 2 of 3 rows. Give it more values, or ask for fewer rows."
    )


def test_a_sub_factory_without_seeded_rows_is_refused(seed_tables):
    with pytest.raises(LoadError) as caught:
        seed_tables(create_all, [(parts(gadget=factory.SubFactory(NAMED)), 3)])

    assert str(caught.value) == (
        "PartsFactory.gadget: no rows of GadgetFactory are seeded. Add (GadgetFactory, 20) or the like to gamedata_factories."
    )


def test_a_sub_factory_whose_values_no_seeded_row_has_is_refused(seed_tables):
    with pytest.raises(LoadError) as caught:
        seed_tables(create_all, [(parts(gadget=factory.SubFactory(NAMED, name="z")), 3), (NAMED, 3)])

    assert str(caught.value) == (
        "PartsFactory: no seeded row of GadgetFactory has name='z'. Seed one, or ask for another."
    )


def test_rows_are_the_same_whatever_the_hash_seed(project, run, monkeypatch):
    project.makepyfile(
        """
        import hashlib, random
        import factory, pytest
        from sqlalchemy import MetaData, Table, text
        from pytest_gamedata.factories import TransactionFactory, UserFactory

        SQL = '''
            CREATE TABLE players (id uuid PRIMARY KEY, username text, level int, motto text, luck int);
            CREATE TABLE orders (id uuid PRIMARY KEY, player uuid NOT NULL REFERENCES players, type text);
            CREATE TABLE guilds (id int PRIMARY KEY, name text, owner_id uuid NOT NULL REFERENCES players)
        '''

        class PlayerFactory(UserFactory):
            class Meta:
                model = Table("players", MetaData())

            motto = factory.Faker("sentence")
            luck = factory.LazyFunction(lambda: random.randrange(10_000))
            level = factory.LazyAttribute(lambda row: row.playtime_seconds + row.luck)

        class OrderFactory(TransactionFactory):
            class Meta:
                model = Table("orders", MetaData())
                rename = {"user_id": "player"}

        class GuildFactory(factory.Factory):
            class Meta:
                model = Table("guilds", MetaData())

            name = factory.Faker("company")
            owner = factory.SubFactory(PlayerFactory)

        @pytest.fixture(scope="session")
        def gamedata_factories():
            return [OrderFactory, (GuildFactory, 20), PlayerFactory]

        @pytest.fixture(scope="session")
        def gamedata_create_schema():
            def create_schema(engine):
                with engine.begin() as connection:
                    connection.execute(text(SQL))
            return create_schema

        def test_rows(gamedata_db):
            with gamedata_db.engine.connect() as connection:
                rows = [connection.execute(text(f"SELECT * FROM {name} ORDER BY id")).all() for name in gamedata_db.counts]
            with open("digests", "a") as file:
                print(hashlib.sha256(repr(rows).encode()).hexdigest(), file=file)
        """
    )
    for hash_seed in "1", "2":
        monkeypatch.setenv("PYTHONHASHSEED", hash_seed)
        run("-q").assert_outcomes(passed=1)

    assert len(set(project.path.joinpath("digests").read_text().split())) == 1
