"""The quick probabilities of logistic regression against its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from modAL.models import ActiveLearner
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression, SGDClassifier

import strategies
from strategies.linear import linear_probabilities
from strategies.probabilities import class_probabilities

X, y = make_blobs(9000, n_features=6, centers=5, cluster_std=4.0, random_state=0)
X /= 5
FEW = slice(0, 200)


def fitted(model=None, labels=y):
    return (LogisticRegression() if model is None else model).fit(X[FEW], labels[FEW])


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e3])
@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        LogisticRegression(solver="newton-cg"),
        LogisticRegression(fit_intercept=False),
    ],
    ids=["lbfgs", "newton-cg", "no intercept"],
)
def test_they_are_its_own_within_rounding(model, n_classes, scale):
    model = fitted(model, y % n_classes)
    quick = linear_probabilities(model, scale * X)
    assert quick is not None
    assert quick.shape == (9000, n_classes)
    assert np.allclose(quick, model.predict_proba(scale * X), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["margin", "least_confident", "entropy"])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_utilities_are_those_of_its_own_probabilities(name, n_classes):
    model = fitted(labels=y % n_classes)
    score = getattr(strategies.uncertainty, f"{name}_utilities")
    expected = score(model.predict_proba(X))
    for learner in (model, ActiveLearner(model)):
        indices, utilities = getattr(strategies, name)(learner, X, n_instances=len(X), rng=0)
        assert np.allclose(utilities, expected[indices], rtol=0, atol=1e-12)


def test_a_modal_learner_around_it_is_as_quick(monkeypatch):
    model = fitted()
    expected = model.predict_proba(X)
    monkeypatch.setattr(LogisticRegression, "predict_proba", None)
    assert np.allclose(class_probabilities(model, X), expected, rtol=0, atol=1e-12)
    assert np.allclose(class_probabilities(ActiveLearner(model), X), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [np.asfortranarray, np.float32, lambda X: X[::2], lambda X: X[:1]])
def test_any_array_of_floats_will_do(kind):
    model, pool = fitted(), kind(X)
    quick = linear_probabilities(model, pool)
    assert quick is not None
    assert np.allclose(quick, model.predict_proba(pool), rtol=0, atol=1e-12)


def test_an_array_on_disk_will_do(tmp_path):
    np.save(tmp_path / "pool.npy", X)
    on_disk = np.load(tmp_path / "pool.npy", mmap_mode="r")
    quick = linear_probabilities(fitted(), on_disk)
    assert quick is not None
    assert np.array_equal(quick, linear_probabilities(fitted(), X))


class Warmer(LogisticRegression):
    def predict_proba(self, X):
        return np.sqrt(super().predict_proba(X))


def changed(**attributes):
    model = fitted()
    for name, value in attributes.items():
        setattr(model, name, value)
    return model


@pytest.mark.parametrize(
    "model",
    [
        fitted(Warmer()),
        fitted(SGDClassifier(loss="log_loss")),
        fitted(LogisticRegression(solver="liblinear"), y % 2),
        changed(multi_class="ovr"),
        changed(multi_class="multinomial"),
        changed(predict_proba=lambda X: np.ones((len(X), 1))),
        changed(decision_function=lambda X: np.ones((len(X), 5))),
        changed(feature_names_in_=np.array(list("abcdef"), dtype=object)),
        changed(coef_=fitted().coef_.astype(np.float32)),
        changed(coef_=fitted().coef_[:3]),
        changed(intercept_=0.0),
        fitted().sparsify(),
        LogisticRegression(),
        None,
    ],
)
def test_other_models_are_left_to_themselves(model):
    assert linear_probabilities(model, X) is None


@pytest.mark.parametrize(
    "pool",
    [
        sp.csr_matrix(X),
        pd.DataFrame(X),
        X.tolist(),
        X.astype(int),
        X.astype(object),
        X[0],
        X[:, :5],
        np.ma.masked_array(X),
    ],
    ids=["CSR", "table", "list", "whole numbers", "objects", "one row", "too few columns", "masked"],
)
def test_other_pools_are_left_to_scikit_learn(pool):
    assert linear_probabilities(fitted(), pool) is None


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 8999])
@pytest.mark.parametrize("strategy", [strategies.margin, strategies.least_confident, strategies.entropy])
def test_features_that_are_not_finite_are_refused_by_scikit_learn(strategy, row, bad, n_classes):
    pool = X.copy()
    pool[row, 2] = bad
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        strategy(fitted(labels=y % n_classes), pool)


def test_too_few_columns_are_refused_by_scikit_learn():
    with pytest.raises(ValueError, match="X has 5 features, but LogisticRegression is expecting 6"):
        strategies.margin(fitted(), X[:, :5])


def test_decisions_beyond_all_numbers_are_left_to_scikit_learn():
    model = changed(coef_=np.where(fitted().coef_ > 0, 1e308, -1e308))
    assert linear_probabilities(model, 100 * X) is None
