"""Scoring a pool block by block: the same as all at once, in little memory, and whole where it has to be."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from modAL.models import ActiveLearner, Committee
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from strategies.scoring import pool_scores, pool_vote_scores

N = 50_000
X = np.random.default_rng(0).normal(size=(N, 3))
y = (X[:, 0] > 0).astype(int)
FEW = slice(0, 100)


def top_probability(proba):
    return proba.max(axis=1)


class Own(GaussianNB):
    """A classifier that is not scikit-learn's; remembers what it was asked about."""

    def predict_proba(self, X):
        self.asked = X
        return super().predict_proba(X)


class Centered(TransformerMixin, BaseEstimator):
    """A transformer whose output depends on all the rows that it gets."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X - X.mean(axis=0)


def center(X):
    return X - X.mean(axis=0)


@pytest.fixture
def asked(monkeypatch):
    """How many rows each question to a GaussianNB had."""
    lengths, own = [], GaussianNB.predict_proba
    monkeypatch.setattr(
        GaussianNB, "predict_proba", lambda self, X: lengths.append(X.shape[0]) or own(self, X)
    )
    return lengths


@pytest.mark.parametrize("kind", [np.asarray, np.asfortranarray, pd.DataFrame])
def test_blocks_give_what_the_whole_gives(kind, asked):
    pool = kind(X)
    model = GaussianNB().fit(pool[FEW], y[FEW])
    scores = pool_scores(top_probability, model, pool)
    assert sum(asked) == N
    assert max(asked) < N
    assert np.allclose(scores, top_probability(model.predict_proba(pool)), rtol=1e-12)


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_matrix, sp.coo_array])
def test_any_sparse_format_goes_in_blocks_of_csr(kind, monkeypatch):
    model = LogisticRegression().fit(X[FEW], y[FEW])
    formats, own = set(), LogisticRegression.predict_proba
    with monkeypatch.context() as patch:
        patch.setattr(LogisticRegression, "predict_proba", lambda m, X: formats.add(X.format) or own(m, X))
        scores = pool_scores(top_probability, model, kind(X))
    assert formats == {"csr"}
    assert np.allclose(scores, top_probability(model.predict_proba(X)), rtol=1e-12)


def test_texts_go_in_blocks():
    texts = [f"{a} {b}" for a in "abcdefghij" for b in range(1000)]
    labels = np.arange(100) % 2
    model = make_pipeline(HashingVectorizer(n_features=64), LogisticRegression()).fit(texts[:100], labels)
    expected = top_probability(model.predict_proba(texts))
    for pool in (texts, np.array(texts, dtype=object), pd.Series(texts)):
        assert np.allclose(pool_scores(top_probability, model, pool), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model,
        lambda model: make_pipeline(StandardScaler(), model),
        lambda model: VotingClassifier([("a", model), ("b", model)], voting="soft"),
    ],
    ids=["alone", "in a Pipeline", "in a VotingClassifier"],
)
def test_what_is_scikit_learns_goes_in_blocks_within_modal_too(wrap, asked):
    model = wrap(GaussianNB()).fit(X[FEW], y[FEW])
    for learner in (model, ActiveLearner(model), Committee([ActiveLearner(model), ActiveLearner(model)])):
        asked.clear()
        pool_scores(top_probability, learner, X)
        assert max(asked) < N


def test_a_learner_that_is_not_scikit_learns_gets_the_very_pool():
    class Remembering:
        def predict_proba(self, X):
            self.asked = X
            return np.full((len(X), 2), 0.5)

    for model in (Own().fit(X[FEW], y[FEW]), Remembering()):
        pool_scores(top_probability, model, X)
        assert model.asked is X
    inner = Own().fit(X[FEW], y[FEW])
    pool_scores(top_probability, ActiveLearner(inner), X)
    assert inner.asked is X


@pytest.mark.parametrize(
    "steps",
    [
        (FunctionTransformer(center), GaussianNB()),
        (Centered(), GaussianNB()),
        (make_column_transformer((Centered(), [0, 1])), GaussianNB()),
        (VotingClassifier([("centered", make_pipeline(Centered(), GaussianNB()))], voting="soft"),),
    ],
    ids=["function", "own transformer", "of some columns", "in an ensemble"],
)
def test_answers_that_may_depend_on_all_rows_are_asked_for_whole(steps):
    model = make_pipeline(*steps).fit(X[FEW], y[FEW])
    drifting = X + np.linspace(0, 5, N)[:, np.newaxis]
    expected = top_probability(model.predict_proba(drifting))
    assert pool_scores(top_probability, model, drifting) == pytest.approx(expected, rel=0, abs=1e-12)
    found = pool_scores(top_probability, ActiveLearner(model), drifting)
    assert found == pytest.approx(expected, rel=0, abs=1e-12)


def test_a_whole_answer_is_scored_in_parts():
    parts = []

    def score(proba):
        parts.append(len(proba))
        return top_probability(proba)

    model = Own().fit(X[FEW], y[FEW])
    expected = top_probability(model.predict_proba(X))
    assert pool_scores(score, model, X) == pytest.approx(expected, rel=0, abs=1e-12)
    assert sum(parts) == N
    assert max(parts) < N


def test_wide_answers_and_wide_pools_are_asked_for_in_short_blocks(asked):
    wide = np.broadcast_to(np.arange(12_000.0)[:, np.newaxis], (12_000, 1000))  # takes no memory by itself
    pool_scores(top_probability, GaussianNB().fit(wide[FEW], y[FEW]), wide)
    assert max(asked[1:]) < 5000

    class ManyClasses:
        classes_ = np.arange(1500)

        def __init__(self):
            self.lengths = []

        def predict_proba(self, X):
            self.lengths.append(len(X))
            return np.full((len(X), 1500), 1 / 1500)

    members = [ManyClasses(), ManyClasses()]
    pool_vote_scores(lambda votes: votes.max(axis=(1, 2)), members, X[:7000])
    assert members[0].lengths[1] < 2000


def test_votes_of_a_committee_go_in_blocks(asked):
    models = [GaussianNB().fit(X[rows], y[rows]) for rows in (slice(0, 50), slice(50, 100))]
    expected = np.mean([model.predict_proba(X)[:, 0] for model in models], axis=0)
    for committee in (models, Committee([ActiveLearner(model) for model in models])):
        asked.clear()
        scores = pool_vote_scores(lambda votes: votes[:, :, 0].mean(axis=1), committee, X)
        assert np.allclose(scores, expected, rtol=1e-12)
        assert max(asked) < N


def test_memory_does_not_grow_with_the_answer():
    """The whole answer about 300,000 items and 8 classes would be 19 MB."""
    pool = np.tile(X, (6, 1))
    model = LogisticRegression().fit(X[FEW], np.arange(100) % 8)
    tracemalloc.start()
    try:
        pool_scores(top_probability, model, pool)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12e6


@pytest.mark.parametrize("empty", [X[:0], sp.csr_matrix(X[:0]), pd.DataFrame(X[:0]), []])
def test_an_empty_pool_asks_nobody(empty):
    for score_pool in (pool_scores, pool_vote_scores):
        assert score_pool(top_probability, None, empty).shape == (0,)
