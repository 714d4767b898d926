"""Scores of disagreement against their formulas and against modAL."""

from __future__ import annotations

import numpy as np
import pytest
from modAL import disagreement
from modAL.models import ActiveLearner, Committee
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

import strategies
from strategies import committee as committee_module
from strategies.committee import (
    consensus_entropy_utilities,
    max_disagreement_utilities,
    vote_entropy_utilities,
)

X, y = load_digits(return_X_y=True)
X = X[:300] / 16
y = y[:300]
NAMES = ["vote_entropy", "consensus_entropy", "max_disagreement"]
MODAL = {
    "vote_entropy": disagreement.vote_entropy,
    "consensus_entropy": disagreement.consensus_entropy,
    "max_disagreement": disagreement.KL_max_disagreement,
}


@pytest.fixture(scope="module")
def models():
    """Four models trained on different parts; the second knows only five of the ten classes."""
    parts = [slice(0, 60), y < 5, slice(60, 120), slice(0, 200)]
    bayes = GaussianNB(var_smoothing=0.01)  # without, its rows sum to 1 within 1e-8 only
    kinds = [bayes, LogisticRegression(max_iter=1000), DecisionTreeClassifier(max_depth=4), bayes]
    return [clone(model).fit(X[part], y[part]) for model, part in zip(kinds, parts, strict=True)]


def test_scores_of_known_votes():
    votes = np.array(
        [
            [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]],  # agreed
            [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]],  # opposed
            [[0.6, 0.4, 0.0], [0.2, 0.8, 0.0]],
        ]
    )
    assert vote_entropy_utilities(votes) == pytest.approx([0.0, np.log(2), np.log(2)])
    assert consensus_entropy_utilities(votes) == pytest.approx(
        [0.0, np.log(2), -(0.4 * np.log(0.4) + 0.6 * np.log(0.6))]
    )
    third = max(
        0.6 * np.log(0.6 / 0.4) + 0.4 * np.log(0.4 / 0.6), 0.2 * np.log(0.2 / 0.4) + 0.8 * np.log(0.8 / 0.6)
    )
    assert max_disagreement_utilities(votes) == pytest.approx([0.0, np.log(2), third])


@pytest.mark.parametrize("name", NAMES)
def test_utilities_are_those_of_modal(name, models):
    committee = Committee([ActiveLearner(model) for model in models])
    reference = MODAL[name](committee, X)
    for learner in (committee, models):
        indices, utilities = getattr(strategies, name)(learner, X, n_instances=len(X), rng=0)
        assert np.allclose(utilities, reference[indices], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_committee_on_texts_works(name):
    texts = ["good film", "bad film", "good book", "bad book", "a dull one", "fine indeed"] * 5
    labels = ["+", "-", "+", "-", "-", "+"] * 5
    texts_models = [
        make_pipeline(TfidfVectorizer(), kind).fit(texts[i:], labels[i:])
        for i, kind in enumerate([LogisticRegression(), LinearSVC(), LogisticRegression(C=0.1)])
    ]
    from_list = getattr(strategies, name)(texts_models, texts, n_instances=4, rng=0)
    learners = Committee([ActiveLearner(model) for model in texts_models])
    from_committee = getattr(strategies, name)(learners, texts, n_instances=4, rng=0)
    assert np.array_equal(from_list[0], from_committee[0])
    assert np.array_equal(from_list[1], from_committee[1])


@pytest.mark.parametrize("name", NAMES)
def test_a_large_pool_is_scored_in_blocks_with_the_same_result(name, models, monkeypatch):
    pd = pytest.importorskip("pandas")
    forest = RandomForestClassifier(5, max_depth=4, random_state=0).fit(X[:100], y[:100])
    strategy = getattr(strategies, name)
    expected = strategy(models, X, n_instances=300, rng=0)
    from_forest = strategy(forest, X, n_instances=300, rng=0)
    monkeypatch.setattr(committee_module, "_BLOCK", 128)
    assert np.allclose(strategy(models, X, n_instances=300, rng=0)[1], expected[1])
    assert np.allclose(strategy(forest, X, n_instances=300, rng=0)[1], from_forest[1])
    assert np.allclose(strategy(forest, pd.DataFrame(X), n_instances=300, rng=0)[1], from_forest[1])


def test_a_learner_with_votes_of_its_own_gets_the_very_pool(monkeypatch):
    class Remembering:
        def vote_proba(self, X):
            self.asked = X
            return np.full((len(X), 2, 2), 0.5)

    monkeypatch.setattr(committee_module, "_BLOCK", 10)
    learner = Remembering()
    strategies.vote_entropy(learner, X)
    assert learner.asked is X


@pytest.mark.parametrize("name", NAMES)
def test_a_committee_of_one_is_refused(name, models):
    with pytest.raises(ValueError, match="a committee of 1 can't disagree"):
        getattr(strategies, name)(models[:1], X)


@pytest.mark.parametrize("name", NAMES)
def test_a_single_model_is_refused(name, models):
    with pytest.raises(TypeError, match="one model can't disagree with itself"):
        getattr(strategies, name)(models[0], X)
