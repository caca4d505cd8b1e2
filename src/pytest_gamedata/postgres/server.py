"""Describe a running PostgreSQL server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Server:
    """A running server, with the address and the role that tests use; the role is no superuser."""

    host: str
    port: int
    user: str
    password: str
    dbname: str
    version: str
    source: str  # of the binaries: a wheel and its version, or a directory
    directory: Path
    in_ram: bool
    from_cache: bool  # started from an image of an earlier run
    seconds: float  # that the start took
