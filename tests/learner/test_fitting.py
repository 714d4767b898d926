"""Fitting leaves everything else as it was, and predictions are computed once and shared."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import make_blobs
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LogisticRegression,
    SGDClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from bootstrap import Learner, as_learner
from bootstrap.errors import InvalidInput
from bootstrap.learner import CommitteeLearner

X, y = make_blobs(90, n_features=4, centers=3, cluster_std=4.0, random_state=0)
NAMES = np.array(["ape", "bee", "cat"])[y]


def fitted(estimator=None, labels=NAMES, **options) -> Learner:
    learner = Learner(LogisticRegression() if estimator is None else estimator, **options)
    return learner.fit(X[:40], labels[:40])


def a_committee(labels=NAMES, **options) -> CommitteeLearner:
    committee = as_learner(
        [LogisticRegression(), GaussianNB(), DecisionTreeClassifier(random_state=0)], **options
    )
    return committee.fit(X[:40], labels[:40])


def refusal(act, *args, **kwargs) -> str:
    with pytest.raises(InvalidInput) as caught:
        act(*args, **kwargs)
    return str(caught.value)


class Undeclared(BaseEstimator):
    """A classifier that does not say it is one."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


# what fitting leaves alone


def test_neither_the_users_estimator_nor_an_earlier_model_is_ever_changed():
    mine = SGDClassifier(loss="log_loss", warm_start=True, random_state=0)
    learner = as_learner(mine).fit(X[:30], NAMES[:30])
    earlier = learner.estimator
    coefficients = earlier.coef_.copy()
    learner.teach(X[30:], NAMES[30:])
    assert not hasattr(mine, "coef_")
    assert learner.estimator is not earlier
    assert np.array_equal(earlier.coef_, coefficients)
    assert not np.array_equal(learner.estimator.coef_, coefficients)


def test_a_fit_that_fails_leaves_the_learner_as_it_was():
    learner = fitted()
    before = learner.predict_proba(X)
    for bad in (lambda: learner.fit(X[:2], ["a", "a"]), lambda: learner.teach(np.ones((1, 9)), ["ape"])):
        refusal(bad)
        assert np.array_equal(learner.predict_proba(X), before)
        assert len(learner.y_training) == 40


def test_features_that_the_estimator_cannot_take_are_refused():
    learner = fitted()
    bad = np.full((1, 4), np.nan)
    assert "NaN" in refusal(learner.fit, bad, ["ape"])
    assert "NaN" in refusal(learner.teach, bad, ["ape"])
    assert "same kind" in refusal(learner.teach, ["a text"], ["ape"])


def test_missing_numbers_are_taken_where_the_estimator_takes_them():
    gaps = X.copy()
    gaps[::7, 0] = np.nan
    for estimator in (
        HistGradientBoostingClassifier(max_iter=5),
        make_pipeline(SimpleImputer(), GaussianNB()),
    ):
        learner = as_learner(estimator)
        learner.teach(gaps[:40], NAMES[:40])
        learner.teach(gaps[40:], NAMES[40:])
        assert learner.predict_proba(gaps).shape == (90, 3)


def test_forgetting_and_learning_only_the_new():
    learner = fitted()
    learner.teach(X[40:], NAMES[40:], only_new=True)
    expected = LogisticRegression().fit(X[40:], NAMES[40:]).predict_proba(X)
    assert np.allclose(learner.predict_proba(X), expected)
    assert len(learner.y_training) == 40  # what was stored stays stored
    learner.fit(X[40:], NAMES[40:])
    assert len(learner.y_training) == 50
    fresh = Learner(LogisticRegression())
    fresh.teach(X[:40], NAMES[:40], only_new=True)
    assert len(fresh.y_training) == 40


def test_training_data_can_be_given_at_once():
    learner = Learner(LogisticRegression(), X_training=X[:40], y_training=NAMES[:40])
    assert learner.is_fitted
    assert np.array_equal(learner.predict_proba(X), fitted().predict_proba(X))


def test_arguments_for_the_estimators_own_fit_arrive():
    weights = np.where(NAMES == "ape", 100.0, 1.0)
    learner = Learner(LogisticRegression()).fit(X, NAMES, sample_weight=weights)
    expected = LogisticRegression().fit(X, NAMES, sample_weight=weights)
    assert np.allclose(learner.predict_proba(X), expected.predict_proba(X))


def test_a_score_can_be_weighted():
    learner = fitted()
    right = learner.predict(X) == NAMES
    assert learner.score(X, NAMES, sample_weight=right) == 1.0
    assert learner.score(X, NAMES, sample_weight=~right) == 0.0


# predictions that are computed once and shared


@pytest.mark.parametrize("learner", [fitted(), a_committee()], ids=repr)
def test_scores_are_remembered_for_one_very_object_until_the_next_fit(learner):
    learner = copy.deepcopy(learner)
    pool, copied = X[40:], X[40:].copy()
    real = learner.scores(pool)
    learner.remember(pool, np.zeros_like(real))
    assert not learner.predict_proba(pool).any()
    assert np.array_equal(learner.scores(copied), real)
    assert np.array_equal(learner.proba(real), learner.predict_proba(copied))
    learner.fit(X[:40], NAMES[:40])
    assert np.array_equal(learner.scores(pool), real)


def test_arguments_for_the_estimators_own_predict_proba_arrive_and_are_not_remembered():
    class Tempered(Undeclared):
        def predict_proba(self, X, cold=False):
            return np.eye(len(self.classes_))[[0] * len(X)] if cold else super().predict_proba(X)

    learner = fitted(Tempered())
    learner.remember(X, learner.scores(X))
    assert (learner.predict(X, cold=True) == "ape").all()
    committee = as_learner([Tempered(), Tempered()]).fit(X[:40], NAMES[:40])
    committee.remember(X, committee.scores(X))
    assert (committee.vote_proba(X, cold=True)[:, :, 0] == 1).all()
