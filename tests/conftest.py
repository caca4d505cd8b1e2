"""What tests through the front door share: an inner pytest run, as a user starts it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

INI = """\
[pytest]
addopts = --strict-markers -p no:cacheprovider
gamedata_cache = off
filterwarnings = error
"""
# Whatever else is installed doubles the time that an inner run takes.
FEW_PLUGINS = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "pytest_gamedata.plugin,pytest_postgresql.plugin,xdist.plugin",
}
# What connects somewhere, what the outer run says of itself, and what changes pytest's lines (it cuts none under CI).
OUTER_VARIABLES = (
    "PG",
    "POSTGRESQL_",
    "PYTEST_",
    "CI",
    "BUILD_NUMBER",
    "COLUMNS",
    "FORCE_COLOR",
    "PY_COLORS",
)


@pytest.fixture
def quiet_environment(monkeypatch):
    """Take away the variables by which the outer run or its machine would change what an inner run prints."""
    for name in [name for name in os.environ if name.startswith(OUTER_VARIABLES)]:
        monkeypatch.delenv(name)


@pytest.fixture
def project(pytester, quiet_environment):
    """Give an empty project; its `ini()` adds lines to what all of these have in their ini file."""
    pytester.ini = lambda *lines: pytester.makeini(INI + "\n".join(lines))
    pytester.ini()
    return pytester


@pytest.fixture
def run(project, monkeypatch):
    """Give a callable that runs pytest in a process of its own, with few plugins or with all that are installed."""

    def run(*args, installed=False):
        with monkeypatch.context() as patch:
            for name, value in FEW_PLUGINS.items():
                if not installed:
                    patch.setenv(name, value)
            return project.runpytest_subprocess(*args, timeout=60)

    return run


@pytest.fixture
def collect(project, monkeypatch):
    """Give a callable that runs pytest in this process with our plugin alone: fast, for what needs no server."""

    def collect(*args):
        with monkeypatch.context() as patch:
            patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
            return project.runpytest_inprocess("-p", "pytest_gamedata.plugin", *args)

    return collect


@pytest.fixture
def refuse(collect):
    """Give a callable that runs pytest where it must stop at its settings, and returns what it says."""

    def refuse(*args):
        result = collect(*args)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert not result.stdout.str().strip()
        return [line for line in result.errlines if line]

    return refuse


@pytest.fixture
def own_tmp(monkeypatch):
    """Give the inner run a temporary directory of its own, with a path that is short enough for sockets."""
    directory = Path(tempfile.mkdtemp(prefix="gdt-"))
    directory.chmod(0o755)  # the server's account must get through
    monkeypatch.setenv("TMPDIR", str(directory))
    yield directory
    shutil.rmtree(directory)
