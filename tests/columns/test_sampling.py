"""The ways to draw keep the shares that they promise."""

import numpy as np
import pytest

from pytest_gamedata.columns.sampling import (
    largest_remainder,
    low_discrepancy,
    pick,
    strata,
    systematic_sample,
)

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("n", [0, 1, 7, 1000])
def test_strata_hold_one_quantile_each(n):
    assert sorted((strata(RNG, n) * n).astype(int).tolist()) == list(range(n))


def test_any_stretch_of_a_low_discrepancy_sequence_is_even():
    quantiles = low_discrepancy(RNG, 500)

    assert all(abs((quantiles[at : at + 50] < 0.4).sum() - 20) <= 2 for at in range(0, 450, 7))


def test_systematic_sampling_hits_rows_in_proportion_to_their_weights():
    weights = np.repeat([0.0, 1.0, 3.0], 1000)
    chosen = systematic_sample(RNG, weights, 400)

    assert len(set(chosen.tolist())) == len(chosen) == 400
    assert np.bincount(chosen // 1000, minlength=3).tolist() == pytest.approx([0, 100, 300], abs=20)


def test_quotas_are_rounded_by_the_largest_remainder():
    assert largest_remainder({"a": 5, "b": 3, "c": 2}, 7) == {"a": 4, "b": 2, "c": 1}
    assert sum(largest_remainder({"a": 1, "b": 1, "c": 1}, 10).values()) == 10


def test_a_category_is_picked_by_weight():
    picked = pick({"a": 1, "b": 3}, np.array([0.0, 0.24, 0.26, 1.0]))

    assert [picked.categories[code] for code in picked.codes] == ["a", "a", "b", "b"]
