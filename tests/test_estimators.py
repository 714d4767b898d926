"""Any classifier: probabilities from decision values, open seeds, and whether it takes missing numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest, RandomForestClassifier
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
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from bootstrap import Learner, as_learner
from bootstrap.errors import InvalidInput, NotReady
from bootstrap.estimators import seeded, takes_nan

X, y = make_blobs(90, n_features=4, centers=3, cluster_std=4.0, random_state=0)
NAMES = np.array(["ape", "bee", "cat"])[y]


def fitted(estimator=None, labels=NAMES, **options) -> Learner:
    learner = Learner(LogisticRegression() if estimator is None else estimator, **options)
    return learner.fit(X[:40], labels[:40])


def refusal(act, *args, **kwargs) -> str:
    with pytest.raises(InvalidInput) as caught:
        act(*args, **kwargs)
    return str(caught.value)


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
