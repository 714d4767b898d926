"""Spreading a batch over the classes, in favour of those that have few labels.

The classes are those that the learner expects: its probabilities stand for the labels that are not there yet.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from strategies.geometry import labeled_items
from strategies.inner import as_strategy, ask, by_batch, name_of, refuse_turned, scores
from strategies.probabilities import class_probabilities, vote_probabilities
from strategies.selection import Picked, Rng, Strategy, as_count, as_rng, n_rows

__all__ = ["ClassBalanced", "balanced_picks", "class_balanced", "labels_wanted"]

#: A strategy whose picks depend on each other is asked for so many batches; the other items have utility 0.
_BATCHES: Final = 10


def labels_wanted(counts: NDArray[np.intp], batch: int) -> NDArray[np.float64]:
    """How many labels of each class a batch should bring, for all classes to have equally many.

    The quota of Bengar et al. (2022): ``max((m + b) / c - n_c, 0)``, with m labels so far, n_c of them of
    this class, and b more.

    Parameters
    ----------
    counts : ndarray of shape (c,)
        Labels of each class so far.
    batch : int
        b.

    Returns
    -------
    ndarray of shape (c,)
    """
    return np.asarray(np.maximum((counts.sum() + batch) / len(counts) - counts, 0.0))


def balanced_picks(
    utilities: NDArray[np.float64],
    proba: NDArray[np.float64],
    wanted: NDArray[np.float64],
    count: int,
    weight: float,
    rng: np.random.Generator,
) -> Picked:
    """Items picked one by one, each by utility and by how much nearer it brings the batch to `wanted`.

    The item with the largest ``u_i + weight (|w - s|_1 - |w - s - p_i|_1)`` is next, where s sums the
    probabilities of those picked before.

    Parameters
    ----------
    utilities : ndarray of shape (n,)
        u.
    proba : ndarray of shape (n, c)
        p, rows sum to 1.
    wanted : ndarray of shape (c,)
        w, from :func:`labels_wanted`.
    count : int
        How many, at most n.
    weight : float
    rng : Generator
        Breaks ties.

    Returns
    -------
    indices, utilities : ndarray
        In the order picked, each with the sum above at its turn.
    """
    order = rng.permutation(len(utilities))
    left, chances = utilities[order], np.asfortranarray(proba[order])
    missing = wanted.astype(np.float64)
    picked, values = np.empty(count, dtype=np.intp), np.empty(count)
    for turn in range(count):
        # |r| - |r - p| is 2 min(p, r) - p where something is missing (r > 0), and -p elsewhere.
        values_now = left - weight
        for c in np.flatnonzero(missing > 0):
            values_now += 2.0 * weight * np.minimum(chances[:, c], missing[c])
        best = int(np.round(values_now, 12).argmax())  # rounding errors must not settle what is a tie
        picked[turn], values[turn] = order[best], values_now[best]
        missing -= chances[best]
        left[best] = -np.inf
    return picked, values


@dataclass(frozen=True, slots=True)
class ClassBalanced:
    """A strategy whose batches are spread over the classes; made by :func:`class_balanced`.

    Attributes
    ----------
    strategy : callable
        Says how useful an item is, whatever its class.
    weight : float
        What the balance of the classes counts, 0 or more.
    """

    strategy: Strategy
    weight: float

    def __call__(
        self,
        learner: Any,
        X: Any,
        n_instances: int = 1,
        *,
        rng: Rng = None,
        labeled: tuple[Any, Any] | None = None,
    ) -> Picked:
        """Pick items; without labels it is the strategy itself.

        Raises
        ------
        TypeError, ValueError
            If the inner strategy does not return as many indices and utilities as it was asked for, or no
            label is of a class that the learner knows.
        """
        rng = as_rng(rng)
        n = n_rows(X)
        count = min(as_count(n_instances), n)
        y = labeled_items(learner, labeled)[1]
        if y is None or count == 0:
            return ask(self.strategy, learner, X, count, rng, labeled)
        proba, classes = _beliefs(learner, X, y)
        labels = Counter(y.tolist())
        counts = np.array([labels[label] for label in classes])
        if not counts.any():
            raise ValueError(
                f"labels of what is labeled ({np.unique(y)[:5].tolist()}) are none of the learner's classes "
                f"({list(classes)[:5]}): pass labels as the learner knows them"
            )
        if by_batch(self.strategy):
            wanted, _ = ask(self.strategy, learner, X, min(_BATCHES * count, n), rng, labeled)
            utilities = np.zeros(n)
            utilities[wanted] = np.linspace(1.0, 0.0, len(wanted), endpoint=False)
        else:
            utilities = _scaled(scores(self.strategy, learner, X, rng, labeled))
        return balanced_picks(utilities, proba, labels_wanted(counts, count), count, self.weight, rng)

    def __repr__(self) -> str:
        return f"class_balanced({name_of(self.strategy)}, weight={self.weight:g})"


def class_balanced(strategy: str | Strategy, *, weight: float = 1.0) -> ClassBalanced:
    """Ask as another strategy does, in favour of items that are likely of classes with few labels.

    For pools in which some classes are rare. Each item picked is the one with the largest sum of its utility
    (scaled to [0, 1] over the pool) and of `weight` times how much nearer it brings the batch to as many
    labels of each class: 2 P(class still missing) - 1.

    Parameters
    ----------
    strategy : str or callable
        A name as in :func:`by_name`, or any strategy. One that scores each item by itself (margin, entropy,
        those of committees) is asked for all of them; of one whose picks depend on each other (badge,
        k_center) the first ten batches count by their order, and everything else as 0.
    weight : float
        What balance counts, 0 or more; the paper's λ (λ / c in its equation 8).

    Returns
    -------
    ClassBalanced
        A strategy; it can be pickled if `strategy` can. It reads the labels from `labeled` or from
        `learner.y_training`; with none it is `strategy` itself.

    Raises
    ------
    TypeError, ValueError
        If `strategy` is not callable, its name is unknown, it is one of modAL's whose utilities are smaller
        where they are more useful, or `weight` is no number of 0 or more.

    Notes
    -----
    Paper: after Bengar, van de Weijer, Lopez Fuentes & Raducanu, "Class-balanced active learning for image
    classification", WACV 2022: their quota for each class and its penalty, picked greedily.

    Utility: ``u + weight (|w - s|_1 - |w - s - p|_1)`` in its turn, with u in [0, 1], p the item's class
    probabilities, s their sum over those picked before, and ``w_c = max((m + b) / c - n_c, 0)``.

    Cost: that of the strategy for all items, and O(n b c).

    Memory: O(n c).

    Not when: the classes are meant to be as rare among the labels as in the pool, or a rare class has no
    label at all yet: no probability points to it.

    Examples
    --------
    >>> class_balanced("margin")
    class_balanced(margin, weight=1)
    """
    inner = as_strategy(strategy)
    refuse_turned(inner)
    if isinstance(weight, bool) or not isinstance(weight, int | float | np.integer | np.floating):
        raise TypeError(f"weight must be a number of 0 or more, got {weight!r}")
    if not 0.0 <= weight < np.inf:
        raise ValueError(f"weight must be 0 or more, and finite, got {weight}")
    return ClassBalanced(inner, float(weight))


def _beliefs(learner: Any, X: Any, y: NDArray[Any]) -> tuple[NDArray[np.float64], list[Any]]:
    """Class probabilities (n, c), of a committee their mean, and the classes of their columns."""
    if isinstance(learner, list | tuple):
        proba = vote_probabilities(learner, X).mean(axis=1)  # refuses members without classes_
        known: Any = sorted(set().union(*(_classes(member) or () for member in learner)))
    else:
        proba = class_probabilities(learner, X)
        known = _classes(learner)
    classes = np.unique(y).tolist() if known is None else known
    if len(classes) != proba.shape[1]:
        raise ValueError(
            f"the learner gives {proba.shape[1]} probabilities for {len(classes)} classes: it needs a "
            "classes_ that names them"
        )
    return proba, classes


def _classes(learner: Any) -> list[Any] | None:
    for one in (learner, getattr(learner, "estimator", None)):
        classes = getattr(one, "classes_", None)
        if classes is not None:
            return list(np.asarray(classes).tolist())
    return None


def _scaled(utilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 to 1; all 0 if they are equal."""
    span = np.ptp(utilities)
    return np.asarray((utilities - utilities.min()) / (span if span > 0 else 1.0))
