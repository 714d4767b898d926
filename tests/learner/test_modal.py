"""A learner does what modAL's can't do on current scikit-learn and numpy, on every kind of features."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from modAL.density import information_density
from modAL.disagreement import consensus_entropy_sampling, max_disagreement_sampling, vote_entropy_sampling
from modAL.models import ActiveLearner, Committee
from modAL.uncertainty import entropy_sampling, margin_sampling, uncertainty_sampling
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_blobs
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import (
    LogisticRegression,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from bootstrap import Learner, as_learner, strategies
from bootstrap.learner import CommitteeLearner, members_of

X, y = make_blobs(90, n_features=4, centers=3, cluster_std=4.0, random_state=0)
NAMES = np.array(["ape", "bee", "cat"])[y]
TEXTS = [f"{name} {'very ' * (i % 3)}{i}" for i, name in enumerate(NAMES)]
FRAME = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "color": np.array(["red", "blue", "green"])[y]})
ON_TEXTS = make_pipeline(TfidfVectorizer(), LogisticRegression())
ON_FRAME = make_pipeline(
    ColumnTransformer([("color", OneHotEncoder(), ["color"])], remainder="passthrough"), LogisticRegression()
)
KINDS = {
    "dense": (X, LogisticRegression()),
    "csr": (sp.csr_array(X), LogisticRegression()),
    "frame": (FRAME, ON_FRAME),
    "texts": (TEXTS, ON_TEXTS),
}
every_kind = pytest.mark.parametrize(("features", "estimator"), KINDS.values(), ids=KINDS)


def rows(features, start: int, stop: int):
    return features.iloc[start:stop] if isinstance(features, pd.DataFrame) else features[start:stop]


def fitted(estimator=None, labels=NAMES, **options) -> Learner:
    learner = Learner(LogisticRegression() if estimator is None else estimator, **options)
    return learner.fit(X[:40], labels[:40])


def a_committee(labels=NAMES, **options) -> CommitteeLearner:
    committee = as_learner(
        [LogisticRegression(), GaussianNB(), DecisionTreeClassifier(random_state=0)], **options
    )
    return committee.fit(X[:40], labels[:40])


@every_kind
def test_a_learner_is_taught_asked_and_queried_on_every_kind_of_features(features, estimator):
    learner = as_learner(estimator)
    learner.teach(rows(features, 0, 20), NAMES[:20])
    learner.teach(rows(features, 20, 40), NAMES[20:40])
    assert type(learner.X_training) is type(features)
    assert learner.y_training.tolist() == NAMES[:40].tolist()

    pool = rows(features, 40, 90)
    proba = learner.predict_proba(pool)
    assert proba.shape == (50, 3)
    assert np.allclose(proba.sum(axis=1), 1)
    assert set(learner.predict(pool)) <= set(NAMES)
    assert learner.score(pool, NAMES[40:]) == np.mean(learner.predict(pool) == NAMES[40:])

    indices, chosen = learner.query(pool, n_instances=2)
    assert len(indices) == 2
    assert type(chosen) is type(features)
    assert np.allclose(learner.predict_proba(chosen), proba[indices])


@every_kind
def test_what_is_taught_in_parts_is_what_is_fitted_at_once(features, estimator):
    in_parts, at_once = as_learner(estimator), as_learner(estimator)
    for start in (0, 15, 30):
        in_parts.teach(rows(features, start, start + 15), NAMES[start : start + 15])
    at_once.fit(rows(features, 0, 45), NAMES[:45])
    assert np.allclose(in_parts.predict_proba(features), at_once.predict_proba(features))


@every_kind
def test_the_result_is_that_of_the_bare_estimator(features, estimator):
    learner = as_learner(estimator).fit(rows(features, 0, 40), NAMES[:40])
    bare = clone(estimator).fit(rows(features, 0, 40), NAMES[:40])
    assert np.allclose(learner.predict_proba(features), bare.predict_proba(features))
    assert learner.predict(features).tolist() == bare.predict(features).tolist()
    assert learner.classes_.tolist() == bare.classes_.tolist()


def test_a_learner_prints_what_it_is_and_what_it_knows():
    learner = Learner(GaussianNB())
    assert repr(learner) == "Learner(GaussianNB(), not fitted)"
    learner.teach(X[:30], NAMES[:30])
    assert repr(learner) == "Learner(GaussianNB(), 30 labels, 3 classes)"
    assert repr(as_learner([GaussianNB(), GaussianNB()])) == "CommitteeLearner(2 members, not fitted)"
    assert repr(a_committee()) == "CommitteeLearner(3 members, 40 labels, 3 classes)"


@pytest.mark.parametrize(
    "learner", [fitted(classes=["ape", "bee", "cat", "dog"]), a_committee(n_jobs=2)], ids=repr
)
def test_a_clone_is_the_same_without_labels(learner):
    copied = clone(learner)
    assert type(copied) is type(learner)
    assert not copied.is_fitted
    assert copied.query_strategy is learner.query_strategy
    assert copied.classes == learner.classes
    assert getattr(copied, "n_jobs", None) == getattr(learner, "n_jobs", None)
    assert all(one is not other for one, other in zip(members_of(copied), members_of(learner), strict=True))
    assert np.allclose(copied.fit(X[:40], NAMES[:40]).predict_proba(X), learner.predict_proba(X))


@pytest.mark.parametrize("learner", [fitted(), a_committee()], ids=repr)
def test_teaching_a_shallow_copy_leaves_the_original_as_it_was(learner):
    before = learner.predict_proba(X)
    copied = copy.copy(learner)
    copied.teach(X[40:], NAMES[40:])
    assert not np.array_equal(copied.predict_proba(X), before)
    assert np.array_equal(learner.predict_proba(X), before)
    assert (len(copied.y_training), len(learner.y_training)) == (90, 40)


@pytest.mark.parametrize("learner", [fitted(), a_committee()], ids=repr)
def test_a_fitted_learner_can_be_copied_and_pickled(learner):
    for copied in (copy.deepcopy(learner), pickle.loads(pickle.dumps(learner))):
        assert np.array_equal(copied.predict_proba(X), learner.predict_proba(X))
        assert repr(copied) == repr(learner)


@pytest.mark.parametrize("learner", [fitted(), a_committee()], ids=repr)
def test_a_strategy_is_called_exactly_once_and_a_pair_of_indices_is_no_pair_of_results(learner):
    calls = []

    def first_two(learner, X, n_instances=2):
        calls.append(learner)
        return np.array([3, 5])

    learner = clone(learner)
    learner.query_strategy = first_two
    indices, chosen = learner.query(X)
    assert calls == [learner]
    assert indices.tolist() == [3, 5]
    assert np.array_equal(chosen, X[[3, 5]])


def test_a_strategy_that_fails_is_not_called_again():
    calls = []

    def failing(learner, X):
        calls.append(1)
        raise OSError("the strategy's own error")

    with pytest.raises(OSError, match="own error"):
        fitted(query_strategy=failing).query(X)
    assert calls == [1]


@pytest.mark.parametrize("learner", [fitted(), a_committee()], ids=repr)
def test_utilities_come_with_the_indices_when_wanted(learner):
    indices, chosen, utilities = learner.query(X, n_instances=3, return_metrics=True)
    assert len(indices) == len(chosen) == len(utilities) == 3
    learner = clone(learner)
    learner.query_strategy = lambda learner, X: 7
    assert learner.query(X, return_metrics=True)[2] is None
    assert np.array_equal(learner.query(X)[1], X[[7]])


@pytest.mark.parametrize(
    "strategy", [uncertainty_sampling, margin_sampling, entropy_sampling, strategies.margin]
)
def test_modals_uncertainty_strategies_see_what_they_would_see_in_modal(strategy):
    modal = ActiveLearner(LogisticRegression(), query_strategy=strategy, X_training=X[:40], y_training=y[:40])
    ours = fitted(query_strategy=strategy)
    assert sorted(ours.query(X[40:], n_instances=5)[0]) == sorted(modal.query(X[40:], n_instances=5)[0])


@pytest.mark.parametrize(
    "strategy",
    [
        vote_entropy_sampling,
        consensus_entropy_sampling,
        max_disagreement_sampling,
        uncertainty_sampling,
        strategies.margin,
    ],
)
def test_modals_committee_strategies_see_what_they_would_see_in_modal(strategy):
    estimators = [LogisticRegression(), GaussianNB()]
    modal = Committee([ActiveLearner(e, X_training=X[:40], y_training=y[:40]) for e in estimators], strategy)
    ours = as_learner(estimators).fit(X[:40], NAMES[:40])
    ours.query_strategy = strategy
    expected = strategy(modal, X[40:], n_instances=5)[1]
    found = ours.query(X[40:], n_instances=5, return_metrics=True)[2]
    assert np.allclose(np.sort(found), np.sort(expected))


def test_modals_density_can_weigh_a_learners_uncertainty():
    learner = fitted()
    weighed = information_density(X) * (1 - learner.predict_proba(X).max(axis=1))
    assert weighed.shape == (90,)
