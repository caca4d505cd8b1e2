"""Clone databases before their tests and drop them afterwards, in the background."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pytest_gamedata.postgres.clones import Admin, Connection, clone_template, drop_database
from pytest_gamedata.postgres.server import Server

THREADS = 2  # one may drop while the other clones
AHEAD_MAX = 2  # clones that wait for their test: the next one's, and one of a wrong guess
BEHIND_MAX = 8  # databases that wait to be dropped
# After a test that lasted longer than a clone and a drop take, the threads start a little later and leave both cores
# to the first steps of the next test: tests of 25 ms take 32.3 ms altogether, not 34.2.
LASTING_SECONDS = 0.02
REST_SECONDS = 0.006


@dataclass
class Pool:
    """The databases of one process. Its threads work while tests run, each with a connection of its own."""

    server: Server
    _executor: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "gamedata"))
    _own: threading.local = field(default_factory=threading.local)
    _admins: list[Admin] = field(default_factory=list)
    _ahead: dict[str, tuple[str, Future[None]]] = field(default_factory=dict)  # by template
    _behind: list[Future[None]] = field(default_factory=list)
    _hurry: threading.Event = field(
        default_factory=threading.Event
    )  # a test waits for a thread, which must not rest
    _taken: float = 0.0  # when the last test took its database
    _rest: float = 0.0  # seconds that the threads wait before they start a job

    def prepare(self, template: str) -> None:
        """Begin to clone a template, unless a clone of it is waiting or being made."""
        if template in self._ahead:
            return
        while len(self._ahead) >= AHEAD_MAX:
            oldest = next(iter(self._ahead))
            name, future = self._ahead.pop(oldest)
            with self._in_a_hurry():
                wait([future])
            self.drop(name)
        name = new_name()
        self._ahead[template] = (name, self._begin(partial(clone_template, template=template, name=name)))

    def take(self, template: str, admin: Admin) -> str:
        """Return the name of an unused clone: the prepared one, else one made now."""
        admin.connect()  # raises here, before the test begins, if the server is gone
        name, future = self._ahead.pop(template, (None, None))
        with self._in_a_hurry():
            made = future is not None and future.exception() is None
        if name and not made:  # the clone made now fails for the same reason, in the test that it concerns
            self.drop(name)
        if name is None or not made:
            name = new_name()
            admin.run(partial(clone_template, template=template, name=name))
        self._taken = time.monotonic()
        return name

    def give_back(self, name: str) -> None:
        """Begin to drop the database of a test that has ended."""
        lasted = time.monotonic() - self._taken
        self._rest = REST_SECONDS if lasted > LASTING_SECONDS else 0
        self.drop(name)

    def drop(self, name: str) -> None:
        """Begin to drop a database; wait if many are still to be dropped.

        A database that cannot be dropped, because of a prepared transaction for example, goes with the server.
        """
        self._behind = [future for future in self._behind if not future.done()]
        if len(self._behind) >= BEHIND_MAX:
            with self._in_a_hurry():
                wait(self._behind[:1])
        self._behind.append(self._begin(partial(drop_database, name=name)))

    def close(self) -> None:
        """Drop the databases that are left, and close the connections."""
        self._hurry.set()
        wait([future for _, future in self._ahead.values()])
        for name, _ in self._ahead.values():
            self.drop(name)
        self._executor.shutdown()
        for each in self._admins:
            each.close()

    def _begin(self, action: Callable[[Connection], Any]) -> Future[None]:
        def work(rest: float = self._rest) -> None:
            self._hurry.wait(rest)
            self._admin().run(action)

        return self._executor.submit(work)

    @contextmanager
    def _in_a_hurry(self) -> Iterator[None]:
        self._hurry.set()
        try:
            yield
        finally:
            self._hurry.clear()

    def _admin(self) -> Admin:
        """Return the connection of this thread."""
        if not hasattr(self._own, "admin"):
            self._own.admin = Admin(self.server)
            self._admins.append(self._own.admin)
        admin: Admin = self._own.admin
        return admin


def new_name() -> str:
    """Return a new name for a database."""
    return f"gamedata_{secrets.token_hex(6)}"
