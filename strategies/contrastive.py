"""Ask where the model says something else than it says of the most alike labeled items."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from strategies.geometry import Metric, Points, blocks, geometry, labeled_items
from strategies.probabilities import class_probabilities
from strategies.selection import Picked, Rng, as_count, as_rng, n_rows, top, whole_number

__all__ = ["contrastive", "mean_divergence", "nearest_labeled"]

#: A probability of 0 counts as this: no divergence is infinite.
_LEAST = np.finfo(np.float64).tiny


def nearest_labeled(points: Points, known: Points, n_neighbors: int) -> NDArray[np.intp]:
    """Positions in `known` of each point's nearest, in no order; shape (n, min(n_neighbors, m))."""
    k = min(n_neighbors, len(known))
    nearest = np.empty((len(points), k), dtype=np.intp)
    known = _wide(known)
    for rows in blocks(len(points), 16 * len(known)):  # the distances and their order
        squared = _wide(points.only(rows)).squared_distances(known)
        nearest[rows] = np.argpartition(squared, k - 1, axis=1)[:, :k]
    return nearest


def mean_divergence(
    proba: NDArray[np.float64], known_proba: NDArray[np.float64], nearest: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Mean KL divergence (nats) of the neighbours' predictions from that of each item.

    Parameters
    ----------
    proba : ndarray of shape (n, classes)
        Predictions for the items; 0 counts as 2e-308.
    known_proba : ndarray of shape (m, classes)
        Predictions for what is labeled.
    nearest : ndarray of int, shape (n, k)
        Each item's neighbours, as positions in `known_proba`.

    Returns
    -------
    ndarray of shape (n,)
        Mean over the neighbours q of sum_c q_c log(q_c / p_c), 0 or more.
    """
    minus_entropy = -entr(known_proba).sum(axis=1)
    divergence = np.empty(len(proba))
    for rows in blocks(len(proba), 24 * proba.shape[1]):
        # The mean of q log p over neighbours is (the mean of q) log p: nothing of size items x k x classes.
        mean = np.zeros((rows.stop - rows.start, proba.shape[1]))
        for column in nearest[rows].T:
            mean += known_proba[column]
        mean /= nearest.shape[1]
        cross_entropy = -np.einsum("ij,ij->i", mean, np.log(np.maximum(proba[rows], _LEAST)))
        divergence[rows] = minus_entropy[nearest[rows]].mean(axis=1) + cross_entropy
    return np.maximum(divergence, 0.0)


def contrastive(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    representation: Any = None,
    metric: Metric = "euclidean",
    n_neighbors: int = 10,
) -> Picked:
    """Ask where the model's prediction differs most from its predictions for the nearest labeled items.

    Parameters
    ----------
    learner, X, n_instances, rng : as in :func:`strategies.margin`
    labeled : (X, y), optional
        Labeled already; without it `learner.X_training`. There has to be something.
    representation, metric : as in :func:`strategies.geometry.geometry`
        Where neighbours are looked for. An array has to be a pair here, the second for what is labeled.
    n_neighbors : int
        How many labeled neighbours count; all, if there are no more.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first.

    Raises
    ------
    ValueError
        If nothing is labeled, or its features are unknown; if the items can't be turned into rows of finite
        numbers; if `n_neighbors` is below 1.
    TypeError
        If `n_neighbors` is no whole number.

    Notes
    -----
    Paper: Margatina, Vernikos, Barrault & Aletras, "Active learning by acquiring contrastive examples",
    EMNLP 2021, algorithm 1.

    Utility: the mean of KL(q || p) in nats, p the prediction for the item, q those for its 10 nearest
    labeled items; a probability of 0 counts as 2e-308.

    Cost: O(n labeled d), and the prediction for all.

    Memory: n x (classes + neighbours); distances in blocks of a few megabytes.

    Not when: nothing or little is labeled (an error, and noise), or for a smooth model on the same features,
    which rarely contradicts itself nearby.
    """
    rng = as_rng(rng)
    count, n = as_count(n_instances), n_rows(X)
    n_neighbors = whole_number("n_neighbors", n_neighbors)
    if n == 0 or count == 0:
        return np.empty(0, dtype=np.intp), np.empty(0)
    known_X, _ = labeled_items(learner, labeled)
    if known_X is None:
        raise ValueError(
            "contrastive compares with labeled items and there are none: pass labeled=(X, y), or pick the "
            "first batch with cold_start, typiclust or random_sampling"
        )
    points, known = geometry(learner, X, labeled, representation, metric)
    if known is None:
        raise ValueError(
            "representation has rows for X only, and contrastive needs the labeled items' too: pass a pair "
            "of arrays (for X, for what is labeled), a transformer or a function"
        )
    nearest = nearest_labeled(points, known, n_neighbors)
    known_proba = class_probabilities(learner, known_X)
    utilities = mean_divergence(class_probabilities(learner, X), known_proba, nearest)
    return top(np.round(utilities, 12), count, rng)  # rounding errors must not settle what is a tie


def _wide(points: Points) -> Points:
    """In float64: what is near depends on no type of number."""
    if points.squared_lengths.dtype == np.float64:
        return points
    return Points(points.rows.astype(np.float64))
