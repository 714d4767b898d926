"""Any classifier as a modAL learner that works on current scikit-learn and numpy."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from modAL.density import information_density
from modAL.disagreement import consensus_entropy_sampling, max_disagreement_sampling, vote_entropy_sampling
from modAL.models import ActiveLearner, Committee
from modAL.uncertainty import entropy_sampling, margin_sampling, uncertainty_sampling
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_blobs
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Perceptron,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from bootstrap import Learner, as_learner, strategies
from bootstrap.errors import InvalidInput, NotReady
from bootstrap.estimators import seeded, takes_nan
from bootstrap.learner import CommitteeLearner, members_of
from bootstrap.records import SKIP

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
LABELS = {
    "strings": NAMES,
    "integers": y,
    "bools": y > 0,
    "other integers": y * 10 - 5,
    "floats": y.astype(float),
}


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


# what modAL can't do on current scikit-learn


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


# labels


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


# estimators


@pytest.mark.parametrize(
    "estimator",
    [
        LinearSVC(),
        SVC(),
        RidgeClassifier(),
        Perceptron(),
        SGDClassifier(random_state=0),
        make_pipeline(StandardScaler(), LinearSVC()),
        CalibratedClassifierCV(LinearSVC()),
        RandomForestClassifier(5, random_state=0),
        KNeighborsClassifier(),
    ],
    ids=lambda e: type(e[-1] if isinstance(e, Pipeline) else e).__name__,
)
@pytest.mark.parametrize("labels", [NAMES, NAMES > "b"], ids=["three classes", "two classes"])
def test_an_estimator_with_either_method_gives_probabilities_and_its_own_predictions(estimator, labels):
    learner = fitted(estimator, labels)
    proba = learner.predict_proba(X)
    assert proba.shape == (90, len(set(labels.tolist())))
    assert (proba >= 0).all()
    assert np.allclose(proba.sum(axis=1), 1)
    assert np.mean(learner.predict(X) == clone(estimator).fit(X[:40], labels[:40]).predict(X)) > 0.97


def test_decision_values_become_logistic_or_softmax_probabilities():
    binary = fitted(LinearSVC(), NAMES > "b")
    assert np.allclose(binary.predict_proba(X)[:, 1], expit(binary.estimator.decision_function(X)))
    several = fitted(LinearSVC())
    assert np.allclose(several.predict_proba(X), softmax(several.estimator.decision_function(X), axis=1))


def test_an_unseen_class_has_probability_zero_for_decision_values_too():
    learner = Learner(LinearSVC(), classes=["ape", "dog", "bee"]).fit(X[y < 2], NAMES[y < 2])
    proba = learner.predict_proba(X)
    assert not proba[:, 1].any()
    assert np.allclose(proba.sum(axis=1), 1)


@pytest.mark.parametrize(
    "wrap", [lambda e: e, lambda e: make_pipeline(StandardScaler(), e)], ids=["bare", "pipeline"]
)
def test_decision_values_of_pairs_of_classes_are_refused_even_where_there_are_three(wrap):
    learner = fitted(wrap(SVC(decision_function_shape="ovo")))
    message = refusal(learner.predict_proba, X)
    assert "gives 3 decision values for 3 classes" in message
    assert 'set decision_function_shape="ovr"' in message
    two = fitted(wrap(SVC(decision_function_shape="ovo")), NAMES > "b")
    assert two.predict_proba(X).shape == (90, 2)


class TooManyValues(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        return np.zeros((len(X), 5))


class NotFinite(TooManyValues):
    def decision_function(self, X):
        return np.full((len(X), 3), np.nan)


def test_decision_values_that_are_not_finite_are_refused():
    assert "decision values hold NaN or infinity" in refusal(fitted(NotFinite()).predict_proba, X)


def test_decision_values_that_are_not_one_per_class_are_refused():
    assert "gives 5 decision values for 3 classes" in refusal(fitted(TooManyValues()).predict_proba, X)


class Undeclared(BaseEstimator):
    """A classifier that does not say it is one."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def test_a_classifier_that_does_not_say_so_is_taken():
    assert fitted(Undeclared()).predict_proba(X).shape == (90, 3)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (LogisticRegression, "LogisticRegression is a class; pass an object: LogisticRegression()"),
        ("logistic", "str is not a scikit-learn estimator: pass a classifier or a Pipeline"),
        (None, "NoneType is not a scikit-learn estimator"),
        (lambda X: X, "function is not a scikit-learn estimator"),
        (LinearRegression(), "LinearRegression is not a classifier (scikit-learn calls it regressor)"),
        (GaussianProcessRegressor(), "GaussianProcessRegressor is not a classifier"),
        (IsolationForest(), "IsolationForest is not a classifier (scikit-learn calls it outlier_detector)"),
        (GaussianMixture(), "GaussianMixture is not a classifier"),
        (KMeans(), "KMeans is not a classifier (scikit-learn calls it clusterer)"),
        (make_pipeline(StandardScaler(), LinearRegression()), "Pipeline is not a classifier"),
        (
            StandardScaler(),
            "StandardScaler is not a classifier: it has neither predict_proba nor decision_function",
        ),
        (BaseEstimator(), "BaseEstimator is not a scikit-learn estimator"),
    ],
    ids=str,
)
def test_what_is_no_classifier_is_refused(wrong, message):
    for act in (Learner, as_learner, lambda e: as_learner([GaussianNB(), e])):
        assert message in refusal(act, wrong)


def test_a_classifier_without_both_methods_is_refused_with_the_cure():
    class PredictsOnly(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            return self

    message = refusal(as_learner, PredictsOnly())
    assert "PredictsOnly has neither predict_proba nor decision_function" in message
    assert "wrap it in CalibratedClassifierCV" in message


def test_every_way_of_asking_before_fitting_says_what_is_missing():
    for learner in (Learner(GaussianNB()), as_learner([GaussianNB(), GaussianNB()])):
        asking = [
            learner.predict_proba,
            learner.predict,
            learner.query,
            lambda X, each=learner: each.score(X, y),
        ]
        for ask in asking:
            with pytest.raises(
                NotReady, match="not fitted yet: teach it labels of at least two classes first"
            ):
                ask(X)
    with pytest.raises(NotReady):
        as_learner([GaussianNB(), GaussianNB()]).vote(X)


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


# what can be made a learner


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


# before fitting: seeds and missing values


def test_only_open_seeds_are_set():
    estimator = make_pipeline(
        StandardScaler(), CalibratedClassifierCV(RandomForestClassifier(random_state=3), method="sigmoid")
    )
    assert seeded(estimator, 7).get_params()["calibratedclassifiercv__estimator__random_state"] == 3
    assert seeded(RandomForestClassifier(), 7).random_state == 7
    nested = seeded(make_pipeline(StandardScaler(), CalibratedClassifierCV(SGDClassifier())), 7)
    assert nested.get_params()["calibratedclassifiercv__estimator__random_state"] == 7
    assert seeded(RandomForestClassifier(random_state=0), 7).random_state == 0
    assert seeded(GaussianNB(), 7).get_params() == GaussianNB().get_params()


def test_seeding_leaves_the_users_estimator_alone():
    mine = RandomForestClassifier()
    assert seeded(mine, 7) is not mine
    assert mine.random_state is None


class NoTags:
    """A transformer that says nothing about itself."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (LogisticRegression(), False),
        (HistGradientBoostingClassifier(), True),
        (make_pipeline(SimpleImputer(), LogisticRegression()), True),
        (make_pipeline(StandardScaler(), LogisticRegression()), False),
        (make_pipeline(StandardScaler(), SimpleImputer(), LogisticRegression()), True),
        (make_pipeline(StandardScaler(), HistGradientBoostingClassifier()), True),
        (Pipeline([("nothing", "passthrough"), ("model", HistGradientBoostingClassifier())]), True),
        (Pipeline([("nothing", None), ("model", LogisticRegression())]), False),
        (Pipeline([("own", NoTags()), ("model", HistGradientBoostingClassifier())]), False),
        (Pipeline([("scaler", StandardScaler()), ("nothing", "passthrough")]), False),
        ([HistGradientBoostingClassifier(), LogisticRegression()], False),
        ([HistGradientBoostingClassifier(), HistGradientBoostingClassifier()], True),
    ],
    ids=str,
)
def test_missing_values_are_fine_where_the_first_steps_take_them_and_pass_none_on(estimator, expected):
    assert takes_nan(estimator) is expected


def test_a_scaler_that_passes_missing_values_on_does_not_make_them_fine():
    learner = as_learner(make_pipeline(StandardScaler(), LogisticRegression()))
    assert "X has NaN" in refusal(learner.fit, [[1.0], [np.nan], [2.0]], ["a", "b", "a"])
