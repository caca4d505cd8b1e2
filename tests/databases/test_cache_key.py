"""What a template's name is made of: everything that decides its rows."""

import functools
import sys
import threading
import types
from datetime import UTC, datetime

import pytest

from pytest_gamedata import DatasetSpec
from pytest_gamedata.databases import cache_key as identity
from pytest_gamedata.databases import user_code as sources
from pytest_gamedata.databases.cache_key import OWN_TABLES, outline, template_name
from pytest_gamedata.databases.parts import OwnFactories, create_tables
from pytest_gamedata.databases.user_code import describe_code, find_imports
from pytest_gamedata.databases.user_reads import PROGRAM, describe_reads, hold, recorded_reads
from pytest_gamedata.factories import FACTORIES, UserFactory
from pytest_gamedata.models import Base

SPEC = DatasetSpec()


class OwnFactory(UserFactory):
    pass


def test_our_tables_are_as_pinned():
    assert outline(Base.metadata) == OWN_TABLES


def test_our_own_parts_need_not_be_looked_into():
    names = {
        template_name(SPEC, create_tables, factories)
        for factories in (OwnFactories(), [], [*FACTORIES.values()])
    }

    assert len(names) == 1
    ((name, lasts),) = names
    assert name.startswith("gamedata_template_")
    assert len(name) < 63
    assert lasts


@pytest.mark.parametrize(
    "change",
    [
        {"users": 101}, {"items": 121}, {"transactions": 1}, {"auth_events": 1}, {"days": 91}, {"seed": 2},
        {"until": datetime(2025, 1, 2, tzinfo=UTC)}, {"preset": "hit"}, {"password": "x"}, {"password_hash": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_every_setting_decides(change):
    changed = DatasetSpec(**change)

    assert template_name(changed, create_tables, [])[0] != template_name(SPEC, create_tables, [])[0]


@pytest.mark.parametrize("name", ["numpy", "faker", "factory-boy", "sqlalchemy", "psycopg", "tzdata"])
def test_every_version_decides(monkeypatch, name):
    before = template_name(SPEC, create_tables, [])
    found = identity.version
    monkeypatch.setattr(identity, "version", lambda asked: "0" if asked == name else found(asked))
    identity._describe_environment.cache_clear()
    after = template_name(SPEC, create_tables, [])
    monkeypatch.undo()
    identity._describe_environment.cache_clear()

    assert after != before


def test_a_foreign_factory_decides():
    names = {template_name(SPEC, create_tables, factories) for factories in ([], [OwnFactory])}

    assert len(names) == 2
    assert all(lasts for _, lasts in names)


def make(value):
    return lambda engine: value


class WithState:
    def create(self, engine):
        pass


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (make(1), make(2)),
        (make([{"a": None}]), make([{"b": None}])),
        (make(make(1)), make(make(2))),
        (functools.partial(make, 1), functools.partial(make, 2)),
        (make(OwnFactory), make(UserFactory)),
        (make(sys), make(threading)),
        (make([1, 2, 1]), make([1, 2, 2])),
        (make([[1], [2]]), make([[1, 2]])),
        (make({1, 2}), make({1, 3})),
    ],
)
def test_what_a_function_holds_decides(first, second):
    assert describe_code(first) != describe_code(second)


@pytest.mark.parametrize(
    "part",
    [
        make(object()),
        WithState().create,
        make({"lock": threading.Lock()}),
        type("Made", (), {"__qualname__": "f.<locals>.C"}),
    ],
)
def test_what_only_this_process_knows_does_not_last(part):
    assert describe_code(part) is None


def test_code_without_a_file_does_not_last():
    space = {"__name__": "nowhere"}
    exec("def create(engine): pass", space)

    assert describe_code(space["create"]) is None


IMPORTS = """
import one, two.three as third
from four import five as six  # seven
from . import eight
from .nine import (ten,  # eleven
    twelve as thirteen)
from ..fourteen import *
    import late
def f(): from late import r
if True:
    from much.later import (
        a, b)
"""


def test_imports_are_found_in_the_source(tmp_path):
    at_once, later = find_imports("pack.age.module", tmp_path / "module.py", IMPORTS.encode())

    assert at_once == {
        "one", "two", "two.three", "four", "four.five", "pack", "pack.age", "pack.age.eight", "pack.age.nine",
        "pack.age.nine.ten", "pack.age.nine.twelve", "pack.fourteen",
    }  # fmt: skip
    assert later == {"late", "much", "much.later", "much.later.a", "much.later.b"}
    at_once, _ = find_imports(
        "pack.age", tmp_path / "__init__.py", b"from . import eight\nfrom .. import nine"
    )
    assert at_once == {"pack", "pack.age", "pack.age.eight", "pack.nine"}


def test_plain_data_of_a_module_is_described_whatever_the_order_of_sets():
    first, second = (sources._describe_plain(value) for value in ({"a", "b", "c"}, {"c", "b", "a"}))

    assert first == second
    assert sources._describe_plain([{"a": {1, 2}}, None]) is not None
    assert sources._describe_plain([object()]) is None
    assert sources._describe_plain({"a": 1}) != sources._describe_plain(["a", 1])


def test_a_module_that_holds_itself_is_described():
    module = types.ModuleType("holding")
    module.everything = vars(module)
    module.size = 3

    assert "size" in sources._describe_data(module)
    assert "everything" not in sources._describe_data(module)


def test_reads_are_noted_and_checked(tmp_path):
    (tmp_path / "read").write_text("1")
    (tmp_path / "listed").mkdir()
    with recorded_reads() as paths:
        (tmp_path / "read").read_text()
        (tmp_path / "written").write_text("1")
        [*(tmp_path / "listed").iterdir()]
        (tmp_path / "gone").write_text("")
        (tmp_path / "gone").read_text()
        (tmp_path / "gone").unlink()
    (tmp_path / "not recorded").write_text("")
    reads = describe_reads(paths)

    assert set(reads) == {str(tmp_path / "read"), str(tmp_path / "listed")}
    assert hold(reads)
    (tmp_path / "written").write_text("2")
    assert hold(reads)
    (tmp_path / "read").write_text("2")
    assert not hold(reads)
    (tmp_path / "read").write_text("1")
    (tmp_path / "listed" / "new").touch()
    assert not hold(reads)


def test_another_program_may_read_what_nobody_sees():
    assert describe_reads({PROGRAM}) is None
