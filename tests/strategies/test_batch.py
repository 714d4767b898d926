"""Ranked batch against modAL's, whose rule it has."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from modAL.batch import ranked_batch as modals
from modAL.batch import select_cold_start_instance
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from strategies import batch as module
from strategies import greedy
from strategies.batch import ranked_batch, ranked_batch_utilities


class OfModal:
    """As much of a modAL learner as its function for ranked batches looks at."""

    on_transformed = False

    def __init__(self, known):
        self.X_training = known

    def transform_without_estimating(self, X):
        return X


def task(n, seed, n_known):
    X, y = make_blobs(n + 30, n_features=3, centers=3, cluster_std=3.0, random_state=seed)
    model = LogisticRegression().fit(X[:30], y[:30])
    return model, X[30:], X[:n_known] if n_known else None


def picks_of_modal(model, X, known, count, metric="euclidean"):
    uncertainty = 1.0 - model.predict_proba(X).max(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return modals(OfModal(known), X, uncertainty, count, metric, None)[0].tolist()


@pytest.mark.parametrize("candidates", [3, 2048])
@pytest.mark.parametrize("n_known", [0, 1, 30])
@pytest.mark.parametrize(("n", "count"), [(12, 11), (60, 25), (300, 40), (200, 150)])
def test_it_picks_what_modal_picks(n, count, n_known, candidates, monkeypatch):
    monkeypatch.setattr(greedy, "_CANDIDATES", candidates)
    for seed in range(3):
        model, X, known = task(n, seed, n_known)
        labeled = None if known is None else (known, None)
        expected = picks_of_modal(model, X, known, count)
        if n_known == 0 and len(set(expected)) < count:
            continue  # modAL may pick its first item a second time
        indices, _ = ranked_batch(model, X, count, rng=seed, labeled=labeled)
        assert indices.tolist() == expected


def test_the_comparison_with_modal_is_not_skipped_where_nothing_is_labeled():
    for seed in range(5):
        model, X, _ = task(60, seed, 0)
        assert len(set(picks_of_modal(model, X, None, 25))) == 25


@pytest.mark.parametrize("n_known", [0, 5])
def test_it_picks_what_modal_picks_by_cosine(n_known):
    model, X, known = task(100, 3, n_known)
    labeled = None if known is None else (known, None)
    indices, _ = ranked_batch(model, X, 20, rng=0, labeled=labeled, metric="cosine")
    assert indices.tolist() == picks_of_modal(model, X, known, 20, "cosine")


def test_no_item_comes_twice_where_modal_repeats_its_first():
    """modAL leaves the item that it begins with in its pool, where it may come up again."""
    repeated = 0
    for seed in range(10):
        model, X, _ = task(12, seed, 0)
        repeated += len(set(picks_of_modal(model, X, None, 12))) < 12
        assert sorted(ranked_batch(model, X, 12, rng=0)[0].tolist()) == list(range(12))
    assert repeated


def test_utilities_are_those_of_each_turn():
    model, X, known = task(80, 1, 10)
    indices, utilities = ranked_batch(model, X, 15, rng=0, labeled=(known, None))
    uncertainty = 1.0 - model.predict_proba(X).max(axis=1)
    chosen = known
    for turn, (index, utility) in enumerate(zip(indices, utilities, strict=True)):
        distance = np.linalg.norm(chosen - X[index], axis=1).min()
        alpha = (80 - turn) / 90
        assert utility == pytest.approx(ranked_batch_utilities(distance, uncertainty[index], alpha))
        chosen = np.vstack([chosen, X[index]])


def test_utilities_of_known_numbers():
    distances, uncertainty = np.array([0.0, 1.0, 3.0]), np.array([0.5, 0.0, 0.2])
    assert ranked_batch_utilities(distances, uncertainty, 1.0) == pytest.approx([0.0, 0.5, 0.75])
    assert ranked_batch_utilities(distances, uncertainty, 0.0) == pytest.approx(uncertainty)
    assert ranked_batch_utilities(distances, uncertainty, 0.5) == pytest.approx([0.25, 0.25, 0.475])


def test_it_reads_what_the_learner_was_trained_on():
    model, X, known = task(100, 0, 12)
    expected = ranked_batch(model, X, 9, rng=0, labeled=(known, None))
    model.X_training = known
    assert np.array_equal(ranked_batch(model, X, 9, rng=0)[0], expected[0])


def test_it_begins_with_the_least_mean_distance_where_nothing_is_labeled(monkeypatch):
    model, X, _ = task(2000, 0, 0)
    indices, utilities = ranked_batch(model, X, 1, rng=0)
    assert indices.tolist() == [select_cold_start_instance(X, "euclidean", None)[0]]
    assert utilities.tolist() == [1.0]

    monkeypatch.setattr(module, "_ALL_PAIRS", 1999)
    mean_distance = np.array([np.linalg.norm(X - row, axis=1).mean() for row in X])
    first = ranked_batch(model, X, 1, rng=0)[0][0]
    assert mean_distance[first] <= 1.01 * mean_distance.min()


def test_a_learner_that_is_not_fitted_is_equally_uncertain_where_nothing_is_labeled():
    _, X, known = task(50, 0, 5)
    unsure = ranked_batch(LogisticRegression(), X, 10, rng=0)[0]
    assert len(set(unsure.tolist())) == 10
    with pytest.raises(NotFittedError):
        ranked_batch(LogisticRegression(), X, 10, labeled=(known, None))


def test_texts_go_through_the_pipeline():
    texts = ["good film", "good good film", "bad film", "bad play", "long play indeed"]
    learner = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts[:4], [1, 1, 0, 0])
    indices, _ = ranked_batch(learner, texts, 2, rng=0, labeled=(texts[:4], [1, 1, 0, 0]))
    assert indices[0] == 4


def test_nothing_is_picked_where_nothing_is_wanted():
    for pool, count in (([[1.0], [2.0]], 0), ([], 3)):
        indices, utilities = ranked_batch(None, pool, count)
        assert indices.shape == utilities.shape == (0,)
