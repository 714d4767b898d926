"""FALCUN: the authors' law of drawing, and what it does at the edges."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import chisquare
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression

from strategies.falcun import falcun, falcun_relevance
from strategies.uncertainty import margin

X, y = make_blobs(150, n_features=3, centers=4, cluster_std=3.0, random_state=1)
MODEL = LogisticRegression().fit(X[:40], y[:40])


class Fixed:
    """Gives the probabilities that it was made with."""

    def __init__(self, proba):
        self.proba = np.asarray(proba)

    def predict_proba(self, X):
        return self.proba


def plain_relevance(proba, picked):
    """Positions left and their relevance, written out: Equations 1 to 5."""
    two = np.sort(proba, axis=1)[:, -2:]
    uncertainty = 1.0 - (two[:, 1] - two[:, 0])
    distances = uncertainty.copy()
    for item in picked:
        distances = np.minimum(distances, np.abs(proba - proba[item]).sum(axis=1))
    left = np.setdiff1d(np.arange(len(proba)), picked)
    scaled = distances[left] - distances[left].min()
    if scaled.max() > 0.0:
        scaled /= scaled.max()
    return left, uncertainty[left] + scaled


def law(proba, count, gamma):
    """The probability of each sequence of positions."""
    probabilities = {}
    for sequence in permutations(range(len(proba)), count):
        probability = 1.0
        for turn, item in enumerate(sequence):
            left, relevance = plain_relevance(proba, list(sequence[:turn]))
            weights = relevance**gamma
            probability *= float(weights[left == item][0] / weights.sum())
        probabilities[sequence] = probability
    return probabilities


@pytest.mark.parametrize("gamma", [0, 1.0])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_sequences_are_drawn_as_the_equations_say(gamma, n_classes):
    """60 sequences of 3 out of 5 items, 4,000 draws: a correct sampler fails with probability 1e-6 each.

    Scaling by what is picked too, or not lowering distances, has a p-value below 1e-9 for gamma 1.
    """
    rng = np.random.default_rng(1)
    proba = 0.4 * rng.dirichlet(np.ones(n_classes), size=5) + 0.6 / n_classes
    expected = law(proba, 3, gamma)
    counts = dict.fromkeys(expected, 0)
    items = np.zeros((5, 1))
    for _ in range(4_000):
        counts[tuple(falcun(Fixed(proba), items, 3, rng=rng, gamma=gamma)[0].tolist())] += 1
    observed, wanted = np.array(list(counts.values())), 4_000 * np.array(list(expected.values()))
    assert wanted.min() > 5.0
    assert chisquare(observed, wanted).pvalue > 1e-6


def test_each_utility_is_the_relevance_at_its_draw():
    proba = MODEL.predict_proba(X)
    indices, utilities = falcun(MODEL, X, 40, rng=0)
    for turn, item in enumerate(indices):
        left, relevance = plain_relevance(proba, indices[:turn])
        assert utilities[turn] == pytest.approx(relevance[left == item][0])


def test_a_large_gamma_takes_the_largest_relevance_without_running_out_of_digits():
    proba = 0.98 * np.eye(4)[np.zeros(30, dtype=int)] + 0.005  # sure of all: 1 - margin is at most 0.03
    proba = proba + 1e-3 * np.random.default_rng(0).dirichlet(np.ones(4), size=30)
    proba /= proba.sum(axis=1, keepdims=True)
    indices, _ = falcun(Fixed(proba), np.zeros((30, 1)), 8, rng=0, gamma=1e5)
    for turn, item in enumerate(indices):
        left, relevance = plain_relevance(proba, indices[:turn])
        assert relevance[left == item][0] == pytest.approx(relevance.max(), rel=1e-3)


def test_the_first_item_is_the_least_certain_one_where_gamma_is_large():
    assert falcun(MODEL, X, 1, rng=0, gamma=1e6)[0] == margin(MODEL, X, 1)[0]


@pytest.mark.parametrize("classes", [1, 3])
def test_a_model_that_is_sure_of_everything_leaves_it_to_chance(classes):
    """Over 300 seeds 2 of 6 items: each comes up 100 times; fewer than 55 has p = 2e-9."""
    proba = np.tile(np.eye(classes)[0], (6, 1))
    picks = [falcun(Fixed(proba), np.zeros((6, 1)), 2, rng=seed)[0] for seed in range(300)]
    assert all(len(set(pick.tolist())) == 2 for pick in picks)
    assert np.bincount(np.ravel(picks), minlength=6).min() >= 55


def test_rounding_errors_do_not_part_equal_items():
    """Six equal rows but for the last digit: each is first in 50 of 300 seeds; below 15 has p = 2e-9."""
    proba = np.full((6, 3), 1.0 / 3.0)
    proba[:, 0] += 2e-16 * np.arange(6)
    firsts = [falcun(Fixed(proba), np.zeros((6, 1)), 1, rng=seed)[0][0] for seed in range(300)]
    assert np.bincount(firsts, minlength=6).min() >= 15


def test_distances_are_scaled_to_the_unit_interval_and_equal_ones_add_nothing():
    uncertainty = np.array([0.1, 0.2, 0.3])
    assert falcun_relevance(uncertainty, np.array([2.0, 4.0, 3.0])) == pytest.approx([0.1, 1.2, 0.8])
    assert falcun_relevance(uncertainty, np.full(3, 0.7)) == pytest.approx(uncertainty)


def test_probabilities_that_are_nan_are_refused():
    proba = np.full((3, 2), 0.5)
    proba[1] = np.nan
    with pytest.raises(ValueError, match="NaN for 1 of 3 items"):
        falcun(Fixed(proba), np.zeros((3, 1)))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [(-1, ValueError), (np.inf, ValueError), (np.nan, ValueError), ("10", TypeError), (True, TypeError)],
)
def test_a_gamma_that_is_none_is_refused_even_for_an_empty_pool(wrong, error):
    with pytest.raises(error, match="gamma must be"):
        falcun(MODEL, X[:0], gamma=wrong)
