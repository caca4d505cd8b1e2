"""Templates and their clones, each on a server of its own."""

import os
import platform
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pytest_gamedata.postgres.own.binaries import find_binaries, major_version

EXEC = os.environ.get("GAMEDATA_TEST_POSTGRESQL_EXEC")  # to run these tests with another server

# Clones a template on a server of its own; says how files were to be copied before and after, and what is in the clone.
CLONE = f"""
import sys
from pathlib import Path
from pytest_gamedata.postgres.own.binaries import find_binaries
from pytest_gamedata.postgres.own.join import join_server, leave_server
from pytest_gamedata.postgres.clones import clone_template, connect, connect_admin

def method(admin):
    return admin.execute("SELECT max(setting) FROM pg_settings WHERE name = 'file_copy_method'").fetchone()[0]

run_dir = Path(sys.argv[1])
server = join_server(run_dir, lambda: find_binaries({EXEC!r}))
try:
    with connect_admin(server) as admin:
        before = method(admin)
        clone_template(admin, "template0", "one")
        with connect(server, "one") as connection:
            connection.execute("CREATE TABLE t AS SELECT generate_series(1, 10000) AS n")
        clone_template(admin, "one", "two")
        with connect(server, "two") as connection:
            rows = connection.execute("SELECT count(*), sum(n) FROM t").fetchone()
        print(before, method(admin), *rows)
finally:
    leave_server(run_dir)
"""
# Has the kernel refuse copy_file_range() to this process and its children, as some sandboxes do.
REFUSE = """
import ctypes, platform, struct
number = {"x86_64": 326, "aarch64": 285}[platform.machine()]
load, is_equal, answer = 0x20, 0x15, 0x06
ENOSYS, ALLOW = 0x00050000 | 38, 0x7FFF0000
steps = [(load, 0, 0, 0), (is_equal, 0, 1, number), (answer, 0, 0, ENOSYS), (answer, 0, 0, ALLOW)]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
filter = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(program))
prctl = ctypes.CDLL(None, use_errno=True).prctl
assert prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
assert prctl(22, 2, filter, 0, 0) == 0, ctypes.get_errno()  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
"""


def say(program):
    run_dir = Path(tempfile.gettempdir(), f"gamedata-{secrets.token_hex(4)}")
    command = [sys.executable, "-c", program, run_dir]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def has_file_copy_method():
    return major_version(find_binaries(EXEC)) >= 18


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it depends on the file system")
def test_the_kernel_copies_files_where_it_can():
    method = "clone" if has_file_copy_method() else "None"

    assert say(CLONE) == [method, method, "10000", "50005000"]


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp")
@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="the number of the system call")
def test_the_server_copies_files_where_the_kernel_does_not():
    if not has_file_copy_method():
        pytest.skip("PostgreSQL has a choice since 18")

    assert say(REFUSE + CLONE) == ["clone", "copy", "10000", "50005000"]
