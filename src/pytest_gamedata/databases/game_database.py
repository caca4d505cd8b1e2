"""`GameDatabase`: a test's own database, with its addresses for all kinds of clients."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_gamedata.postgres.server import Server
from pytest_gamedata.settings import DatasetSpec

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine
    from sqlalchemy.orm import Session


@dataclass
class GameDatabase:
    """A test's own seeded database.

    `counts` is rows per table as seeded, `cast` the keys of the named users, `password` the plain password
    of every password account.
    """

    server: Server = field(repr=False)
    name: str
    spec: DatasetSpec
    counts: dict[str, int]
    cast: dict[str, Any]
    _sessions: list[Session] = field(default_factory=list, repr=False)

    @property
    def password(self) -> str:
        """The plain password that every account's `password_hash` verifies."""
        return self.spec.password

    @property
    def url(self) -> URL:
        """The address for SQLAlchemy, over TCP with a password: usable from any process."""
        return self._url("postgresql+psycopg")

    @property
    def async_url(self) -> URL:
        """The address for SQLAlchemy's async engine: asyncpg where it is installed, else psycopg."""
        return self._url("postgresql+asyncpg" if find_spec("asyncpg") else "postgresql+psycopg")

    @property
    def dsn(self) -> str:
        """The address as a plain libpq URI, for any other client."""
        server = self.server
        user, password = quote(server.user, safe=""), quote(server.password, safe="")
        return f"postgresql://{user}:{password}@{server.host}:{server.port}/{quote(self.name, safe='')}"

    @property
    def env(self) -> dict[str, str]:
        """The address as environment variables, for a subprocess."""
        return {
            "PGHOST": self.server.host,
            "PGPORT": str(self.server.port),
            "PGUSER": self.server.user,
            "PGPASSWORD": self.server.password,
            "PGDATABASE": self.name,
            "DATABASE_URL": self.dsn,
        }

    @cached_property
    def engine(self) -> Engine:
        """A SQLAlchemy engine on the database, disposed after the test."""
        from sqlalchemy import create_engine

        return create_engine(self.url)

    def session(self) -> Session:
        """Open a SQLAlchemy session on the database, closed after the test."""
        from sqlalchemy.orm import Session

        self._sessions.append(Session(self.engine))
        return self._sessions[-1]

    def close(self) -> None:
        """Close the sessions and the engine."""
        for session in self._sessions:
            session.close()
        if "engine" in self.__dict__:
            self.engine.dispose()

    def _url(self, driver: str) -> URL:
        from sqlalchemy import URL

        server = self.server
        return URL.create(driver, server.user, server.password, server.host, server.port, self.name)
