"""The layout of the package: what stands where, who may import whom, how long and how wide things may be."""

import ast
import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import fields
from pathlib import Path

import pytest

import pytest_gamedata
from pytest_gamedata.models import OWN_TABLES, TABLES, values
from pytest_gamedata.settings import SETTINGS, DatasetSpec

ROOT = Path(__file__).parents[1]
PACKAGE = Path(pytest_gamedata.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text()) for path in MODULES}

LISTING = {
    "__init__.py", "__main__.py", "py.typed", "errors.py", "settings.py", "distributions.py", "dataset.py",
    "plugin", "cli", "databases", "factories", "simulation", "words", "columns", "models", "validate", "realism", "postgres",
}  # fmt: skip
# A room imports from the layers below its own; rooms of one layer do not import one another.
LAYERS = (
    ("__main__",),
    ("__init__", "plugin", "cli"),
    ("databases",),
    ("dataset",),
    ("simulation",),
    ("factories", "validate", "realism", "postgres"),
    ("words",),
    ("columns", "models"),
    ("settings",),
    ("distributions", "errors"),
)
LAYER_OF = {room: layer for layer, rooms in enumerate(LAYERS) for room in rooms}
FORBIDDEN = {
    "factories": {"psycopg", "pytest"},
    "simulation": {"factory", "psycopg", "pytest", "pytest_gamedata.postgres", "pytest_gamedata.validate"},
    "postgres": {"factory", "faker", "pytest_gamedata.distributions", "pytest_gamedata.models"},
}
MODULES_PER_FOLDER, LINES, PARAMETERS = 11, 300, 5
MISLEADING = {
    "ready", "reads", "read", "run", "serving", "standalone", "stored", "sources", "sparse", "lone_rows", "identity", "address",
}  # fmt: skip
UNCLEAR_OPENINGS = re.compile(r"(What|Where|Whoever|Who|How|See to)\b")
# What Factory Boy does not document: one folder may use it.
ADAPTER = PACKAGE / "factories" / "adapter"
OF_DJANGO = (
    PACKAGE / "factories" / "adapter" / "team_models.py",
    PACKAGE / "databases" / "mapping" / "model_tables.py",
)  # its _meta
INTERNAL_MODULES = re.compile(r"factory\.(base|builder|declarations|enums|errors|helpers|utils)\b")
HEAVY = {"numpy", "factory", "faker", "sqlalchemy", "psycopg", "pytest_postgresql"}


def name_of(path):
    return path.relative_to(PACKAGE).as_posix()


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(tree):
    """The full names of what a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def functions_of(tree):
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def constants_of(tree):
    """The names in capitals that a module defines, each with its value as written."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name) and target.id.isupper() and getattr(node, "value", None):
                yield target.id, ast.dump(node.value)


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def test_the_top_of_the_package_is_pinned():
    assert {path.name for path in PACKAGE.iterdir()} - {"__pycache__"} == LISTING
    assert {name.removesuffix(".py") for name in LISTING} - {"py.typed"} == set(LAYER_OF)


def test_no_folder_has_too_many_modules():
    counts = Counter(path.parent for path in TREES)

    assert {name_of(folder): count for folder, count in counts.items() if count > MODULES_PER_FOLDER} == {}


def test_no_module_is_too_long():
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in TREES}
    del lengths["distributions.py"]  # every constant stands in one place, however many there are

    assert {name: length for name, length in lengths.items() if length > LINES} == {}


def test_no_function_has_too_many_parameters():
    found = {
        f"{name_of(path)}:{function.name}": count
        for path, tree in TREES.items()
        for function in functions_of(tree)
        if (count := sum(isinstance(node, ast.arg) for node in ast.walk(function.args))) > PARAMETERS
    }

    assert found == {}


@pytest.mark.parametrize("room", LAYER_OF)
def test_imports_follow_the_order_of_the_layers(room):
    found = {
        f"{name_of(path)} imports {name}"
        for path, tree in TREES.items()
        for name in imports_of(tree)
        if room_of(path) == room and name.split(".")[0] == "pytest_gamedata"
        if (other := (name.split(".")[1:] or ["__init__"])[0]) != room
        if LAYER_OF.get(other, LAYER_OF["__init__"]) <= LAYER_OF[room]
    }

    assert found == set()


@pytest.mark.parametrize("room", FORBIDDEN)
def test_rows_know_no_database_and_the_database_knows_no_game(room):
    found = {
        f"{name_of(path)} imports {name}"
        for path, tree in TREES.items()
        for name in imports_of(tree)
        if room_of(path) == room
        if any(f"{name}.".startswith(f"{banned}.") for banned in FORBIDDEN[room])
    }

    assert found == set()


def test_only_the_modules_of_tables_share_a_name():
    names = Counter(path.stem for path in TREES)
    names.update(path.name for path in PACKAGE.rglob("*") if path.is_dir())

    assert {name for name, count in names.items() if count > 1} <= {*OWN_TABLES, "__init__", "__pycache__"}


def test_no_module_has_a_misleading_name():
    assert {path.stem for path in TREES} & MISLEADING == set()


def test_a_constant_has_one_value():
    found = defaultdict(set)
    for tree in TREES.values():
        for name, value in constants_of(tree):
            found[name].add(value)

    assert {name for name, defined in found.items() if len(defined) > 1} == set()


def test_no_private_name_is_imported():
    found = {
        f"{name_of(path)} imports {name}"
        for path, tree in TREES.items()
        for name in imports_of(tree)
        if name.startswith("pytest_gamedata.") and any(is_private(part) for part in name.split("."))
    }

    assert found == set()


def test_the_values_of_a_column_are_listed_once():
    known = {frozenset(value): name for name, value in vars(values).items() if name.isupper()}
    listed = [
        (path, node, frozenset(getattr(element, "value", None) for element in node.elts))
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)) and path.name != "values.py"
    ]

    assert {
        f"{name_of(path)}:{node.lineno} repeats {known[words]}"
        for path, node, words in listed
        if words in known
    } == set()


def test_docstrings_open_with_what_a_thing_is_or_does():
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [
        (path, node, ast.get_docstring(node) or "")
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, kinds)
    ]

    assert {
        f"{name_of(path)}:{getattr(node, 'lineno', 1)}: {text.splitlines()[0]}"
        for path, node, text in docstrings
        if UNCLEAR_OPENINGS.match(text)
    } == set()


def test_the_internals_of_factory_boy_are_used_in_one_folder():
    found = {
        f"{name_of(path)}:{node.lineno}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if path.parent != ADAPTER and uses_internals(node, path)
    }

    assert found == set()


def uses_internals(node, path):
    if isinstance(node, ast.Attribute):
        is_meta = node.attr == "_meta" and path not in OF_DJANGO
        return is_meta or bool(INTERNAL_MODULES.match(ast.unparse(node)))
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return any(INTERNAL_MODULES.match(name) for name in imports_of(node))
    return False


def test_contributing_names_files_that_exist():
    named = re.findall(r"`([\w./<>-]+(?:/|\.\w+))`", (ROOT / "CONTRIBUTING.md").read_text())
    paths = [name.replace("<table>", table) for name in named for table in TABLES]
    for_new_tables = {f"simulation/{table}.py" for table in TABLES}

    assert len(set(named)) > 30
    assert [
        path
        for path in {*paths} - for_new_tables
        if not ((ROOT / path).exists() or (PACKAGE / path).exists())
    ] == []


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
