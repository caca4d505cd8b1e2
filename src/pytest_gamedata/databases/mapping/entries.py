"""The entries of `gamedata_factories`: which factory fills which table, with how many rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import factory

from pytest_gamedata.databases.mapping.model_tables import ModelTable, describe_model
from pytest_gamedata.errors import SettingsError
from pytest_gamedata.factories import OWN_FACTORIES, table_of
from pytest_gamedata.factories.adapter import model_of, table_named_by
from pytest_gamedata.factories.base import Per
from pytest_gamedata.models import OPTIONAL_TABLES

ALLOWED = "a Factory Boy factory of ours or a subclass, (factory, count) or (factory, Per(parent, mean))"


@dataclass(frozen=True)
class Entry:
    """A factory, the table of its model, and how many rows it is asked for: None where the dataset decides."""

    factory: Any
    model: ModelTable
    source: str | None  # the table of ours whose rows it maps, None for an extra table
    rows: int | Per | None

    @property
    def name(self) -> str:
        """The factory's name, for errors; the table's where migrations have filled it."""
        return str(self.factory.__name__) if self.factory else self.model.name

    @property
    def fills_optional_table(self) -> bool:
        """Tell whether the rows go into a table of ours that is created only where its factory is asked for."""
        source = self.source
        return source in OPTIONAL_TABLES and model_of(self.factory) is model_of(OWN_FACTORIES[source])


def read_entries(factories: Iterable[Any]) -> list[Entry]:
    """Read the list that `gamedata_factories` gives; a subclass takes the place of the factory that it changes.

    Raises SettingsError for an entry that is not allowed.
    """
    entries: dict[tuple[str | None, str], Entry] = {}
    for given in factories:
        entry = _read_entry(given)
        table = (entry.model.schema, entry.model.name)
        before = entries.get(table)
        if before is not None and not issubclass(entry.factory, before.factory):
            raise SettingsError(
                f"gamedata_factories: {before.name} and {entry.name} both fill table {entry.model.name!r}. "
                "Keep one of them, or make one a subclass of the other."
            )
        entries[table] = entry
    return list(entries.values())


def _read_entry(given: Any) -> Entry:
    made, rows = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    if not (isinstance(made, type) and issubclass(made, factory.Factory)) or not _is_count(rows):
        raise SettingsError(f"gamedata_factories: {given!r} is not allowed. Allowed: {ALLOWED}.")
    source = table_of(made)
    if source is None and rows is None:
        raise SettingsError(
            f"gamedata_factories: {made.__name__} needs a number of rows: "
            f"({made.__name__}, 20) or ({made.__name__}, Per(parent, 1.5))."
        )
    if source is not None and rows is not None:
        raise SettingsError(
            f"gamedata_factories: {made.__name__} takes no number of rows: the {source} of the dataset are its rows. "
            f"Name {made.__name__} alone."
        )
    return Entry(made, _model_of(made), source, rows)


def _is_count(rows: Any) -> bool:
    return rows is None or isinstance(rows, Per) or (type(rows) is int and rows >= 0)


def _model_of(made: Any) -> ModelTable:
    if table_named_by(made) is not None:
        return ModelTable(name=table_named_by(made))
    if model_of(made) is None:
        raise SettingsError(
            f"gamedata_factories: {made.__name__} is abstract. Give its Meta a model or a table."
        )
    return describe_model(model_of(made), made.__name__)
