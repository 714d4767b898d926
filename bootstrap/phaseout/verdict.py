"""What follows from the evidence: advance, hold or step back, with the reason and the numbers.

"Not yet, and here is why" is an answer like any other. A verdict never changes anything itself.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from dataclasses import dataclass, field
from typing import Any, Final

from scipy.special import betainc

from bootstrap.errors import InvalidInput
from bootstrap.measuring import log_e_value
from bootstrap.phaseout.candidate import Candidate, Rung, Tally
from bootstrap.phaseout.certificate import Certificate, missed_in_words, missed_per_class
from bootstrap.phaseout.claims import About, Claim
from bootstrap.phaseout.people import People
from bootstrap.phaseout.trial import Champion, Trial
from bootstrap.records import Class

__all__ = ["Move", "Need", "Situation", "Verdict", "audits_to_go", "give_verdict"]

_MOST_AUDITS: Final = 1_000_000

#: Where an error rate within the target is less likely than this by the audits, more of them won't help.
_HOPE: Final = 0.1


class Move(enum.StrEnum):
    """What to do with the review rate."""

    ADVANCE = "ADVANCE"
    HOLD = "HOLD"
    STEP_BACK = "STEP BACK"


class Need(enum.StrEnum):
    """What stands between here and the next lower review rate."""

    TRAINING = "needs_training"  #: the model is not good enough
    AUDITS = "needs_audits"  #: it may be; too few audits say so
    RECALL_TARGET = "needs_recall_target"  #: accuracy would show nothing: one class nearly fills it
    OUT_OF_REACH = "out_of_reach"  #: no model could show it as things stand
    HELD_OUT_EXHAUSTED = "held_out_exhausted"  #: every held-out item has been audited


@dataclass(frozen=True, slots=True)
class Situation:
    """What a verdict has to know beside the evidence.

    Attributes
    ----------
    claims : tuple of Claim
        What a certificate needs; the overall claim first.
    ladder : tuple of float
        Review rates that are tested, falling.
    present_rate : float
        The review rate that is practised now.
    n_labels : int
        Labels that people gave so far.
    n_trained : int
        Labels that the model was trained on.
    next_candidate_at : int
        Trained labels at which the next candidate is registered.
    n_left : int
        Held-out items, and random training queries, that were not asked yet.
    people : People
    certificates : tuple of Certificate
        In the order in which they were given.
    classes : tuple
        All classes seen so far.
    """

    claims: tuple[Claim, ...]
    ladder: tuple[float, ...]
    present_rate: float = 1.0
    n_labels: int = 0
    n_trained: int = 0
    next_candidate_at: int = 100
    n_left: int = 0
    people: People = field(default_factory=People)
    certificates: tuple[Certificate, ...] = ()
    classes: tuple[Class, ...] = ()


@dataclass(frozen=True, slots=True)
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
        Class -> (decided alone and wrong, audited) at the tested rate; None: not measured.
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

    def __str__(self) -> str:
        head = f"{self.move} {'at' if self.move is Move.HOLD else 'to'} {self.review_rate:.2f}"
        return f"{head}: {self.reason} {missed_in_words(self.missed)} Next: {self.next_step}"

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


@dataclass(frozen=True, slots=True)
class _Finding:
    need: Need
    reason: str
    next_step: str
    numbers: dict[str, float] = field(default_factory=dict)


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
    finding = _people_first(now, _what_is_missing(tested, rung, now))
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
    alone = math.isinf(rung.threshold)
    review = "let it decide" if alone else f"review what has a confidence of {rung.threshold:.6g} or less"
    return Verdict(
        Move.ADVANCE,
        rung.review_rate,
        rung.review_rate,
        None,
        f"{_people_disagree(now)}{champion.candidate.name}, frozen as it was after round "
        f"{champion.candidate.round}, has shown it: {main.n_wrong} wrong of {main.n_audited} audited where "
        f"it decides alone bound the error at {main.error_bound:.3f}; the target allows {main.alpha:.3f}. "
        f"{now.people}",
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
        missed_per_class(champion.candidate, champion.rung, now.classes),
    )


def _what_is_missing(candidate: Candidate | None, rung: Rung | None, now: Situation) -> _Finding:
    rate = now.ladder[0] if rung is None else rung.review_rate
    if candidate is None and now.n_left == 0 and now.n_trained >= now.next_candidate_at:
        return _Finding(
            Need.HELD_OUT_EXHAUSTED,
            "nothing is held out that could still be audited, so that no candidate is being tested.",
            "add more items (loop.add), to a loop with a held-out set (held_out=0.2).",
        )
    if candidate is None or rung is None:
        return _Finding(
            Need.TRAINING,
            f"no candidate is being tested for a review rate of {rate:.2f}. The next one is frozen at "
            f"{now.next_candidate_at} trained labels, and there are {now.n_trained}.",
            f"label on (loop.run): {max(0, now.next_candidate_at - now.n_trained)} more to be trained on.",
            {"trained": now.n_trained, "next_candidate_at": now.next_candidate_at},
        )
    claim, tally = next(((c, t) for c, t in rung.tallies.items() if not t.proved), (None, rung.main))
    if claim is None:
        return _recall_is_missing(candidate, rung, now)
    if tally.alpha <= 0.0:
        return _out_of_reach(claim, rung, now)
    if tally.n == 0:
        return _nothing_counted(claim, tally, rung, now)
    return _more_audits_or_training(claim, tally, rung, now)


def _more_audits_or_training(claim: Claim, tally: Tally, rung: Rung, now: Situation) -> _Finding:
    seems, bound = tally.errors / tally.n, tally.bound
    about = "" if claim.about in (About.ALONE, About.SYSTEM) else f" (for {claim})"
    found = (
        f"at a review rate of {rung.review_rate:.2f}, {tally.errors} wrong of {tally.n} audited{about} bound "
        f"the error at {bound:.3f}; the target allows {tally.alpha:.3f}."
    )
    numbers = {
        "wrong": tally.errors,
        "audited": tally.n,
        "bound": bound,
        "allowed": tally.alpha,
        "seems": seems,
    }
    more, condition = audits_to_go(tally), f"if the error is what it seems ({seems:.3f})"
    if more is None:
        if betainc(tally.errors + 0.5, tally.n - tally.errors + 0.5, tally.alpha) < _HOPE:
            return _Finding(
                Need.TRAINING,
                f"{found} The error seems to be {seems:.3f}: more audits would hardly help.",
                f"label on (loop.run); the next candidate is frozen at {now.next_candidate_at} trained "
                f"labels ({now.n_trained} so far).",
                numbers,
            )
        more = math.ceil(tally.needed) - tally.n
        condition = f"if no further error comes; it seems to be {seems:.3f}, by too few audits to tell"
    in_all = math.ceil(more * rung.n_audited / tally.n)
    numbers |= {"audits_to_go": in_all}
    estimate = f"About {_two_digits(in_all)} more audits {condition}."
    if in_all <= now.n_left:
        return _Finding(
            Need.AUDITS, f"{found} {estimate}", f"loop.run(budget={now.n_labels + in_all})", numbers
        )
    left = f"{found} {estimate} Only {now.n_left} items are left that may be audited."
    fewest = math.ceil((tally.needed - tally.n) * rung.n_audited / tally.n)
    if fewest > now.n_left:
        return _Finding(
            Need.HELD_OUT_EXHAUSTED,
            left,
            "add more items (loop.add: a share of them is held out), or label on for a better candidate.",
            numbers,
        )
    return _Finding(
        Need.TRAINING,
        f"{left} A better model needs fewer.",
        f"label on (loop.run); the next candidate is frozen at {now.next_candidate_at} trained labels "
        f"({now.n_trained} so far). Or add more items (loop.add).",
        numbers,
    )


def _nothing_counted(claim: Claim, tally: Tally, rung: Rung, now: Situation) -> _Finding:
    in_all = math.ceil(tally.needed / max(1e-9, 1.0 - rung.realised_review_rate))
    audited = f"none of {rung.n_audited} audits counts yet" if rung.n_audited else "no audit counts yet"
    reason = (
        f"at a review rate of {rung.review_rate:.2f}, {audited}. It takes at least "
        f"{math.ceil(tally.needed)} that do, without an error, to show this: {claim}."
    )
    numbers = {"audited": 0, "needed": tally.needed, "left": now.n_left}
    if rung.realised_review_rate == 1.0:
        return _Finding(
            Need.TRAINING,
            f"at a review rate of {rung.review_rate:.2f} the model decides nothing alone: its highest "
            "confidence is the same on too many items, and ties are reviewed.",
            "label on (loop.run), or take an estimator whose probabilities differ.",
            numbers,
        )
    if in_all > now.n_left:
        return _Finding(
            Need.HELD_OUT_EXHAUSTED,
            f"{reason} Only {now.n_left} items are left that may be audited.",
            "add more items (loop.add: a share of them is held out).",
            numbers,
        )
    return _Finding(Need.AUDITS, reason, f"loop.run(budget={now.n_labels + in_all})", numbers)


def _recall_is_missing(candidate: Candidate, rung: Rung, now: Situation) -> _Finding:
    commonest, count = max(rung.alone.items(), key=lambda pair: pair[1], default=("?", 0))
    total = rung.alone.total()
    known = dict.fromkeys([*now.classes, *candidate.audited])
    others = sorted((name for name in known if name != commonest), key=str) or ["the class that matters"]
    enough = total - count > rung.allowed * total
    more = "; or audit on, if the other classes are as frequent as they seem" if enough else ""
    return _Finding(
        Need.RECALL_TARGET,
        f"at a review rate of {rung.review_rate:.2f} the errors are few enough, but always answering "
        f"{commonest!r} might do as well: {count} of {total} audited items that the model decides alone are "
        f"of this class, and {rung.allowed:.3f} errors are allowed. So far accuracy shows nothing of use.",
        f"say which class matters: targets={{{others[0]!r}: {{'recall': 0.9}}}} when the loop is made{more}.",
        {"commonest": count, "audited": total, "allowed": rung.allowed},
    )


def _out_of_reach(claim: Claim, rung: Rung, now: Situation) -> _Finding:
    if now.people.catch_rate == 0.0:
        why = "people caught so few of the known errors that any error may go unseen"
        remedy = "show more traps, or brief the people better."
    elif now.people.n_twice == 0:
        why = "people's own error on what they review is not measured, so that all of it may be wrong"
        remedy = "name an adjudicator (adjudicator=) to measure it, or aim at what the model decides alone."
    else:
        why = (
            f"people's own errors on the {rung.realised_review_rate:.2f} of the items that they review may "
            "use up all that the target allows"
        )
        remedy = "have more audits answered twice, improve the guidelines, or lower the target."
    return _Finding(
        Need.OUT_OF_REACH,
        f"at a review rate of {rung.review_rate:.2f} the target is out of reach ({claim}): {why}.",
        remedy,
        {"allowed": rung.main.alpha},
    )


def _people_first(now: Situation, finding: _Finding) -> _Finding:
    """Say first where people themselves do not agree as often as the target asks."""
    disagree = _people_disagree(now)
    if not disagree:
        return finding
    low, high = now.people.error_interval
    return _Finding(
        Need.OUT_OF_REACH,
        f"{disagree}Besides, {finding.reason}",
        f"improve the guidelines or lower the target; after that: {finding.next_step}",
        finding.numbers | {"people_error_low": low, "people_error_high": high},
    )


def _people_disagree(now: Situation) -> str:
    """The sentence that says so where people agree less than the target asks, else nothing."""
    low, high = now.people.error_interval
    allowed = 1.0 - now.claims[0].target
    if low <= allowed:
        return ""
    return (
        f"people agree with each other less than the target asks: {now.people.n_disagreed} disagreements in "
        f"{now.people.n_twice} audits answered twice put one person's error in [{low:.3f}, {high:.3f}], and "
        f"{allowed:.3f} is allowed. "
    )


def _two_digits(n: int) -> int:
    """Rounded up: a forecast has no more digits to tell."""
    unit = int(10 ** max(0, len(str(n)) - 2))
    return -(-n // unit) * unit


def audits_to_go(tally: Tally) -> int | None:
    """More audits that the claim is about until it is proved, if errors go on as so far; None: never."""
    if tally.alpha <= 0.0 or tally.errors >= tally.alpha * tally.n:
        return None
    seems, goal = tally.errors / tally.n, -math.log(tally.delta)

    def proved(more: int) -> bool:
        errors = tally.errors + math.floor(seems * more)
        return bool(log_e_value(errors, tally.n + more, tally.alpha) >= goal)

    high = 1
    while not proved(high):
        high *= 2
        if high > _MOST_AUDITS:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if proved(middle) else (middle, high)
    return high
