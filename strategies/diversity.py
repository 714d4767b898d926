"""The first batch, when there is no model to ask yet: items that are diverse and representative.

k-means on a representation of the items finds as many groups as there are items wanted; the most
central item of each group is picked, largest group first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from strategies.clusters import clusters_of
from strategies.geometry import NoGeometry, Points, geometry
from strategies.selection import Picked, Rng, as_count, as_rng, n_rows, top

__all__ = ["cold_start"]

#: Labeled items beyond these are not looked at.
_MAX_LABELED = 100


def cold_start(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    representation: Any = None,
) -> Picked:
    """Pick a first batch without any model: the most central item of each k-means cluster.

    Distances are Euclidean in the representation: scale features that differ in unit, for instance
    with `representation=StandardScaler()`. What is asked for beyond 500 clusters, or beyond the number of
    distinct items, is drawn at random.

    Parameters
    ----------
    learner : object or None
        Need not be fitted. Only looked at for a Pipeline (its own, its `estimator`'s, or the first
        member's), whose transformers are cloned and fitted on `X` without labels.
    X : array, CSR, DataFrame or list
        The items to pick from.
    n_instances : int
        How many to pick.
    rng : None, int or Generator
        Seeds k-means, and breaks ties.
    labeled : (X, y), optional
        Labeled already; `learner.X_training` if that is there. Clusters that hold one of (the first
        100 of) these come last. Not used with an array as `representation`.
    representation : transformer, callable or array, optional
        Where distances are measured. A fitted transformer is used as it is, an unfitted one is cloned
        and fitted on `X`; a callable gets `X`; an array (n, d) or CSR is aligned with `X`. Without it:
        the output of the learner's transformers, or else `X` itself where it is numeric and finite.
        **Where neither works (texts without a Pipeline, for one) the pick is random.**

    Returns
    -------
    indices, utilities : ndarray
        Most useful first. Utility: the share of the items that the picked one stands for (in (0, 1]);
        0 for items of clusters with labels, and for items drawn at random.

    Raises
    ------
    ValueError
        If `representation` gives no finite numbers, or not one row per item.

    Notes
    -----
    Paper: Kang, Ryu & Kwon, "Using cluster-based sampling to select initial training set for active learning
    in text classification", PAKDD 2004.

    Utility: the share of the items that are in the cluster, as far as it holds no label; 0 for the rest.

    Cost: O(k d n) for k = min(b + labeled, 500) clusters, of labeled items at most 100; k-means is fitted on
    at most 50 k and 20,000 rows drawn at random.

    Memory: O(n + k d).

    Not when: labels are known: `typiclust` goes on from there, and a good model knows more.
    """
    rng = as_rng(rng)
    n = n_rows(X)
    count = min(as_count(n_instances), n)
    found = _found_geometry(learner, X, labeled, representation) if 0 < count < n else None
    if found is None:
        return top(np.zeros(n), count, rng)
    central, share = _central_items(*found, count, rng)
    picked, utilities = top(share, count, rng)
    indices = central[picked]
    rest = np.setdiff1d(np.arange(n), indices, assume_unique=True)
    extra = rng.choice(rest, count - len(indices), replace=False)
    return np.concatenate([indices, extra]), np.concatenate([utilities, np.zeros(len(extra))])


def _central_items(
    points: Points, known: Points | None, count: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The item nearest to the centre of each cluster, and the share of all items in that cluster.

    `known` holds labeled points or is None; clusters that are nearest to one have share 0.
    """
    n = len(points)
    n_known = 0 if known is None else len(known)
    clusters = clusters_of(points, count + n_known, rng)
    distance, cluster = clusters.nearest(points)
    # Rounding errors must not settle what is a tie: both items of a cluster of two, for one.
    distance = np.round(distance / max(distance.max(), np.finfo(float).tiny), 6)
    order = rng.permutation(n)
    ranked = order[np.lexsort((distance[order], cluster[order]))]
    found, first, size = np.unique(cluster[ranked], return_index=True, return_counts=True)
    share = size / n
    if known is not None:
        share[np.isin(found, clusters.nearest(known)[1])] = 0.0
    return ranked[first], share


def _found_geometry(
    learner: Any, X: Any, labeled: tuple[Any, Any] | None, representation: Any
) -> tuple[Points, Points | None] | None:
    """Rows for `X` and the first of what is labeled (None if nothing is); None where no way is known."""
    try:
        points, known = geometry(learner, X, labeled, representation)
    except NoGeometry:
        if representation is not None:
            raise
        return None
    return points, None if known is None else known.only(slice(_MAX_LABELED))
