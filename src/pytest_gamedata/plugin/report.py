"""The header and the summary of a run: its settings before the tests, its costs after them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_gamedata.databases.registry import Run
from pytest_gamedata.errors import GamedataError
from pytest_gamedata.plugin.run_state import RUN

if TYPE_CHECKING:
    from pytest_gamedata.databases.registry import ServerCosts

# the fixtures that need a server
SERVER_FIXTURES = frozenset({"gamedata_server", "gamedata_db", "gamedata_session", "gamedata_engine"})


def uses_gamedata(item: pytest.Item) -> bool:
    """Tell whether a test asks for the server, directly or through another fixture."""
    return "gamedata_server" in getattr(item, "fixturenames", ())


def mention_gamedata(config: pytest.Config, ids: list[str]) -> bool:
    """Tell whether the files of these tests, or a conftest, name a fixture that needs a server."""
    conftests = [getattr(plugin, "__file__", None) for plugin in config.pluginmanager.get_plugins()]
    files = {config.rootpath / nodeid.split("::")[0] for nodeid in ids}
    files |= {Path(name) for name in conftests if name and name.endswith("conftest.py")}
    return any(_mentions_gamedata(file) for file in files if file.suffix == ".py" and file.is_file())


def _mentions_gamedata(file: Path) -> bool:
    source = file.read_bytes()
    if b"gamedata_" not in source:
        return False
    nodes = list(ast.walk(ast.parse(source)))
    named = {node.arg for node in nodes if isinstance(node, ast.arg)}
    named |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return not SERVER_FIXTURES.isdisjoint(named)


def header_line(config: pytest.Config) -> str:
    """Return the line of settings and server that is printed before the tests."""
    from pytest_gamedata.plugin.server_setup import find_binaries_of

    run = config.stash[RUN]
    try:
        binaries = find_binaries_of(config)
        server = f"PostgreSQL {binaries.version} ({binaries.source})"
    except GamedataError:
        server = "no PostgreSQL found"  # the tests that need it say what was tried
    return f"gamedata: {run.spec}; {server}"


def describe_costs(run: Run, server: ServerCosts) -> list[str]:
    """Return the lines of the summary: the server, each dataset, the databases."""
    from statistics import median

    costs = run.costs
    place = f"{'in RAM' if server.in_ram else 'on disk'}{', from the cache' if server.from_cache else ''}"
    lines = [f"PostgreSQL {server.version} ({server.source}) {place}, started in {server.seconds:.2f} s"]
    if server.cache_problem:
        lines.append(f"nothing is kept for the next run: {server.cache_problem}")
    for facts in costs.templates.values():
        rows = ", ".join(f"{name} {count:,}" for name, count in facts.counts.items()) or "no rows"
        built = f"built in {facts.build_seconds:.2f} s, loaded in {facts.load_seconds:.2f} s"
        is_new = facts.run == run.directory.name
        lines += [facts.spec, f"  {rows}: {built if is_new else 'from the cache'}"]
    if costs.clones:
        databases = f"{len(costs.clones)} database{'s' * (len(costs.clones) > 1)}"
        typical = f"median {median(costs.clones) * 1000:.0f} ms"
        lines.append(f"{databases} cloned, {sum(costs.clones):.2f} s of waiting ({typical})")
    return lines
