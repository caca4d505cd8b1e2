"""The gamedata marker, and the specification of a test: the run's, changed by the test's markers."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from pytest_gamedata.databases.registry import Run
from pytest_gamedata.errors import SettingsError
from pytest_gamedata.plugin.run_state import RUN, fix_now
from pytest_gamedata.settings import SETTINGS, DatasetSpec, resolve_spec

KEYS = tuple(name for name, setting in SETTINGS.items() if setting.in_marker)
# the line of `pytest --markers`
MARKER = (
    f"gamedata({', '.join(KEYS)}): the dataset that this test's gamedata_db holds; "
    "for example @pytest.mark.gamedata(users=5, transactions=0). Key by key the closest marker wins."
)
NEXT_ITEM = pytest.StashKey[pytest.Item | None]()


def spec_of(item: pytest.Item) -> DatasetSpec:
    """Return the specification of a test: the run's, changed key by key by its markers, the closest last.

    Raises SettingsError.
    """
    run, found = item.config.stash[RUN], dict[str, tuple[Any, str]]()
    for marker in reversed([mark for node in reversed(item.listchain()) for mark in _own_markers(node)]):
        if marker.args:
            raise SettingsError(
                f"gamedata marker: {marker.args[0]!r} has no key. Allowed: {', '.join(KEYS)}."
            )
        unknown = sorted(set(marker.kwargs) - set(KEYS))
        if unknown:
            raise SettingsError(
                f"gamedata marker: key {unknown[0]!r} is not known. Allowed: {', '.join(KEYS)}."
            )
        found |= {name: (value, f"gamedata marker: {name}") for name, value in marker.kwargs.items()}
    return resolve_spec(run.spec, fix_now(found, run.now)) if found else run.spec


def wanted_specs(run: Run, items: list[pytest.Item]) -> set[DatasetSpec]:
    """Return the specifications of a run and of all tests that have a marker."""
    marked = [item for item in items if item.get_closest_marker("gamedata")]
    return {run.spec, *map(spec_of, marked)}


def next_spec(item: pytest.Item) -> DatasetSpec | None:
    """Return the specification of the next test, None if it asks for no database."""
    following = item.stash.get(NEXT_ITEM, None)
    asks = following is not None and "gamedata_db" in getattr(following, "fixturenames", ())
    with suppress(SettingsError):  # that test reports it itself
        return spec_of(following) if following and asks else None
    return None


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
