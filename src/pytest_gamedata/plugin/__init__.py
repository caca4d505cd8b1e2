"""The hooks: options, marker checks, header, summary. Imports nothing heavy: every pytest run loads it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from pytest_gamedata.errors import SettingsError
from pytest_gamedata.plugin.markers import MARKER, NEXT_ITEM, spec_of
from pytest_gamedata.plugin.report import describe_costs, header_line, mention_gamedata, uses_gamedata
from pytest_gamedata.plugin.run_state import RUN, read_setting, share_run, start_run
from pytest_gamedata.settings import SETTINGS

pytest_plugins = ("pytest_gamedata.plugin.origins", "pytest_gamedata.plugin.fixtures")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add every setting to the command line and the ini."""
    group = parser.getgroup("gamedata", "gamedata: a seeded PostgreSQL database for each test")
    for setting in SETTINGS.values():
        if setting.flag:
            takes = {"metavar": setting.metavar} if setting.metavar else {"action": "store_true"}
            group.addoption(setting.flag, dest=setting.ini, default=None, help=setting.help_text, **takes)
        # None tells that the ini says nothing of a specification's setting
        default = None if setting.in_spec else setting.default
        parser.addini(setting.ini, setting.help_text, type=setting.ini_type, default=default)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and refuse bad settings before anything starts."""
    config.addinivalue_line("markers", MARKER)
    try:
        config.stash[RUN] = start_run(config)
        if read_setting(config, "django"):
            config.pluginmanager.import_plugin("pytest_gamedata.plugin.django_database")
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
    """Print the settings if a test needs a database."""
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
    """Send an xdist worker's costs to its controller."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["gamedata"] = session.config.stash[RUN].costs.to_send()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the costs of an xdist worker to those of the run."""
    spent = getattr(node, "workeroutput", {}).get("gamedata")
    if spent:
        node.config.stash[RUN].costs.add(spent)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what the server, the datasets and the databases cost, if there were any."""
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
