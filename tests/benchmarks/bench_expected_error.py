"""Expected error reduction beside a loop of refits, modAL's and scikit-activeml's; and how well it ranks."""

from __future__ import annotations

import importlib
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from strategies.expected_error import expected_error
from strategies.uncertainty import entropy_utilities

N, BATCH = 500, 100


def utilities_by_refits(
    model: Any, X: NDArray[np.float64], labeled: tuple[NDArray[np.float64], NDArray[Any]]
) -> NDArray[np.float64]:
    """One fit for each item and label, as modAL does them, and nothing besides."""
    proba, utilities = model.predict_proba(X), np.zeros(len(X))
    for i in range(len(X)):
        rows = np.vstack([labeled[0], X[i : i + 1]])
        others = np.delete(X, i, axis=0)
        for c, label in enumerate(model.classes_):
            refit = clone(model).fit(rows, np.append(labeled[1], label))
            utilities[i] -= proba[i, c] * entropy_utilities(refit.predict_proba(others)).mean()
    return utilities


def in_pool_order(answer: tuple[NDArray[np.intp], NDArray[np.float64]]) -> NDArray[np.float64]:
    utilities = np.empty(len(answer[0]))
    utilities[answer[0]] = answer[1]
    return utilities


def test_expected_error_for_500_items_beside_a_loop_of_5000_refits(
    task: Callable[[int], Any], beside: Any
) -> None:
    of = task(N)
    ours, theirs = beside(
        lambda: expected_error(of.model, of.X, BATCH, rng=0, labeled=of.labeled),
        lambda: utilities_by_refits(of.model, of.X, of.labeled),
        peer_name="a loop of refits",
        times_quicker=25,
        megabytes=100,
    )
    best = np.argsort(-theirs)[:BATCH]
    assert len(np.intersect1d(ours[0], best)) >= 0.9 * BATCH


def test_expected_error_for_500_items_beside_modal(
    task: Callable[[int], Any], beside: Any, monkeypatch: Any
) -> None:
    """modAL's own, given back the alias that numpy 1.24 removed."""
    from modAL.models import ActiveLearner

    monkeypatch.setattr(np, "float", float, raising=False)
    monkeypatch.delitem(sys.modules, "modAL.expected_error", raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # it compares strings with `is`
        modal = importlib.import_module("modAL.expected_error")
    of = task(N)
    learner = ActiveLearner(clone(of.model), X_training=of.labeled[0], y_training=of.labeled[1])
    ours, _ = beside(
        lambda: expected_error(learner, of.X, BATCH, rng=0),
        lambda: modal.expected_error_reduction(learner, of.X, loss="log", n_instances=BATCH),
        times_quicker=25,
    )
    assert len(ours[0]) == BATCH


def test_expected_error_for_500_items_beside_scikit_activeml(task: Callable[[int], Any], beside: Any) -> None:
    pool = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is an optional peer")
    classifier = pytest.importorskip("skactiveml.classifier").SklearnClassifier
    of = task(N)
    X = np.concatenate([of.labeled[0], of.X])
    y = np.concatenate([of.labeled[1], np.full(len(of.X), np.nan)])
    theirs = classifier(LogisticRegression(max_iter=1000), classes=np.arange(10))
    beside(
        lambda: expected_error(of.model, of.X, BATCH, rng=0, labeled=of.labeled),
        lambda: pool.MonteCarloEER(method="log_loss", random_state=0).query(
            X, y, clf=theirs, fit_clf=True, ignore_partial_fit=True, batch_size=BATCH
        ),
        peer_name="scikit-activeml",
        times_quicker=25,
    )


@pytest.mark.parametrize("load", [load_digits, load_breast_cancer, load_wine])
def test_expected_error_ranks_as_refits_to_convergence_do(load: Any, capsys: Any) -> None:
    """scikit-learn's default `tol` is shown beside: how far its refits are from converged ones."""
    X, y = load(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    order = np.random.default_rng(0).permutation(len(y))
    m, n = (100, 60) if len(np.unique(y)) == 10 else (80, 98)
    labeled, pool = (X[order[:m]], y[order[:m]]), X[order[m : m + n]]
    converged = LogisticRegression(solver="newton-cg", tol=1e-7, max_iter=1000).fit(*labeled)
    truth = utilities_by_refits(converged, pool, labeled)
    loose = utilities_by_refits(LogisticRegression(max_iter=1000).fit(*labeled), pool, labeled)
    began = time.process_time()
    found = in_pool_order(expected_error(converged, pool, n, rng=0, labeled=labeled))
    seconds = time.process_time() - began
    rank, default = spearmanr(found, truth).statistic, spearmanr(loose, truth).statistic
    with capsys.disabled():
        print(
            f"\nexpected_error on {load.__name__[5:]}: Spearman {rank:.4f} with converged refits (refits "
            f"with scikit-learn's default tol: {default:.4f}), {seconds:.2f} s",
            end=" ",
        )
    assert rank >= 0.99
