"""What one pytest run knows: its settings, where its server is, and what it has cost so far."""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from pytest_gamedata.settings import OPTION_NAMES, OPTIONS, DatasetSpec, parse_until, resolve_spec

PASSWORD_INIS = ("gamedata_password", "gamedata_password_hash")


@dataclass
class Costs:
    """What the run has spent: on the server, on each template, on each clone; times in seconds."""

    server: dict[str, Any] = field(default_factory=dict)
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    clones: list[float] = field(default_factory=list)

    def add(self, other: dict[str, Any]) -> None:
        """Add what a worker has spent."""
        if not self.server or other["server"].get("seconds", 0) > self.server.get("seconds", 0):
            self.server = self.server | other["server"]
        self.templates |= other["templates"]
        self.clones += other["clones"]


@dataclass
class Run:
    """One pytest run, the same for its controller and all its workers."""

    id: str
    spec: DatasetSpec
    sources: dict[str, str]
    costs: Costs = field(default_factory=Costs)

    @property
    def directory(self) -> Path:
        """The small directory through which the processes of a run find each other's server."""
        return Path(tempfile.gettempdir()) / f"gamedata-{self.id}"


RUN = pytest.StashKey[Run]()


def start_run(config: pytest.Config) -> Run:
    """Resolve the settings of a run, on an xdist worker those of its controller."""
    shared = getattr(config, "workerinput", {}).get("gamedata", {})
    found = _read_settings(config)
    if "until" in found:
        # `now` is one moment for all processes of a run
        value, where = found["until"]
        found["until"] = (parse_until(shared["until"]) if value == "now" and shared else value, where)
    spec = resolve_spec(DatasetSpec(**_read_password(config)), found)
    sources = {name: where for name, (_, where) in found.items()}
    return Run(shared.get("id") or secrets.token_hex(6), spec, sources)


def share_run(run: Run) -> dict[str, str]:
    """Return what a worker must know of its controller's run."""
    return {"id": run.id, "until": run.spec.until.isoformat()}


def _read_settings(config: pytest.Config) -> dict[str, tuple[Any, str]]:
    """Read the options that are given: on the command line, else in the ini."""
    found: dict[str, tuple[Any, str]] = {}
    for option in OPTIONS:
        value, ini = config.getoption(option.ini), config.getini(option.ini)
        if value is not None:
            found[option.name] = (value, option.flag)
        elif ini is not None:
            found[option.name] = (ini, f"ini {option.ini}")
    return found


def _read_password(config: pytest.Config) -> dict[str, str]:
    password, password_hash = (config.getini(name) for name in PASSWORD_INIS)
    if bool(password) != bool(password_hash):
        raise pytest.UsageError(
            "ini gamedata_password and gamedata_password_hash belong together: set both, or neither."
        )
    return {"password": password, "password_hash": password_hash} if password else {}


def spec_of(item: pytest.Item) -> DatasetSpec:
    """Return the specification of a test: the run's, changed key by key by its markers, the closest last.

    Raises SettingsError.
    """
    from pytest_gamedata.errors import SettingsError

    values: dict[str, tuple[Any, str]] = {}
    for marker in reversed(list(item.iter_markers("gamedata"))):
        if marker.args:
            raise SettingsError(f"gamedata marker: {marker.args[0]!r} has no name. Allowed: keys {_keys()}.")
        unknown = sorted(set(marker.kwargs) - set(OPTION_NAMES))
        if unknown:
            raise SettingsError(f"gamedata marker: key {unknown[0]!r} is not known. Allowed: {_keys()}.")
        values |= {name: (value, f"gamedata marker: {name}") for name, value in marker.kwargs.items()}
    return resolve_spec(item.config.stash[RUN].spec, values)


def _keys() -> str:
    return ", ".join(OPTION_NAMES)


def describe_costs(costs: Costs) -> list[str]:
    """Word the summary: the server, each dataset, the databases."""
    server = costs.server
    place = "in RAM" if server["in_ram"] else "on disk"
    lines = [f"PostgreSQL {server['version']} ({server['source']}) {place}, started in {server['seconds']:.2f} s"]
    for template in costs.templates.values():
        rows = ", ".join(f"{name} {count:,}" for name, count in template["counts"].items())
        lines += [
            f"{template['spec']}",
            f"  {rows}: built in {template['build']:.2f} s, loaded in {template['load']:.2f} s",
        ]
    if costs.clones:
        typical = f"median {median(costs.clones) * 1000:.0f} ms"
        lines.append(f"{len(costs.clones)} databases cloned in {sum(costs.clones):.2f} s ({typical})")
    return lines
