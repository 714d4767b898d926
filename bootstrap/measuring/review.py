"""What accuracy comes out when people decide the least confident share of the items.

The model decides alone where its confidence is strictly above a threshold; people review the rest, ties
included. Everything here is read off audited items of the held-out set: drawn at random, answered blind
and never trained on. On items that a strategy picked the same figures are wrong by tens of points, in
either direction.

All of it is an estimate, and proves nothing about the model.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from bootstrap.errors import InvalidInput
from bootstrap.measuring.outcomes import (
    Floats,
    check_share,
    checked_confidence,
    checked_held_out,
    checked_outcomes,
)

__all__ = ["accuracy_at_review_rate", "review_threshold", "selective_accuracy"]

#: What `r * n` may be off by before its ceiling counts one item too many (0.2 * 15 > 3 in floats).
_ROUNDING: Final = 1e-9


def review_threshold(confidence: ArrayLike, review_rate: float) -> float:
    """The confidence at or below which people decide, so that they decide at least `review_rate`.

    The smallest confidence with at least that share of the items at or below it. Ties are reviewed, so
    the realised share may be larger, and is to be reported beside the nominal one.

    Take the confidences of **all** held-out items, answered or not: it needs no labels. The unlabeled
    rest of a pool will not do: a strategy has taken the hard items out of it.

    Parameters
    ----------
    confidence : array of float
        Shape (n,), finite: the model's top probability for each item.
    review_rate : float
        Share that people decide, in [0, 1].

    Returns
    -------
    float
        ``-inf`` for a rate of 0 (nothing is reviewed), the largest confidence for a rate of 1.

    Raises
    ------
    InvalidInput
        If the rate is outside [0, 1], or `confidence` is empty, not 1-D or not finite.

    Examples
    --------
    >>> review_threshold([0.9, 0.6, 0.99, 0.7, 0.8], 0.4)
    0.7
    """
    values = checked_confidence(confidence)
    check_share("review_rate", review_rate)
    n = len(values)
    if n == 0:
        raise InvalidInput(
            "Asked for a review threshold, found no confidence. Pass those of all held-out items."
        )
    if review_rate == 0.0:
        return -math.inf
    wanted = review_rate * n
    nearest = round(wanted)
    rank = nearest if abs(wanted - nearest) <= _ROUNDING * wanted else math.ceil(wanted)
    return float(np.partition(values, rank - 1)[rank - 1])


def accuracy_at_review_rate(
    correct: ArrayLike,
    confidence: ArrayLike,
    review_rate: float,
    *,
    threshold: float | None = None,
    people_error: float = 0.0,
    confidence_all: ArrayLike | None = None,
) -> float:
    """Accuracy of what goes out when people decide the least confident share: an estimate.

    ``1 - (1 - r) e - r h``, with r the realised share at or below the threshold, e the share of errors
    among the audited items above it, and h `people_error`.

    Parameters
    ----------
    correct : array of bool
        Shape (n,): whether the model is right, for each audited item.
    confidence : array of float
        Shape (n,): the model's top probability for each audited item.
    review_rate : float
        Nominal share that people decide, in [0, 1]. Unused where `threshold` is given.
    threshold : float, optional
        Confidence above which the model decides alone. By default the threshold for `review_rate` over
        `confidence_all`, or over `confidence` where that is not given.
    people_error : float
        Error rate of people on what they review, in [0, 1].
    confidence_all : array of float, optional
        Confidences of all held-out items, audited or not. Threshold and realised rate are then read off
        these, which are more than the audited ones.

    Returns
    -------
    float
        In [0, 1]. With nothing decided alone it is ``1 - people_error``. NaN where items of
        `confidence_all` would be decided alone and none of them is audited: not measured.

    Raises
    ------
    InvalidInput
        If nothing was audited, the arrays do not fit together, `correct` is not 0 or 1, a confidence is
        not finite, or a share is outside [0, 1].

    Examples
    --------
    >>> accuracy_at_review_rate([0, 1, 1, 0, 1], [0.5, 0.6, 0.7, 0.8, 0.9], 0.2)
    0.8
    """
    right, values = checked_outcomes(correct, confidence)
    check_share("people_error", people_error)
    if len(right) == 0:
        raise InvalidInput(
            "Asked for the accuracy at a review rate, found no audited item. Audit some first."
        )
    everything = values if confidence_all is None else checked_held_out(confidence_all)
    threshold = _threshold(everything, review_rate, threshold)
    reviewed = float(np.mean(everything <= threshold))
    if reviewed == 1.0:
        return 1.0 - people_error
    alone = right[values > threshold]
    if len(alone) == 0:
        return math.nan
    error = 1.0 - float(alone.mean())
    return 1.0 - (1.0 - reviewed) * error - reviewed * people_error


def selective_accuracy(
    correct: ArrayLike,
    confidence: ArrayLike,
    review_rate: float,
    *,
    threshold: float | None = None,
    confidence_all: ArrayLike | None = None,
) -> float | None:
    """Accuracy among the audited items that the model would decide alone: an estimate.

    Parameters
    ----------
    correct : array of bool
        Shape (n,): whether the model is right, for each audited item.
    confidence : array of float
        Shape (n,): the model's top probability for each audited item.
    review_rate : float
        Nominal share that people decide, in [0, 1]. Unused where `threshold` is given.
    threshold : float, optional
        Confidence above which the model decides alone. By default the threshold for `review_rate` over
        `confidence_all`, or over `confidence` where that is not given.
    confidence_all : array of float, optional
        Confidences of all held-out items, audited or not.

    Returns
    -------
    float or None
        In [0, 1]; None where no audited item is decided alone.

    Raises
    ------
    InvalidInput
        If the arrays do not fit together, `correct` is not 0 or 1, a confidence is not finite, or the
        rate is outside [0, 1].

    Examples
    --------
    >>> selective_accuracy([0, 1, 1, 0, 1], [0.5, 0.6, 0.7, 0.8, 0.9], 0.2)
    0.75
    """
    right, values = checked_outcomes(correct, confidence)
    if len(right) == 0:
        return None
    everything = values if confidence_all is None else checked_held_out(confidence_all)
    alone = right[values > _threshold(everything, review_rate, threshold)]
    return float(alone.mean()) if len(alone) else None


def _threshold(values: Floats, review_rate: float, threshold: float | None) -> float:
    check_share("review_rate", review_rate)
    if threshold is None:
        return review_threshold(values, review_rate)
    if math.isnan(threshold):
        raise InvalidInput("The threshold is NaN. Pass one from review_threshold, or leave it out.")
    return threshold
