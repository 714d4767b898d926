"""One utility for each item of a pool, from what a learner says about a block of items at a time.

Blocks keep memory small and the numbers in the cache. They are as long as calling a model pays, scored in
shorter ones. Some learners have to be asked about the very pool, whole; the two functions here know which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from strategies.geometry import take
from strategies.probabilities import class_probabilities, is_modal, vote_probabilities
from strategies.selection import n_rows

__all__ = ["Score", "pool_scores", "pool_vote_scores"]

#: A pure score function: an array with one entry per item -> utilities of shape (n,).
Score: TypeAlias = Callable[[NDArray[np.float64]], NDArray[np.float64]]

#: Items in the first block; nothing is known yet of how wide a model's answer is.
_FIRST: Final = 4096
#: Fewest and most items in a block: below, calling a model costs more than its work; above nothing is won.
_FEWEST: Final = 1024
_MOST: Final = 24_000
#: Bytes of a block of items together with the answer about them.
_ASKED_BYTES: Final = 1 << 25
#: Bytes of an answer that are scored at a time.
_SCORED_BYTES: Final = 1 << 21
#: Digits of a utility that count.
_DIGITS: Final = 12
#: What a text may come to as a row of numbers.
_TEXT_BYTES: Final = 8192


def pool_scores(score: Score, learner: Any, X: Any) -> NDArray[np.float64]:
    """`score` of the class probabilities of each item, of shape (n,).

    scikit-learn's own estimators are asked in blocks. Any other learner is asked about `X` whole: it may
    remember its answer for that very object, or answer by what else is in it.

    Parameters
    ----------
    score : callable
        From probabilities (n, classes) to utilities (n,).
    learner, X : object
        As in :func:`strategies.probabilities.class_probabilities`, also for the errors.
    """
    return _scores(score, class_probabilities, learner, X, whole=not _goes_by_rows(learner))


def pool_vote_scores(score: Score, learner: Any, X: Any) -> NDArray[np.float64]:
    """`score` of the members' class probabilities of each item, of shape (n,).

    Committees are asked in blocks, except for those with a `vote_proba` of their own, which may remember
    its answer for the very `X`.

    Parameters
    ----------
    score : callable
        From votes (n, members, classes) to utilities (n,).
    learner, X : object
        As in :func:`strategies.probabilities.vote_probabilities`, also for the errors.
    """
    whole = hasattr(learner, "vote_proba") and not is_modal(learner)
    return _scores(score, vote_probabilities, learner, X, whole=whole)


def _scores(
    score: Score, ask: Callable[[Any, Any], NDArray[np.float64]], learner: Any, X: Any, *, whole: bool
) -> NDArray[np.float64]:
    n = n_rows(X)
    utilities = np.empty(n)
    if hasattr(X, "tocsr") and not whole:
        X = X.tocsr()  # other sparse formats are slow to cut into rows
    start, size = 0, n if whole else _FIRST
    while start < n:
        stop = min(start + size, n)
        answer = ask(learner, X if stop - start == n else take(X, slice(start, stop)))
        scored_at_once = _block_length(_SCORED_BYTES, answer[0].nbytes)
        for begin in range(0, stop - start, scored_at_once):
            part = answer[begin : begin + scored_at_once]
            utilities[start + begin : start + begin + len(part)] = score(part)
        start, size = stop, _block_length(_ASKED_BYTES, answer[0].nbytes + _row_bytes(X))
    members = learner if isinstance(learner, list | tuple) else getattr(learner, "learner_list", [learner])
    if all(_has_probabilities(member) for member in members):
        # Equal rows come out of a matrix product with other last digits, by where they stand and how many
        # threads there are. Squashed decision values tell apart what differs by less.
        np.round(utilities, _DIGITS, out=utilities)
    return utilities


def _block_length(block_bytes: int, row_bytes: int) -> int:
    return min(max(block_bytes // row_bytes, _FEWEST), _MOST)


def _row_bytes(X: Any) -> int:
    if hasattr(X, "nnz"):
        return int(12 * X.nnz // n_rows(X))
    shape = getattr(X, "shape", ())
    return 8 * int(np.prod(shape[1:])) if len(shape) > 1 else _TEXT_BYTES


def _has_probabilities(member: Any) -> bool:
    return hasattr(getattr(member, "estimator", member), "predict_proba")


def _goes_by_rows(learner: Any) -> bool:
    """Whether it is scikit-learn's through and through: blocks of rows then get the answers of the whole."""
    from sklearn.base import BaseEstimator
    from sklearn.preprocessing import FunctionTransformer

    if is_modal(learner):
        members = getattr(learner, "learner_list", None) or [learner.estimator]
        return all(_goes_by_rows(member) for member in members)
    if not isinstance(learner, BaseEstimator):
        return False
    parts = [learner, *learner.get_params(deep=True).values()]
    return all(
        type(part).__module__.startswith("sklearn.") and not isinstance(part, FunctionTransformer)
        for part in parts
        if hasattr(part, "get_params")
    )
