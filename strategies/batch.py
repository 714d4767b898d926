"""Batches that are uncertain and spread out at once: ranked batch-mode active learning."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from strategies.geometry import Metric, Points, geometry
from strategies.greedy import as_distances, greedy
from strategies.pairs import drawn, mean_over_pairs
from strategies.scoring import pool_scores
from strategies.selection import Picked, Rng, as_count, as_rng, n_rows
from strategies.uncertainty import least_confident_utilities

__all__ = ["ranked_batch", "ranked_batch_utilities"]

#: Where nothing is labeled: the mean distance to all items is computed in pools up to this size; in larger
#: ones, to so many items drawn at random.
_ALL_PAIRS: Final = 10_000
_REFERENCES: Final = 500


def ranked_batch_utilities(
    distances: NDArray[np.float64], uncertainty: NDArray[np.float64], alpha: float
) -> NDArray[np.float64]:
    """`alpha` (1 - 1 / (1 + distance)) + (1 - `alpha`) uncertainty, of shape (n,).

    Parameters
    ----------
    distances : ndarray of shape (n,)
        From each item to the nearest one that is labeled or picked.
    uncertainty : ndarray of shape (n,)
        One minus the top probability.
    alpha : float
        Share of unlabeled items, in [0, 1].
    """
    return np.asarray(alpha * (1.0 - 1.0 / (1.0 + distances)) + (1.0 - alpha) * uncertainty)


def ranked_batch(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    representation: Any = None,
    metric: Metric = "euclidean",
) -> Picked:
    """Ask where items are unlike all that is labeled or picked before, and the model is uncertain.

    Parameters
    ----------
    learner : object
        Fitted, as in :func:`strategies.margin`; need not be fitted where nothing is labeled: it is equally
        uncertain everywhere then.
    X : array, CSR, DataFrame or list
        The items to pick from.
    n_instances : int
        How many to pick.
    rng : None, int or Generator
        Decides among equals.
    labeled : (X, y), optional
        Labeled already; `learner.X_training` if that is there. Where nothing is, the first pick is the item
        with the least mean distance to all (in pools beyond 10,000, to 500 drawn at random), as in modAL.
    representation : transformer, callable or array, optional
        Where distances are measured, as in :func:`strategies.geometry.geometry`. A single array tells
        nothing of what is labeled: pass a pair of arrays to have that count.
    metric : "euclidean" or "cosine"
        Cosine distance is 1 - cosine.

    Returns
    -------
    indices, utilities : ndarray
        In the order of picking, each utility that of its own turn; 1 for a first pick with nothing labeled.

    Raises
    ------
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        From the learner, as in :func:`strategies.margin`; for items that can't be turned into finite
        numbers, one row each; for an unknown metric.

    Notes
    -----
    Paper: Cardoso, Silva, Canuto, Moro & Gonçalves, "Ranked batch-mode active learning", Information
    Sciences 379, 2017, as in modAL's `uncertainty_batch_sampling`.

    Utility: alpha (1 - s) + (1 - alpha) (1 - max_c p(c | x)), with s = 1 / (1 + distance to the nearest item
    labeled or picked) and alpha = unlabeled / (unlabeled + labeled), a pick counting as labeled.

    Cost: one prediction of the pool, and O(n d (m + b)) in matrix products for n items of d features, m
    labeled and a batch of b. Exactly the picks of scoring all items at every turn (see strategies/greedy.py).

    Memory: about 80 bytes for each item, whatever the batch.

    Not when: the pool is large and labels are few: alpha is near 1 then and uncertainty hardly counts; or
    features differ in unit (scale them).
    """
    rng = as_rng(rng)
    count = min(as_count(n_instances), n_rows(X))
    if count == 0:
        return np.empty(0, dtype=np.intp), np.empty(0)
    points, known = geometry(learner, X, labeled, representation, metric)
    uncertainty = _uncertainty(learner, X, nothing_labeled=known is None)
    first = None if known is not None else _least_mean_distance(points, metric, rng)
    start = known.rows if known is not None else points.rows[[first]]
    # A first pick counts as labeled and, as in modAL, as unlabeled too: the total is one more than the pool.
    total = len(points) + start.shape[0]

    def score(squared: Any, items: Any, turn: int) -> Any:
        alpha = (len(points) - turn) / total
        return ranked_batch_utilities(as_distances(squared, metric), uncertainty[items], alpha)

    if first is None:
        return greedy(points, start, count, rng, score)
    indices, utilities = greedy(points, start, count - 1, rng, score, taken=first)
    return np.append(first, indices).astype(np.intp), np.append(1.0, utilities)


def _uncertainty(learner: Any, X: Any, *, nothing_labeled: bool) -> NDArray[np.float64]:
    from sklearn.exceptions import NotFittedError

    try:
        return pool_scores(least_confident_utilities, learner, X)
    except NotFittedError:
        if not nothing_labeled:
            raise
        return np.ones(n_rows(X))


def _least_mean_distance(points: Points, metric: Metric, rng: np.random.Generator) -> int:
    references = drawn(points, None, rng, all_pairs=_ALL_PAIRS, otherwise=_REFERENCES)
    means = mean_over_pairs(points, references, metric=metric)
    return int(rng.choice(np.flatnonzero(means == means.min())))
