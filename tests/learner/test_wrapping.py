"""What can be made a learner: classifiers, modAL's learners, ours; what was passed in is left alone."""

from __future__ import annotations

import numpy as np
from modAL.models import ActiveLearner, Committee
from sklearn.datasets import make_blobs
from sklearn.linear_model import (
    LogisticRegression,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from bootstrap import Learner, as_learner
from bootstrap.learner import CommitteeLearner, members_of

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


def test_the_object_passed_in_is_never_the_learner():
    mine = LogisticRegression()
    learner = as_learner(mine)
    assert learner.estimator is not mine
    again = as_learner(learner)
    assert again is not learner
    assert again.estimator is not learner.estimator


def test_a_modal_learner_brings_its_training_data_and_is_left_alone():
    modal = ActiveLearner(LogisticRegression(), X_training=X[:40], y_training=NAMES[:40])
    coefficients = modal.estimator.coef_.copy()
    learner = as_learner(modal)
    assert np.allclose(learner.predict_proba(X), modal.predict_proba(X))
    learner.teach(X[40:], NAMES[40:])
    assert len(learner.y_training) == 90
    assert len(modal.y_training) == 40
    assert np.array_equal(modal.estimator.coef_, coefficients)


def test_an_untrained_modal_learner_becomes_an_untrained_learner():
    assert not as_learner(ActiveLearner(GaussianNB())).is_fitted
    assert not as_learner(Committee([ActiveLearner(GaussianNB()), ActiveLearner(GaussianNB())])).is_fitted


def test_a_learner_of_ours_keeps_its_classes_unless_others_are_given():
    learner = fitted(classes=["cat", "bee", "ape"])
    assert as_learner(learner).classes_.tolist() == ["cat", "bee", "ape"]
    assert as_learner(learner, classes=["ape", "bee", "cat", "dog"]).predict_proba(X).shape == (90, 4)


def test_members_of_a_learner_are_itself():
    learner, committee = fitted(), a_committee()
    assert members_of(learner) == [learner]
    assert members_of(committee) == committee.learner_list
    assert committee.estimator == [member.estimator for member in committee.learner_list]
