"""A verdict in the words of somebody who has a log and no loop: what to do next is not `loop.run`."""

from __future__ import annotations

import dataclasses
import math

from bootstrap.phaseout.candidate import Candidate, Rung
from bootstrap.phaseout.certificate import Certificate
from bootstrap.phaseout.missing import Need
from bootstrap.phaseout.verdict import Move, Verdict

__all__ = ["for_a_log", "review_below"]

_TEST_ANEW = "and test that with audits that come after it (--model-since)"


def for_a_log(verdict: Verdict, candidate: Candidate) -> Verdict:
    """The same move, with the reason and the next step said for a log.

    Parameters
    ----------
    verdict : Verdict
        As :func:`bootstrap.phaseout.give_verdict` gave it.
    candidate : Candidate
        The model that it is about.
    """
    numbers = {name: value for name, value in verdict.numbers.items() if name != "left"}
    if verdict.move is Move.ADVANCE and verdict.certificate is not None:
        reason, step = _advance(verdict.certificate), review_below(verdict.certificate.threshold)
        return dataclasses.replace(verdict, reason=reason, next_step=step, numbers=numbers)
    if verdict.move is Move.STEP_BACK:
        return dataclasses.replace(
            verdict,
            review_rate=1.0,
            reason=f"{candidate.name} was certified at {verdict.tested_rate:.2f} by the audits up to then, "
            f"and {numbers['audited']:.0f} audits later the alarm went off: too many errors among what it "
            "would decide alone. Its certificates are void.",
            next_step=f"find out what changed, train a better model, {_TEST_ANEW}.",
        )
    rung = candidate.next_rung or candidate.rungs[-1]
    return dataclasses.replace(verdict, next_step=_next_step(verdict, rung), numbers=numbers)


def review_below(threshold: float) -> str:
    """What to do after an advance."""
    review = (
        "let it decide everything"
        if threshold == -math.inf
        else f"let people review what has a confidence of {threshold:.6g} or less"
    )
    return (
        f"{review}. Keep auditing a random part of the rest, blind: without audits a decline would not be "
        "noticed."
    )


def _advance(certificate: Certificate) -> str:
    main = certificate.proved[0]
    return (
        f"{main.n_wrong} wrong of {main.n_audited} audited where {certificate.model} decides alone bound its "
        f"error there at {main.error_bound:.4f}; the target allows {main.alpha:.4f}."
    )


def _next_step(verdict: Verdict, rung: Rung) -> str:
    if verdict.need is Need.AUDITS:
        more = verdict.numbers.get("audits_to_go")
        if more is None:
            more = math.ceil(verdict.numbers["needed"] / (1.0 - rung.realised_review_rate))
        return (
            f"have about {more:,.0f} more items labeled, drawn at random from all that arrives and blind, "
            "add them to the log and ask again."
        )
    if verdict.need is Need.RECALL_TARGET:
        commonest = rung.alone.most_common(1)[0][0] if rung.alone else None
        other = min((str(name) for name in rung.alone if name != commonest), default="CLASS")
        return f"say which class matters, for example --recall {other}=0.9."
    if rung.realised_review_rate == 1.0:
        return "take a model whose confidences differ."
    return (
        f"train a better model, {_TEST_ANEW}. To let people review more is a new test, too, now that these "
        "results were seen."
    )
