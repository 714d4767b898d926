"""Whether the model's confidence means what it says: for display and for planning costs, never evidence.

A calibrated confidence predicts how many errors a threshold lets through on average. It proves nothing:
"the mean confidence is above the target" says so falsely in most runs that look again and again. What
counts is audited items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bootstrap.errors import InvalidInput
from bootstrap.measuring.outcomes import Bools, Floats, Ints, checked_outcomes

__all__ = ["Reliability", "expected_calibration_error", "reliability"]

#: A top probability computed with 32 bits may be this much above 1.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Accuracy against confidence, a point for each bin that holds an audited item. Never evidence.

    Attributes
    ----------
    confidence : array of float
        Mean confidence of the bin's items, in [0, 1], ascending. Shape (m,), like all arrays here.
    accuracy : array of float
        Share of them on which the model is right.
    count : array of int
        How many they are, at least 1.
    bins : int
        Into how many bins of equal width [0, 1] was cut.
    """

    confidence: Floats
    accuracy: Floats
    count: Ints
    bins: int

    @property
    def n_audited(self) -> int:
        """Audited items that the points rest on."""
        return int(self.count.sum())

    @property
    def expected_calibration_error(self) -> float:
        """The items' mean distance between confidence and accuracy, by bins; in [0, 1]."""
        return float(np.average(np.abs(self.accuracy - self.confidence), weights=self.count))


def reliability(correct: ArrayLike, confidence: ArrayLike, bins: int = 10) -> Reliability:
    """Accuracy by confidence: how far the model's confidence may be taken at its word.

    For display and for planning costs only, never evidence: bins hold few items, and no figure here has
    an error probability of its own. The bins are those of scikit-learn's `calibration_curve` (imported on
    the first call), and empty ones are left out.

    Parameters
    ----------
    correct : array of bool
        Shape (n,): whether the model is right, for each audited item.
    confidence : array of float
        Shape (n,): the model's top probability for each audited item, in [0, 1].
    bins : int
        Bins of equal width over [0, 1], at least 1.

    Returns
    -------
    Reliability

    Raises
    ------
    InvalidInput
        If nothing was audited, the arrays do not fit together, `correct` is not 0 or 1, a confidence is
        no probability, or `bins` is below 1.

    References
    ----------
    A. Niculescu-Mizil and R. Caruana (2005), Predicting good probabilities with supervised learning.

    Examples
    --------
    >>> found = reliability([1, 0, 1, 1], [0.62, 0.68, 0.91, 0.99])
    >>> found.accuracy.tolist(), found.count.tolist()
    ([0.5, 1.0], [2, 2])
    """
    right, values = _checked_probabilities(correct, confidence, bins)
    from sklearn.calibration import calibration_curve

    accuracy, mean_confidence = calibration_curve(right, values, n_bins=bins)
    inner_edges = np.linspace(0.0, 1.0, bins + 1)[1:-1]
    count = np.bincount(np.searchsorted(inner_edges, values))
    columns = (mean_confidence, accuracy, count[count > 0])
    for column in columns:
        column.setflags(write=False)
    return Reliability(*columns, bins=bins)


def expected_calibration_error(correct: ArrayLike, confidence: ArrayLike, bins: int = 10) -> float:
    """The mean distance between confidence and accuracy, by bins: for display and planning, never evidence.

    Every bin's ``|accuracy - mean confidence|``, weighted by its share of the items (Naeini, Cooper and
    Hauskrecht 2015, "Obtaining well calibrated probabilities using Bayesian binning", eq. 3). It grows
    with the number of bins and shrinks with the number of items, so it compares models on the same items
    and bins only.

    Parameters
    ----------
    correct, confidence, bins
        As for :func:`reliability`.

    Returns
    -------
    float
        In [0, 1]; 0 is calibrated.

    Raises
    ------
    InvalidInput
        As for :func:`reliability`.

    Examples
    --------
    >>> round(expected_calibration_error([1, 0, 1, 1], [0.62, 0.68, 0.91, 0.99]), 3)
    0.1
    """
    return reliability(correct, confidence, bins).expected_calibration_error


def _checked_probabilities(correct: ArrayLike, confidence: ArrayLike, bins: int) -> tuple[Bools, Floats]:
    right, values = checked_outcomes(correct, confidence)
    if bins < 1:
        raise InvalidInput(f"There must be at least 1 bin, found bins={bins!r}. 10 are usual.")
    if len(values) == 0:
        raise InvalidInput("Asked how reliable the confidence is, found no audited item. Audit some first.")
    if values.min() < -_ROUNDING or values.max() > 1.0 + _ROUNDING:
        raise InvalidInput(
            f"Confidences must be probabilities in [0, 1], found {values.min():g} to {values.max():g}. "
            "Decision values have no reliability: turn them into probabilities first."
        )
    return right, np.clip(values, 0.0, 1.0)
