"""What a user's code rests on: the modules that it imports, and their plain data."""

from __future__ import annotations

import hashlib
import re
import sys
from functools import partial
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any

PACKAGE = Path(__file__).parents[1]
INSTALLED = {"site-packages", "dist-packages"}
PLAIN = (str, bytes, int, float, complex, bool, type(None), Path)
CONTAINERS = (list, tuple, set, frozenset)
IMPORT = re.compile(
    r"^(?P<indent>[ \t]*)(?:from[ \t]+(?P<home>[.\w]+)[ \t]+import[ \t]*(?P<names>\([^)]*\)|[^\n#]*)"
    r"|import[ \t]+(?P<modules>[\w., \t]+))",
    re.MULTILINE,
)


def describe_code(part: Any) -> str | None:
    """Return what tells a function or class from any other: its name and what it holds, and its sources.

    Those are its own module and all that it imports, however far and however late, with the plain data that
    they hold: it may come from a file or the environment. None if the part holds what only this process
    knows: an object, a class made by a function, code without a file.
    """
    held = _take_apart(part)
    if held is None:
        return None
    modules = {value for kind, value in held if kind == "module"}
    sources = _follow_imports(modules)
    return repr((held, sorted(sources.items()))) if modules <= sources.keys() else None


# ### what a value holds ###


def _take_apart(value: Any, within: tuple[Any, ...] = ()) -> list[tuple[str, str]] | None:
    """Return the modules, names and plain values that a value is made of, None if there is more in it.

    `within` is what the value was found in.
    """
    if isinstance(value, PLAIN):
        return [("value", repr(value))]
    if isinstance(value, ModuleType):
        return [_place(value.__name__)]
    if isinstance(value, type):
        return None if "<locals>" in value.__qualname__ else [("name", value.__qualname__), *_homes(value)]
    if any(value is outer for outer in within):
        return [("name", "itself")]
    contents = _contents(value)
    parts = [_take_apart(part, (*within, value)) for part in contents or ()]
    if contents is None or None in parts:
        return None
    if isinstance(value, set | frozenset):
        parts.sort(key=repr)
    kind = ("value", f"{type(value).__name__} of {len(parts)}")
    own = [_place(value.__module__), ("name", value.__qualname__)] if isinstance(value, FunctionType) else []
    return [kind, *own, *(each for part in parts for each in part or ())]


def _contents(value: Any) -> list[Any] | None:
    """Return what is inside a function or a plain container, None for other objects."""
    if isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        return [value.__code__.co_firstlineno, *cells, value.__defaults__, value.__kwdefaults__]
    if isinstance(value, MethodType):
        return [value.__func__, value.__self__]
    if isinstance(value, partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return list(value) if isinstance(value, CONTAINERS) else None


def _homes(value: type) -> list[tuple[str, str]]:
    """Return the modules of a class and of those that it inherits from."""
    return [_place(name) for name in dict.fromkeys(each.__module__ for each in value.__mro__)]


def _place(module: str) -> tuple[str, str]:
    """Return a module as something to look into, one of the standard library as a mere name."""
    return ("name" if _is_standard(module) else "module", module)


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


# ### where it comes from ###


def _follow_imports(modules: set[str]) -> dict[str, str]:
    """Return a description of each of the modules that has a file, and of all that they import."""
    described: dict[str, str] = {}
    waiting, loaded = set(modules), set(modules)  # those are loaded for certain: others may be, later
    while waiting:
        name = waiting.pop()
        file = find_file(name)
        if file is None or name in described:
            continue
        if not is_of_project(file):
            described[name] = _describe_stat(file)
            continue
        source = file.read_bytes()
        data = _describe_data(sys.modules[name]) if name in loaded and name in sys.modules else ""
        described[name] = f"{hashlib.sha256(source).hexdigest()} {data}"
        at_once, later = find_imports(name, file, source)
        loaded |= at_once if name in loaded else set()
        waiting |= {each for each in at_once | later if each not in described}
    return described


def find_file(name: str) -> Path | None:
    """Return the file of a module, loaded or not; None for the standard library's, and without one."""
    if _is_standard(name):
        return None
    file = getattr(sys.modules.get(name), "__file__", None)
    places = [Path(entry or ".", *name.split(".")) for entry in ([] if file else sys.path)]
    candidates = [Path(file)] if file else [path for place in places for path in _files_of(place)]
    return next((path.resolve() for path in candidates if path.is_file()), None)


def _files_of(place: Path) -> tuple[Path, Path]:
    return place.with_name(f"{place.name}.py"), place / "__init__.py"


def find_imports(name: str, file: Path, source: bytes) -> tuple[set[str], set[str]]:
    """Return the modules that a module's source may import when it is imported itself, and later."""
    at_once: set[str] = set()
    later: set[str] = set()
    package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    for match in IMPORT.finditer(source.decode(errors="replace")):
        found = later if match["indent"] else at_once
        if match["modules"]:
            found.update(each.split()[0] for each in match["modules"].split(",") if each.strip())
            continue
        dots = len(match["home"]) - len(match["home"].lstrip("."))
        above = package[: len(package) - dots + 1] if dots else []
        home = ".".join([*above, *filter(None, [match["home"].lstrip(".")])])
        names = re.findall(r"\w+", re.sub(r"#[^\n]*|\bas\s+\w+", "", match["names"]))
        found.update([home, *(f"{home}.{each}" for each in names)])
    return _with_packages(at_once), _with_packages(later)


def _with_packages(names: set[str]) -> set[str]:
    """Add the packages that modules are in, whose own code runs before theirs."""
    split = [name.split(".") for name in names if name]
    return {".".join(parts[:count]) for parts in split for count in range(1, len(parts) + 1)}


def is_of_project(file: Path) -> bool:
    """Tell whether a file belongs to the user's own code, rather than to what is installed."""
    return not INSTALLED & set(file.parts) and not file.is_relative_to(PACKAGE)


def _describe_stat(file: Path) -> str:
    """Describe an installed module by its file's times and size: an upgrade changes them."""
    found = file.stat()
    return f"{found.st_size} {found.st_mtime_ns}"


def _describe_data(module: ModuleType) -> str:
    """Describe the plain values that a module holds."""
    values = {name: value for name, value in vars(module).items() if not name.startswith("__")}
    described = {name: _describe_plain(value) for name, value in sorted(values.items())}
    return repr({name: text for name, text in described.items() if text is not None})


def _describe_plain(value: Any) -> str | None:
    """Return the description of plain data, whatever the order of its sets, None for anything else."""
    held = _take_apart(value) if isinstance(value, (*PLAIN, *CONTAINERS, dict)) else None
    return repr(held) if held and all(kind == "value" for kind, _ in held) else None
