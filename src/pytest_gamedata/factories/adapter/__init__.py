"""The only package that uses parts of Factory Boy which its documentation does not promise to keep.

It relies on these; `tests/factories/test_adapter.py` has a test for each:

- `Factory._meta`: `factory`, `model`, `rename`, `exclude`, `base_declarations`, `parameters`, `pre_declarations`
  (by name, each with its `declaration`), `sqlalchemy_session`, `sqlalchemy_session_factory`
- `Factory._options_class`, and `SQLAlchemyOptions.declarations`, which a subclass may replace
- `Trait.as_declarations(name, declarations)`, as any other parameter has it
- `Factory._setup_next_sequence()`, `_create(model, ...)`, `_get_or_create` and `_save(model, session, args, kwargs)`
- `FactoryOptions.prepare_arguments(attributes)` and `instantiate(step, args, kwargs)`, which a subclass may replace,
  `counter_reference`, `_counter` and `reset_sequence(value, force)`
- `BaseDeclaration.evaluate(instance, step, extra)` and `evaluate_pre(instance=, step=, overrides=)`
- the step of an evaluation: `builder.factory_meta`, `sequence`, and that it takes attributes of ours
- `Maybe.decider` (with `attribute_name`, unless it is computed), `yes` and `no`
- `SubFactory.get_factory()` and `_defaults`
- `declarations.SKIP`, its class `Skip`, and `base.StubObject`
- `Iterator.reset()`, `Transformer.default` (or `Transformer.Force.forced_value`), `Dict` and `List` with `_defaults`
- `builder.StepBuilder`, `BuildStep`, `Resolver` and `parse_declarations` (`resolve.py`), and the logger `factory.generate`
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

from pytest_gamedata.settings import single_rows

Declaration = declarations.BaseDeclaration
FIELDS = "_gamedata_fields"


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

    def prepare_arguments(self, attributes: dict[str, Any]) -> Any:
        """Leave out what the model of a team lacks of our fields."""
        args, kwargs = super().prepare_arguments(attributes)
        return args, self.factory._fit_to_model(kwargs, attributes)

    def instantiate(self, step: Any, args: Any, kwargs: Any) -> Any:
        """Make the instance, and keep the fields that it was made from: children draw from them."""
        made = super().instantiate(step, args, kwargs)
        if hasattr(made, "__dict__") and self.factory._is_mapped_by_team():
            object.__setattr__(made, FIELDS, (self.factory, SimpleNamespace(**step.attributes)))
        return made

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
    """Factory Boy's factory of SQLAlchemy rows, with hooks for its first number, its session and its model."""

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
    def _fit_to_model(cls, kwargs: dict[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
        return kwargs

    @classmethod
    def _is_mapped_by_team(cls) -> bool:
        return False

    @classmethod
    def _setup_next_sequence(cls) -> int:
        return cls._first_number()

    @classmethod
    def _save_row(cls, model_class: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Persist a row through the session that the tests share."""
        meta: Any = cls._meta
        save = cls._get_or_create if meta.sqlalchemy_get_or_create else cls._save
        return save(model_class, cls._default_session(), args, kwargs)

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        meta: Any = cls._meta
        if meta.sqlalchemy_session is None and meta.sqlalchemy_session_factory is None:
            return cls._save_row(model_class, args, kwargs)
        return super()._create(model_class, *args, **kwargs)


class Parent(factory.SubFactory):
    """A SubFactory of ours that makes rows by the team's factory, where that takes the place of ours."""

    def get_factory(self) -> Any:
        """Return the last of the team's factories that changes ours, else ours."""
        own = super().get_factory()
        changed = [each for each in single_rows.factories if isinstance(each, type) and issubclass(each, own)]
        return changed[-1] if changed else own


def fields_of(row: Any) -> Any:
    """Return the fields of ours that a factory made a row of a team's model from, None for any other row."""
    return getattr(row, FIELDS, (None, None))[1]


def factory_of(row: Any) -> Any:
    """Return the factory that made a row of a team's model, None for any other row."""
    return getattr(row, FIELDS, (None, None))[0]


def start_sequence_after(cls: Any, rows: int) -> None:
    """Let the numbers of single rows begin after those of so many seeded rows."""
    if cls._meta.counter_reference is cls._meta:
        cls.reset_sequence(cls._setup_next_sequence() + rows)


def is_factory(cls: type) -> bool:
    """Tell whether a class is a factory of ours or a subclass of one."""
    return issubclass(cls, AdaptedFactory)


def model_of(cls: Any) -> Any:
    """Return the model that a factory builds, None for an abstract one."""
    return None if cls._meta.model is None else cls._meta.get_model_class()


def table_named_by(cls: Any) -> Any:
    """Return the table that a factory's Meta names in the place of a model, None if it has none."""
    return getattr(cls._meta, "table", None)


def adjusts_arguments(cls: Any) -> bool:
    """Tell whether a factory has an `_adjust_kwargs` of its own, which may read every field."""
    return cls._adjust_kwargs.__func__ is not factory.Factory._adjust_kwargs.__func__


def declaration_of(cls: Any, name: str) -> tuple[Any, dict[str, Any]]:
    """Return the declaration of a field, and the arguments that others give it (`name__argument`)."""
    found = cls._meta.pre_declarations[name]
    return found.declaration, found.context


def called_by(sub: factory.SubFactory) -> tuple[Any, dict[str, Any]]:
    """Return the factory that a SubFactory calls, and the arguments that it passes on."""
    return sub.get_factory(), sub._defaults


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
            declaration = innermost(base._meta.base_declarations.get(name))
            if isinstance(declaration, factory.SubFactory):
                return declaration.get_factory(), declaration._defaults
    raise AttributeError(f"{cls.__name__} has no parent {name!r}")


def innermost(declaration: Any) -> Any:
    """Return the declaration that a field has where no trait changes it."""
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
