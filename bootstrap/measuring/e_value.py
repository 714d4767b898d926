"""Evidence that the error rate is below what a target allows, and the bound that comes with it.

The null hypothesis is "the error rate is alpha or more". Against it bets a beta mixture of likelihood
ratios, truncated to the rates below alpha (Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon 2021).
While the null holds, the value E of that bet is a non-negative supermartingale that starts at 1, so by
Ville's inequality it ever reaches 1/delta with probability at most delta, however often it is looked at.

The state of the evidence is two integers: how many audits, and how many of them were wrong.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from typing import Any, Final, overload

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaln

from bootstrap.errors import InvalidInput
from bootstrap.measuring.error_interval import error_interval
from bootstrap.measuring.outcomes import Floats, check_counts, check_open_share, checked_counts

__all__ = ["error_upper_bound", "log_e_value"]

#: Both parameters of the mixture's beta distribution (Jeffreys).
_PRIOR: Final = 0.5

#: Below this the incomplete beta is about to underflow, and the continued fraction converges fast.
_TAIL: Final = 1e-200

#: Newton's steps double the correct digits: after one this small the next would change nothing.
_SMALL_STEP: Final = 1e-9
_MOST_STEPS: Final = 100

#: The continued fraction has converged when another term changes it by no more; it takes about ten.
_SMALL_CHANGE: Final = 1e-14
_MOST_TERMS: Final = 1000


@overload
def log_e_value(errors: int, n: int, alpha: float) -> float: ...
@overload
def log_e_value(errors: ArrayLike, n: ArrayLike, alpha: ArrayLike) -> Floats: ...
def log_e_value(errors: Any, n: Any, alpha: Any) -> float | Floats:
    """Log of the evidence that the error rate is below `alpha`; it may be looked at after every audit.

    ``E = [B(alpha; a + k, a + n - k) / B(alpha; a, a)] / [alpha^k (1 - alpha)^(n - k)]``, where k is
    `errors`, a = 1/2 and ``B(x; ., .)`` is the unnormalised incomplete beta function. A target of
    ``1 - alpha`` is certified as soon as the log is ``log(1 / delta)`` or more, and it stays certified
    whatever comes afterwards. The chance that this ever happens while the error rate is `alpha` or more
    is at most `delta`.

    That needs audits drawn uniformly at random, and one frozen model and one threshold behind them.
    Each item counts once, and none of them may have trained, chosen or tuned the model. Where each audit
    is scored by the model that was live when it was asked, it is a statement about the running mean of
    the models' error rates.

    Parameters
    ----------
    errors : int or array of int
        How many of the audited items were wrong, between 0 and n.
    n : int or array of int
        How many were audited. Broadcast against `errors` and `alpha`.
    alpha : float or array of float
        The error rate that the target allows, in (0, 1).

    Returns
    -------
    float or array of float
        0 for n = 0. A float for three numbers, else an array. Good to about 1e-7 for ten million audits.

    Raises
    ------
    InvalidInput
        If an `alpha` is outside (0, 1), or a count is negative, broken or larger than its n.

    References
    ----------
    Robbins (1970), "Statistical methods related to the law of the iterated logarithm". Howard, Ramdas,
    McAuliffe and Sekhon (2021), "Time-uniform, nonparametric, nonasymptotic confidence sequences", on
    one-sided mixtures. The running mean: Howard and others (2021), too.

    Examples
    --------
    >>> round(log_e_value(0, 100, 0.05), 6)
    4.192745
    >>> log_e_value([5, 10], 200, 0.05).round(6).tolist()
    [0.614075, -1.672018]
    """
    if isinstance(errors, numbers.Integral) and isinstance(n, numbers.Integral) and isinstance(alpha, float):
        check_open_share("alpha", alpha)
        wrong, total = int(errors), int(n)
        check_counts(wrong, total)
        return _scalar_log_e(wrong, total - wrong, alpha)
    return _array_log_e_value(errors, n, alpha)


@overload
def error_upper_bound(errors: int, n: int, delta: float) -> float: ...
@overload
def error_upper_bound(errors: ArrayLike, n: ArrayLike, delta: float) -> Floats: ...
def error_upper_bound(errors: Any, n: Any, delta: float) -> float | Floats:
    """Upper bound for the error rate, valid at every look.

    The p above ``k/n`` at which the evidence against "the error rate is p or more" (:func:`log_e_value`)
    is exactly ``log(1 / delta)``: every larger rate is rejected. With probability at least ``1 - delta``
    the bound is never below the true rate, on the conditions that are told there. A target of
    ``1 - alpha`` is certified where the bound is `alpha` or less.

    Parameters
    ----------
    errors : int or array of int
        How many of the audited items were wrong, between 0 and n.
    n : int or array of int
        How many were audited. Broadcast against `errors`.
    delta : float
        Chance that the bound is ever below the true rate, in (0, 1).

    Returns
    -------
    float or array of float
        In (0, 1]; 1 where nothing was audited or everything was wrong. A float for two whole numbers,
        else an array.

    Raises
    ------
    InvalidInput
        If `delta` is outside (0, 1), or a count is negative, broken or larger than its n.

    Examples
    --------
    >>> round(error_upper_bound(2, 200, 0.05), 6)
    0.043552
    """
    check_open_share("delta", delta)
    level = -math.log(delta)
    if isinstance(errors, numbers.Integral) and isinstance(n, numbers.Integral):
        wrong, total = int(errors), int(n)
        start = error_interval(wrong, total, delta)[1]
        return float(_rate_at(wrong, total - wrong, start, level, _scalar_log_e)) if start < 1.0 else 1.0
    k, audits = checked_counts(errors, n)
    bound = error_interval(k, audits, delta)[1]
    open_ = bound < 1.0
    bound[open_] = _rate_at(k[open_], (audits - k)[open_], bound[open_], level, _array_log_e)
    return bound


def _scalar_log_e(k: int, right: int, alpha: float) -> float:
    """The log of E in plain floats: several times faster than numpy for one pair of counts."""
    if k + right == 0:
        return 0.0
    log_prior = math.log(2.0 * math.asin(math.sqrt(alpha)))
    share = float(betainc(k + _PRIOR, right + _PRIOR, alpha))
    if share < _TAIL:
        tail = float(_tail(k + _PRIOR, right + _PRIOR, alpha))
        return 0.5 * math.log(alpha * (1.0 - alpha)) + math.log(tail) - log_prior
    log_beta = math.lgamma(k + _PRIOR) + math.lgamma(right + _PRIOR) - math.lgamma(k + right + 1.0)
    return log_beta + math.log(share) - k * math.log(alpha) - right * math.log1p(-alpha) - log_prior


def _array_log_e_value(errors: ArrayLike, n: ArrayLike, alpha: ArrayLike) -> float | Floats:
    k, total = checked_counts(errors, n)
    try:
        k, total, rate = np.broadcast_arrays(k, total, np.asarray(alpha, dtype=np.float64))
    except (TypeError, ValueError) as wrong:
        raise InvalidInput(f"alpha must be numbers whose shape fits to the counts: {wrong}.") from None
    bad = ~((rate > 0.0) & (rate < 1.0))
    if bad.any():
        check_open_share("alpha", float(rate[bad][0]))
    return _array_log_e(k.ravel(), (total - k).ravel(), rate.ravel()).reshape(k.shape)


def _array_log_e(k: Floats, right: Floats, alpha: Floats) -> Floats:
    log_prior = np.log(2.0 * np.arcsin(np.sqrt(alpha)))
    share = betainc(k + _PRIOR, right + _PRIOR, alpha)
    with np.errstate(divide="ignore"):  # underflown ones are computed anew below
        log_e: Floats = betaln(k + _PRIOR, right + _PRIOR) + np.log(share)
    log_e -= k * np.log(alpha) + right * np.log1p(-alpha) + log_prior
    far = share < _TAIL
    if far.any():
        x = alpha[far]
        fraction = _tail(k[far] + _PRIOR, right[far] + _PRIOR, x)
        log_e[far] = 0.5 * np.log(x * (1.0 - x)) + np.log(fraction) - log_prior[far]
    log_e[k + right == 0] = 0.0
    return log_e


def _tail(a: Any, b: Any, x: Any) -> Any:
    """``B(x; a, b) / (x^a (1 - x)^b)`` for x far below a / (a + b), where B itself underflows.

    The even part of the continued fraction DLMF 8.17.22 (Didonato and Morris 1992), evaluated forwards.
    What it is divided by is, but for a square root, the likelihood under alpha: in E they cancel.
    """
    value = ratio = _partial_denominator(0, a, b, x)
    reverse = 0.0
    for m in range(1, _MOST_TERMS):
        numerator = (a + m - 1) * (a + b + m - 1) * m * (b - m) * x * x / (a + 2 * m - 1) ** 2
        denominator = _partial_denominator(m, a, b, x)
        ratio = denominator + numerator / ratio
        reverse = 1.0 / (denominator + numerator * reverse)
        change = ratio * reverse
        value = value * change
        if np.all(abs(change - 1.0) <= _SMALL_CHANGE):
            break
    return 1.0 / value


def _partial_denominator(m: int, a: Any, b: Any, x: Any) -> Any:
    growth = (a + m) * (a - (a + b) * x + 1.0 + m * (2.0 - x)) / (a + 2 * m + 1)
    return m + m * (b - m) * x / (a + 2 * m - 1) + growth if m else growth


def _rate_at(k: Any, right: Any, start: Any, level: float, log_e: Callable[[Any, Any, Any], Any]) -> Any:
    """The p above k/n at which log E is `level`, by Newton's method in log odds.

    There the log likelihood is concave, and `start` is the upper end of the two-sided interval, which
    is beyond the root or next to it, so the steps come down on it from the right.
    """
    n = k + right
    t = np.log(start) - np.log1p(-start)
    for _ in range(_MOST_STEPS):
        p = 1.0 / (1.0 + np.exp(-t))
        value = log_e(k, right, p)
        # what the truncation moves as p grows: the prior's density over its mass below p, times p (1 - p)
        truncation = np.sqrt(p * (1.0 - p)) / (2.0 * np.arcsin(np.sqrt(p)))
        step = (value - level) / (n * p - k + truncation * np.expm1(-value))
        t = t - step
        if np.all(abs(step) <= _SMALL_STEP):
            break
    return 1.0 / (1.0 + np.exp(-t))
