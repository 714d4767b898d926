"""Reliability by hand, against its definition, and its refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.errors import InvalidInput
from bootstrap.measuring import expected_calibration_error, reliability

outcomes = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=60)


def test_a_table_by_hand():
    found = reliability([1, 0, 1, 1, 1], [0.55, 0.52, 0.58, 0.91, 1.0], bins=10)
    np.testing.assert_allclose(found.confidence, [0.55, 0.955])
    np.testing.assert_allclose(found.accuracy, [2 / 3, 1])
    assert found.count.tolist() == [3, 2]
    assert found.bins == 10
    assert found.n_audited == 5
    expected = (3 * (2 / 3 - 0.55) + 2 * 0.045) / 5
    assert expected_calibration_error([1, 0, 1, 1, 1], [0.55, 0.52, 0.58, 0.91, 1.0]) == pytest.approx(
        expected
    )
    assert found.expected_calibration_error == pytest.approx(expected)


@given(outcomes, st.integers(1, 20))
def test_the_points_put_together_are_the_whole(pairs, bins):
    correct, confidence = map(list, zip(*pairs, strict=True))
    found = reliability(correct, confidence, bins)
    assert found.n_audited == len(pairs)
    assert len(found.count) == len(found.accuracy) == len(found.confidence) <= bins
    assert (found.count > 0).all()
    assert (np.diff(found.confidence) > 0).all()
    assert found.count @ found.accuracy == pytest.approx(sum(correct))
    assert found.count @ found.confidence == pytest.approx(sum(confidence))
    assert 0 <= found.expected_calibration_error <= 1


def test_one_bin_compares_the_means():
    assert expected_calibration_error([1, 1, 0, 0], [0.9, 0.8, 0.7, 0.8], bins=1) == pytest.approx(0.3)


def test_all_right_with_certainty_is_calibrated_and_all_wrong_is_as_far_off_as_can_be():
    assert expected_calibration_error([True] * 3, [1.0] * 3) == 0.0
    assert expected_calibration_error([False] * 3, [1.0] * 3) == 1.0


def test_a_confidence_a_rounding_above_one_counts_as_one():
    assert reliability([1], [np.float32(1.0000001)]).confidence.tolist() == [1.0]


def test_the_record_can_not_be_written_to():
    found = reliability([1], [0.9])
    with pytest.raises(ValueError, match="read-only"):
        found.accuracy[0] = 0.5
    with pytest.raises(AttributeError):
        found.bins = 3


@pytest.mark.parametrize(
    ("correct", "confidence", "bins", "found"),
    [
        ([], [], 10, "no audited item"),
        ([1], [1.2], 10, r"probabilities in \[0, 1\], found 1.2 to 1.2"),
        ([1, 1], [-3.0, 0.5], 10, "Decision values have no reliability"),
        ([1], [math.nan], 10, "NaN or infinite"),
        ([1, 0], [0.5], 10, "one entry for each audited item"),
        ([2], [0.5], 10, "True or False"),
        ([1], [0.5], 0, "at least 1 bin"),
    ],
)
def test_what_has_no_reliability_is_refused(correct, confidence, bins, found):
    with pytest.raises(InvalidInput, match=found):
        reliability(correct, confidence, bins)
    with pytest.raises(InvalidInput, match=found):
        expected_calibration_error(correct, confidence, bins)
