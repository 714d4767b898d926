"""Strategies that ask where several models disagree, and their scores on an array of votes.

Votes are each member's class probabilities, of shape (n, members, classes); where they come from is
:func:`strategies.probabilities.vote_probabilities`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, rel_entr

from strategies.probabilities import vote_probabilities
from strategies.selection import Picked, Rng, as_count, n_rows, top

__all__ = [
    "consensus_entropy",
    "consensus_entropy_utilities",
    "max_disagreement",
    "max_disagreement_utilities",
    "vote_entropy",
    "vote_entropy_utilities",
]

#: Items asked about at a time: 100 members by 77 classes by 4,096 items are 250 MB.
_BLOCK = 4096


def vote_entropy_utilities(votes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entropy (nats) of how the members' top classes spread, for `votes` (n, members, classes)."""
    n, n_members, n_classes = votes.shape
    cells = votes.argmax(axis=2) + n_classes * np.arange(n)[:, np.newaxis]
    counts = np.bincount(cells.ravel(), minlength=n * n_classes).reshape(n, n_classes)
    return np.asarray(entr(counts / n_members).sum(axis=1))


def consensus_entropy_utilities(votes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entropy (nats) of the members' mean probabilities, for `votes` (n, members, classes)."""
    return np.asarray(entr(votes.mean(axis=1)).sum(axis=1))


def max_disagreement_utilities(votes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest Kullback-Leibler divergence (nats) of a member from the mean of all.

    For `votes` (n, members, classes); between 0 and log(members).
    """
    consensus = votes.mean(axis=1, keepdims=True)
    return np.asarray(rel_entr(votes, consensus).sum(axis=2).max(axis=1))


def vote_entropy(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
) -> Picked:
    """Ask where the members' decisions are most divided.

    Dagan & Engelson, "Committee-based sampling for training probabilistic classifiers" (ICML 1995).
    With few members many items tie; chance decides among them.

    Parameters
    ----------
    learner : object
        A committee of at least two fitted members: a modAL `Committee`, a list of classifiers, or an
        ensemble with `estimators_`; see :func:`strategies.probabilities.vote_probabilities`, also for
        the errors.
    X : array, CSR, DataFrame or list
        The items to pick from, as the members take them.
    n_instances : int
        How many to pick.
    rng : None, int or Generator
        Breaks ties.
    labeled : (X, y), optional
        Not used.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first. Utility: entropy of the votes in nats.
    """
    return _pick(vote_entropy_utilities, learner, X, n_instances, rng)


def consensus_entropy(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
) -> Picked:
    """Ask where the members' mean probabilities are most spread out.

    The soft vote entropy of Settles, "Active Learning" (2012), chapter 3.

    Parameters
    ----------
    learner, X, n_instances, rng, labeled
        As in :func:`vote_entropy`.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first. Utility: entropy of the mean probabilities in nats.
    """
    return _pick(consensus_entropy_utilities, learner, X, n_instances, rng)


def max_disagreement(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
) -> Picked:
    """Ask where one member is furthest from what all believe together.

    The largest of the divergences that McCallum & Nigam, "Employing EM and pool-based active learning
    for text classification" (ICML 1998) average over the members.

    Parameters
    ----------
    learner, X, n_instances, rng, labeled
        As in :func:`vote_entropy`.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first. Utility: Kullback-Leibler divergence in nats.
    """
    return _pick(max_disagreement_utilities, learner, X, n_instances, rng)


def _pick(
    score: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    learner: Any,
    X: Any,
    n_instances: int,
    rng: Rng,
) -> Picked:
    count, n = as_count(n_instances), n_rows(X)
    if n == 0:
        utilities = np.empty(0)
    elif n <= _BLOCK or hasattr(learner, "vote_proba"):
        # A learner with votes of its own may have them at hand for this very X: don't cut it up.
        utilities = score(_votes(learner, X))
    else:
        starts = range(0, n, _BLOCK)
        utilities = np.concatenate(
            [score(_votes(learner, _rows(X, start, start + _BLOCK))) for start in starts]
        )
    return top(utilities, count, rng)


def _votes(learner: Any, X: Any) -> NDArray[np.float64]:
    votes = vote_probabilities(learner, X)
    if votes.shape[1] < 2:
        raise ValueError(
            f"a committee of {votes.shape[1]} can't disagree: add fitted members, or use a strategy for one "
            "model (margin, entropy, least_confident)"
        )
    return votes


def _rows(X: Any, start: int, stop: int) -> Any:
    return X.iloc[start:stop] if hasattr(X, "iloc") else X[start:stop]
