"""What the processes of a run have told its keeper. Part of the keeper: the standard library only."""

from __future__ import annotations

import json
from pathlib import Path

from .names import NOTES, ORIGIN, SERVER

TYPE_CHECKING = False  # see keeper.py
if TYPE_CHECKING:
    from typing import Any

    from .plan import Plan


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
