"""Scores of disagreement against their formulas and against modAL."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
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
    bald_utilities,
    consensus_entropy_utilities,
    max_disagreement_utilities,
    vote_entropy_utilities,
)
from strategies.probabilities import vote_probabilities
from strategies.uncertainty import entropy_utilities

X, y = load_digits(return_X_y=True)
X = X[:300] / 16
y = y[:300]
NAMES = ["vote_entropy", "consensus_entropy", "max_disagreement", "bald"]
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
    first = 0.6 * np.log(0.6 / 0.4) + 0.4 * np.log(0.4 / 0.6)
    second = 0.2 * np.log(0.2 / 0.4) + 0.8 * np.log(0.8 / 0.6)
    assert bald_utilities(votes) == pytest.approx([0.0, np.log(2), (first + second) / 2])


def test_bald_is_the_entropy_of_the_mean_less_the_mean_of_the_entropies(models):
    votes = vote_probabilities(models, X)
    members = np.mean([entropy_utilities(votes[:, i]) for i in range(len(models))], axis=0)
    assert np.allclose(bald_utilities(votes), consensus_entropy_utilities(votes) - members, atol=1e-12)


def test_disagreement_is_never_negative():
    belief = np.random.default_rng(0).dirichlet(np.ones(10), size=(2000, 1))
    votes = np.repeat(belief, 3, axis=1)
    votes[:, 1] = belief[:, 0] * (1 + 1e-15)
    for score in (bald_utilities, max_disagreement_utilities, vote_entropy_utilities):
        assert (score(votes) >= 0).all()
        assert (score(votes) < 1e-14).all()


@pytest.mark.parametrize("name", NAMES)
def test_scores_do_not_depend_on_how_the_votes_lie_in_memory(name, models):
    votes = vote_probabilities(models, X)
    score = getattr(committee_module, f"{name}_utilities")
    assert np.allclose(score(np.ascontiguousarray(votes)), score(votes), rtol=1e-12)
    assert np.allclose(score(votes[::2]), score(votes)[::2], rtol=1e-12)


def test_equal_divisions_of_the_votes_are_exactly_equal_whichever_classes_they_are_of():
    """Otherwise rounding would decide among them, not chance: sums in different orders differ."""
    rng = np.random.default_rng(0)
    divided = np.repeat(np.arange(6), [4, 2, 1, 1, 1, 1])
    votes = np.zeros((500, 10, 10))
    for vote in votes:
        vote[np.arange(10), rng.permutation(10)[divided]] = 1.0
    assert len(set(vote_entropy_utilities(votes).tolist())) == 1


def test_of_a_members_equal_top_classes_the_first_has_its_vote():
    votes = np.array([[[0.4, 0.4, 0.2], [0.5, 0.3, 0.2]], [[0.2, 0.4, 0.4], [0.2, 0.3, 0.5]]])
    assert vote_entropy_utilities(votes) == pytest.approx([0.0, np.log(2)])


@pytest.mark.parametrize("name", NAMES)
def test_nan_in_one_members_votes_is_refused(name):
    class Diverged(GaussianNB):
        def predict_proba(self, X):
            return np.where(np.arange(10) == 3, np.nan, super().predict_proba(X))

    members = [Diverged().fit(X, y), GaussianNB().fit(X, y)]
    with pytest.raises(ValueError, match="300 of 300 utilities are NaN"):
        getattr(committee_module, name)(members, X)


@pytest.mark.parametrize("name", NAMES)
def test_agreement_that_is_exact_has_no_utility_for_disagreement(name, models):
    _, utilities = getattr(committee_module, name)([models[0]] * 2, X, n_instances=300, rng=0)
    if name != "consensus_entropy":  # which counts what all are unsure of, too
        assert utilities.tolist() == [0.0] * 300


@pytest.mark.parametrize("name", MODAL)
def test_utilities_are_those_of_modal(name, models):
    committee = Committee([ActiveLearner(model) for model in models])
    reference = MODAL[name](committee, X)
    for learner in (committee, models):
        indices, utilities = getattr(committee_module, name)(learner, X, n_instances=len(X), rng=0)
        assert np.allclose(utilities, reference[indices], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_committee_on_texts_works(name):
    texts = ["good film", "bad film", "good book", "bad book", "a dull one", "fine indeed"] * 5
    labels = ["+", "-", "+", "-", "-", "+"] * 5
    texts_models = [
        make_pipeline(TfidfVectorizer(), kind).fit(texts[i:], labels[i:])
        for i, kind in enumerate([LogisticRegression(), LinearSVC(), LogisticRegression(C=0.1)])
    ]
    from_list = getattr(committee_module, name)(texts_models, texts, n_instances=4, rng=0)
    learners = Committee([ActiveLearner(model) for model in texts_models])
    from_committee = getattr(committee_module, name)(learners, texts, n_instances=4, rng=0)
    assert np.array_equal(from_list[0], from_committee[0])
    assert np.array_equal(from_list[1], from_committee[1])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix, pd.DataFrame])
def test_a_large_pool_is_scored_in_blocks_with_the_same_result(name, kind, models):
    large = kind(np.tile(X, (40, 1)))
    strategy, score = getattr(committee_module, name), getattr(committee_module, f"{name}_utilities")
    forest = RandomForestClassifier(5, max_depth=4, random_state=0).fit(X[:100], y[:100])
    whole = score(vote_probabilities(forest, X))
    indices, utilities = strategy(forest, large, n_instances=12_000, rng=0)
    assert np.allclose(utilities, np.tile(whole, 40)[indices], rtol=1e-9, atol=1e-12)


def test_a_learner_with_votes_of_its_own_gets_the_very_pool():
    class Remembering:
        def vote_proba(self, X):
            self.asked = X
            return np.full((len(X), 2, 2), 0.5)

    learner, large = Remembering(), np.zeros((50_000, 1))
    strategies.vote_entropy(learner, large)
    assert learner.asked is large


@pytest.mark.parametrize("name", NAMES)
def test_a_committee_of_one_is_refused(name, models):
    with pytest.raises(ValueError, match="a committee of 1 can't disagree"):
        getattr(committee_module, name)(models[:1], X)


@pytest.mark.parametrize("name", NAMES)
def test_a_single_model_is_refused(name, models):
    with pytest.raises(TypeError, match="one model can't disagree with itself"):
        getattr(committee_module, name)(models[0], X)
