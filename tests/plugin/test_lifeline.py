"""However a run ends, its server and its files are gone five seconds later."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

FEW_PLUGINS = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "pytest_gamedata.plugin,xdist.plugin",
}
GONE_SECONDS = 5.0
START_SECONDS = 60.0
HANG = """
    import json, os, time
    import pytest
    from pytest_gamedata.run import RUN

    @pytest.mark.parametrize("number", range(2))
    def test_hangs(gamedata_db, gamedata_server, pytestconfig, number):
        facts = {
            "pid": os.getpid(),
            "run": str(pytestconfig.stash[RUN].directory),
            "server": str(gamedata_server.directory),
            "postmaster": int((gamedata_server.directory / "data" / "postmaster.pid").read_text().split()[0]),
        }
        with open(f"half-{number}", "w") as file:
            json.dump(facts, file)
        os.rename(f"half-{number}", f"ready-{number}")
        time.sleep(60)
"""


@pytest.fixture
def start(project, own_tmp, monkeypatch):
    """Give a callable that starts a run whose tests hang, and returns it with what its tests know."""
    for name, value in FEW_PLUGINS.items():
        monkeypatch.setenv(name, value)
    with contextlib.ExitStack() as stack:

        def start(*args, tests=1):
            project.makepyfile(test_it=HANG)
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "pytest", "--gamedata-users=2", *args],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
            stack.callback(process.kill)
            ready = [project.path / f"ready-{number}" for number in range(tests)]
            wait_until(lambda: all(file.exists() for file in ready), START_SECONDS)
            return process, [json.loads(file.read_text()) for file in ready]

        yield start


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


def test_nothing_is_left_after_kill_9(start, own_tmp):
    process, [facts] = start()
    assert commands(facts["server"])
    assert commands(Path(facts["run"]).name)
    assert Path(facts["run"]).parent == own_tmp

    process.kill()

    wait_until(lambda: is_gone(facts))
    assert not list(own_tmp.glob("gamedata-*"))


def test_nothing_is_left_after_kill_9_of_a_controller_and_its_workers(start, own_tmp):
    process, workers = start("-n2", tests=2)
    assert len({worker["server"] for worker in workers}) == 1

    for pid in (process.pid, *(worker["pid"] for worker in workers)):
        os.kill(pid, signal.SIGKILL)

    wait_until(lambda: is_gone(workers[0]))
    assert not list(own_tmp.glob("gamedata-*"))


def test_nothing_is_left_after_ctrl_c(start, own_tmp):
    process, [facts] = start()

    process.send_signal(signal.SIGINT)

    said, _ = process.communicate(timeout=GONE_SECONDS)
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert is_gone(facts)
    assert "!!! KeyboardInterrupt !!!" in said
    assert "1 database cloned" in said
    assert not list(own_tmp.glob("gamedata-*"))


def test_nothing_is_left_after_ctrl_c_under_xdist(start, own_tmp):
    process, workers = start("-n2", tests=2)

    process.send_signal(signal.SIGINT)  # the terminal sends it to the workers as well
    for worker in workers:
        os.kill(worker["pid"], signal.SIGINT)

    process.communicate(timeout=2 * GONE_SECONDS)
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    wait_until(lambda: is_gone(workers[0]))
    assert not list(own_tmp.glob("gamedata-*"))
