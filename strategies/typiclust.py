"""Typical items of clusters without labels: the strategy for the first few labels, when no model is any good.

k-means over the pool and what is labeled finds a group for each label and each item wanted; the groups
that nothing is known about are asked first, the largest first, each through its most typical item.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strategies.clusters import clusters_of
from strategies.geometry import Metric, Points, geometry
from strategies.selection import Picked, Rng, as_count, as_rng, n_rows, whole_number

__all__ = ["typicality", "typiclust"]

#: So many items of a cluster, drawn at random, compete for being its most typical one.
_MOST_MEMBERS = 500
#: Closer on average than this counts as this: typicality stays finite where rows repeat.
_LEAST_DISTANCE = 1e-12


def typicality(points: Points, n_neighbors: int = 20) -> NDArray[np.float64]:
    """One over the mean distance to the nearest of the other items.

    Parameters
    ----------
    points : Points
        m items; takes an m x m array.
    n_neighbors : int
        How many neighbours count; all others, if there are no more.

    Returns
    -------
    ndarray of shape (m,)
        Larger is more typical, at most 1e12 (for rows that repeat); 0 for an item alone.
    """
    m = len(points)
    if m < 2:
        return np.zeros(m)
    if not points.is_sparse:
        rows = points.rows.astype(np.float64, copy=False)
        points = Points(rows - rows.mean(axis=0))  # less to round
    squared = points.squared_distances(points)
    np.fill_diagonal(squared, np.inf)
    if n_neighbors < m - 1:
        squared = np.partition(squared, n_neighbors - 1, axis=1)[:, :n_neighbors]
    else:
        squared = np.sort(squared, axis=1)[:, :-1]
    return np.asarray(1.0 / np.maximum(np.sqrt(squared).mean(axis=1), _LEAST_DISTANCE))


def typiclust(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    representation: Any = None,
    metric: Metric = "euclidean",
    n_neighbors: int = 20,
) -> Picked:
    """Pick the most typical item of each of the largest clusters that hold no label yet.

    Parameters
    ----------
    learner : object or None
        Need not be fitted: looked at for a Pipeline and for what is labeled, as in
        :func:`strategies.geometry.geometry`.
    X, n_instances : as in :func:`strategies.margin`
    rng : None, int or Generator
        Seeds k-means, draws what is looked at in large clusters, and breaks ties.
    labeled : (X, y), optional
        Labeled already; `learner.X_training` if that is there. Not used with an array as `representation`.
    representation, metric : as in :func:`strategies.geometry.geometry`
        Where distances are measured: scale features that differ in unit, for instance with
        `representation=StandardScaler()`.
    n_neighbors : int
        How many neighbours of an item, inside its cluster, make its typicality.

    Returns
    -------
    indices, utilities : ndarray
        In the order picked.

    Raises
    ------
    ValueError
        If the items can't be turned into rows of finite numbers, or `n_neighbors` is below 1.
    TypeError
        If `n_neighbors` is no whole number.

    Notes
    -----
    Paper: Hacohen, Dekel & Weinshall, "Active learning on a budget: opposite strategies suit high and low
    budgets", ICML 2022, algorithm 1.

    Utility: typicality, one over the mean distance to the min(20, cluster size) nearest in the cluster;
    0 for an item alone. Each in turn is from the largest of the clusters with the fewest labels and picks.

    Cost: O(k d n + b m² d) for k = min(labeled + b, 500) clusters, m = 500: of a larger cluster 500 items
    drawn at random compete. k-means is fitted on at most 50 k and 20,000 rows drawn at random; for sparse
    rows of more than 200 columns on their 100 leading singular directions.

    Memory: O(n + k d); distances of at most 500 x 500 at a time.

    Not when: hundreds of labels are known and the model is good: it never looks at the model. Nor where
    distance means little: features of differing units, or high dimensions without an embedding.
    """
    rng = as_rng(rng)
    count = min(as_count(n_instances), n_rows(X))
    n_neighbors = whole_number("n_neighbors", n_neighbors)
    if count == 0:
        return np.empty(0, dtype=np.intp), np.empty(0)
    points, known = geometry(learner, X, labeled, representation, metric)
    n_known = 0 if known is None else len(known)
    clusters = clusters_of(points, n_known + count, rng, known)
    cluster = clusters.nearest(points)[1]
    n_labels = np.zeros(len(clusters), dtype=np.intp)
    if known is not None:
        n_labels += np.bincount(clusters.nearest(known)[1], minlength=len(clusters))
    return _in_turn(points, cluster, n_labels, count, n_neighbors, rng)


def _in_turn(
    points: Points,
    cluster: NDArray[np.intp],
    n_labels: NDArray[np.intp],
    count: int,
    n_neighbors: int,
    rng: np.random.Generator,
) -> Picked:
    """`count` items, each from the cluster with the fewest labels and picks, the largest of those."""
    grouped = np.argsort(cluster, kind="stable")
    sizes = np.bincount(cluster, minlength=len(n_labels))
    ends = np.cumsum(sizes)
    lots = rng.permutation(len(sizes))
    queue = [(int(n_labels[c]), -int(sizes[c]), int(lots[c]), int(c)) for c in np.flatnonzero(sizes)]
    heapq.heapify(queue)
    members: dict[int, Iterator[tuple[int, float]]] = {}
    picked, utilities = np.empty(count, dtype=np.intp), np.empty(count)
    for turn in range(count):
        labels, negative_size, lot, c = queue[0]
        if c not in members:
            members[c] = _most_typical_first(points, grouped[ends[c] - sizes[c] : ends[c]], n_neighbors, rng)
        picked[turn], utilities[turn] = next(members[c])
        if negative_size == -1:
            heapq.heappop(queue)
        else:
            heapq.heapreplace(queue, (labels + 1, negative_size + 1, lot, c))
    return picked, utilities


def _most_typical_first(
    points: Points, members: NDArray[np.intp], n_neighbors: int, rng: np.random.Generator
) -> Iterator[tuple[int, float]]:
    """The items of a cluster with their typicality; those beyond what is looked at come last, with 0."""
    members = rng.permutation(members)
    values = np.zeros(len(members))
    values[:_MOST_MEMBERS] = typicality(points.only(members[:_MOST_MEMBERS]), n_neighbors)
    order = np.argsort(-_rounded(values), kind="stable")
    yield from zip(members[order].tolist(), values[order].tolist(), strict=True)


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Six digits of each: rounding errors must not settle what is a tie."""
    mantissa, exponent = np.frexp(values)
    return np.asarray(np.ldexp(np.round(mantissa, 6), exponent))
