import ast
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import pytest_gamedata
from pytest_gamedata.settings import SETTINGS, DatasetSpec

PACKAGE = Path(pytest_gamedata.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
FORBIDDEN = {
    "factories": {"psycopg", "pytest", "pytest_gamedata.postgres"},
    "postgres": {"factory", "faker", "pytest_gamedata.factories", "pytest_gamedata.distributions"},
}
HEAVY = {"numpy", "factory", "faker", "sqlalchemy", "psycopg", "pytest_postgresql"}


def imports_of(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    return names


@pytest.mark.parametrize("room", FORBIDDEN)
def test_rows_know_no_database_and_the_database_knows_no_game(room):
    found = {
        (path.name, name)
        for path in (PACKAGE / room).glob("*.py")
        for name in imports_of(path)
        if any(name == banned or name.startswith(f"{banned}.") for banned in FORBIDDEN[room])
    }

    assert not found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_module_outgrows_its_room(path):
    # every constant is in one place, however many there are
    assert len(path.read_text().splitlines()) <= (450 if path.name == "distributions.py" else 320)


def test_the_plugin_imports_nothing_heavy():
    program = f"import sys, pytest_gamedata.plugin, pytest_gamedata.plugin.fixtures; print(sorted({HEAVY} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def strings_of(path):
    """All texts of a module, docstrings included; an f-string as its constant parts."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


@pytest.mark.parametrize(
    ("pattern", "kind"), [("(--gamedata-[a-z-]+)", "flag"), ("\\bini (gamedata_[a-z_]+)", "ini")]
)
def test_every_setting_that_a_text_names_exists(pattern, kind):
    named = {
        (path.name, found)
        for path in MODULES
        for text in strings_of(path)
        for found in re.findall(pattern, text)
    }
    known = {getattr(setting, kind) for setting in SETTINGS.values()}

    assert not [(module, found) for module, found in named if found not in known]


def test_a_specification_has_the_fields_that_the_table_says():
    assert [field.name for field in fields(DatasetSpec)] == [
        name for name, setting in SETTINGS.items() if setting.in_spec
    ]


def test_public_names_are_pinned():
    assert pytest_gamedata.__all__ == [
        "Dataset", "DatasetSpec", "GameDatabase",
        "build_dataset", "clear_database", "load_dataset", "summarize", "validate_dataset",
    ]  # fmt: skip
    assert all(getattr(pytest_gamedata, name) for name in pytest_gamedata.__all__)
    with pytest.raises(AttributeError, match=r"^module 'pytest_gamedata' has no attribute 'nothing'$"):
        _ = pytest_gamedata.nothing
