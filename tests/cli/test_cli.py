import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from commands import environment, run

COMMANDS = ("check", "clear", "seed", "serve", "summary")
SCREEN = 24, 80


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_screen_and_has_an_example(command):
    status, out, err = run(*command.split(), "--help", COLUMNS="80")

    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert len(lines) <= SCREEN[0]
    assert max(map(len, lines)) <= SCREEN[1]
    assert any(line.startswith("  Example: gamedata ") for line in lines)


def test_the_commands_are_pinned():
    listed = run("--help")[1].partition("Commands:\n")[2].partition("\n\n")[0]

    assert tuple(line.split()[0] for line in listed.splitlines()) == COMMANDS


def test_the_command_is_installed():
    (script,) = entry_points(group="console_scripts", name="gamedata")

    assert script.value == "pytest_gamedata.__main__:main"


@pytest.mark.parametrize("args", [["nonsense"], ["seed", "--nonsense"], ["summary", "--users", "many"]])
def test_usage_errors_exit_with_2(args):
    assert run(*args)[0] == 2


@pytest.mark.parametrize(("hidden", "names"), [(["click"], "click"), (["click", "rich"], "click and rich")])
def test_without_its_extra_it_says_how_to_install_it(tmp_path, hidden, names):
    program = (
        "import importlib.util, sys\n"
        "find = importlib.util.find_spec\n"
        f"importlib.util.find_spec = lambda name: None if name in {hidden} else find(name)\n"
        "from pytest_gamedata.__main__ import main\n"
        "sys.exit(main())"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment())

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"gamedata needs {names}: pip install 'pytest-gamedata[cli]'\n"


def test_shells_can_complete_it():
    done = run("seed", _GAMEDATA_COMPLETE="bash_source")

    assert (done[0], "_gamedata_completion" in done[1]) == (0, True)
    words = {
        "_GAMEDATA_COMPLETE": "bash_complete",
        "COMP_WORDS": "gamedata seed --preset h",
        "COMP_CWORD": "3",
    }
    assert run(**words)[1] == "plain,hit\n"


@pytest.mark.parametrize("command", ["clear", "summary"])
def test_sizes_that_change_nothing_are_taken_too(empty, command):
    sizes = ("--users", 5, "--preset", "hit", "--until", "2025-01-01")
    run("seed", "--url", empty.dsn, *sizes)

    assert run(command, "--url", empty.dsn, *sizes, *(["--yes"] if command == "clear" else []))[0] == 0
