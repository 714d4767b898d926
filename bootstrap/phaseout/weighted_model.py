"""The verdict on a frozen model whose audits had different chances: each counts by one over its chance.

Where people review one part of what arrives and audit another with a small probability, the answers are no
uniform draw. Weighted by the chance that was logged before the answer came, they still are evidence for
every review rate at once; what was not audited counts as 0 and has to be fed as well.

It is looked at once, after the last item: the order of the rows then plays no part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bootstrap.measuring.outcomes import Bools, Floats
from bootstrap.measuring.weighted_evidence import WeightedEvidence
from bootstrap.phaseout.candidate import Candidate, Rung
from bootstrap.phaseout.claims import Outcome
from bootstrap.phaseout.frozen_words import review_below
from bootstrap.phaseout.missing import Need
from bootstrap.phaseout.verdict import Move, Verdict
from bootstrap.records import Class, Skip

__all__ = ["Weighed", "hold_at", "weigh", "weighted_verdict"]

#: For the guard against a model that only names the commonest class.
_DELTA_OF_GUARD = 0.05


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the weighted audits say about one rung.

    Attributes
    ----------
    log_e : float
        Log of the evidence that the error is below the one that the target allows.
    n_items : int
        Items that would be decided alone, audited or not.
    error : float or None
        Estimate of the error there: errors by one over their chance, a share of `n_items`.
    commonest_would_do : bool
        Whether always naming the commonest class might meet the target there, too.
    """

    log_e: float
    n_items: int
    error: float | None
    commonest_would_do: bool


def weigh(
    candidate: Candidate, answers: Sequence[Class | Skip | None], probability: Floats
) -> tuple[Weighed, ...]:
    """Count every audit on every rung, and weigh the evidence of each.

    An item with chance 1 that has no answer was asked: its answer is missing, and counts as wrong.

    Parameters
    ----------
    candidate : Candidate
        Its predictions are of items 0 to n - 1; the counts of its rungs go up.
    answers : sequence, length n
        As for :func:`bootstrap.phaseout.frozen_model.verdict_for_frozen_model`.
    probability : array of float, shape (n,)
        The chance of each audit, in (0, 1].
    """
    n = len(answers)
    asked = np.array([answer is not None for answer in answers], dtype=np.bool_) | (probability == 1.0)
    wrong = np.zeros(n, dtype=np.bool_)
    truths: list[Class | None] = [None] * n
    for row in np.flatnonzero(asked).tolist():
        answer = answers[row]
        outcome = candidate.score(row, None if isinstance(answer, Skip) else answer, None)
        _count(candidate, outcome)
        wrong[row], truths[row] = outcome.wrong, outcome.truth
    weight = asked / probability
    smallest = float(probability.min())
    return tuple(_weigh(rung, candidate, wrong, truths, weight, smallest) for rung in candidate.rungs)


def weighted_verdict(candidate: Candidate, weighed: Sequence[Weighed]) -> Verdict:
    """Certify rungs from the highest review rate down, and say what follows.

    Parameters
    ----------
    candidate : Candidate
        Its rungs are marked as certified.
    weighed : sequence of Weighed
        One for each rung.
    """
    goal = -math.log(candidate.delta)
    for rung, one in zip(candidate.rungs, weighed, strict=True):
        if one.log_e < goal or one.commonest_would_do:
            break
        rung.certified = True
    certified = [(rung, one) for rung, one in zip(candidate.rungs, weighed, strict=True) if rung.certified]
    if certified:
        return _advance(candidate, *certified[-1])
    return hold_at(candidate, weighed, 1.0)


def hold_at(candidate: Candidate, weighed: Sequence[Weighed], present_rate: float) -> Verdict:
    """What stands before the highest rung that is not certified."""
    rung, one = next((r, w) for r, w in zip(candidate.rungs, weighed, strict=True) if not r.certified)
    goal = -math.log(candidate.delta)
    found = (
        f"at a review rate of {rung.review_rate:.2f}, {rung.n_wrong:,} wrong of {rung.n_alone:,} audited "
        f"among the {one.n_items:,} items that would be decided alone, each weighted by its chance, give "
        f"evidence of {one.log_e:.2f} (log e); {goal:.2f} certifies."
    )
    numbers = {
        "wrong": rung.n_wrong,
        "audited": rung.n_alone,
        "items_alone": one.n_items,
        "log_e": one.log_e,
        "log_e_needed": goal,
        "allowed": rung.main.alpha,
    }
    need, step = Need.AUDITS, "have more items that arrive labeled at random and blind, and ask again."
    if one.error is None:
        found = f"at a review rate of {rung.review_rate:.2f} the model would decide nothing alone."
        need, step = Need.TRAINING, "take a model whose confidences differ."
    elif one.log_e >= goal:
        found += (
            " But always naming the commonest class might be as good, so that accuracy shows nothing of use."
        )
        need = Need.RECALL_TARGET
        step = (
            "audit all items with one chance from now on, and ask with a --recall for the class that matters."
        )
    elif one.error >= rung.main.alpha:
        found += f" The error seems to be {one.error:.3f}; the target allows {rung.main.alpha:.3f}."
        need, step = Need.TRAINING, "train a better model, and test that with audits that come after it."
    elif one.log_e > 0.0:
        more = math.ceil(one.n_items * (goal / one.log_e - 1.0))
        numbers["items_to_go"] = more
        step = f"ask again after about {more:,} more items that would be decided alone, audited as so far."
    return Verdict(
        Move.HOLD, present_rate, rung.review_rate, need, found, step, numbers, _missed(rung, candidate)
    )


def _count(candidate: Candidate, outcome: Outcome) -> None:
    """Count an audit for the figures of each rung; certified is what the weights say, later."""
    candidate.n_skipped += outcome.truth is None
    if outcome.truth is not None:
        candidate.audited[outcome.truth] += 1
    for rung in candidate.rungs:
        rung.feed(outcome)


def _weigh(
    rung: Rung,
    candidate: Candidate,
    wrong: Bools,
    truths: Sequence[Class | None],
    weight: Floats,
    smallest: float,
) -> Weighed:
    alone = candidate.predictions.confidence > rung.threshold
    n = int(alone.sum())
    if n == 0:
        return Weighed(0.0, 0, None, True)
    z = (wrong * weight)[alone]
    log_e = _log_e(z, rung.main.alpha, smallest)
    return Weighed(log_e, n, float(z.mean()), _commonest_would_do(rung, truths, weight, alone, smallest))


def _commonest_would_do(
    rung: Rung, truths: Sequence[Class | None], weight: Floats, alone: Bools, smallest: float
) -> bool:
    """Whether nothing disproves that one class has a share of ``1 - alpha`` or more of what is decided alone.

    The same evidence as for errors, against "the share is at least 1 - alpha"; a missing answer is
    taken as that class.
    """
    if not rung.alone:
        return True
    commonest = rung.alone.most_common(1)[0][0]
    is_it = np.array([truth is None or truth == commonest for truth in truths], dtype=np.bool_)
    evidence = _log_e((is_it * weight)[alone], 1.0 - rung.main.alpha, smallest)
    return evidence < -math.log(_DELTA_OF_GUARD)


def _log_e(z: Floats, alpha: float, smallest: float) -> float:
    evidence = WeightedEvidence(alpha, smallest)
    evidence.update(z)
    return float(evidence.log_e)


def _advance(candidate: Candidate, rung: Rung, one: Weighed) -> Verdict:
    return Verdict(
        Move.ADVANCE,
        rung.review_rate,
        rung.review_rate,
        None,
        f"{rung.n_wrong:,} wrong of {rung.n_alone:,} audited among the {one.n_items:,} items that "
        f"{candidate.name} would decide alone, each weighted by its chance, are evidence of {one.log_e:.2f} "
        f"(log e; {-math.log(candidate.delta):.2f} certifies) that its error there is below "
        f"{rung.main.alpha:.3f}.",
        review_below(rung.threshold),
        {
            "wrong": rung.n_wrong,
            "audited": rung.n_alone,
            "items_alone": one.n_items,
            "log_e": one.log_e,
            "log_e_needed": -math.log(candidate.delta),
            "allowed": rung.main.alpha,
            "threshold": rung.threshold,
        },
        _missed(rung, candidate),
    )


def _missed(rung: Rung, candidate: Candidate) -> dict[Class, tuple[int, int]] | None:
    missed = {name: (rung.missed[name], n) for name, n in candidate.audited.items()}
    return missed or None
