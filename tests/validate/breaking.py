"""A valid dataset, and the ways to break it that the tests of the rules share."""

import numpy as np
import pytest

from pytest_gamedata import DatasetSpec, build_dataset
from pytest_gamedata.columns.categorical import Categorical, constant
from pytest_gamedata.columns.combine import concatenate
from pytest_gamedata.columns.conversion import is_free_text, is_null, pack_text, to_moment
from pytest_gamedata.dataset import Dataset
from pytest_gamedata.errors import DatasetInvalidError
from pytest_gamedata.validate import validate_dataset
from pytest_gamedata.validate.rules import HISTORIES, histories_of

SEEDED = build_dataset(DatasetSpec(users=80))
SINCE, UNTIL = to_moment(SEEDED.spec.since), to_moment(SEEDED.spec.until)
SECOND = np.timedelta64(1, "s")


def broken(*changes):
    """The seeded dataset with some values changed: (table, column, row or rows, value)."""
    tables = {name: dict(columns) for name, columns in SEEDED.tables.items()}
    for table, column, rows, value in changes:
        tables[table][column] = replaced(tables[table][column], np.atleast_1d(rows), value)
    return Dataset(SEEDED.spec, tables, SEEDED.cast)


def replaced(column, rows, value):
    if is_free_text(column):
        column = pack_text(column)
    if isinstance(column, Categorical):
        both = concatenate([column, constant(value, 1)])
        codes = both.codes[:-1].copy()
        codes[rows] = both.codes[-1]
        return Categorical(codes, both.categories)
    column = np.array(column, dtype="S80" if column.dtype.kind == "S" else None)
    column[rows] = value
    return column


def rows_of(table, **wanted):
    """The rows that say these words, or one of them."""
    columns = SEEDED.tables[table]
    mask = np.ones(len(columns["id"]), dtype=bool)
    for name, words in wanted.items():
        column = columns[name]
        if isinstance(column, Categorical):
            mask &= column.is_(*([words] if isinstance(words, str) else words))
        else:
            mask &= np.asarray(column) == words
    return np.flatnonzero(mask)


def row_of(table, **wanted):
    return int(rows_of(table, **wanted)[0])


def value(table, column, row):
    return SEEDED.tables[table][column][row]


def set_rows(table, column):
    return np.flatnonzero(~is_null(SEEDED.tables[table][column]))


def refusal(dataset, validate=validate_dataset):
    """What is said of a dataset that breaks a rule."""
    with pytest.raises(DatasetInvalidError) as caught:
        validate(dataset)
    return str(caught.value)


def only(check):
    """Validate by one rule alone, where another would be broken first."""

    def validate(dataset):
        check({**dataset.tables, HISTORIES: histories_of(dataset.tables["auth_events"])}, dataset.spec)

    return validate
