"""However a run ends, its server and its files are gone five seconds later."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from leftovers import FACTS, GONE_SECONDS, NOTE_FACTS, commands, is_gone, noted, wait_until

FEW_PLUGINS = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "pytest_gamedata.plugin,xdist.plugin",
}
START_SECONDS = 60.0
HANG = (
    FACTS
    + """
import time

@pytest.mark.parametrize("number", range(2))
def test_hangs(gamedata_db, gamedata_server, pytestconfig, number):
    note(f"half-{number}", **facts(gamedata_server, pytestconfig))
    os.rename(f"half-{number}", f"ready-{number}")
    time.sleep(60)
"""
)


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


def endings(*lines):
    """Return tests the third of which ends in its own way."""
    return f"""
import os
import pytest

@pytest.mark.parametrize("number", range(6))
def test_it(gamedata_session, number):
    gamedata_session.connection()
    if number == 2:
        {"; ".join(lines)}
"""


@pytest.mark.parametrize(
    ("args", "ending", "code"),
    [
        (["-x", "-p", "no:xdist.plugin"], "assert False", pytest.ExitCode.TESTS_FAILED),
        (["--maxfail=1", "-n2"], "assert False", pytest.ExitCode.INTERRUPTED),
        ([], "pytest.exit('enough')", pytest.ExitCode.INTERRUPTED),
        ([], "raise KeyboardInterrupt", pytest.ExitCode.INTERRUPTED),
        (["-n2"], "raise KeyboardInterrupt", pytest.ExitCode.INTERRUPTED),
        (["--setup-only"], "assert False", pytest.ExitCode.OK),
    ],
    ids=["x", "maxfail-n2", "exit", "interrupt", "interrupt-n2", "setup-only"],
)
def test_nothing_is_left_when_pytest_returns(project, run, own_tmp, args, ending, code):
    project.makeconftest(NOTE_FACTS)
    project.makepyfile(test_it=endings(ending))

    result = run("--gamedata-users=1", *args)

    assert result.ret == code
    assert "Traceback" not in result.stderr.str()
    facts = noted(project)
    assert len({each["postmaster"] for each in facts}) == 1
    assert all(is_gone(each) for each in facts)
    assert not list(own_tmp.iterdir())


def test_nothing_is_left_of_a_process_that_ends_at_once(project, run, own_tmp):
    project.makeconftest(NOTE_FACTS)
    project.makepyfile(test_it=endings("os._exit(3)"))

    assert run("--gamedata-users=1").ret == 3

    wait_until(lambda: is_gone(noted(project)[0]))
    assert not list(own_tmp.iterdir())


def test_failed_tests_can_be_run_again(project, run, own_tmp):
    project.makeini("[pytest]")  # with the cache
    project.makeconftest(NOTE_FACTS)
    project.makepyfile(test_it=endings("assert False"))

    run("--gamedata-users=1").assert_outcomes(passed=5, failed=1)
    run("--gamedata-users=1", "--lf").assert_outcomes(failed=1)

    assert len({each["postmaster"] for each in noted(project)}) == 2
    assert all(is_gone(each) for each in noted(project))
    assert not list(own_tmp.iterdir())
