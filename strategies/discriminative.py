"""Ask about what least resembles the labeled items, as a classifier of labeled against unlabeled sees it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strategies.clusters import stacked
from strategies.geometry import Points, blocks, geometry
from strategies.selection import Picked, Rng, as_count, as_rng, n_rows, top, whole_number

__all__ = ["discriminative", "unlabeled_log_odds"]

#: So many unlabeled, and so many labeled items, drawn at random, are what the classifier is fitted on.
_FIT_ROWS = 5_000
#: Of the squared weights, against the mean loss of an item.
_PENALTY = 0.01
#: Sparse rows with more columns are words of texts.
_WIDE = 200


def unlabeled_log_odds(points: Points, known: Points, of: Points) -> NDArray[np.float64]:
    """Log-odds that each of `of` is unlabeled, both kinds weighted equally, by logistic regression.

    Parameters
    ----------
    points, known : Points
        Unlabeled and labeled items to fit on, at least one each. Columns are scaled to variance 1, but for
        those of sparse rows with more than 200.
    of : Points
        n items.

    Returns
    -------
    ndarray of shape (n,)
        Finite; larger is more surely unlabeled.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    both = stacked(points, known)
    # Words have one unit, and scaling the rare ones up takes the solver thousands of steps.
    words = both.is_sparse and both.rows.shape[1] > _WIDE
    scaler = StandardScaler(with_mean=not both.is_sparse, with_std=not words)
    # A penalty that doesn't fade as rows are added: the two kinds can be separable, and often are.
    penalty = _PENALTY * len(both)
    tol = 1e-4 if words else 1e-8
    model = LogisticRegression(C=1.0 / penalty, class_weight="balanced", tol=tol, max_iter=500)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # what is reached by then will do
        model.fit(
            scaler.fit_transform(both.rows.astype(np.float64, copy=False)), np.arange(len(both)) < len(points)
        )
    # Scaling goes into the weights, so that no scaled copy of the pool is made.
    weights = model.coef_[0] if words else model.coef_[0] / scaler.scale_
    offset = float(model.intercept_[0]) - (0.0 if both.is_sparse else float(scaler.mean_ @ weights))
    log_odds = np.empty(len(of))
    for part in blocks(len(of), 8 * of.rows.shape[1]):
        log_odds[part] = of.rows[part] @ weights + offset
    return np.round(log_odds, 9)  # rounding errors must not settle what is a tie


def discriminative(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    representation: Any = None,
    n_sub_batches: int = 10,
) -> Picked:
    """Ask about the items that a classifier of labeled against unlabeled most surely calls unlabeled.

    Parameters
    ----------
    learner : object or None
        Need not be fitted: looked at for a Pipeline and for what is labeled, as in
        :func:`strategies.geometry.geometry`.
    X, n_instances : as in :func:`strategies.margin`
    rng : None, int or Generator
        Draws what the classifier is fitted on, and breaks ties.
    labeled : (X, y), optional
        Labeled already; `learner.X_training` if that is there. Not used with an array as `representation`.
    representation : as in :func:`strategies.geometry.geometry`
        The features of that classifier. It is linear: an embedding suits it best.
    n_sub_batches : int
        In so many parts is the batch picked; the items of each count as labeled for the next.

    Returns
    -------
    indices, utilities : ndarray
        In the order picked.

    Raises
    ------
    ValueError
        If the items can't be turned into rows of finite numbers, or `n_sub_batches` is below 1.
    TypeError
        If `n_sub_batches` is no whole number.

    Notes
    -----
    Paper: Gissin & Shalev-Shwartz, "Discriminative active learning", arXiv 1907.06347, 2019, algorithm 1.

    Utility: the log-odds of "unlabeled" by a balanced logistic regression, in the item's own sub-batch; 0 in
    the first one, drawn at random, where nothing is labeled yet.

    Cost: O(n d) and one fit for each of 10 sub-batches, on at most 5,000 unlabeled and 5,000 labeled items
    drawn at random.

    Memory: O(n), and copies of the rows fitted on.

    Not when: the pool holds outliers (a linear classifier calls those unlabeled first), or when the batch is
    smaller than a sub-batch's worth of fits pays.
    """
    rng = as_rng(rng)
    n = n_rows(X)
    count = min(as_count(n_instances), n)
    n_sub_batches = whole_number("n_sub_batches", n_sub_batches)
    if count == 0:
        return np.empty(0, dtype=np.intp), np.empty(0)
    points, known = geometry(learner, X, labeled, representation)
    left = np.arange(n)
    indices, utilities = np.empty(0, dtype=np.intp), np.empty(0)
    for part in np.array_split(np.arange(count), min(n_sub_batches, count)):
        values = _log_odds(points, known, indices, left, rng)
        best, value = top(values[left], len(part), rng)
        indices = np.concatenate([indices, left[best]])
        utilities = np.concatenate([utilities, value])
        left = np.delete(left, best)
    return indices, utilities


def _log_odds(
    points: Points,
    known: Points | None,
    picked: NDArray[np.intp],
    left: NDArray[np.intp],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """For every item: `picked` count as labeled, `left` are the unlabeled ones; 0 without any labeled."""
    n_known = 0 if known is None else len(known)
    n_labeled = n_known + len(picked)
    if n_labeled == 0:
        return np.zeros(len(points))
    unlabeled = points.only(rng.choice(left, min(_FIT_ROWS, len(left)), replace=False))
    drawn = rng.choice(n_labeled, min(_FIT_ROWS, n_labeled), replace=False)
    seen = points.only(picked[drawn[drawn >= n_known] - n_known])
    if known is not None:
        seen = stacked(known.only(drawn[drawn < n_known]), seen)
    return unlabeled_log_odds(unlabeled, seen, points)
