"""Strategies that ask where one model is least certain, and their scores on a probability matrix.

The scores are pure functions of class probabilities; the strategies only fetch those from the learner.
With one class only (nothing to be uncertain about) every utility is 0 and the pick is random.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from strategies.probabilities import class_probabilities
from strategies.selection import Picked, Rng, top

__all__ = [
    "entropy",
    "entropy_utilities",
    "least_confident",
    "least_confident_utilities",
    "margin",
    "margin_utilities",
]


def least_confident_utilities(proba: NDArray[np.float64]) -> NDArray[np.float64]:
    """One minus the top probability, in [0, 1 - 1/classes], for `proba` of shape (n, classes)."""
    return np.asarray(1.0 - proba.max(axis=1))


def margin_utilities(proba: NDArray[np.float64]) -> NDArray[np.float64]:
    """Second minus top probability, in [-1, 0], for `proba` of shape (n, classes)."""
    n, n_classes = proba.shape
    if n_classes < 2:
        return np.zeros(n)
    if n_classes == 2:
        return -np.abs(proba[:, 0] - proba[:, 1])
    top_two = np.partition(proba, n_classes - 2, axis=1)[:, -2:]
    return np.asarray(top_two[:, 0] - top_two[:, 1])


def entropy_utilities(proba: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shannon entropy in nats, in [0, log(classes)], for `proba` of shape (n, classes)."""
    return np.asarray(entr(proba).sum(axis=1))


def least_confident(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
) -> Picked:
    """Ask where the model's top class has the least probability.

    Lewis & Gale, "A sequential algorithm for training text classifiers" (SIGIR 1994).

    Parameters
    ----------
    learner : object
        Fitted, with `predict_proba` or only `decision_function`; see
        :func:`strategies.probabilities.class_probabilities`, also for the errors.
    X : array, CSR, DataFrame or list
        The items to pick from, as the learner takes them.
    n_instances : int
        How many to pick.
    rng : None, int or Generator
        Breaks ties.
    labeled : (X, y), optional
        Not used.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first. Utility: one minus the top probability.
    """
    return top(least_confident_utilities(class_probabilities(learner, X)), n_instances, rng)


def margin(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
) -> Picked:
    """Ask where the two most probable classes are closest.

    Scheffer, Decomain & Wrobel, "Active hidden Markov models for information extraction" (IDA 2001).

    Parameters
    ----------
    learner, X, n_instances, rng, labeled
        As in :func:`least_confident`.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first. Utility: second minus top probability, in [-1, 0]; modAL's margin with the
        sign turned, so that larger is more useful here too.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> model = LogisticRegression().fit([[0.0], [1.0]], ["no", "yes"])
    >>> indices, utilities = margin(model, [[0.0], [0.5], [9.0]], n_instances=2)
    >>> indices.tolist()
    [1, 0]
    """
    return top(margin_utilities(class_probabilities(learner, X)), n_instances, rng)


def entropy(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
) -> Picked:
    """Ask where the class probabilities are most spread out.

    Settles & Craven, "An analysis of active learning strategies for sequence labeling tasks"
    (EMNLP 2008).

    Parameters
    ----------
    learner, X, n_instances, rng, labeled
        As in :func:`least_confident`.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first. Utility: entropy of the class probabilities in nats.
    """
    return top(entropy_utilities(class_probabilities(learner, X)), n_instances, rng)
