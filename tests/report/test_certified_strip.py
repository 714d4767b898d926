"""The strip below the history: steps where something was certified, and plain words where nothing is."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bootstrap.report import plot_history
from bootstrap.report.certified_strip import certified_in_words


@pytest.fixture
def with_rates(make_history):
    """A function that makes a history of certified review rates, one a round."""

    def make(*rates, **kwargs):
        history = make_history(len(rates), measured_from=1, **kwargs)
        rounds = [replace(r, certified_review_rate=rate) for r, rate in zip(history, rates, strict=True)]
        return replace(history, rounds=tuple(rounds))

    return make


def _strip(ax):
    (strip,) = ax.child_axes
    return strip


def _rate_at(strip, n_labels):
    """What a reader sees above a number of labels."""
    x, y = strip.lines[0].get_data(orig=True)
    return y[np.searchsorted(x, n_labels, side="right") - 1]


def test_a_rate_is_in_force_from_the_round_that_certified_it_to_the_edge_of_the_picture(with_rates):
    ax = plot_history(with_rates(1.0, 1.0, 0.2, 0.2, 0.1))
    strip = _strip(ax)
    seen = [_rate_at(strip, n) for n in (0, 24, 71, 72, 119, 120, 10_000)]
    assert seen == [1.0, 1.0, 1.0, 0.2, 0.2, 0.1, 0.1]
    assert strip.lines[0].get_drawstyle() == "steps-post"
    assert strip.get_xlim() == ax.get_xlim()
    assert strip.lines[0].get_xdata()[-1] == ax.get_xlim()[1]
    low, high = strip.get_ylim()
    assert low <= 0 < 1 < high


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ((1.0,), "nothing certified yet"),
        ((1.0, 0.2), "certified: 20 % review"),
        ((0.2, 0.125), "certified: 12.5 % review"),
        ((0.2, 0.1, 1.0), "nothing certified any more (was 10 %)"),
        ((0.2, 1.0, 0.0), "certified: 0 % review"),
    ],
)
def test_the_state_is_told_in_a_few_words(with_rates, rates, words):
    history = with_rates(*rates)
    assert certified_in_words(history) == words
    assert _strip(plot_history(history)).texts[0].get_text() == words


def test_only_a_certificate_is_drawn_in_colour_and_bold(with_rates):
    nothing, something = (_strip(plot_history(with_rates(1.0, rate))) for rate in (1.0, 0.2))
    assert nothing.lines[0].get_color() != something.lines[0].get_color()
    assert [strip.texts[0].get_fontweight() for strip in (nothing, something)] == ["normal", "bold"]


def test_the_note_says_that_a_certificate_is_about_another_model(with_rates):
    def note(history):
        return _strip(plot_history(history)).texts[1].get_text().replace("\n", " ")

    assert "What is certified is a model frozen earlier (loop.certificates)." in note(with_rates(1.0, 0.2))
    assert "frozen" not in note(with_rates(1.0, 1.0))
    assert "frozen" not in note(with_rates(0.2, 1.0))


def test_the_name_of_the_x_axis_stands_below_the_strip_only(with_rates):
    ax = plot_history(with_rates(1.0, 0.2))
    assert ax.get_xlabel() == ""
    assert _strip(ax).get_xlabel() == "labels that people gave, audits included"
    ax.figure.savefig(BytesIO(), format="png")
    assert not any(tick.label1.get_visible() for tick in ax.xaxis.get_major_ticks())
    assert any(tick.label1.get_visible() for tick in _strip(ax).xaxis.get_major_ticks())


@pytest.mark.parametrize("layout", [None, "constrained", "tight"])
def test_on_given_axes_the_strip_stays_within_the_picture(with_rates, layout):
    figure = Figure((8, 6), layout=layout)
    canvas = FigureCanvasAgg(figure)
    ax = figure.subplots()
    plot_history(with_rates(1.0, 0.2), ax)
    figure.savefig(BytesIO(), format="png")
    box = _strip(ax).xaxis.label.get_window_extent(canvas.get_renderer())
    assert figure.axes == [ax]
    assert box.y0 >= 0
    assert ax.get_in_layout()
