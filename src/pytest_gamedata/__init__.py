"""A PostgreSQL database of its own for each test, filled with a realistic gaming dataset.

The names below are imported when they are first used: a pytest run that does not use the plugin pays nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_gamedata.databases.existing import clear_database as clear_database
    from pytest_gamedata.databases.game_database import GameDatabase as GameDatabase
    from pytest_gamedata.databases.seed import load_dataset as load_dataset
    from pytest_gamedata.databases.summary import summarize as summarize
    from pytest_gamedata.dataset import Dataset as Dataset
    from pytest_gamedata.dataset import build_dataset as build_dataset
    from pytest_gamedata.settings import DatasetSpec as DatasetSpec
    from pytest_gamedata.validate import validate_dataset as validate_dataset

_HOMES = {
    "Dataset": "dataset",
    "DatasetSpec": "settings",
    "GameDatabase": "databases.game_database",
    "build_dataset": "dataset",
    "clear_database": "databases.existing",
    "load_dataset": "databases.seed",
    "summarize": "databases.summary",
    "validate_dataset": "validate",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
