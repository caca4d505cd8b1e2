import re
from pathlib import Path

import pytest

from pytest_gamedata.settings import SETTINGS

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language == "python"]
# what differs from run to run, and from machine to machine
VARIES = r"\d+\.\d+ s\b|\d+ ms\b|\d+\.\d+s\b|PostgreSQL \d+\.\d+ \([^)]*\)|in RAM|on disk|={3,}"


@pytest.fixture
def readme_files(pytester, quiet_environment):
    """Every block of Python as the file that its first line names."""
    for text in PYTHON:
        name = text.partition("\n")[0].removeprefix("# ")
        (pytester.path / name).write_text(text)


def pattern(line):
    """An output line as a pattern that matches it in another run."""
    parts = re.split(VARIES, line)
    return "*".join(part.replace("[", "[[]") for part in parts)


def test_the_first_screen_is_real(pytester, readme_files):
    (pytester.path / "conftest.py").unlink()
    shown = next(text for language, text in BLOCKS if language == "console").splitlines()
    command, output = shown[1].removeprefix("$ pytest "), [line for line in shown[2:] if line]

    result = pytester.runpytest_subprocess(command, "test_shop.py", "-p", "no:randomly")

    result.stdout.fnmatch_lines([pattern(line) for line in output])


def test_every_block_of_python_passes(pytester, readme_files):
    result = pytester.runpytest_subprocess("-Werror")

    result.assert_outcomes(passed=5)


def test_the_first_screen_fits_and_the_page_is_short():
    assert README.index("passed in") < README.index("\n## ")
    assert len(README[: README.index("passed in")].splitlines()) <= 40
    assert len(README.splitlines()) <= 200


def test_every_setting_of_a_test_is_in_the_table_with_its_default():
    for setting in SETTINGS.values():
        if setting.in_marker:
            default = {None: "natural"}.get(setting.default, setting.default_text)
            shown = f"`{default}`" if setting.choices else default
            assert f"| `{setting.flag}={setting.metavar}` | {shown} |" in README


def test_every_message_in_the_table_is_one_of_ours():
    source = "".join(path.read_text() for path in (Path(__file__).parents[1] / "src").rglob("*.py"))
    table = README[README.index("## When something is wrong") : README.index("## Limits")]
    messages = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)

    assert len(messages) == 7
    for message in messages:
        for part in filter(None, message.split("…")):
            assert part.strip(" :.-") in source, message
