"""Free text that most rows lack reads as if every row had its own bytes."""

import numpy as np
import pytest

from pytest_gamedata.columns.categorical import Categorical, categorical, free_text
from pytest_gamedata.columns.combine import choose, concatenate
from pytest_gamedata.columns.conversion import from_python, is_null, nulls_like, pack_text, texts, to_python

VALUES = [None, "Zażółć", None, None, "b", "b", None]


def thin(values):
    packed = texts(values)
    return free_text(len(packed), np.arange(len(packed)), packed)


DENSE, COLUMN = texts(VALUES), thin(VALUES)
ROWS = [slice(1, 5), slice(0, 0), np.array([4, 0, 4]), DENSE != b""]


@pytest.mark.parametrize("rows", ROWS)
def test_rows_read_as_plain_bytes(rows):
    assert np.array_equal(pack_text(COLUMN[rows]), DENSE[rows])


def test_a_whole_column_reads_as_the_bytes_it_was_made_of():
    assert isinstance(COLUMN, Categorical)
    assert (len(COLUMN), COLUMN.categories.dtype) == (len(DENSE), DENSE.dtype)
    assert to_python(COLUMN) == VALUES
    assert pack_text(COLUMN).tolist() == DENSE.tolist()


def test_a_row_takes_four_bytes_and_its_text():
    assert COLUMN.codes.dtype == np.int32
    assert COLUMN.categories.tolist() == [text for text in DENSE.tolist() if text]


def test_null_is_what_has_no_text():
    assert is_null(COLUMN).tolist() == is_null(DENSE).tolist()
    assert to_python(nulls_like(COLUMN, 2)) == [None, None]


def test_columns_of_any_width_and_length_follow_each_other():
    wider = free_text(2, np.array([0]), np.array([b"much wider than these"]))

    joined = concatenate([COLUMN, thin([]), wider, thin([None]), COLUMN])

    assert to_python(joined) == [*VALUES, "much wider than these", None, None, *VALUES]
    assert is_null(joined).tolist() == [value is None for value in to_python(joined)]


@pytest.mark.parametrize("other", [DENSE, categorical(["x"] * len(VALUES)), COLUMN])
def test_it_goes_together_with_every_other_kind_of_text(other):
    odd = np.arange(len(VALUES)) % 2 == 1

    chosen = choose(odd, COLUMN, other)

    expected = [to_python(COLUMN if pick else other)[row] for row, pick in enumerate(odd)]
    assert to_python(chosen) == expected
    assert to_python(concatenate([COLUMN, other])) == [*VALUES, *to_python(other)]
    assert to_python(choose(np.array([True]), from_python("a"), thin(["c"]))) == ["a"]
