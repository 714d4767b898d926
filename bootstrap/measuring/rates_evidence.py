"""Evidence at every review rate of a grid, read from one log of routed items.

One log serves all rates: what people answered below a threshold is audited with probability 1, so those
labels are evidence for the next lower rate before it is taken. At each rate the items above its
threshold count as :mod:`bootstrap.measuring.weighted_evidence` tells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from bootstrap.errors import InvalidInput
from bootstrap.measuring.bets import BLOCK, Wealth, checked_smallest_probability
from bootstrap.measuring.outcomes import Bools, Floats, Ints, check_open_share, checked_confidence
from bootstrap.measuring.stored import reading_stored

__all__ = ["RatesEvidence"]


class RatesEvidence:
    """Evidence at every review rate of a grid, read from one log of routed items.

    For each rate the items with a confidence strictly above its threshold are fed to evidence of their
    own, as :class:`WeightedEvidence` tells, with the same conditions. The rates are to be tested
    downwards from the present one, stopping at the first that fails; then no correction for their
    number is needed.

    Parameters
    ----------
    thresholds : array of float
        Shape (R,), R >= 1, in any order: the confidence above which the model decides alone at each
        rate. ``-inf`` is no review. Fixed, like the grid, before the first audit.
    alpha : float or array of float
        The error rate that the target allows, in (0, 1): for all rates, or one for each.
    smallest_probability : float
        The smallest probability with which any item will ever be audited, in (0, 1].

    Raises
    ------
    InvalidInput
        If a threshold is NaN or infinite upwards, `alpha` does not fit to them, or a share is out of
        range.

    Examples
    --------
    >>> evidence = RatesEvidence([0.9, 0.5], alpha=0.05, smallest_probability=0.5)
    >>> evidence.update(
    ...     confidence=[0.95, 0.6, 0.99, 0.4], wrong=[False, True, False, True],
    ...     asked=[True, True, False, True], probability=[0.5, 1.0, 0.5, 1.0],
    ... )
    >>> evidence.n.tolist(), evidence.n_audited.tolist(), evidence.n_wrong.tolist()
    ([2, 3], [1, 2], [0, 1])
    """

    def __init__(self, thresholds: ArrayLike, alpha: ArrayLike, smallest_probability: float) -> None:
        self._thresholds = _checked_thresholds(thresholds)
        self._alpha = _checked_alpha(alpha, len(self._thresholds))
        self.smallest_probability: Final = checked_smallest_probability(smallest_probability)
        self._wealth = Wealth(self._alpha, self.smallest_probability)
        self._order = np.argsort(self._thresholds)
        self._n, self._audited, self._wrong = np.zeros((3, len(self._thresholds)), dtype=np.int64)

    @property
    def thresholds(self) -> Floats:
        """Shape (R,), as given; so are all arrays here."""
        return self._thresholds.copy()

    @property
    def alpha(self) -> Floats:
        """The error rate that the target allows, at each rate."""
        return self._alpha.copy()

    @property
    def n(self) -> Ints:
        """Items fed so far, unaudited ones included."""
        return self._n.copy()

    @property
    def n_audited(self) -> Ints:
        """Audited items among them."""
        return self._audited.copy()

    @property
    def n_wrong(self) -> Ints:
        """Audited items among them that the model had wrong."""
        return self._wrong.copy()

    @property
    def log_e(self) -> Floats:
        """Log of the evidence now; 0 before the first item."""
        return self._wealth.log_e()

    @property
    def highest_log_e(self) -> Floats:
        """Highest that `log_e` has been at any moment, the start and moments within a batch included."""
        return self._wealth.highest.copy()

    def update(
        self, confidence: ArrayLike, wrong: ArrayLike, asked: ArrayLike, probability: ArrayLike
    ) -> None:
        """Feed items in the order in which they were routed.

        An item whose audit is still pending blocks those behind it: pass what came before it, and the
        rest once it is answered.

        Parameters
        ----------
        confidence : array of float
            Shape (n,), finite, like all four: the candidate's confidence.
        wrong : array of bool
            Whether the candidate had it wrong. Read where `asked` only; elsewhere it may be anything.
        asked : array of bool
            Whether a person answered it blind, by the draw: an answer for any other reason is no audit.
        probability : array of float
            Probability with which it was to be asked blind, fixed beforehand. At least
            `smallest_probability`, also where the item was not asked.

        Raises
        ------
        InvalidInput
            If the arrays don't fit together, a confidence is NaN, `wrong` or `asked` hold something else
            than True and False, a probability is out of range, or an item was not asked although its
            probability is 1. Nothing was fed then.
        """
        values = checked_confidence(confidence)
        drawn = _checked_bools("asked", asked, len(values))
        z = _inverse(probability, drawn, self.smallest_probability)
        errors = _checked_errors(wrong, drawn)
        for start in range(0, len(values), BLOCK):
            block = slice(start, start + BLOCK)
            self._feed(values[block], errors[block], drawn[block], z[block])

    def _feed(self, confidence: Floats, errors: Bools, asked: Bools, z: Floats) -> None:
        # how many thresholds an item passes says for every rate whether it is decided alone there
        passed = np.searchsorted(self._thresholds[self._order], confidence, side="left")
        before = np.cumsum(errors, dtype=np.int64)  # an item of Z = 0 stands behind so many errors
        zeros = self._tally(passed[~errors], before[~errors], int(np.count_nonzero(errors)) + 1)
        fed = confidence[errors, None] > self._thresholds
        self._wealth.feed(zeros, z[errors], fed)
        self._n += zeros.sum(axis=0) + fed.sum(axis=0)
        self._audited += self._tally(passed[asked], 0, 1)[0]
        self._wrong += fed.sum(axis=0)

    def _tally(self, passed: Ints, row: Ints | int, n_rows: int) -> Ints:
        """Items decided alone at each rate, counted by row: shape (n_rows, R)."""
        width = len(self._thresholds) + 1
        cells = np.bincount(row * width + passed, minlength=n_rows * width).reshape(n_rows, width)
        at_least = np.cumsum(cells[:, ::-1], axis=1)[:, ::-1]
        tally = np.empty((n_rows, width - 1), dtype=np.int64)
        tally[:, self._order] = at_least[:, 1:]
        return tally

    def to_dict(self) -> dict[str, Any]:
        """Settings and state as plain types; through JSON and back they give the same figures bit by bit.

        A threshold of ``-inf``, for which JSON has no number, is None.
        """
        return {
            "thresholds": [None if t == -math.inf else t for t in self._thresholds.tolist()],
            "alpha": self._alpha.tolist(),
            "smallest_probability": self.smallest_probability,
            "n": self._n.tolist(),
            "n_audited": self._audited.tolist(),
            "n_wrong": self._wrong.tolist(),
            "zeros": self._wealth.zeros.tolist(),
            "sums": self._wealth.sums.tolist(),
            "highest_log_e": self._wealth.highest.tolist(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> RatesEvidence:
        """The evidence that :meth:`to_dict` stored.

        Raises
        ------
        InvalidInput
            If something is missing or does not fit together.
        """
        with reading_stored("evidence at several rates"):
            thresholds = [-math.inf if t is None else t for t in stored["thresholds"]]
            evidence = cls(thresholds, stored["alpha"], stored["smallest_probability"])
            evidence._wealth.restore(stored["zeros"], stored["sums"], stored["highest_log_e"])
            counts = np.zeros((3, len(thresholds)), dtype=np.int64)
            counts[:] = [stored["n"], stored["n_audited"], stored["n_wrong"]]
            evidence._n, evidence._audited, evidence._wrong = counts
        return evidence


def _checked_thresholds(thresholds: ArrayLike) -> Floats:
    values = np.array(thresholds, dtype=np.float64)
    if values.ndim != 1 or len(values) == 0:
        raise InvalidInput(f"Thresholds must be one for each review rate, found shape {values.shape}.")
    if np.isnan(values).any() or (values == math.inf).any():
        raise InvalidInput(
            f"Thresholds must be numbers (-inf is no review), found {values.tolist()}. "
            "Take them from review_threshold."
        )
    return values


def _checked_alpha(alpha: ArrayLike, n_rates: int) -> Floats:
    values = np.asarray(alpha, dtype=np.float64)
    if values.shape not in ((), (n_rates,)):
        raise InvalidInput(
            f"alpha must be one number, or one for each of {n_rates} rates, found shape {values.shape}."
        )
    values = np.array(np.broadcast_to(values, (n_rates,)))
    for value in values.tolist():
        check_open_share("alpha", value)
    return values


def _checked_bools(name: str, given: ArrayLike, n: int) -> Bools:
    values = np.asarray(given)
    if values.shape != (n,):
        raise InvalidInput(
            f"confidence, wrong, asked and probability must have one entry for each item: found {n} "
            f"confidences, and shape {values.shape} for {name}."
        )
    if values.dtype != np.bool_ and not np.isin(values, (0, 1)).all():
        raise InvalidInput(f"{name} must hold True or False for each item, found {values[:3].tolist()}.")
    return values.astype(np.bool_)


def _checked_errors(wrong: ArrayLike, asked: Bools) -> Bools:
    """Whether an item was asked and wrong; what stands in `wrong` elsewhere is not read."""
    values = np.asarray(wrong)
    if values.shape == asked.shape:
        errors = np.zeros(len(asked), dtype=np.bool_)
        errors[asked] = _checked_bools("wrong", values[asked], int(np.count_nonzero(asked)))
        return errors
    return _checked_bools("wrong", values, len(asked))  # refuses the shape


def _inverse(probability: ArrayLike, asked: Bools, smallest: float) -> Floats:
    """What each item weighs if it was asked and wrong."""
    try:
        values = np.asarray(probability, dtype=np.float64)
    except (TypeError, ValueError) as wrong:
        raise InvalidInput(f"Probabilities must be numbers: {wrong}.") from None
    if values.shape != asked.shape:
        raise InvalidInput(
            f"Each item needs the probability of its audit: found shape {values.shape} for "
            f"{len(asked)} items."
        )
    bad = ~((values >= smallest) & (values <= 1.0))
    if bad.any():
        raise InvalidInput(
            f"Probabilities must lie between smallest_probability = {smallest:g} and 1, found "
            f"{values[bad][0]:g}. Errors among items that are hardly ever audited would go unseen: begin "
            "anew with a smaller smallest_probability, and never route at 0."
        )
    skipped = np.count_nonzero((values == 1.0) & ~asked)
    if skipped:
        raise InvalidInput(
            f"{skipped} items were to be asked with probability 1 and were not. A pending audit blocks "
            "the items behind it; one that nobody could answer counts as wrong."
        )
    return 1.0 / values
