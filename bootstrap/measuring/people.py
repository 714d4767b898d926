"""People err too: how often, how many of the model's errors they see, and what that costs a claim.

The truth behind every audit is what people say. One person's word can't carry a claim that is finer than
that person's own errors, so a disagreement with the model goes to a second person, blind, and an error
counts when both reject the model's label. What both overlook shows in no agreement; only items with a
known error of the model, mixed in unseen (*traps*), tell how much that is.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bootstrap.errors import InvalidInput
from bootstrap.measuring.clopper_pearson import clopper_pearson
from bootstrap.measuring.outcomes import check_share
from bootstrap.records import SKIP

__all__ = ["adjudicated_error", "alpha_with_traps", "catch_rate_lower", "people_error_interval"]

_Objects: TypeAlias = NDArray[np.object_]


def people_error_interval(disagreements: int, n: int, delta: float) -> tuple[float, float]:
    """Interval for one person's error rate, from items that two people answered blind: for one look.

    Two people who are each wrong on a share e of the items disagree on at most ``1 - (1 - e)^2`` of them
    (at least one is wrong) and, if their errors are independent and e is below one half, on at least
    ``2 e (1 - e)`` (exactly one is wrong). Solved for e at the two ends of the Clopper-Pearson interval
    for the share of disagreements.

    The lower end holds also where some items are harder than others: by Jensen's inequality that only
    makes people disagree less. The upper end does not: what both get wrong in the same way is invisible
    to agreement.

    Parameters
    ----------
    disagreements : int
        Items on which the two answers differ, between 0 and n.
    n : int
        Items that were answered twice, chosen at random.
    delta : float
        Chance that the interval misses, in (0, 1).

    Returns
    -------
    low, high : float
        In [0, 1]; (0, 1) for n = 0. The upper end is 1 where people may disagree on half of the items:
        there the disagreements bound nothing.

    Raises
    ------
    InvalidInput
        If `delta` is outside (0, 1), or the counts can't be.

    Examples
    --------
    >>> low, high = people_error_interval(18, 300, 0.05)
    >>> print(f"{low:.6f} {high:.6f}")
    0.018136 0.048985
    """
    least, most = clopper_pearson(disagreements, n, delta)
    # the textbook forms 1 - sqrt(1 - d) and (1 - sqrt(1 - 2 d)) / 2, free of cancellation for small d
    low = least / (1.0 + math.sqrt(1.0 - least))
    high = most / (1.0 + math.sqrt(1.0 - 2.0 * most)) if most < 0.5 else 1.0
    return low, high


def catch_rate_lower(caught: int, shown: int, delta: float) -> float:
    """Lower bound for the share of the model's errors that a person sees: one-sided, for one look.

    Clopper and Pearson's lower bound, one-sided at `delta`: a claim that rests on it and on audits
    passes half of its own delta here and spends the other half on the audits.

    Parameters
    ----------
    caught : int
        Traps on which the person rejected the model's label. A trap is an item on which the model is
        known to be wrong, asked blind among others.
    shown : int
        Traps that were shown. From about 30 the bound is of use, at 150 it is good.
    delta : float
        Chance that the bound is above the true share, in (0, 0.5).

    Returns
    -------
    float
        In [0, 1); 0 where no trap was shown.

    Raises
    ------
    InvalidInput
        If `delta` is outside (0, 0.5), or the counts can't be.

    Examples
    --------
    >>> round(catch_rate_lower(147, 150, 0.025), 3)
    0.943
    """
    if not 0.0 < delta < 0.5:
        raise InvalidInput(
            f"delta must be between 0 and 0.5, both excluded, found {delta!r}. 0.025 is usual: half of the "
            "claim's 0.05."
        )
    return clopper_pearson(caught, shown, 2.0 * delta)[0]


def adjudicated_error(predicted: Any, first: Any, second: Any = None) -> Any:
    """Whether the model's label counts as wrong: both people reject it, or the first one alone was asked.

    The second person is asked, blind, where the first one's answer differs from the model's label. The
    two need not agree with each other. A second person who can't tell (`SKIP`) does not stand up for the
    model, so the error stays; without an answer by the first there is no evidence at all.

    Parameters
    ----------
    predicted : class or array of classes
        The model's label.
    first : class or array of classes
        The first person's answer, item by item.
    second : class, array of classes, or None
        The second person's; None (or NaN, in a table's column) where nobody was asked a second time.

    Returns
    -------
    bool or array of bool
        A bool for one item, else an array of the common shape.

    Raises
    ------
    InvalidInput
        If the shapes do not fit together, or an answer of the first person is missing or `SKIP`.

    Examples
    --------
    >>> adjudicated_error("spam", "ham", "spam")
    False
    >>> adjudicated_error(["spam", "spam", "ham"], ["ham", "ham", "ham"], ["ham", None, None]).tolist()
    [True, True, False]
    """
    try:
        label, one, other = np.broadcast_arrays(
            *(_as_objects(answers) for answers in (predicted, first, second))
        )
    except ValueError as wrong:
        raise InvalidInput(
            f"predicted, first and second must have one entry for each item: {wrong}."
        ) from None
    unanswered = int(np.count_nonzero(_missing(one) | (one == SKIP)))
    if unanswered:
        raise InvalidInput(
            f"{unanswered} of {one.size} items have no answer by the first person. Leave them out: what "
            "nobody answered is no evidence."
        )
    wrong_by_both = (one != label) & (_missing(other) | (other != label))
    return bool(wrong_by_both) if wrong_by_both.ndim == 0 else wrong_by_both.astype(np.bool_)


def alpha_with_traps(alpha: float, catch_rate_low: float, readers: int = 2) -> float:
    """The error rate to certify on adjudicated audits so that the true one is below `alpha`.

    ``alpha * catch_rate_low ** readers``. Let s be the chance that a person sees the model's error on a
    given item. It differs between items, and that is where correlated blind spots come from: what is hard
    for one person is hard for the next. Given the item two people err independently, so the share of
    items that count as errors is ``e E[s^2]`` with e the model's true error rate and the mean over its
    errors. By Jensen's inequality ``E[s^2] >= (E[s])^2``: shared blind spots make both see the same errors
    more often than independence would, never less, and the square of the mean catch rate, which is what
    traps measure, stays on the safe side. People who reject a right label by mistake only add errors.

    It does not cover traps that are easier to see than the errors that the model makes now, nor people
    who specialise, so that one sees just what the other overlooks: pair them at random.

    Parameters
    ----------
    alpha : float
        Error rate that the claim allows, in (0, 1).
    catch_rate_low : float
        Lower bound for the mean catch rate, in [0, 1]; see :func:`catch_rate_lower`.
    readers : int
        How many people have to reject the model's label, at least 1.

    Returns
    -------
    float
        In [0, alpha]. With 0 nothing can be certified.

    Raises
    ------
    InvalidInput
        If an argument is out of its range.

    Examples
    --------
    >>> round(alpha_with_traps(0.05, 0.9), 4)
    0.0405
    """
    if not 0.0 < alpha < 1.0:
        raise InvalidInput(f"alpha must be between 0 and 1, both excluded, found {alpha!r}.")
    check_share("catch_rate_low", catch_rate_low)
    if readers < 1:
        raise InvalidInput(f"At least 1 person has to reject a label, found readers={readers!r}.")
    return float(alpha * catch_rate_low**readers)


def _as_objects(answers: Any) -> _Objects:
    """Classes as Python objects, which compare as Python does: a column of text with a None, too."""
    return np.asarray(answers, dtype=object)


def _missing(answers: _Objects) -> NDArray[np.bool_]:
    return np.asarray((answers == None) | (answers != answers), dtype=np.bool_)  # noqa: E711
