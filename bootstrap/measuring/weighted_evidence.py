"""Evidence from a log in which not every item is audited.

Each arriving item that the model would decide alone counts as ``Z = X * xi / pi``: X is 1 where the model
was wrong, xi is 1 where the item was audited, and pi is the probability of that, fixed before. The mean
of Z is the error rate, whoever was audited (Horvitz and Thompson 1952). Bets that it is below alpha are
multiplied up item by item; Ville's inequality makes what they come to good for any number of looks.

An unaudited item has Z = 0 and must be fed all the same: leaving it out voids the guarantee.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from bootstrap.errors import InvalidInput
from bootstrap.measuring.bets import BLOCK, Wealth, checked_smallest_probability
from bootstrap.measuring.outcomes import Floats, check_open_share
from bootstrap.measuring.stored import reading_stored

__all__ = ["WeightedEvidence"]


class WeightedEvidence:
    """Evidence that the mean of Z is below `alpha`, from items audited with known probabilities.

    A target of ``1 - alpha`` is certified once `highest_log_e` is ``log(1 / delta)`` or more. While the
    error rate is `alpha` or more the chance that this ever happens is at most `delta`, at any number
    of looks, provided that every item is fed, in the order of arrival (an item whose audit is pending
    blocks those behind it), that its probability was fixed before anybody asked, and that one frozen
    model and one threshold stand behind it. Where the probabilities change with a promotion the
    evidence goes on; with a new candidate it begins anew.

    Parameters
    ----------
    alpha : float
        The error rate that the target allows, in (0, 1).
    smallest_probability : float
        The smallest probability with which any item will ever be audited, in (0, 1]. Smaller ones
        make smaller bets: it is part of the plan and can't be changed afterwards.

    Raises
    ------
    InvalidInput
        If `alpha` or `smallest_probability` is out of range.

    References
    ----------
    Waudby-Smith and Ramdas (2024), "Estimating means of bounded random variables by betting". Horvitz and
    Thompson (1952), on weighting by inverse probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> evidence = WeightedEvidence(0.05, 0.1)
    >>> evidence.update(np.zeros(1000))
    >>> evidence.update(10.0)
    >>> round(evidence.log_e, 6), round(evidence.highest_log_e, 6), evidence.n
    (1.453836, 3.260927, 1001)
    """

    def __init__(self, alpha: float, smallest_probability: float) -> None:
        check_open_share("alpha", alpha)
        self.alpha: Final = float(alpha)
        self.smallest_probability: Final = checked_smallest_probability(smallest_probability)
        self._wealth = Wealth(np.array([self.alpha]), self.smallest_probability)
        self._n = 0

    @property
    def n(self) -> int:
        """Items fed so far, unaudited ones included."""
        return self._n

    @property
    def log_e(self) -> float:
        """Log of the evidence now; 0 before the first item."""
        return float(self._wealth.log_e()[0])

    @property
    def highest_log_e(self) -> float:
        """Highest that `log_e` has been at any moment, the start and moments within a batch included."""
        return float(self._wealth.highest[0])

    def update(self, z: ArrayLike) -> None:
        """Feed the next item, or several in the order in which they arrived.

        Parameters
        ----------
        z : float or array of float
            Shape () or (n,): 0 for an unaudited item and for one that the model had right, ``1 / pi``
            for one that it had wrong.

        Raises
        ------
        InvalidInput
            If a value is below 0, above ``1 / smallest_probability`` or NaN. Nothing was fed then.
        """
        try:
            values = np.atleast_1d(np.asarray(z, dtype=np.float64))
        except (TypeError, ValueError) as wrong:
            raise InvalidInput(f"Z must be a number for each item: {wrong}.") from None
        if values.ndim != 1:
            raise InvalidInput(f"Z must be one number an item, found shape {values.shape}.")
        largest = 1.0 / self.smallest_probability
        bad = ~((values >= 0.0) & (values <= largest))
        if bad.any():
            raise InvalidInput(
                f"Z must lie between 0 and {largest:g}, which is 1 / smallest_probability, found "
                f"{values[bad][0]:g}. An item audited with a smaller probability than was planned can't "
                "be evidence here: begin anew with a smaller smallest_probability."
            )
        for start in range(0, len(values), BLOCK):
            self._feed(values[start : start + BLOCK])

    def _feed(self, values: Floats) -> None:
        at = np.flatnonzero(values)
        edges = np.concatenate(([-1], at, [len(values)]))
        self._wealth.feed((np.diff(edges) - 1)[:, None], values[at], np.ones((len(at), 1), dtype=np.bool_))
        self._n += len(values)

    def to_dict(self) -> dict[str, Any]:
        """Settings and state as plain types; through JSON and back they give the same figures bit by bit."""
        return {
            "alpha": self.alpha,
            "smallest_probability": self.smallest_probability,
            "n": self._n,
            "zeros": int(self._wealth.zeros[0]),
            "sums": self._wealth.sums[0].tolist(),
            "highest_log_e": float(self._wealth.highest[0]),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> WeightedEvidence:
        """The evidence that :meth:`to_dict` stored.

        Raises
        ------
        InvalidInput
            If something is missing or does not fit together.
        """
        with reading_stored("weighted evidence"):
            evidence = cls(stored["alpha"], stored["smallest_probability"])
            evidence._wealth.restore([stored["zeros"]], [stored["sums"]], [stored["highest_log_e"]])
            evidence._n = int(stored["n"])
        return evidence
