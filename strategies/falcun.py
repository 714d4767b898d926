"""FALCUN: uncertain items whose class probabilities differ, whatever the features are.

Distances are between rows of class probabilities, so that the cost does not depend on the features. Only
those items are compared in full with the last one picked that two classes do not show to be farther from it
than from what was picked before.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strategies.geometry import blocks
from strategies.probabilities import class_probabilities
from strategies.selection import Picked, Rng, as_count, as_rng, n_rows
from strategies.uncertainty import margin_utilities

__all__ = ["falcun", "falcun_relevance"]


def falcun_relevance(uncertainty: NDArray[np.float64], distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Uncertainty in [0, 1] plus the distances scaled to [0, 1], both of shape (n,).

    Distances that differ by rounding only, below 1e-12, count as equal: they add nothing.
    """
    least, most = distances.min(), distances.max()
    if most - least <= 1e-12:
        return uncertainty.copy()
    relevance: NDArray[np.float64] = distances - least
    relevance /= most - least
    relevance += uncertainty
    return relevance


def falcun(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    gamma: float = 10.0,
) -> Picked:
    """Ask about uncertain items whose class probabilities are far from those of the others picked.

    An item's distance is first its uncertainty, 1 - margin; each item picked lowers it to the sum of absolute
    differences to that one's class probabilities, where this is less. At each turn the distances of what is
    left are scaled to [0, 1] and added to the uncertainty, and an item is drawn with a probability
    proportional to that sum to the power of `gamma`. So uncertainty leads first, and diversity as the batch
    grows.

    Parameters
    ----------
    learner, X, n_instances, rng
        As in :func:`strategies.margin`; `rng` draws the items.
    labeled : (X, y), optional
        Not used.
    gamma : float
        0 or more: 0 draws uniformly, large values take the largest sum.

    Returns
    -------
    indices, utilities : ndarray
        In the order drawn. Utility: uncertainty plus scaled distance at the draw, in [0, 2].

    Raises
    ------
    TypeError, ValueError
        If `gamma` is no number, negative or infinite; if a probability is NaN.

    Notes
    -----
    Paper: Gilhuber, Beer, Ma & Seidl, "FALCUN: a simple and efficient deep active learning strategy" (ECML
    PKDD 2024), Equations 1 to 6; distances are scaled at each turn from their full values, as in the authors'
    program.

    Utility: u(i) + scaled min(u(i), L1 distance from p_i to the nearest p_j picked), where u = 1 - (p(top
    class) - p(second class)).

    Cost: O(n b c) at worst for a batch of b; near to O(n b), as two classes tell most items to be far.

    Memory: O(n c) for the probabilities.

    Not when: there are two classes (distances then repeat what the margin says), or the pool has millions of
    items and the batch thousands.
    """
    rng = as_rng(rng)
    count = min(as_count(n_instances), n_rows(X))
    gamma = _as_gamma(gamma)
    if count == 0:
        return np.empty(0, dtype=np.intp), np.empty(0)
    return _drawn(class_probabilities(learner, X), count, gamma, rng)


def _drawn(proba: NDArray[np.float64], count: int, gamma: float, rng: np.random.Generator) -> Picked:
    n = len(proba)
    uncertainty = 1.0 + margin_utilities(proba)
    if np.isnan(uncertainty).any():
        raise ValueError(
            f"the learner's probabilities are NaN for {np.isnan(uncertainty).sum()} of {n} items: look for "
            "NaN or infinity in the features"
        )
    columns = np.ascontiguousarray(proba.T)
    distances = uncertainty.copy()
    left = np.ones(n, dtype=bool)
    indices, utilities = np.empty(count, dtype=np.intp), np.empty(count)
    for turn in range(count):
        done = indices[:turn]
        if turn:
            _lower(distances, columns, int(done[-1]))
            distances[done] = distances[left.argmax()]  # so that what is picked doesn't set the scale
        relevance = falcun_relevance(uncertainty, distances)
        item = _one_of(relevance, done, gamma, rng)
        indices[turn], utilities[turn] = item, relevance[item]
        left[item] = False
    return indices, utilities


def _lower(distances: NDArray[np.float64], columns: NDArray[np.float64], item: int) -> None:
    """Lower `distances`, in place, to those to `item`; `columns` holds the probabilities, a class a row."""
    own = columns[:, item]
    likely = np.argsort(own)[-2:]
    for rows in blocks(len(distances), 64):
        part = distances[rows]
        at_least = np.abs(columns[likely[0], rows] - own[likely[0]])
        if len(likely) > 1:
            at_least += np.abs(columns[likely[1], rows] - own[likely[1]])
        near = np.flatnonzero(at_least < part)
        full = np.abs(columns[:, rows][:, near] - own[:, np.newaxis]).sum(axis=0)
        part[near] = np.minimum(part[near], full)


def _one_of(
    relevance: NDArray[np.float64], done: NDArray[np.intp], gamma: float, rng: np.random.Generator
) -> int:
    """A position that is not in `done`, with a probability proportional to its relevance to the `gamma`."""
    weights = relevance.copy()
    weights[done] = 0.0
    most = weights.max()
    if most > 0.0:
        weights /= most  # or else a large gamma would turn all of them into 0
        np.power(weights, gamma, out=weights)
    else:
        weights[:] = 1.0
    weights[done] = 0.0
    cumulative = np.cumsum(weights, out=weights)
    drawn = min(rng.random() * cumulative[-1], np.nextafter(cumulative[-1], 0.0))
    return int(np.searchsorted(cumulative, drawn, side="right"))


def _as_gamma(gamma: Any) -> float:
    if isinstance(gamma, bool) or not isinstance(gamma, int | float | np.integer | np.floating):
        raise TypeError(f"gamma must be a number, got {gamma!r} ({type(gamma).__name__})")
    if not 0.0 <= gamma < math.inf:
        raise ValueError(f"gamma must be 0 or more and finite, got {gamma}: 10 is usual, 0 draws uniformly")
    return float(gamma)
