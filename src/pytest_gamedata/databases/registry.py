"""The templates that a run has used, and what the run has spent."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pytest_gamedata.settings import DatasetSpec


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
