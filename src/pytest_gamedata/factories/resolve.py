"""Rows of any Factory Boy factory, resolved as `build()` would resolve them, but made into no instance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from factory import builder, declarations, enums

from pytest_gamedata.errors import SettingsError
from pytest_gamedata.factories.adapter import _private_random_state
from pytest_gamedata.factories.base import GameFactory

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


class Held(declarations.BaseDeclaration):
    """A field whose values are known already: `read` gives them, one per row, when the first is asked for."""

    def __init__(self, read: Callable[[], Sequence[Any]]) -> None:
        super().__init__()
        self.read = cache(read)

    def evaluate(self, instance: Any, step: Any, extra: dict[str, Any]) -> Any:
        """Return the value of this row."""
        return self.read()[_row_of(step)]


def _row_of(step: Any) -> int:
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
    pre, _ = builder.parse_declarations(
        dict(replaced), base_pre=meta.pre_declarations, base_post=builder.DeclarationSet()
    )
    steps = builder.StepBuilder(meta, {}, enums.BUILD_STRATEGY)
    first = (
        0 if issubclass(cls, GameFactory) else cls._setup_next_sequence()
    )  # ours begin high for rows built alone
    _rewind(pre)
    rows = []
    with _private_random_state(seed):
        for row in range(count):
            step = builder.BuildStep(builder=steps, sequence=first + row)
            step.row = row
            _resolve(step, pre, wanted, count)
            args, kwargs = meta.prepare_arguments(step.attributes)
            rows.append(kwargs | dict(zip(meta.inline_args, args, strict=True)))
    return rows


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


def _rewind(pre: Any) -> None:
    """Let every Iterator begin anew: it keeps its place from one dataset to the next."""
    for name in pre:
        declaration = pre[name].declaration
        if isinstance(declaration, declarations.Iterator):
            declaration.reset()


def replace_parents(declaration: Any, make: Callable[[Any], Any]) -> Any:
    """Replace every SubFactory in a declaration, also inside of a Maybe, by what `make` makes of it."""
    if isinstance(declaration, declarations.SubFactory):
        return make(declaration)
    if isinstance(declaration, declarations.Maybe):
        yes, no = (replace_parents(each, make) for each in (declaration.yes, declaration.no))
        if yes is declaration.yes and no is declaration.no:
            return declaration
        return declarations.Maybe(declaration.decider, yes, no)
    return declaration


def check_bulk(cls: Any) -> None:
    """Refuse what cannot be honoured without an instance: post-generation, related factories, overridden hooks.

    Raises SettingsError that names it, and the cure.
    """
    for name in cls._meta.post_declarations:
        kind = type(cls._meta.post_declarations[name].declaration).__name__
        raise SettingsError(
            f"{cls.__name__}.{name}: {kind} runs after an instance is made, and seeding makes none. "
            f"Seed with a subclass of {cls.__name__} that sets {name} = None, and give related rows a factory of their own "
            "in gamedata_factories."
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
