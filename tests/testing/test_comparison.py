"""What a comparison says: figures by hand, sentences for each case, and what it must not claim."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.stats import ttest_rel

from bootstrap.testing.comparison import BASELINE, Comparison
from bootstrap.testing.learning_curves import LearningCurve

GRID = (20, 30, 40)


def curve(strategy, seed, accuracy, seconds=(0.0, 1.0, 2.0)):
    return LearningCurve(strategy, seed, GRID, tuple(accuracy), seconds)


def comparison(gains, n_seeds=4, n_pool=100, noise=0.01):
    """Random reaches .5, .6, .7; each strategy has its gain a round, and a bit of noise for each seed."""
    base, runs = np.array([0.5, 0.6, 0.7]), []
    for seed in range(n_seeds):
        runs.append(curve(BASELINE, seed, base + 0.05 * seed, (0.0, 0.5, 0.0)))
        for name, gain in gains.items():
            runs.append(curve(name, seed, base + 0.05 * seed + gain + noise * (-1) ** seed * (seed + 1)))
    return Comparison.of(reversed(runs), [*gains, BASELINE], n_pool=n_pool, n_tested=60)


def test_strategies_stand_in_the_order_given_and_seeds_rise():
    found = comparison({"b": 0.1, "a": 0.2})

    assert found.strategies == ["b", "a", BASELINE]
    assert found.curves["seed"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3] * 3
    assert list(found.areas()) == ["b", "a", BASELINE]
    assert repr(found) == "Comparison(b, a, random_sampling; 4 seeds)"


def test_the_area_is_the_mean_accuracy_over_the_rounds():
    found = comparison({}, n_seeds=2)

    assert found.areas()[BASELINE].tolist() == pytest.approx([0.6, 0.65])
    assert found.table().loc[BASELINE, "area"] == pytest.approx(0.625)


def test_the_interval_is_students_for_pairs():
    found = comparison({"better": 0.1})
    areas, row = found.areas(), found.table().loc["better"]
    low, high = ttest_rel(areas["better"], areas[BASELINE]).confidence_interval(0.95)

    assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))
    assert row["difference"] == pytest.approx((areas["better"] - areas[BASELINE]).mean())


def test_seeds_ahead_are_counted_without_ties():
    table = comparison({"same": 0.0, "mixed": 0.0}, noise=0.0).table()
    assert table.loc["same", "ahead"] == 0

    assert comparison({"mixed": 0.0}).table().loc["mixed", "ahead"] == 0.5


def test_labels_are_counted_until_the_mean_curve_reaches_what_random_has_in_the_end():
    table = comparison({"better": 0.1, "much": 0.25, "worse": -0.05}, noise=0.0).table()

    assert table["labels_needed"].to_dict() == {
        "better": 30,
        "much": 20,
        "worse": pytest.approx(np.nan, nan_ok=True),
        BASELINE: 40,
    }
    assert table.loc["better", "labels_ratio"] == 0.75
    assert table.loc[BASELINE, "labels_ratio"] == 1.0


def test_seconds_are_what_the_strategy_took_in_a_run():
    table = comparison({"slow": 0.1}).table()

    assert table["seconds"].to_dict() == {"slow": 3.0, BASELINE: 0.5}


def test_random_itself_is_compared_with_nothing():
    row = comparison({"better": 0.1}).table().loc[BASELINE]

    assert row["difference"] == 0
    assert row[["low", "high", "ahead"]].isna().all()


def test_each_verdict_is_one_sentence_in_plain_words():
    said = comparison({"good": 0.12, "same": 0.0, "bad": -0.1}).verdicts()

    assert said == {
        "good": "good needs 30 labels for the accuracy that random has in the end, 75 % of what random "
        "needs; better than random: above it in 4 of 4 seeds, mean accuracy +0.115 [+0.065, +0.165].",
        "same": "same: no difference to random shown; above it in 2 of 4 seeds, mean accuracy -0.005 "
        "[-0.055, +0.045].",
        "bad": "bad does not reach the accuracy that random has in the end; worse than random: above it in 0 "
        "of 4 seeds, mean accuracy -0.105 [-0.155, -0.055].",
    }


def test_a_difference_without_any_spread_is_one():
    assert "better than random" in comparison({"good": 0.1}, noise=0.0).verdicts()["good"]
    assert "no difference to random shown" in comparison({"same": 0.0}, noise=0.0).verdicts()["same"]


def test_a_single_seed_gives_no_interval_and_no_verdict():
    found = comparison({"good": 0.1}, n_seeds=1)

    assert found.table()[["low", "high"]].isna().all(axis=None)
    assert found.verdicts() == {
        "good": "good: above random in 1 of 1 seed, mean accuracy +0.110; no interval without more seeds."
    }


def test_printed_it_says_what_it_rests_on_and_what_it_does_not_say():
    said = str(comparison({"good": 0.12}))

    assert said.startswith("good needs 30 labels")
    assert "test sets of 60 items, pools of 100, with 4 seeds and up to 40 labels that exist already" in said
    assert "a simulation" in said
    assert "not about other data" in said
    assert "used up" not in said
    assert "The pool is used up in the end" in str(comparison({}, n_pool=40))


def test_the_picture_is_saved_where_it_is_wanted(tmp_path):
    found = comparison({"good": 0.1})
    axes = found.plot(tmp_path / "curves.png")

    assert (tmp_path / "curves.png").stat().st_size > 10_000
    assert found.plot(ax=axes) is axes
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
