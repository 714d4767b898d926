"""What a loop leaves behind: a table, words and the verdict on the screen, history and pictures as files."""

from __future__ import annotations

import dataclasses
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from rich.console import Console

from bootstrap.cli.terminal_output import note, say
from bootstrap.errors import InvalidInput, MissingExtra
from bootstrap.history import History
from bootstrap.loop import BootstrapLoop
from bootstrap.report import history_table, summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "for_the_command_line",
    "new_folder",
    "say_what_was_written",
    "show_history",
    "show_verdict",
    "some_rounds",
    "write_history",
]

_ADD_MORE: Final = re.compile(r"add more items( \(loop\.add[^)]*\))?")
_WITH_HELD_OUT: Final = re.compile(r", to a loop with a held-out set \(held_out=([\d.]+)\)")
_RECALL: Final = re.compile(r"targets=\{(['\"])(.+?)\1: \{'recall': ([\d.]+)\}\} when the loop is made")
_ANEW: Final = (
    " A run keeps to the texts and settings that it was begun with. To take its labels along, begin the new "
    "one with its predictions.csv, or a copy with rows added: --text text --known-labels label, and another "
    "--out. They are learned from there, and are no evidence."
)

_ROWS = 10
_DOTS_PER_INCH = 150


def new_folder(path: Path) -> Path:
    """Make the folder if it is not there, before any work is done for it.

    Raises
    ------
    InvalidInput
        If that can't be done.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"Cannot make the folder {path}: {error.strerror}. Choose another one with --out."
        ) from error
    return path


def some_rounds(history: History, most: int = _ROWS) -> History:
    """A history of at most `most` rounds, the first and the last among them, the others evenly between."""
    if len(history) <= most:
        return history
    chosen = np.linspace(0, len(history) - 1, most).round().astype(int)
    return dataclasses.replace(history, rounds=tuple(history[i] for i in chosen.tolist()))


def show_history(console: Console, history: History) -> None:
    """Print the rounds as a table of about ten rows, and what they say in words."""
    console.print(history_table(some_rounds(history)))
    console.print()
    say(console, summary(history))


def show_verdict(
    console: Console, loop: BootstrapLoop, *, command: str = "run", with_plan: bool = False
) -> None:
    """Print whether people may review less, and why; with the plan, where nothing is certified.

    `command` is what goes on where more labels are wanted.
    """
    say(console, for_the_command_line(str(loop.verdict()), command))
    if with_plan and loop.certified_review_rate == 1:
        say(console, str(loop.plan()))


def for_the_command_line(text: str, command: str = "run") -> str:
    """A verdict whose next step is a command of this program, where it was a call of Python.

    What a `run` was begun with can't be changed later, as a loop's items can: then it is said how a new one
    gets its labels. The demo has what it has.
    """
    go_on = rf"go on with bootstrap-labels {command} and --budget \1"
    text = re.sub(r"loop\.run\(budget=(\d+)\)", go_on, text)
    text = text.replace(
        "(loop.run)", f"(bootstrap-labels {command}, with a larger --budget where it is spent)"
    )
    if command == "demo":
        text = _ADD_MORE.sub("take more items than the demo has", text)
    else:
        anew = _WITH_HELD_OUT.sub(r", a share of them held out (--held-out \1)", text)
        anew = _RECALL.sub(_recall_of_a_new_run, _ADD_MORE.sub("begin a new run with more texts", anew))
        text = anew if anew == text else anew + _ANEW
    return re.sub(r" \((loop\.[a-z_]+(\(\))?)(: [^)]*)?\)", "", text)


def _recall_of_a_new_run(found: re.Match[str]) -> str:
    return f"--recall {shlex.quote(f'{found[2]}={found[3]}')} in a new run"


def write_history(loop: BootstrapLoop, folder: Path) -> list[Path]:
    """Write history.jsonl and history.csv, and the pictures where something is measured.

    Without matplotlib the pictures are left out, and a note says so.

    Returns
    -------
    list of Path
        What was written.
    """
    history = loop.history
    written = [history.to_jsonl(folder / "history.jsonl"), history.to_csv(folder / "history.csv")]
    if any(round_.accuracy is not None for round_ in history):
        try:
            written.append(_save(loop.plot(), folder / "plot.png"))
            written.append(_save(loop.review_curve().plot(), folder / "review_curve.png"))
        except MissingExtra as missing:
            note(f"no pictures were drawn. {missing}")
    return written


def say_what_was_written(console: Console, folder: Path, paths: list[Path]) -> None:
    """Print where the results are, paths uncut."""
    console.print(f"Written to {folder}:", markup=False, soft_wrap=True)
    console.print("  " + ", ".join(path.name for path in paths), markup=False)
    console.print()


def _save(ax: Axes, path: Path) -> Path:
    figure: Any = ax.get_figure(root=True)
    figure.savefig(path, dpi=_DOTS_PER_INCH)
    if "matplotlib.pyplot" in sys.modules:  # then pyplot keeps the figure until it is told not to
        sys.modules["matplotlib.pyplot"].close(figure)
    return path
