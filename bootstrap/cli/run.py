"""`bootstrap-labels run`: label one's own texts, stop and go on at will, see what the model can take over.

Every answer goes into a log before the next question is asked. A run that finds its log replays it: the
same seed, texts and answers give the same rounds, so nobody is asked twice and the history is that of a
run that was never disturbed.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from bootstrap.cli import run_options as options
from bootstrap.cli.recall_targets import recalls_of
from bootstrap.cli.table_file import read_table
from bootstrap.cli.terminal_output import Debug, new_console, plain_warnings, progress_bar, say
from bootstrap.errors import InvalidInput, LogError
from bootstrap.text_pipeline import PIPELINE_VERSION, text_pipeline

if TYPE_CHECKING:
    from rich.console import Console

    from bootstrap.cli.text_task import TextTask
    from bootstrap.loop import BootstrapLoop
    from bootstrap.protocols import Labeler
    from bootstrap.records import Round
    from bootstrap.store import LabelLog

__all__ = ["run"]

_KEY_BYTES: Final = 16
_TERMINAL: Final = "terminal"
_COLUMN: Final = "column:"


def run(
    file: options.File,
    text: options.Text,
    label_with: options.LabelWith,
    classes: options.Classes = None,
    known_labels: options.KnownLabels = None,
    id: options.Id = None,
    guidelines: options.Guidelines = None,
    by: options.By = None,
    out: options.Out = None,
    budget: options.Budget = 500,
    rounds: options.Rounds = None,
    batch_size: options.BatchSize = 20,
    strategy: options.Strategy = "auto",
    seed: options.Seed = None,
    review_rate: options.ReviewRate = 0.2,
    target: options.Target = 0.95,
    recall: options.Recall = None,
    held_out: options.HeldOut = 0.2,
    audit_share: options.AuditShare = "auto",
    debug: Debug = False,
) -> None:
    """Ask about the texts of a table, learn, measure; then print and write what came out."""
    from bootstrap.cli.results import new_folder
    from bootstrap.cli.text_task import Columns, read_task
    from bootstrap.labelers import logged
    from bootstrap.loop import BootstrapLoop

    answers = _column_of(label_with)
    _check_strategy(strategy)
    named = _split(classes)
    task = read_task(read_table(file), Columns(text, id, known_labels, answers), named)
    labeler = _labeler(task, label_with, named, guidelines, by)
    # What decides which questions are asked, and what a certificate would say: both are fixed at the start.
    steering: dict[str, Any] = {
        "strategy": strategy,
        "batch_size": batch_size,
        "held_out": held_out,
        "audit_share": _audit_share(audit_share, held_out),
        "classes": named,
        "review_rate": review_rate,
        "target_accuracy": target,
        "targets": recalls_of(recall) or None,
    }
    BootstrapLoop(text_pipeline(), **steering)  # refuses a wrong setting before a folder is made

    folder = new_folder(out or Path(f"{file.stem}-labels"))
    console = new_console()
    say(console, f"{file}: {' '.join(task.notes())}")
    columns = {"text": text, "id": id, "known_labels": known_labels}
    settings = {**steering, **columns, "input": task.fingerprint, "pipeline": PIPELINE_VERSION}
    with _open_log(folder / "labels.jsonl", settings, seed) as log:
        _say_where_it_begins(console, log)
        loop = BootstrapLoop(text_pipeline(), logged(labeler, log), random_state=_seed_of(log), **steering)
        _label(loop, task, budget, rounds, draw_bar=answers is not None)
        _show(console, loop, log)
        _write(console, loop, task, log, folder)
        _say_verdict(console, loop)
    say(console, _how_to_go_on(loop, budget))


def _column_of(label_with: str) -> str | None:
    """The column that answers, or None where a person in the terminal does."""
    if label_with == _TERMINAL:
        return None
    if label_with.startswith(_COLUMN) and label_with != _COLUMN:
        return label_with.removeprefix(_COLUMN)
    raise InvalidInput(
        f"--label-with is {label_with!r}: say terminal to answer here, or column:COL to take the answers "
        "from the column COL of the file."
    )


def _check_strategy(name: str) -> None:
    if name not in options.STRATEGIES:
        raise InvalidInput(
            f"--strategy is {name!r}: this command has one model, so choose {', '.join(options.STRATEGIES)}."
        )


def _audit_share(given: str, held_out: float) -> float | str:
    """`auto` or a number; with nothing held out there is nothing to audit, and `auto` is 0."""
    if given == "auto":
        return "auto" if held_out != 0 else 0.0
    try:
        return float(given)
    except ValueError:
        raise InvalidInput(
            f"--audit-share is {given!r}: say auto, or how many blind checks go with each question to learn "
            "from, such as 0.2."
        ) from None


def _split(classes: str | None) -> list[str] | None:
    if classes is None:
        return None
    return [name.strip() for name in classes.split(",") if name.strip()]


def _labeler(
    task: TextTask, label_with: str, classes: list[str] | None, guidelines: Path | None, by: str | None
) -> Labeler:
    from bootstrap.labelers import SimulatedLabeler, TerminalLabeler

    if label_with != _TERMINAL:
        return SimulatedLabeler(task.truth, name=by or label_with)
    words = None if guidelines is None else _read_guidelines(guidelines)
    return TerminalLabeler(classes=classes, guidelines=words, name=by or _TERMINAL)


def _read_guidelines(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"Cannot read the --guidelines {path}: {error}.") from error


def _open_log(path: Path, settings: dict[str, Any], seed: int | None) -> LabelLog:
    """Begin the log or resume it; its key is the seed, so that a drawn one is kept from the first line on."""
    from bootstrap.store import LabelLog

    new_seed = secrets.randbelow(options.MOST_SEEDS) if seed is None else seed
    try:
        log = LabelLog.open(path, settings=settings, key=new_seed.to_bytes(_KEY_BYTES, "big"))
    except LogError as error:
        raise LogError(f"{error} (The folder of the log is chosen with --out.)") from error
    if seed is not None and _seed_of(log) != seed:
        log.close()
        raise LogError(
            f"The label log {path} was begun with seed {_seed_of(log)}, and --seed says {seed}. Leave --seed "
            "out to go on, or choose another folder with --out for a new run."
        )
    return log


def _seed_of(log: LabelLog) -> int:
    return int.from_bytes(log.key, "big")


def _say_where_it_begins(console: Console, log: LabelLog) -> None:
    n = len(log.answers)
    saved = f"Answers are saved in {log.path} at once; the seed is {_seed_of(log)}."
    if n:
        saved += f" {n:,} {'is' if n == 1 else 'are'} there already and will not be asked for again."
    say(console, saved)


def _label(loop: BootstrapLoop, task: TextTask, budget: int, rounds: int | None, *, draw_bar: bool) -> None:
    """Run the loop until there is a reason to stop; Ctrl-C is one."""
    pool = task.pool
    loop.add([task.texts[i] for i in pool], ids=[task.ids[i] for i in pool] if task.own_ids else None)
    texts, labels = task.labeled
    try:
        with plain_warnings(), progress_bar(budget, wanted=draw_bar) as callbacks:
            loop.run(
                labeled=(texts, labels) if texts else None,
                budget=budget,
                rounds=rounds,
                callbacks=callbacks if draw_bar else [_say_round],
            )
    except KeyboardInterrupt:
        loop.stop_reason = "interrupted (Ctrl-C)"


def _say_round(loop: BootstrapLoop, round_: Round) -> None:
    """Where things stand, between batches and while a log is replayed."""
    text = f"Round {round_.round}: {round_.n_labels:,} labels"
    if round_.accuracy is not None:
        text += f", the model right on {round_.accuracy:.3f} of {round_.n_audited:,} audited items"
    typer.echo(text, err=True)


def _show(console: Console, loop: BootstrapLoop, log: LabelLog) -> None:
    from bootstrap.cli.results import show_history

    history, n = loop.history, len(log.answers)
    if len(history) == 0:
        say(console, f"No round has ended, so nothing is learned or measured yet. Answers saved: {n:,}.")
        return
    show_history(console, history)
    unused = n - history[-1].n_labels - history[-1].n_skipped
    if unused > 0:
        say(console, f"Answers saved that no finished round has used yet: {unused:,}.")


def _say_verdict(console: Console, loop: BootstrapLoop) -> None:
    """Whether people may review less; nothing before the first round, when there is nothing to say."""
    from bootstrap.cli.results import show_verdict

    if len(loop.history) > 0:
        show_verdict(console, loop)


def _write(console: Console, loop: BootstrapLoop, task: TextTask, log: LabelLog, folder: Path) -> None:
    from bootstrap.cli.label_files import write_labels, write_predictions
    from bootstrap.cli.results import say_what_was_written, write_history

    written = [
        *write_history(loop, folder),
        write_labels(folder / "labels.csv", task, loop, log),
        write_predictions(folder / "predictions.csv", task, loop, log),
    ]
    say_what_was_written(console, folder, [log.path, *written])


def _how_to_go_on(loop: BootstrapLoop, budget: int) -> str:
    reason = loop.stop_reason or ""
    if "used up" in reason:
        return "Nothing is left to ask."
    if loop.n_labels >= budget:
        return "To go on, run the same command again with a larger --budget."
    if "rounds done" in reason:
        return "To go on, run the same command again with more --rounds."
    return "To go on, run the same command again: nothing is asked twice."
