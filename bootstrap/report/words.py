"""A history in plain words, for somebody who has to decide and has no time.

What is certified, where anything is; what was spent, what came out, and, at equal length, what that does
not prove.
"""

from __future__ import annotations

from bootstrap.history import History
from bootstrap.measuring import fewest_audits
from bootstrap.records import Round
from bootstrap.report.figures import about_percent, count, interval, percent, share

__all__ = ["summary"]


def summary(history: History) -> str:
    """What is certified, what was spent, what was measured, and what these figures do not prove.

    Parameters
    ----------
    history : History
        The rounds, and the settings they were measured under.

    Returns
    -------
    str
        Up to four paragraphs, parted by blank lines and not wrapped. The first one is about what is
        certified, where anything is or was.
    """
    if len(history) == 0:
        return "No round has ended yet: nothing is learned or measured."
    measured = [r for r in history if r.accuracy is not None]
    if not measured:
        return _paragraphs(_certified(history), _spent(history), _NOT_MEASURED)
    found = " ".join(
        sentence
        for sentence in (
            _at_the_review_rate(history, measured),
            _running(measured[-1]),
            _model_itself(measured[-1]),
            _for_the_target(history, measured[-1]),
        )
        if sentence
    )
    return _paragraphs(_certified(history), _spent(history), found, _not_proved(history))


_NOT_MEASURED = (
    "Accuracy is not measured yet, so nothing can be said about it: that takes a trained model, and items of "
    "the held-out set that people audited (held_out and audit_share above 0)."
)


def _paragraphs(*paragraphs: str) -> str:
    return "\n\n".join(filter(None, paragraphs))


def _certified(history: History) -> str:
    """What is certified now, or was; empty where nothing ever was."""
    rates = [r.certified_review_rate for r in history]
    if min(rates) == 1:
        return ""
    if rates[-1] < 1:
        return (
            f"A review rate of {percent(rates[-1])} is certified. loop.verdict() says for which frozen model "
            "and above which confidence it may decide alone, loop.certificates what was proved and on which "
            "audits. It is not what the rest of this text is about."
        )
    last = [rate for rate in rates if rate < 1][-1]
    return (
        f"A review rate of {percent(last)} was certified and is not any more. loop.verdict() says why: until "
        "another model is certified, people review everything."
    )


def _spent(history: History) -> str:
    last = history[-1]
    audited = f"{last.n_audited:,}" if last.n_audited else "none"
    text = (
        f"People gave {count(last.n_labels, 'label')} in {count(len(history), 'round')}, audits included; "
        f"of the held-out items {audited} {'is' if last.n_audited == 1 else 'are'} audited."
    )
    if last.n_given:
        text += f" {count(last.n_given, 'label')} existed before, not counted in that."
    if last.n_skipped:
        text += f' {count(last.n_skipped, "query was", "queries were")} answered with "can\'t tell".'
    if last.n_unsettled:
        text += (
            f" {count(last.n_unsettled, 'audit is', 'audits are')} unsettled, since nobody could tell or "
            "people disagree; what is unsettled counts as wrong."
        )
    if history.stop_reason:
        text += f" The run ended: {history.stop_reason.rstrip('.')}."
    return text


def _at_the_review_rate(history: History, measured: list[Round]) -> str:
    at = [r for r in measured if r.accuracy_at_review_rate is not None]
    rate = history.review_rate
    if rate == 1:
        who = "With people deciding every item"
    elif rate == 0:
        who = "With the model deciding every item"
    else:
        who = f"With people deciding the {percent(rate)} of items that the model is least sure of"
    last = measured[-1]
    if not at or at[-1] is not last:
        return (
            f"{who}, accuracy is not measured in round {last.round}: none of the audited items is one that "
            "the model would decide alone."
        )
    first = at[0]
    now = f"{share(last.accuracy_at_review_rate)} in round {last.round} ({_audited(last)})"
    if first is last:
        moved = f"accuracy is estimated at {now}"
    else:
        before = f"{share(first.accuracy_at_review_rate)} in round {first.round} ({_audited(first)})"
        moved = f"accuracy is estimated to have gone from {before} to {now}"
    within = interval(last.accuracy_low, last.accuracy_high)
    return f"{who}, {moved}; the interval for this round's model is {within}."


def _running(last: Round) -> str:
    if last.running_low is None:
        return ""
    within = interval(last.running_low, last.running_high)
    return (
        f"The average over all rounds so far, with the earlier models' errors in it, lies in {within}, an "
        "interval made to be looked at each round."
    )


def _model_itself(last: Round) -> str:
    text = f"On its own, on every item, the model is right on {share(last.accuracy)} of the audited ones"
    if last.n_decided_alone == 0:
        return text + "."
    return (
        f"{text}; of the {last.n_decided_alone} that it would decide alone it gets {last.n_wrong} wrong "
        f"({share(last.selective_accuracy)} right)."
    )


def _for_the_target(history: History, last: Round) -> str:
    about = "what the model decides alone" if history.target_of == "alone" else "what goes out"
    target = f"the target of {history.target_accuracy:g} for {about}"
    rate = last.review_rate_for_target
    fewest = fewest_audits(history.target_accuracy, history.delta)
    if last.n_audited < fewest:
        return (
            f"Whether {target} would be met at some review rate can't be estimated from fewer than {fewest} "
            "audits: without one error among them that could be luck."
        )
    if rate is None:
        return f"At no review rate do these audits meet {target}."
    if rate == 1:
        return f"These audits meet {target} only where people decide every item."
    return f"As an estimate, {target} would be met at a review rate of about {about_percent(rate)}."


def _not_proved(history: History) -> str:
    if history.people_error:
        people = (
            f"People are taken to be wrong on {percent(history.people_error)} of what they review, and their "
            "answers to audits as the truth."
        )
    else:
        people = "People's answers are taken as the truth here: their own errors are not allowed for."
    if history[-1].certified_review_rate < 1:
        estimates = (
            "What these figures do not prove: they are estimates about this round's model, and no part of "
            "the certificate, which is about a model frozen earlier."
        )
    else:
        estimates = "What this does not prove: these are estimates, and none of them is a certificate."
    return (
        f"{estimates} They are looked "
        "at after every round, so no verdict may be drawn from them, least of all from the review rate for "
        "the target, which is picked by the very audits that speak for it. The interval is for this round's "
        "model and for this round alone; each misses with a chance of at most "
        f"{history.delta:g}, and of many rounds some will. {people} The threshold above which the model "
        "decides alone comes from its confidence on the held-out items, and all figures are about items "
        "like those in the pool, not about others that may come."
    )


def _audited(r: Round) -> str:
    return f"on {count(r.n_audited, 'audited item')}"
