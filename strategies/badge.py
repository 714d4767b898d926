"""BADGE: batches of items whose loss gradients are long and unlike each other.

The gradient of the last layer is an outer product of two short vectors, prediction error and input, so
lengths and inner products of gradients are products of theirs: nothing of size items × features × classes is
made. Drawing by distance to what is drawn already (k-means++) works by rejection from distances that may be
out of date: they only fall, so that an old one is a bound, and one pass over the pool serves a batch.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from strategies.geometry import Points, blocks, dense, geometry
from strategies.probabilities import class_probabilities
from strategies.selection import Picked, Rng, as_count, as_rng, n_rows

__all__ = ["Gradients", "badge", "prediction_errors"]

#: Proposals that are compared at a time with what is drawn already.
_PROPOSALS: Final = 128
#: Proposals after which old distances are brought up to date: at least so many, and a share of the items.
_PATIENCE: Final = 512
_PATIENCE_SHARE: Final = 1 / 16


class Gradients:
    """Gradients of the loss with respect to a last, linear layer, kept as two factors each.

    Parameters
    ----------
    errors : ndarray of shape (n, classes)
        As from :func:`prediction_errors`.
    inputs : Points
        What the last layer sees of the same n items, d numbers each.

    Attributes
    ----------
    squared_lengths : ndarray of shape (n,)
    """

    __slots__ = ("errors", "inputs", "squared_lengths")

    def __init__(self, errors: NDArray[np.float64], inputs: Points) -> None:
        self.errors, self.inputs = errors, inputs
        self.squared_lengths: NDArray[np.float64] = np.einsum("ij,ij->i", errors, errors)
        with np.errstate(over="ignore", invalid="ignore"):
            self.squared_lengths *= inputs.squared_lengths

    def __len__(self) -> int:
        return len(self.errors)

    def only(self, index: Any) -> Gradients:
        """Some of them: a slice or an array of positions."""
        part = object.__new__(Gradients)
        part.errors, part.inputs = self.errors[index], self.inputs.only(index)
        part.squared_lengths = self.squared_lengths[index]
        return part

    def squared_distances(self, others: Gradients) -> NDArray[np.float64]:
        """Squared distances of shape (n, m) to `others`; exactly 0 where they are nothing but rounding."""
        products = dense(self.inputs.rows @ others.inputs.rows.T) * (self.errors @ others.errors.T)
        products *= -2.0
        lengths = self.squared_lengths[:, np.newaxis] + others.squared_lengths
        products += lengths
        lengths *= 64.0 * np.finfo(self.inputs.rows.dtype).eps
        products[products <= lengths] = 0.0
        return np.asarray(products)

    def lower(self, bounds: NDArray[np.float64], others: Gradients) -> None:
        """Lower each of n `bounds`, in place, to the squared distance to the nearest of `others`."""
        for rows in blocks(len(self), 32 * len(others)):
            nearest = self.only(rows).squared_distances(others).min(axis=1)
            np.minimum(bounds[rows], nearest, out=bounds[rows])


def badge(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    representation: Any = None,
) -> Picked:
    """Ask about items whose loss gradients are long (uncertain) and far from each other (diverse).

    The gradient of an item is that of the log loss, at the predicted class as if it were the label, with
    respect to a last linear layer: (probabilities - one-hot of the predicted class) ⊗ input. The first item
    is the one with the longest gradient, as in the authors' program (the paper's listing of k-means++ draws
    it uniformly, which would make batches of one random); each further one is drawn with a probability
    proportional to its squared distance to the nearest gradient picked so far.

    Parameters
    ----------
    learner, X, n_instances, rng
        As in :func:`strategies.margin`; for a committee, the mean of its members. Chance draws all but
        the first item.
    labeled : (X, y), optional
        Only used with a pair of arrays as `representation`.
    representation : transformer, callable or array, optional
        The input of the last layer, n rows: see :func:`strategies.geometry.geometry`. Without it: what
        the learner's classifier sees, the fitted transformers of its Pipeline applied. For a network,
        pass its last hidden layer.

    Returns
    -------
    indices, utilities : ndarray
        In the order drawn. Utility: the squared distance to the nearest gradient picked before, at the
        draw; for the first item, its squared length. 0 for items drawn uniformly, where all gradients
        left are zero or equal to picked ones.

    Raises
    ------
    ValueError
        If the items can't be turned into finite rows (:class:`strategies.geometry.NoGeometry`), or are so
        large that their squares overflow.

    Notes
    -----
    Paper: Ash, Zhang, Krishnamurthy, Langford & Agarwal, "Deep batch active learning by diverse, uncertain
    gradient lower bounds" (ICLR 2020), Algorithm 1.

    Utility: D²(i) = min over the picked j of sum((g_i - g_j)²), where g_i = (p_i - onehot(argmax p_i)) ⊗ x_i;
    for the first item sum(g_i²).

    Cost: O(n (d + c)), once, and O(b² (d + c)) for drawing; at worst, where most items have equal gradients,
    the O(n b (d + c)) of plain k-means++.

    Memory: O(n c) for the probabilities.

    Not when: probabilities are 0 or 1 only (a fully grown tree), which makes every pick random; features
    differ in unit, as the largest one then decides what is far.
    """
    rng = as_rng(rng)
    n = n_rows(X)
    count = min(as_count(n_instances), n)
    if count == 0:
        return np.empty(0, dtype=np.intp), np.empty(0)
    inputs, _ = geometry(learner, X, labeled, representation, as_fitted=True)
    gradients = Gradients(prediction_errors(learner, X), inputs)
    longest = gradients.squared_lengths.max()
    if not np.isfinite(longest):
        raise ValueError(
            f"squared lengths of gradients come to {longest}: look for NaN in the learner's probabilities"
        )
    picked, utilities = _drawn_by_distance(gradients, count, rng)
    left = np.ones(n, dtype=bool)
    left[picked] = False
    extra = rng.choice(np.flatnonzero(left), count - len(picked), replace=False)
    indices = np.concatenate([picked, extra]).astype(np.intp)
    return indices, np.concatenate([utilities, np.zeros(len(extra))])


def prediction_errors(learner: Any, X: Any) -> NDArray[np.float64]:
    """Class probabilities minus 1 for the most probable class, of shape (n, classes).

    The gradient of the log loss with respect to the scores of the classes, if the prediction were right.
    Of equally probable classes the first counts as predicted, as in scikit-learn.
    """
    errors = np.array(class_probabilities(learner, X))  # a copy: the learner may keep its answer
    errors[np.arange(len(errors)), errors.argmax(axis=1)] -= 1.0
    return errors


def _drawn_by_distance(
    gradients: Gradients, count: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """k-means++ from the longest gradient on: (positions, D² at the draw).

    Fewer than `count` where all that is left lies on what is drawn already.
    """
    lengths = gradients.squared_lengths
    if lengths.max() == 0.0:
        return np.empty(0, dtype=np.intp), np.empty(0)
    # Rounding errors must not settle which of equally long ones is first.
    first = rng.choice(np.flatnonzero(lengths >= lengths.max() * (1.0 - 1e-12)))
    picked, utilities = [int(first)], [float(lengths[first])]
    bounds = np.full(len(gradients), np.inf)
    n_included = 0  # of `picked`, those that the bounds know
    patience = max(_PATIENCE, int(_PATIENCE_SHARE * len(gradients)))
    while len(picked) < count:
        new = np.array(picked[n_included:])
        gradients.lower(bounds, gradients.only(new))
        bounds[new] = 0.0
        n_included = len(picked)
        cumulative = np.cumsum(bounds)
        if cumulative[-1] == 0.0:
            break
        tried = 0
        while tried < patience and len(picked) < count:
            proposed = np.searchsorted(cumulative, cumulative[-1] * rng.random(_PROPOSALS), side="right")
            proposed = np.minimum(proposed, len(gradients) - 1)
            newer = np.array(picked[n_included:], dtype=np.intp)
            accepted = _accepted(gradients, proposed, bounds[proposed], newer, count - len(picked), rng)
            picked += accepted[0]
            utilities += accepted[1]
            tried += _PROPOSALS
    return np.array(picked, dtype=np.intp), np.array(utilities)


def _accepted(
    gradients: Gradients,
    proposed: NDArray[np.intp],
    bounds: NDArray[np.float64],
    newer: NDArray[np.intp],
    count: int,
    rng: np.random.Generator,
) -> tuple[list[int], list[float]]:
    """The first `count` of the proposed that pass, one after the other: (positions, D² at the draw).

    The proposals are independent draws with probabilities proportional to `bounds`, D² as it was before
    `newer` were picked. Each passes with probability D² / bound, D² being that of its turn: what passes is
    drawn with a probability proportional to D².
    """
    part = gradients.only(proposed)
    now = bounds.copy()
    if len(newer):
        part.lower(now, gradients.only(newer))
        now[np.isin(proposed, newer)] = 0.0
    heights = rng.random(len(proposed)) * bounds
    positions: list[int] = []
    distances: list[float] = []
    at = -1
    while len(positions) < count:
        passing = np.flatnonzero(heights[at + 1 :] < now[at + 1 :])
        if len(passing) == 0:
            break
        at += 1 + int(passing[0])
        positions.append(int(proposed[at]))
        distances.append(float(now[at]))
        part.lower(now, part.only(slice(at, at + 1)))
        now[proposed == proposed[at]] = 0.0
    return positions, distances
