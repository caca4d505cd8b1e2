"""One pytest run: its settings, shared with its xdist workers."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_gamedata.databases.registry import Costs, Run
from pytest_gamedata.errors import SettingsError
from pytest_gamedata.settings import SETTINGS, DatasetSpec, Found, Setting, parse_until, resolve_spec

RUN = pytest.StashKey[Run]()


def start_run(config: pytest.Config) -> Run:
    """Resolve the settings of a run, on an xdist worker those of its controller.

    Raises SettingsError for any setting with a value that is not allowed, used or not.
    """
    for name in SETTINGS:
        read_setting(config, name)
    shared = getattr(config, "workerinput", {}).get("gamedata", {})
    now = parse_until(shared.get("now", "now"))
    spec = resolve_spec(DatasetSpec(), fix_now(_find_spec(config), now))
    directory = shared.get("directory") or Path(tempfile.gettempdir(), f"gamedata-{os.urandom(6).hex()}")
    return Run(Path(directory), now, spec, str(config.rootpath), Costs({}, {}, []), {})


def share_run(run: Run) -> dict[str, str]:
    """Return what a worker must know of its controller's run."""
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
    """Put the run's own moment where `until` is `now`."""
    value, where = found.get("until", (None, ""))
    return {**found, "until": (now, where)} if value == "now" else found
