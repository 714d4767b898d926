"""How many audits a certificate takes from now on: said beside a refusal, and evidence of nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bootstrap.measuring.audits import audits_needed, fewest_with

__all__ = ["AuditsAhead", "audits_ahead"]


@dataclass(frozen=True, slots=True)
class AuditsAhead:
    """Audits that a certificate takes from now on, none counted so far: a plan, no evidence.

    Attributes
    ----------
    review_rate : float
        The rate that they would certify.
    least, typical : int
        Drawn from all that arrives: without an error among them, and the median where the model errs half
        as often as the target allows.
    least_alone, typical_alone : int
        Of these, in the part that the model decides alone.
    """

    review_rate: float
    least: int
    typical: int
    least_alone: int
    typical_alone: int


def audits_ahead(
    review_rate: float, reviewed: float, target_accuracy: float, delta: float
) -> AuditsAhead | None:
    """How many audits a review rate takes, with none counted so far: exact, and evidence of nothing.

    Parameters
    ----------
    review_rate, reviewed : float
        The rate, and the share of all items that would be reviewed, ties included.
    target_accuracy : float
        Of what the model decides alone, in (0, 1).
    delta : float
        What the model may spend, in (0, 1).

    Returns
    -------
    AuditsAhead or None
        None where nothing is decided alone.

    Examples
    --------
    >>> audits_ahead(0.2, 0.2, 0.95, 0.025).least
    113
    """
    if reviewed >= 1.0:
        return None
    least = fewest_with(0, target_accuracy, delta)
    typical = audits_needed(target_accuracy, (1.0 - target_accuracy) / 2.0, delta)
    if typical is None:  # a delta so small that the horizon of the recursion ends before
        return None
    in_all = [math.ceil(n / (1.0 - reviewed)) for n in (least, typical)]
    return AuditsAhead(review_rate, in_all[0], in_all[1], least, typical)
