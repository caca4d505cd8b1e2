"""Rows of any Factory Boy factory, resolved as `build()` would resolve them, but made into no instance."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

from factory import builder, declarations, enums

from pytest_gamedata.errors import SettingsError
from pytest_gamedata.factories.adapter import is_skipped
from pytest_gamedata.factories.adapter.repeatable import private_random_state, rewound

HOOKS = (
    "_build",
    "_create",
    "_generate",
    "_after_postgeneration",
    "_save",
    "_get_or_create",
    "build",
    "create",
)
LIBRARIES = ("factory.", "pytest_gamedata.")
LOGGER = logging.getLogger("factory.generate")  # words every value that it is given, if anybody listens


class Held(declarations.BaseDeclaration):
    """A field whose values are known already: `read` gives them, one per row, when the first is asked for."""

    def __init__(self, read: Callable[[], Sequence[Any]], tell: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.read = cache(read)
        self.tell = tell  # called each time that the field is read

    def evaluate(self, instance: Any, step: Any, extra: dict[str, Any]) -> Any:
        """Return the value of this row."""
        if self.tell is not None:
            self.tell()
        return self.read()[row_of(step)]


class Chosen(declarations.BaseDeclaration):
    """A SubFactory when a database is seeded: `choose` gives the row that takes the place of a new one.

    It gets the number of the row, and the arguments that the SubFactory would be called with.
    """

    def __init__(self, choose: Callable[[int, dict[str, Any]], Any], arguments: Mapping[str, Any]) -> None:
        super().__init__(**arguments)
        self.choose = choose

    def evaluate(self, instance: Any, step: Any, extra: dict[str, Any]) -> Any:
        """Return the row that is chosen; arguments that a trait leaves out count for nothing."""
        wanted = {name: value for name, value in extra.items() if not is_skipped(value)}
        return self.choose(row_of(step), wanted)


def row_of(step: Any) -> int:
    """Return the number of the row that a step belongs to, however deep."""
    while step.parent_step is not None:
        step = step.parent_step
    return int(step.row)


def resolve_rows(
    cls: Any, count: int, seed: str, replaced: Mapping[str, Any], wanted: Sequence[str]
) -> list[dict[str, Any]]:
    """Return for so many rows the keyword arguments that `build()` would call the model with.

    Only the `wanted` attributes are resolved, and what they read; `replaced` declarations take the place of the
    factory's own.
    """
    meta = cls._meta
    rows = []
    for attributes in _attributes(cls, count, seed, replaced, wanted):
        args, kwargs = meta.prepare_arguments(attributes)
        rows.append(kwargs | dict(zip(meta.inline_args, args, strict=True)))
    return rows


def resolve_field(cls: Any, count: int, seed: str, replaced: Mapping[str, Any], name: str) -> list[Any]:
    """Return the values of one field for so many rows."""
    return [row[name] for row in _attributes(cls, count, seed, replaced, [name])]


def _attributes(
    cls: Any, count: int, seed: str, replaced: Mapping[str, Any], wanted: Sequence[str]
) -> Iterator[dict[str, Any]]:
    pre = cls._meta.pre_declarations.copy()
    pre.declarations.update(replaced)
    for name, each in replaced.items():
        if isinstance(each, Held):
            pre.contexts.pop(name, None)
    steps = builder.StepBuilder(cls._meta, {}, enums.BUILD_STRATEGY)
    first = first_number(cls)
    found = []
    with _seeding(seed, [each.declaration for each in pre.values()]):
        for row in range(count):
            step: Any = builder.BuildStep(builder=steps, sequence=first + row)
            step.row = row
            _resolve(step, pre, wanted, count)
            found.append(step.attributes)
    return iter(found)


def first_number(cls: Any) -> int:
    """Return the number of the first seeded row: 0 for factories of ours, whose single rows begin high."""
    is_ours = any(base.__module__.startswith(LIBRARIES[1]) for base in cls.__mro__)
    is_changed = "_setup_next_sequence" in {
        name for base in cls.__mro__ if not f"{base.__module__}.".startswith(LIBRARIES) for name in vars(base)
    }
    return 0 if is_ours and not is_changed else int(cls._setup_next_sequence())


@contextmanager
def _seeding(seed: str, given: Sequence[Any]) -> Iterator[None]:
    """Let the declarations of a factory give the same values whenever a database is seeded."""
    disabled, LOGGER.disabled = LOGGER.disabled, True
    with ExitStack() as stack:
        stack.callback(setattr, LOGGER, "disabled", disabled)
        stack.enter_context(private_random_state(seed))
        stack.enter_context(rewound(given))
        yield


def _resolve(step: Any, pre: Any, wanted: Sequence[str], count: int) -> None:
    cls = step.builder.factory_meta.factory
    step.stub = builder.Resolver(declarations=pre, step=step, sequence=step.sequence)
    try:
        for name in wanted:
            step.attributes[name] = getattr(step.stub, name)
    except StopIteration:
        raise SettingsError(
            f"{cls.__name__}: an Iterator with cycle=False ends after {step.row} of {count} rows. "
            "Give it more values, or ask for fewer rows."
        ) from None
    except Exception as error:
        error.add_note(f"while row {step.row} of {cls.__name__} was seeded")
        raise


def replace_parents(declaration: Any, make: Callable[[Any], Any]) -> Any:
    """Replace every SubFactory in a declaration, however deep, by what `make` makes of it."""
    if isinstance(declaration, declarations.Dict | declarations.List):
        return _replace_arguments(declaration, make)
    if isinstance(declaration, declarations.SubFactory):
        return make(declaration)
    if isinstance(declaration, declarations.Maybe):
        yes, no = (replace_parents(each, make) for each in (declaration.yes, declaration.no))
        if yes is declaration.yes and no is declaration.no:
            return declaration
        return declarations.Maybe(declaration.decider, yes, no)
    if isinstance(declaration, declarations.Transformer):
        return _replace_default(declaration, make)
    return declaration


def _replace_arguments(declaration: Any, make: Callable[[Any], Any]) -> Any:
    arguments = {name: replace_parents(each, make) for name, each in declaration._defaults.items()}
    if all(each is declaration._defaults[name] for name, each in arguments.items()):
        return declaration
    changed = copy.copy(declaration)
    changed._defaults = arguments
    return changed


def _replace_default(transformer: Any, make: Callable[[Any], Any]) -> Any:
    force, default = transformer.Force, transformer.default
    forced = isinstance(default, force)
    inner = default.forced_value if forced else default
    found = replace_parents(inner, make)
    if found is inner:
        return transformer
    changed = copy.copy(transformer)
    changed.default = force(found) if forced else found
    return changed


def check_bulk(cls: Any) -> None:
    """Refuse what cannot be honoured without an instance: post-generation, related factories, overridden hooks.

    Raises SettingsError that names it, and the cure.
    """
    for name in cls._meta.post_declarations:
        kind = _kind_that_runs(cls, cls._meta.post_declarations[name].declaration)
        if kind is not None:
            raise SettingsError(
                f"{cls.__name__}.{name}: {kind} runs after an instance is made, and seeding makes none. "
                f"Seed with a subclass of {cls.__name__} that sets {name} = None, and give related rows a factory of "
                "their own in gamedata_factories."
            )
    for name in HOOKS:
        owner = next((base for base in cls.__mro__ if name in vars(base)), None)
        if owner is not None and not f"{owner.__module__}.".startswith(LIBRARIES):
            raise SettingsError(
                f"{cls.__name__}.{name}() is never called when a database is seeded, for no instance is made. "
                "Seed with a subclass that has declarations instead."
            )
    for name in ("sqlalchemy_get_or_create", "django_get_or_create"):
        if getattr(cls._meta, name, ()):
            raise SettingsError(
                f"{cls.__name__}: Meta.{name} cannot be honoured when a database is seeded. "
                "Seed with a subclass that sets it to (), and let its declarations give each row a value of its own."
            )


def hooks_of_bases(cls: Any) -> set[str]:
    """Return the post-generation declarations of a factory's bases: a value in their place stands for none."""
    return {name for base in cls.__mro__ if hasattr(base, "_meta") for name in base._meta.post_declarations}


def _kind_that_runs(cls: Any, declaration: Any) -> str | None:
    """Return the name of a post-generation declaration; None if it belongs to a trait that is off, or is a value."""
    if isinstance(declaration, declarations.Maybe):
        switch = getattr(declaration.decider, "attribute_name", "")
        is_off = isinstance(cls._meta.parameters.get(switch), declarations.Trait) and not _value_of(
            cls, switch
        )
        branches = [declaration.no] if is_off else [declaration.yes, declaration.no]
        return next(filter(None, (_kind_that_runs(cls, each) for each in branches)), None)
    is_post = enums.get_builder_phase(declaration) == enums.BuilderPhase.POST_INSTANTIATION
    return type(declaration).__name__ if is_post else None


def _value_of(cls: Any, name: str) -> Any:
    found = cls._meta.pre_declarations
    return found[name].declaration if name in found else None
