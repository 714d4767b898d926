"""Labels of every kind: encoded once, never mixed up with codes, refused where they can't be learned."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_blobs
from sklearn.linear_model import (
    LogisticRegression,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from bootstrap import Learner, as_learner
from bootstrap.errors import InvalidInput
from bootstrap.learner import CommitteeLearner
from bootstrap.records import SKIP

X, y = make_blobs(90, n_features=4, centers=3, cluster_std=4.0, random_state=0)
NAMES = np.array(["ape", "bee", "cat"])[y]
LABELS = {
    "strings": NAMES,
    "integers": y,
    "bools": y > 0,
    "other integers": y * 10 - 5,
    "floats": y.astype(float),
}


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


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("make", [fitted, a_committee])
def test_labels_of_every_kind_come_back_as_they_went_in(make, labels):
    learner = make(labels=labels)
    predicted = learner.predict(X)
    assert set(predicted.tolist()) <= set(labels.tolist())
    assert np.mean(predicted == labels) > 0.6
    assert learner.classes_.tolist() == sorted(set(labels.tolist()))
    assert learner.score(X, labels) == np.mean(predicted == labels)


@pytest.mark.parametrize("given_as", [list, tuple, pd.Series, lambda labels: np.array(labels, dtype=object)])
def test_labels_can_come_as_any_sequence(given_as):
    learner = Learner(GaussianNB()).fit(X, given_as(NAMES.tolist()))
    assert learner.y_training.tolist() == NAMES.tolist()
    assert learner.classes_.tolist() == ["ape", "bee", "cat"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", 1, "b"], "label 1: 1 is a whole number among strings"),
        ([1, True, 0], "label 1: True is a bool among whole numbers"),
        (["a", None, "b"], "label 1: None is not a label"),
        ([1.0, np.nan, 2.0], "label 1: nan is not a label"),
        (["a", SKIP, "b"], "SKIP is no label to train on"),
        ([["a"], ["b"], ["a"]], "y has shape (3, 1): pass one label per row"),
        (None, "y has shape ()"),
        (["a", "b"], "X has 3 rows and y has 2 labels"),
        (["a", "a", "a"], "all 3 labels are 'a': a classifier needs two classes"),
        ([7, 7, 7], "all 3 labels are 7: a classifier needs two classes"),
    ],
    ids=str,
)
def test_labels_that_cannot_be_learned_are_refused(labels, message):
    for learner in (Learner(GaussianNB()), as_learner([GaussianNB(), GaussianNB()])):
        assert message in refusal(learner.fit, X[:3], labels)
        assert message in refusal(learner.teach, X[:3], labels)
        assert not learner.is_fitted


def test_no_labels_at_all_are_refused():
    assert "no labels: a classifier needs two classes" in refusal(Learner(GaussianNB()).fit, [], [])


def test_another_kind_of_label_later_is_refused_and_the_learner_stays_as_it_was():
    for labels, other, message in [
        (NAMES, [1, 2], "1 is a whole number and the classes so far are strings (such as 'ape')"),
        (y, ["a", "b"], "'a' is a string and the classes so far are whole numbers"),
        (y > 0, [1, 2], "1 is a whole number and the classes so far are bools"),
    ]:
        learner = fitted(labels=labels)
        before = learner.predict_proba(X)
        assert message in refusal(learner.teach, X[40:42], other)
        assert np.array_equal(learner.predict_proba(X), before)
        assert len(learner.y_training) == 40


def test_a_class_can_come_later():
    learner = Learner(LogisticRegression()).fit(X[y < 2], NAMES[y < 2])
    assert learner.classes_.tolist() == ["ape", "bee"]
    learner.teach(X[y == 2], NAMES[y == 2])
    assert learner.classes_.tolist() == ["ape", "bee", "cat"]
    assert learner.predict_proba(X).shape == (90, 3)


@pytest.mark.parametrize("make", [Learner, lambda e, classes: as_learner([e, GaussianNB()], classes=classes)])
def test_a_class_given_up_front_that_no_label_has_yet_gets_probability_zero(make):
    learner = make(LogisticRegression(), classes=["cat", "dog", "bee", "ape"])
    learner.fit(X[y < 2], NAMES[y < 2])
    assert learner.classes_.tolist() == ["cat", "dog", "bee", "ape"]
    proba = learner.predict_proba(X)
    assert not proba[:, :2].any()
    assert np.allclose(proba.sum(axis=1), 1)
    seen_only = as_learner(LogisticRegression() if make is Learner else [LogisticRegression(), GaussianNB()])
    expected = seen_only.fit(X[y < 2], NAMES[y < 2]).predict_proba(X)
    assert np.allclose(proba[:, 2:], expected[:, ::-1])
    assert set(learner.predict(X)) <= {"ape", "bee"}


def test_a_label_outside_the_classes_given_up_front_is_refused_and_the_learner_stays_as_it_was():
    learner = fitted(labels=np.where(y > 0, "bee", "ape"), classes=["ape", "bee"])
    before = learner.predict_proba(X)
    message = refusal(learner.teach, X[:2], ["ape", "dog"])
    assert "labels ['dog'] are not among the classes ['ape', 'bee']: add them to classes=" in message
    assert np.array_equal(learner.predict_proba(X), before)


def test_the_classes_of_a_committee_are_those_of_its_members():
    committee = as_learner([LogisticRegression(), GaussianNB()], classes=["ape", "bee", "cat"])
    assert committee.classes == ["ape", "bee", "cat"]
    committee.classes = ["ape", "bee", "cat", "dog"]
    assert [member.classes for member in committee.learner_list] == [committee.classes] * 2
    assert committee.fit(X[:40], NAMES[:40]).predict_proba(X).shape == (90, 4)


@given(
    st.lists(st.sampled_from(["ape", "bee", "cat", "dog"]), min_size=2, max_size=12).filter(
        lambda s: len(set(s)) > 1
    )
)
def test_codes_and_labels_are_never_mixed_up(labels):
    features = np.arange(float(len(labels))).reshape(-1, 1)
    tree = Learner(DecisionTreeClassifier(random_state=0)).fit(features, labels)
    assert tree.predict(features).tolist() == labels


def test_few_labels_of_many_classes_are_no_regression():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for learner in (
            Learner(GaussianNB()),
            as_learner([GaussianNB(), GaussianNB()], n_jobs=2),
        ):
            learner.fit(X[:20], [f"class {i % 15}" for i in range(20)])
            assert len(learner.classes_) == 15
