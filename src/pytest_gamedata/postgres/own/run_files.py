"""Files of a run: the names in its directory, the keeper's instructions, and records of the templates in use.

Part of the keeper: the standard library only.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

MARK = ".gamedata"  # a file that says: this directory is ours, a later run may remove it
LIFELINE = "lifeline"  # a named pipe: the keeper reads it, every process of the run holds its write end
PLAN = "plan.json"
SERVER = "server.json"  # how to reach the server, once it answers
ORIGIN = "image.json"  # the description of the image that the server was made from; missing without an image
TEMPLATES = "templates"  # a directory with a file for each template that the run has used
REMOVE_SECONDS = 5.0


class ServerPlan(NamedTuple):
    """Instructions for the keeper: what to make, run, keep for later runs and remove; cluster.py writes them."""

    run_dir: str
    directories: list[str]  # to make, private to the account
    copies: dict[str, str]  # from file or directory, to
    files: dict[str, str]  # path and content
    account: tuple[int, int] | None  # uid and gid, where they are not our own
    environment: dict[str, str]
    data: str  # the data directory
    image: str | None  # to unpack into the data directory; initdb runs without one, and when it is unusable
    initdb: list[list[str]]  # commands to try, the first that works counts
    postgres: list[str]
    ports: list[int]
    log: str
    sockets: str
    images: str | None  # the directory to keep an image in
    family: str  # servers of one family can start from each other's images
    single: list[str]  # the server for one session, its statements on standard input
    scrub: list[str]  # statements that remove what must not be kept
    resetwal: list[str]
    lifeline: int  # descriptor
    status: int  # descriptor to report the start's progress to


def is_worth_keeping(plan: ServerPlan) -> bool:
    """Tell whether later runs gain from an image of this server: a new cluster, or a new template to keep."""
    run_dir = Path(plan.run_dir)
    if plan.images is None or not (run_dir / SERVER).exists():
        return False
    records = read_template_records(run_dir).values()
    return not (run_dir / ORIGIN).exists() or any(record["built"] and record["keep"] for record in records)


def read_template_records(run_dir: Path) -> dict[str, dict[str, Any]]:
    """Return what the processes of the run have recorded about each template that they use, by its name."""
    return {path.stem: json.loads(path.read_bytes()) for path in sorted((run_dir / TEMPLATES).glob("*.json"))}


def remove_directory(directory: Path) -> None:
    """Remove a directory; try again for as long as a server that is shutting down still writes to it."""
    deadline = time.monotonic() + REMOVE_SECONDS
    while time.monotonic() < deadline:
        try:
            shutil.rmtree(directory)
        except FileNotFoundError:
            if not directory.exists():
                return
        except OSError:
            time.sleep(0.01)
        else:
            return  # without another look: a new run may have made it again
