"""Accuracy at a review rate: the threshold, its ties, what is realised, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.errors import InvalidInput
from bootstrap.measuring import (
    accuracy_at_review_rate,
    review_curve,
    review_rate_for_target,
    review_threshold,
    selective_accuracy,
)

CORRECT = [False, True, True, False, True, True, True, True, True, True]
CONFIDENCE = [0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95]
shares = st.floats(0, 1)
# few distinct values, so that ties are common
confidences = st.lists(st.integers(0, 20).map(lambda i: i / 20), min_size=1, max_size=60)
outcomes = st.lists(st.tuples(st.booleans(), st.integers(0, 20).map(lambda i: i / 20)), min_size=1)


@given(confidences, shares)
def test_the_threshold_is_the_smallest_that_reviews_enough(confidence, rate):
    values = np.array(confidence)
    threshold = review_threshold(confidence, rate)
    realised = np.mean(values <= threshold)
    assert realised >= rate - 1e-9
    if rate > 0:
        assert threshold in values
        assert np.mean(values < threshold) < rate


@pytest.mark.parametrize(
    ("rate", "n", "reviewed"), [(0.2, 15, 3), (0.1, 30, 3), (0.07, 100, 7), (0.7, 10, 7)]
)
def test_a_rate_that_floats_cannot_hold_reviews_no_item_too_many(rate, n, reviewed):
    values = np.arange(n) / n
    assert np.count_nonzero(values <= review_threshold(values, rate)) == reviewed


def test_the_smallest_rate_above_zero_reviews_an_item():
    assert review_threshold([0.9, 0.5], 1e-300) == 0.5


def test_no_review_and_full_review():
    assert review_threshold(CONFIDENCE, 0.0) == -math.inf
    assert review_threshold(CONFIDENCE, 1.0) == 0.95


def test_ties_are_reviewed():
    assert review_threshold([0.5, 0.5, 0.5, 0.9], 0.25) == 0.5
    assert accuracy_at_review_rate([False, False, True, False], [0.5, 0.5, 0.5, 0.9], 0.25) == 0.75


def test_accuracy_at_a_review_rate_counts_what_people_decide_as_right():
    assert accuracy_at_review_rate(CORRECT, CONFIDENCE, 0.0) == pytest.approx(0.8)
    assert accuracy_at_review_rate(CORRECT, CONFIDENCE, 0.2) == pytest.approx(0.9)
    assert accuracy_at_review_rate(CORRECT, CONFIDENCE, 1.0) == 1.0


def test_peoples_errors_are_taken_off_for_what_they_review():
    assert accuracy_at_review_rate(CORRECT, CONFIDENCE, 0.2, people_error=0.1) == pytest.approx(0.88)
    assert accuracy_at_review_rate(CORRECT, CONFIDENCE, 1.0, people_error=0.1) == pytest.approx(0.9)
    assert accuracy_at_review_rate(CORRECT, CONFIDENCE, 0.0, people_error=0.1) == pytest.approx(0.8)


def test_a_given_threshold_goes_before_the_rate():
    assert accuracy_at_review_rate(CORRECT, CONFIDENCE, 0.0, threshold=0.65) == 1.0
    assert selective_accuracy(CORRECT, CONFIDENCE, 0.0, threshold=0.5) == pytest.approx(8 / 9)
    assert accuracy_at_review_rate(CORRECT, CONFIDENCE, 0.2, threshold=math.inf, people_error=0.1) == 0.9


def test_nothing_decided_alone_has_no_selective_accuracy():
    assert selective_accuracy(CORRECT, CONFIDENCE, 1.0) is None
    assert selective_accuracy([], [], 0.2) is None


def test_rate_and_threshold_are_read_off_all_held_out_items_where_they_are_given():
    everything = [*CONFIDENCE, *[0.1] * 10]
    assert accuracy_at_review_rate(CORRECT, CONFIDENCE, 0.5, confidence_all=everything) == pytest.approx(
        1 - 0.5 * 0.2
    )
    assert selective_accuracy(CORRECT, CONFIDENCE, 0.55, confidence_all=everything) == pytest.approx(8 / 9)


def test_a_part_decided_alone_without_any_audit_is_not_measured():
    assert math.isnan(accuracy_at_review_rate([True], [0.5], 0.5, confidence_all=[0.5, 0.9]))
    assert accuracy_at_review_rate([True], [0.5], 1.0, confidence_all=[0.5, 0.9]) == 1.0
    assert selective_accuracy([True], [0.5], 0.5, confidence_all=[0.5, 0.9]) is None


@given(outcomes, shares, shares)
def test_the_parts_add_up(rows, rate, people_error):
    correct, confidence = (np.array(column) for column in zip(*rows, strict=True))
    threshold = review_threshold(confidence, rate)
    reviewed = confidence <= threshold
    expected = np.where(reviewed, 1.0 - people_error, correct).mean()
    found = accuracy_at_review_rate(correct, confidence, rate, people_error=people_error)
    assert found == pytest.approx(expected)
    alone = selective_accuracy(correct, confidence, rate)
    assert alone == (pytest.approx(correct[~reviewed].mean()) if (~reviewed).any() else None)


@pytest.mark.parametrize(
    "correct", [np.array([1, 0]), np.array([1.0, 0.0]), [True, False], np.array([1, 0], "u1")]
)
def test_right_and_wrong_may_come_as_bools_or_as_ones_and_zeros(correct):
    assert accuracy_at_review_rate(correct, [0.5, 0.9], 0.0) == 0.5


MEASURES = {
    "accuracy": lambda correct, confidence, **kw: accuracy_at_review_rate(correct, confidence, 0.2, **kw),
    "selective": lambda correct, confidence, **kw: selective_accuracy(correct, confidence, 0.2, **kw),
    "target": lambda correct, confidence, **kw: review_rate_for_target(correct, confidence, 0.9, **kw),
    "curve": review_curve,
}


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
@pytest.mark.parametrize(
    ("correct", "confidence", "message"),
    [
        ([True, False], [0.5], r"one entry for each audited item, found shapes \(2,\) and \(1,\)"),
        ([[True]], [[0.5]], r"found shape \(1, 1\).*proba\.max"),
        ([True, False], [0.5, math.nan], "1 of 2 confidences are NaN or infinite"),
        ([True, False], [0.5, math.inf], "1 of 2 confidences are NaN or infinite"),
        ([True, False], ["high", "low"], "must be numbers"),
        ([2, 0], [0.5, 0.9], "Pass predicted == label"),
        ([math.nan, 1.0], [0.5, 0.9], "Pass predicted == label"),
        (["cat", "dog"], [0.5, 0.9], "Pass predicted == label"),
        (["1", "0"], [0.5, 0.9], "Pass predicted == label"),
    ],
)
def test_outcomes_that_do_not_fit_are_refused(measure, correct, confidence, message):
    with pytest.raises(InvalidInput, match=message):
        measure(correct, confidence)


@pytest.mark.parametrize("name", ["accuracy", "selective", "target", "curve"])
def test_held_out_confidences_that_are_missing_or_broken_are_refused(name):
    with pytest.raises(InvalidInput, match="confidence_all is empty"):
        MEASURES[name]([True], [0.5], confidence_all=[])
    with pytest.raises(InvalidInput, match="NaN or infinite"):
        MEASURES[name]([True], [0.5], confidence_all=[0.5, math.nan])


@pytest.mark.parametrize("share", [-0.01, 1.01, math.nan])
def test_shares_outside_zero_and_one_are_refused(share):
    calls = [
        lambda: review_threshold(CONFIDENCE, share),
        lambda: accuracy_at_review_rate(CORRECT, CONFIDENCE, share),
        lambda: accuracy_at_review_rate(CORRECT, CONFIDENCE, share, threshold=0.5),
        lambda: accuracy_at_review_rate(CORRECT, CONFIDENCE, 0.2, people_error=share),
        lambda: selective_accuracy(CORRECT, CONFIDENCE, share),
        lambda: review_rate_for_target(CORRECT, CONFIDENCE, 0.9, people_error=share),
        lambda: review_curve(CORRECT, CONFIDENCE, people_error=share),
    ]
    for call in calls:
        with pytest.raises(InvalidInput, match=r"must be a share in \[0, 1\]"):
            call()


def test_a_threshold_that_is_nan_is_refused():
    for measure in (accuracy_at_review_rate, selective_accuracy):
        with pytest.raises(InvalidInput, match="threshold is NaN"):
            measure(CORRECT, CONFIDENCE, 0.2, threshold=math.nan)


def test_nothing_measured_is_refused_where_there_is_no_answer():
    with pytest.raises(InvalidInput, match="Audit some first"):
        accuracy_at_review_rate([], [], 0.2)
    with pytest.raises(InvalidInput, match="all held-out items"):
        review_threshold([], 0.2)
