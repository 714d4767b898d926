"""The exact interval for a share, for a single look.

For counts that are looked at once and then acted upon: traps shown, items that were answered twice.
What is looked at again after every audit takes :func:`bootstrap.measuring.error_interval`.
"""

from __future__ import annotations

import numbers
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainccinv, betaincinv

from bootstrap.measuring.outcomes import Floats, check_counts, check_open_share, checked_counts

__all__ = ["clopper_pearson"]


@overload
def clopper_pearson(errors: int, n: int, delta: float) -> tuple[float, float]: ...
@overload
def clopper_pearson(errors: ArrayLike, n: ArrayLike, delta: float) -> tuple[Floats, Floats]: ...
def clopper_pearson(errors: Any, n: Any, delta: float) -> tuple[float, float] | tuple[Floats, Floats]:
    """Two-sided interval for the share behind `errors` of `n`, for one look at an `n` fixed beforehand.

    Never for a bound that is looked at again. Looked at after each of some thousand audits, the same
    interval misses in about a quarter of all runs at delta = 0.05; where one may look again,
    :func:`bootstrap.measuring.error_interval` is meant.

    Parameters
    ----------
    errors : int or array of int
        How many of the items showed what is counted, between 0 and n.
    n : int or array of int
        How many items there were. Broadcast against `errors`.
    delta : float
        Chance that the interval misses, in (0, 1); at most half of it on either side.

    Returns
    -------
    low, high : float or array of float
        Ends of the interval, in [0, 1]; (0, 1) for n = 0. Floats for two whole numbers, else arrays.

    Raises
    ------
    InvalidInput
        If `delta` is outside (0, 1), or a count is negative, broken or larger than its n.

    References
    ----------
    C. J. Clopper and E. S. Pearson (1934), The use of confidence or fiducial limits illustrated in the
    case of the binomial; here by the quantiles of beta distributions.

    Examples
    --------
    >>> low, high = clopper_pearson(18, 300, 0.05)
    >>> print(f"{low:.6f} {high:.6f}")
    0.035944 0.093170
    """
    check_open_share("delta", delta)
    if isinstance(errors, numbers.Integral) and isinstance(n, numbers.Integral):
        return _scalar_interval(int(errors), int(n), delta)
    return _array_interval(errors, n, delta)


def _scalar_interval(errors: int, n: int, delta: float) -> tuple[float, float]:
    check_counts(errors, n)
    right = n - errors
    low = float(betaincinv(errors, right + 1, delta / 2)) if errors else 0.0
    high = float(betainccinv(errors + 1, right, delta / 2)) if right else 1.0
    return low, high


def _array_interval(errors: ArrayLike, n: ArrayLike, delta: float) -> tuple[Floats, Floats]:
    k, total = checked_counts(errors, n)
    right = total - k
    # where a parameter would be 0 the beta distribution sits on one point: nothing is to be computed
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), right + 1, delta / 2), 0.0)
    high = np.where(right > 0, betainccinv(k + 1, np.maximum(right, 1), delta / 2), 1.0)
    return low, high
