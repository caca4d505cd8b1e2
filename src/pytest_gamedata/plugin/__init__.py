"""The hooks: options, marker checks, header, summary. Imports nothing heavy: every pytest run loads it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict
from typing import Any

import pytest

from pytest_gamedata.errors import SettingsError
from pytest_gamedata.plugin.markers import NEXT_ITEM, spec_of
from pytest_gamedata.plugin.report import describe_costs, header_line, mention_gamedata, uses_gamedata
from pytest_gamedata.plugin.run_state import (
    CACHE_INI,
    CACHE_KEY_INI,
    PASSWORD_INIS,
    REBUILD_INI,
    RUN,
    share_run,
    start_run,
)
from pytest_gamedata.settings import OPTION_NAMES, OPTIONS, DatasetSpec

pytest_plugins = ("pytest_gamedata.plugin.fixtures", "pytest_gamedata.plugin.origins")

MARKER = (
    "gamedata({keys}): the dataset that this test's gamedata_db holds; "
    "for example @pytest.mark.gamedata(users=5, transactions=0). Key by key the closest marker wins."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add every option with its ini twin."""
    group = parser.getgroup("gamedata", "gamedata: a seeded PostgreSQL database for each test")
    defaults = DatasetSpec()
    for option in OPTIONS:
        default = getattr(defaults, option.name)
        shown = {None: "what the users' activity gives", defaults.until: f"{defaults.until:%Y-%m-%d}"}
        text = f"{option.help}: {option.allowed} (default: {shown.get(default, default)})"
        group.addoption(option.flag, dest=option.ini, metavar=option.metavar, help=text)
        parser.addini(option.ini, text, default=None)
    text = "build and load everything anew, and keep that in the place of what earlier runs have kept"
    group.addoption("--gamedata-rebuild", dest=REBUILD_INI, action="store_true", help=text)
    parser.addini(REBUILD_INI, text, type="bool", default=False)
    parser.addini(
        CACHE_INI, "directory for what later runs can use, or off (default: the user's cache directory)"
    )
    text = "files, directories and globs that decide what your own gamedata_create_schema and gamedata_factories give"
    parser.addini(CACHE_KEY_INI, text, type="args", default=[])
    for name in PASSWORD_INIS:
        parser.addini(name, "replaces the password of all password accounts; set both", default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and refuse bad settings before anything starts."""
    config.addinivalue_line("markers", MARKER.format(keys=", ".join(OPTION_NAMES)))
    try:
        config.stash[RUN] = start_run(config)
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker which run it belongs to."""
    node.workerinput["gamedata"] = share_run(node.config.stash[RUN])


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Report bad markers where their tests are collected."""
    report = yield
    problems = [_marker_problem(item) for item in report.result or () if isinstance(item, pytest.Item)]
    if any(problems):
        report.outcome, report.result = "failed", []
        report.longrepr = "\n".join(filter(None, problems))
    return report


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Print the settings, when a test uses them."""
    return [header_line(config)] if any(uses_gamedata(item) for item in items) else []


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    """Print the settings once under xdist, where only the workers see the tests themselves."""
    config = node.config
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter and not config.stash.get(_HEADER_SHOWN, False) and mention_gamedata(config, ids):
        config.stash[_HEADER_SHOWN] = True
        reporter.ensure_newline()
        reporter.write_line(header_line(config))


_HEADER_SHOWN = pytest.StashKey[bool]()


def _marker_problem(item: pytest.Item) -> str | None:
    try:
        spec_of(item)
    except SettingsError as error:
        return f"{item.nodeid}: {error}"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Note which test comes next: its database is made while this one runs."""
    item.stash[NEXT_ITEM] = nextitem


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what an xdist worker has spent to its controller."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["gamedata"] = asdict(session.config.stash[RUN].costs)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up what the xdist workers have spent."""
    spent = getattr(node, "workeroutput", {}).get("gamedata")
    if spent:
        node.config.stash[RUN].costs.add(spent)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what the run has spent, when it has."""
    run = config.stash[RUN]
    if run.costs.server:
        terminalreporter.write_sep("=", "gamedata")
        for line in describe_costs(run, run.costs.server):
            terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Wait until the run's server is gone, however its tests ended."""
    run = config.stash.get(RUN, None)
    if run and run.directory.exists() and not hasattr(config, "workerinput"):
        from pytest_gamedata.postgres.own.join import leave_server

        leave_server(run.directory)
