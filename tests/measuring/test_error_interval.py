"""The interval for an error rate: its reference figures, its ends, and its promise at every look."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaln, xlog1py, xlogy

from bootstrap.errors import InvalidInput
from bootstrap.measuring import error_interval

counts = st.integers(0, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
deltas = st.floats(1e-9, 0.999)


def _log_ratio(errors, n, p):
    """Log of the mixture's likelihood ratio against p."""
    marginal = betaln(errors + 0.5, n - errors + 0.5) - betaln(0.5, 0.5)
    return marginal - xlogy(errors, p) - xlog1py(n - errors, -p)


@pytest.mark.parametrize(
    ("errors", "n", "expected"),
    [(0, 200, (0.0, 0.030611)), (10, 200, (0.013600, 0.120659)), (0, 0, (0.0, 1.0))],
)
def test_the_reference_figures(errors, n, expected):
    assert error_interval(errors, n, 0.05) == pytest.approx(expected, abs=5e-7)
    assert error_interval([errors], n, 0.05) == pytest.approx(np.transpose([expected]), abs=5e-7)


@pytest.mark.parametrize(
    ("errors", "n", "delta", "low", "high"),
    [
        # from an independent bisection with 60 digits
        (1, 10**7, 0.05, 4.46033035214406539e-13, 1.50303541494564622e-06),
        (2, 10**7, 1e-6, 1.15676653509229988e-12, 2.95035915898970662e-06),
        (0, 10**7, 1e-6, 0.0, 2.24468981456686535e-06),
        (1, 10**5, 0.5, 4.46231778052258449e-09, 1.00192219712451727e-04),
    ],
)
def test_counts_of_millions_keep_seven_digits(errors, n, delta, low, high):
    assert error_interval(errors, n, delta) == pytest.approx((low, high), rel=1e-7)
    one, other = error_interval([errors], [n], delta)
    assert (one[0], other[0]) == pytest.approx((low, high), rel=1e-7)


@given(counts, deltas)
def test_the_ends_are_where_the_likelihood_ratio_reaches_one_over_delta(pair, delta):
    errors, n = pair
    low, high = error_interval(errors, n, delta)
    assert 0.0 <= low <= (errors / n if n else 0.5) <= high <= 1.0
    if low > 0:
        assert _log_ratio(errors, n, low) == pytest.approx(-math.log(delta), abs=1e-6)
    else:
        assert errors == 0
    if high < 0.9:  # close to 1 the floats are too coarse for a check; there the mirror image speaks
        assert _log_ratio(errors, n, high) == pytest.approx(-math.log(delta), abs=1e-6)


@given(counts, deltas)
def test_right_and_wrong_exchanged_mirror_the_interval(pair, delta):
    errors, n = pair
    low, high = error_interval(errors, n, delta)
    mirrored = error_interval(n - errors, n, delta)
    assert (1 - high, 1 - low) == pytest.approx(mirrored, rel=1e-6, abs=1e-14)


@given(st.lists(counts, min_size=1, max_size=20), deltas)
def test_arrays_give_what_each_pair_gives_alone(pairs, delta):
    errors, n = np.array(pairs).T
    low, high = error_interval(errors, n, delta)
    alone = [error_interval(int(k), int(m), delta) for k, m in pairs]
    np.testing.assert_allclose(np.transpose([low, high]), alone, rtol=1e-6)


def test_shapes_broadcast_and_empty_arrays_pass():
    low, high = error_interval([[0], [1]], [10, 20, 30], 0.05)
    assert low.shape == high.shape == (2, 3)
    assert high[1, 2] == pytest.approx(error_interval(1, 30, 0.05)[1])
    assert error_interval([], [], 0.05)[0].shape == (0,)


def test_more_audits_and_a_larger_delta_narrow_the_interval():
    low, high = error_interval([1, 10, 100], [20, 200, 2000], 0.05)
    assert (np.diff(low) > 0).all()
    assert (np.diff(high) < 0).all()
    strict, loose = error_interval(10, 200, 0.01), error_interval(10, 200, 0.2)
    assert strict[0] < loose[0] < loose[1] < strict[1]


@pytest.mark.parametrize(("errors", "n"), [(1, 2), (1, 10**7), (10**7 - 1, 10**7), (500, 1000)])
def test_a_tiny_delta_converges_as_well(errors, n):
    low, high = error_interval(errors, n, 1e-200)
    assert 0.0 < low < errors / n < high <= 1.0
    assert _log_ratio(errors, n, low) == pytest.approx(-math.log(1e-200), rel=1e-6)
    low, high = error_interval(errors, n, 5e-324)  # the smallest float: underflows, and says nothing false
    assert 0.0 <= low < errors / n < high <= 1.0


def _runs_that_ever_miss(risk, repeats, rng):
    """How many of `repeats` runs leave the mean of `risk` so far outside the interval at any look."""
    n = np.arange(1, len(risk) + 1)
    mean = np.cumsum(risk) / n
    errors = np.cumsum(rng.random((repeats, len(risk))) < risk, axis=1)
    low, high = error_interval(errors, n, 0.05)
    return int(((mean < low) | (mean > high)).any(axis=1).sum())


@pytest.mark.parametrize("risk", [0.02, 0.1, 0.5])
def test_the_interval_holds_at_every_look(risk):
    """1,000 runs of 1,000 audits, looked at after each: at most 86 may ever miss the true rate.

    An interval that ever misses with probability 0.05 fails this 6 times in 10 million. One made for a
    single look (Clopper-Pearson, ever missing in more than 0.24 of runs) passes less than once in a
    billion.
    """
    rng = np.random.default_rng(20_240_501)
    assert _runs_that_ever_miss(np.full(1000, risk), 1000, rng) <= 86


@pytest.mark.parametrize("shape", ["falling", "rising", "jumping"])
def test_the_interval_holds_at_every_look_for_the_running_mean_under_drift(shape):
    """As above, for an error rate that moves: 1,000 runs, at most 86 may ever miss its running mean.

    Fails 6 times in 10 million where the chance of ever missing is 0.05.
    """
    time = np.arange(1000) / 1000
    risk = {
        "falling": 0.02 + 0.5 * np.exp(-5 * time),
        "rising": 0.02 + 0.3 * time,
        "jumping": np.where(np.arange(1000) % 100 < 50, 0.85, 0.05),
    }[shape]
    assert _runs_that_ever_miss(risk, 1000, np.random.default_rng(20_240_502)) <= 86


@pytest.mark.parametrize("delta", [0.0, 1.0, -0.1, float("nan")])
def test_a_delta_outside_zero_and_one_is_refused(delta):
    with pytest.raises(InvalidInput, match="delta must be between 0 and 1"):
        error_interval(1, 10, delta)


@pytest.mark.parametrize(
    ("errors", "n"),
    [
        (-1, 10),
        (11, 10),
        (0, -1),
        (0.5, 10),
        (1, 10.5),
        (math.nan, 10),
        (1, math.nan),
        (0, math.inf),
        ([1, 11], 10),
        ([[0, 1], [2, 99]], 10),
    ],
)
def test_counts_that_cannot_be_are_refused(errors, n):
    with pytest.raises(InvalidInput, match="Both must be whole numbers, 0 or more, and errors at most n"):
        error_interval(errors, n, 0.05)


@pytest.mark.parametrize(("errors", "n"), [([1, 2], [10, 20, 30]), ("one", 10), (None, [[1], [2, 3]])])
def test_counts_that_do_not_fit_together_are_refused(errors, n):
    with pytest.raises(InvalidInput, match="counts whose shapes fit together"):
        error_interval(errors, n, 0.05)


def test_numpy_integers_give_plain_floats():
    low, high = error_interval(np.int64(10), np.int32(200), 0.05)
    assert type(low) is float
    assert type(high) is float
