"""The exact interval for a share: against scipy's own, at its ends, and its promise at a single look."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from bootstrap.errors import InvalidInput
from bootstrap.measuring import clopper_pearson

counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
deltas = st.floats(1e-6, 0.999)


@given(counts, deltas)
def test_it_is_the_interval_that_scipy_finds_by_search(pair, delta):
    errors, n = pair
    low, high = clopper_pearson(errors, n, delta)
    expected = binomtest(errors, n).proportion_ci(1 - delta, method="exact")
    assert (low, high) == pytest.approx((expected.low, expected.high), rel=1e-6, abs=1e-9)
    assert low <= errors / n <= high


@given(counts, st.floats(1e-100, 0.5))
def test_at_either_end_the_counts_are_as_unlikely_as_half_of_delta(pair, delta):
    errors, n = pair
    low, high = clopper_pearson(errors, n, delta)
    if errors:
        assert binom.sf(errors - 1, n, low) == pytest.approx(delta / 2, rel=1e-6)
    if errors < n and high < 0.999:  # close to 1 the floats are too coarse
        assert binom.cdf(errors, n, high) == pytest.approx(delta / 2, rel=1e-6)


@given(st.lists(counts, min_size=1, max_size=20), deltas)
def test_arrays_give_what_each_pair_gives_alone(pairs, delta):
    errors, n = np.array(pairs).T
    alone = [clopper_pearson(int(k), int(m), delta) for k, m in pairs]
    np.testing.assert_allclose(np.transpose(clopper_pearson(errors, n, delta)), alone, rtol=1e-12)


def test_the_ends_for_none_and_for_all():
    assert clopper_pearson(0, 0, 0.05) == (0.0, 1.0)
    assert clopper_pearson(0, 100, 0.05) == (0.0, pytest.approx(1 - 0.025 ** (1 / 100)))
    assert clopper_pearson(100, 100, 0.05) == (pytest.approx(0.025 ** (1 / 100)), 1.0)
    low, high = clopper_pearson([0, 0, 100], [0, 100, 100], 0.05)
    np.testing.assert_allclose(low, [0, 0, 0.025 ** (1 / 100)])
    np.testing.assert_allclose(high, [1, 1 - 0.025 ** (1 / 100), 1])


def test_shapes_broadcast_and_whole_numbers_give_plain_floats():
    low, high = clopper_pearson([[0], [1]], [10, 20, 30], 0.05)
    assert low.shape == high.shape == (2, 3)
    assert clopper_pearson([], [], 0.05)[0].shape == (0,)
    assert [type(end) for end in clopper_pearson(np.int64(1), np.int32(9), 0.05)] == [float, float]


@pytest.mark.parametrize("share", [0.01, 0.06, 0.5])
def test_at_one_look_it_misses_no_more_often_than_delta(share):
    """Summed over all outcomes of 300 items, so nothing is random: an interval at 2 delta would fail."""
    outcomes = np.arange(301)
    low, high = clopper_pearson(outcomes, 300, 0.05)
    chance = binom.pmf(outcomes, 300, share)
    assert chance[low > share].sum() <= 0.025
    assert chance[high < share].sum() <= 0.025
    assert chance[(low > share) | (high < share)].sum() > 0.005


def test_looked_at_after_each_audit_it_misses_far_more_often_than_delta():
    """The reason for the warning in its docstring: 400 runs of 1,000 audits at an error rate of 0.05.

    At least 60 of them (0.15) are missed at some look; where the chance is 0.24 fewer than 60 come up
    once in 100,000 times.
    """
    rng = np.random.default_rng(20_240_701)
    errors = np.cumsum(rng.random((400, 1000)) < 0.05, axis=1)
    low, high = clopper_pearson(errors, np.arange(1, 1001), 0.05)
    assert ((low > 0.05) | (high < 0.05)).any(axis=1).sum() >= 60


@pytest.mark.parametrize("delta", [0.0, 1.0, -0.1, float("nan")])
def test_a_delta_outside_zero_and_one_is_refused(delta):
    with pytest.raises(InvalidInput, match="delta must be between 0 and 1"):
        clopper_pearson(1, 10, delta)


@pytest.mark.parametrize(
    ("errors", "n"),
    [(-1, 10), (11, 10), (0, -1), (0.5, 10), (1, 10.5), (math.nan, 10), (0, math.inf), ([1, 11], 10)],
)
def test_counts_that_cannot_be_are_refused(errors, n):
    with pytest.raises(InvalidInput, match="Both must be whole numbers, 0 or more, and errors at most n"):
        clopper_pearson(errors, n, 0.05)


@pytest.mark.parametrize(("errors", "n"), [([1, 2], [10, 20, 30]), ("one", 10)])
def test_counts_that_do_not_fit_together_are_refused(errors, n):
    with pytest.raises(InvalidInput, match="counts whose shapes fit together"):
        clopper_pearson(errors, n, 0.05)
