"""The cache key: everything that decides the rows of a template, and nothing else."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pytest_gamedata import DatasetSpec, distributions
from pytest_gamedata.databases import cache_key, key_files
from pytest_gamedata.databases.cache_key import template_name
from pytest_gamedata.databases.key_files import KeyFiles, describe_files
from pytest_gamedata.databases.parts import (
    OWN_PARTS,
    OwnFactories,
    Parts,
    are_own_factories,
    create_tables,
    creates_own_tables,
)
from pytest_gamedata.databases.registry import Run
from pytest_gamedata.errors import SettingsError
from pytest_gamedata.factories import FACTORIES, RefundFactory, UserFactory
from pytest_gamedata.models import Base
from pytest_gamedata.words import names

SPEC = DatasetSpec()
NOW = datetime(2025, 1, 2, tzinfo=UTC)
RUN = Run(Path("run-1"), NOW, SPEC, "")
FOREIGN = Parts(print, [], ("a fixture",))


class OwnFactory(UserFactory):
    pass


def name_of_ours():
    return template_name(RUN, SPEC, OWN_PARTS)


def test_the_name_is_one_that_later_runs_find():
    name, lasts = name_of_ours()

    assert name.startswith("gamedata_template_")
    assert len(name) < 63
    assert lasts
    assert template_name(Run(Path("run-2"), NOW, SPEC, ""), SPEC, OWN_PARTS) == (name, True)


@pytest.mark.parametrize(
    "change",
    [
        {"users": 101}, {"items": 121}, {"transactions": 1}, {"auth_events": 1}, {"days": 91}, {"seed": 2},
        {"until": datetime(2025, 1, 2, tzinfo=UTC)}, {"preset": "hit"}, {"password": "x"}, {"password_hash": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_every_setting_is_part_of_the_key(change):
    assert template_name(RUN, DatasetSpec(**change), OWN_PARTS) != name_of_ours()


@pytest.mark.parametrize("name", ["numpy", "faker", "factory-boy", "sqlalchemy", "psycopg", "tzdata"])
def test_every_version_is_part_of_the_key(monkeypatch, name):
    before = name_of_ours()
    found = cache_key.version
    monkeypatch.setattr(cache_key, "version", lambda asked: "0" if asked == name else found(asked))
    cache_key._describe_installation.cache_clear()
    after = name_of_ours()
    monkeypatch.undo()
    cache_key._describe_installation.cache_clear()

    assert after != before
    assert name_of_ours() == before


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (distributions, "COUNTRIES", distributions.COUNTRIES | {"US": 14.6}),
        (distributions, "COUNTRIES", dict(reversed(distributions.COUNTRIES.items()))),
        (distributions, "ADDED", np.arange(2000)),
        (distributions, "ADDED", frozenset({b"a"})),
        (names, "EPITHETS", names.EPITHETS[1:]),
    ],
)
def test_constants_are_part_of_the_key_as_they_are_in_this_process(monkeypatch, module, name, value):
    before = name_of_ours()
    monkeypatch.setattr(module, name, value, raising=False)

    assert name_of_ours() == name_of_ours() != before


@pytest.mark.parametrize("value", [object(), {("a", "b"): 1}, lambda: 1], ids=["object", "key", "function"])
def test_a_constant_that_cannot_be_described_is_never_found_again(monkeypatch, value):
    monkeypatch.setattr(distributions, "ADDED", value, raising=False)

    assert name_of_ours() != name_of_ours()


def test_arrays_are_described_to_the_last_value(monkeypatch):
    monkeypatch.setattr(distributions, "ADDED", np.arange(2000), raising=False)
    before = name_of_ours()
    distributions.ADDED[1000] = 0

    assert name_of_ours() != before


def test_our_own_parts_are_known_by_their_values():
    assert creates_own_tables(create_tables)
    assert creates_own_tables(Base.metadata.create_all)
    assert not creates_own_tables(Base.metadata.drop_all)
    assert not creates_own_tables(print)
    assert all(map(are_own_factories, (OwnFactories(), [*FACTORIES])))
    assert not any(map(are_own_factories, ([], [UserFactory], [OwnFactory, *FACTORIES[1:]], [RefundFactory])))


def test_a_factory_put_among_ours_is_not_ours(monkeypatch):
    monkeypatch.setattr("pytest_gamedata.factories.FACTORIES", (OwnFactory, *FACTORIES[1:]))

    assert not are_own_factories(OwnFactories())


def test_parts_of_others_are_shared_within_a_run_only():
    name, lasts = template_name(RUN, SPEC, FOREIGN)

    assert not lasts
    assert template_name(RUN, SPEC, FOREIGN) == (name, False)
    assert template_name(Run(Path("run-2"), NOW, SPEC, ""), SPEC, FOREIGN)[0] != name
    assert template_name(RUN, SPEC, Parts(print, [], ("another fixture",)))[0] != name
    assert name_of_ours()[0] != name


@pytest.fixture
def tree(tmp_path):
    for name in ("migrations/1.sql", "migrations/more/2.sql", "migrations/.hidden", "models.py", "odd[1].py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "migrations/__pycache__").mkdir()
    (tmp_path / "migrations/__pycache__/1.txt").write_text("")
    (tmp_path / "models.pyc").write_text("")
    return tmp_path


def find(tree, *entries):
    return [path.relative_to(tree).as_posix() for path in KeyFiles(entries, tree).find()]


def key_of(tree, *entries):
    return describe_files(KeyFiles(entries, tree), time.time() + 60)


MIGRATIONS = ["migrations/.hidden", "migrations/1.sql", "migrations/more/2.sql"]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (["migrations"], MIGRATIONS),
        (["migrations/"], MIGRATIONS),
        (["models.py", "./models.py"], ["models.py"]),
        (["mig*"], MIGRATIONS),
        (["**/*.sql"], ["migrations/1.sql", "migrations/more/2.sql"]),
        (["odd[1].py"], ["odd[1].py"]),
        (["*.py"], ["models.py", "odd[1].py"]),
        ([], []),
    ],
)
def test_entries_are_files_directories_and_globs(tree, entries, expected):
    assert find(tree, *entries) == expected


def test_symbolic_links_are_followed_and_circles_left(tree):
    (tree / "app").mkdir()
    (tree / "app/linked").symlink_to(tree / "migrations")
    (tree / "migrations/circle").symlink_to(tree / "migrations")

    assert find(tree, "app") == ["app/linked/.hidden", "app/linked/1.sql", "app/linked/more/2.sql"]
    assert "app/linked/1.sql" in find(tree, "app/**/*.sql")


@pytest.mark.parametrize("entry", ["nothing", "nothing/", "*.txt", "migrations/__pycache__", "models.pyc"])
def test_an_entry_that_matches_no_file_is_refused(tree, entry):
    with pytest.raises(SettingsError) as caught:
        KeyFiles(("models.py", entry), tree)

    assert str(caught.value) == (
        f"ini gamedata_cache_key: {entry!r} matches no file. Name files, directories or globs below {tree}."
    )


def change_content(tree):
    (tree / "migrations/1.sql").write_text("changed")


def add_a_file(tree):
    (tree / "migrations/3.sql").write_text("")


def rename_a_file(tree):
    (tree / "migrations/1.sql").rename(tree / "migrations/0.sql")


def remove_a_file(tree):
    (tree / "migrations/.hidden").unlink()


def swap_two_contents(tree):
    (tree / "migrations/1.sql").write_text("migrations/more/2.sql")
    (tree / "migrations/more/2.sql").write_text("migrations/1.sql")


@pytest.mark.parametrize(
    "change", [change_content, add_a_file, rename_a_file, remove_a_file, swap_two_contents]
)
def test_names_and_contents_are_the_key(tree, change):
    before = key_of(tree, "migrations/")
    (tree / "models.py").write_text("changed")
    assert key_of(tree, "migrations/") == before
    change(tree)

    assert key_of(tree, "migrations/") != before


def test_all_installed_distributions_are_part_of_the_key(tree, monkeypatch):
    before = key_of(tree, "models.py")
    installed = [*key_files.distributions(), SimpleNamespace(name="other", version="1")]
    monkeypatch.setattr(key_files, "distributions", lambda: installed)
    with_one_more = key_of(tree, "models.py")
    installed[-1] = SimpleNamespace(name="other", version="2")

    assert len({before, with_one_more, key_of(tree, "models.py")}) == 3


def test_files_that_change_while_their_code_is_loaded_give_no_key(tree):
    files = KeyFiles(("models.py",), tree)
    changed = (tree / "models.py").stat().st_ctime

    assert describe_files(files, changed + 1) == key_of(tree, "models.py")
    assert describe_files(files, changed - 1) is None


def test_named_files_make_the_parts_of_others_last(tree):
    run = Run(Path("run-1"), NOW, SPEC, "", KeyFiles(("models.py",), tree))
    os.utime(tree / "models.py")

    assert template_name(run, SPEC, FOREIGN)[1] is False  # written after this process began
    assert template_name(run, SPEC, OWN_PARTS) == name_of_ours()
