"""Whether the present candidate is worth its audits, or the labels are better spent on training.

A rule for spending only. It reads held-out outcomes, so it may decide how many audits are asked and when
to stop asking, and never what is trained.
"""

from __future__ import annotations

from scipy.special import betainc

from bootstrap.measuring.outcomes import check_counts, check_open_share, check_share

__all__ = ["worth_auditing"]

#: Jeffreys' prior for an error rate: both parameters of its beta distribution.
_PRIOR = 0.5


def worth_auditing(errors: int, n: int, alpha: float, *, share: float = 0.6, least: float = 0.1) -> bool:
    """Whether a candidate may still be good enough to be certified at a bearable price.

    An error rate well below the allowed `alpha` is certified quickly, one just below it takes thousands
    of audits or never gets there. So audits go on while the posterior probability that the error is below
    ``share * alpha`` is at least `least`, under Jeffreys' prior: beta(1/2 + errors, 1/2 + n - errors).
    One unlucky error among the first audits does not end it, as a rule on the mere share of errors would.

    While no error was seen the answer is always yes: nothing speaks against the candidate then, but for
    a very small `alpha` the prior alone would, and it could never collect a first audit.

    Parameters
    ----------
    errors : int
        Wrong ones among the candidate's audited items that it would decide alone.
    n : int
        How many those items are.
    alpha : float
        Error rate that the target allows, in (0, 1).
    share : float
        Share of `alpha` below which a certificate is within reach, in [0, 1].
    least : float
        Posterior probability below which one gives up, in [0, 1].

    Returns
    -------
    bool

    Raises
    ------
    InvalidInput
        If the counts can't be, or a share is out of its range.

    Examples
    --------
    >>> worth_auditing(1, 25, 0.05), worth_auditing(4, 40, 0.05)
    (True, False)
    """
    check_counts(errors, n)
    check_open_share("alpha", alpha)
    check_share("share", share)
    check_share("least", least)
    if errors == 0:
        return True
    return bool(betainc(errors + _PRIOR, n - errors + _PRIOR, share * alpha) >= least)
