"""A child row reads the values of its parent, and NULL without one."""

import numpy as np
import pytest

from pytest_gamedata.columns.categorical import categorical, free_text
from pytest_gamedata.columns.conversion import texts, to_python
from pytest_gamedata.columns.parents import Parent

PARENTS = {
    "number": np.array([7, 8]),
    "moment": np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[us]"),
    "word": categorical(["x", "y"]),
    "text": texts(["a", "bc"]),
    "free": free_text(2, np.array([1]), np.array([b"d"])),
    "flag": np.array([True, False]),
    "share": np.array([0.5, 0.25]),
    "key": np.array([np.void(b"\1" * 16), np.void(b"\2" * 16)]),
    "anything": np.array([{"a": 1}, [2]], dtype=object),
}


@pytest.mark.parametrize("name", PARENTS)
def test_a_child_reads_its_parents_value(name):
    first, second = to_python(PARENTS[name])

    assert to_python(getattr(Parent(PARENTS, np.array([1, 0, 1])), name)) == [second, first, second]
    assert to_python(getattr(Parent(PARENTS, np.array([1, -1, 0])), name)) == [second, None, first]


@pytest.mark.parametrize("name", PARENTS)
def test_without_any_parents_all_is_null(name):
    nobody = {name: PARENTS[name][:0]}

    assert to_python(getattr(Parent(nobody, np.array([-1, -1])), name)) == [None, None]
