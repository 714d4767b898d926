"""Class probabilities and votes from every kind of learner."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from modAL.models import ActiveLearner, Committee
from scipy.special import expit, softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_blobs
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from strategies.probabilities import class_probabilities, squash, vote_probabilities

X, y = make_blobs(60, n_features=4, centers=3, cluster_std=4.0, random_state=0)
NAMES = np.array(["ape", "bee", "cat"])[y]
TEXTS = ["good film", "bad film", "good book", "bad book", "dull", "fine"]
SENTIMENT = ["+", "-", "+", "-", "-", "+"]


# one model


def test_probabilities_are_the_learners_own():
    model = LogisticRegression().fit(X, y)
    assert np.array_equal(class_probabilities(model, X), model.predict_proba(X))


def test_binary_decisions_go_through_the_logistic_function():
    model = LinearSVC().fit(X, y == 1)
    proba = class_probabilities(model, X)
    assert np.allclose(proba[:, 1], expit(model.decision_function(X)), rtol=0, atol=1e-6)
    assert np.array_equal(proba.argmax(axis=1), model.predict(X))


def test_decisions_of_several_classes_go_through_softmax():
    model = RidgeClassifier().fit(X, NAMES)
    assert np.allclose(class_probabilities(model, X), softmax(model.decision_function(X), axis=1))


def test_gaps_up_to_fifteen_are_taken_as_they_are():
    decisions = np.array([[0.0, -3.0, 7.0], [2.0, -13.0, 1.0]])
    assert np.allclose(squash(decisions), softmax(decisions, axis=1), rtol=1e-12, atol=0)
    assert np.allclose(squash([14.0, -15.0])[:, 1], expit([14.0, -15.0]), rtol=1e-12, atol=0)


def test_one_column_of_decisions_is_binary():
    assert np.array_equal(squash([[0.3], [-2.0]]), squash([0.3, -2.0]))


def test_huge_decisions_keep_their_order():
    decisions = np.concatenate(
        [np.linspace(0.1, 14, 50), np.linspace(16, 60, 50), np.geomspace(100, 1e6, 50)]
    )
    top_probability = squash(decisions)[:, 1]
    assert (np.diff(top_probability) > 0).all()
    assert np.allclose(squash(-decisions)[:, 0], top_probability, rtol=1e-12)


def test_decisions_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="decision values hold NaN or infinity"):
        squash([0.0, np.inf])


def test_one_versus_one_decisions_are_refused():
    blobs, labels = make_blobs(40, centers=4, random_state=0)
    model = SVC(decision_function_shape="ovo").fit(blobs, labels)
    with pytest.raises(ValueError, match=r'SVC gives 6 decision values for 4 classes: set .*"ovr"'):
        class_probabilities(model, blobs)


def test_a_modal_learner_around_a_model_without_probabilities_works():
    model = LinearSVC().fit(X, y)
    learner = ActiveLearner(LinearSVC(), X_training=X, y_training=y)
    assert np.allclose(class_probabilities(learner, X), class_probabilities(model, X))


def test_a_modal_learner_with_probabilities_of_its_own_is_believed():
    class Squashing(ActiveLearner):
        def predict_proba(self, X):
            return np.full((len(X), 3), 1 / 3)

    learner = Squashing(LinearSVC(), X_training=X, y_training=y)
    assert (class_probabilities(learner, X) == 1 / 3).all()


def test_an_error_inside_predict_proba_is_not_swallowed():
    class Broken(LogisticRegression):
        def predict_proba(self, X):
            return X.no_such_attribute

    with pytest.raises(AttributeError, match="no_such_attribute"):
        class_probabilities(Broken().fit(X, y), X)
    with pytest.raises(AttributeError, match="no_such_attribute"):
        class_probabilities(ActiveLearner(Broken(), X_training=X, y_training=y), X)


@pytest.mark.parametrize("model", [LogisticRegression(), LinearSVC(), ActiveLearner(LogisticRegression())])
def test_an_unfitted_model_says_so(model):
    with pytest.raises(NotFittedError):
        class_probabilities(model, X)


def test_an_unfitted_wrapper_around_a_fitted_model_says_so():
    inner = FrozenEstimator(LinearSVC().fit(X, y))
    with pytest.raises(NotFittedError, match="CalibratedClassifierCV instance is not fitted"):
        class_probabilities(CalibratedClassifierCV(inner), X)


@pytest.mark.parametrize("learner", [None, [LogisticRegression()], VotingClassifier([], voting="hard")])
def test_a_learner_without_any_probabilities_is_refused(learner):
    with pytest.raises(TypeError, match="neither predict_proba nor decision_function"):
        class_probabilities(learner, X)


def test_a_learner_with_several_outputs_is_refused():
    model = DecisionTreeClassifier().fit(X, np.column_stack([y == 0, y == 1]))
    with pytest.raises(ValueError, match=r"shape \(2, 60, 2\) for 60 items"):
        class_probabilities(model, X)


def test_too_few_rows_of_probabilities_are_refused():
    class Short:
        def predict_proba(self, X):
            return np.ones((len(X) - 1, 2)) / 2

    with pytest.raises(ValueError, match=r"shape \(59, 2\) for 60 items"):
        class_probabilities(Short(), X)


def test_an_empty_pool_asks_no_model():
    assert class_probabilities(LogisticRegression(), X[:0]).shape == (0, 1)
    assert class_probabilities(LogisticRegression(), []).shape == (0, 1)


def test_a_committee_counts_as_one_model_by_its_mean_texts_included():
    members = [
        ActiveLearner(make_pipeline(CountVectorizer(), LogisticRegression(C=c)).fit(TEXTS, SENTIMENT))
        for c in (0.1, 10.0)
    ]
    mean = np.mean([member.estimator.predict_proba(TEXTS) for member in members], axis=0)
    assert np.allclose(class_probabilities(Committee(members), TEXTS), mean)


# several models


def test_votes_of_a_modal_committee_are_its_own():
    members = [ActiveLearner(GaussianNB(), X_training=X[i::3], y_training=y[i::3]) for i in range(3)]
    committee = Committee(members)
    assert np.array_equal(vote_probabilities(committee, X), committee.vote_proba(X))


def test_a_list_gives_the_votes_of_a_modal_committee():
    seen = [y != 0, y != 1, y >= 0]  # members know different classes
    models = [GaussianNB().fit(X[rows], NAMES[rows]) for rows in seen]
    committee = Committee([ActiveLearner(model) for model in models])
    assert np.array_equal(vote_probabilities(models, X), committee.vote_proba(X))
    assert np.array_equal(vote_probabilities(tuple(models), X), committee.vote_proba(X))


def test_a_class_that_a_member_never_saw_has_probability_zero_in_its_vote():
    models = [GaussianNB().fit(X[y > 0], NAMES[y > 0]), DummyClassifier().fit(X[y == 0], NAMES[y == 0])]
    votes = vote_probabilities(models, X)
    assert votes.shape == (60, 2, 3)
    assert np.array_equal(votes[:, 0, 1:], models[0].predict_proba(X))
    assert (votes[:, 0, 0] == 0).all()
    assert (votes[:, 1] == [1, 0, 0]).all()


def test_members_without_probabilities_vote_by_their_decisions():
    models = [LinearSVC(C=c).fit(X, y) for c in (0.1, 1.0)]
    expected = np.stack([softmax(model.decision_function(X), axis=1) for model in models], axis=1)
    assert np.allclose(vote_probabilities(models, X), expected, atol=1e-6)
    committee = Committee([ActiveLearner(model) for model in models])
    assert np.allclose(vote_probabilities(committee, X), expected, atol=1e-6)


def test_an_error_inside_vote_proba_is_not_swallowed():
    class Voting:
        def vote_proba(self, X):
            return X.no_such_attribute

    with pytest.raises(AttributeError, match="no_such_attribute"):
        vote_probabilities(Voting(), X)


@pytest.mark.parametrize(
    "ensemble",
    [
        RandomForestClassifier(5, random_state=0),
        BaggingClassifier(DecisionTreeClassifier(), 5, random_state=0),
        AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=5, random_state=0),
        StackingClassifier([("nb", GaussianNB()), ("tree", DecisionTreeClassifier(max_depth=3))], cv=2),
        VotingClassifier(
            [("nb", GaussianNB()), ("tree", DecisionTreeClassifier(max_depth=3))], voting="hard"
        ),
    ],
    ids=lambda e: type(e).__name__,
)
@pytest.mark.parametrize("labels", [y, NAMES, y + 1, y == 0], ids=["codes", "texts", "from one", "bools"])
def test_members_of_an_ensemble_vote_in_its_order_of_classes(ensemble, labels):
    model = ensemble.fit(X, labels)
    votes = vote_probabilities(model, X)

    assert votes.shape == (60, len(model.estimators_), len(model.classes_))
    assert np.allclose(votes.sum(axis=2), 1.0)
    for i, member in enumerate(model.estimators_):
        # AdaBoost shows its members the labels themselves, the others show codes.
        predicted = member.predict(X)
        if not isinstance(model, AdaBoostClassifier):
            predicted = model.classes_[predicted.astype(int)]
        assert np.array_equal(model.classes_[votes[:, i].argmax(axis=1)], predicted)


def test_the_mean_vote_of_a_forest_is_its_probability():
    model = RandomForestClassifier(7, max_depth=2, random_state=0).fit(X, NAMES)
    assert np.allclose(vote_probabilities(model, X).mean(axis=1), model.predict_proba(X))


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix, pd.DataFrame])
def test_bagged_members_see_their_own_features(kind):
    bagging = BaggingClassifier(LogisticRegression(), 6, max_features=2, random_state=0)
    model = bagging.fit(kind(X), NAMES)
    votes = vote_probabilities(model, kind(X))
    assert np.allclose(votes.mean(axis=1), model.predict_proba(kind(X)))


def test_bagged_members_that_missed_a_class_are_aligned():
    few = np.array([0, 1, 2, 3, 4, 5])
    labels = np.array(["b", "b", "b", "c", "c", "a"])
    model = BaggingClassifier(KNeighborsClassifier(1), 10, random_state=0).fit(X[few], labels)
    assert any(len(member.classes_) < 3 for member in model.estimators_)
    assert np.allclose(vote_probabilities(model, X).mean(axis=1), model.predict_proba(X))


def test_members_of_a_voting_ensemble_get_the_table_with_its_names():
    table = pd.DataFrame(X, columns=list("abcd"))
    voting = VotingClassifier(
        [("scaled", make_pipeline(StandardScaler(), GaussianNB())), ("plain", GaussianNB())], voting="soft"
    ).fit(table, NAMES)
    assert np.allclose(vote_probabilities(voting, table).mean(axis=1), voting.predict_proba(table))


def test_an_ensemble_is_found_in_a_pipeline_in_a_modal_learner():
    pipeline = make_pipeline(CountVectorizer(), RandomForestClassifier(4, random_state=0))
    learner = ActiveLearner(pipeline.fit(TEXTS, SENTIMENT))
    assert np.allclose(vote_probabilities(learner, TEXTS).mean(axis=1), pipeline.predict_proba(TEXTS))


@pytest.mark.parametrize(
    "single",
    [
        LogisticRegression().fit(X, y),
        ActiveLearner(GaussianNB(), X_training=X, y_training=y),
        make_pipeline(StandardScaler(), GaussianNB()).fit(X, y),
        GradientBoostingClassifier(n_estimators=2).fit(X, y),
        OneVsRestClassifier(GaussianNB()).fit(X, y),
        None,
    ],
    ids=lambda model: type(model).__name__,
)
def test_one_model_is_no_committee(single):
    with pytest.raises(
        TypeError, match="one model can't disagree with itself: pass a modAL Committee, a list"
    ):
        vote_probabilities(single, X)


@pytest.mark.parametrize(
    "unfitted",
    [
        RandomForestClassifier(),
        ActiveLearner(BaggingClassifier()),
        VotingClassifier([("nb", GaussianNB())]),
        [GaussianNB().fit(X, y), GaussianNB()],
        Committee([ActiveLearner(GaussianNB()), ActiveLearner(GaussianNB())]),
        make_pipeline(StandardScaler(), RandomForestClassifier()),
    ],
    ids=lambda learner: type(learner).__name__,
)
def test_an_unfitted_committee_says_so(unfitted):
    with pytest.raises(NotFittedError, match=r"(?i)\bfit(ted)?\b"):
        vote_probabilities(unfitted, X)


def test_the_unfitted_member_is_named():
    with pytest.raises(NotFittedError, match=r"member 1 of the committee \(GaussianNB\)"):
        vote_probabilities([GaussianNB().fit(X, y), GaussianNB()], X)


def test_an_empty_committee_is_refused():
    with pytest.raises(ValueError, match="the committee has no members"):
        vote_probabilities([], X)


def test_a_member_whose_output_does_not_fit_its_classes_is_refused():
    class Wide(GaussianNB):
        def predict_proba(self, X):
            return np.ones((len(X), 4)) / 4

    with pytest.raises(ValueError, match="member 1 of the committee knows 3 classes but gives 4"):
        vote_probabilities([GaussianNB().fit(X, y), Wide().fit(X, y)], X)


def test_subclasses_of_modals_classes_work_where_modals_own_methods_do_not():
    class MyLearner(ActiveLearner):
        pass

    class MyCommittee(Committee):
        pass

    model = LinearSVC().fit(X, y)
    assert np.allclose(class_probabilities(MyLearner(model), X), class_probabilities(model, X))
    text_models = [make_pipeline(CountVectorizer(), LogisticRegression(C=c)) for c in (0.1, 10.0)]
    members = [MyLearner(model.fit(TEXTS, SENTIMENT)) for model in text_models]
    expected = np.stack([model.predict_proba(TEXTS) for model in text_models], axis=1)
    assert np.allclose(vote_probabilities(MyCommittee(members), TEXTS), expected)


def test_a_vote_proba_of_ones_own_is_believed():
    class Certain(Committee):
        def vote_proba(self, X):
            return np.full((len(X), 2, 3), 1 / 3)

    members = [ActiveLearner(GaussianNB(), X_training=X, y_training=y) for _ in range(2)]
    assert (vote_probabilities(Certain(members), X) == 1 / 3).all()


def test_votes_of_pairs_are_refused_even_where_there_are_as_many_pairs_as_classes():
    pairs = SVC(kernel="linear", decision_function_shape="ovo").fit(X, y)
    assert pairs.decision_function(X).shape[1] == len(pairs.classes_) == 3
    for model in (pairs, make_pipeline(StandardScaler(), pairs).fit(X, y)):
        with pytest.raises(ValueError, match='decision_function_shape="ovr"'):
            class_probabilities(model, X)
