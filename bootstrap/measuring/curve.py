"""Accuracy over all review rates at once, and the lowest rate that seems to meet a target.

The curve shows what a review rate would buy. Every point has its own interval; the best looking of many
points has none, which is why the rate that is read off here is an estimate and named so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from bootstrap.errors import InvalidInput
from bootstrap.measuring.error_interval import error_interval
from bootstrap.measuring.outcomes import Bools, Floats, Ints, check_share, checked_held_out, checked_outcomes

__all__ = ["ReviewCurve", "review_curve", "review_rate_for_target"]

#: Six wrong of a hundred must meet a target of 0.94, whatever the floats say.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class ReviewCurve:
    """Accuracy against the review rate, a point for each threshold. Shares are in [0, 1].

    Every interval is valid for its own point, at every look for one frozen model. The point that looks
    best among many is not covered by its interval: choosing it by the curve voids the guarantee.

    Attributes
    ----------
    review_rate : array of float
        Share of items at or below the threshold, ascending. Shape (m,), like all arrays here.
    threshold : array of float
        The model decides alone where its confidence is strictly above it.
    accuracy : array of float
        Of what goes out: people's part and the model's. NaN where the model would decide items alone
        and none of them is audited.
    low, high : array of float
        Interval for `accuracy`, each for its own point alone.
    selective_accuracy : array of float
        Among the audited items that the model would decide alone; NaN where there are none.
    n_decided_alone, n_wrong : array of int
        Audited items above the threshold, and how many of those the model gets wrong.
    n_audited : int
        Audited items that the curve rests on.
    delta : float
        Chance that one point's interval misses.
    people_error : float
        Error rate of people that was assumed, a share of what they decide.
    """

    review_rate: Floats
    threshold: Floats
    accuracy: Floats
    low: Floats
    high: Floats
    selective_accuracy: Floats
    n_decided_alone: Ints
    n_wrong: Ints
    n_audited: int
    delta: float
    people_error: float


def fewest_audits(target: float, delta: float) -> int:
    """Audits without any error among them below which nothing can be said about a target.

    With fewer, a model whose error rate is exactly what the target allows would show no error with a
    chance of more than `delta`.

    Parameters
    ----------
    target : float
        Accuracy, in (0, 1).
    delta : float
        In (0, 1).

    Examples
    --------
    >>> fewest_audits(0.95, 0.05)
    59
    """
    return math.ceil(math.log(delta) / math.log(target))


def review_rate_for_target(
    correct: ArrayLike,
    confidence: ArrayLike,
    target: float,
    *,
    target_of: Literal["alone", "system"] = "alone",
    people_error: float = 0.0,
    confidence_all: ArrayLike | None = None,
) -> float | None:
    """The lowest review rate at which the audited items meet the target: an estimate, and a rosy one.

    It must not be acted upon. It is the best of many thresholds, chosen by the very outcomes that then
    speak for it, so luck is part of the choice: re-checked each round, "the smallest threshold whose
    empirical error is within the target" says falsely in more than nine runs of ten that the target is
    met, and adding an interval to it does not repair that. It tells where the model stands, and nothing
    about what may be done.

    Parameters
    ----------
    correct : array of bool
        Shape (n,): whether the model is right, for each audited item.
    confidence : array of float
        Shape (n,): the model's top probability for each audited item.
    target : float
        Accuracy to meet, in (0, 1].
    target_of : {"alone", "system"}
        Whether the target is about what the model decides alone or about all that goes out.
    people_error : float
        Error rate of people on what they review, in [0, 1]. Only used for ``"system"``.
    confidence_all : array of float, optional
        Confidences of all held-out items, audited or not: the rate is then their share at or below the
        threshold.

    Returns
    -------
    float or None
        Realised review rate in [0, 1]; 1.0 where only full review meets the target. None where nothing
        is measured, and for ``"system"`` where people err too often for full review to meet it either.

    Raises
    ------
    InvalidInput
        If the arrays do not fit together, `correct` is not 0 or 1, a confidence is not finite, a share
        is out of range or `target_of` is unknown.

    Examples
    --------
    >>> review_rate_for_target([0, 1, 1, 0, 1], [0.5, 0.6, 0.7, 0.8, 0.9], 0.7)
    0.2
    """
    if not 0.0 < target <= 1.0:
        raise InvalidInput(f"The target must be above 0 and at most 1, found {target!r}. 0.95 is usual.")
    if target_of not in ("alone", "system"):
        raise InvalidInput(
            f'target_of must be "alone" (what the model decides alone) or "system" (all that goes out), '
            f"found {target_of!r}."
        )
    right, values = checked_outcomes(correct, confidence)
    check_share("people_error", people_error)
    if len(right) == 0:
        return None
    _, rate, n_alone, n_wrong = _points(right, values, None, confidence_all)
    rate, n_alone, n_wrong = rate[n_alone > 0], n_alone[n_alone > 0], n_wrong[n_alone > 0]
    error = n_wrong / n_alone
    accuracy = 1.0 - error if target_of == "alone" else _system(error, rate, people_error)
    met = np.flatnonzero(accuracy >= target - _ROUNDING)
    if len(met):
        return float(rate[met[0]])
    return None if target_of == "system" and 1.0 - people_error < target - _ROUNDING else 1.0


def review_curve(
    correct: ArrayLike,
    confidence: ArrayLike,
    *,
    thresholds: ArrayLike | None = None,
    delta: float = 0.05,
    people_error: float = 0.0,
    confidence_all: ArrayLike | None = None,
) -> ReviewCurve:
    """Accuracy against the review rate, with an interval for each point alone.

    Parameters
    ----------
    correct : array of bool
        Shape (n,): whether the model is right, for each audited item.
    confidence : array of float
        Shape (n,): the model's top probability for each audited item.
    thresholds : array of float, optional
        Thresholds to look at, in any order; ``-inf`` is no review. By default every one that makes a
        difference: ``-inf`` and each audited confidence.
    delta : float
        Chance that one point's interval misses, in (0, 1).
    people_error : float
        Error rate of people on what they review, in [0, 1].
    confidence_all : array of float, optional
        Confidences of all held-out items, audited or not: the rates are then their shares at or below
        each threshold.

    Returns
    -------
    ReviewCurve
        A point for each threshold, by ascending review rate.

    Raises
    ------
    InvalidInput
        If nothing was audited, the arrays do not fit together, `correct` is not 0 or 1, a confidence is
        not finite, a threshold is NaN, or a share is out of range.

    Examples
    --------
    >>> curve = review_curve([0, 1, 1, 0, 1], [0.5, 0.6, 0.7, 0.8, 0.9])
    >>> curve.review_rate.tolist()
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> curve.n_wrong.tolist()
    [2, 1, 1, 1, 0, 0]
    """
    right, values = checked_outcomes(correct, confidence)
    check_share("people_error", people_error)
    if len(right) == 0:
        raise InvalidInput("Asked for a review curve, found no audited item. Audit some first.")
    threshold, rate, n_alone, n_wrong = _points(right, values, thresholds, confidence_all)
    low, high = error_interval(n_wrong, n_alone, delta)
    with np.errstate(invalid="ignore"):
        error = n_wrong / n_alone
    columns = {
        "review_rate": rate,
        "threshold": threshold,
        "accuracy": np.where(rate == 1.0, 1.0 - people_error, _system(error, rate, people_error)),
        "low": _system(high, rate, people_error),
        "high": _system(low, rate, people_error),
        "selective_accuracy": 1.0 - error,
        "n_decided_alone": n_alone,
        "n_wrong": n_wrong,
    }
    for column in columns.values():
        column.setflags(write=False)
    return ReviewCurve(**columns, n_audited=len(right), delta=delta, people_error=people_error)


def _points(
    right: Bools, values: Floats, thresholds: ArrayLike | None, confidence_all: ArrayLike | None
) -> tuple[Floats, Floats, Ints, Ints]:
    """Thresholds, realised review rates, and how many are decided alone and wrongly at each."""
    order = np.argsort(values)
    ascending = values[order]
    wrong_up_to = np.concatenate(([0], np.cumsum(~right[order])))
    everything = ascending if confidence_all is None else np.sort(checked_held_out(confidence_all))
    if thresholds is None:
        threshold = np.concatenate(([-math.inf], np.unique(ascending)))
    else:
        threshold = np.sort(np.asarray(thresholds, dtype=np.float64).ravel())
        if np.isnan(threshold).any():
            raise InvalidInput("A threshold is NaN. Pass confidences, or leave thresholds out.")
    below = np.searchsorted(ascending, threshold, side="right")
    rate = np.searchsorted(everything, threshold, side="right") / len(everything)
    return threshold, rate, len(values) - below, wrong_up_to[-1] - wrong_up_to[below]


def _system(error: Floats, rate: Floats, people_error: float) -> Floats:
    """Accuracy of what goes out, where the model errs on a share `error` of what it decides alone."""
    return 1.0 - (1.0 - rate) * error - rate * people_error
