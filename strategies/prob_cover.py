"""Items whose neighbourhoods cover the pool: greedy maximum coverage by balls of one radius.

An item that is labeled speaks for all within `radius` of it. The radius is as large as it can be while the
balls stay pure, which is judged by clusters in the place of the unknown classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strategies.clusters import clusters_of
from strategies.geometry import Metric, Points, blocks, geometry, labeled_items
from strategies.selection import Picked, Rng, as_count, as_rng, n_rows, whole_number

__all__ = ["greedy_cover", "prob_cover", "pure_radius"]

#: So many items, drawn at random, stand for all of a larger pool.
_MOST_ITEMS = 10_000
#: So many balls are looked at for their purity.
_MOST_BALLS = 2_000
#: Columns of a block of distances.
_COLUMNS = 1_024
#: The number of clusters where no class is known.
_CLASSES = 10


def pure_radius(points: Points, cluster: NDArray[np.intp], purity: float = 0.95) -> float:
    """The largest radius at which a share `purity` of the balls holds items of one cluster only.

    A ball is pure up to the distance to the nearest item of another cluster, so this is a quantile of those.

    Parameters
    ----------
    points : Points
        n > 0 items; of more than 2,000 the balls of the first 2,000 are looked at.
    cluster : ndarray of shape (n,)
        Which cluster each is in.
    purity : float
        In (0, 1].

    Returns
    -------
    float
        Infinite where so many balls never meet another cluster.
    """
    balls = points.only(slice(min(len(points), _MOST_BALLS)))
    nearest = np.full(len(balls), np.inf)
    for rows, columns, squared in _squared_distances(balls, points):
        squared[cluster[rows, np.newaxis] == cluster[columns]] = np.inf
        np.minimum(nearest[rows], squared.min(axis=1), out=nearest[rows])
    impure = int((1.0 - purity) * len(balls) + 1e-9)  # so many may be; 1e-9 is for 0.05 * 100 = 5.000...04
    return float(np.nextafter(np.sqrt(np.partition(nearest, impure)[impure]), 0.0))


def greedy_cover(
    points: Points, radius: float, count: int, covered: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Items in turn, each the one whose ball holds the most items that no ball holds yet.

    Every item that is newly covered is taken off the counts of all balls that hold it, once: exact, at no
    more than twice the cost of counting once.

    Parameters
    ----------
    points : Points
        n items. Of equally good ones the first is picked: put them in random order.
    radius : float
        Distance up to which an item covers others; itself always, up to rounding errors.
    count : int
        At most so many; fewer once all are covered.
    covered : ndarray of shape (n,), optional
        Covered from the beginning.

    Returns
    -------
    picked, gains : ndarray
        Positions, and how many items each covers that those before don't.
    """
    is_open = np.ones(len(points), dtype=bool) if covered is None else ~covered
    gains = _counts_within(points, points.only(np.flatnonzero(is_open)), radius)
    picked: list[int] = []
    gained: list[int] = []
    while len(picked) < count:
        best = int(gains.argmax())
        if gains[best] <= 0:
            break
        picked.append(best)
        gained.append(int(gains[best]))
        distances = points.squared_distances(points.only([best]))[:, 0]
        near = np.flatnonzero(is_open & (distances <= _limit(points, radius)))
        is_open[near] = False
        gains -= _counts_within(points, points.only(near), radius)
        gains[best] = 0  # whatever rounding says at the edge of the ball
    return np.array(picked, dtype=np.intp), np.array(gained, dtype=np.intp)


def prob_cover(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    representation: Any = None,
    metric: Metric = "euclidean",
    radius: float | None = None,
    purity: float = 0.95,
    n_classes: int | None = None,
) -> Picked:
    """Pick the items whose balls of one radius cover the most of the pool that no label covers yet.

    Parameters
    ----------
    learner : object or None
        Need not be fitted: looked at for a Pipeline, its classes and what is labeled.
    X, n_instances : as in :func:`strategies.margin`
    rng : None, int or Generator
        Seeds k-means, draws the items looked at in a large pool, and breaks ties.
    labeled : (X, y), optional
        Labeled already, which cover first; `learner.X_training` if that is there. Not used with an array
        as `representation`.
    representation, metric : as in :func:`strategies.geometry.geometry`
        Where distances are measured.
    radius : float, optional
        Of the balls. Without it: the largest at which a share `purity` of the balls holds items of one
        k-means cluster only, with as many clusters as there are classes.
    purity : float
        In (0, 1].
    n_classes : int, optional
        How many clusters there are. Without it: as many as the learner's `classes_`, or as the different
        labels, at least 2; 10 where there are neither.

    Returns
    -------
    indices, utilities : ndarray
        In the order picked.

    Raises
    ------
    ValueError
        If the items can't be turned into rows of finite numbers, or an option is out of its range.
    TypeError
        If `n_classes` is no whole number.

    Notes
    -----
    Paper: Yehuda, Dekel, Hacohen & Weinshall, "Active learning through a covering lens", NeurIPS 2022,
    algorithm 1; the radius by its rule for the purity of balls.

    Utility: the share of the items looked at that the ball covers and no label or earlier pick does; once
    all are covered the rest is drawn at random, with 0.

    Cost: O(d m² + d m labeled) for m = min(n, 10,000) items: of a larger pool 10,000 drawn at random stand
    for all, both to cover and to be picked, so that time hardly grows beyond. Exact greedy on those.

    Memory: 10,000 rows of the representation; distances in blocks of a few megabytes.

    Not when: hundreds of labels are known and the model is good, or in many raw dimensions, where pure balls
    hold one item each and the pick is random: use it on an embedding.
    """
    rng = as_rng(rng)
    n = n_rows(X)
    count = min(as_count(n_instances), n)
    _check(radius, purity, n_classes)
    if count == 0:
        return np.empty(0, dtype=np.intp), np.empty(0)
    points, known = geometry(learner, X, labeled, representation, metric)
    drawn = rng.choice(n, min(n, _MOST_ITEMS), replace=False)  # in random order: ties go by that
    points, known = _around_mean(points.only(drawn), known)
    if radius is None:
        k = n_classes if n_classes is not None else _classes_known(learner, labeled)
        cluster = clusters_of(points, k, rng).nearest(points)[1]
        radius = pure_radius(points, cluster, purity)
    covered = None if known is None else _counts_within(points, known, radius) > 0
    picked, gains = greedy_cover(points, radius, count, covered)
    indices = drawn[picked]
    rest = np.setdiff1d(np.arange(n), indices, assume_unique=True)
    extra = rng.choice(rest, count - len(indices), replace=False)
    utilities = np.concatenate([gains / len(drawn), np.zeros(len(extra))])
    return np.concatenate([indices, extra]).astype(np.intp, copy=False), utilities


def _check(radius: Any, purity: Any, n_classes: Any) -> None:
    if radius is not None and not radius > 0:
        raise ValueError(f"radius must be a distance above 0, or None to estimate it, got {radius!r}")
    if not 0 < purity <= 1:
        raise ValueError(f"purity must be a share in (0, 1], got {purity!r}")
    if n_classes is not None:
        whole_number("n_classes", n_classes, least=2)


def _classes_known(learner: Any, labeled: tuple[Any, Any] | None) -> int:
    """How many classes the learner or the labels know; 10 where neither does."""
    found = getattr(learner, "classes_", None)
    if found is None:
        found = getattr(getattr(learner, "estimator", None), "classes_", None)
    if found is None:
        labels = labeled_items(learner, labeled)[1]
        found = None if labels is None else np.unique(labels)
    return _CLASSES if found is None else max(len(found), 2)


def _around_mean(points: Points, known: Points | None) -> tuple[Points, Points | None]:
    """The same distances with less to round, in float64; sparse rows where they are."""
    if points.is_sparse:
        wide = Points(points.rows.astype(np.float64, copy=False))
        return wide, known
    mean = points.rows.mean(axis=0, dtype=np.float64)
    return Points(points.rows - mean), None if known is None else Points(known.rows - mean)


def _counts_within(points: Points, others: Points, radius: float) -> NDArray[np.intp]:
    """How many of `others` are within `radius` of each point; shape (n,)."""
    counts = np.zeros(len(points), dtype=np.intp)
    limit = _limit(points, radius)
    for rows, _, squared in _squared_distances(points, others):
        # _COLUMNS fits uint16, and bytes are summed quicker than flags.
        counts[rows] += np.add.reduce((squared <= limit).view(np.uint8), axis=1, dtype=np.uint16)
    return counts


def _limit(points: Points, radius: float) -> Any:
    """The squared radius, and what rounding may add to the squared distance of equal rows."""
    longest = points.squared_lengths.max()
    return radius * radius + 8.0 * np.finfo(points.squared_lengths.dtype).eps * longest


def _squared_distances(points: Points, others: Points) -> Iterator[tuple[slice, slice, NDArray[Any]]]:
    """(rows of `points`, rows of `others`, squared distances) a block at a time."""
    for start in range(0, len(others), _COLUMNS):
        columns = slice(start, min(start + _COLUMNS, len(others)))
        part = others.only(columns)
        for rows in blocks(len(points), 8 * _COLUMNS):
            yield rows, columns, points.only(rows).squared_distances(part)
