"""Uncertain items from different clusters: weighted k-means and the round robin of cluster margin."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression

from strategies.cluster_margin import _in_turn, cluster_margin, weighted_kmeans
from strategies.uncertainty import margin

# Five far blobs of 50, 40, 30, 20 and 10 items.
SIZES = [50, 40, 30, 20, 10]
CENTRES = 100.0 * np.eye(5)[:, :4]
BLOBS, GROUP = make_blobs(SIZES, centers=CENTRES, cluster_std=1.0, shuffle=True, random_state=0)
BOTH = pytest.mark.parametrize("strategy", [weighted_kmeans, cluster_margin])

X, y = make_blobs(150, n_features=3, centers=3, cluster_std=3.0, random_state=1)
MODEL = LogisticRegression().fit(X[:30], y[:30])


class Margins:
    """A binary classifier with the margins that it was made with, whatever the items are."""

    def __init__(self, margins):
        top = (1.0 + np.asarray(margins, dtype=float)) / 2.0
        self.proba = np.column_stack([top, 1.0 - top])

    def predict_proba(self, X):
        return self.proba


@BOTH
def test_each_of_as_many_blobs_gives_an_item(strategy):
    model = Margins(np.random.default_rng(0).uniform(0.0, 0.5, 150))
    indices, _ = strategy(model, BLOBS, 5, rng=0, **everything(strategy))
    assert sorted(GROUP[indices]) == [0, 1, 2, 3, 4]


def everything(strategy):
    """All of the 150 items as candidates for a batch of 5."""
    return {"prefilter": 30} if strategy is weighted_kmeans else {"n_candidates": 150}


@BOTH
def test_only_the_least_certain_items_are_candidates(strategy):
    """Of 150 items the 20 of least margin: the same for both ways of saying so."""
    least = set(margin(MODEL, X, 20)[0].tolist())
    options = {"prefilter": 4} if strategy is weighted_kmeans else {"n_candidates": 20}
    seen = set()
    for seed in range(20):
        seen.update(strategy(MODEL, X, 5, rng=seed, **options)[0].tolist())
    assert seen <= least
    assert len(seen) > 5


@BOTH
def test_by_default_ten_candidates_stand_for_each_item_wanted(strategy):
    least = set(margin(MODEL, X, 20)[0].tolist())
    picks = [set(strategy(MODEL, X, 2, rng=seed)[0].tolist()) for seed in range(30)]
    assert set().union(*picks) <= least


@BOTH
def test_items_that_repeat_are_never_picked_twice(strategy):
    rows = np.repeat(X[:3], 20, axis=0)
    for n_instances in (3, 10, 59, 60):
        indices, utilities = strategy(MODEL, rows, n_instances, rng=0)
        assert len(set(indices.tolist())) == n_instances
        assert np.isfinite(utilities).all()


@BOTH
def test_a_model_that_is_sure_of_everything_leaves_the_clusters_to_decide(strategy):
    indices, utilities = strategy(Margins(np.ones(150)), BLOBS, 5, rng=0, **everything(strategy))
    assert sorted(GROUP[indices]) == [0, 1, 2, 3, 4]
    assert set(utilities.tolist()) == {0.0 if strategy is weighted_kmeans else -1.0}


@BOTH
def test_sparse_and_dense_give_the_same_answer(strategy):
    expected = strategy(MODEL, X, 8, rng=0)
    indices, utilities = strategy(MODEL, sp.csr_matrix(X), 8, rng=0)
    assert np.array_equal(indices, expected[0])
    assert utilities == pytest.approx(expected[1])


@BOTH
def test_distances_are_measured_in_the_representation_and_by_the_metric(strategy):
    """Two directions, each at length 1 and 100: by angle they part one way, by distance another."""
    rows = np.array([[1.0, 0.0], [100.0, 0.1], [0.0, 1.0], [0.1, 100.0]])
    rows = np.repeat(rows, 5, axis=0) + 1e-3 * np.random.default_rng(0).normal(size=(20, 2))
    model = Margins(np.full(20, 0.2))
    for seed in range(10):
        indices, _ = strategy(model, np.zeros((20, 1)), 2, rng=seed, representation=rows, metric="cosine")
        assert sorted(indices // 10) == [0, 1]
        indices, _ = strategy(model, np.zeros((20, 1)), 3, rng=seed, representation=rows)
        assert {1, 3} < set((indices // 5).tolist())  # the long ones are far; the short ones are one cluster


@BOTH
def test_features_that_are_no_numbers_are_refused(strategy):
    rows = BLOBS.copy()
    rows[:, 1] = np.nan
    with pytest.raises(ValueError, match="NaN or infinity"):
        strategy(Margins(np.full(150, 0.2)), rows, 2)


@BOTH
@pytest.mark.parametrize("wrong", [True, "10", None])
def test_an_option_that_is_no_number_is_refused(strategy, wrong):
    name = "prefilter" if strategy is weighted_kmeans else "n_candidates"
    wrong = [] if wrong is None else wrong
    with pytest.raises(TypeError, match=f"{name} must be a"):
        strategy(MODEL, X, 2, **{name: wrong})


@pytest.mark.parametrize("wrong", [0.99, -3, np.inf, np.nan])
def test_a_prefilter_below_1_or_infinite_is_refused_even_for_an_empty_pool(wrong):
    with pytest.raises(ValueError, match="prefilter must be at least 1"):
        weighted_kmeans(MODEL, X[:0], 2, prefilter=wrong)


def test_fewer_than_1_candidates_are_refused_and_fewer_than_wanted_are_enough():
    with pytest.raises(ValueError, match="n_candidates must be at least 1"):
        cluster_margin(MODEL, X[:0], 2, n_candidates=0)
    with pytest.raises(TypeError, match="whole number"):
        cluster_margin(MODEL, X, 2, n_candidates=2.0)
    indices, _ = cluster_margin(MODEL, X, 7, n_candidates=np.int64(2))
    assert set(indices.tolist()) == set(margin(MODEL, X, 7)[0].tolist())


def test_weighted_kmeans_picks_the_item_nearest_to_the_weighted_mean():
    rows = np.arange(11.0)[:, np.newaxis]
    margins = np.linspace(0.95, 0.05, 11)
    weights = 1.0 - margins
    mean = (weights @ rows[:, 0]) / weights.sum()
    assert round(mean) != 5  # where it would be without weights
    for seed in range(5):
        indices, utilities = weighted_kmeans(Margins(margins), rows, 1, rng=seed, prefilter=11)
        assert indices.tolist() == [round(mean)]
        assert utilities == pytest.approx(weights[indices])


def test_weighted_kmeans_without_a_prefilter_to_speak_of_is_margin_sampling():
    expected = margin(MODEL, X, 9, rng=0)
    indices, utilities = weighted_kmeans(MODEL, X, 9, rng=0, prefilter=1)
    assert np.array_equal(indices, expected[0])
    assert utilities == pytest.approx(1.0 + expected[1])


def test_where_clusters_are_too_few_the_least_certain_of_the_others_follow():
    rows = np.repeat([[0.0], [50.0]], 5, axis=0)
    margins = np.array([0.1, 0.1, 0.1, 0.1, 0.1, 0.9, 0.8, 0.7, 0.6, 0.5])
    indices, utilities = weighted_kmeans(Margins(margins), rows, 4, rng=0)
    assert (np.asarray(indices) < 5).sum() == 3
    assert (np.asarray(indices) >= 5).sum() == 1
    assert (np.diff(utilities) <= 0.0).all()


def test_two_items_alone_in_a_cluster_are_equally_likely_whatever_rounding_says():
    """Both are as far from their mean; over 60 seeds each comes up: failure below 2 / 2^60."""
    rows = np.array([[0.1, 0.7], [0.3, 0.2], [50.0, 50.0]])
    model = Margins([0.4, 0.4, 0.4])
    picks = [set(weighted_kmeans(model, rows, 2, rng=seed)[0].tolist()) for seed in range(60)]
    assert {frozenset(pick) for pick in picks} == {frozenset({0, 2}), frozenset({1, 2})}


def test_cluster_margin_begins_with_the_smallest_cluster_of_candidates():
    """Candidates are 2, 3, ... of the blobs: what is large in the pool may be small among the uncertain."""
    margins = np.full(150, 0.9)
    for group, n_uncertain in enumerate([2, 10, 3, 8, 5]):
        margins[np.flatnonzero(group == GROUP)[:n_uncertain]] = 0.1
    for seed in range(5):
        indices, utilities = cluster_margin(Margins(margins), BLOBS, 5, rng=seed, n_candidates=28)
        assert GROUP[indices].tolist() == [0, 2, 4, 3, 1]
        assert utilities == pytest.approx(np.full(5, -0.1))


def test_the_round_robin_leaves_out_clusters_that_are_used_up():
    cluster = np.array([2, 2, 2, 0, 0, 4])  # 1 and 3 hold no candidate
    order = _in_turn(cluster, np.random.default_rng(0))
    assert cluster[order].tolist() == [4, 0, 2, 0, 2, 2]
    assert sorted(order) == list(range(6))


def test_chance_decides_within_a_cluster_and_among_clusters_of_one_size():
    """Four items in two clusters: each is first in 100 of 400 seeds; fewer than 55 has p = 1e-8."""
    cluster = np.array([0, 1, 0, 1])
    firsts = [_in_turn(cluster, np.random.default_rng(seed))[0] for seed in range(400)]
    assert np.bincount(firsts, minlength=4).min() >= 55
    for seed in range(20):
        assert (
            np.ptp(cluster[_in_turn(cluster, np.random.default_rng(seed))].reshape(2, 2), axis=0).max() == 0
        )
