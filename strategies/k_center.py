"""The items that leave no other far away: greedy k-center, also known as core-set selection."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategies.geometry import Metric, geometry
from strategies.greedy import as_distances, central_item, greedy
from strategies.selection import Picked, Rng, as_count, as_rng, n_rows

__all__ = ["k_center"]


def k_center(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    representation: Any = None,
    metric: Metric = "euclidean",
) -> Picked:
    """Pick the item farthest from all that is labeled or picked, one after the other.

    Parameters
    ----------
    learner : object or None
        Looked at for a Pipeline and for `X_training` only; need not be fitted.
    X : array, CSR, DataFrame or list
        The items to pick from.
    n_instances : int
        How many to pick.
    rng : None, int or Generator
        Decides among items equally far.
    labeled : (X, y), optional
        Labeled already; `learner.X_training` if that is there. Where nothing is, the first pick is the item
        nearest to the mean of all.
    representation : transformer, callable or array, optional
        Where distances are measured, as in :func:`strategies.geometry.geometry`. A single array tells
        nothing of what is labeled: pass a pair of arrays to have that count.
    metric : "euclidean" or "cosine"
        Cosine distance is 1 - cosine.

    Returns
    -------
    indices, utilities : ndarray
        In the order of picking, utilities never increasing.

    Raises
    ------
    ValueError
        If the items can't be turned into finite numbers, one row each; for an unknown metric.

    Notes
    -----
    Paper: Sener & Savarese, "Active learning for convolutional neural networks: a core-set approach", ICLR
    2018, algorithm 1; Gonzalez, "Clustering to minimize the maximum intercluster distance", Theoretical
    Computer Science 38, 1985.

    Utility: min over j labeled or picked before of distance(x, x_j); of a first pick with nothing labeled,
    the distance from it to the item farthest away.

    Cost: O(n d (m + b)) in matrix products for n items of d features, m labeled and a batch of b. Exactly
    the picks of the plain greedy, mostly in one to three passes over the pool (see strategies/greedy.py).

    Memory: about 40 bytes for each item, whatever the batch.

    Not when: the pool has outliers or mislabeled junk, which are picked first; features differ in unit
    (scale them); or a good model exists, whose uncertainty this does not look at.
    """
    rng = as_rng(rng)
    count = min(as_count(n_instances), n_rows(X))
    if count == 0:
        return np.empty(0, dtype=np.intp), np.empty(0)
    points, known = geometry(learner, X, labeled, representation, metric)

    def score(squared: Any, items: Any, turn: int) -> Any:
        return as_distances(squared, metric)

    if known is not None:
        return greedy(points, known.rows, count, rng, score)
    first = central_item(points, rng)
    more = min(max(count - 1, 1), len(points) - 1)  # one more than asked for tells the first's utility
    start = points.rows[first : first + 1]
    indices, utilities = greedy(points, start, more, rng, score, taken=first)
    utility = utilities[0] if more else 0.0
    return np.append(first, indices)[:count].astype(np.intp), np.append(utility, utilities)[:count]
