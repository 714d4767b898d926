"""The verdict on one frozen model that lives elsewhere, from what it predicted and what people answered.

No loop, no refit, no held-out set: what arrived since the model was frozen is all there is. Thresholds come
from its confidences on all of that, answered or not, and the answers count in the order of arrival.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from bootstrap.errors import InvalidInput
from bootstrap.measuring.outcomes import Bools, Floats, check_open_share, checked_confidence
from bootstrap.phaseout.audits_ahead import AuditsAhead, audits_ahead
from bootstrap.phaseout.candidate import Candidate, Rung, rungs_for
from bootstrap.phaseout.certificate import Certificate, certify
from bootstrap.phaseout.claims import Claim, claims_of
from bootstrap.phaseout.frozen_words import for_a_log
from bootstrap.phaseout.ladder import ladder_below
from bootstrap.phaseout.ledger import Ledger
from bootstrap.phaseout.missing import Need
from bootstrap.phaseout.people import People
from bootstrap.phaseout.predictions import Predictions
from bootstrap.phaseout.situation import Situation
from bootstrap.phaseout.trial import Trial
from bootstrap.phaseout.verdict import Move, Verdict, give_verdict
from bootstrap.phaseout.weighted_model import hold_at, weigh, weighted_verdict
from bootstrap.records import SKIP, Class, Skip

__all__ = ["FrozenModelVerdict", "RateFigures", "verdict_for_frozen_model"]

#: Standard deviations by which the audited items' mean rank of confidence may be off. A uniform draw goes
#: beyond with a chance of about 6e-7.
_UNEVEN: Final = 5.0

#: An audit here is no part of a closed pool: more items come, so there is no end to those that may be asked.
_NO_END: Final = 10**15


@dataclass(frozen=True, slots=True)
class RateFigures:
    """One review rate of the ladder, and what the audits say about it.

    Attributes
    ----------
    review_rate, realised_review_rate : float
        As it is called, and the share of all items at or below the threshold.
    threshold : float
        The model would decide alone above this confidence.
    n_alone, n_wrong : int
        Audits that it would decide alone, and those of them that it gets wrong.
    error_bound : float or None
        Upper bound of its error there, valid at every look; None where the audits carry weights.
    allowed : float
        The error that the target allows.
    certified : bool
    """

    review_rate: float
    realised_review_rate: float
    threshold: float
    n_alone: int
    n_wrong: int
    error_bound: float | None
    allowed: float
    certified: bool


@dataclass(frozen=True, slots=True)
class FrozenModelVerdict:
    """What follows, and on what it rests.

    Attributes
    ----------
    verdict : Verdict
    lower : Verdict or None
        After an advance, what stands before the next lower rate; None where there was none, or no rate is
        left.
    certificates : tuple of Certificate
        In the order in which they were given; none where the model was withdrawn.
    rates : tuple of RateFigures
        Falling; empty without any item.
    ahead : AuditsAhead or None
        Where no audit counts, what the highest rate that is tested would take from now on; None where some
        count, or where the model would decide nothing alone.
    n_audited, n_unanswered : int
        Audits that count, and those of them without an answer, which count as wrong.
    candidate : int
        The model's number in the ledger.
    delta : float
        What it may spend.
    """

    verdict: Verdict
    lower: Verdict | None
    certificates: tuple[Certificate, ...]
    rates: tuple[RateFigures, ...]
    ahead: AuditsAhead | None
    n_audited: int
    n_unanswered: int
    candidate: int
    delta: float

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return {
            "verdict": self.verdict.to_dict(),
            "lower": None if self.lower is None else self.lower.to_dict(),
            "certificates": [certificate.to_dict() for certificate in self.certificates],
            "rates": [dataclasses.asdict(rate) for rate in self.rates],
            "ahead": None if self.ahead is None else dataclasses.asdict(self.ahead),
            "n_audited": self.n_audited,
            "n_unanswered": self.n_unanswered,
            "candidate": self.candidate,
            "delta": self.delta,
        }


def verdict_for_frozen_model(
    predicted: ArrayLike,
    confidence: ArrayLike,
    answers: Sequence[Class | Skip | None],
    *,
    review_rate: float = 0.2,
    target_accuracy: float = 0.95,
    delta: float = 0.05,
    targets: Mapping[Any, Mapping[str, float]] | None = None,
    probability: ArrayLike | None = None,
    tested_before: int = 0,
    name: str = "the model",
) -> FrozenModelVerdict:
    """Whether people may review less of what one frozen model predicts.

    All items are distinct contents that the model was not trained, chosen or tuned on, in order of arrival.
    Without `probability`, those that were audited must have been drawn at random, all with one chance, at
    least where the model would decide alone. Nothing in the arrays can show that, but much can speak against
    it: where the audited items are plainly more, or less, confident than the others there, nothing is
    certified.

    Parameters
    ----------
    predicted : array, shape (n,)
        The model's class of each item.
    confidence : array of float, shape (n,)
        Its probability, finite.
    answers : sequence, length n
        A person's blind answer; None where nobody was asked, SKIP where there is no answer (yet) to an
        audit: it counts as wrong, since late answers may be the hard ones.
    review_rate : float
        The highest review rate that is tested, in [0, 1]; lower ones follow
        (:func:`bootstrap.phaseout.ladder_below`).
    target_accuracy : float
        Of what the model decides alone, in (0, 1).
    delta : float
        Chance that any certificate is false, over all models that are tested on these audits.
    targets : mapping, optional
        For single classes, such as ``{"spam": {"recall": 0.9}}``. Not with `probability`.
    probability : array of float, shape (n,), optional
        The chance with which each item was audited, fixed before its answer, in (0, 1]. An item with chance 1
        and without an answer counts as one whose answer is missing.
    tested_before : int
        Models that were tested on these audits before this one.
    name : str
        What the model is, for people.

    Returns
    -------
    FrozenModelVerdict

    Raises
    ------
    InvalidInput
        For lengths that differ, a confidence that is not finite, a probability outside (0, 1], or a setting
        that can't be.
    """
    check_open_share("target_accuracy", target_accuracy)
    values = checked_confidence(confidence)
    kinds = np.asarray(predicted)
    if not len(kinds) == len(values) == len(answers):
        raise InvalidInput(
            f"each item needs a class, a confidence and an answer (None where nobody was asked), found "
            f"{len(kinds)}, {len(values)} and {len(answers)}"
        )
    if probability is not None and targets:
        raise InvalidInput(
            "targets for single classes were asked for with audits of unequal chances: that is not "
            "supported. Audit all items with one chance, or leave out the targets."
        )
    claims = claims_of(target_accuracy, "alone", targets)
    ladder = ladder_below(review_rate)
    test = _Test(name, claims, ladder, *Ledger(delta, tested_before).draw(), delta, _classes(kinds, answers))
    if len(values) == 0:
        return _without_items(test)
    rows = np.arange(len(values))
    predictions = Predictions(rows, kinds, values)
    candidate = Candidate(
        number=test.number,
        delta=test.share,
        name=name,
        round=0,
        n_trained=0,
        predictions=predictions,
        rungs=rungs_for(predictions, rows, ladder, claims, test.share),
    )
    asked = np.array([answer is not None for answer in answers], dtype=np.bool_)
    if probability is not None:
        return _weighted(test, candidate, answers, _checked_probability(probability, len(values)))
    if _uneven(values, asked, candidate.rungs[0].threshold):
        return _drawn_unevenly(test, candidate)
    return _uniform(test, candidate, answers)


@dataclass(frozen=True, slots=True)
class _Test:
    """What was fixed before any answer was looked at."""

    name: str
    claims: tuple[Claim, ...]
    ladder: tuple[float, ...]
    number: int
    share: float
    delta: float
    classes: tuple[Class, ...]

    def situation(self, certificates: tuple[Certificate, ...], present_rate: float = 1.0) -> Situation:
        return Situation(
            self.claims,
            self.ladder,
            present_rate=present_rate,
            n_left=_NO_END,
            certificates=certificates,
            classes=self.classes,
        )

    def certificate(self, candidate: Candidate, rung: Rung) -> Certificate:
        return certify(candidate, rung, people=People(), delta_in_all=self.delta, classes=self.classes)

    def hold(self, reason: str, next_step: str, need: Need = Need.AUDITS) -> Verdict:
        """A hold for a reason of its own, before anything is counted."""
        return Verdict(Move.HOLD, 1.0, self.ladder[0], need, reason, next_step, {}, None)

    def ahead(self, rungs: Sequence[Rung]) -> AuditsAhead | None:
        reviewed = rungs[0].realised_review_rate if rungs else self.ladder[0]
        return audits_ahead(self.ladder[0], reviewed, self.claims[0].target, self.share)

    def outcome(
        self,
        verdict: Verdict,
        rungs: Sequence[Rung] = (),
        *,
        lower: Verdict | None = None,
        certificates: tuple[Certificate, ...] = (),
        counted: tuple[int, int] = (0, 0),
        weighted: bool = False,
    ) -> FrozenModelVerdict:
        certified = {certificate.review_rate for certificate in certificates}
        rates = tuple(
            RateFigures(
                rung.review_rate,
                rung.realised_review_rate,
                rung.threshold,
                rung.n_alone,
                rung.n_wrong,
                None if weighted else rung.main.bound,
                rung.main.alpha,
                rung.review_rate in certified,
            )
            for rung in rungs
        )
        return FrozenModelVerdict(
            verdict,
            lower,
            certificates,
            rates,
            None if counted[0] else self.ahead(rungs),
            *counted,
            self.number,
            self.share,
        )


def _uniform(test: _Test, candidate: Candidate, answers: Sequence[Class | Skip | None]) -> FrozenModelVerdict:
    """Audits that all had one chance, in the order in which they came."""
    trial = Trial()
    trial.register(candidate)  # before the first audit, so that the alarm watches what comes after an advance
    given: list[Certificate] = []
    for row, answer in enumerate(answers):
        if answer is not None:
            trial.ask(row)
            given += [test.certificate(one, rung) for one, rung in trial.answer(row, answer)]
    withdrawn = trial.champion is None and trial.withdrawn is not None
    certificates = () if withdrawn else tuple(given)
    verdict = give_verdict(trial, test.situation(certificates))
    lower = None
    if verdict.move is Move.ADVANCE and candidate.next_rung is not None:
        lower = for_a_log(give_verdict(trial, test.situation(certificates, verdict.review_rate)), candidate)
    return test.outcome(
        for_a_log(verdict, candidate),
        candidate.rungs,
        lower=lower,
        certificates=certificates,
        counted=_counted(answers),
    )


def _weighted(
    test: _Test, candidate: Candidate, answers: Sequence[Class | Skip | None], probability: Floats
) -> FrozenModelVerdict:
    """Audits of different chances; the certificates' bound is the error rate that was disproved."""
    weighed = weigh(candidate, answers, probability)
    verdict = weighted_verdict(candidate, weighed)
    certificates, rungs = [], candidate.rungs
    for rung in rungs:
        if rung.certified:
            certificate = test.certificate(candidate, rung)
            proved = dataclasses.replace(
                certificate.proved[0],
                n_audited=rung.n_alone,
                n_wrong=rung.n_wrong,
                error_bound=rung.main.alpha,
            )
            certificates.append(dataclasses.replace(certificate, proved=(proved,)))
    lower = None
    if certificates:
        verdict = dataclasses.replace(verdict, certificate=certificates[-1])
        if candidate.next_rung is not None:
            lower = hold_at(candidate, weighed, verdict.review_rate)
    return test.outcome(
        verdict,
        rungs,
        lower=lower,
        certificates=tuple(certificates),
        counted=(rungs[0].n_audited, candidate.n_skipped),
        weighted=True,
    )


def _checked_probability(probability: ArrayLike, n: int) -> Floats:
    chances = np.asarray(probability, dtype=np.float64)
    if chances.shape != (n,) or not ((chances > 0.0) & (chances <= 1.0)).all():
        raise InvalidInput(
            f"probability must be one chance in (0, 1] for each of the {n} items, fixed before the answers; "
            f"found shape {chances.shape}, from {chances.min(initial=1.0)} to {chances.max(initial=0.0)}"
        )
    return chances


def _without_items(test: _Test) -> FrozenModelVerdict:
    return test.outcome(
        test.hold(
            "there is no item about which the model, as it is, has said anything.",
            "log what it predicts from now on, and have a random part of it labeled, blind.",
        )
    )


def _uneven(confidence: Floats, asked: Bools, threshold: float) -> bool:
    """Whether the audited items are plainly more, or less, confident than a random part would be.

    The mean rank of the audited items among all that would be decided alone, held against its mean and
    variance under a uniform draw without replacement.
    """
    alone = confidence > threshold
    drawn = asked[alone]
    n, k = len(drawn), int(drawn.sum())
    if k in (0, n):
        return False
    _, place, ties = np.unique(confidence[alone], return_inverse=True, return_counts=True)
    rank = (np.cumsum(ties) - (ties - 1) / 2.0)[place]
    variance = float(rank.var(ddof=1)) / k * (1.0 - k / n)
    return bool(abs(float(rank[drawn].mean() - rank.mean())) > _UNEVEN * math.sqrt(variance))


def _drawn_unevenly(test: _Test, candidate: Candidate) -> FrozenModelVerdict:
    rung = candidate.rungs[0]
    return test.outcome(
        test.hold(
            f"of the items that would be decided alone at a review rate of {rung.review_rate:.2f}, those "
            "that were audited are plainly more or less confident than the others: they were not drawn at "
            "random with one chance, and prove nothing that way.",
            "give the chance with which each row was audited (--probability), or draw audits at random "
            "from now on.",
        ),
        candidate.rungs,
    )


def _counted(answers: Sequence[Class | Skip | None]) -> tuple[int, int]:
    """Audits, and those of them without an answer."""
    return sum(answer is not None for answer in answers), sum(answer is SKIP for answer in answers)


def _classes(predicted: Any, answers: Sequence[Class | Skip | None]) -> tuple[Class, ...]:
    answered = {answer for answer in answers if answer is not None and not isinstance(answer, Skip)}
    found: set[Class] = answered | set(predicted.tolist())
    return tuple(sorted(found, key=str))
