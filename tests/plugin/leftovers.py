"""What a run may have left behind, for the tests that end one: its inner tests note what there is to look for."""

import contextlib
import json
import time
from pathlib import Path

GONE_SECONDS = 5.0
# `facts()` for an inner test or conftest: where the run's server is
FACTS = """
import json, os
import pytest
from pytest_gamedata.plugin.run_state import RUN

def facts(server, config):
    return {
        "pid": os.getpid(),
        "run": str(config.stash[RUN].directory),
        "server": str(server.directory),
        "postmaster": int((server.directory / "data" / "postmaster.pid").read_text().split()[0]),
    }

def note(name, **values):
    with open(name, "a") as file:
        file.write(json.dumps(values) + "\\n")  # at once: other workers write there too
"""
# an inner conftest that notes these facts for every test
NOTE_FACTS = (
    FACTS
    + """
@pytest.fixture(autouse=True)
def noted(gamedata_server, pytestconfig):
    note("facts", **facts(gamedata_server, pytestconfig))
"""
)


def noted(project, name="facts"):
    """Return what the inner tests have noted, a line each."""
    file = project.path / name
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def wait_until(condition, seconds=GONE_SECONDS):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the deadline"
        time.sleep(0.01)


def is_gone(facts):
    return not (
        Path(facts["run"]).exists()
        or Path(facts["server"]).exists()
        or Path("/proc", str(facts["postmaster"])).exists()
        or commands(facts["server"], Path(facts["run"]).name)
    )


def commands(*words):
    """Return the command lines that have one of the words: a server has its directory, a keeper its run's name."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found += [line] if any(word in line for word in words) else []
    return found
