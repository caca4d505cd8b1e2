"""What tests through the front door share: an inner pytest run, as a user starts it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

INI = """\
[pytest]
addopts = --strict-markers -p no:cacheprovider -p no:randomly
filterwarnings = error
"""


@pytest.fixture
def project(pytester, monkeypatch):
    """Give an empty project; its `ini` adds lines to the ini that all of these projects share."""
    for name in list(os.environ):
        if name.startswith(("PYTEST_XDIST", "PG", "POSTGRESQL_")):  # the outer run's, or the user's
            monkeypatch.delenv(name)

    def ini(*lines):
        return pytester.makeini(INI + "\n".join(lines))

    pytester.ini = ini
    ini()
    return pytester


@pytest.fixture
def run(project):
    """Give a callable that runs pytest on the project in a process of its own."""

    def run(*args):
        return project.runpytest_subprocess(*args, timeout=60)

    return run


@pytest.fixture
def refuse(project):
    """Give a callable that runs pytest where it must stop at its settings, and returns what it says."""

    def refuse(*args):
        result = project.runpytest_inprocess(*args)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert not result.stdout.str().strip()
        return [line for line in result.errlines if line]

    return refuse


@pytest.fixture
def own_tmp(monkeypatch):
    """Give the project a temporary directory of its own, with a path that is short enough for sockets."""
    directory = Path(tempfile.mkdtemp(prefix="gdt-"))
    directory.chmod(0o755)  # the server's account must get through
    monkeypatch.setenv("TMPDIR", str(directory))
    yield directory
    shutil.rmtree(directory)
