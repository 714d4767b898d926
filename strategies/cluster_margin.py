"""Uncertain items from different places: the least certain ones, spread over clusters.

Both strategies first keep some ten times as many of the least certain items as are wanted, and only then look
at where they lie. That costs next to nothing beyond asking the model, whatever the size of the pool.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from strategies.clusters import clusters_of, kmeans_centres
from strategies.geometry import Metric, Points, geometry, geometry_of
from strategies.scoring import pool_scores
from strategies.selection import Picked, Rng, as_count, as_rng, n_rows, top
from strategies.uncertainty import margin_utilities

__all__ = ["cluster_margin", "weighted_kmeans"]

#: Candidates for each item wanted, where nothing else is asked for.
_CANDIDATES_EACH: Final = 10
#: Weight of an item that the model is sure of: k-means can't put a centre on one without any.
_LEAST_WEIGHT: Final = 1e-9
#: Columns up to which sparse candidates are looked at as dense ones.
_NARROW: Final = 200


def weighted_kmeans(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    representation: Any = None,
    metric: Metric = "euclidean",
    prefilter: float = _CANDIDATES_EACH,
) -> Picked:
    """Ask about the central item of each cluster of uncertain items, the uncertain ones weighing more.

    The `prefilter` times `n_instances` items of least margin are parted by k-means into as many clusters as
    items are wanted, each item weighing 1 - margin, and of each cluster the item nearest to its centre is
    picked.

    Parameters
    ----------
    learner, X, n_instances, rng
        As in :func:`strategies.margin`. `rng` seeds k-means, too.
    labeled : (X, y), optional
        Not used.
    representation : transformer, callable or array, optional
        Where distances are measured: see :func:`strategies.geometry.geometry_of`. Transformers see the
        candidates only.
    metric : "euclidean" or "cosine"
        For cosine, rows are scaled to length 1.
    prefilter : float
        Items kept by their margin for each one wanted; at least 1, which is margin sampling.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first. Utility: 1 - margin, in [0, 1]. Where rows repeat, so that fewer clusters are found
        than items wanted, the least certain of the others follow.

    Raises
    ------
    TypeError, ValueError
        If `prefilter` is no number or less than 1, or the items can't be turned into finite rows
        (:class:`strategies.geometry.NoGeometry`).

    Notes
    -----
    Paper: Zhdanov, "Diverse mini-batch active learning" (arXiv:1901.05954, 2019), Algorithm 1 with weighted
    k-means and the margin as informativeness.

    Utility: 1 - (p(top class | x) - p(second class | x)) of the item nearest to the weighted mean of its
    cluster.

    Cost: margin's, and for each iteration of k-means O(prefilter b² d) for a batch of b.

    Memory: O(n), and O(prefilter b d) for the candidates.

    Not when: the batch is a single item (margin does the same without clusters), or thousands (k-means takes
    the time); hardly anything is labeled yet, and the margin says little.
    """
    rng = as_rng(rng)
    count = min(as_count(n_instances), n_rows(X))
    n_candidates = math.ceil(_as_ratio(prefilter) * count)
    if count == 0:
        return np.empty(0, dtype=np.intp), np.empty(0)
    candidates, certainty = top(pool_scores(margin_utilities, learner, X), n_candidates, rng)
    points = geometry_of(learner, X, candidates, representation, metric)
    informativeness = 1.0 + certainty
    central = _central(points, informativeness, count, rng)
    others = np.setdiff1d(np.arange(len(candidates)), central)  # the least certain first
    chosen = np.sort(np.concatenate([central, others[: count - len(central)]]))
    return candidates[chosen], informativeness[chosen]


def cluster_margin(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    representation: Any = None,
    metric: Metric = "euclidean",
    n_candidates: int | None = None,
) -> Picked:
    """Ask about items of small margin, one of each cluster in turn, the cluster with fewest of them first.

    The `n_candidates` items of least margin are grouped by the clusters of the whole pool; those are visited
    again and again, from the smallest group to the largest, and each gives one of its items, drawn at random.
    The paper's clusters are agglomerative, which takes the square of the items; these are as many k-means
    clusters as items are wanted (at most 500), fitted on at most 20,000 items.

    Parameters
    ----------
    learner, X, n_instances, rng
        As in :func:`strategies.margin`. Chance seeds k-means, and draws within a cluster.
    labeled : (X, y), optional
        Only used with a pair of arrays as `representation`.
    representation : transformer, callable or array, optional
        Where distances are measured: see :func:`strategies.geometry.geometry`.
    metric : "euclidean" or "cosine"
        For cosine, rows are scaled to length 1.
    n_candidates : int, optional
        Items kept by their margin, 10 times `n_instances` without it; never fewer than `n_instances`.

    Returns
    -------
    indices, utilities : ndarray
        In the order picked. Utility: that of :func:`strategies.margin`.

    Raises
    ------
    TypeError, ValueError
        If `n_candidates` is no whole number or less than 1, or the items can't be turned into finite rows
        (:class:`strategies.geometry.NoGeometry`).

    Notes
    -----
    Paper: Citovsky, DeSalvo, Gentile, Karydas, Rajagopalan, Rostamizadeh & Kumar, "Batch active learning at
    scale" (NeurIPS 2021), Algorithms 1 and 2, with k-means for agglomerative clusters.

    Utility: p(second class | x) - p(top class | x), in [-1, 0], of the item picked.

    Cost: margin's, and O(m b d) for m candidates and a batch of b, and for each iteration of k-means on at
    most 20,000 items.

    Memory: O(n), and O(m d) for the candidates.

    Not when: the batch is a single item (margin is sharper); clusters have nothing to do with the classes;
    hardly anything is labeled yet, and the margin says little.
    """
    rng = as_rng(rng)
    count = min(as_count(n_instances), n_rows(X))
    wanted = _CANDIDATES_EACH * count if n_candidates is None else _as_size(n_candidates)
    if count == 0:
        return np.empty(0, dtype=np.intp), np.empty(0)
    points, _ = geometry(learner, X, labeled, representation, metric)
    utilities = pool_scores(margin_utilities, learner, X)
    candidates, certainty = top(utilities, max(count, wanted), rng)
    _, cluster = clusters_of(points, count, rng).nearest(points.only(candidates))
    chosen = _in_turn(cluster, rng)[:count]
    return candidates[chosen], certainty[chosen]


def _central(
    points: Points, weights: NDArray[np.float64], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """The row nearest to the centre of each of `count` weighted k-means clusters that is not empty.

    Rows come in order of their weight, equals in random order: the first of equally near ones is taken.
    """
    n = len(points)
    if count == n:
        return np.arange(n)
    # In float64, and dense where that is no larger: the same picks whatever form the rows come in.
    rows = points.rows.astype(np.float64, copy=False)
    points = Points(rows.toarray() if points.is_sparse and rows.shape[1] <= _NARROW else rows)
    weights = np.maximum(weights, _LEAST_WEIGHT)
    centres = kmeans_centres(points.rows, count, rng, max_iter=50, weights=weights)
    distance, cluster = points.nearest(Points(centres))
    # Rounding errors must not settle what is a tie: both items of a cluster of two, for one.
    distance = np.round(distance / max(distance.max(), np.finfo(float).tiny), 6)
    ranked = np.lexsort((distance, cluster))  # stable: of equally near ones, the least certain
    _, first = np.unique(cluster[ranked], return_index=True)
    return np.asarray(ranked[first], dtype=np.intp)


def _in_turn(cluster: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """All positions in the order of a round robin over the clusters, smallest first, chance within each.

    Clusters of one size come in random order, the same in each round.
    """
    n = len(cluster)
    size = np.bincount(cluster)
    lot = rng.permutation(len(size))
    shuffled = rng.permutation(n)
    grouped = shuffled[np.argsort(cluster[shuffled], kind="stable")]
    start = np.cumsum(size) - size
    round_of = np.empty(n, dtype=np.intp)
    round_of[grouped] = np.arange(n) - start[cluster[grouped]]
    return np.lexsort((lot[cluster], size[cluster], round_of))


def _as_ratio(prefilter: Any) -> float:
    if isinstance(prefilter, bool) or not isinstance(prefilter, int | float | np.integer | np.floating):
        raise TypeError(f"prefilter must be a number, got {prefilter!r} ({type(prefilter).__name__})")
    if not 1.0 <= prefilter < math.inf:
        raise ValueError(
            f"prefilter must be at least 1 and finite, got {prefilter}: it is the number of candidates for "
            "each item wanted"
        )
    return float(prefilter)


def _as_size(n_candidates: Any) -> int:
    if isinstance(n_candidates, bool) or not isinstance(n_candidates, int | np.integer):
        raise TypeError(
            f"n_candidates must be a whole number, got {n_candidates!r} ({type(n_candidates).__name__})"
        )
    if n_candidates < 1:
        raise ValueError(
            f"n_candidates must be at least 1, got {n_candidates}: 10 times n_instances is usual"
        )
    return int(n_candidates)
