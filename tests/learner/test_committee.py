"""A committee answers like modAL's, whatever its members learned, and so do members that are rebagged."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from modAL.models import ActiveLearner, Committee
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_blobs
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import (
    LogisticRegression,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from bootstrap import Learner, as_learner
from bootstrap.errors import InvalidInput
from bootstrap.learner import CommitteeLearner

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


def refusal(act, *args, **kwargs) -> str:
    with pytest.raises(InvalidInput) as caught:
        act(*args, **kwargs)
    return str(caught.value)


# committees


def test_a_committee_of_classifiers_answers_like_modals():
    estimators = [LogisticRegression(), GaussianNB(), DecisionTreeClassifier(random_state=0)]
    modal = Committee([ActiveLearner(clone(e), X_training=X[:40], y_training=y[:40]) for e in estimators])
    for source in (estimators, tuple(estimators), modal):
        ours = as_learner(source)
        ours.fit(X[:40], y[:40])
        assert np.allclose(ours.predict_proba(X), modal.predict_proba(X))
        assert np.allclose(ours.vote_proba(X), modal.vote_proba(X))
        assert np.array_equal(ours.vote(X), modal.vote(X))
        assert np.array_equal(ours.predict(X), modal.predict(X))
        assert ours.score(X, y) == modal.score(X, y)
        assert np.array_equal(ours.classes_, modal.classes_)


def test_a_committee_of_string_labels_answers_like_one_of_integer_labels():
    by_name, by_number = a_committee(NAMES), a_committee(y)
    assert np.array_equal(by_name.vote_proba(X), by_number.vote_proba(X))
    assert np.array_equal(by_name.predict(X), np.array(["ape", "bee", "cat"])[by_number.predict(X)])


def test_members_that_learned_different_classes_are_put_together_as_modal_does():
    def members(labels):
        parts = [(X[y < 2], labels[y < 2]), (X[y > 0], labels[y > 0])]
        return [ActiveLearner(GaussianNB(), X_training=part, y_training=of) for part, of in parts]

    modal = Committee(members(y))
    assert np.allclose(as_learner(modal).vote_proba(X), modal.vote_proba(X))
    named = as_learner(Committee(members(NAMES)))
    assert named.classes_.tolist() == ["ape", "bee", "cat"]
    assert np.allclose(named.predict_proba(X), modal.predict_proba(X))
    assert np.array_equal(named.predict(X), np.array(["ape", "bee", "cat"])[modal.predict(X)])


@every_kind
def test_a_committee_is_taught_and_queried_on_every_kind_of_features(features, estimator):
    committee = as_learner(
        [
            estimator,
            clone(estimator).set_params(logisticregression__C=0.01)
            if isinstance(estimator, Pipeline)
            else LogisticRegression(C=0.01),
        ]
    )
    committee.teach(rows(features, 0, 20), NAMES[:20])
    committee.teach(rows(features, 20, 40), NAMES[20:40])
    pool = rows(features, 40, 90)
    indices, chosen = committee.query(pool, n_instances=2)
    assert len(indices) == 2
    assert type(chosen) is type(features)
    assert committee.vote(pool).shape == (50, 2)
    assert committee.y_training.tolist() == NAMES[:40].tolist()
    assert type(committee.X_training) is type(features)


def test_a_committee_made_of_trained_members_knows_what_they_know():
    members = [
        ActiveLearner(e, X_training=X[:40], y_training=NAMES[:40])
        for e in (GaussianNB(), LogisticRegression())
    ]
    committee = as_learner(Committee(members))
    assert committee.is_fitted
    assert np.array_equal(committee.X_training, X[:40])
    assert committee.y_training.tolist() == NAMES[:40].tolist()
    assert as_learner(members).is_fitted


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_the_number_of_jobs_changes_nothing(n_jobs):
    forests = [RandomForestClassifier(5, random_state=seed) for seed in range(4)]
    one = as_learner(forests).fit(X[:40], NAMES[:40])
    many = as_learner(forests, n_jobs=n_jobs).fit(X[:40], NAMES[:40])
    assert np.array_equal(one.vote_proba(X), many.vote_proba(X))
    one.teach(X[40:60], NAMES[40:60])
    many.teach(X[40:60], NAMES[40:60])
    assert np.array_equal(one.vote_proba(X), many.vote_proba(X))


def test_threads_leave_the_filters_of_warnings_as_they_were():
    committee = as_learner([GaussianNB() for _ in range(8)], n_jobs=4)
    before = list(warnings.filters)
    committee.fit(X[:20], [f"class {i % 15}" for i in range(20)])
    assert warnings.filters == before


def test_a_committee_of_one_is_refused():
    for few in ([], [GaussianNB()], (GaussianNB(),)):
        assert f"a committee needs at least two members, got {len(few)}" in refusal(as_learner, few)


def test_members_that_are_no_learners_are_refused():
    assert "a committee's members are Learners" in refusal(CommitteeLearner, [GaussianNB(), GaussianNB()])


@pytest.mark.parametrize(
    "make", [lambda: Learner(GaussianNB()), lambda: as_learner([GaussianNB(), GaussianNB()])]
)
def test_labels_that_are_encoded_already_are_learned_as_they_are(make):
    learner, expected = make(), make()
    learner.learn_codes(X[:40], y[:40], np.array(["ape", "bee", "cat", "dog"]))
    expected.fit(X[:40], NAMES[:40])
    assert learner.classes_.tolist() == ["ape", "bee", "cat", "dog"]
    assert learner.y_training.tolist() == NAMES[:40].tolist()
    assert np.array_equal(learner.predict_proba(X)[:, :3], expected.predict_proba(X))


# resampling with replacement, which modAL calls `bootstrap`


@pytest.mark.parametrize("labels", [["a", "b"], ["a"] * 9 + ["b"]])
def test_a_resample_always_has_two_classes(labels):
    """With two rows every second resample would have only one class; 40 draws catch that."""
    for _ in range(40):
        learner = Learner(GaussianNB()).fit(X[: len(labels)], labels, bootstrap=True)
        assert learner.classes_.tolist() == ["a", "b"]
        assert learner.y_training.tolist() == labels


def test_members_that_are_rebagged_learn_different_rows_and_keep_their_labels():
    """All three trees would agree everywhere only if three resamples of 40 rows were alike."""
    committee = as_learner([DecisionTreeClassifier(random_state=0) for _ in range(3)]).fit(X[:40], NAMES[:40])
    assert (committee.vote(X) == committee.vote(X)[:, :1]).all()
    committee.rebag()
    assert not (committee.vote(X) == committee.vote(X)[:, :1]).all()
    assert set(committee.predict(X)) <= set(NAMES)
    assert len(committee.y_training) == 40
