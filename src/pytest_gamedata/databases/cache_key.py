"""The cache key: all that decides a template's rows. The template is named by it, so that no stale one is found."""

from __future__ import annotations

import hashlib
import json
import platform
import secrets
import sys
import zoneinfo
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_gamedata import distributions
from pytest_gamedata.databases.key_files import describe_files
from pytest_gamedata.databases.parts import PACKAGE, Parts
from pytest_gamedata.databases.registry import STARTED, Run
from pytest_gamedata.settings import DatasetSpec

ROOT = Path(__file__).parents[1]
SUFFIXES = (".py", ".sql", ".csv", ".toml")  # of the package's files that decide rows
# the installed distributions that draw, adapt and store the values
DISTRIBUTIONS = ("factory-boy", "faker", "numpy", "psycopg", "sqlalchemy", "tzdata")


def dataset_digest(spec: DatasetSpec) -> str:
    """Return a digest of a specification, the same for all whose rows are equal."""
    return digest(replace(spec, isolation="database"))  # the isolation of a test changes no row


def template_name(run: Run, spec: DatasetSpec, parts: Parts) -> tuple[str, bool]:
    """Return the name of the template for a dataset, and whether later runs may use it.

    They may if its key is complete: with parts of a test suite's own only if the ini names their files.
    """
    models = _describe_models()
    files = describe_files(run.key_files, STARTED) if parts.origins and run.key_files else None
    lasts = models is not None and (not parts.origins or files is not None)
    key: list[Any] = [dataset_digest(spec), _describe_installation(), models, *_describe_constants()]
    if parts.origins:
        key += [parts.origins, files]
    return f"gamedata_template_{digest(*key, None if lasts else run.directory.name)}", lasts


def digest(*parts: Any) -> str:
    """Return a short digest of things whose repr tells them apart."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


@cache
def _describe_installation() -> str:
    """Describe our own files, the versions of what they draw with, and the machine."""
    files = [path for path in sorted(ROOT.rglob("*")) if path.suffix in SUFFIXES]
    contents = [(str(path.relative_to(ROOT)), hashlib.sha256(path.read_bytes()).digest()) for path in files]
    zones = [Path(directory, "tzdata.zi") for directory in zoneinfo.TZPATH]
    rules = [path.read_bytes().splitlines()[0] for path in zones if path.is_file()]
    versions = [version(name) for name in DISTRIBUTIONS]
    return digest(contents, platform.python_version(), platform.machine(), versions, rules)


def _describe_models() -> str | None:
    """Return the statements that create our tables where a test suite has changed them or added its own, else "".

    None if a listener of the test suite's needs a real connection to be run.
    """
    models = sys.modules.get(f"{PACKAGE}.models")
    try:
        statements: str = models.describe_tables() if models else ""
    except Exception:  # noqa: BLE001 - whatever a listener of the user's raises
        return None
    return "" if models is None or statements == models.UNCHANGED else statements


def _describe_constants() -> list[str]:
    """Describe the constants of `distributions`, and those of the `words` modules that somebody has changed."""
    found = [describe_constants(distributions)]
    for name in sorted(name for name in sys.modules if name.startswith(f"{PACKAGE}.words.")):
        described = describe_constants(sys.modules[name])
        found += [name, described] if described != describe_constants(_load_again(name)) else []
    return found


def _load_again(name: str) -> ModuleType:
    """Return a fresh copy of a module, which takes the place of nothing."""
    spec = find_spec(name)
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - it is loaded
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def describe_constants(module: ModuleType) -> str:
    """Return the values of a module's constants, exactly; what cannot be described is never the same again."""
    values = {name: value for name, value in vars(module).items() if name.isupper()}
    try:
        return json.dumps(values, default=_describe_other)
    except TypeError:
        return secrets.token_hex()


def _describe_other(value: Any) -> Any:
    """Return a form for JSON of a value that has none, exact too. Raises TypeError."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "tobytes"):  # a numpy array
        return [str(value.dtype), value.shape, value.tobytes().hex()]
    if (getattr(value, "__module__", None) or "").startswith(f"{PACKAGE}."):
        return value.__qualname__ if callable(value) else vars(value)
    raise TypeError(value)
