"""Evidence at many rates from one log: the same as each rate would say alone, and what is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.errors import InvalidInput
from bootstrap.measuring import RatesEvidence, WeightedEvidence, rates_evidence

EPS = 0.125
THRESHOLDS = [0.5, -math.inf, 0.75, 0.25, 0.5]

items = st.tuples(
    st.sampled_from([0.1, 0.25, 0.3, 0.5, 0.6, 0.75, 0.9]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([EPS, 0.3, 0.999]),
)
logs = st.lists(items, max_size=40)


def _columns(log):
    confidence, wrong, asked, probability = zip(*log, strict=True) if log else ([], [], [], [])
    return (
        np.array(confidence, dtype=float),
        np.array(wrong, dtype=bool),
        np.array(asked, dtype=bool),
        np.array(probability, dtype=float),
    )


def _one_by_one(log, alpha):
    """What each rate's own evidence says, fed item by item, and its counts."""
    result = []
    for threshold, allowed in zip(THRESHOLDS, np.broadcast_to(alpha, (len(THRESHOLDS),)), strict=True):
        evidence, audited, errors = WeightedEvidence(float(allowed), EPS), 0, 0
        for confidence, wrong, asked, probability in log:
            if confidence > threshold:
                evidence.update(1 / probability if wrong and asked else 0.0)
                audited += asked
                errors += wrong and asked
        result.append((evidence.log_e, evidence.highest_log_e, evidence.n, audited, errors))
    return np.array(result).reshape(-1, 5)


@settings(deadline=None)
@given(logs, logs, st.sampled_from([0.05, (0.05, 0.1, 0.02, 0.3, 0.9)]), st.integers(1, 9))
def test_all_rates_at_once_say_what_each_would_say_alone(before, batch, alpha, block):
    evidence = RatesEvidence(THRESHOLDS, alpha, EPS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rates_evidence, "BLOCK", block)
        evidence.update(*_columns(before))
        evidence.update(*_columns(batch))
    found = np.array(
        [evidence.log_e, evidence.highest_log_e, evidence.n, evidence.n_audited, evidence.n_wrong]
    )
    np.testing.assert_allclose(found.T, _one_by_one(before + batch, alpha), rtol=1e-9, atol=1e-9)


@given(logs, logs)
def test_rates_through_json_go_on_bit_by_bit(before, after):
    evidence = RatesEvidence(THRESHOLDS, (0.05, 0.1, 0.02, 0.3, 0.9), EPS)
    evidence.update(*_columns(before))
    restored = RatesEvidence.from_dict(json.loads(json.dumps(evidence.to_dict(), allow_nan=False)))
    assert restored.thresholds.tolist() == THRESHOLDS
    evidence.update(*_columns(after))
    restored.update(*_columns(after))
    assert restored.to_dict() == evidence.to_dict()
    assert restored.log_e.tolist() == evidence.log_e.tolist()


def test_ties_at_the_threshold_are_reviewed():
    evidence = RatesEvidence([0.5], 0.05, EPS)
    evidence.update([0.5, 0.50001], [True, False], [True, True], [1.0, 1.0])
    assert evidence.n.tolist() == [1]
    assert evidence.n_wrong.tolist() == [0]


def test_whether_the_model_was_wrong_is_read_only_where_somebody_was_asked():
    known, unknown = RatesEvidence([0.5], 0.05, EPS), RatesEvidence([0.5], 0.05, EPS)
    rest = ([0.9, 0.8, 0.7], [True, False, True], [0.5, 0.5, 0.5])
    known.update(rest[0], [True, False, False], rest[1], rest[2])
    unknown.update(rest[0], [1.0, math.nan, 0.0], rest[1], rest[2])
    assert unknown.to_dict() == known.to_dict()
    unknown.update(rest[0], [True, None, False], rest[1], rest[2])
    assert unknown.n_wrong.tolist() == [2]


def test_what_is_handed_out_cannot_change_the_evidence():
    evidence = RatesEvidence([0.5, 0.7], 0.05, EPS)
    evidence.update([0.9], [True], [True], [0.5])
    before = evidence.to_dict()
    for name in ("thresholds", "alpha", "n", "n_audited", "n_wrong", "log_e", "highest_log_e"):
        getattr(evidence, name)[:] = 0.123
    assert evidence.to_dict() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"confidence": [0.9, math.nan]}, "NaN or infinite"),
        ({"wrong": [True, math.nan]}, "wrong must hold True or False"),
        ({"wrong": [True, None]}, "wrong must hold True or False"),
        ({"wrong": [True]}, r"shape \(1,\) for wrong"),
        ({"asked": [True, 0.5]}, "asked must hold True or False"),
        ({"asked": [True]}, r"shape \(1,\) for asked"),
        ({"asked": [True, False]}, "1 items were to be asked with probability 1 and were not"),
        ({"probability": [0.5, 0.1]}, "found 0.1"),
        ({"probability": [0.5, 1.1]}, "found 1.1"),
        ({"probability": [0.5, math.nan]}, "found nan"),
        ({"probability": [0.0, 1.0]}, "found 0"),
        ({"probability": 0.5}, "Each item needs the probability"),
        ({"probability": ["low", "high"]}, "Probabilities must be numbers"),
    ],
)
def test_a_log_that_cannot_be_is_refused_and_nothing_is_fed(change, message):
    evidence = RatesEvidence([0.5], 0.05, EPS)
    log = {"confidence": [0.9, 0.8], "wrong": [True, False], "asked": [True, True], "probability": [0.5, 1.0]}
    with pytest.raises(InvalidInput, match=message):
        evidence.update(**log | change)
    assert evidence.to_dict() == RatesEvidence([0.5], 0.05, EPS).to_dict()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 0.05, EPS), "one for each review rate"),
        (([[0.5]], 0.05, EPS), "one for each review rate"),
        (([0.5, math.nan], 0.05, EPS), "Thresholds must be numbers"),
        (([math.inf], 0.05, EPS), "Thresholds must be numbers"),
        (([0.5], [0.05, 0.1], EPS), "one for each of 1 rates"),
        (([0.5], 0.0, EPS), "alpha must be between"),
        (([0.5], [1.0], EPS), "alpha must be between"),
        (([0.5], 0.05, 0.0), "smallest_probability must be above 0"),
        (([0.5], 0.05, 1.1), "smallest_probability must be above 0"),
    ],
)
def test_settings_out_of_range_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        RatesEvidence(*arguments)


def test_a_stored_state_that_does_not_fit_is_refused():
    evidence = RatesEvidence([0.5, -math.inf], 0.05, EPS)
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
