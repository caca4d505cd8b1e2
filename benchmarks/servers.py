"""A throwaway server for a script, as the plugin starts one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_gamedata.postgres.own.binaries import find_binaries
from pytest_gamedata.postgres.own.join import join_server, leave_server
from pytest_gamedata.postgres.server import Server


@contextmanager
def started_server() -> Iterator[Server]:
    """Start a throwaway server, as the plugin does, and leave nothing of it behind."""
    with tempfile.TemporaryDirectory() as parent:
        Path(parent).chmod(0o755)  # the server's account must get through
        directory = Path(parent) / "gamedata"
        try:
            yield join_server(directory, find_binaries)
        finally:
            leave_server(directory)
