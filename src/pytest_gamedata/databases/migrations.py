"""Create a schema by migrations: Alembic's `upgrade head`, with an environment that names the database."""

from __future__ import annotations

import gc
import logging.config
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from pytest_gamedata.errors import LoadError, SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Engine

HAS_TABLES = """
    SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema'))
"""
END_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def alembic_schema(ini: Path) -> Callable[[Engine], None]:
    """Return a callable that migrates a database to Alembic's `head`, as `alembic -c INI upgrade head` does.

    The callable raises SettingsError if Alembic is not installed, LoadError if a migration fails.
    """

    def create_schema(engine: Engine) -> None:
        config, command = _open_alembic(ini)
        url = engine.url.set(drivername=_driver(config) or engine.url.drivername)
        config.set_main_option("sqlalchemy.url", url.render_as_string(hide_password=False).replace("%", "%%"))
        with _as_alembic_runs(ini):
            try:
                command.upgrade(config, "head")
            except Exception as error:
                raise LoadError(_describe_failure(ini, error)) from error
        _check_migrated(engine, ini, config)

    return create_schema


def _open_alembic(ini: Path) -> tuple[Any, Any]:
    try:
        from alembic import command
        from alembic.config import Config
    except ModuleNotFoundError:
        raise SettingsError(f"{ini.name} needs Alembic: pip install alembic.") from None
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
def _as_alembic_runs(ini: Path) -> Iterator[None]:
    """Run migrations as the command does, in the directory of their file; undo what that does to this process."""
    with ExitStack() as stack:
        stack.enter_context(chdir(ini.parent))
        stack.enter_context(mock.patch.object(sys, "path", [*sys.path]))
        stack.enter_context(_loggers_left_alone(ini))
        stack.enter_context(warnings.catch_warnings())
        # of env.py, and of the engine that it leaves: no test's business
        for kind in (DeprecationWarning, ResourceWarning):
            warnings.simplefilter("ignore", kind)
        yield
        gc.collect()


@contextmanager
def _loggers_left_alone(ini: Path) -> Iterator[None]:
    """Keep the loggers of the test run: Alembic's file configures none, and what others configure is undone."""
    configure = logging.config.fileConfig

    def configure_others(fname: Any, *args: Any, **options: Any) -> None:
        if not isinstance(fname, str | os.PathLike) or Path(fname).resolve() != ini.resolve():
            configure(fname, *args, **options)

    root, named = logging.getLogger(), logging.Logger.manager.loggerDict.values()
    before = {each: each.disabled for each in named if isinstance(each, logging.Logger)}
    level, handlers = root.level, root.handlers[:]
    try:
        with mock.patch.object(logging.config, "fileConfig", configure_others):
            yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
        for logger, disabled in before.items():
            logger.disabled = disabled


def _describe_failure(ini: Path, error: Exception) -> str:
    """Word the failure of a migration: where in the project, and the first line of what was wrong."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [frame for frame in frames if Path(frame.filename).is_relative_to(ini.resolve().parent)]
    own = [frame for frame in places if "site-packages" not in frame.filename]
    where = f" at {Path(own[-1].filename).relative_to(ini.resolve().parent)}:{own[-1].lineno}" if own else ""
    reason = (str(error).strip().splitlines() or [""])[0]
    return f"{ini.name}: `upgrade head` failed{where}: {type(error).__name__}: {reason}"


def _check_migrated(engine: Engine, ini: Path, config: Any) -> None:
    """Refuse migrations that went to another database.

    Raises LoadError.
    """
    from alembic.script import ScriptDirectory

    if not ScriptDirectory.from_config(config).get_heads():
        return
    with engine.connect() as connection:
        has_tables = connection.exec_driver_sql(HAS_TABLES).scalar()
    if not has_tables:  # Alembic's own, at least, whatever it is named
        raise LoadError(
            f"{ini.name}: `upgrade head` ran, but not on the database of the tests: env.py takes its address from "
            "elsewhere. Let it use config.get_main_option('sqlalchemy.url'), or DATABASE_URL as it is when env.py "
            "runs."
        )


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables while a schema is created: migrations and the programs that they start read them."""
    with mock.patch.dict(os.environ, variables):
        yield


def end_connections(engine: Engine) -> None:
    """End the connections that migrations have left: they may hold locks, and a template must have none."""
    with engine.connect() as connection:
        connection.exec_driver_sql(END_OTHERS)
