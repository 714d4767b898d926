"""What follows from the evidence: advance, hold or step back, with the reason and the numbers.

"Not yet, and here is why" is an answer like any other. A verdict never changes anything itself.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from dataclasses import dataclass
from typing import Any

from bootstrap.errors import InvalidInput
from bootstrap.phaseout.certificate import Certificate, missed_in_words, missed_per_class
from bootstrap.phaseout.missing import Need, people_disagree, what_is_missing
from bootstrap.phaseout.situation import Situation
from bootstrap.phaseout.trial import Champion, Trial
from bootstrap.records import Class

__all__ = ["Move", "Verdict", "give_verdict"]


class Move(enum.StrEnum):
    """What to do with the review rate."""

    ADVANCE = "ADVANCE"
    HOLD = "HOLD"
    STEP_BACK = "STEP BACK"


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """Advance, hold or step back, and why.

    Attributes
    ----------
    move : Move
    review_rate : float
        The review rate to work at from now on.
    tested_rate : float or None
        The next lower rate, which the reason is about; None where there is none.
    need : Need or None
        What is missing for it; None where nothing is.
    reason : str
        One or two sentences with the numbers.
    next_step : str
        What to do, as a command where there is one.
    numbers : dict
        The figures in the reason by name.
    missed : dict or None
        Class -> (decided alone and wrong, audited) at the tested rate; None: not measured. Of an advance:
        by all audits when its certificate was written, which may be more than those that proved it.
    certificate : Certificate or None
        What an advance rests on.
    """

    move: Move
    review_rate: float
    tested_rate: float | None
    need: Need | None
    reason: str
    next_step: str
    numbers: dict[str, float]
    missed: dict[Class, tuple[int, int]] | None
    certificate: Certificate | None = None

    def __repr__(self) -> str:
        """One line; `print` tells the reason and what to do."""
        need = "" if self.need is None else f", {self.need}"
        return f"Verdict({self._head()}{need}; print it to read why)"

    def __str__(self) -> str:
        missed = missed_in_words(self.missed)
        if self.move is Move.ADVANCE:
            missed += " These counts are of all audits up to the certificate, not of the proof alone."
        return f"{self._head()}: {self.reason} {missed} Next: {self.next_step}"

    def _head(self) -> str:
        return f"{self.move} {'at' if self.move is Move.HOLD else 'to'} {self.review_rate:.2f}"

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        record = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        record["move"], record["need"] = str(self.move), None if self.need is None else str(self.need)
        record["certificate"] = None if self.certificate is None else self.certificate.to_dict()
        if self.missed is not None:
            record["missed"] = [
                {"class": name, "missed": wrong, "audited": n} for name, (wrong, n) in self.missed.items()
            ]
        return record


def give_verdict(trial: Trial, now: Situation) -> Verdict:
    """Read the verdict off the evidence.

    Parameters
    ----------
    trial : Trial
    now : Situation
    """
    champion = trial.champion
    if champion is None and trial.withdrawn is not None:
        return _step_back(*trial.withdrawn, now)
    if champion is not None and champion.rung.review_rate < now.present_rate:
        return _advance(champion, now)
    tested = trial.present if champion is None else champion.candidate
    rung = None if tested is None else tested.next_rung
    if champion is not None and rung is None:
        return _nothing_lower(champion, now)
    finding = what_is_missing(tested, rung, now)
    missed = (
        None
        if tested is None or rung is None or rung.n_audited == 0
        else missed_per_class(tested, rung, now.classes)
    )
    tested_rate = rung.review_rate if rung is not None else now.ladder[0]
    return Verdict(
        Move.HOLD,
        now.present_rate,
        tested_rate,
        finding.need,
        finding.reason,
        finding.next_step,
        finding.numbers,
        missed,
    )


def _nothing_lower(champion: Champion, now: Situation) -> Verdict:
    return Verdict(
        Move.HOLD,
        now.present_rate,
        None,
        None,
        "no lower review rate is left to be tested. "
        "Random audits go on: without them a decline would not be noticed.",
        "keep auditing (loop.run).",
        {},
        missed_per_class(champion.candidate, champion.rung, now.classes),
        _certificate_of(champion, now),
    )


def _advance(champion: Champion, now: Situation) -> Verdict:
    rung, certificate = champion.rung, _certificate_of(champion, now)
    main = certificate.proved[0]
    also = f"{certificate.also_proved_in_words()} ".lstrip()
    alone = math.isinf(rung.threshold)
    review = "let it decide" if alone else f"review what has a confidence of {rung.threshold:.6g} or less"
    return Verdict(
        Move.ADVANCE,
        rung.review_rate,
        rung.review_rate,
        None,
        f"{people_disagree(now)}{champion.candidate.name}, frozen as it was after round "
        f"{champion.candidate.round}, has shown it: at the proof, {main.n_wrong} wrong of {main.n_audited} "
        f"audited where it decides alone bound the error at {main.error_bound:.3f}; the target allows "
        f"{main.alpha:.3f}. {also}{now.people}",
        f"use this very model (loop.certified_model()) and {review}. Keep auditing: without audits no "
        "alarm can come.",
        {
            "wrong": main.n_wrong,
            "audited": main.n_audited,
            "bound": main.error_bound,
            "allowed": main.alpha,
        }
        | ({} if alone else {"threshold": rung.threshold}),
        certificate.missed,
        certificate,
    )


def _certificate_of(champion: Champion, now: Situation) -> Certificate:
    number, rate = champion.candidate.number, champion.rung.review_rate
    for certificate in reversed(now.certificates):
        if (certificate.candidate, certificate.review_rate) == (number, rate):
            return certificate
    raise InvalidInput(
        f"candidate {number} is certified at a review rate of {rate:g}, and its certificate is not among the "
        f"{len(now.certificates)} of the situation: pass all that certify() gave"
    )


def _step_back(champion: Champion, why: str, now: Situation) -> Verdict:
    before = [r.review_rate for r in champion.candidate.rungs if r.review_rate > champion.rung.review_rate]
    statistic = float(champion.alarm.log_statistic)
    return Verdict(
        Move.STEP_BACK,
        max([now.present_rate, *before[-1:]]) if before else 1.0,
        champion.rung.review_rate,
        Need.TRAINING,
        f"{champion.candidate.name} is withdrawn ({why}); its certificates are void. "
        f"{champion.alarm.n} audits were about it since it came into use.",
        "have people review more, label on and let a new candidate be tested (loop.run).",
        {"audited": champion.alarm.n} | ({"log_statistic": statistic} if math.isfinite(statistic) else {}),
        missed_per_class(champion.candidate, champion.rung, ()),  # by the classes of its day
    )
