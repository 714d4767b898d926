"""What six constant bets on "the mean of Z is below alpha" come to, for several sequences of Z at once.

Each bet multiplies what it holds by ``1 + lambda (alpha - Z)`` at every item, and E is the mean of the six
(Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting"). Between two
errors all Z are 0 and the product has a closed form, so that a million items cost no more than the
errors among them.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from bootstrap.errors import InvalidInput
from bootstrap.measuring.outcomes import Bools, Floats, Ints

__all__ = ["BLOCK", "Wealth", "checked_smallest_probability"]

#: The bets, as shares of the largest one that can't lose everything.
_BETS: Final = 0.95 * np.geomspace(1.0, 1.0 / 8.0, 6)

#: Items that are fed at a time: it bounds the memory, and changes no figure.
BLOCK: Final = 1 << 15


class Wealth:
    """What the bets have come to, for each of R sequences of Z.

    Counting the zeros rather than adding up their logs makes the figures independent of how the items
    were cut into batches.

    Parameters
    ----------
    alpha : array of float
        Shape (R,): the mean that is bet against, in (0, 1).
    smallest_probability : float
        No Z is larger than its inverse.

    Attributes
    ----------
    zeros : array of int
        Shape (R,): items of Z = 0 so far.
    sums : array of float
        Shape (R, 6): logs of what the bets hold, as far as the other items made it.
    highest : array of float
        Shape (R,): the highest that log E has been; 0 at the start.
    """

    def __init__(self, alpha: Floats, smallest_probability: float) -> None:
        self.bets = _BETS / (1.0 / smallest_probability - alpha[:, None])
        self.log_zero = np.log1p(self.bets * alpha[:, None])
        self.alpha = alpha
        self.zeros = np.zeros(len(alpha), dtype=np.int64)
        self.sums = np.zeros(self.bets.shape)
        self.highest = np.zeros(len(alpha))

    def log_e(self) -> Floats:
        """Log of E now, for each sequence."""
        return _log_mean_exp(self.zeros[:, None] * self.log_zero + self.sums)

    def feed(self, zeros: Ints, z: Floats, fed: Bools) -> None:
        """Feed S items of Z other than 0, with zeros before, between and after them.

        Shapes: zeros (S + 1, R), z (S,), fed (S, R). E grows with every zero, so its maximum is found
        among the moments just before each other item and the last one.
        """
        factors = np.log1p(self.bets * (self.alpha[:, None] - z[:, None, None]))
        factors[~fed] = 0.0
        sums = np.cumsum(np.concatenate((self.sums[None], factors)), axis=0)
        counts = self.zeros + np.cumsum(zeros, axis=0)
        moments = _log_mean_exp(counts[:, :, None] * self.log_zero + sums)
        self.highest = np.maximum(self.highest, moments.max(axis=0))
        self.zeros, self.sums = counts[-1].copy(), sums[-1].copy()  # a view would keep the whole block

    def restore(self, zeros: Any, sums: Any, highest: Any) -> None:
        """Take over stored values of the right shapes."""
        for name, stored in (("zeros", zeros), ("sums", sums), ("highest", highest)):
            old = getattr(self, name)
            new = np.asarray(stored, dtype=old.dtype)
            if new.shape != old.shape or not np.isfinite(new).all():
                raise InvalidInput(f"The stored {name} don't fit: expected {old.shape}, found {new.shape}.")
            setattr(self, name, new)


def checked_smallest_probability(smallest_probability: float) -> float:
    """The smallest probability of an audit as a float; what is none is refused."""
    if not 0.0 < smallest_probability <= 1.0:
        raise InvalidInput(
            f"smallest_probability must be above 0 and at most 1, found {smallest_probability!r}. "
            "Pass the smallest probability with which any item will be audited, 0.1 for instance."
        )
    return float(smallest_probability)


def _log_mean_exp(logs: Floats) -> Floats:
    """Log of the mean over the last axis, which holds one log for each bet."""
    highest = logs.max(axis=-1, keepdims=True)
    mean: Floats = highest[..., 0] + np.log(np.exp(logs - highest).mean(axis=-1))
    return mean
