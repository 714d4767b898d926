"""What stands in the pictures, that it is what was measured, and that nothing covers anything."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from bootstrap.errors import MissingExtra
from bootstrap.measuring import review_curve
from bootstrap.report import plot_history, plot_review_curve
from bootstrap.report.canvas import _in_a_notebook, new_axes


def _draw(ax):
    ax.figure.savefig(BytesIO(), format="png")
    return ax


def _texts(ax):
    legend = ax.get_legend()
    inside = [text.get_text() for text in legend.get_texts()] if legend else []
    texts = [text.get_text() for axes in (ax, *ax.child_axes) for text in axes.texts]
    return " | ".join([ax.get_title(loc="left"), *texts, *inside]).replace("\n", " ")


def _line(ax, ending):
    (line,) = [line for line in ax.lines if line.get_label().endswith(ending)]
    return line


def _column(history, name):
    return np.array([np.nan if (v := getattr(r, name)) is None else v for r in history], dtype=float)


def _curve(n=100, **kwargs):
    rng = np.random.default_rng(5)
    confidence = rng.random(n)
    return review_curve(rng.random(n) < 0.7 + 0.3 * confidence, confidence, **kwargs)


CASES = {
    "late": {},
    "early": {"n_rounds": 3},
    "one round": {"n_rounds": 1, "measured_from": 1},
    "one measured round": {"n_rounds": 2},
    "many rounds": {"n_rounds": 80},
    "system target": {"target_of": "system", "people_error": 0.02, "n_given": 200},
    "high target": {"target": 0.999},
    "low target": {"target": 0.3},
    "no review": {"review_rate": 0.0},
    "full review": {"review_rate": 1.0},
    "certified": {"certified_review_rate": 0.2},
    "last round not measured at r": {"accuracy_at_review_rate": None, "selective_accuracy": None},
    "nothing measured": {"measured_from": 99},
    "no round": {"n_rounds": 0},
}
_NOTHING = ("nothing measured", "no round")
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@cases
def test_every_history_draws_without_a_warning(make_history, case):
    _draw(plot_history(make_history(**case)))


@pytest.mark.parametrize(
    ("ending", "column"),
    [
        ("at 20 % review", "accuracy_at_review_rate"),
        ("decided alone", "selective_accuracy"),
        ("model on every item", "accuracy"),
    ],
)
def test_the_lines_are_what_was_measured_against_all_labels(make_history, ending, column):
    history = make_history()
    line = _line(plot_history(history), ending)
    np.testing.assert_array_equal(line.get_xdata(), _column(history, "n_labels"))
    np.testing.assert_array_equal(line.get_ydata(), _column(history, column))
    assert np.isnan(line.get_ydata()[0])


def test_the_band_is_the_interval_of_each_round(make_history):
    history = make_history()
    (band,) = [c for c in plot_history(history).collections if "its interval" in c.get_label()]
    corners = {tuple(np.round(corner, 9)) for path in band.get_paths() for corner in path.vertices}
    for r in history.rounds[1:]:
        assert (r.n_labels, round(r.accuracy_low, 9)) in corners
        assert (r.n_labels, round(r.accuracy_high, 9)) in corners


def test_the_running_interval_is_two_thin_dotted_lines(make_history):
    history = make_history()
    dotted = [line for line in plot_history(history).lines if line.get_linestyle() == ":"]
    assert [line.get_linewidth() < 1.5 for line in dotted] == [True, True]
    for line, column in zip(dotted, ("running_low", "running_high"), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), _column(history, column))


@pytest.mark.parametrize("case", ["one round", "one measured round"])
def test_a_single_measured_round_shows_its_intervals(make_history, case):
    history = make_history(**CASES[case])
    ax = plot_history(history)
    last = history[-1]
    bars = [c for c in ax.collections if hasattr(c, "get_segments") and len(c.get_segments())]
    expected = [[last.n_labels, last.accuracy_low], [last.n_labels, last.accuracy_high]]
    np.testing.assert_allclose(bars[0].get_segments()[0], expected)
    dotted = [line for line in ax.lines if line.get_linestyle() == ":"]
    assert [line.get_marker() for line in dotted] == ["_", "_"]
    assert _line(ax, "at 20 % review").get_marker() == "o"


def test_two_rounds_in_a_row_need_no_bars_of_their_own(make_history):
    ax = plot_history(make_history())
    assert not [c for c in ax.collections if hasattr(c, "get_segments") and len(c.get_segments())]


def test_the_last_round_always_has_its_marker(make_history):
    for n_rounds in (1, 2, 15, 16, 31, 80):
        line = _line(plot_history(make_history(n_rounds, measured_from=1)), "at 20 % review")
        start, step = line.get_markevery()
        marked = range(start, n_rounds, step)
        assert n_rounds - 1 in marked
        assert len(marked) <= 16


def test_every_line_differs_in_dash_and_marker_for_grey_print(make_history):
    ax = plot_history(make_history())
    styles = {line.get_label(): (line.get_linestyle(), line.get_marker()) for line in ax.lines[:5]}
    named = [style for label, style in styles.items() if not label.startswith("_")]
    assert len(named) == 4
    for one, other in combinations(named, 2):
        assert one[0] != other[0]
        assert one[1] != other[1]


def test_the_target_belongs_to_what_it_is_about(make_history):
    ax = plot_history(make_history(target=0.93))
    (target,) = [line for line in ax.lines if list(line.get_ydata()) == [0.93, 0.93]]
    (label,) = [text for text in ax.texts if text.get_text() == "target 0.93\nfor what is decided alone"]
    assert label.get_color() == target.get_color() == _line(ax, "decided alone").get_color()

    ax = plot_history(make_history(target=0.93, target_of="system"))
    (label,) = [text for text in ax.texts if text.get_text() == "target 0.93\nfor what goes out"]
    assert label.get_color() == _line(ax, "at 20 % review").get_color()
    assert not [line for line in ax.lines if line.get_label().endswith("decided alone")]


def test_the_picture_says_what_it_rests_on(make_history):
    ax = plot_history(make_history(25, n_given=200, people_error=0.02))
    texts = _texts(ax)
    assert ax.get_title(loc="left") == "Accuracy at a review rate of 20 %"
    assert "audits included" in ax.child_axes[0].get_xlabel()
    assert "Measured on 100 audited held-out items; labels by people taken as the truth." in texts
    assert "an interval for this round alone is no certificate" in texts
    assert "misses with a chance of at most 0.05" in texts
    assert "200 labels that existed before not counted" in texts
    assert "People taken to be wrong on 2 %" in texts
    bare = _texts(plot_history(make_history()))
    assert "existed before" not in bare
    assert "People taken to be wrong" not in bare


def test_the_legend_tells_the_last_figures(make_history):
    history = make_history()
    texts = _texts(plot_history(history))
    last = history[-1]
    assert f"{np.floor(1000 * last.accuracy_at_review_rate) / 1000:.3f}  at 20 % review" in texts
    assert texts.count("its interval, for this round alone") == 1
    assert "–  at 20 % review" in _texts(plot_history(make_history(accuracy_at_review_rate=None)))


@pytest.mark.parametrize(
    ("rate", "who"),
    [
        (0.0, "the model decides every item"),
        (1.0, "people decide every item"),
        (0.3, "people decide the 30 %"),
    ],
)
def test_the_title_says_who_decides(make_history, rate, who):
    assert who in _texts(plot_history(make_history(review_rate=rate)))


@pytest.mark.parametrize("case", _NOTHING)
def test_nothing_measured_is_said_and_nothing_drawn(make_history, case):
    ax = plot_history(make_history(**CASES[case]))
    assert "Nothing is measured yet." in _texts(ax)
    assert len(ax.lines) == len(ax.collections) == 0


@cases
def test_every_figure_is_inside_the_axes_and_the_axes_are_not_far_too_large(make_history, case):
    history = make_history(**case)
    ax = plot_history(history)
    left, right = ax.get_xlim()
    bottom, top = ax.get_ylim()
    assert left == 0
    for r in history:
        assert r.n_labels < right
        for value in (r.accuracy, r.accuracy_at_review_rate, r.selective_accuracy):
            assert value is None or bottom <= value < top
    assert 0 <= bottom < 1 < top <= 1.03


def _boxes(ax):
    renderer = ax.figure.canvas.get_renderer()
    texts = [*ax.texts, ax.xaxis.label, ax.yaxis.label]
    boxes = {"the axes": ax.get_window_extent(renderer)}
    for strip in ax.child_axes:
        boxes["the strip"] = strip.get_window_extent(renderer)
        inside, note = strip.texts
        texts += [note, strip.xaxis.label, strip.yaxis.label]
        box = inside.get_window_extent(renderer)
        assert boxes["the strip"].x0 < box.x0 < box.x1 < boxes["the strip"].x1
        assert boxes["the strip"].y0 < box.y0 < box.y1 < boxes["the strip"].y1
    if ax.get_legend():
        boxes["the legend"] = ax.get_legend().get_window_extent(renderer)
    return boxes | {text.get_text(): text.get_window_extent(renderer) for text in texts if text.get_text()}


@pytest.mark.parametrize("case", [CASES[name] for name in CASES if name not in _NOTHING])
def test_no_text_covers_data_or_another_text_or_leaves_the_picture(make_history, case):
    ax = _draw(plot_history(make_history(**case)))
    _check_boxes(ax)


@pytest.mark.parametrize("target", [None, 0.75, 0.95, 0.999])
def test_no_text_covers_data_or_another_text_on_a_review_curve(target):
    ax = _draw(plot_review_curve(_curve(), target=target))
    _check_boxes(ax)


def _check_boxes(ax):
    whole = ax.figure.bbox
    boxes = _boxes(ax)
    for name, box in boxes.items():
        assert whole.x0 <= box.x0, name
        assert box.x1 <= whole.x1 + 1, name
        assert whole.y0 <= box.y0, name
        assert box.y1 <= whole.y1, name
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        overlap = min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
        assert not overlap, (one, other)


def test_given_axes_are_drawn_on_and_their_figure_is_left_alone(make_history):
    figure = Figure((13, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    assert plot_history(make_history(), left) is left
    assert plot_review_curve(_curve(), right, target=0.9) is right
    assert "target 0.95 for what is decided alone" in _texts(left)
    assert len(figure.axes) == 2
    figure.savefig(BytesIO(), format="png")


def test_the_review_curve_shows_both_accuracies_and_the_band():
    curve = _curve(delta=0.1, people_error=0.03)
    ax = _draw(plot_review_curve(curve, target=0.9, review_rate=0.2))
    system, alone = _line(ax, "what goes out"), _line(ax, "decided alone")
    np.testing.assert_array_equal(system.get_xdata(), 100 * curve.review_rate)
    np.testing.assert_array_equal(system.get_ydata(), curve.accuracy)
    enough = curve.n_decided_alone >= 20
    np.testing.assert_array_equal(alone.get_ydata()[enough], curve.selective_accuracy[enough])
    assert np.isnan(alone.get_ydata()[~enough]).all()
    (band,) = [c for c in ax.collections if "its interval" in c.get_label()]
    corners = {tuple(np.round(corner, 9)) for path in band.get_paths() for corner in path.vertices}
    assert (100 * curve.review_rate[3], round(curve.low[3], 9)) in corners
    texts = _texts(ax)
    assert "Measured on 100 audited held-out items" in texts
    assert "at most 0.1, at a rate fixed beforehand: not at the one that looks best here" in texts
    assert "Nothing here is a certificate" in texts
    assert "People taken to be wrong on 3 %" in texts
    assert "target 0.9 for what is decided alone" in texts
    assert " 20 %" in [text.get_text() for text in ax.texts]


def test_a_curve_of_few_audits_is_thin_and_says_so():
    ax = plot_review_curve(_curve(12))
    assert np.isnan(_line(ax, "decided alone").get_ydata()).all()
    assert "Thin: fewer than 20 audited items" in _texts(ax)
    full = plot_review_curve(_curve(100, thresholds=[0.0, 0.5, 2.0]))
    assert "Thin" not in _texts(full)


@pytest.mark.parametrize("curve", [_curve(1), _curve(100, thresholds=[]), _curve(3, thresholds=[2.0])])
def test_a_curve_of_next_to_nothing_draws_without_a_warning(curve):
    _draw(plot_review_curve(curve, target=0.95, target_of="system", review_rate=0.2))


@pytest.mark.parametrize("name", ["history", "curve"])
def test_a_picture_is_no_verdict(make_history, name):
    ax = plot_history(make_history()) if name == "history" else plot_review_curve(_curve(), target=0.8)
    words = _texts(ax).lower()
    for denial in ("no certificate", "nothing here is a certificate", "nothing certified yet"):
        words = words.replace(denial, "")
    for claim in ("certif", "verdict", "advance", "proved", "safe", "guarantee", "passed", "achieved"):
        assert claim not in words


def _run(code):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


_CURVE = "from bootstrap.measuring import review_curve; curve = review_curve([1, 0, 1], [.9, .5, .7]);"


def test_a_plot_in_a_script_touches_no_global_state():
    code = (
        f"import sys; from bootstrap.report import plot_review_curve; {_CURVE}"
        "ax = plot_review_curve(curve); ax.figure.savefig(sys.stdout.buffer, format='svg');"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert "<svg" in _run(code)


@pytest.fixture
def pyplots_figure(monkeypatch):
    """The figure that a stand-in for pyplot gives; nobody has imported pyplot, and no notebook runs."""
    figure = Figure(layout="constrained")
    monkeypatch.setattr("matplotlib.pyplot", SimpleNamespace(figure=lambda **_: figure), raising=False)
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    return figure


def test_a_plot_is_nobodys_where_neither_pyplot_nor_a_notebook_is_in_use(pyplots_figure):
    assert new_axes().figure is not pyplots_figure


def test_a_plot_belongs_to_pyplot_where_pyplot_is_in_use(monkeypatch, pyplots_figure):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", SimpleNamespace(close=lambda which: None))
    assert new_axes().figure is pyplots_figure


@pytest.mark.parametrize(("kernel", "running"), [(object(), True), (None, False)])
def test_a_plot_belongs_to_pyplot_in_a_notebook_that_runs(monkeypatch, pyplots_figure, kernel, running):
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: kernel))
        assert _in_a_notebook() is running
    monkeypatch.setattr("bootstrap.report.canvas._in_a_notebook", lambda: running)
    assert (new_axes().figure is pyplots_figure) is running


def test_without_matplotlib_the_extra_is_named(make_history, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for draw in (lambda: plot_history(make_history()), lambda: plot_review_curve(_curve())):
        with pytest.raises(MissingExtra, match="pip install matplotlib"):
            draw()
