"""Note when the first test body begins, and what each test waits for: a plugin, `-p phases`."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

first: list[float] = []
waits: dict[str, float] = {}


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call() -> None:
    """Note the moment of the first call, on the clock that all processes share."""
    if not first:
        first.append(time.clock_gettime(time.CLOCK_MONOTONIC))


def pytest_runtest_logreport(report: Any) -> None:
    """Add up setup, call and teardown, less the pause which is the test's own time."""
    own = float(os.environ["BENCH_PAUSE"]) if report.when == "call" else 0.0
    waits[report.nodeid] = waits.get(report.nodeid, 0.0) + report.duration - own


def pytest_sessionfinish() -> None:
    """Write down what was found."""
    found = {"first": first[0], "waits": list(waits.values())}
    Path(os.environ["BENCH_REPORT"]).write_text(json.dumps(found), encoding="utf-8")
