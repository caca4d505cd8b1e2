"""Columns and tables made of others: concatenated, selected by row or by condition, filled with defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gamedata.columns.categorical import Categorical, merge_categories
from pytest_gamedata.columns.conversion import Column, Columns, is_free_text, pack_text


def choose(condition: NDArray[np.bool_], yes: Any, no: Any) -> Column:
    """Take each row's value from one of two columns of one kind, as np.where; categorical and plain text mix."""
    if not _are_alike(yes, no):
        return np.where(condition, pack_text(yes), pack_text(no))
    if yes.categories is no.categories or yes.categories == no.categories:
        return Categorical(np.where(condition, yes.codes, no.codes), yes.categories)
    codes, categories = _append_categories([yes, no])
    return merge_categories(Categorical(np.where(condition, *codes), categories))


def concatenate(columns: Sequence[Any]) -> Column:
    """Concatenate columns of one kind; categorical and plain text mix."""
    if not _are_alike(*columns):
        return np.concatenate([pack_text(column) for column in columns])
    codes, categories = _append_categories(columns)
    return merge_categories(Categorical(np.concatenate(codes), categories))


def _are_alike(*columns: Any) -> bool:
    """Tell whether all columns are categorical, with Python values as categories."""
    return all(isinstance(column, Categorical) and not is_free_text(column) for column in columns)


def _append_categories(columns: Sequence[Categorical]) -> tuple[list[NDArray[Any]], tuple[Any, ...]]:
    """Return each column's codes over the categories of all columns, and these categories."""
    codes, categories = [], ()
    for column in columns:
        codes.append(np.where(column.codes < 0, -1, column.codes.astype(np.int32) + len(categories)))
        categories += column.categories
    return codes, categories


def stack(parts: Sequence[Columns]) -> Columns:
    """Concatenate tables: the columns that all of them have. Uses the parts up: memory holds each column once."""
    names = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: concatenate([part.pop(name) for part in parts]) for name in names}


def table_of(count: int, defaults: Mapping[str, Any], given: Mapping[str, Any]) -> Columns:
    """Make a table of `count` rows: a column that is not given has its default in every row."""
    columns: Columns = {}
    for name, default in defaults.items():
        value = given.get(name, default)
        columns[name] = np.array(np.broadcast_to(np.asarray(value, dtype=np.asarray(default).dtype), count))
    return columns


def take(columns: Mapping[str, Column], rows: Any) -> Columns:
    """Select rows by mask or by position, in the order of the positions."""
    return {name: column[rows] for name, column in columns.items()}
