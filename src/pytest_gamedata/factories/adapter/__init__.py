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
- `builder.StepBuilder`, `BuildStep` and `Resolver`, and the logger `factory.generate` (`resolve.py`)
- `factory.random.randgen`, and `faker.generator.random`, from which Factory Boy and Faker draw
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from types import SimpleNamespace
from typing import Any

import factory.alchemy
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

    @property
    def _factory(self) -> Any:
        return self.factory

    def prepare_arguments(self, attributes: dict[str, Any]) -> Any:
        """Leave out what the model of a team lacks of our fields."""
        args, kwargs = super().prepare_arguments(attributes)
        return args, self._factory._fit_to_model(kwargs, attributes)

    def instantiate(self, step: Any, args: Any, kwargs: Any) -> Any:
        """Make the instance, and keep the fields that it was made from: children draw from them."""
        made = super().instantiate(step, args, kwargs)
        if hasattr(made, "__dict__") and self._factory._is_mapped_by_team():
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

    def __init__(self, made: Any, **defaults: Any) -> None:
        super().__init__(made, **defaults)

    def get_factory(self) -> Any:
        """Return the last of the team's factories that changes ours, else ours."""
        own = super().get_factory()
        return next((each for each in reversed(single_rows.factories) if issubclass(each, own)), own)

    def evaluate(self, instance: Any, step: Any, extra: dict[str, Any]) -> Any:
        """Make the row; in memory only, where the team fills no table with such rows."""
        if single_rows.factories and self.get_factory() not in single_rows.factories:
            step = copy(step)
            step.builder = copy(step.builder)
            step.builder.strategy = factory.BUILD_STRATEGY
        return super().evaluate(instance, step, extra)


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


def declaration_below(cls: Any, name: str, base: Any) -> Any:
    """Return the declaration of a field as it is where no trait of a base of the factory changes it."""
    found = cls._meta.pre_declarations[name].declaration
    while isinstance(found, factory.Maybe) and is_trait(base, switch_of(found)):
        found = found.no
    return found


def adjusts_arguments(cls: Any) -> bool:
    """Tell whether a factory has an `_adjust_kwargs` of its own, which may read every field."""
    original: Any = factory.Factory._adjust_kwargs
    return bool(cls._adjust_kwargs.__func__ is not original.__func__)


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
