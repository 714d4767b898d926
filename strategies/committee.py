"""Strategies that ask where several models disagree, and their scores on an array of votes.

Votes are each member's class probabilities, of shape (n, members, classes); where they come from is
:func:`strategies.probabilities.vote_probabilities`. They are fetched and scored a block of items at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from strategies.scoring import Score, pool_vote_scores
from strategies.selection import Picked, Rng, as_count, as_rng, top
from strategies.uncertainty import entropy_utilities

__all__ = [
    "bald",
    "bald_utilities",
    "consensus_entropy",
    "consensus_entropy_utilities",
    "max_disagreement",
    "max_disagreement_utilities",
    "vote_entropy",
    "vote_entropy_utilities",
]

#: Stands in for a probability of 0, whose logarithm then counts 0 times.
_TINY = np.finfo(np.float64).tiny


def vote_entropy_utilities(votes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entropy (nats) of how the members' top classes spread, for `votes` (n, members, classes).

    NaN where a member's vote holds NaN.
    """
    n, n_members, n_classes = votes.shape
    members = _by_member(votes)
    best = members[:, 0].copy()
    winner = np.zeros((n_members, n), dtype=np.intp)
    for i in range(1, n_classes):
        np.copyto(winner, i, where=members[:, i] > best)  # of equals the first, as in argmax
        np.maximum(best, members[:, i], out=best)
    cells = winner + n_classes * np.arange(n)
    counts = np.bincount(cells.ravel(), minlength=n * n_classes).reshape(n, n_classes)
    counts.sort(axis=1)  # equal divisions then come to exactly equal sums, whichever classes they are of
    utilities = entr(np.arange(n_members + 1) / n_members)[counts].sum(axis=1)
    utilities[np.isnan(best).any(axis=0)] = np.nan
    return np.asarray(utilities)


def consensus_entropy_utilities(votes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entropy (nats) of the members' mean probabilities, for `votes` (n, members, classes)."""
    return entropy_utilities(_by_member(votes).mean(axis=0).T)


def max_disagreement_utilities(votes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest Kullback-Leibler divergence (nats) of a member from the mean of all.

    For `votes` (n, members, classes); between 0 and log(members).
    """
    return np.asarray(_divergences(votes).max(axis=0))


def bald_utilities(votes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entropy of the members' mean minus their mean entropy (nats), for `votes` (n, members, classes).

    Between 0 and log(members). Computed as what it equals: the mean divergence of a member from the mean of
    all (generalised Jensen-Shannon divergence; Lin, IEEE Transactions on Information Theory 37, 1991).
    """
    return np.asarray(_divergences(votes).mean(axis=0))


def vote_entropy(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
) -> Picked:
    """Ask where the members' decisions are most divided.

    With few members many items tie; chance decides among them.

    Parameters
    ----------
    learner : object
        A committee of at least two fitted members: a modAL `Committee`, a list of classifiers, or an
        ensemble with `estimators_`; see :func:`strategies.probabilities.vote_probabilities`.
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
        Most useful first.

    Raises
    ------
    TypeError
        If the learner is one model, or `n_instances` or `rng` is of the wrong type.
    ValueError
        If there are fewer than two members, or one's answer is not one row of numbers per item.
    sklearn.exceptions.NotFittedError
        If a member is not fitted.

    Notes
    -----
    Paper: Dagan & Engelson, "Committee-based sampling for training probabilistic classifiers", ICML 1995.

    Utility: -sum_c V(c)/m log(V(c)/m) in nats, V(c) of the m members having c as their top class.

    Cost: one prediction of the pool by each member, and O(n m c).

    Memory: O(n) and one block of votes (under 50 MB at n = 10^6 with 5 members).

    Not when: members are few: it has few distinct values and chance picks among many equals
    (consensus_entropy and bald see more).
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

    Parameters
    ----------
    learner, X, n_instances, rng, labeled
        As in :func:`strategies.vote_entropy`.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first.

    Raises
    ------
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        As in :func:`strategies.vote_entropy`.

    Notes
    -----
    Paper: Settles, "Active Learning", Morgan & Claypool 2012, chapter 3 (soft vote entropy).

    Utility: entropy in nats of q(c | x), the mean over the members of p_i(c | x).

    Cost: one prediction of the pool by each member, and O(n m c).

    Memory: O(n) and one block of votes (under 50 MB at n = 10^6 with 5 members).

    Not when: items may be hopelessly ambiguous: it asks about those too, though all members agree (bald does
    not).
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

    Parameters
    ----------
    learner, X, n_instances, rng, labeled
        As in :func:`strategies.vote_entropy`.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first.

    Raises
    ------
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        As in :func:`strategies.vote_entropy`.

    Notes
    -----
    Paper: the largest of the divergences that McCallum & Nigam, "Employing EM and pool-based active learning
    for text classification", ICML 1998, average over the members.

    Utility: max_i sum_c p_i(c | x) log(p_i(c | x) / q(c | x)) in nats, q the mean of all p_i.

    Cost: one prediction of the pool by each member, and O(n m c) logarithms.

    Memory: O(n) and one block of votes (under 50 MB at n = 10^6 with 5 members).

    Not when: one member is much worse than the others, or badly calibrated: it alone then picks.
    """
    return _pick(max_disagreement_utilities, learner, X, n_instances, rng)


def bald(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
) -> Picked:
    """Ask where the members are each sure of themselves and disagree.

    Parameters
    ----------
    learner, X, n_instances, rng, labeled
        As in :func:`strategies.vote_entropy`.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first.

    Raises
    ------
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        As in :func:`strategies.vote_entropy`.

    Notes
    -----
    Paper: Houlsby, Huszár, Ghahramani & Lengyel, "Bayesian active learning for classification and preference
    learning", arXiv:1112.5745, 2011, equation 2, with the members as draws from the posterior.

    Utility: H[mean_i p_i(. | x)] - mean_i H[p_i(. | x)] in nats, in [0, log(members)]: the information that
    the label holds about which member is right.

    Cost: one prediction of the pool by each member, and O(n m c) logarithms.

    Memory: O(n) and one block of votes (under 50 MB at n = 10^6 with 5 members).

    Not when: members are fully grown trees, whose leaves are pure: each is always sure of itself and only the
    votes count. A large batch repeats itself, too.
    """
    return _pick(bald_utilities, learner, X, n_instances, rng)


def _pick(score: Score, learner: Any, X: Any, n_instances: int, rng: Rng) -> Picked:
    count, chance = as_count(n_instances), as_rng(rng)  # refused before the work rather than after

    def score_several(votes: NDArray[np.float64]) -> NDArray[np.float64]:
        if votes.shape[1] < 2:
            raise ValueError(
                f"a committee of {votes.shape[1]} can't disagree: add fitted members, or use a strategy for "
                "one model (margin, entropy, least_confident)"
            )
        return score(votes)

    return top(pool_vote_scores(score_several, learner, X), count, chance)


def _by_member(votes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Votes as (members, classes, n): steps along the items are several times quicker than along classes."""
    return np.ascontiguousarray(votes.transpose(1, 2, 0))


def _divergences(votes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kullback-Leibler divergence (nats) of each member from the mean of all, of shape (members, n)."""
    members = _by_member(votes)
    consensus = np.maximum(members.mean(axis=0), _TINY)
    terms = np.maximum(members, _TINY)
    terms /= consensus
    np.log(terms, out=terms)
    terms *= members
    return np.asarray(np.maximum(terms.sum(axis=1), 0.0))  # rounding apart, it is never negative
