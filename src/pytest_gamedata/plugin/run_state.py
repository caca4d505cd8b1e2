"""One pytest run: its settings, shared with its xdist workers."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_gamedata.databases.registry import Run
from pytest_gamedata.errors import SettingsError
from pytest_gamedata.settings import OPTIONS, DatasetSpec, parse_until, resolve_spec

if TYPE_CHECKING:
    from pytest_gamedata.databases.key_files import KeyFiles

# a setting's value, and where it was found
Found = dict[str, tuple[Any, str]]

PASSWORD_INIS = ("gamedata_password", "gamedata_password_hash")
CACHE_KEY_INI = "gamedata_cache_key"
CACHE_INI, REBUILD_INI = "gamedata_cache", "gamedata_rebuild"
CACHE_OFF = "off"

RUN = pytest.StashKey[Run]()


def start_run(config: pytest.Config) -> Run:
    """Resolve the settings of a run, on an xdist worker those of its controller."""
    shared = getattr(config, "workerinput", {}).get("gamedata", {})
    now = parse_until(shared.get("now", "now"))
    spec = resolve_spec(DatasetSpec(**_read_password(config)), fix_now(_read_settings(config), now))
    directory = shared.get("directory") or Path(tempfile.gettempdir(), f"gamedata-{os.urandom(6).hex()}")
    return Run(Path(directory), now, spec, str(config.rootpath), _find_key_files(config))


def _find_key_files(config: pytest.Config) -> KeyFiles | None:
    """Return the files of the cache key that the ini names, None if it names none. Raises SettingsError."""
    entries = config.getini(CACHE_KEY_INI)
    if not entries:
        return None
    from pytest_gamedata.databases.key_files import KeyFiles

    return KeyFiles(tuple(entries), config.inipath.parent if config.inipath else config.rootpath)


def share_run(run: Run) -> dict[str, str]:
    """Return what a worker must know of its controller's run."""
    return {"directory": str(run.directory), "now": run.now.isoformat()}


def _read_settings(config: pytest.Config) -> Found:
    """Read the options that are given: on the command line, else in the ini."""
    found: Found = {}
    for option in OPTIONS:
        value, ini = config.getoption(option.ini), config.getini(option.ini)
        if value is not None:
            found[option.name] = (value, option.flag)
        elif ini is not None:
            found[option.name] = (ini, f"ini {option.ini}")
    return found


def fix_now(found: Found, now: datetime) -> Found:
    """Put the run's own moment where `until` is `now`."""
    value, where = found.get("until", (None, ""))
    return found | {"until": (now, where)} if value == "now" else found


def _read_password(config: pytest.Config) -> dict[str, Any]:
    password, password_hash = (config.getini(name) for name in PASSWORD_INIS)
    if bool(password) != bool(password_hash):
        raise SettingsError(
            "ini gamedata_password and gamedata_password_hash belong together: set both, or neither."
        )
    return {"password": password, "password_hash": password_hash} if password else {}
