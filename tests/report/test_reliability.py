"""The reliability picture: what stands in it, that it is what was measured, and what it must not claim."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure

from bootstrap.errors import MissingExtra
from bootstrap.measuring import reliability
from bootstrap.report import plot_reliability


@pytest.fixture
def record():
    rng = np.random.default_rng(3)
    confidence = 0.4 + 0.6 * rng.beta(4, 1.5, 300)
    return reliability(rng.random(300) < confidence**2, confidence)


def _draw(ax):
    ax.figure.savefig(BytesIO(), format="png")
    return ax


def _points(ax):
    drawn = [line.get_xydata() for line in ax.lines if line.get_marker() == "o"]
    return sorted(map(tuple, np.concatenate(drawn)))


def _words(ax):
    texts = [ax.get_title(loc="left"), *(t.get_text() for t in [*ax.texts, *ax.get_legend().get_texts()])]
    return " ".join(texts).replace("\n", " ")


def test_the_points_are_what_was_measured_with_their_numbers_beside_them(record):
    ax = _draw(plot_reliability(record))
    np.testing.assert_allclose(_points(ax), np.transpose([record.confidence, record.accuracy]))
    written = [text.get_text() for text in ax.texts]
    assert [f"{n}" for n in record.count] == [text for text in written if text.isdigit()]


def test_bins_of_few_items_are_hollow_and_the_legend_says_so(record):
    ax = plot_reliability(record)
    solid, hollow = [line for line in ax.lines if line.get_marker() == "o"]
    assert len(solid.get_xdata()) == (record.count >= 20).sum() > 0
    assert len(hollow.get_xdata()) == (record.count < 20).sum() > 0
    assert hollow.get_markerfacecolor() == "white"
    assert {"20 or more items", "fewer than 20"} <= {t.get_text() for t in ax.get_legend().get_texts()}


def test_the_dashed_line_is_where_confidence_and_accuracy_are_the_same(record):
    (dashed,) = [line for line in plot_reliability(record).lines if line.get_linestyle() == "--"]
    np.testing.assert_array_equal(dashed.get_xdata(), dashed.get_ydata())


def test_numbers_stand_on_the_side_away_from_the_line():
    ax = plot_reliability(reliability([0, 0, 1, 1], [0.55, 0.55, 0.75, 0.75]))
    below, above = [text for text in ax.texts if text.get_text() == "2"]
    assert (below.get_va(), above.get_va()) == ("top", "bottom")


@pytest.mark.parametrize(
    ("correct", "confidence"),
    [([1], [0.9]), ([0] * 50, [1.0] * 50), ([1] * 30, [0.0] * 30), ([1, 0], [0.5, 0.5])],
)
def test_nothing_leaves_the_picture_and_no_number_lies_on_its_edge(correct, confidence):
    ax = _draw(plot_reliability(reliability(correct, confidence)))
    renderer = ax.figure.canvas.get_renderer()
    frame = ax.get_window_extent(renderer)
    for text in ax.texts:
        if text.get_text().isdigit():
            box = text.get_window_extent(renderer)
            assert frame.y0 < box.y0
            assert box.y1 < frame.y1
    assert (ax.get_xlim()[0] <= np.array(confidence)).all()
    low, high = ax.get_ylim()
    assert all(low < y < high for _, y in _points(ax))


def test_the_note_says_what_it_rests_on_and_that_it_is_no_evidence(record):
    words = _words(plot_reliability(record))
    assert "Measured on 300 audited held-out items" in words
    assert f"calibration error {record.expected_calibration_error:.3f} in 10 bins" in words
    assert "confidence is no evidence, and nothing here is a certificate" in words
    for claim in ("verdict", "advance", "proved", "safe", "guarantee", "passed"):
        assert claim not in words.lower()


def test_given_axes_are_drawn_on(record):
    figure = Figure((13, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    assert plot_reliability(record, left) is left
    plot_reliability(record, right)
    assert len(figure.axes) == 2
    _draw(left)


def test_without_matplotlib_the_extra_is_named(record, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match="pip install matplotlib"):
        plot_reliability(record)


def test_the_picture_draws_without_a_warning_and_touches_no_global_state():
    code = (
        "import sys; from bootstrap.measuring import reliability;"
        "from bootstrap.report import plot_reliability;"
        "ax = plot_reliability(reliability([1, 0, 1], [.9, .5, .7]));"
        "ax.figure.savefig(sys.stdout.buffer, format='svg'); sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert b"<svg" in ran.stdout
