"""The same values from the same declarations, whatever was evaluated before: random states, Iterators, sequences."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import factory.random
import faker.generator

from pytest_gamedata.factories.adapter import Declaration, is_declaration


def evaluate_rows(declaration: Any, rows: Iterable[Any], seed: str) -> list[Any]:
    """Let Factory Boy evaluate a declaration for every row, as it would in `build()`."""
    with private_random_state(seed), rewound([declaration]):
        return [
            declaration.evaluate_pre(instance=row, step=SimpleNamespace(sequence=number), overrides={})
            for number, row in enumerate(rows)
        ]


@contextmanager
def private_random_state(seed: str) -> Iterator[None]:
    """Seed the generators of Factory Boy, Faker and Python itself, and restore their states afterwards."""
    # factory.random.get_random_state() would overwrite Faker's state, so all are kept by hand
    generators: list[Any] = [factory.random.randgen, faker.generator.random, random]
    before = [generator.getstate() for generator in generators]
    state = random.Random(seed).getstate()  # noqa: S311 - test data, not secrets
    for generator in generators:
        generator.setstate(state)
    try:
        yield
    finally:
        for generator, kept in zip(generators, before, strict=True):
            generator.setstate(kept)


@contextmanager
def rewound(given: Iterable[Any]) -> Iterator[None]:
    """Let the Iterators and sequences within declarations begin anew, and leave them so afterwards.

    They would keep their place from one dataset to the next, and from seeding to the tests.
    """
    found = list(_within(given, set()))
    metas = [meta for meta in found if isinstance(meta, factory.base.FactoryOptions)]
    counters = [meta._counter for meta in metas]
    _rewind(found)
    for meta in metas:
        meta._counter = None
    try:
        yield
    finally:
        _rewind(found)
        for meta, counter in zip(metas, counters, strict=True):
            meta._counter = counter


def _rewind(found: Iterable[Any]) -> None:
    for each in found:
        if isinstance(each, factory.Iterator):
            each.reset()


def _within(given: Iterable[Any], seen: set[int]) -> Iterator[Any]:
    """Yield declarations, those within them, and the options of the factories that they call."""
    for declaration in given:
        if id(declaration) in seen or not is_declaration(declaration):
            continue
        seen.add(id(declaration))
        yield declaration
        yield from _within(parts_of(declaration), seen)
        if isinstance(declaration, factory.SubFactory):
            meta = declaration.get_factory()._meta
            yield from (meta, meta.counter_reference)
            yield from _within((each.declaration for each in meta.pre_declarations.values()), seen)


def parts_of(declaration: Any) -> list[Any]:
    """Return the declarations and values that a declaration is made of."""
    if isinstance(declaration, factory.Maybe):
        return [declaration.decider, declaration.yes, declaration.no]
    if isinstance(declaration, factory.Transformer):
        default = declaration.default
        return [default.forced_value if isinstance(default, factory.Transformer.Force) else default]
    return list(declaration._defaults.values()) if isinstance(declaration, Declaration) else []
