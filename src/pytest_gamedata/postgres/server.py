"""A running PostgreSQL server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Server:
    """A running server, as a role that is no superuser reaches it."""

    host: str
    port: int
    user: str
    password: str
    dbname: str
    version: str
    source: str
    directory: Path
    in_ram: bool
    from_cache: bool
    seconds: float
