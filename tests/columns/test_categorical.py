"""Free text that most rows do not have reads as if every row had its own bytes."""

import numpy as np
import pytest

from pytest_gamedata.columns.categorical import Sparse, categorical, scatter, thin_out
from pytest_gamedata.columns.combine import choose, concatenate
from pytest_gamedata.columns.values import from_python, is_null, nulls_like, pack_text, texts, to_python

VALUES = [None, "Zażółć", None, None, "b", "b", None]
DENSE, COLUMN = texts(VALUES), thin_out(texts(VALUES))
ROWS = [slice(1, 5), slice(0, 0), np.array([4, 0, 4]), DENSE != b"", 1, -1]


@pytest.mark.parametrize("rows", ROWS)
def test_rows_read_as_plain_bytes(rows):
    assert np.array_equal(COLUMN[rows], DENSE[rows])


def test_a_whole_column_reads_as_the_bytes_it_was_made_of():
    assert isinstance(COLUMN, Sparse)
    assert (len(COLUMN), COLUMN.dtype) == (len(DENSE), DENSE.dtype)
    assert len(COLUMN.texts) == 4
    assert to_python(COLUMN) == VALUES
    for plain in (np.asarray(COLUMN), np.array(COLUMN), pack_text(COLUMN)):
        assert plain.tolist() == DENSE.tolist()
    assert np.strings.upper(COLUMN).tolist() == np.strings.upper(DENSE).tolist()


def test_null_is_what_has_no_text():
    assert is_null(COLUMN).tolist() == is_null(DENSE).tolist()
    assert to_python(nulls_like(COLUMN, 2)) == [None, None]


def test_pieces_join_to_one_column_that_is_as_thin():
    wider = scatter(np.array([True, False]), np.array([b"much wider than these"]))
    nothing = thin_out(texts([]))

    joined = concatenate([COLUMN, nothing, wider, thin_out(texts([None])), COLUMN])

    assert isinstance(joined, Sparse)
    assert to_python(joined) == [*VALUES, "much wider than these", None, None, *VALUES]
    assert is_null(joined).tolist() == [value is None for value in to_python(joined)]


@pytest.mark.parametrize("other", [DENSE, categorical(["x"] * len(VALUES)), COLUMN])
def test_it_goes_together_with_every_other_kind_of_text(other):
    odd = np.arange(len(VALUES)) % 2 == 1

    chosen = choose(odd, COLUMN, other)

    expected = [to_python(COLUMN if pick else other)[row] for row, pick in enumerate(odd)]
    assert to_python(chosen) == expected
    assert to_python(concatenate([COLUMN, DENSE])) == VALUES * 2
    assert to_python(choose(np.array([True]), from_python("a"), thin_out(texts(["c"])))) == ["a"]
