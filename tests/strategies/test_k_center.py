"""k-center against its definition and against scikit-activeml's rule of the farthest item."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import pairwise_distances
from sklearn.pipeline import make_pipeline

from strategies.k_center import k_center

X = np.random.default_rng(0).normal(size=(500, 6))
KNOWN = (X[:7] + 0.1, np.arange(7) % 2)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_it_picks_what_is_farthest_from_what_is_labeled_and_picked(metric):
    indices, utilities = k_center(None, X, 40, rng=0, labeled=KNOWN, metric=metric)
    chosen = KNOWN[0]
    for index, utility in zip(indices, utilities, strict=True):
        nearest = pairwise_distances(X, chosen, metric=metric).min(axis=1)
        assert index == nearest.argmax()
        assert utility == pytest.approx(nearest.max())
        chosen = np.vstack([chosen, X[index]])


def test_a_batch_is_the_same_picks_one_at_a_time():
    batch, _ = k_center(None, X, 5, rng=0, labeled=KNOWN)
    known = KNOWN[0]
    for index in batch:
        assert k_center(None, X, 1, rng=0, labeled=(known, None))[0].tolist() == [index]
        known = np.vstack([known, X[index]])


def test_where_nothing_is_labeled_it_begins_in_the_middle():
    line = np.array([[0.0], [1.0], [4.0], [5.0], [11.0]])
    indices, utilities = k_center(None, line, 3, rng=0)
    assert indices.tolist() == [2, 4, 0]
    assert utilities.tolist() == [7.0, 7.0, 4.0]
    assert [one.tolist() for one in k_center(None, line, 1, rng=0)] == [[2], [7.0]]
    assert [one.tolist() for one in k_center(None, line[:1], 1, rng=0)] == [[0], [0.0]]


def test_it_reads_what_the_learner_was_trained_on():
    class Trained:
        X_training, y_training = KNOWN

    assert np.array_equal(k_center(Trained(), X, 9, rng=0)[0], k_center(None, X, 9, rng=0, labeled=KNOWN)[0])


def test_sparse_and_dense_rows_are_the_same_to_it():
    wide = sp.random(200, 50, density=0.1, format="csr", random_state=0)
    for labeled in (None, (wide[:3], None)):
        dense = None if labeled is None else (labeled[0].toarray(), None)
        from_sparse = k_center(None, wide, 20, rng=0, labeled=labeled)
        from_dense = k_center(None, wide.toarray(), 20, rng=0, labeled=dense)
        assert np.array_equal(from_sparse[0], from_dense[0])
        assert np.allclose(from_sparse[1], from_dense[1])


def test_texts_are_compared_by_the_transformer_of_the_learner():
    texts = ["red apple", "red apple pie", "apple pie red", "blue whale", "green tea"]
    learner = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(["red apple", "blue whale"], [0, 1])
    indices, _ = k_center(learner, texts, 2, rng=0, labeled=(["red apple", "blue whale"], [0, 1]))
    assert indices[0] == 4
    assert indices[1] in (1, 2)


def test_a_pair_as_representation_says_where_the_labeled_items_are():
    shown = (X[:, :2], KNOWN[0][:, :2])
    indices, _ = k_center(None, X, 9, rng=0, labeled=KNOWN, representation=shown)
    expected, _ = k_center(None, X[:, :2], 9, rng=0, labeled=(KNOWN[0][:, :2], None))
    assert np.array_equal(indices, expected)


def test_it_refuses_what_has_no_distances():
    with pytest.raises(ValueError, match="metric must be"):
        k_center(None, X, 1, metric="manhattan")
    with pytest.raises(ValueError, match="NaN or infinity"):
        k_center(None, np.array([[1.0], [np.nan]]), 1)


def test_nothing_is_picked_where_nothing_is_wanted():
    for pool, count in (([[1.0], [2.0]], 0), ([], 3)):
        indices, utilities = k_center(None, pool, count)
        assert indices.shape == utilities.shape == (0,)
