"""One pytest run: its settings, the templates that it uses, and what it has spent."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_gamedata.settings import DatasetSpec

if TYPE_CHECKING:
    from pytest_gamedata.databases.key_files import KeyFiles
    from pytest_gamedata.databases.parts import Parts

STARTED = time.time()  # pytest loads its plugins before it loads any code of a test suite


@dataclass(frozen=True)
class Facts:
    """The facts of a template, kept with it as the comment of its database."""

    spec: str
    counts: dict[str, int]
    cast: dict[str, Any]  # keys of the users' table by role
    build_seconds: float
    load_seconds: float
    run: str = ""  # the run that built it, as its directory is named
    keep: bool = False  # for later runs

    def to_json(self) -> str:
        """Return the facts as text."""
        return json.dumps(asdict(self), default=_describe_key)

    @classmethod
    def from_json(cls, text: str) -> Facts:
        """Read what `to_json` has written."""
        return cls(**json.loads(text, object_hook=_read_key))


def _describe_key(key: Any) -> dict[str, str]:
    """Return a key that JSON has no form for, with its type."""
    import uuid  # a run that does not use the plugin imports this module too

    return {"type": "uuid" if isinstance(key, uuid.UUID) else "text", "key": str(key)}


def _read_key(found: dict[str, Any]) -> Any:
    if found.keys() != {"type", "key"}:
        return found
    import uuid

    return uuid.UUID(found["key"]) if found["type"] == "uuid" else found["key"]


@dataclass(frozen=True)
class Template:
    """A template on the run's server."""

    name: str
    facts: Facts


@dataclass(frozen=True)
class ServerCosts:
    """The start of the server, and what kind of server it is."""

    version: str
    source: str
    in_ram: bool
    from_cache: bool
    seconds: float
    cache_problem: str | None  # why nothing is kept for the next run


@dataclass
class Costs:
    """The costs of a run: of the server, of each template by its name, of each clone in seconds."""

    server: ServerCosts | None = None
    templates: dict[str, Facts] = field(default_factory=dict)
    clones: list[float] = field(default_factory=list)

    def to_send(self) -> dict[str, Any]:
        """Return all of it in the form that xdist can send."""
        templates = {name: facts.to_json() for name, facts in self.templates.items()}
        return {"server": self.server and asdict(self.server), "templates": templates, "clones": self.clones}

    def add(self, other: dict[str, Any]) -> None:
        """Add what an xdist worker has spent, as `to_send` gives it."""
        server = other["server"] and ServerCosts(**other["server"])
        if server and (self.server is None or server.seconds > self.server.seconds):
            self.server = server
        self.templates |= {name: Facts.from_json(facts) for name, facts in other["templates"].items()}
        self.clones += other["clones"]


@dataclass(frozen=True)
class Run:
    """One pytest run, the same for its controller and all its workers."""

    directory: Path  # small, and there once a server is: its processes find that through it
    now: datetime  # what `now` means in every process of the run
    spec: DatasetSpec
    home: str  # the project's directory
    key_files: KeyFiles | None = None  # of the ini key gamedata_cache_key
    costs: Costs = field(default_factory=Costs)
    # the templates that this process has used, by specification and the origins of its parts
    templates: dict[Any, Template] = field(default_factory=dict)


def find_template(run: Run, spec: DatasetSpec | None, parts: Parts) -> Template | None:
    """Return the template that this process has used for a dataset, else None."""
    return run.templates.get((spec, parts.origins))


def remember_template(run: Run, spec: DatasetSpec, parts: Parts, template: Template) -> None:
    """Note a template that this process uses."""
    run.costs.templates[template.name] = template.facts
    run.templates[spec, parts.origins] = template
