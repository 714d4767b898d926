"""`bootstrap-labels verdict`: may people review less? For a folder of `run`, or for a log from elsewhere.

A log holds what one frozen model predicted and what people answered. What can be read off it is checked;
what can't is said to be taken on the user's word.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import typer

from bootstrap.cli import verdict_options as options
from bootstrap.cli.recall_targets import recalls_of
from bootstrap.cli.terminal_output import Debug, new_console, say
from bootstrap.errors import InvalidInput

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from bootstrap.cli.review_log import ReviewLog
    from bootstrap.phaseout.certificate import Certificate
    from bootstrap.phaseout.frozen_model import FrozenModelVerdict
    from bootstrap.phaseout.verdict import Verdict

__all__ = ["as_json", "verdict"]

_NO_BLIND: Final = (
    "Nothing says which answers were given blind (--blind), and who sees a suggestion tends to agree with it."
)
_NO_SINCE: Final = (
    "Nothing says since when the model is what it is (--model-since, --at), so that any of these answers may "
    "have trained it."
)


def verdict(
    path: options.LogOrFolder,
    id: options.Id = None,
    label: options.Label = None,
    predicted: options.Predicted = None,
    confidence: options.Confidence = None,
    blind: options.Blind = None,
    model_since: options.ModelSince = None,
    at: options.At = None,
    probability: options.Probability = None,
    tested_before: options.TestedBefore = 0,
    review_rate: options.ReviewRate = None,
    target: options.Target = None,
    delta: options.Delta = None,
    recall: options.Recall = None,
    as_record: options.Json = False,
    debug: Debug = False,
) -> None:
    """Say whether people may review less, and what that rests on."""
    of_a_log: dict[str, Any] = {
        "--id": id,
        "--label": label,
        "--predicted": predicted,
        "--confidence": confidence,
        "--blind": blind,
        "--model-since": model_since,
        "--at": at,
        "--probability": probability,
    }
    from bootstrap.cli.run_verdict import refuse_no_run, verdict_of_run

    refuse_no_run(path, "verdict")
    if path.is_dir():
        of_a_log |= {"--review-rate": review_rate, "--target": target, "--delta": delta, "--recall": recall}
        _refuse_with_folder(path, of_a_log)
        verdict_of_run(path, as_record=as_record)
        return
    if id is None or label is None or predicted is None or confidence is None:
        missing = [f"{name} COL" for name in list(of_a_log)[:4] if of_a_log[name] is None]
        raise InvalidInput(f"A review log needs {', '.join(missing)}: the column that holds it.")
    from bootstrap.cli.review_log import LogColumns, near_class, read_review_log
    from bootstrap.cli.table_file import read_table
    from bootstrap.phaseout.frozen_model import verdict_for_frozen_model

    recalls = recalls_of(recall)
    columns = LogColumns(id, label, predicted, confidence, blind, at, probability)
    log = read_review_log(read_table(path), columns, _since(model_since))
    for name in recalls:
        if log.ids and name not in log.classes:
            raise InvalidInput(
                f"--recall is about {name!r}, and no row has that class.{near_class(name, log.classes)} "
                f"There are: {', '.join(repr(known) for known in log.classes)}."
            )
    _check_chances(log)
    found = verdict_for_frozen_model(
        list(log.predicted),
        log.confidence,
        log.evidence,
        targets=recalls or None,
        probability=log.probability,
        tested_before=tested_before,
        review_rate=0.2 if review_rate is None else review_rate,
        target_accuracy=0.95 if target is None else target,
        delta=0.05 if delta is None else delta,
    )
    if as_record:
        typer.echo(as_json(_record(path, log, found)))
    else:
        _show(new_console(), path, log, found)


def as_json(record: dict[str, Any]) -> str:
    """A record as JSON; what JSON has no number for (a threshold of -inf, NaN) becomes null."""
    return json.dumps(_plain(record), ensure_ascii=False, indent=2)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _refuse_with_folder(path: Path, given: dict[str, Any]) -> None:
    wrong = [name for name, value in given.items() if value is not None]
    if wrong:
        raise InvalidInput(
            f"{path} is a folder of bootstrap-labels run, which needs no columns and has fixed at its start "
            f"what is to be certified: leave out {', '.join(wrong)}, or name the file of a review log."
        )


def _check_chances(log: ReviewLog) -> None:
    """Refuse chances that do not fit what was audited: five standard deviations off."""
    if log.probability is None or not (log.says_blind and log.says_since):
        return
    chance = np.asarray(log.probability)
    audited, expected = sum(answer is not None for answer in log.evidence), float(chance.sum())
    if abs(audited - expected) > 5.0 * float(np.sqrt((chance * (1.0 - chance)).sum())) + 1e-6:
        raise InvalidInput(
            f"--probability adds up to {expected:,.1f} audits, and {audited:,} rows were answered: these are "
            "not the chances by which the rows were drawn. Log the chance that each row had before it was "
            "asked, rows that nobody was asked about included."
        )


def _since(text: str | None) -> datetime | None:
    from bootstrap.cli.review_log import parse_time

    if text is None:
        return None
    try:
        time = parse_time(text.strip())
    except ValueError as wanted:
        raise InvalidInput(f"--model-since is {text!r}. Wanted is {wanted}.") from None
    if time is None:
        raise InvalidInput("--model-since is empty. Say when the model was frozen, for example 2026-03-01.")
    return time.astimezone(UTC)


def _doubts(log: ReviewLog) -> list[str]:
    """Why no answer of this log can be evidence."""
    return [text for known, text in ((log.says_blind, _NO_BLIND), (log.says_since, _NO_SINCE)) if not known]


def _taken_on_your_word(log: ReviewLog, found: FrozenModelVerdict) -> list[str]:
    if log.probability is None:
        drawn = (
            "The audited rows were drawn at random, all with one chance, at least where the model would "
            "decide alone; none of them because somebody complained or wondered."
        )
    else:
        drawn = (
            "Each row was audited with the chance that the log gives, fixed before the answer, and the "
            "rows that nobody was asked about are in the log as well."
        )
    tested = found.candidate - 1
    others = ("No other model was", "One other model was")[tested] if tested < 2 else f"{tested} others were"
    return [
        drawn,
        "The answers marked as blind were blind, and none of them trained, chose or tuned this model.",
        "No audit still waits for its answer.",
        f"{others} tested on these answers before (--tested-before).",
        "Two ids are two contents.",
    ]


def _seen(log: ReviewLog, review_rate: float) -> dict[str, float | int] | None:
    """What the answers look like where they prove nothing; None without any."""
    import numpy as np

    from bootstrap.measuring import review_threshold

    answered = np.array([label is not None for label in log.labels], dtype=np.bool_)
    if not answered.any():
        return None
    wrong = np.array([a != b for a, b in zip(log.labels, log.predicted, strict=True)], dtype=np.bool_)
    alone = answered & (log.confidence > review_threshold(log.confidence, review_rate))
    return {
        "labeled": int(answered.sum()),
        "wrong": int((answered & wrong).sum()),
        "labeled_alone": int(alone.sum()),
        "wrong_alone": int((alone & wrong).sum()),
    }


def _record(path: Path, log: ReviewLog, found: FrozenModelVerdict) -> dict[str, Any]:
    doubts = _doubts(log)
    return {
        "log": {
            "path": str(path),
            "rows": log.n_rows,
            "items": len(log.ids),
            "labeled": log.n_labeled,
            "left_out": {
                "before_the_model": log.n_before,
                "without_time": log.n_without_time,
                "seen_before_the_model": log.n_seen_before,
                "repeated": log.n_repeated,
            },
            "contradicting": log.n_contradicting,
            "not_blind": log.n_anchored,
            "asked_without_answer": log.n_unanswered,
        },
        "doubts": doubts,
        "not_evidence": _seen(log, found.verdict.tested_rate or 0.0) if doubts else None,
        "taken_on_your_word": _taken_on_your_word(log, found),
        **found.to_dict(),
    }


def _show(console: Console, path: Path, log: ReviewLog, found: FrozenModelVerdict) -> None:
    """Print what a lead needs to decide, in the order in which it is needed."""
    say(console, f"{path}: {' '.join(log.notes())}")
    doubts = _doubts(log)
    if doubts:
        say(console, f"{_head(found.verdict)}: no certificate can rest on these answers. {' '.join(doubts)}")
        _show_what_was_seen(console, log, found.verdict.tested_rate or 0.0)
        _show_what_is_ahead(console, found)
        return
    say(console, _in_words(found.verdict))
    if found.lower is not None:
        lower = found.lower
        say(console, f"Not lower yet: {lower.reason} For that: {lower.next_step}")
    forgotten = found.n_unanswered - log.n_unanswered
    if forgotten:
        say(
            console,
            f"{forgotten:,} of the rows have used up their chance without a blind answer: they count as "
            "wrong. The chance is that of having been asked blind.",
        )
    if found.n_audited:
        console.print(_table(found))
        console.print()
    if found.certificates:
        say(console, _certificate_in_words(found.certificates[-1], weighted=log.probability is not None))
    if found.n_audited == 0:
        _show_what_is_ahead(console, found)
        return
    say(console, "\n- ".join(["Taken on your word:", *_taken_on_your_word(log, found)]))


def _show_what_was_seen(console: Console, log: ReviewLog, review_rate: float) -> None:
    seen = _seen(log, review_rate)
    if seen is None:
        return
    alone = ""
    if seen["labeled_alone"]:
        alone = (
            f", and on {seen['wrong_alone']:,} of the {seen['labeled_alone']:,} that the model would decide "
            f"alone at a review rate of {review_rate:.2f}"
        )
    say(
        console,
        f"What is in the log, which proves nothing: people and model differ on {seen['wrong']:,} of "
        f"{seen['labeled']:,} labeled rows{alone}.",
    )


def _show_what_is_ahead(console: Console, found: FrozenModelVerdict) -> None:
    ahead = found.ahead
    if ahead is None:
        return
    say(
        console,
        f"What could be certified from now on: a review rate of {ahead.review_rate:.2f}, with at least "
        f"{ahead.least:,} audits if the model gets none wrong of the {ahead.least_alone:,} among them that "
        f"it decides alone, and typically {ahead.typical:,} ({ahead.typical_alone:,} alone) if it is wrong "
        "half as often as the target allows. That is a plan and proves nothing.",
        "An audit is an item drawn at random from all that arrives and labeled by somebody who doesn't see "
        "what the model says. Log for each row its id, when it came, the model's class and confidence, "
        "whether it was asked blind, and the answer.",
    )


def _head(found: Verdict) -> str:
    return f"{found.move} {'at' if found.move == 'HOLD' else 'to'} {found.review_rate:.2f}"


def _in_words(found: Verdict) -> str:
    from bootstrap.phaseout.certificate import missed_in_words

    missed = f" {missed_in_words(found.missed)}" if found.missed else ""
    return f"{_head(found)}: {found.reason}{missed} Next: {found.next_step}"


def _table(found: FrozenModelVerdict) -> Table:
    """The rates that were tested, one row each."""
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=0,
        caption="\nTested downwards, up to the first rate that is not certified.",
        caption_justify="left",
    )
    for name in (
        "review\nrate",
        "really\nreviewed",
        "confidence\nabove",
        "audited\nalone",
        "wrong",
        "error\nat most",
    ):
        table.add_column(name, justify="right")
    table.add_column("allowed", justify="right")
    table.add_column("certified", justify="right")
    for rate in found.rates:
        table.add_row(
            f"{rate.review_rate:.2f}",
            f"{rate.realised_review_rate:.3f}",
            "–" if rate.threshold == -math.inf else f"{rate.threshold:.4g}",
            f"{rate.n_alone:,}",
            f"{rate.n_wrong:,}",
            "–" if rate.error_bound is None else f"{math.ceil(1000 * rate.error_bound - 1e-6) / 1000:.3f}",
            f"{rate.allowed:.3f}",
            "yes" if rate.certified else "no",
        )
    return table


def _certificate_in_words(certificate: Certificate, *, weighted: bool) -> str:
    main, *others = certificate.proved
    where = (
        "everything is decided alone"
        if certificate.threshold == -math.inf
        else f"it decides alone only where its confidence is above {certificate.threshold:.6g}"
    )
    missing = (
        f" ({certificate.n_skipped:,} without an answer count as wrong)" if certificate.n_skipped else ""
    )
    counts = (
        f"Of {certificate.n_audited:,} blind audits it decides {certificate.n_alone:,} alone and gets "
        f"{certificate.n_wrong:,} wrong{missing}"
    )
    if weighted:
        proof = f"{counts}; each weighted by its logged chance, they disprove an error of {main.alpha:.4f}."
    else:
        proof = (
            f"{counts}. The proof: {main.n_wrong:,} wrong of {main.n_audited:,} bound the error at "
            f"{main.error_bound:.4f}, and {main.alpha:.4f} is allowed."
        )
    sentences = [
        f"Certificate for {certificate.model} at a review rate of {certificate.review_rate:.2f} (really "
        f"{certificate.realised_review_rate:.3f}): {main.claim}.",
        proof,
        *(f"Also proved: {one.claim} ({one.n_wrong} wrong of {one.n_audited})." for one in others),
        f"The model is frozen, and {where}; fitted again, it is another model and needs its own audits.",
        f"{certificate.people}",
        "This is said of items like those in the log.",
        f"It is model {certificate.candidate} to be tested on these audits: certified falsely with a chance "
        f"of at most {certificate.delta:.2g}, all such models together with {certificate.delta_in_all:g}, "
        "however often one looks.",
    ]
    return " ".join(sentences)
