"""The examples of the pages about own tables are true: every block of Python and ini is run."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "own_schema"


@pytest.fixture
def page(project):
    """Give a callable that writes each block of a page to the file that its first line names."""

    def page(name):
        for text in re.findall(
            r"^```(?:python|ini)\n(.*?)^```$", (ROOT / "docs" / name).read_text(), re.M | re.S
        ):
            (project.path / text.partition("\n")[0].removeprefix("# ")).write_text(text)

    return page


def test_own_tables(project, page, run):
    project.ini("pythonpath = .")
    page("own-tables.md")

    run().assert_outcomes(passed=2)


def test_adopt(project, page, run, own_cache):
    for name in ("migrations", "guild_api"):
        shutil.copytree(EXAMPLE / name, project.path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(EXAMPLE / "alembic.ini", project.path)
    (project.path / "tox.ini").unlink()
    page("adopt.md")

    run().assert_outcomes(passed=3)


@pytest.fixture
def own_cache(monkeypatch, tmp_path):
    """Keep what the inner run could keep for later ones in a directory of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
