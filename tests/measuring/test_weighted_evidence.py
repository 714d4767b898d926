"""Evidence from logs with audits of known probability: reference figures, and its promise."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.errors import InvalidInput
from bootstrap.measuring import WeightedEvidence

EPS = 0.125

zs = st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.01, 1.0, 2.5, 1 / EPS]), max_size=40)


def _by_definition(z, alpha, eps):
    """Log E after each of the items: products of the six bets, and their mean."""
    bets = 0.95 / (1 / eps - alpha) * np.geomspace(1, 1 / 8, 6)
    products = np.cumsum(np.log1p(bets * (alpha - np.asarray(z, dtype=float)[:, None])), axis=0)
    return np.logaddexp.reduce(products, axis=1) - math.log(6)


def test_the_reference_figures():
    evidence = WeightedEvidence(0.05, 0.1)
    assert (evidence.log_e, evidence.highest_log_e, evidence.n) == (0.0, 0.0, 0)
    evidence.update(np.zeros(1000))
    assert evidence.log_e == evidence.highest_log_e == pytest.approx(3.260927, abs=1e-6)
    evidence.update(10.0)
    assert evidence.log_e == pytest.approx(1.453836, abs=1e-6)
    assert evidence.highest_log_e == pytest.approx(3.260927, abs=1e-6)
    assert evidence.n == 1001


@given(zs, st.floats(0.001, 0.99))
def test_it_follows_the_definition_and_finds_the_highest_moment_within_a_batch(z, alpha):
    evidence = WeightedEvidence(alpha, EPS)
    evidence.update(z)
    path = [0.0, *_by_definition(z, alpha, EPS)]
    assert evidence.log_e == pytest.approx(path[-1], rel=1e-9, abs=1e-9)
    assert evidence.highest_log_e == pytest.approx(max(path), rel=1e-9, abs=1e-9)
    assert evidence.n == len(z)


@given(zs, zs)
def test_a_batch_is_the_same_as_one_by_one(before, batch):
    together, alone = WeightedEvidence(0.05, EPS), WeightedEvidence(0.05, EPS)
    together.update(before)
    together.update(np.array(batch))
    for z in before + batch:
        alone.update(z)
    assert (together.n, together.to_dict()["zeros"]) == (alone.n, alone.to_dict()["zeros"])
    assert together.to_dict()["sums"] == pytest.approx(alone.to_dict()["sums"], rel=1e-13)
    assert together.log_e == pytest.approx(alone.log_e, rel=1e-13, abs=1e-13)
    assert together.highest_log_e == pytest.approx(alone.highest_log_e, rel=1e-13, abs=1e-13)


@given(zs, zs)
def test_through_json_it_goes_on_bit_by_bit(before, after):
    evidence = WeightedEvidence(0.07, EPS)
    evidence.update(before)
    restored = WeightedEvidence.from_dict(json.loads(json.dumps(evidence.to_dict(), allow_nan=False)))
    evidence.update(after)
    restored.update(after)
    assert restored.to_dict() == evidence.to_dict()
    assert (restored.log_e, restored.highest_log_e) == (evidence.log_e, evidence.highest_log_e)


@pytest.mark.parametrize("z", [-0.1, 8.1, math.nan, [0.0, math.inf]])
def test_a_z_out_of_range_is_refused_and_nothing_is_fed(z):
    evidence = WeightedEvidence(0.05, EPS)
    with pytest.raises(InvalidInput, match="Z must lie between 0 and 8"):
        evidence.update(z)
    assert evidence.n == 0


@pytest.mark.parametrize(("z", "message"), [([[0.0]], "found shape"), ("none", "must be a number")])
def test_a_z_that_is_no_list_of_numbers_is_refused(z, message):
    with pytest.raises(InvalidInput, match=message):
        WeightedEvidence(0.05, EPS).update(z)


def test_weighted_evidence_at_the_boundary_certifies_as_seldom_as_promised():
    """1,000 runs of 3,000 items, a tenth of them audited, an error rate of alpha: at most 86 may certify.

    Evidence that is ever false with probability 0.05 fails this 6 times in 10 million.
    """
    rng = np.random.default_rng(20_250_306)
    false = 0
    for _ in range(1000):
        evidence = WeightedEvidence(0.05, 0.1)
        evidence.update(10.0 * (rng.random(3000) < 0.05 * 0.1))
        false += evidence.highest_log_e >= math.log(20)
    assert 0 < false <= 86


def test_errors_that_are_not_weighted_would_certify_what_is_twice_too_bad():
    """An error rate of 0.1 where 0.05 is allowed: unweighted it looks ten times smaller than it is."""
    rng = np.random.default_rng(20_250_307)
    found = (rng.random(20_000) < 0.1) & (rng.random(20_000) < 0.1)
    honest, unweighted = WeightedEvidence(0.05, 0.1), WeightedEvidence(0.05, 0.1)
    honest.update(10.0 * found)
    unweighted.update(1.0 * found)
    assert honest.highest_log_e < math.log(20) < unweighted.highest_log_e


def test_settings_of_one_rate_out_of_range_are_refused():
    with pytest.raises(InvalidInput, match="alpha must be between"):
        WeightedEvidence(1.0, EPS)
    with pytest.raises(InvalidInput, match="smallest_probability must be above 0"):
        WeightedEvidence(0.05, math.nan)


def test_a_stored_state_that_does_not_fit_is_refused():
    evidence = WeightedEvidence(0.05, EPS)
    stored = evidence.to_dict()
    for name in stored:
        with pytest.raises(InvalidInput, match=f"has no '{name}'"):
            type(evidence).from_dict({key: value for key, value in stored.items() if key != name})
    for change in (
        {"sums": [1.0]},
        {"highest_log_e": None},
        {"n": "many"},
        {"alpha": 0.0},
        {"zeros": [1, 2, 3]},
    ):
        with pytest.raises(InvalidInput, match="Pass back what to_dict"):
            type(evidence).from_dict(stored | change)
