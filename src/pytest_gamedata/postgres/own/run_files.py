"""The files of a run: their names, the plan that its keeper carries out, notes about its templates."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


MARK = ".gamedata"  # a file that says: this directory is ours, a later run may remove it
PLAN = "plan.json"
SERVER = "server.json"  # how to reach the server, once it answers
ORIGIN = "image.json"  # what the image said that the server was made from; not there without one
NOTES = "templates"  # a directory with a file for each template that the run has used


@dataclass(frozen=True)
class Plan:
    """What to make, to run, to keep and to remove afterwards; cluster.py decides it."""

    run_dir: str
    directories: list[str]  # to make, private to the account
    copies: dict[str, str]  # from file or tree, to
    files: dict[str, str]  # path and content
    account: tuple[int, int] | None  # uid and gid, where they are not our own
    environment: dict[str, str]
    data: str  # the data directory
    image: str | None  # what to make it from; without one, or with one that cannot be used, initdb makes it
    initdb: list[list[str]]
    postgres: list[str]
    ports: list[int]
    log: str
    sockets: str
    images: str | None  # the directory to keep an image in
    family: str  # servers of one family can start from each other's images
    single: list[str]  # the server for one session, its statements on standard input
    scrub: list[str]  # the statements that remove what is this run's own
    resetwal: list[str]
    lifeline: int  # descriptor
    status: int  # descriptor


def is_worth_keeping(plan: Plan) -> bool:
    """Tell whether a later run can use what this one has made: a cluster, or templates that may be wanted again."""
    run_dir = Path(plan.run_dir)
    if plan.images is None or not (run_dir / SERVER).exists():
        return False
    return not (run_dir / ORIGIN).exists() or any(
        note["built"] and note["keep"] for note in read_notes(run_dir).values()
    )


def read_notes(run_dir: Path) -> dict[str, dict[str, Any]]:
    """Return what the processes of the run have told of the templates that they use."""
    return {path.stem: json.loads(path.read_bytes()) for path in sorted((run_dir / NOTES).glob("*.json"))}
