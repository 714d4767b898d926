"""Where the model is wrong, as a table: on training labels by cross-validation, or on audits."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from bootstrap.errors import InvalidInput, NotReady
from bootstrap.features import take
from bootstrap.learner import as_learner
from bootstrap.pool import Pool

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["by_cross_validation", "mistakes"]


def by_cross_validation(
    estimators: list[Any], pool: Pool, rows: NDArray[np.intp], labels: list[Any], *, folds: int, seed: int
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Class and confidence for each training row, by a model that did not see it.

    Parameters
    ----------
    estimators : list of classifier
        One, or the members of a committee; cloned for each fold.
    rows, labels : of one length n
    folds : int
        At least 2; not more than there are labels.
    seed : int
        For dealing rows into folds.

    Returns
    -------
    predicted, confidence : ndarray of shape (n,)

    Raises
    ------
    InvalidInput, NotReady
        For too few folds, or labels that can't be dealt into folds of two classes at least.
    """
    if isinstance(folds, bool) or not isinstance(folds, int) or folds < 2:
        raise InvalidInput(f"folds is a whole number of at least 2, got {folds!r}")
    truth = np.array(labels)
    counts = np.unique(truth, return_counts=True)[1] if len(truth) else np.empty(0)
    if len(counts) < 2 or np.sort(counts)[-2] < 2:
        raise NotReady(
            "cross-validation needs at least two labels of at least two classes: label on, then look again"
        )
    X = take(pool.X, rows)
    predicted, confidence = truth.copy(), np.zeros(len(truth))
    dealt = StratifiedKFold(min(folds, int(np.sort(counts)[-2])), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "The least populated class", UserWarning
        )  # rare classes are dealt too
        parts = list(dealt.split(np.zeros(len(truth)), truth))
    for train, test in parts:
        learner = as_learner(estimators if len(estimators) > 1 else estimators[0])
        learner.fit(take(X, train), truth[train])
        proba = learner.predict_proba(take(X, test))
        predicted[test] = np.asarray(learner.classes_)[proba.argmax(axis=1)]
        confidence[test] = proba.max(axis=1)
    return predicted, confidence


def mistakes(
    pool: Pool,
    rows: NDArray[np.intp],
    labels: list[Any],
    predicted: NDArray[Any],
    confidence: NDArray[np.float64],
) -> pd.DataFrame:
    """Those rows where `predicted` is not the label, the most confident first."""
    import pandas as pd

    wrong = np.flatnonzero(predicted != np.array(labels)) if labels else np.empty(0, dtype=np.intp)
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return pd.DataFrame(
        {
            "id": [pool.id(rows[i]) for i in wrong],
            "item": [pool.item(int(rows[i])) for i in wrong],
            "label": [labels[i] for i in wrong],
            "predicted": predicted[wrong],
            "confidence": confidence[wrong],
        }
    )
