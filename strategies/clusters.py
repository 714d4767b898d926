"""k-means for the strategies that need groups of like items, quickly on any size of pool.

The centres are found on a random part of the items; to which centre each item belongs is one pass over all.
Wide sparse rows (texts) are clustered by their leading directions: k-means on the words themselves takes
four times as long and groups no better.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strategies.geometry import Points, blocks, dense

__all__ = ["Clusters", "clusters_of", "kmeans_centres", "stacked"]

#: More clusters than these are not looked for.
_MAX_CLUSTERS = 500
#: k-means is fitted on at most so many rows drawn at random, in all and for each cluster.
_FIT_ROWS = 20_000
_FIT_ROWS_EACH = 50
#: Sparse rows with more columns than twice this are projected on so many singular vectors.
_DIRECTIONS = 100


class Clusters:
    """The centres of clusters, and which of them is nearest; made by :func:`clusters_of`.

    Parameters
    ----------
    centres : Points
        A row for each.
    directions : ndarray of shape (d, p), optional
        Items are multiplied by this first.
    """

    __slots__ = ("centres", "directions")

    def __init__(self, centres: Points, directions: NDArray[Any] | None = None) -> None:
        self.centres, self.directions = centres, directions

    def __len__(self) -> int:
        return len(self.centres)

    def nearest(self, points: Points) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """(distances, numbers) of the nearest centre, each of shape (n,)."""
        if self.directions is None:
            return points.nearest(self.centres)
        distances, numbers = np.empty(len(points)), np.empty(len(points), dtype=np.intp)
        for rows in blocks(len(points), 8 * self.directions.shape[1]):
            projected = Points(dense(points.rows[rows] @ self.directions))
            distances[rows], numbers[rows] = projected.nearest(self.centres)
        return distances, numbers


def clusters_of(
    points: Points, n_clusters: int, rng: np.random.Generator, known: Points | None = None
) -> Clusters:
    """k-means clusters, fitted on at most 20,000 rows and 50 rows for each cluster.

    Parameters
    ----------
    points : Points
        n > 0 items. Of sparse ones with more than 200 columns the 100 leading singular directions count.
    n_clusters : int
        At least 1; no more than 500, and no more than there are rows, are found.
    rng : Generator
        Draws the rows, and seeds k-means.
    known : Points, optional
        Labeled items, which take part as if they stood among the others.

    Returns
    -------
    Clusters
        Rows that repeat may leave some without an item.
    """
    n = len(points)
    total = n + (0 if known is None else len(known))
    n_clusters = min(n_clusters, _MAX_CLUSTERS, total)
    n_fit = max(n_clusters, min(_FIT_ROWS, _FIT_ROWS_EACH * n_clusters, total))
    drawn = rng.choice(total, n_fit, replace=False)  # in random order: no position is favoured
    part = points.only(drawn[drawn < n])
    if known is not None:
        part = stacked(part, known.only(drawn[drawn >= n] - n))
    # In float64: the same picks whatever type of number the rows come in.
    rows, directions = part.rows.astype(np.float64, copy=False), None
    if part.is_sparse and rows.shape[1] > 2 * _DIRECTIONS:
        directions = _leading_directions(rows, rng)
        rows = rows @ directions
    rows = dense(rows)  # the same picks whatever form they come in
    return Clusters(Points(kmeans_centres(rows, n_clusters, rng, max_iter=20)), directions)


def kmeans_centres(
    rows: Any, n_clusters: int, rng: np.random.Generator, *, max_iter: int, weights: Any = None
) -> NDArray[np.float64]:
    """Centres of k-means on float64 `rows`, of which `weights` count, by one start that `rng` seeds."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    kmeans = KMeans(n_clusters, n_init=1, max_iter=max_iter, random_state=_seed(rng))
    with warnings.catch_warnings():
        # Fewer distinct rows than clusters: some clusters stay empty, which is fine here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(kmeans.fit(rows, sample_weight=weights).cluster_centers_)


def stacked(above: Points, below: Points) -> Points:
    """The rows of both, sparse if either is."""
    import scipy.sparse as sp

    if above.is_sparse or below.is_sparse:
        return Points(sp.vstack([above.rows, below.rows], format="csr"))
    return Points(np.concatenate([above.rows, below.rows]))


def _leading_directions(rows: Any, rng: np.random.Generator) -> NDArray[np.float64]:
    from sklearn.utils.extmath import randomized_svd

    _, _, directions = randomized_svd(
        rows, min(_DIRECTIONS, rows.shape[0]), n_iter=2, random_state=_seed(rng)
    )
    return np.asarray(directions.T)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))
