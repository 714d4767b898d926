"""What a certificate may still cost: labels and audits as a range, and in days at the present pace.

A forecast, and marked as one wherever it shows. It is made from plain numbers, holds no evidence, and no
verdict can be drawn from it.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import partial
from typing import Any

from scipy.special import betaincinv

from bootstrap.errors import InvalidInput
from bootstrap.measuring.audits import audits_needed, fewest_with
from bootstrap.measuring.outcomes import check_counts, check_open_share, check_share
from bootstrap.planning.forecast import Forecast
from bootstrap.planning.staffing import days_needed

__all__ = ["Plan", "plan_ahead"]

#: The slow end of the range: this share of all runs needs no more.
_SLOW = 0.9


@dataclass(frozen=True, slots=True)
class Plan:
    """What it may take to a certificate. A forecast, not evidence; `str(plan)` is made to be read.

    Audits are counted in all, at every confidence, from here on: those of items that people would review
    anyhow are no evidence, and cost a label all the same.

    Attributes
    ----------
    target_accuracy : float
        Of what the model decides alone, in (0, 1).
    review_rate : float
        Share that people decide, in [0, 1).
    delta : float
        Chance that any certificate is ever false, of all candidates together, in (0, 1).
    candidate : int
        Number in the ledger of the candidate that is planned for, from 1; number m may spend
        ``delta / (m (m + 1))``.
    errors, n : int
        Evidence that it has so far: errors and audits in the part that it would decide alone.
    error : float
        Error rate in that part that the plan assumes, in [0, 1].
    error_given : bool
        True where the caller said what to assume.
    training_labels : int
        Labels to be trained on before this candidate exists; 0 where it does.
    at_least : int
        Audits to a certificate if none of them finds an error.
    typically : int or None
        The median at the assumed error; None where that is not in reach.
    slow : int or None
        What nine runs of ten stay within at the assumed error; None where that is not in reach.
    next_at_least : int
        Audits, if none finds an error, for the candidate after this one, which starts anew.
    labels_per_day : float or None
        The present pace; None where it isn't known.
    forecast : Forecast or None
        Where the error may be after more training.
    """

    target_accuracy: float
    review_rate: float
    delta: float
    candidate: int
    errors: int
    n: int
    error: float
    error_given: bool
    training_labels: int
    at_least: int
    typically: int | None
    slow: int | None
    next_at_least: int
    labels_per_day: float | None = None
    forecast: Forecast | None = None

    @property
    def days(self) -> tuple[int | None, int | None, int | None]:
        """Working days for training labels and audits: at least, typically, at the slow end.

        None where the pace isn't known or the audits are not in reach.
        """
        at_least, typically, slow = (self._days(n) for n in (self.at_least, self.typically, self.slow))
        return at_least, typically, slow

    def _days(self, audits: int | None) -> int | None:
        if audits is None or self.labels_per_day is None:
            return None
        return days_needed(self.training_labels + audits, self.labels_per_day)

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain types, ready for JSON; it says of itself that it is a forecast."""
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        at_least, typically, slow = self.days
        days = {"at_least": at_least, "typically": typically, "slow": slow}
        forecast = None if self.forecast is None else self.forecast.to_dict()
        return {"kind": "forecast, not evidence", **plain, "days": days, "forecast": forecast}

    def __str__(self) -> str:
        what = f"A forecast, not evidence: {self.target_accuracy:g} at {100 * self.review_rate:.3g} % review"
        if self.at_least == 0:
            return f"{what} may need no further audit. Only a verdict can tell."
        if self.typically is None:
            paragraphs = [f"{what}: {self._out_of_reach()}", self._assumed()]
        else:
            paragraphs = [f"{what}: {self._cost(self.typically)}{self._duration()}", self._assumed()]
        if self.forecast is not None:
            paragraphs.append(str(self.forecast))
        return "\n\n".join(paragraphs)

    def _cost(self, typically: int) -> str:
        slow = "more than can be foreseen" if self.slow is None else f"{_rounded(self.slow):,}"
        training = f" on {_count(self.training_labels, 'more label')}" if self.training_labels else ""
        return (
            f"at least {self._fewest()}, typically {_rounded(typically):,} and at the slow end {slow}, "
            f"besides training{training}."
        )

    def _out_of_reach(self) -> str:
        text = (
            f"not in reach while the error stays near {_percent(self.error)}; the target allows "
            f"{_percent(1.0 - self.target_accuracy)}, and to show it takes clearly less. Without any further "
            f"error it would still be {self._fewest()}."
        )
        if self.training_labels:
            return text
        return (
            f"{text} More training may help: the next candidate, number {self.candidate + 1}, starts anew "
            f"and takes at least {_count(self.next_at_least, 'audit')}."
        )

    def _fewest(self) -> str:
        return _count(self.at_least, "more audit" if self.n else "audit")

    def _duration(self) -> str:
        at_least, typically, slow = self.days
        if at_least is None or typically is None:
            return ""
        end = "" if slow is None else f", at the slow end {slow:,}"
        these = "audits and training labels" if self.training_labels else "audits"
        return (
            f" At the present {self.labels_per_day:,.3g} labels a day, all of them spent on these {these}, "
            f"that is at least {_count(at_least, 'working day')}, typically {typically:,}{end}."
        )

    def _assumed(self) -> str:
        if self.error_given:
            why = "as was given"
        elif self.n:
            why = f"as {_count(self.errors, 'error')} in {_count(self.n, 'audit')} suggest so far"
        else:
            why = "half of what the target allows, since no audit says anything yet"
        text = (
            f"This assumes that the model is wrong on {_percent(self.error)} of what it decides alone, {why}."
        )
        if self.typically is not None:
            text += (
                ' "At least" is without any further error; half of all runs stay within "typically", nine of '
                'ten within "at the slow end".'
            )
        spent = self.delta / (self.candidate * (self.candidate + 1))
        return (
            f"{text} Audits are drawn from everything, and the {_percent(1.0 - self.review_rate)} that the "
            "model would decide alone are the ones that count. This is for candidate "
            f"{self.candidate}, which may spend {spent:.2g} of the overall {self.delta:g}; each later "
            "candidate may spend less and takes more audits."
        )


def plan_ahead(
    target_accuracy: float,
    review_rate: float,
    *,
    delta: float = 0.05,
    candidate: int = 1,
    errors: int = 0,
    n: int = 0,
    error: float | None = None,
    training_labels: int = 0,
    labels_per_day: float | None = None,
    forecast: Forecast | None = None,
) -> Plan:
    """How many labels, audits and days a certificate may still take: a forecast, never evidence.

    The audits follow from the certificate's own boundary, exactly, for the error rate that is assumed:
    `error` where it is given, else the median of a posterior. Its prior is a beta distribution worth one
    error, with its median at half of what the target allows; so before the first audit that half is what
    is assumed, and a few lucky or unlucky audits do not swing the plan.

    Parameters
    ----------
    target_accuracy : float
        Of what the model decides alone, in (0, 1).
    review_rate : float
        Share that people decide, in [0, 1).
    delta : float
        Chance that any certificate is ever false, of all candidates together, in (0, 1).
    candidate : int
        Number in the ledger, from 1: of the present candidate where its evidence is passed, else of the
        next one.
    errors, n : int
        Errors and audits of the present candidate so far, in the part that it would decide alone.
    error : float, optional
        Error rate to assume in that part, in [0, 1].
    training_labels : int
        Labels still to be trained on before the candidate exists, 0 or more.
    labels_per_day : float, optional
        The present pace, see :func:`~bootstrap.planning.labels_per_day`; above 0.
    forecast : Forecast, optional
        Shown beside the plan; it changes no figure of it.

    Returns
    -------
    Plan

    Raises
    ------
    InvalidInput
        If the counts can't be, or a share or a number is out of its range.

    Examples
    --------
    >>> plan = plan_ahead(0.95, 0.2)
    >>> plan.at_least, plan.typically, plan.slow
    (113, 622, 1349)
    >>> print(str(plan).partition(" and at the slow end")[0])
    A forecast, not evidence: 0.95 at 20 % review: at least 113 audits, typically 630
    """
    check_counts(errors, n)
    _check_numbers(target_accuracy, review_rate, delta, candidate, training_labels, labels_per_day)
    assumed = _posterior_median(errors, n, 1.0 - target_accuracy) if error is None else error

    def in_all(decided_alone: int | None) -> int | None:
        if decided_alone is None:
            return None
        return math.ceil(decided_alone / (1.0 - review_rate) - 1e-9)  # 63 of .9 are 70, whatever floats say

    spent = delta / (candidate * (candidate + 1))
    spent_next = delta / ((candidate + 1) * (candidate + 2))
    at_least = max(0, fewest_with(errors, target_accuracy, spent) - n)
    further = partial(audits_needed, target_accuracy, assumed, spent, errors=errors, n=n)
    return Plan(
        target_accuracy=target_accuracy,
        review_rate=review_rate,
        delta=delta,
        candidate=candidate,
        errors=errors,
        n=n,
        error=assumed,
        error_given=error is not None,
        training_labels=training_labels,
        at_least=in_all(at_least) or 0,
        typically=in_all(further(quantile=0.5)),
        slow=in_all(further(quantile=_SLOW)),
        next_at_least=in_all(fewest_with(0, target_accuracy, spent_next)) or 0,
        labels_per_day=labels_per_day,
        forecast=forecast,
    )


def _posterior_median(errors: int, n: int, alpha: float) -> float:
    prior = math.log(0.5) / math.log1p(-alpha / 2.0)  # beta(1, prior) has its median at alpha / 2
    return float(betaincinv(errors + 1.0, n - errors + prior, 0.5))


def _check_numbers(
    target: float, rate: float, delta: float, candidate: int, training_labels: int, pace: float | None
) -> None:
    check_open_share("target_accuracy", target)
    check_share("review_rate", rate)
    check_open_share("delta", delta)
    if rate == 1.0:
        raise InvalidInput(
            "Asked to plan for a review rate of 1: people decide everything there, and nothing has to be "
            "certified. Pass a lower rate, 0.2 for instance."
        )
    if candidate < 1 or training_labels < 0:
        raise InvalidInput(
            "Candidates are numbered from 1, and training_labels is 0 or more; found "
            f"candidate={candidate!r} and training_labels={training_labels!r}."
        )
    if pace is not None and not 0.0 < pace < math.inf:
        raise InvalidInput(f"labels_per_day must be above 0, found {pace!r}. Leave it out if not known.")


def _rounded(n: int) -> int:
    """Up to two digits: a forecast has no more."""
    step: int = 10 ** max(0, len(str(n)) - 2)
    return -(-n // step) * step


def _percent(share: float) -> str:
    percent = 100 * share
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %"


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun if n == 1 else noun + 's'}"
