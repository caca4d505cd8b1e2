"""What the tests of the command line share: the command as a user starts it, and what it may change."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import psycopg

STATE = """
    SELECT relname, relkind::text, relfilenode::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT conname, 'constraint', pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT sequencename, 'sequence', coalesce(last_value::text, '-') FROM pg_sequences
    UNION ALL SELECT 'users', 'note', coalesce(obj_description(to_regclass('users')), '-')
    ORDER BY 1, 2, 3
"""


def environment(**more):
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "DATABASE_URL"))}
    return outer | {"NO_COLOR": "1"} | more


started = []  # by the test that runs


def start(*args, **options):
    command = [sys.executable, "-m", "pytest_gamedata", *map(str, args)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started.append(subprocess.Popen(command, **(pipes | {"env": environment()} | options)))
    return started[-1]


def end_all():
    """End what a test that failed has left running."""
    while started:
        process = started.pop()
        if process.poll() is None:
            process.kill()
            process.communicate()


def run(*args, answer=None, **more):
    """Run the command to its end; its status, stdout and stderr."""
    stdin = subprocess.DEVNULL if answer is None else subprocess.PIPE
    process = start(*args, env=environment(**more), stdin=stdin)
    out, err = process.communicate(answer, timeout=300)
    return process.returncode, out, err


def seeded(database, *args):
    status, out, err = run("seed", "--url", database.dsn, *args)
    assert (status, err) == (0, "")
    return out


def state(database):
    """Everything of a database that a seeding may change: files, keys, sequences, rows."""
    with psycopg.connect(database.dsn) as connection:
        found = connection.execute(STATE).fetchall()
        tables = [name for name, kind, _ in found if kind == "r"]
        rows = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone() for name in tables}
    return found, rows


def wait_until_alone(database, seconds=20):
    """Wait until nobody else is connected: a killed client's backend notices at its next step."""
    deadline = time.monotonic() + seconds
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        while connection.execute(query).fetchone() != (0,):
            assert time.monotonic() < deadline, "somebody is still connected"
            time.sleep(0.02)


def interrupt(process, seconds, number=signal.SIGINT):
    """Send a signal after so many seconds; the status, None if the process had ended before."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
        process.communicate()
        return None
    process.send_signal(number)
    process.communicate(timeout=60)
    return process.returncode
