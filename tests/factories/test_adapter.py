"""Factory Boy's internals that the adapter relies on: a release that changes one fails the test of its name."""

import random
import tomllib
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import factory
import factory.random
import faker.generator
import pytest

from pytest_gamedata.factories import TransactionFactory, UserFactory, adapter
from pytest_gamedata.factories.adapter import repeatable

SERIES_RUN_WITH = ("3.3",)  # of Factory Boy, oldest first: the suite has passed with each
OLDEST = "3.3.3"
ADAPTER = Path(adapter.__file__).parent


class Guild:
    def __init__(self, **fields):
        self.__dict__.update(fields)


class GuildFactory(adapter.AdaptedFactory):
    class Meta:
        model = Guild
        exclude = ("hidden",)
        rename: ClassVar[dict[str, str]] = {"name": "title"}

    class Params:
        size = 3
        large = factory.Trait(size=300, motto="many")

    name = "Owls"
    hidden = factory.LazyAttribute(lambda row: row.size * 2)
    motto = factory.Sequence(lambda number: f"no. {number}")

    @classmethod
    def _first_number(cls):
        return 41

    @classmethod
    def _default_session(cls):
        return SESSION


class Session:
    def __init__(self):
        self.calls = []

    def add(self, row):
        self.calls.append(("add", row))

    def flush(self):
        self.calls.append("flush")


SESSION = Session()


def test_the_installed_series_is_one_that_the_suite_was_run_with():
    assert version("factory-boy").rpartition(".")[0] in SERIES_RUN_WITH


def test_the_oldest_version_allowed_is_the_oldest_that_the_suite_was_run_with():
    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text())["project"]

    assert f"factory-boy>={OLDEST}" in project["dependencies"]
    assert OLDEST.startswith(f"{SERIES_RUN_WITH[0]}.")


def test_meta_tells_model_renames_and_excluded_fields():
    assert adapter.model_of(GuildFactory) is Guild
    assert adapter.renames_of(GuildFactory) == {"name": "title"}
    assert adapter.excluded_by(GuildFactory) == ("hidden",)
    assert adapter.model_of(adapter.AdaptedFactory) is None


def test_parameters_hold_params_and_traits():
    assert set(adapter.params_of(GuildFactory)) == {"size", "large"}
    assert adapter.is_trait(GuildFactory, "large")
    assert not adapter.is_trait(GuildFactory, "size")
    assert not adapter.is_trait(GuildFactory, "name")


def test_pre_declarations_hold_every_field_and_param_by_name():
    found = adapter.declarations_of(GuildFactory)

    assert set(found) == {"name", "hidden", "motto", "size", "large"}
    assert found["name"] == "Owls"
    assert found["large"] is False
    assert isinstance(found["hidden"], factory.LazyAttribute)


def test_options_class_decides_the_declarations():
    assert isinstance(GuildFactory._meta, adapter.Options)


def test_as_declarations_makes_a_maybe_of_what_a_trait_changes():
    motto = adapter.declarations_of(GuildFactory)["motto"]

    assert isinstance(motto, factory.Maybe)
    assert adapter.switch_of(motto) == "large"
    assert adapter.branches_of(motto) == ("many", GuildFactory._meta.base_declarations["motto"])
    assert GuildFactory.build(large=True).motto == "many"


def test_a_maybe_with_a_computed_decider_has_no_switch():
    maybe = factory.Maybe(factory.LazyAttribute(lambda row: True), 1)

    assert adapter.switch_of(maybe) == ""
    assert adapter.is_skipped(adapter.branches_of(maybe)[1])


def test_setup_next_sequence_gives_the_first_number():
    class Numbered(GuildFactory):
        class Meta:
            model = type("Other", (Guild,), {})

    Numbered.reset_sequence(force=True)

    assert [Numbered.build().motto, Numbered.build().motto] == ["no. 41", "no. 42"]


def test_create_saves_through_the_default_session():
    SESSION.calls.clear()

    row = GuildFactory.create()

    assert SESSION.calls == [("add", row), "flush"]


def test_create_prefers_a_session_that_the_factory_names():
    own = Session()

    class Own(GuildFactory):
        class Meta:
            model = Guild
            sqlalchemy_session = own

    row = Own.create()

    assert own.calls == [("add", row), "flush"]


def test_evaluate_is_asked_for_the_value_of_a_custom_declaration():
    seen = []

    class Custom(adapter.Declaration):
        def evaluate(self, instance, step, extra):
            factories = [adapter.once_per_row(step, lambda cls: seen.append(cls) or cls) for _ in "ab"]
            return instance.size, factories

    class Asked(GuildFactory):
        class Meta:
            model = Guild

        motto = Custom()
        hidden = Custom()

    assert Asked.build(size=5).motto == (5, [Asked, Asked])
    assert seen == [Asked]


def test_is_declaration_tells_declarations_from_values():
    assert adapter.is_declaration(factory.LazyAttribute(str))
    assert adapter.is_declaration(factory.declarations.SKIP)
    assert not adapter.is_declaration("Owls")
    assert not adapter.is_declaration(None)


def test_skip_is_what_a_parent_named_by_its_key_reads():
    class Asked(TransactionFactory):
        class Meta:
            model = TransactionFactory._meta.model
            exclude = ("skipped",)

        skipped = factory.LazyAttribute(lambda row: seen.append(adapter.is_skipped(row.user)))

    seen = []
    Asked.build(user_id=7)

    assert seen == [True]


def test_stub_gives_a_stub_object():
    assert adapter.is_stub(GuildFactory.stub())
    assert not adapter.is_stub(GuildFactory.build())


def test_sub_factory_tells_its_factory_and_defaults():
    class Member(GuildFactory):
        class Meta:
            model = Guild

        guild = factory.Maybe("guild_id", no_declaration=factory.SubFactory(GuildFactory, size=9))
        guild_id = None

    assert adapter.parent_declaration(Member, "guild") == (GuildFactory, {"size": 9})
    assert adapter.parent_declaration(TransactionFactory, "user") == (UserFactory, {})
    with pytest.raises(AttributeError, match="Member has no parent 'name'"):
        adapter.parent_declaration(Member, "name")


@pytest.mark.parametrize(
    ("declaration", "expected"),
    [
        (factory.LazyAttribute(lambda row: row.size + 1), [2, 3]),
        (factory.SelfAttribute("size"), [1, 2]),
        (factory.Sequence(lambda number: number * 10), [0, 10]),
        (factory.Maybe("large", "yes", "no"), ["no", "yes"]),
        (factory.Iterator("ab"), ["a", "b"]),
    ],
)
def test_evaluate_pre_takes_any_row_and_a_step_with_a_sequence(declaration, expected):
    rows = [SimpleNamespace(size=1, large=False), SimpleNamespace(size=2, large=True)]

    for _ in range(2):  # an Iterator is reset
        assert repeatable.evaluate_rows(declaration, rows, "seed") == expected


@pytest.mark.parametrize(
    "declaration", [factory.Faker("pyint"), factory.LazyFunction(factory.random.randgen.random)]
)
def test_randgen_and_fakers_generator_are_seeded_and_restored(declaration):
    states = factory.random.randgen.getstate(), faker.generator.random.getstate(), random.getstate()

    one, same, other = (repeatable.evaluate_rows(declaration, [None] * 9, seed) for seed in ("1", "1", "2"))

    assert one == same != other
    assert states == (
        factory.random.randgen.getstate(),
        faker.generator.random.getstate(),
        random.getstate(),
    )


def test_no_other_module_touches_what_the_adapter_is_for():
    package = ADAPTER.parents[1]
    words = (
        "._meta",
        "evaluate_pre",
        "factory.declarations",
        "randgen",
        "StubObject",
        "factory.alchemy",
        "._defaults",
    )
    found = [
        (path.relative_to(package).as_posix(), word)
        for path in sorted(package.rglob("*.py"))
        for word in words
        if path.parent != ADAPTER and word in path.read_text()
        if word != "._meta" or path.name not in ("team_models.py", "model_tables.py")  # Django's
    ]

    assert not found
