"""How many audits a certificate takes: figures for planning, exact, and evidence of nothing.

With k errors among them, audits certify from a certain number n(k) on, the fewer the errors the earlier.
A run of audits is certified when its count of errors first meets that boundary, and how likely that is
by any number of audits follows by recursion over the errors, without simulation.
"""

from __future__ import annotations

import math
from typing import Any, Final, overload

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, xlog1py, xlogy

from bootstrap.errors import InvalidInput
from bootstrap.measuring.e_value import log_e_value
from bootstrap.measuring.outcomes import Floats, Ints, check_counts, check_open_share, check_share

__all__ = ["audits_needed", "fewest_with"]

#: Errors that the target allows within the horizon of :func:`audits_needed`: the horizon is this / alpha.
_ALLOWED_ERRORS: Final = 1000

#: Runs with more errors than this share of all runs will ever have are left out of the recursion.
_NEGLIGIBLE: Final = 1e-18


@overload
def fewest_with(errors: int, target: float, delta: float) -> int: ...
@overload
def fewest_with(errors: ArrayLike, target: float, delta: float) -> Ints: ...
def fewest_with(errors: Any, target: float, delta: float) -> int | Ints:
    """The smallest number of audits that certifies `target` with so many errors among them.

    The smallest n with ``log_e_value(errors, n, 1 - target) >= log(1 / delta)``; more audits with no
    more errors certify as well. They count in the part that the model decides alone.

    Parameters
    ----------
    errors : int or array of int
        Errors among the audits, 0 or more.
    target : float
        Accuracy of what the model decides alone, in (0, 1).
    delta : float
        What this candidate may spend, in (0, 1).

    Returns
    -------
    int or array of int
        Of the shape of `errors`.

    Raises
    ------
    InvalidInput
        If `target` or `delta` is outside (0, 1), or a number of errors is negative or broken.

    Examples
    --------
    >>> fewest_with([0, 1, 2], 0.95, 0.05).tolist()
    [74, 131, 174]
    """
    check_open_share("target", target)
    check_open_share("delta", delta)
    k = np.asarray(errors)
    if k.dtype.kind not in "iu" or (k < 0).any():
        raise InvalidInput(f"errors must be whole numbers, 0 or more, found {errors!r}.")
    alpha, level = 1.0 - target, -math.log(delta)

    def certifies(n: Ints) -> Any:
        return log_e_value(k, n, alpha) >= level

    # E grows with each further right answer, so the smallest n is found by halving
    low = k.astype(np.int64)  # all wrong: E is below 1
    high = low + 1
    while not (enough := certifies(high)).all():
        low, high = np.where(enough, low, high), np.where(enough, high, 2 * high)
    while (high - low > 1).any():
        middle = (low + high) // 2
        enough = certifies(middle)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return int(high) if high.ndim == 0 else high


def audits_needed(
    target: float, error: float, delta: float = 0.05, *, quantile: float = 0.5, errors: int = 0, n: int = 0
) -> int | None:
    """Further audits after which a share `quantile` of all runs has certified `target`, at a true error rate.

    A forecast for planning. It takes the error rate as known, so it is never evidence: what may be said
    about a model comes from :func:`bootstrap.measuring.log_e_value` alone.

    Exact for audits that are independent, wrong with probability `error`, and looked at one by one:
    certified as soon as the evidence reaches ``log(1 / delta)``. Counted are audits in the part that the
    model decides alone; at a review rate r that takes about ``1 / (1 - r)`` times as many audits of
    everything that arrives.

    Parameters
    ----------
    target : float
        Accuracy of what the model decides alone, in (0, 1).
    error : float
        True error rate of what the model decides alone, in [0, 1].
    delta : float
        What this candidate may spend, in (0, 1).
    quantile : float
        Share of runs that are to have certified, in (0, 1). 0.5 gives the median.
    errors, n : int
        Errors and audits so far, where the candidate has evidence already.

    Returns
    -------
    int or None
        0 where the evidence so far suffices. None where the share is not reached while the target allows
        at most a thousand further errors (20,000 audits at a target of 0.95), and wherever `error` is
        not below ``1 - target``: what certifies then does so falsely.

    Raises
    ------
    InvalidInput
        If `error` is outside [0, 1], another share outside (0, 1), or the counts can't be.

    Examples
    --------
    >>> audits_needed(0.95, 0.0), audits_needed(0.95, 0.025), audits_needed(0.95, 0.0, errors=1, n=100)
    (74, 381, 31)
    """
    check_share("error", error)
    check_open_share("quantile", quantile)
    check_counts(errors, n)
    # With k errors a run is certified at boundary[k] audits, and before its next error at no later moment.
    boundary = fewest_with(errors + np.arange(_ALLOWED_ERRORS), target, delta)
    if n >= boundary[0]:
        return 0
    if error >= 1.0 - target:
        return None
    certified, before = 0.0, n
    undecided = np.ones(1)  # [i]: share of runs not certified before this moment that have i errors more
    for moment in boundary[boundary <= n + _ALLOWED_ERRORS / (1.0 - target)].tolist():
        undecided = np.convolve(undecided, _binomial(moment - before, error))
        certified += undecided[0]
        undecided = undecided[1:]
        if certified >= quantile or len(undecided) == 0:
            return int(moment - n)
        undecided = undecided[: np.count_nonzero(np.cumsum(undecided[::-1]) > _NEGLIGIBLE)]
        before = moment
    return None


def _binomial(n: int, p: float) -> Floats:
    """Probabilities of 0, 1, 2, ... errors in n audits, up to where they are negligible."""
    most = n * p + 12.0 * math.sqrt(n * p * (1.0 - p)) + 40.0
    k = np.arange(min(n, int(most)) + 1)
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    probabilities: Floats = np.exp(ways + xlogy(k, p) + xlog1py(n - k, -p))
    return probabilities
