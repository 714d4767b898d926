"""How many errors a closed pool can hold, when part of it was audited without replacement.

Where most of a pool has been looked at, the rest can't hide much: the bound is then far below the one
for endless traffic. It is a beta-binomial mixture over the number of errors in the pool (Waudby-Smith
and Ramdas 2020, "Confidence sequences for sampling without replacement").
"""

from __future__ import annotations

import math
import numbers

import numpy as np
from scipy.special import gammaln

from bootstrap.errors import InvalidInput
from bootstrap.measuring.outcomes import Floats, check_counts, check_open_share

__all__ = ["finite_pool_upper"]


def finite_pool_upper(errors: int, n: int, pool_size: int, delta: float) -> int:
    """The largest number of errors in a closed pool that its audits do not reject.

    With probability at least ``1 - delta`` the pool never holds more, however often one looks while the
    audit goes on.

    It applies to one closed pool whose output is the product: the candidate is frozen first, then the
    audit is drawn uniformly without replacement from the `pool_size` still unlabeled items above the
    threshold that the statement is about. It pays from an audited share of about a fifth.

    It never applies with the size of the held-out set as `pool_size` (the held-out set stands for
    something larger), and never to traffic: what has not arrived yet is in no pool.

    Parameters
    ----------
    errors : int
        How many of the audited items were wrong, between 0 and n.
    n : int
        How many were audited, at most `pool_size`.
    pool_size : int
        Items that the model would decide alone, audited ones included.
    delta : float
        Chance that the pool ever holds more than was said, in (0, 1).

    Returns
    -------
    int
        Errors in the whole pool, the audited ones included: from `errors` to ``pool_size - n + errors``.

    Raises
    ------
    InvalidInput
        If `delta` is outside (0, 1), a count is no whole number, or the counts do not fit together.

    Examples
    --------
    >>> finite_pool_upper(0, 100, 200, 0.05)
    5
    """
    check_open_share("delta", delta)
    if not all(isinstance(count, numbers.Integral) for count in (errors, n, pool_size)):
        raise InvalidInput(
            f"errors, n and pool_size must be whole numbers, found {errors!r}, {n!r} and {pool_size!r}."
        )
    check_counts(errors, n)
    if n > pool_size:
        raise InvalidInput(
            f"Found {n} audits in a pool of {pool_size}. Without replacement no item is audited twice: "
            "count each once, and the audited ones in the pool."
        )
    held = np.arange(pool_size + 1, dtype=np.float64)  # errors that the pool may hold
    prior = _log_factorial(held - 0.5) - _log_factorial(held)
    prior += prior[::-1]  # beta-binomial with both parameters 1/2, but for a constant that cancels
    possible = slice(errors, pool_size - n + errors + 1)
    found, missed = held[possible], pool_size - held[possible]
    likelihood = _log_factorial(found) - _log_factorial(found - errors)
    likelihood += _log_factorial(missed) - _log_factorial(missed - (n - errors))
    # against "at least K": the mixture over fewer than K errors, divided by the likelihood of K
    weight = np.logaddexp.accumulate(prior)[errors : pool_size - n + errors]
    mixture = np.logaddexp.accumulate(prior[possible] + likelihood)[:-1] - weight
    kept = np.flatnonzero(mixture - likelihood[1:] < -math.log(delta))
    return int(errors + kept[-1] + 1) if len(kept) else int(errors)


def _log_factorial(x: Floats) -> Floats:
    values: Floats = gammaln(x + 1.0)
    return values
