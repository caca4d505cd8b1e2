"""Create a schema by migrations: Alembic's `upgrade head`, with an environment that names the database."""

from __future__ import annotations

import logging.config
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from pytest_gamedata.errors import SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Engine


def alembic_schema(ini: Path) -> Callable[[Engine], None]:
    """Return a callable that migrates a database to Alembic's `head`, as `alembic -c INI upgrade head` does.

    The callable raises SettingsError if Alembic is not installed.
    """

    def create_schema(engine: Engine) -> None:
        config, command = _open_alembic(ini)
        url = engine.url.set(drivername=_driver(config) or engine.url.drivername)
        config.set_main_option("sqlalchemy.url", url.render_as_string(hide_password=False).replace("%", "%%"))
        with ExitStack() as stack:
            stack.enter_context(chdir(ini.parent))
            stack.enter_context(mock.patch.object(sys, "path", [*sys.path]))
            stack.enter_context(_loggers_left_alone(ini))
            stack.enter_context(warnings.catch_warnings())  # of an alembic.ini: no test's business
            warnings.simplefilter("ignore", DeprecationWarning)
            command.upgrade(config, "head")

    return create_schema


def _open_alembic(ini: Path) -> tuple[Any, Any]:
    try:
        from alembic import command
        from alembic.config import Config
    except ModuleNotFoundError:
        raise SettingsError("ini gamedata_alembic needs Alembic: pip install alembic.") from None
    return Config(str(ini.resolve())), command


def _driver(config: Any) -> str | None:
    """Return the driver that the file's own address names, if it is one for PostgreSQL: asyncpg's, say."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        name = make_url(config.get_main_option("sqlalchemy.url") or "").drivername
    except ArgumentError:
        return None
    return name if name.startswith("postgresql+") else None


@contextmanager
def _loggers_left_alone(ini: Path) -> Iterator[None]:
    """Let nobody configure logging by Alembic's file: it would silence the loggers of the test run."""
    configure = logging.config.fileConfig

    def configure_others(fname: Any, *args: Any, **options: Any) -> None:
        if not isinstance(fname, str | os.PathLike) or Path(fname).resolve() != ini.resolve():
            configure(fname, *args, **options)

    with mock.patch.object(logging.config, "fileConfig", configure_others):
        yield


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables while a schema is created: migrations and the programs that they start read them."""
    with mock.patch.dict(os.environ, variables):
        yield
