"""Start a keeper, which starts a server, and make the role that tests use."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pytest_gamedata.errors import CacheWarning, ServerError
from pytest_gamedata.postgres.own.binaries import Binaries
from pytest_gamedata.postgres.own.cluster import ROLE, ServerOptions, make_plan
from pytest_gamedata.postgres.own.directories import RAM
from pytest_gamedata.postgres.own.keeper import wait_readable
from pytest_gamedata.postgres.own.run_files import ORIGIN, PLAN, ServerPlan
from pytest_gamedata.postgres.server import Server

if TYPE_CHECKING:
    from psycopg import Connection


START_TIMEOUT_SECONDS = 60.0
REPORT_POLL_SECONDS = 0.002
LOG_LINES = 10
SCRAM_ROUNDS = 1  # more protect a weak password; ours has 256 random bits
KEEPER_LOG = "keeper.log"
# The keeper's program. `python -m pytest_gamedata...` would be shorter, but people run `pkill -9 -f pytest`: so that
# the keeper survives and clears up, its command line must not say pytest. It imports this package as `own`.
KEEPER = """\
import sys
sys.path.append({directory!r})
from own.keeper import main
main()
"""


def start_server(run_dir: Path, binaries: Binaries, options: ServerOptions, lifeline: int) -> Server:
    """Start a keeper that reads the lifeline, wait until its server answers, and make the tests' role."""
    began = time.monotonic()
    status, report = os.pipe()
    with os.fdopen(status, "rb", buffering=0) as reports:
        with os.fdopen(report, "wb"):  # closed once the keeper has it, so that we see when the keeper ends
            plan = make_plan(run_dir, binaries, options, lifeline, report)
            write_private(run_dir / PLAN, json.dumps(plan._asdict()))
            _spawn_keeper(run_dir, (lifeline, report))
        if plan.image is None:
            options.during_initdb()
        connection, port = _connect(plan, reports, binaries)
    from_cache = (run_dir / ORIGIN).exists()
    with connection:
        password = _make_role(connection, "ALTER" if from_cache else "CREATE")
    directory = Path(plan.log).parent
    return Server(
        host="127.0.0.1",
        port=port,
        user=ROLE,
        password=password,
        dbname="postgres",
        version=binaries.version,
        source=binaries.source,
        directory=directory,
        in_ram=directory.parent == RAM,
        from_cache=from_cache,
        seconds=time.monotonic() - began,
    )


def _make_role(connection: Connection[Any], verb: str) -> str:
    """Create or alter the tests' role, and return its new password."""
    password = secrets.token_urlsafe()
    verifier = _make_verifier(password)
    connection.execute(f"{verb} ROLE {ROLE} LOGIN CREATEDB PASSWORD '{verifier}'".encode())
    return password


def write_private(path: Path, content: str) -> None:
    """Write a file that only our own account can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)


def _spawn_keeper(run_dir: Path, descriptors: tuple[int, ...]) -> None:
    """Start the keeper, which goes on in the background and inherits nothing but the descriptors."""
    program = KEEPER.format(directory=str(Path(__file__).parents[1]))
    (run_dir / "keeper.py").write_text(program, encoding="utf-8")
    # The path of a virtual environment may say pytest too; that of its base interpreter hardly ever does, and the
    # program has a relative path.
    python = getattr(sys, "_base_executable", sys.executable)
    with (run_dir / KEEPER_LOG).open("wb") as log:
        done = subprocess.run(
            [python, "-I", "-S", "keeper.py", run_dir.name],
            cwd=run_dir,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            pass_fds=descriptors,
            start_new_session=True,
            check=False,
        )
    if done.returncode != 0:
        raise ServerError(
            f"The server's keeper did not start ({python!r}).{describe_log(run_dir / KEEPER_LOG)}"
        )


def _connect(plan: ServerPlan, reports: BinaryIO, binaries: Binaries) -> tuple[Connection[Any], int]:
    """Connect as the superuser as soon as the server answers; raise ServerError as soon as it has ended."""
    import psycopg  # slow, but initdb is running meanwhile

    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    port, problem = 0, "initdb is still running"
    while time.monotonic() < deadline:
        for word, _, rest in (line.partition(" ") for line in _read_reports(reports)):
            if word == "failed":
                raise _start_error(plan, binaries, rest)
            if word == "unusable":
                text = f"The cached server {plan.image!r} cannot be used: {rest}."
                warnings.warn(f"{text} It was removed, and all is built anew.", CacheWarning, stacklevel=2)
            else:
                port = int(rest)
        if port:
            try:
                return psycopg.connect(_superuser_conninfo(plan.sockets, port)), port
            except psycopg.OperationalError as error:
                problem = str(error)
    raise _start_error(plan, binaries, f"no answer within {START_TIMEOUT_SECONDS:g} s: {problem}")


def _superuser_conninfo(sockets: str, port: int) -> str:
    from psycopg.conninfo import make_conninfo

    # All else is stated too: otherwise PGHOSTADDR, PGOPTIONS and so on in the user's environment would set it.
    return make_conninfo(
        host=sockets,
        port=port,
        user="postgres",
        dbname="postgres",
        hostaddr="",
        options="",
        sslmode="disable",
        gssencmode="disable",
        channel_binding="disable",
        target_session_attrs="any",
        connect_timeout=10,
    )


def _read_reports(reports: BinaryIO) -> list[str]:
    """Return the keeper's reports of the last few milliseconds."""
    if not wait_readable(reports.fileno(), seconds=REPORT_POLL_SECONDS):
        return []
    lines = reports.read(65536).decode().splitlines()
    return lines or ["failed its keeper has ended"]


def _start_error(plan: ServerPlan, binaries: Binaries, reason: str) -> ServerError:
    log = Path(plan.log) if Path(plan.log).exists() else Path(plan.run_dir, KEEPER_LOG)
    started = f"PostgreSQL {binaries.version} ({binaries.source}) did not start"
    return ServerError(f"{started}: {reason}.{describe_log(log)}")


def describe_log(log: Path) -> str:
    """Return the last lines of a log, worded as the end of an error message."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return f" Its log {str(log)!r} is gone."
    if not lines:
        return " Its log is empty."
    return " The end of its log:\n" + "\n".join(f"  {line}" for line in lines[-LOG_LINES:])


def _make_verifier(password: str) -> str:
    """Return the SCRAM verifier of the password: sent in its place, it keeps the password out of the server's log."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    key = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, key)]
    return f"SCRAM-SHA-256${SCRAM_ROUNDS}:{encoded[0]}${encoded[1]}:{encoded[2]}"
