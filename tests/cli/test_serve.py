import json
import os
import re
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
from commands import run, start

CAST = 18
QUERY = "import os, psycopg; print(psycopg.connect(os.environ['DATABASE_URL']).execute('{}').fetchone()[0])"


@pytest.fixture(autouse=True)
def place(monkeypatch):
    """Run with temporary files and a cache of its own; afterwards nothing of a server is left of them."""
    with tempfile.TemporaryDirectory(prefix="serve-") as directory:
        place = Path(directory)
        place.chmod(0o755)
        for name in ("TMPDIR", "XDG_CACHE_HOME"):
            (place / name).mkdir(mode=0o755)
            monkeypatch.setenv(name, str(place / name))
        yield place / "TMPDIR"
        wait_until_gone(place / "TMPDIR")


def wait_until_gone(place, directories=()):
    """Wait until a server is gone: the last thing that its keeper removes is the run's directory."""
    deadline = time.monotonic() + 20
    while list(place.iterdir()):
        assert time.monotonic() < deadline, list(place.iterdir())
        time.sleep(0.05)
    assert not [each for each in directories if Path(each).exists()]


def directories_in(place):
    """The directories that a server has, its data among them."""
    (plan,) = place.glob("*/plan.json")
    return json.loads(plan.read_text())["directories"]


def read_address(process):
    lines = []
    while not lines or not lines[-1].startswith("Ctrl-C"):
        lines.append(process.stdout.readline())
        assert lines[-1], process.communicate()
    return re.search(r"^URL +(\S+)$", "".join(lines), re.MULTILINE)[1], "".join(lines)


def test_a_command_gets_the_database():
    status, out, err = run(
        "serve", "--users", 1000, "--", sys.executable, "-c", QUERY.format("select count(*) from users")
    )

    assert (status, out, err) == (0, "1000\n", "")


def test_a_command_finds_it_in_the_environment_of_every_client():
    names = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "DATABASE_URL")
    program = f"import json, os; print(json.dumps([os.environ[name] for name in {names}]))"

    _, out, _ = run("serve", "--users", 5, "--", sys.executable, "-c", program)

    host, port, user, password, dbname, url = json.loads(out)
    assert url == f"postgresql://{user}:{password}@{host}:{port}/{dbname}"
    assert (host, dbname) == ("127.0.0.1", "game")


@pytest.mark.parametrize(
    ("program", "status"), [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 15)", 143)]
)
def test_the_commands_status_is_returned(program, status):
    assert run("serve", "--users", 5, "--", sys.executable, "-c", program)[0] == status


def test_a_command_that_is_not_there_is_named():
    status, out, err = run("serve", "--users", 5, "--", "no-such-command")

    assert (status, out) == (2, "")
    assert err == "Error: The command 'no-such-command' cannot be run: No such file or directory.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_lasts_until_it_is_told_to_end(place, number):
    process = start("serve", "--users", 60)
    url, told = read_address(process)
    with psycopg.connect(url) as connection:
        users = connection.execute("SELECT count(*) FROM users").fetchone()[0]
    directories = directories_in(place)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert not [each for each in directories if Path(each).exists()]

    assert (users, process.returncode, err) == (60, 0, "")
    assert f"psql '{url}'" in told
    assert re.search(r"^password +\S+ \(of every account that has one\)$", told, re.MULTILINE)
    cast = re.search(r"^cast +(.*)$", told, re.MULTILINE)[1].split(", ")
    assert len(cast) == CAST
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_nothing_is_left_after_kill_9(place):
    process = start("serve", "--users", 5)
    read_address(process)
    directories = directories_in(place)
    process.kill()
    process.communicate(timeout=60)

    wait_until_gone(place, directories)


def test_what_ends_us_ends_the_command_first(tmp_path):
    program = (
        "import pathlib, signal, sys, time\n"
        f"note = pathlib.Path({str(tmp_path / 'note')!r})\n"
        "def end(*_):\n    note.write_text('ended'); sys.exit(9)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "note.write_text('began')\n"
        "time.sleep(60)"
    )
    process = start("serve", "--users", 5, "--", sys.executable, "-c", program)
    while not (tmp_path / "note").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)

    assert process.returncode == 9
    assert (tmp_path / "note").read_text() == "ended"


def test_the_port_can_be_fixed():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = "import os; print(os.environ['PGPORT'])"

    assert run("serve", "--users", 5, "--port", port, "--", sys.executable, "-c", program)[1] == f"{port}\n"


def test_a_port_that_is_taken_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, out, err = run("serve", "--users", 5, "--port", port)

    assert (status, out) == (3, "")
    assert err == f"Error: Port {port} of 127.0.0.1 is taken. Choose another --port, or leave it out.\n"


def test_the_second_time_it_comes_from_the_cache():
    told = []
    for _ in range(2):
        process = start("serve", "--users", 5)
        told.append(read_address(process)[1])
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    assert [", from the cache" in text for text in told] == [False, True]


def test_it_checks_what_it_serves():
    """`gamedata` finds the address in the environment that it gives."""
    status, out, err = run(
        "serve",
        "--users",
        300,
        "--preset",
        "hit",
        "--",
        sys.executable,
        "-m",
        "pytest_gamedata",
        "summary",
        "--json",
    )

    assert (status, err) == (0, "")
    assert json.loads(out)["rows"]["users"] == 300


def test_a_server_that_dies_is_told_of():
    process = start("serve", "--users", 5)
    url, _ = read_address(process)
    port = url.rpartition(":")[2].partition("/")[0]
    for stat in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = stat.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"/postgres") and port.encode() in words:
            os.kill(int(stat.parent.name), signal.SIGQUIT)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 3
    assert err.startswith("Error: The server cannot be used: ")
