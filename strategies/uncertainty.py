"""Strategies that ask where one model is least certain, and their scores on a probability matrix.

The scores are pure functions of class probabilities; the strategies only fetch those from the learner, a
block of items at a time. With one class only (nothing to be uncertain about) every utility is 0 and the
pick is random; with costs it is the cost of deciding for that class.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strategies.scoring import Score, pool_scores
from strategies.selection import Picked, Rng, as_count, as_rng, top

__all__ = [
    "cost_sensitive",
    "cost_sensitive_utilities",
    "entropy",
    "entropy_utilities",
    "least_confident",
    "least_confident_utilities",
    "margin",
    "margin_utilities",
]

#: Stands in for a probability of 0, whose logarithm then counts 0 times.
_TINY = np.finfo(np.float64).tiny


def least_confident_utilities(proba: NDArray[np.float64]) -> NDArray[np.float64]:
    """One minus the top probability, in [0, 1 - 1/classes], for `proba` of shape (n, classes)."""
    return np.asarray(1.0 - _by_class(proba).max(axis=0))


def margin_utilities(proba: NDArray[np.float64]) -> NDArray[np.float64]:
    """Second minus top probability, in [-1, 0], for `proba` of shape (n, classes)."""
    classes = _by_class(proba)
    if len(classes) < 2:
        return np.zeros(len(proba))
    first, second = np.maximum(classes[0], classes[1]), np.minimum(classes[0], classes[1])
    for other in classes[2:]:
        np.maximum(second, np.minimum(first, other), out=second)
        np.maximum(first, other, out=first)
    return np.asarray(second - first)


def entropy_utilities(proba: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shannon entropy in nats, in [0, log(classes)], for `proba` of shape (n, classes)."""
    classes = _by_class(proba)
    terms = np.maximum(classes, _TINY)
    np.log(terms, out=terms)
    terms *= classes
    return np.asarray(0.0 - terms.sum(axis=0))


def cost_sensitive_utilities(proba: NDArray[np.float64], costs: ArrayLike) -> NDArray[np.float64]:
    """Expected cost of the cheapest decision, for `proba` (n, classes) and `costs` (classes, classes).

    `costs[i, j]` is what deciding for class j costs where class i is true.

    Raises
    ------
    ValueError
        If `costs` does not fit the classes, or holds something else than finite numbers of 0 or more.
    """
    matrix = _as_costs(costs)
    if len(matrix) != proba.shape[1]:
        raise ValueError(
            f"costs has shape {matrix.shape} and the learner knows {proba.shape[1]} classes: pass a row for "
            "each true class and a column for each decision, in the order of its classes_"
        )
    return np.asarray((matrix.T @ _by_class(proba)).min(axis=0))


def least_confident(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
) -> Picked:
    """Ask where the model's top class has the least probability.

    Parameters
    ----------
    learner, X, n_instances, rng, labeled
        As in :func:`strategies.margin`.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first.

    Raises
    ------
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        As in :func:`strategies.margin`.

    Notes
    -----
    Paper: Lewis & Gale, "A sequential algorithm for training text classifiers", SIGIR 1994; for
    several classes Culotta & McCallum, "Reducing labeling effort for structured prediction tasks",
    AAAI 2005.

    Utility: 1 - max_c p(c | x), in [0, 1 - 1/classes].

    Cost: one prediction of the pool, and O(n c).

    Memory: O(n) and one block of the model's answer (about 20 MB at n = 10^6).

    Not when: classes are many (the top two say more: margin), or hardly anything is labeled yet.
    """
    return _pick(least_confident_utilities, learner, X, n_instances, rng)


def margin(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
) -> Picked:
    """Ask where the two most probable classes are closest.

    Parameters
    ----------
    learner : object
        Fitted, with `predict_proba` or only `decision_function`; see
        :func:`strategies.probabilities.class_probabilities`.
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
        Most useful first.

    Raises
    ------
    TypeError
        If the learner has neither method, or `n_instances` or `rng` is of the wrong type.
    ValueError
        If the learner's answer is not one row of numbers per item, or `n_instances` is negative.
    sklearn.exceptions.NotFittedError
        From the learner.

    Notes
    -----
    Paper: Scheffer, Decomain & Wrobel, "Active hidden Markov models for information extraction", IDA 2001.

    Utility: p(second class | x) - p(top class | x), in [-1, 0]: modAL's margin with the sign turned, so that
    larger is more useful here too.

    Cost: one prediction of the pool, and O(n c).

    Memory: O(n) and one block of the model's answer (about 20 MB at n = 10^6).

    Not when: hardly anything is labeled yet and the model is wrongly sure of whole regions, or when a large
    batch from many near duplicates would ask the same question again and again.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> model = LogisticRegression().fit([[0.0], [1.0]], ["no", "yes"])
    >>> indices, utilities = margin(model, [[0.0], [0.5], [9.0]], n_instances=2)
    >>> indices.tolist()
    [1, 0]
    """
    return _pick(margin_utilities, learner, X, n_instances, rng)


def entropy(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
) -> Picked:
    """Ask where the class probabilities are most spread out.

    Parameters
    ----------
    learner, X, n_instances, rng, labeled
        As in :func:`strategies.margin`.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first.

    Raises
    ------
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        As in :func:`strategies.margin`.

    Notes
    -----
    Paper: Settles & Craven, "An analysis of active learning strategies for sequence labeling tasks",
    EMNLP 2008.

    Utility: -sum_c p(c | x) log p(c | x) in nats, in [0, log(classes)].

    Cost: one prediction of the pool, and O(n c) logarithms.

    Memory: O(n) and one block of the model's answer (about 20 MB at n = 10^6).

    Not when: classes are many: improbable ones outweigh the two between which the decision falls.
    """
    return _pick(entropy_utilities, learner, X, n_instances, rng)


def cost_sensitive(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    costs: ArrayLike | None = None,
) -> Picked:
    """Ask where even the cheapest decision is expected to cost most.

    Parameters
    ----------
    learner, X, n_instances, rng, labeled
        As in :func:`strategies.margin`.
    costs : array-like of shape (classes, classes), optional
        `costs[i, j]`, finite and 0 or more, is what deciding for class j costs where class i is true, in any
        unit, in the order of the learner's `classes_`; usually 0 on the diagonal. Without it every mistake
        costs 1, which is :func:`strategies.least_confident`.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first.

    Raises
    ------
    ValueError
        If `costs` is no such matrix, or does not fit the learner's classes.
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        As in :func:`strategies.margin`.

    Notes
    -----
    Paper: Chen & Lin, "Active learning for multiclass cost-sensitive classification using probabilistic
    models", TAAI 2013 (maximum expected cost).

    Utility: min_j sum_i p(i | x) costs[i, j], in the unit of the costs.

    Cost: one prediction of the pool, and O(n c^2).

    Memory: O(n) and one block of the model's answer (about 20 MB at n = 10^6).

    Not when: the probabilities are far off (calibrate them first): one dear class then decides every pick.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> model = LogisticRegression().fit([[0.0], [1.0]], ["harmless", "harmful"])
    >>> model.classes_.tolist()
    ['harmful', 'harmless']
    >>> missing_harm_costs_ten = [[0, 10], [1, 0]]
    >>> indices, _ = cost_sensitive(model, [[-2.0], [0.5], [1.0]], costs=missing_harm_costs_ten)
    >>> indices.tolist()
    [0]
    """
    if costs is None:
        return _pick(least_confident_utilities, learner, X, n_instances, rng)
    return _pick(partial(cost_sensitive_utilities, costs=_as_costs(costs)), learner, X, n_instances, rng)


def _pick(score: Score, learner: Any, X: Any, n_instances: int, rng: Rng) -> Picked:
    count, chance = as_count(n_instances), as_rng(rng)  # refused before the work rather than after
    return top(pool_scores(score, learner, X), count, chance)


def _by_class(proba: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities as (classes, n): steps along the items are several times quicker than along classes."""
    return np.ascontiguousarray(proba.T)


def _as_costs(costs: ArrayLike) -> NDArray[np.float64]:
    try:
        matrix = np.asarray(costs, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"costs must be a matrix of numbers ({error})") from error
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(
            f"costs must have shape (classes, classes), got {matrix.shape}: one row for each true class, one "
            "column for each decision"
        )
    if not (np.isfinite(matrix).all() and (matrix >= 0).all()):
        raise ValueError(f"costs must be finite and 0 or more, got {matrix.min()} to {matrix.max()}")
    return matrix
