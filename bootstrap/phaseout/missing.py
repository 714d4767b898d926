"""What stands between here and the next lower review rate, with the numbers and what to do about it."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import Final

from scipy.special import betainc

from bootstrap.measuring import log_e_value
from bootstrap.phaseout.candidate import Candidate, Rung, Tally
from bootstrap.phaseout.claims import About, Claim
from bootstrap.phaseout.situation import Situation

__all__ = ["Finding", "Need", "audits_to_go", "people_disagree", "what_is_missing"]

_MOST_AUDITS: Final = 1_000_000

#: Where an error rate within the target is less likely than this by the audits, more of them won't help.
_HOPE: Final = 0.1


class Need(enum.StrEnum):
    """What stands between here and the next lower review rate."""

    TRAINING = "needs_training"  #: the model is not good enough
    AUDITS = "needs_audits"  #: it may be; too few audits say so
    RECALL_TARGET = "needs_recall_target"  #: accuracy would show nothing: one class nearly fills it
    OUT_OF_REACH = "out_of_reach"  #: no model could show it as things stand
    HELD_OUT_EXHAUSTED = "held_out_exhausted"  #: every held-out item has been audited


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is missing: the fields are those of a verdict."""

    need: Need
    reason: str
    next_step: str
    numbers: dict[str, float] = field(default_factory=dict)


def what_is_missing(candidate: Candidate | None, rung: Rung | None, now: Situation) -> Finding:
    """What is missing for this rung of this candidate, or for the first rung of one that is to come.

    Where people themselves do not agree as often as the target asks, that is said first.
    """
    finding = _of_the_model(candidate, rung, now)
    if now.n_disputed:
        finding = _disputes_first(finding, now.n_disputed)
    disagree = people_disagree(now)
    if not disagree:
        return finding
    low, high = now.people.error_interval
    return Finding(
        Need.OUT_OF_REACH,
        f"{disagree}Besides, {finding.reason}",
        f"improve the guidelines or lower the target; after that: {finding.next_step}",
        finding.numbers | {"people_error_low": low, "people_error_high": high},
    )


def _disputes_first(finding: Finding, n: int) -> Finding:
    """Evidence counts in the order in which it was asked for, so that these hold up all that came after."""
    waits, first, them = (
        ("1 audit waits", "it", "it") if n == 1 else (f"{n} audits wait", "the first of them", "them")
    )
    return Finding(
        finding.need,
        f"{waits} for an adjudicator, since people disagree or could not tell, and what was asked after "
        f"{first} counts only then. So far, {finding.reason}",
        f"have {them} settled (add_reviewer(storage, name, is_adjudicator=True)), and run on (loop.run): all "
        "that was asked since counts then.",
        finding.numbers | {"disputed": n},
    )


def _of_the_model(candidate: Candidate | None, rung: Rung | None, now: Situation) -> Finding:
    rate = now.ladder[0] if rung is None else rung.review_rate
    if candidate is None and now.n_left == 0 and now.n_trained >= now.next_candidate_at:
        return Finding(
            Need.HELD_OUT_EXHAUSTED,
            "nothing is held out that could still be audited, so that no candidate is being tested.",
            "add more items (loop.add), to a loop with a held-out set (held_out=0.2).",
        )
    if candidate is None or rung is None:
        missing = now.next_candidate_at - now.n_trained
        step = f"{missing} more to be trained on." if missing > 0 else "one is frozen when this round ends."
        return Finding(
            Need.TRAINING,
            f"no candidate is being tested for a review rate of {rate:.2f}. The next one is frozen at "
            f"{now.next_candidate_at} trained labels, and there are {now.n_trained}.",
            f"label on (loop.run): {step}",
            {"trained": now.n_trained, "next_candidate_at": now.next_candidate_at},
        )
    claim, tally = next(((c, t) for c, t in rung.tallies.items() if not t.proved), (None, rung.main))
    if claim is None:
        return _recall_is_missing(candidate, rung, now)
    if tally.alpha <= 0.0:
        return _out_of_reach(claim, rung, now)
    if tally.n == 0:
        return _nothing_counted(claim, tally, rung, now)
    return _more_audits_or_training(claim, tally, candidate, rung, now)


def _more_audits_or_training(
    claim: Claim, tally: Tally, candidate: Candidate, rung: Rung, now: Situation
) -> Finding:
    seems, bound = tally.errors / tally.n, tally.bound
    about = "" if claim.about in (About.ALONE, About.SYSTEM) else f" (for {claim})"
    found = (
        f"at a review rate of {rung.review_rate:.2f}, {tally.errors} wrong of {tally.n} audited{about} bound "
        f"the error at {bound:.3f}; the target allows {tally.alpha:.3f}."
    )
    if candidate.n_skipped:
        found += f" Of all its audits {candidate.n_skipped} that nobody could tell count as wrong."
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
            return Finding(
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
        return Finding(
            Need.AUDITS, f"{found} {estimate}", f"loop.run(budget={now.n_labels + in_all})", numbers
        )
    left = f"{found} {estimate} {_left_in_words(now.n_left)}"
    fewest = math.ceil((tally.needed - tally.n) * rung.n_audited / tally.n)
    if fewest > now.n_left:
        return Finding(
            Need.HELD_OUT_EXHAUSTED,
            left,
            "add more items (loop.add: a share of them is held out), or label on (loop.run): the audits so "
            "far may do for a better candidate.",
            numbers,
        )
    return Finding(
        Need.TRAINING,
        f"{left} A better model needs fewer.",
        f"label on (loop.run); the next candidate is frozen at {now.next_candidate_at} trained labels "
        f"({now.n_trained} so far). Or add more items (loop.add).",
        numbers,
    )


def _nothing_counted(claim: Claim, tally: Tally, rung: Rung, now: Situation) -> Finding:
    in_all = math.ceil(tally.needed / max(1e-9, 1.0 - rung.realised_review_rate))
    audited = f"none of {rung.n_audited} audits counts yet" if rung.n_audited else "no audit counts yet"
    reason = (
        f"at a review rate of {rung.review_rate:.2f}, {audited}. It takes at least "
        f"{math.ceil(tally.needed)} that do, without an error, to show this: {claim}."
    )
    numbers = {"audited": 0, "needed": tally.needed, "left": now.n_left}
    if rung.realised_review_rate == 1.0:
        return Finding(
            Need.TRAINING,
            f"at a review rate of {rung.review_rate:.2f} the model decides nothing alone: its highest "
            "confidence is the same on too many items, and ties are reviewed.",
            "label on (loop.run), or take an estimator whose probabilities differ.",
            numbers,
        )
    if in_all > now.n_left:
        return Finding(
            Need.HELD_OUT_EXHAUSTED,
            f"{reason} {_left_in_words(now.n_left)}",
            "add more items (loop.add: a share of them is held out).",
            numbers,
        )
    return Finding(Need.AUDITS, reason, f"loop.run(budget={now.n_labels + in_all})", numbers)


def _recall_is_missing(candidate: Candidate, rung: Rung, now: Situation) -> Finding:
    commonest, count = max(rung.alone.items(), key=lambda pair: pair[1], default=("?", 0))
    total = rung.alone.total()
    known = dict.fromkeys([*now.classes, *candidate.audited])
    others = sorted((name for name in known if name != commonest), key=str) or ["the class that matters"]
    enough = total - count > rung.allowed * total
    more = "; or audit on, if the other classes are as frequent as they seem" if enough else ""
    return Finding(
        Need.RECALL_TARGET,
        f"at a review rate of {rung.review_rate:.2f} the errors are few enough, but always answering "
        f"{commonest!r} might do as well: {count} of {total} audited items that the model decides alone are "
        f"of this class, and {rung.allowed:.3f} errors are allowed. So far accuracy shows nothing of use.",
        f"say which class matters: targets={{{others[0]!r}: {{'recall': 0.9}}}} when the loop is made{more}.",
        {"commonest": count, "audited": total, "allowed": rung.allowed},
    )


def _out_of_reach(claim: Claim, rung: Rung, now: Situation) -> Finding:
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
    return Finding(
        Need.OUT_OF_REACH,
        f"at a review rate of {rung.review_rate:.2f} the target is out of reach ({claim}): {why}.",
        remedy,
        {"allowed": rung.main.alpha},
    )


def people_disagree(now: Situation) -> str:
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


def _left_in_words(n: int) -> str:
    if n == 0:
        return "No item is left that may be audited."
    return f"Only {n} {'item is' if n == 1 else 'items are'} left that may be audited."


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
