"""The only module that uses parts of Factory Boy which its documentation does not promise to keep.

It relies on these; `tests/factories/test_adapter.py` has a test for each:

- `Factory._meta`: `factory`, `model`, `rename`, `exclude`, `base_declarations`, `parameters`, `pre_declarations`
  (by name, each with its `declaration`), `sqlalchemy_session`, `sqlalchemy_session_factory`
- `Factory._options_class`, and `SQLAlchemyOptions.declarations`, which a subclass may replace
- `Trait.as_declarations(name, declarations)`, as any other parameter has it
- `Factory._setup_next_sequence()`, `_create(model, ...)` and `_save(model, session, args, kwargs)`
- `BaseDeclaration.evaluate(instance, step, extra)` and `evaluate_pre(instance=, step=, overrides=)`
- the step of an evaluation: `builder.factory_meta`, `sequence`, and that it takes attributes of ours
- `Maybe.decider` (with `attribute_name`, unless it is computed), `yes` and `no`
- `SubFactory.get_factory()` and `_defaults`
- `declarations.SKIP`, its class `Skip`, and `base.StubObject`
- `Iterator.reset()`
- `factory.random.randgen`, and `faker.generator.random`, from which Factory Boy and Faker draw
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import factory.random
import faker.generator
from factory import declarations

Declaration = declarations.BaseDeclaration


class Options(factory.alchemy.SQLAlchemyOptions):
    """Factory Boy's options, with params before the traits that change them, and each trait switched off.

    Factory Boy sorts traits and other params by separate counters, so that a trait may come before the param
    it changes, and be overruled by it. And it words an error for each trait that a call does not name, only
    to drop it: 8 of 9 ms per user.
    """

    def _build_default_options(self) -> list[Any]:
        # the table to fill, in the place of a model: "game.players"
        return [*super()._build_default_options(), factory.base.OptionDefault("table", None, inherit=True)]

    def _fill_from_meta(self, meta: Any, base_meta: Any) -> None:
        super()._fill_from_meta(meta, base_meta)
        if hasattr(meta, "model"):
            self.table = getattr(meta, "table", None)  # its own model counts for more than an inherited table
        elif self.table is not None:
            self.model = dict

    def _get_counter_reference(self) -> Any:
        return super()._get_counter_reference() if isinstance(self.model, type) else self

    @property
    def declarations(self) -> dict[str, Any]:
        """Return all declarations of the factory, those of its params included."""
        traits = {name: param for name, param in self.parameters.items() if isinstance(param, factory.Trait)}
        found = {**dict.fromkeys(traits, False), **self.base_declarations}
        for name, param in self.parameters.items():
            if name not in traits:
                found.update(param.as_declarations(name, found))
        for name, trait in traits.items():
            found.update(trait.as_declarations(name, found))
        return found


class AdaptedFactory(factory.alchemy.SQLAlchemyModelFactory):
    """Factory Boy's factory of SQLAlchemy rows, with hooks for its first number and its session."""

    _options_class = Options

    class Meta:
        abstract = True
        sqlalchemy_session_persistence = "flush"

    @classmethod
    def _first_number(cls) -> int:
        raise NotImplementedError

    @classmethod
    def _default_session(cls) -> Any:
        raise NotImplementedError

    @classmethod
    def _setup_next_sequence(cls) -> int:
        return cls._first_number()

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        meta: Any = cls._meta
        if meta.sqlalchemy_session is None and meta.sqlalchemy_session_factory is None:
            return cls._save(model_class, cls._default_session(), args, kwargs)
        return super()._create(model_class, *args, **kwargs)


def is_factory(cls: type) -> bool:
    """Tell whether a class is a factory of ours or a subclass of one."""
    return issubclass(cls, AdaptedFactory)


def model_of(cls: Any) -> Any:
    """Return the model that a factory builds, None for an abstract one."""
    return cls._meta.model


def declarations_of(cls: Any) -> dict[str, Any]:
    """Return the declaration of each field and param of a factory, with its traits applied."""
    found = cls._meta.pre_declarations
    return {name: found[name].declaration for name in found}


def params_of(cls: Any) -> Mapping[str, Any]:
    """Return the params and traits of a factory."""
    return cls._meta.parameters


def is_trait(cls: Any, name: str) -> bool:
    """Tell whether a factory has a trait of this name."""
    return isinstance(params_of(cls).get(name), factory.Trait)


def renames_of(cls: Any) -> Mapping[str, str]:
    """Return the name that the model has for each field which a factory renames."""
    return cls._meta.rename


def excluded_by(cls: Any) -> tuple[str, ...]:
    """Return the fields that a factory does not pass on to its model."""
    return tuple(cls._meta.exclude)


def is_declaration(value: Any) -> bool:
    """Tell whether Factory Boy has to evaluate a value, or to leave it out."""
    return isinstance(value, declarations.BaseDeclaration | declarations.Skip)


def is_skipped(value: Any) -> bool:
    """Tell whether a value stands for a field that is left out."""
    return value is declarations.SKIP


def is_stub(value: Any) -> bool:
    """Tell whether a value is a row without a model, as `Factory.stub()` gives it."""
    return isinstance(value, factory.base.StubObject)


def switch_of(maybe: factory.Maybe) -> str:
    """Return the name of the field or trait that decides a Maybe, empty if its decider is computed."""
    return str(getattr(maybe.decider, "attribute_name", ""))


def branches_of(maybe: factory.Maybe) -> tuple[Any, Any]:
    """Return the declarations of a Maybe: for yes and for no."""
    return maybe.yes, maybe.no


def parent_declaration(cls: Any, name: str) -> tuple[Any, dict[str, Any]]:
    """Return the factory of a parent row and the defaults passed to it, even if a key or trait hides them.

    Raises AttributeError if the factory has no such parent.
    """
    for base in cls.__mro__:
        if hasattr(base, "_meta"):
            declaration = _innermost(base._meta.base_declarations.get(name))
            if isinstance(declaration, factory.SubFactory):
                return declaration.get_factory(), declaration._defaults
    raise AttributeError(f"{cls.__name__} has no parent {name!r}")


def _innermost(declaration: Any) -> Any:
    while isinstance(declaration, factory.Maybe):
        declaration = declaration.yes if is_skipped(declaration.no) else declaration.no
    return declaration


def once_per_row(step: Any, make: Callable[[Any], Any]) -> Any:
    """Return what `make` gives for the factory of a row being built: called once, then kept with the row."""
    if not hasattr(step, "gamedata_row"):
        step.gamedata_row = make(step.builder.factory_meta.factory)
    return step.gamedata_row


def evaluate_rows(declaration: Any, rows: Iterable[Any], seed: str) -> list[Any]:
    """Let Factory Boy evaluate a declaration for every row, as it would in `build()`."""
    if isinstance(declaration, factory.Iterator):
        declaration.reset()  # it keeps its place from one dataset to the next
    with _private_random_state(seed):
        return [
            declaration.evaluate_pre(instance=row, step=SimpleNamespace(sequence=number), overrides={})
            for number, row in enumerate(rows)
        ]


@contextmanager
def _private_random_state(seed: str) -> Iterator[None]:
    """Seed the generators of Factory Boy and Faker, and restore their states afterwards."""
    # factory.random.get_random_state() would overwrite Faker's state, so both are kept by hand
    generators = factory.random.randgen, faker.generator.random
    before = [generator.getstate() for generator in generators]
    state = random.Random(seed).getstate()  # noqa: S311 - test data, not secrets
    for generator in generators:
        generator.setstate(state)
    try:
        yield
    finally:
        for generator, kept in zip(generators, before, strict=True):
            generator.setstate(kept)
