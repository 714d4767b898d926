"""The bound for a closed pool: its reference figures, an exact count, and its promise at every look."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.errors import InvalidInput
from bootstrap.measuring import finite_pool_upper


@pytest.mark.parametrize(("errors", "n", "size", "expected"), [(0, 100, 200, 5), (5, 500, 1000, 23)])
def test_the_reference_figures(errors, n, size, expected):
    assert finite_pool_upper(errors, n, size, 0.05) == expected


def _in_fractions(errors, n, size, delta):
    """The definition, sum by sum; the prior but for a constant is C(2K, K) C(2(N - K), N - K)."""
    prior = [
        math.comb(2 * held, held) * math.comb(2 * (size - held), size - held) for held in range(size + 1)
    ]
    likelihood = [math.perm(held, errors) * math.perm(size - held, n - errors) for held in range(size + 1)]
    kept = []
    for held in range(errors, size - n + errors + 1):
        mixed = sum(p * one for p, one in zip(prior[:held], likelihood[:held], strict=True))
        weight = max(sum(prior[:held]), 1)
        if Fraction(mixed, weight * likelihood[held]) < 1 / Fraction(delta):
            kept.append(held)
    return max(kept)


@settings(deadline=None)
@given(st.data(), st.integers(0, 40), st.sampled_from([0.001, 0.05, 0.3]))
def test_logs_and_fractions_agree(data, size, delta):
    n = data.draw(st.integers(0, size))
    errors = data.draw(st.integers(0, n))
    assert finite_pool_upper(errors, n, size, delta) == _in_fractions(errors, n, size, delta)


def test_nothing_audited_says_nothing_and_everything_audited_says_all():
    assert finite_pool_upper(0, 0, 10, 0.05) == 10
    assert finite_pool_upper(3, 10, 10, 0.05) == 3
    assert finite_pool_upper(0, 0, 0, 0.05) == 0
    assert finite_pool_upper(4, 4, 9, 0.05) == 9


def test_a_million_items_stay_within_reason():
    bound = finite_pool_upper(5000, 200_000, 10**6, 0.05)
    assert 25_000 < bound < 27_000
    assert type(finite_pool_upper(np.int64(0), np.int32(100), 200, 0.05)) is int


@pytest.mark.parametrize("held", [1, 6, 30])
def test_the_bound_holds_at_every_look(held):
    """1,000 pools of 60 items, looked at after each audit: at most 86 may ever deny the true number.

    A bound that ever misses with probability 0.05 fails this 6 times in 10 million.
    """
    table = {(k, n): finite_pool_upper(k, n, 60, 0.05) for n in range(61) for k in range(min(n, held) + 1)}
    rng = np.random.default_rng(20_250_303)
    wrong = np.arange(60) < held
    runs = (enumerate(np.cumsum(rng.permutation(wrong)), start=1) for _ in range(1000))
    assert sum(any(table[k, n] < held for n, k in run) for run in runs) <= 86


@pytest.mark.parametrize(
    ("errors", "n", "size", "message"),
    [
        (-1, 10, 20, "errors at most n"),
        (11, 10, 20, "errors at most n"),
        (1, 21, 20, "21 audits in a pool of 20"),
        (0.5, 10, 20, "must be whole numbers"),
        (0, 10, 20.0, "must be whole numbers"),
    ],
)
def test_counts_that_cannot_be_are_refused(errors, n, size, message):
    with pytest.raises(InvalidInput, match=message):
        finite_pool_upper(errors, n, size, 0.05)


def test_a_delta_outside_zero_and_one_is_refused():
    with pytest.raises(InvalidInput, match="delta must be between 0 and 1"):
        finite_pool_upper(0, 10, 20, 0.0)
