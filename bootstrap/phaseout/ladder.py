"""The review rates that are tested, fixed before the first audit.

Rates are tested from the highest down, and testing stops at the first that fails. Then the first rate at
which the claim is false is reached with probability at most delta, and no correction for the number of
rates is needed (fixed-sequence testing: Maurer, Hothorn, Lehmacher 1995).
"""

from __future__ import annotations

import math

from bootstrap.errors import InvalidInput

__all__ = ["LADDER", "ladder_below", "worth_testing"]

#: Review rates in the order in which they are tested, where nothing else is said.
LADDER = (0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.05, 0.02, 0.0)


def ladder_below(review_rate: float) -> tuple[float, ...]:
    """The rungs of a pool: its review rate, then the lower ones of :data:`LADDER`.

    A review rate of 1 needs no certificate, so that testing begins at the top of the ladder then.

    Examples
    --------
    >>> ladder_below(0.12)
    (0.12, 0.1, 0.05, 0.02, 0.0)
    """
    if not 0.0 <= review_rate <= 1.0:
        raise InvalidInput(f"review_rate is a share in [0, 1], found {review_rate!r}")
    first = () if review_rate == 1.0 else (float(review_rate),)
    return first + tuple(rate for rate in LADDER if rate < review_rate)


def worth_testing(
    rates: tuple[float, ...], decided_alone: tuple[float, ...], n_audits: int, alpha: float, delta: float
) -> tuple[float, ...]:
    """For traffic: the rungs on which the audits that are planned could prove anything at all.

    Without one error among them, n audits speak against an error rate of alpha by at most
    ``(1 - alpha)^n``; where that stays above delta, testing the rung could only block those below it.

    Parameters
    ----------
    rates : tuple of float
        Review rates, falling.
    decided_alone : tuple of float
        Share of the audits that the model would decide alone at each rate.
    n_audits : int
        Audits planned.
    alpha, delta : float
        Error rate that the target allows (0: none is worth testing), and what the candidate may spend.
    """
    if alpha <= 0.0:
        return ()
    needed = math.log(delta) / math.log1p(-alpha)
    return tuple(rate for rate, alone in zip(rates, decided_alone, strict=True) if alone * n_audits >= needed)
