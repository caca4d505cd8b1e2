"""What one pytest run knows: its settings, where its server is, and what it has cost so far."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pytest_gamedata.errors import SettingsError
from pytest_gamedata.settings import OPTION_NAMES, OPTIONS, DatasetSpec, parse_until, resolve_spec

# a setting's value, and where it was found
Found = dict[str, tuple[Any, str]]

PASSWORD_INIS = ("gamedata_password", "gamedata_password_hash")
CACHE_INI, REBUILD_INI = "gamedata_cache", "gamedata_rebuild"
CACHE_OFF = "off"


# Named tuples, for every pytest run pays for the making of these classes: 0.1 ms, a dataclass takes 0.5.
class Costs(NamedTuple):
    """What the run has spent: on the server, on each template, on each clone; times in seconds."""

    server: dict[str, Any]
    templates: dict[str, dict[str, Any]]
    clones: list[float]

    def add(self, other: dict[str, Any]) -> None:
        """Add what a worker has spent."""
        if not self.server or other["server"].get("seconds", 0) > self.server.get("seconds", 0):
            self.server.update(other["server"])
        self.templates.update(other["templates"])
        self.clones.extend(other["clones"])


class Run(NamedTuple):
    """One pytest run, the same for its controller and all its workers."""

    directory: Path  # small, and there once a server is: its processes find that through it
    now: datetime  # what `now` means in every process of the run
    spec: DatasetSpec
    home: str  # the project's directory
    costs: Costs
    # what this process knows to be built, by specification and the ids of what else decides it
    templates: dict[Any, tuple[tuple[str, dict[str, Any]], Any]]


NEXT_ITEM = pytest.StashKey[pytest.Item | None]()
RUN = pytest.StashKey[Run]()


def start_run(config: pytest.Config) -> Run:
    """Resolve the settings of a run, on an xdist worker those of its controller."""
    shared = getattr(config, "workerinput", {}).get("gamedata", {})
    now = parse_until(shared.get("now", "now"))
    spec = resolve_spec(DatasetSpec(**_read_password(config)), _fix_now(_read_settings(config), now))
    directory = shared.get("directory") or Path(tempfile.gettempdir(), f"gamedata-{os.urandom(6).hex()}")
    return Run(Path(directory), now, spec, str(config.rootpath), Costs({}, {}, []), {})


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


def _fix_now(found: Found, now: datetime) -> Found:
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


def spec_of(item: pytest.Item) -> DatasetSpec:
    """Return the specification of a test: the run's, changed key by key by its markers, the closest last.

    Raises SettingsError.
    """
    run, values = item.config.stash[RUN], Found()
    for marker in reversed([mark for node in reversed(item.listchain()) for mark in _own_markers(node)]):
        if marker.args:
            raise SettingsError(f"gamedata marker: {marker.args[0]!r} has no key. Allowed: {_keys()}.")
        unknown = sorted(set(marker.kwargs) - set(OPTION_NAMES))
        if unknown:
            raise SettingsError(f"gamedata marker: key {unknown[0]!r} is not known. Allowed: {_keys()}.")
        values |= {name: (value, f"gamedata marker: {name}") for name, value in marker.kwargs.items()}
    return resolve_spec(run.spec, _fix_now(values, run.now)) if values else run.spec


def wanted_specs(run: Run, items: list[pytest.Item]) -> set[DatasetSpec]:
    """Return the specifications that tests may ask for: the run's, and those of their markers."""
    marked = [item for item in items if item.get_closest_marker("gamedata")]
    return {run.spec, *map(spec_of, marked)}


def next_spec(item: pytest.Item) -> DatasetSpec | None:
    """Return the specification of the test that comes next, None if it asks for no database."""
    following = item.stash.get(NEXT_ITEM, None)
    asks = following is not None and "gamedata_db" in getattr(following, "fixturenames", ())
    with suppress(SettingsError):  # the next test itself will say so
        return spec_of(following) if following and asks else None
    return None


def find_template(
    run: Run, spec: DatasetSpec | None, parts: tuple[Any, ...]
) -> tuple[str, dict[str, Any]] | None:
    """Return the name and the facts of the template that this process has used for this dataset, else None."""
    found = run.templates.get((spec, *map(id, parts)))
    return found[0] if found else None


def keep_template(
    run: Run, spec: DatasetSpec, parts: tuple[Any, ...], built: tuple[str, dict[str, Any]]
) -> None:
    """Remember a template: `parts` is what else than the specification decides its rows."""
    name, facts = built
    run.costs.templates[name] = facts
    # with the parts themselves: as long as they are there, nothing else has their ids
    run.templates[spec, *map(id, parts)] = (built, parts)


def _own_markers(node: Any) -> list[pytest.Mark]:
    """Return the markers of a test, class or module, the closest first.

    pytest has a parameter's after its function's, and a subclass's after those that it inherits.
    """
    places: list[Any] = [getattr(node, "callspec", None)]
    places += node.obj.__mro__ if isinstance(node, pytest.Class) else ()
    ranks = {id(mark): rank for rank, place in enumerate(places) for mark in _marks_at(place)}
    markers = [mark for mark in node.own_markers if mark.name == "gamedata"]
    return sorted(markers, key=lambda mark: ranks.get(id(mark), len(places)))


def _marks_at(place: Any) -> list[Any]:
    """Return the marks that a parameter set, or a class itself, has."""
    found = vars(place).get("pytestmark", ()) if isinstance(place, type) else getattr(place, "marks", ())
    return [getattr(mark, "mark", mark) for mark in (found if isinstance(found, list | tuple) else [found])]


def _keys() -> str:
    return ", ".join(OPTION_NAMES)


def describe_costs(costs: Costs) -> list[str]:
    """Word the summary: the server, each dataset, the databases."""
    from statistics import median

    server = costs.server
    place = (
        f"{'in RAM' if server['in_ram'] else 'on disk'}{', from the cache' if server['from_cache'] else ''}"
    )
    lines = [
        f"PostgreSQL {server['version']} ({server['source']}) {place}, started in {server['seconds']:.2f} s"
    ]
    if server["cache_problem"]:
        lines.append(f"nothing is kept for the next run: {server['cache_problem']}")
    for template in costs.templates.values():
        rows = ", ".join(f"{name} {count:,}" for name, count in template["counts"].items())
        spent = f"built in {template['build']:.2f} s, loaded in {template['load']:.2f} s"
        lines += [f"{template['spec']}", f"  {rows}: {'from the cache' if template['cached'] else spent}"]
    if costs.clones:
        databases = f"{len(costs.clones)} database{'s' * (len(costs.clones) > 1)}"
        typical = f"median {median(costs.clones) * 1000:.0f} ms"
        lines.append(f"{databases} cloned, {sum(costs.clones):.2f} s of waiting ({typical})")
    return lines
