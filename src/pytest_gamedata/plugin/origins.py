"""The origins of fixtures' values: the one module that relies on pytest's internals.

A test suite's own schema and factories are told apart by the fixtures that gave them. An origin is noted when a
fixture is evaluated, for pytest keeps a value for later tests, which may see other overrides and parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pytest_gamedata.databases.parts import Parts

Use = tuple[Any, ...]  # a fixture definition, and what its value depends on beside other fixtures

ORIGINS = pytest.StashKey[dict[Any, frozenset[Use]]]()
SCOPES = ("session", "package", "module", "class", "function")


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> None:
    """Note the origin of a value: its fixture, and the origins of the fixtures that this one asks for."""
    origins = request.config.stash.setdefault(ORIGINS, {})
    asked = [request._get_active_fixturedef(name) for name in fixturedef.argnames if name != "request"]
    used = frozenset([(fixturedef, *_dependencies(fixturedef, request))])
    origins[fixturedef] = used.union(*(origins.get(each, ()) for each in asked))


def find_parts(
    request: pytest.FixtureRequest, create_schema: Callable[[Engine], None], factories: Sequence[Any]
) -> Parts:
    """Return the schema and factories that fixtures gave, with the origins of those that are not ours."""
    from pytest_gamedata.databases.parts import Parts, are_own_factories, creates_own_tables

    is_own = {
        "gamedata_create_schema": creates_own_tables(create_schema),
        "gamedata_factories": are_own_factories(factories),
    }
    origins = tuple(origin_of(request, name) for name, own in is_own.items() if not own)
    return Parts(create_schema, factories, origins)


def origin_of(request: pytest.FixtureRequest, name: str) -> str:
    """Return the origin of a fixture's value, the same in every process and every run of the same test suite."""
    used = request.config.stash[ORIGINS][request._get_active_fixturedef(name)]
    return repr(sorted(repr((*_place(definition), *others)) for definition, *others in used))


def _place(definition: pytest.FixtureDef[Any]) -> tuple[Any, ...]:
    """Return where a fixture is defined."""
    code = getattr(definition.func, "__code__", None)
    return (
        definition.argname,
        definition.baseid,
        getattr(code, "co_filename", None),
        getattr(code, "co_firstlineno", None),
    )


def _dependencies(definition: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> list[Any]:
    """Return the parameter that a fixture has, and, if it can ask for others later, the node and theirs."""
    item = request._pyfuncitem
    indices = getattr(getattr(item, "callspec", None), "indices", {})
    names = [definition.argname]
    if "request" in definition.argnames:
        names += [name for name in indices if _lives_as_long(item, name, definition)]
    parameters = sorted({(name, *_parameter(item, name)) for name in names if name in indices})
    return [request.node.nodeid if "request" in definition.argnames else "", *parameters]


def _lives_as_long(item: Any, name: str, definition: pytest.FixtureDef[Any]) -> bool:
    """Tell whether the fixture of a parameter has at least the scope of another one, which may therefore use it."""
    others = item._fixtureinfo.name2fixturedefs.get(name, ())
    return any(SCOPES.index(other.scope) <= SCOPES.index(definition.scope) for other in others)


def _parameter(item: Any, name: str) -> tuple[int, str]:
    """Return the position of a parameter in the list of its fixture, or in that of the test, which is named then."""
    index, value = item.callspec.indices[name], item.callspec.params[name]
    lists = [definition.params or () for definition in item._fixtureinfo.name2fixturedefs.get(name, ())]
    own = [each[index] for each in lists if index < len(each)]
    is_own = any(
        (each.values[0] if isinstance(each, type(pytest.param())) else each) is value for each in own
    )
    return index, "" if is_own else f"{item.parent.nodeid}::{item.originalname}"
