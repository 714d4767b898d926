"""The report on a review curve: what it hands on, and as what."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest

from bootstrap.measuring import review_curve
from bootstrap.report import ReviewCurveReport


@pytest.fixture
def curve():
    rng = np.random.default_rng(5)
    confidence = rng.random(60)
    return review_curve(rng.random(60) < 0.9, confidence)


def test_the_frame_has_a_row_for_each_review_rate(curve):
    frame = ReviewCurveReport(curve).to_frame()
    assert list(frame) == [
        "review_rate",
        "threshold",
        "accuracy",
        "low",
        "high",
        "selective_accuracy",
        "n_decided_alone",
        "n_wrong",
    ]
    assert len(frame) == 61
    np.testing.assert_array_equal(frame["accuracy"], curve.accuracy)


def test_the_frame_may_be_written_to_and_the_curve_stays(curve):
    frame = ReviewCurveReport(curve).to_frame()
    before = curve.accuracy[0]
    frame.loc[0, "accuracy"] = 0.123
    assert frame.loc[0, "accuracy"] == 0.123
    assert curve.accuracy[0] == before


def test_the_plot_shows_the_target_and_the_rate(curve):
    ax = ReviewCurveReport(curve, 0.97, "system", 0.3).plot()
    ax.figure.savefig(BytesIO(), format="png")
    texts = [text.get_text() for text in ax.texts]
    assert "target 0.97\nfor what goes out" in texts
    assert " 30 %" in texts
    bare = ReviewCurveReport(curve).plot()
    assert not [text for text in bare.texts if text.get_text().startswith("target")]


def test_the_repr_is_short_and_says_what_it_rests_on(curve):
    assert repr(ReviewCurveReport(curve)) == "ReviewCurveReport(61 review rates on 60 audited items)"
