"""The facts of a template and of a server: what they are, and how long it took to make them."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from typing import Any


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
    return {"type": "uuid" if isinstance(key, uuid.UUID) else "text", "key": str(key)}


def _read_key(found: dict[str, Any]) -> Any:
    if found.keys() != {"type", "key"}:
        return found
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
