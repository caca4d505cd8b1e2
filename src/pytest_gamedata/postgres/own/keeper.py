"""Keep one PostgreSQL server for as long as a process of its pytest run is alive.

A process of its own (`python -I -S keeper.py`, a short program in the run's directory): it imports the standard
library only, to start fast, and its command line does not say pytest (people run `pkill -9 -f pytest`).

The keeper holds the read end of the lifeline, a named pipe whose write end every pytest process of the run holds.
End of file means that all of them have ended, in whatever way: then the keeper stops the server, keeps an image of it
for later runs, removes its files and ends. It runs initdb too, so that a run killed at that moment leaves nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .image import ImageError, unpack
from .run_files import MARK, ORIGIN, PLAN, ServerPlan, is_worth_keeping, remove_directory

ADDRESS_IN_USE = b"Address already in use"
# An immediate shutdown, because nothing is needed any more; then by force.
STOP_STEPS = ((signal.SIGQUIT, 5.0), (signal.SIGKILL, 3.0))
ORDERLY_SECONDS = 10.0
PR_SET_PDEATHSIG = 1


class _RunOverError(Exception):
    """Every process of the run has ended."""


class _TerminatedError(_RunOverError):
    """The keeper was sent SIGTERM."""


def main() -> None:
    """Carry out the plan in the working directory, then remove what it made."""
    plan = ServerPlan(**json.loads(Path(PLAN).read_bytes()))
    if os.fork() > 0:  # the keeper must not be a child of pytest, nor make it wait
        os._exit(0)
    os.chdir("/")
    os.umask(0o022)  # the account must read what we write; the directories are private
    wakeup = _catch_signals()
    try:
        _serve(plan, wakeup)
    except _TerminatedError:
        pass
    except _RunOverError:
        from .keep_image import keep_image

        if is_worth_keeping(plan):
            # no process is left to report an error to
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                keep_image(plan)
    finally:
        for directory in (*plan.directories, plan.run_dir):
            remove_directory(Path(directory))
        os._exit(0)  # at once: the run's last process may be waiting for our end


def _catch_signals() -> int:
    """Return a descriptor to read the numbers of caught signals from."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    # Ctrl-C and a closed terminal are meant for pytest: the lifeline tells us when it has ended.
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return readable


def _serve(plan: ServerPlan, wakeup: int) -> None:
    try:
        _make_files(plan)
        if _make_cluster(plan, wakeup):
            _run_server(plan, wakeup)
    except OSError as error:
        _report(plan, f"failed {error}")
    # The server failed or crashed: its log stays for the error message, until the run is over.
    _wait(None, plan, wakeup)


def _make_files(plan: ServerPlan) -> None:
    for directory in plan.directories:
        _make_directory(Path(directory))
    for source, target in plan.copies.items():
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        if Path(source).is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.a"))
        else:
            shutil.copy(source, target)
    for path, content in plan.files.items():
        Path(path).write_text(content, encoding="utf-8")
    if plan.image is not None:
        _use_image(plan, Path(plan.image))
    if plan.account is not None:  # last: root must not write where another account could have put a link
        for directory in plan.directories:
            _hand_over(Path(directory), plan.account)


def _use_image(plan: ServerPlan, image: Path) -> None:
    try:
        about = unpack(image, Path(plan.data))
    except ImageError as why:
        shutil.rmtree(plan.data, ignore_errors=True)
        image.unlink(missing_ok=True)
        _report(plan, f"unusable {why}")
    except FileNotFoundError:  # another run has removed it since
        pass
    else:
        Path(plan.run_dir, ORIGIN).write_text(json.dumps(about), encoding="utf-8")


def _make_directory(directory: Path) -> None:
    """Make a private directory, and lock it until we end: a marked one without a lock belongs to a dead run."""
    directory.mkdir(mode=0o700)
    fcntl.flock(os.open(directory, os.O_RDONLY | os.O_DIRECTORY), fcntl.LOCK_EX)
    (directory / MARK).touch()


def _hand_over(directory: Path, account: tuple[int, int]) -> None:
    try:
        os.chown(directory, *account)
        for parent, folders, files in os.walk(directory):
            for name in (*folders, *files):
                os.chown(os.path.join(parent, name), *account)  # noqa: PTH118 - a thousand of them
    except OSError as error:  # a container may have no other uid than this root's
        problem = f"root cannot give files to uid {account[0]} here ({error.strerror})"
        raise PermissionError(f"{problem}; run pytest as an ordinary user") from None


def _make_cluster(plan: ServerPlan, wakeup: int) -> bool:
    """Run the first initdb command that works: not every machine has the locale of each."""
    if Path(plan.run_dir, ORIGIN).exists():
        return True
    for command in plan.initdb:
        code = _run(command, plan, wakeup)
        if code == 0:
            _remove_maps(Path(plan.data, "base"))
            return True
    _report(plan, f"failed initdb {_describe(code)}")
    return False


def _remove_maps(databases: Path) -> None:
    """Remove the free space maps and visibility maps of the catalogs, which PostgreSQL can do without.

    They are 75 of the 300 files of a new database: a clone takes 10.4 ms without them, 12.6 with.
    """
    for kind in ("fsm", "vm"):
        for path in databases.glob(f"*/*_{kind}"):
            path.unlink()


def _run_server(plan: ServerPlan, wakeup: int) -> None:
    """Run the server on the first port that is still free."""
    for port in plan.ports:
        _report(plan, f"port {port}")
        code = _run([*plan.postgres, "-p", str(port)], plan, wakeup)
        if ADDRESS_IN_USE not in Path(plan.log).read_bytes():
            break
    _report(plan, f"failed postgres {_describe(code)}")


def _describe(code: int) -> str:
    return f"exited with status {code}" if code >= 0 else f"was ended by signal {-code}"


def _report(plan: ServerPlan, line: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # closed once the server has answered
        os.write(plan.status, f"{line}\n".encode())


def _run(command: list[str], plan: ServerPlan, wakeup: int) -> int:
    """Run the command and return its exit status; stop it if the run ends before."""
    uid, gid = plan.account or (None, None)
    with Path(plan.log).open("wb") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=plan.environment,
            user=uid,
            group=gid,
            extra_groups=None if plan.account is None else [],
            start_new_session=True,
            # It runs after the change of user, which would undo its effect. Safe: we have one thread.
            preexec_fn=_die_with_keeper(),  # noqa: PLW1509
        )
    try:
        _wait(child, plan, wakeup)
    finally:
        _stop(child, plan)
    return child.returncode


def _die_with_keeper() -> Callable[[], None] | None:
    """Return a function for a child to call: it is stopped then when the keeper is killed by force."""
    if sys.platform != "linux":
        return None  # elsewhere the next run removes the server's directory, which ends it within a minute
    keeper, prctl = os.getpid(), ctypes.CDLL(None).prctl

    def die_with_keeper() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
        if os.getppid() != keeper:
            os._exit(1)  # the keeper was killed before that call

    return die_with_keeper


def _wait(child: subprocess.Popen[bytes] | None, plan: ServerPlan, wakeup: int) -> None:
    """Wait until the child has ended; raise _RunOverError if the run ends before."""
    while child is None or child.poll() is None:
        wait_readable(plan.lifeline, wakeup)
        if signal.SIGTERM in _read_available(wakeup):
            _lock_run(plan)
            raise _TerminatedError
        if _is_at_end(plan.lifeline) and _is_abandoned(plan):
            raise _RunOverError


def wait_readable(*descriptors: int, seconds: float | None = None) -> bool:
    """Wait until one of the descriptors can be read or is at its end; tell whether one was before the time was up."""
    poll = select.poll()  # select() takes no descriptors above 1023
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if seconds is None else seconds * 1000))


def _read_available(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except BlockingIOError:
        return b""


def _is_at_end(pipe: int) -> bool:
    try:
        return os.read(pipe, 1) == b""
    except BlockingIOError:
        return False


def _is_abandoned(plan: ServerPlan) -> bool:
    """Tell whether no process holds the lifeline, while a lock keeps others from joining."""
    lock = _lock_run(plan)
    if lock is None or _is_at_end(plan.lifeline):
        return True
    os.close(lock)
    return False


def _lock_run(plan: ServerPlan) -> int | None:
    """Lock the run's directory; processes join under this lock, so none joins a server that is being stopped."""
    try:
        lock = os.open(plan.run_dir, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:  # the temporary directory was emptied
        return None
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _stop(child: subprocess.Popen[bytes], plan: ServerPlan) -> None:
    if is_worth_keeping(plan):
        child.send_signal(signal.SIGINT)  # a fast shutdown; the server's own processes take SIGINT otherwise
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(ORDERLY_SECONDS)
    for number, seconds in STOP_STEPS:
        if child.poll() is not None:
            return
        os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(seconds)
