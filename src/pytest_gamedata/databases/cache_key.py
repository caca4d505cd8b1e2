"""What decides the rows of a template. Its name says all of it, so that a stale one is never found."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import zoneinfo
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_gamedata.databases.parts import OwnFactories
from pytest_gamedata.databases.user_code import describe_code
from pytest_gamedata.settings import DatasetSpec

if TYPE_CHECKING:
    from sqlalchemy import MetaData


# how many columns, constraints and indexes our tables have, as long as nobody adds any
OWN_TABLES = {
    "users": (26, 16, 5),
    "items": (20, 12, 2),
    "transactions": (26, 29, 7),
    "auth_events": (16, 9, 4),
}
PACKAGE = Path(__file__).parents[1]
# the distributions that draw, adapt and store the values
DECIDING = ("factory-boy", "faker", "numpy", "psycopg", "sqlalchemy", "tzdata")


def dataset_digest(spec: DatasetSpec) -> str:
    """Return what tells the rows of this specification from any other's."""
    return digest(replace(spec, isolation="database"))  # how a test is isolated does not change them


def template_name(spec: DatasetSpec, create_schema: Any, factories: Any) -> tuple[str, bool]:
    """Return the name of the template for a dataset, and whether a later run would give it the same name."""
    described = [_describe_part(part) for part in foreign(create_schema, factories)]
    texts = [
        dataset_digest(spec),
        _describe_environment(),
        _describe_models(),
        *(text for text, _ in described),
    ]
    return f"gamedata_template_{digest(*texts)}", all(lasts for _, lasts in described)


def foreign(create_schema: Any, factories: Any) -> list[Any]:
    """Return those of the parts that a test suite has brought itself."""
    parts = [create_schema, *([] if isinstance(factories, OwnFactories) else factories)]
    return [part for part in parts if not getattr(part, "__module__", None) or not _is_own(part.__module__)]


def _is_own(module: str) -> bool:
    return module.startswith("pytest_gamedata.")


def digest(*parts: Any) -> str:
    """Return a short digest of things whose repr tells them apart."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


@cache
def _describe_environment() -> str:
    """Describe what decides the rows of all datasets: our own code, and what it draws with."""
    sources = [path for path in sorted(PACKAGE.rglob("*")) if path.suffix in (".py", ".sql", ".toml")]
    code = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
    zones = [Path(directory, "tzdata.zi") for directory in zoneinfo.TZPATH]
    rules = [path.read_bytes().splitlines()[0] for path in zones if path.is_file()]
    versions = [version(name) for name in DECIDING]
    return repr((code, platform.python_version(), platform.machine(), versions, rules))


def _describe_models() -> str:
    """Describe our tables where a test suite has changed them, or added its own to them."""
    models = sys.modules.get("pytest_gamedata.models")
    if models is None:
        return ""
    metadata: MetaData = models.Base.metadata
    found = outline(metadata)
    return "" if found == OWN_TABLES else _describe_tables(metadata, repr(found))


def outline(metadata: MetaData) -> dict[str, tuple[int, int, int]]:
    """Return each table's numbers of columns, constraints and indexes."""
    tables = metadata.tables.items()
    return {name: (len(table.columns), len(table.constraints), len(table.indexes)) for name, table in tables}


def _describe_part(part: Any) -> tuple[str, bool]:
    """Return what tells a part from any other one, and whether that still says so in a later run."""
    metadata = getattr(part, "__self__", None)
    if metadata is not None and hasattr(metadata, "sorted_tables"):  # the create_all of a MetaData
        return _describe_tables(metadata, tuple(metadata.tables)), True
    described = describe_code(part)
    return (described, True) if described else (f"{os.getpid()} {id(part)}", False)


@cache
def _describe_tables(metadata: MetaData, _: Any) -> str:
    """Return the statements that create the tables; the other argument tells when they have changed."""
    from sqlalchemy import create_mock_engine

    statements: list[str] = []

    def collect(statement: Any, *__: Any, **___: Any) -> None:
        statements.append(str(statement.compile(dialect=engine.dialect)))

    engine = create_mock_engine("postgresql+psycopg://", collect)
    metadata.create_all(engine, checkfirst=False)
    return "\n".join(sorted(statements))  # the order of indexes differs between processes
