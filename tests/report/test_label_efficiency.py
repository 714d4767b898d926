"""The picture of a comparison: a curve a strategy, a band for each difference, and a note."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from bootstrap.errors import MissingExtra
from bootstrap.report import plot_label_efficiency
from bootstrap.report.label_efficiency import paired_interval, signed_interval

GRID = [20, 30, 40, 50]


def curves(n_seeds=3, gains=(("random", 0.0), ("good", 0.1), ("same", 0.0))):
    rng = np.random.default_rng(0)
    rows = []
    for seed in range(n_seeds):
        base = np.array([0.5, 0.6, 0.7, 0.75]) + 0.05 * seed
        for name, gain in gains:
            noise = rng.normal(0, 0.01, 4) if name != "random" else 0
            rows += [(name, seed, n, a) for n, a in zip(GRID, base + gain + noise, strict=True)]
    return pd.DataFrame(rows, columns=["strategy", "seed", "n_labels", "accuracy"])


def lines(ax):
    return {line.get_label().split()[-1]: line for line in ax.lines}


def test_each_curve_is_the_mean_over_the_seeds():
    frame = curves()
    ax = plot_label_efficiency(frame, "random")

    assert set(lines(ax)) == {"random", "good", "same"}
    for name, line in lines(ax).items():
        mean = frame[frame["strategy"] == name].groupby("n_labels")["accuracy"].mean()
        assert line.get_xdata().tolist() == GRID
        assert line.get_ydata() == pytest.approx(mean.to_numpy())


def test_a_band_misses_the_baseline_exactly_where_the_paired_interval_misses_zero():
    frame = curves()
    ax = plot_label_efficiency(frame, "random")
    wide = frame.pivot_table("accuracy", ["seed"], ["strategy", "n_labels"])

    assert len(ax.collections) == 2  # none around the baseline itself
    by_color = {tuple(band.get_facecolor()[0][:3]): band for band in ax.collections}
    from matplotlib.colors import to_rgb

    for name in ("good", "same"):
        band = by_color[to_rgb(lines(ax)[name].get_color())].get_paths()[0].vertices
        for n in GRID:
            y = band[band[:, 0] == n, 1]
            low, high = ttest_rel(wide[name][n], wide["random"][n]).confidence_interval(0.95)
            base = wide["random"][n].mean()
            assert y.min() == pytest.approx(max(0, base + low))
            assert y.max() == pytest.approx(min(1, base + high))


def test_a_single_seed_has_no_band_and_says_so():
    ax = plot_label_efficiency(curves(1), "random")

    assert len(ax.collections) == 0
    assert any("means over 1 seed; a single run each" in text.get_text() for text in ax.texts)


def test_the_legend_reads_from_the_best_to_the_last_with_its_mean():
    ax = plot_label_efficiency(curves(), "random")
    said = [text.get_text() for text in ax.get_legend().get_texts()]

    assert said[0].endswith("good")
    assert said == sorted(said, reverse=True)
    assert ax.get_ylabel() == "accuracy on the test set"


def test_lines_differ_in_more_than_colour():
    gains = [("random", 0.0), *((f"s{i}", 0.01 * i) for i in range(8))]
    ax = plot_label_efficiency(curves(2, gains), "random")
    styles = {(line.get_linestyle(), line.get_marker()) for line in ax.lines}

    assert len({line.get_color() for line in ax.lines}) == 9
    assert len(styles) > 6


def test_it_draws_on_axes_of_ones_own_and_puts_the_note_below():
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()

    assert plot_label_efficiency(curves(), "random", ax, note="on 60 items") is ax
    assert [text.get_text() for text in ax.texts][-1] == "on 60 items"
    assert len(plot_label_efficiency(curves(), "random").texts) == 1


def test_every_curve_is_in_the_picture():
    for shift in (-0.5, 0.0, 0.05):
        frame = curves().assign(accuracy=lambda f, s=shift: f["accuracy"] + s)
        ax = plot_label_efficiency(frame, "random")
        low, high = ax.get_ylim()
        values = np.concatenate([line.get_ydata() for line in ax.lines])
        assert low <= values.min() < values.max() <= high
        assert high <= 1.01
        ax.figure.canvas.draw()


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)

    with pytest.raises(MissingExtra, match="Drawing a plot needs matplotlib"):
        plot_label_efficiency(curves(), "random")


def test_the_paired_interval_is_students_for_one_column_and_for_many():
    values = np.random.default_rng(1).normal(size=(6, 3))
    low, high = paired_interval(values)

    for i in range(3):
        expected = ttest_rel(values[:, i], np.zeros(6)).confidence_interval(0.95)
        assert (low[i], high[i]) == pytest.approx(tuple(expected))
        assert paired_interval(values[:, i]) == pytest.approx(np.array(expected))
    assert np.isnan(paired_interval(values[:1])).all()


def test_the_interval_misses_as_often_as_it_says():
    """Of 2,000 intervals from 5 pairs without a difference about 100 miss 0 (sd 9.7).

    Fewer than 50 or more than 150 has probability 2e-6. With n instead of n - 1 degrees of freedom, or the
    normal quantile, more miss: of the latter about 240.
    """
    low, high = paired_interval(np.random.default_rng(0).normal(size=(5, 2000)))

    assert 50 <= ((low > 0) | (high < 0)).sum() <= 150


def test_a_signed_interval_is_rounded_outwards():
    assert signed_interval(-0.0161, 0.0181) == "-0.017 to +0.019"
    assert signed_interval(0.0241, 0.0379, ", ") == "+0.024, +0.038"
