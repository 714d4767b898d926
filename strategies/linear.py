"""The probabilities of a plain logistic regression, several times quicker than its own `predict_proba`.

The pool is where the time goes, and logistic regression is what most pools are scored with. Here product,
shift, exponential and sum are done on a block of items while it is in the core's cache, one class a row, so
that every step runs along items. Whatever is not exactly understood is left to scikit-learn.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from strategies.geometry import blocks

__all__ = ["linear_probabilities"]

#: Solvers that fit one softmax over all classes in every release that is supported.
_SOFTMAX_SOLVERS: Final = ("lbfgs", "newton-cg", "sag", "saga")


def linear_probabilities(model: Any, X: Any) -> NDArray[np.float64] | None:
    """What `model.predict_proba(X)` gives, within rounding (1e-12), or None where that has to be called.

    Parameters
    ----------
    model : object
        Answered for: a fitted `sklearn.linear_model.LogisticRegression` itself (no subclass) in double
        precision, fitted as one softmax and on columns without names.
    X : object
        Answered for: an array (n, d) of float32 or float64 that fits the model and holds finite numbers.

    Returns
    -------
    ndarray of shape (n, classes), or None
        In Fortran order: each class is contiguous.
    """
    if not (_is_softmax(model) and _fits(model, X)):
        return None
    weights, intercepts = model.coef_, model.intercept_[:, np.newaxis]
    if len(weights) == 1:  # of two classes the first has decision value 0
        weights, intercepts = (np.vstack([np.zeros_like(part), part]) for part in (weights, intercepts))
    proba = np.empty((len(weights), len(X)))
    for rows in blocks(len(X), 8 * sum(weights.shape)):
        with np.errstate(invalid="ignore", over="ignore"):  # looked for right below
            part = weights @ X[rows].T
            part += intercepts
            part -= part.max(axis=0)
            np.exp(part, out=part)
            totals = part.sum(axis=0)
        if not np.isfinite(totals.sum()):
            return None  # NaN or infinity among the features: scikit-learn says where
        np.divide(part, totals, out=proba[:, rows])
    return proba.T


def _is_softmax(model: Any) -> bool:
    from sklearn.linear_model import LogisticRegression

    if type(model) is not LogisticRegression or not hasattr(model, "coef_"):
        return False
    own = vars(model)
    n_weights = 1 if len(model.classes_) == 2 else len(model.classes_)
    return (
        model.solver in _SOFTMAX_SOLVERS
        and own.get("multi_class", "auto") in ("auto", "deprecated")  # gone in scikit-learn 1.8
        and not own.keys() & {"predict_proba", "decision_function", "feature_names_in_"}
        and isinstance(model.coef_, np.ndarray)  # sparsify() makes it CSR
        and model.coef_.dtype == np.float64
        and len(model.coef_) == n_weights
        and np.shape(model.intercept_) == (n_weights,)
    )


def _fits(model: Any, X: Any) -> bool:
    return (
        type(X) in (np.ndarray, np.memmap)  # matrices and masked arrays have ideas of their own
        and X.ndim == 2
        and X.dtype in (np.float32, np.float64)
        and X.shape[1] == model.coef_.shape[1]
    )
