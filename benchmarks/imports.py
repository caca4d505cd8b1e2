"""What the plugin costs a pytest run that does not use it."""

from __future__ import annotations

import json
from functools import partial

from environment import run
from measuring import Bench, Figures, Row, Target, interleave
from runs import WITHOUT_OURS, prepare

OURS, PEER = "ours", "pytest-postgresql"
WITHOUT_BOTH = (*WITHOUT_OURS, "-p", "no:pytest_postgresql")
TARGET = Target(most=5, why="3.7 ms to import, the rest is pytest's assertion rewriting")


def measure_imports(bench: Bench, name: str) -> list[Row]:
    """Measure the imports of an empty test with and without us, and without pytest-postgresql too."""
    prepare(bench)
    found = interleave(name, bench.rounds, {OURS: partial(time_imports, bench)})[OURS]
    peer = (PEER, found["peer ms"])
    return [
        Row("imports of our own modules, plugin unused", found["own ms"], "ms", *peer, target=TARGET),
        Row("the same with what only they import", found["all ms"], "ms", *peer),
    ]


def time_imports(bench: Bench) -> Figures:
    """Return the time of our own modules, of all that only we import, and of all that only the peer does."""
    neither = import_times(bench, *WITHOUT_BOTH)
    peer = import_times(bench, *WITHOUT_OURS)
    ours = import_times(bench)
    return {
        "own ms": sum(ms for name, ms in ours.items() if name.split(".")[0] == "pytest_gamedata"),
        "all ms": sum(ms for name, ms in ours.items() if name not in peer),
        "peer ms": sum(ms for name, ms in peer.items() if name not in neither),
    }


def import_times(bench: Bench, *args: str) -> dict[str, float]:
    """Return the milliseconds that each module takes by itself in a run of an empty test."""
    output = run(bench.environment, "import_times.py", *args, "test_empty.py").stdout
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    return found
