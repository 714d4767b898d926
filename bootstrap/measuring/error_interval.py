"""An interval for an error rate that may be looked at after every audit.

Each error rate p is tested by a beta mixture of likelihood ratios (Robbins 1970). For the true p that
ratio is a non-negative martingale that starts at 1, so by Ville's inequality it ever reaches 1/delta
with probability at most delta. The interval holds every p whose ratio has not reached it.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final, overload

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln

from bootstrap.errors import InvalidInput
from bootstrap.measuring.outcomes import Floats, check_counts, checked_counts

__all__ = ["error_interval"]

#: Both parameters of the mixture's beta distribution (Jeffreys), and the log of its normaliser.
_PRIOR: Final = 0.5
_LOG_NORMALISER: Final = math.log(math.pi)

#: Newton's steps double the correct digits: after one this small the next would change nothing.
_SMALL_STEP: Final = 1e-9
_MOST_STEPS: Final = 100


@overload
def error_interval(errors: int, n: int, delta: float) -> tuple[float, float]: ...
@overload
def error_interval(errors: ArrayLike, n: ArrayLike, delta: float) -> tuple[Floats, Floats]: ...
def error_interval(errors: Any, n: Any, delta: float) -> tuple[float, float] | tuple[Floats, Floats]:
    """Interval for the error rate behind `errors` wrong ones in `n` audits, valid at every look.

    All p with ``B(a + k, a + n - k) / B(a, a) < (1 / delta) p^k (1 - p)^(n - k)``, where k is `errors`,
    a = 1/2 and B is the beta function (Robbins 1970, "Statistical methods related to the law of the
    iterated logarithm"). With probability at least ``1 - delta`` the interval holds the true rate at
    every n at once, however often it is looked at and whenever one stops.

    That needs audits drawn uniformly at random and one fixed rate behind them: one frozen model and
    one threshold. Scored each by the model that was live when it was asked, and with the audits and
    the order in which they come fixed beforehand, the interval is for the running mean of the models'
    error rates. For a model refitted between looks and scored on all audits anew, it holds at one look
    only.

    Parameters
    ----------
    errors : int or array of int
        How many of the audited items were wrong, between 0 and n.
    n : int or array of int
        How many were audited. Broadcast against `errors`.
    delta : float
        Chance that the interval ever misses, in (0, 1).

    Returns
    -------
    low, high : float or array of float
        Ends of the interval, in [0, 1]; (0, 1) for n = 0. Floats for two whole numbers, else arrays.

    Raises
    ------
    InvalidInput
        If `delta` is outside (0, 1), or a count is negative, broken or larger than its n.

    Examples
    --------
    >>> low, high = error_interval(10, 200, 0.05)
    >>> print(f"{low:.6f} {high:.6f}")
    0.013600 0.120659
    """
    if not 0.0 < delta < 1.0:
        raise InvalidInput(f"delta must be between 0 and 1, both excluded, found {delta!r}. 0.05 is usual.")
    if isinstance(errors, numbers.Integral) and isinstance(n, numbers.Integral):
        return _scalar_interval(int(errors), int(n), delta)
    return _array_interval(errors, n, delta)


def _scalar_interval(errors: int, n: int, delta: float) -> tuple[float, float]:
    """The interval in plain floats: ten times faster than numpy for one pair of counts."""
    check_counts(errors, n)
    if n == 0:
        return 0.0, 1.0
    right = n - errors
    drop = (
        _LOG_NORMALISER
        - math.log(delta)
        - math.lgamma(errors + _PRIOR)
        - math.lgamma(right + _PRIOR)
        + math.lgamma(n + 2 * _PRIOR)
    )
    if errors == 0:
        return 0.0, -math.expm1(-drop / n)
    if right == 0:
        return math.exp(-drop / n), 1.0
    drop += errors * math.log(errors / n) + right * math.log(right / n)
    odds = right / errors
    below = math.exp(-_log_odds_distance(errors, right, drop, math, bool))
    above = math.exp(-_log_odds_distance(right, errors, drop, math, bool))
    return below / (below + odds), 1.0 / (1.0 + odds * above)


def _array_interval(errors: ArrayLike, n: ArrayLike, delta: float) -> tuple[Floats, Floats]:
    k, total = checked_counts(errors, n)
    low, high = np.zeros(k.shape), np.ones(k.shape)
    right = total - k
    drop = _LOG_NORMALISER - math.log(delta) - betaln(k + _PRIOR, right + _PRIOR)
    none, all_ = k == 0, right == 0
    with np.errstate(divide="ignore"):  # no audit at all: divided by zero it says (0, 1), as it should
        high[none] = -np.expm1(-drop[none] / total[none])
        low[all_] = np.exp(-drop[all_] / total[all_])
    mixed = (k > 0) & (right > 0)
    k, right, total, drop = k[mixed], right[mixed], total[mixed], drop[mixed]
    drop += k * np.log(k / total) + right * np.log(right / total)
    odds = right / k
    below = np.exp(-_log_odds_distance(k, right, drop, np, np.all))
    above = np.exp(-_log_odds_distance(right, k, drop, np, np.all))
    low[mixed], high[mixed] = below / (below + odds), 1.0 / (1.0 + odds * above)
    return low, high


def _log_odds_distance(k: Any, rest: Any, drop: Any, xp: ModuleType, all_: Callable[[Any], Any]) -> Any:
    """How far below those of k/n the log odds lie where the log likelihood has fallen by `drop`.

    At a distance t it has fallen by ``k t + n log(1 + (k/n) (exp(-t) - 1))``: convex and growing, and
    free of the cancellation between likelihoods of millions of audits. So Newton's steps come down on
    the root from the right, whichever side they start on. The other end of the interval is the same
    question with right and wrong exchanged. `xp` is `math` for numbers and `numpy` for arrays.
    """
    n = k + rest
    share = k / n
    t = xp.sqrt(2.0 * drop / (share * rest))  # exact were the log likelihood a parabola
    for _ in range(_MOST_STEPS):
        shrunk = share * xp.expm1(-t)
        excess = k * t + n * xp.log1p(shrunk) - drop
        step = -excess * (1.0 + shrunk) / (rest * shrunk)
        t = t - step
        if all_(abs(step) <= _SMALL_STEP * t):
            break
    return t
