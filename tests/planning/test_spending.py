"""When to stop auditing a candidate: the posterior rule, and what it must not do."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from bootstrap.errors import InvalidInput
from bootstrap.planning import worth_auditing

counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n)))


@given(counts, st.floats(0.001, 0.5), st.floats(0.1, 1.0), st.floats(0.0, 1.0))
def test_it_is_the_posterior_probability_of_an_error_well_below_alpha(pair, alpha, share, least):
    errors, n = pair
    posterior = beta.cdf(share * alpha, errors + 0.5, n - errors + 0.5)
    if not math.isclose(posterior, least, rel_tol=1e-6, abs_tol=1e-12):
        assert worth_auditing(errors, n, alpha, share=share, least=least) is bool(posterior >= least)


@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.01, 0.001, 1e-6])
def test_while_no_error_was_seen_audits_go_on(alpha):
    assert worth_auditing(0, 0, alpha)
    assert worth_auditing(0, 1, alpha)
    assert worth_auditing(0, 10_000, alpha)


def test_one_early_error_does_not_end_it():
    assert worth_auditing(1, 25, 0.05)


@pytest.mark.parametrize(("errors", "n"), [(5, 5), (10, 100), (50, 1000)])
def test_errors_as_frequent_as_alpha_or_more_end_it(errors, n):
    assert not worth_auditing(errors, n, 0.05)


def test_after_giving_up_right_answers_bring_it_back():
    assert [worth_auditing(2, n, 0.05) for n in (5, 20, 40, 100)] == [False, False, True, True]


def test_it_is_a_plain_bool():
    assert worth_auditing(1, 25, 0.05) is True
    assert worth_auditing(9, 25, 0.05) is False


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ({"errors": 3, "n": 2}, "errors at most n"),
        ({"errors": -1, "n": 2}, "0 or more"),
        ({"alpha": 0.0}, "alpha must be between 0 and 1"),
        ({"alpha": math.nan}, "alpha must be between 0 and 1"),
        ({"share": 1.5}, "share must be a share"),
        ({"least": -0.1}, "least must be a share"),
    ],
)
def test_what_cannot_be_is_refused(call, found):
    with pytest.raises(InvalidInput, match=found):
        worth_auditing(**{"errors": 0, "n": 2, "alpha": 0.05} | call)
