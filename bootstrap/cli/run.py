"""`bootstrap-labels run`: label one's own texts, stop and go on at will, see what the model can take over.

Every answer is in the store of the run's folder before the next question is asked. A run that finds a store
goes on where that ends: nobody is asked twice, and no round is fitted again.
"""

from __future__ import annotations

import secrets
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from bootstrap.cli import run_options as options
from bootstrap.cli.recall_targets import recalls_of
from bootstrap.cli.table_file import read_table
from bootstrap.cli.terminal_output import Debug, new_console, plain_warnings, progress_bar, say
from bootstrap.errors import InvalidInput
from bootstrap.text_pipeline import PIPELINE_VERSION, text_pipeline

if TYPE_CHECKING:
    from rich.console import Console

    from bootstrap.cli.run_folder import Begun, RunFolder
    from bootstrap.cli.text_task import TextTask
    from bootstrap.loop import BootstrapLoop
    from bootstrap.protocols import Labeler
    from bootstrap.records import Round

__all__ = ["run"]

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
    from bootstrap.cli.label_files import answers_of
    from bootstrap.cli.results import new_folder
    from bootstrap.cli.run_folder import RunFolder
    from bootstrap.cli.text_task import Columns, read_task
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

    folder = RunFolder(new_folder(out or Path(f"{file.stem}-labels")))
    console = new_console()
    say(console, f"{file}: {' '.join(task.notes())}")
    columns = {"text": text, "id": id, "known_labels": known_labels}
    settings = {**steering, **columns, "input": task.fingerprint, "pipeline": PIPELINE_VERSION}
    if folder.has_log and not folder.is_begun:
        _bring_log_in(console, folder, settings, seed, steering, task, budget)
    begun = _begun(folder, settings, seed)
    loop = BootstrapLoop(
        text_pipeline(), labeler, storage=folder.storage, random_state=begun.seed, **steering
    )
    with closing(loop):
        n_before = len(answers_of(loop, task))
        _say_where_it_begins(console, folder, begun, n_before)
        _label(loop, task, budget, rounds, draw_bar=answers is not None)
        n_now = len(answers_of(loop, task))
        if answers is None and n_now == n_before:
            _refuse_nobody(loop, folder)
        _show(console, loop, n_now)
        _write(console, loop, task, folder)
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


def _begun(folder: RunFolder, settings: dict[str, Any], seed: int | None) -> Begun:
    """What the run in the folder was begun with; a new one is begun with these settings."""
    from bootstrap.cli.run_folder import Begun

    if folder.is_begun:
        begun = folder.begun()
        folder.refuse_other(begun, settings, seed)
        return begun
    begun = Begun(secrets.randbelow(options.MOST_SEEDS) if seed is None else seed, settings)
    folder.begin(begun)  # before the store: the seed is the loop's, even if this ends right here
    return begun


def _bring_log_in(
    console: Console,
    folder: RunFolder,
    settings: dict[str, Any],
    seed: int | None,
    steering: dict[str, Any],
    task: TextTask,
    budget: int,
) -> None:
    """Make a store of what an earlier version kept; the log itself is left as it is."""
    from bootstrap.cli.earlier_run import bring_in
    from bootstrap.cli.run_folder import Begun
    from bootstrap.store.files.earlier_log import reading_log

    with reading_log(folder.log) as log:
        begun = Begun(int.from_bytes(log.key, "big"), log.settings)
        folder.refuse_other(begun, settings, seed)
        if folder.is_begun:  # by another process, which had the log until now
            return
        say(console, f"An earlier version has kept answers in {folder.log}. They go into {folder.store} now.")
        brought = bring_in(folder, log, begun, steering, task, budget)
    said = f"{brought.n_answers:,} answers were brought in; the old file is as it was, and not used any more."
    if brought.n_given:
        said += (
            f" {brought.n_given:,} of them were not asked for in the rounds as they are gone through now: "
            "they count as labels that existed before, and not as evidence."
        )
    if brought.n_left:
        said += f" {brought.n_left:,} skips were not asked for again, and are in the old file only."
    say(console, said)


def _say_where_it_begins(console: Console, folder: RunFolder, begun: Begun, n: int) -> None:
    saved = f"Answers are saved in {folder.store} at once; the seed is {begun.seed}."
    if n:
        saved += f" {n:,} {'is' if n == 1 else 'are'} there already and will not be asked for again."
    say(console, saved)


def _label(loop: BootstrapLoop, task: TextTask, budget: int, rounds: int | None, *, draw_bar: bool) -> None:
    """Run the loop until there is a reason to stop; Ctrl-C is one."""
    pool = task.pool
    loop.add([task.texts[i] for i in pool], ids=[task.ids[i] for i in pool] if task.own_ids else None)
    try:
        with plain_warnings(), progress_bar(budget, wanted=draw_bar) as callbacks:
            loop.run(
                labeled=task.outside,
                budget=budget,
                rounds=rounds,
                callbacks=callbacks if draw_bar else [_say_round],
            )
    except KeyboardInterrupt:
        loop.take_saved()
        loop.stop_reason = "interrupted (Ctrl-C)"


def _refuse_nobody(loop: BootstrapLoop, folder: RunFolder) -> None:
    """Where nothing was answered because nothing can be: in a script, a scheduler, a service."""
    from bootstrap.labelers.terminal.session import INPUT_ENDED

    if loop.stop_reason != INPUT_ENDED or (sys.stdin is not None and sys.stdin.isatty()):
        return
    raise InvalidInput(
        "Nobody can answer here: standard input is at its end, and is no terminal. Nothing was answered. "
        f"Run the same command in a terminal: it goes on with {folder.store}. Or give it a line for each "
        "question through a pipe, or take the answers from a column of the file: --label-with column:COL."
    )


def _say_round(loop: BootstrapLoop, round_: Round) -> None:
    """Where things stand, between batches."""
    text = f"Round {round_.round}: {round_.n_labels:,} labels"
    if round_.accuracy is not None:
        text += f", the model right on {round_.accuracy:.3f} of {round_.n_audited:,} audited items"
    typer.echo(text, err=True)


def _show(console: Console, loop: BootstrapLoop, n: int) -> None:
    from bootstrap.cli.results import show_history

    history = loop.history
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


def _write(console: Console, loop: BootstrapLoop, task: TextTask, folder: RunFolder) -> None:
    from bootstrap.cli.label_files import write_labels, write_predictions
    from bootstrap.cli.results import say_what_was_written, write_history

    written = [
        *write_history(loop, folder.path),
        write_labels(folder.path / "labels.csv", task, loop),
        write_predictions(folder.path / "predictions.csv", task, loop),
    ]
    say_what_was_written(console, folder.path, [folder.store, *written])


def _how_to_go_on(loop: BootstrapLoop, budget: int) -> str:
    reason = loop.stop_reason or ""
    if "used up" in reason:
        return "Nothing is left to ask."
    if loop.n_labels >= budget:
        return "To go on, run the same command again with a larger --budget."
    if "rounds done" in reason:
        return "To go on, run the same command again with more --rounds."
    return "To go on, run the same command again: nothing is asked twice."
