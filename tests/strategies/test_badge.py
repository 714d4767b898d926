"""BADGE: the sampling law of k-means++ on gradients, without the gradients."""

from __future__ import annotations

import importlib
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.stats import chisquare
from sklearn.datasets import make_blobs
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from strategies.badge import Gradients, badge, prediction_errors
from strategies.geometry import Points

module = importlib.import_module("strategies.badge")  # the package's own attribute is the function

X, y = make_blobs(120, n_features=4, centers=3, cluster_std=3.0, random_state=0)
MODEL = LogisticRegression().fit(X[:30], y[:30])


class Fixed:
    """Gives the probabilities that it was made with, for items that are their own positions."""

    def __init__(self, proba):
        self.proba = np.asarray(proba)

    def predict_proba(self, X):
        return self.proba[np.asarray(X)[:, 0].astype(int)]


def outer_products(model, rows, inputs=None):
    """The gradient embedding as the paper writes it, one row an item."""
    proba = model.predict_proba(rows)
    errors = proba - np.eye(proba.shape[1])[proba.argmax(axis=1)]
    inputs = rows if inputs is None else inputs
    return np.einsum("ic,id->icd", errors, inputs).reshape(len(rows), -1)


def test_lengths_and_distances_are_those_of_the_outer_products():
    gradients = Gradients(prediction_errors(MODEL, X), Points(X))
    embedding = outer_products(MODEL, X)
    assert gradients.squared_lengths == pytest.approx((embedding**2).sum(axis=1))
    expected = ((embedding[:, None] - embedding[None, 10:15]) ** 2).sum(axis=2)
    assert gradients.squared_distances(gradients.only(slice(10, 15))) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix, np.float32])
def test_equal_gradients_are_at_distance_0_and_not_at_that_of_rounding(kind):
    twice = np.repeat(1e3 * X + 0.1, 2, axis=0)
    gradients = Gradients(np.repeat(prediction_errors(MODEL, X), 2, axis=0), Points(kind(twice)))
    distances = gradients.squared_distances(gradients)
    assert (distances[np.arange(0, 240, 2), np.arange(1, 240, 2)] == 0.0).all()
    assert (distances.diagonal() == 0.0).all()
    assert np.median(distances) > 0.0


def law_of_k_means_plus_plus(embedding, count):
    """The probability of each sequence of positions: the longest first, then by D²."""
    squared = ((embedding[:, None] - embedding[None]) ** 2).sum(axis=2)
    first = int((embedding**2).sum(axis=1).argmax())
    others = [i for i in range(len(embedding)) if i != first]
    law = {}
    for rest in permutations(others, count - 1):
        picked, probability = [first], 1.0
        for item in rest:
            d2 = squared[picked].min(axis=0)
            probability *= d2[item] / d2.sum()
            picked.append(item)
        law[tuple(picked)] = probability
    return law


@pytest.mark.parametrize(
    ("patience", "proposals"),
    [
        pytest.param(10**9, 128, id="old distances, many proposals at once"),
        pytest.param(10**9, 2, id="old distances, two proposals at once"),
        pytest.param(1, 1, id="new distances at every draw"),
    ],
)
def test_sequences_are_drawn_as_by_plain_k_means_plus_plus(monkeypatch, patience, proposals):
    """60 sequences of 4 out of 6 items, 4,000 draws: a correct sampler fails with probability 1e-6.

    Both where all proposals come from the distances to the first item, and where distances are always up to
    date. Drawing by D in place of D², or taking the origin for a centre, has a p-value below 1e-30.
    """
    monkeypatch.setattr(module, "_PATIENCE", patience)
    monkeypatch.setattr(module, "_PROPOSALS", proposals)
    rng = np.random.default_rng(5)
    model = Fixed(rng.dirichlet([1.0, 1.0, 1.0], size=6))
    inputs = rng.normal(size=(6, 2)) + 0.5
    items = np.arange(6)[:, np.newaxis]
    law = law_of_k_means_plus_plus(outer_products(model, items, inputs), 4)
    n_runs = 4_000
    counts = dict.fromkeys(law, 0)
    for _ in range(n_runs):
        picked, _ = badge(model, items, 4, rng=rng, representation=inputs)
        counts[tuple(picked.tolist())] += 1
    expected = n_runs * np.array(list(law.values()))
    observed = np.array(list(counts.values()))
    assert expected.min() > 5.0
    assert chisquare(observed, expected).pvalue > 1e-6


def test_the_first_item_has_the_longest_gradient_and_each_utility_is_d2_at_its_draw():
    embedding = outer_products(MODEL, X)
    indices, utilities = badge(MODEL, X, 25, rng=3)
    assert indices[0] == (embedding**2).sum(axis=1).argmax()
    assert utilities[0] == pytest.approx((embedding**2).sum(axis=1).max())
    for turn in range(1, 25):
        gaps = embedding[indices[turn]] - embedding[indices[:turn]]
        assert utilities[turn] == pytest.approx((gaps**2).sum(axis=1).min(), rel=1e-6)


def test_among_equally_long_gradients_chance_picks_the_first():
    """Four items, one gradient up to its sign: each is first in 50 of 200 seeds; below 15 has p < 1e-9."""
    items = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, 1.0], [-1.0, -1.0]])
    firsts = [badge(Halves(), items, 1, rng=seed)[0][0] for seed in range(200)]
    assert np.bincount(firsts, minlength=4).min() >= 15


class Halves:
    def predict_proba(self, X):
        return np.full((X.shape[0], 2), 0.5)


class Sure:
    """A forest that is sure of everything, as forests are of what is far from every boundary."""

    def predict_proba(self, X):
        return np.tile([1.0, 0.0], (X.shape[0], 1))


@pytest.mark.parametrize(
    "model", [Sure(), DummyClassifier(strategy="most_frequent").fit(X, y), DecisionTreeClassifier().fit(X, y)]
)
def test_where_all_gradients_vanish_the_items_are_random_and_distinct(model):
    """Over 120 seeds 20 of 120 items each: all come up but for a probability of 4e-8."""
    seen = set()
    for seed in range(120):
        indices, utilities = badge(model, X, 20, rng=seed)
        assert len(set(indices.tolist())) == 20
        assert (utilities == 0.0).all()
        seen.update(indices.tolist())
    assert len(seen) == 120


@pytest.mark.parametrize("n_instances", [3, 4, 12, 40])
def test_with_fewer_distinct_gradients_than_asked_for_each_comes_once_before_any_repeats(n_instances):
    rows = np.repeat(X[:4], 10, axis=0)
    indices, utilities = badge(MODEL, rows, n_instances, rng=0)
    assert len(set(indices.tolist())) == n_instances
    distinct = min(n_instances, 4)
    assert len(set((indices[:distinct] // 10).tolist())) == distinct
    assert (utilities[:distinct] > 0.0).all()
    assert (utilities[distinct:] == 0.0).all()


def test_old_distances_are_brought_up_to_date_where_most_proposals_fail(monkeypatch):
    """Thirty tight groups: once each has given an item, few proposals pass until distances are renewed."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(30, 4))
    rows = np.repeat(centres, 100, axis=0) + 1e-6 * rng.normal(size=(3000, 4))
    updates = []
    lower = Gradients.lower

    def counting(self, bounds, others):
        if len(bounds) == len(rows):
            updates.append(len(others))
        lower(self, bounds, others)

    monkeypatch.setattr(Gradients, "lower", counting)
    indices, _ = badge(MODEL, rows, 60, rng=0)
    assert len(set((indices[:30] // 100).tolist())) == 30
    assert len(set(indices.tolist())) == 60
    assert 1 < len(updates) < 60


def test_probabilities_that_the_learner_keeps_are_left_as_they_are():
    class Keeping:
        kept = MODEL.predict_proba(X)

        def predict_proba(self, X):
            return self.kept

    before = Keeping.kept.copy()
    badge(Keeping(), X, 3, rng=0)
    assert np.array_equal(Keeping.kept, before)


def test_the_input_is_what_the_classifier_of_a_pipeline_sees():
    scaler = StandardScaler().fit(X[:30])
    scaled = LogisticRegression().fit(scaler.transform(X[:30]), y[:30])
    expected = badge(scaled, scaler.transform(X), 9, rng=0)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:30], y[:30])
    indices, utilities = badge(pipeline, X, 9, rng=0)
    assert np.array_equal(indices, expected[0])
    assert utilities == pytest.approx(expected[1])


@pytest.mark.parametrize("kind", [list, pd.Series])
def test_texts_through_a_pipeline_work(kind):
    texts = ["cat mouse", "stock bank", "cat milk", "bank rate", "milk", "rate stock", "cat bank", "mouse"]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts[:4], [0, 1, 0, 1])
    indices, utilities = badge(model, kind(texts), 5, rng=0)
    assert len(set(indices.tolist())) == 5
    assert (utilities > 0.0).all()


def test_single_precision_sparse_and_dense_draw_alike():
    expected = badge(MODEL, X, 9, rng=0)
    for rows in (sp.csr_matrix(X), sp.csc_array(X), X.astype(np.float32)):
        indices, utilities = badge(MODEL, rows, 9, rng=0)
        assert np.array_equal(indices, expected[0])
        assert utilities == pytest.approx(expected[1], rel=1e-4)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_no_numbers_are_refused(value):
    rows = X.copy()
    rows[3, 1] = value
    with pytest.raises(ValueError, match="NaN or infinity"):
        badge(Halves(), rows, 2)


def test_probabilities_that_are_nan_are_refused():
    with pytest.raises(ValueError, match="NaN in the learner's probabilities"):
        badge(Fixed([[0.5, 0.5], [np.nan, np.nan]]), [[0.0], [1.0]], 1)


def test_features_whose_squares_overflow_are_refused_with_what_to_do():
    with pytest.raises(ValueError, match="StandardScaler"):
        badge(Halves(), 1e200 * X, 2)


@pytest.mark.parametrize("patience", [1, 10**9])
@pytest.mark.parametrize("proposals", [2, 64])
def test_no_item_comes_twice_however_large_rounding_errors_are(monkeypatch, patience, proposals):
    exact = Gradients.squared_distances
    monkeypatch.setattr(Gradients, "squared_distances", lambda *pair: exact(*pair) + 1.0)
    monkeypatch.setattr(module, "_PATIENCE", patience)
    monkeypatch.setattr(module, "_PROPOSALS", proposals)
    indices, _ = badge(MODEL, X[:12], 12, rng=0)
    assert sorted(indices) == list(range(12))
