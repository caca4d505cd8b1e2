"""The state of one pytest run: its settings, and what its xdist workers share."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import pytest

from pytest_gamedata.databases.registry import Run
from pytest_gamedata.errors import SettingsError
from pytest_gamedata.settings import SETTINGS, DatasetSpec, Found, Setting, parse_until, resolve_spec

if TYPE_CHECKING:
    from pytest_gamedata.databases.key_files import KeyFiles

RUN = pytest.StashKey[Run]()


class SharedRun(TypedDict):
    """The state that a controller sends to its xdist workers."""

    directory: str
    now: str


def start_run(config: pytest.Config) -> Run:
    """Resolve the settings of a run, on an xdist worker those of its controller.

    Raises SettingsError for any setting with a value that is not allowed, used or not.
    """
    for name in SETTINGS:
        read_setting(config, name)
    alembic_ini(config)
    shared: SharedRun = getattr(config, "workerinput", {}).get("gamedata") or _new_run()
    now = parse_until(shared["now"])
    spec = resolve_spec(DatasetSpec(), fix_now(_find_spec(config), now))
    return Run(Path(shared["directory"]), now, spec, str(config.rootpath), _find_key_files(config))


def _find_key_files(config: pytest.Config) -> KeyFiles | None:
    """Return the files of the cache key that the ini names, None if it names none. Raises SettingsError."""
    entries = read_setting(config, "cache_key")
    if not entries:
        return None
    from pytest_gamedata.databases.key_files import KeyFiles

    return KeyFiles(tuple(entries), _ini_directory(config))


def alembic_ini(config: pytest.Config) -> Path | None:
    """Return the alembic.ini that the ini names, None if it names none.

    Raises SettingsError if it is not there.
    """
    name = read_setting(config, "alembic")
    if not name:
        return None
    path: Path = _ini_directory(config) / name
    if not path.is_file():
        raise SettingsError(
            f"ini gamedata_alembic: {name!r} is no file in {str(path.parent)!r}. Name your alembic.ini."
        )
    return path


def _ini_directory(config: pytest.Config) -> Path:
    """Return the directory that paths in the ini are relative to."""
    return config.inipath.parent if config.inipath else config.rootpath


def _new_run() -> SharedRun:
    directory = Path(tempfile.gettempdir(), f"gamedata-{os.urandom(6).hex()}")
    return {"directory": str(directory), "now": parse_until("now").isoformat()}


def share_run(run: Run) -> SharedRun:
    """Return what a worker needs to take part in its controller's run."""
    return {"directory": str(run.directory), "now": run.now.isoformat()}


def read_setting(config: pytest.Config, name: str) -> Any:
    """Return the value of a setting: from the command line, else from the ini, else its default.

    Raises SettingsError if the value is not allowed.
    """
    setting = SETTINGS[name]
    value, where = _find(config, setting)
    return setting.default if value is None else setting.read(value, where)


def _find(config: pytest.Config, setting: Setting) -> tuple[Any, str]:
    """Return a setting's value and where it is: on the command line, else in the ini; None if in neither."""
    value = config.getoption(setting.ini) if setting.flag else None
    if setting.flag and value is not None:
        return value, setting.flag
    try:
        value = config.getini(setting.ini)
    except (ValueError, TypeError, pytest.UsageError) as error:  # which of them depends on pytest's version
        raise SettingsError(f"ini {setting.ini}: {error}. Allowed: {setting.allowed}.") from None
    left_out = value == "" and setting.parse is None
    return None if left_out else value, f"ini {setting.ini}"


def _find_spec(config: pytest.Config) -> Found:
    """Return the settings of the specification that are set."""
    found = {name: _find(config, setting) for name, setting in SETTINGS.items() if setting.in_spec}
    found = {name: (value, where) for name, (value, where) in found.items() if value is not None}
    if ("password" in found) != ("password_hash" in found):
        raise SettingsError(
            "ini gamedata_password and gamedata_password_hash belong together: set both, or neither."
        )
    return found


def fix_now(found: Found, now: datetime) -> Found:
    """Replace `until=now` by the moment at which the run began, the same in all of its processes."""
    value, where = found.get("until", (None, ""))
    return {**found, "until": (now, where)} if value == "now" else found
