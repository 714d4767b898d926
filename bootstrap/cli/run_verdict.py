"""The verdict on a folder of `bootstrap-labels run`: its rounds are played again, and nobody is asked.

The state of a run is its label log and its texts. The same texts and answers give the same models, so the
candidates and what they showed come out as they did then. A round that the budget has cut short is not
closed again: its answers count as evidence, and no model is fitted to them.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import typer

from bootstrap.cli import verdict_options as options
from bootstrap.cli.terminal_output import Debug, new_console, plain_warnings, say
from bootstrap.errors import InvalidInput, LabelerStopped, LogError

if TYPE_CHECKING:
    from bootstrap.cli.text_task import TextTask
    from bootstrap.loop import BootstrapLoop
    from bootstrap.records import Query
    from bootstrap.store import LabelLog

__all__ = ["plan", "replayed", "verdict_of_run"]

_LOG_NAME: Final = "labels.jsonl"
_ENDINGS: Final = (".csv", ".jsonl", ".ndjson")
_FOLDER_ENDS: Final = "-labels"


def verdict_of_run(
    folder: Path,
    *,
    texts: Path | None = None,
    as_record: bool = False,
) -> None:
    """Print the verdict on a run, and its latest certificate.

    Parameters
    ----------
    folder : Path
        Where `run` has written its log.
    texts : Path, optional
        The file that the run was given.
    as_record : bool
        Print JSON instead.

    Raises
    ------
    InvalidInput
        If the texts are not found, or are not those of the run.
    LogError
        If the folder holds no label log, or one that can't be played again.
    """
    from bootstrap.cli.results import for_the_command_line
    from bootstrap.cli.verdict import as_json

    with replayed(folder, texts) as loop:
        found, certificates = loop.verdict(), loop.certificates
    if as_record:
        record = {
            "folder": str(folder),
            "verdict": found.to_dict(),
            "certificates": [certificate.to_dict() for certificate in certificates],
        }
        typer.echo(as_json(record))
        return
    say(new_console(), for_the_command_line(str(found)), *([str(certificates[-1])] if certificates else []))


def plan(
    folder: options.Folder,
    texts: options.Texts = None,
    as_record: options.Json = False,
    debug: Debug = False,
) -> None:
    """Print what a certificate is likely to take from here."""
    from bootstrap.cli.verdict import as_json

    with replayed(folder, texts) as loop:
        found = loop.plan()
    if as_record:
        typer.echo(as_json({"folder": str(folder), **found.to_dict()}))
    else:
        say(new_console(), str(found))


@contextlib.contextmanager
def replayed(folder: Path, texts: Path | None) -> Iterator[BootstrapLoop]:
    """The loop of a run, as it was when the run was left; the log is locked meanwhile.

    Parameters
    ----------
    folder : Path
    texts : Path, optional
        The file that the run was given; by default looked for beside the folder.
    """
    from bootstrap.labelers import logged
    from bootstrap.loop import BootstrapLoop
    from bootstrap.store import LabelLog
    from bootstrap.text_pipeline import PIPELINE_VERSION, text_pipeline

    path = folder / _LOG_NAME
    if not path.is_file():
        raise LogError(
            f"{folder} holds no {_LOG_NAME}: name a folder that bootstrap-labels run has written, or the "
            "file of a review log."
        )
    with LabelLog.open(path) as log:
        if log.settings.get("pipeline") != PIPELINE_VERSION:
            raise LogError(
                f"The label log {path} was begun with another version of the model, or not by "
                "bootstrap-labels run: its rounds can't be played again."
            )
        task = _task(folder, texts, log)
        known = inspect.signature(BootstrapLoop).parameters
        steering = {name: value for name, value in log.settings.items() if name in known}
        loop = BootstrapLoop(
            text_pipeline(),
            logged(_ask_nobody, log),
            random_state=int.from_bytes(log.key, "big"),
            **steering,
        )
        _play(loop, task)
        yield loop


def _ask_nobody(queries: Sequence[Query]) -> NoReturn:
    raise LabelerStopped(reason="the log holds no further answer")


def _play(loop: BootstrapLoop, task: TextTask) -> None:
    pool = task.pool
    loop.add([task.texts[i] for i in pool], ids=[task.ids[i] for i in pool] if task.own_ids else None)
    texts, labels = task.labeled
    with plain_warnings():
        loop.run(labeled=(texts, labels) if texts else None)


def _task(folder: Path, texts: Path | None, log: LabelLog) -> TextTask:
    """The texts of the run, checked against what its log says of them."""
    from bootstrap.cli.table_file import read_table
    from bootstrap.cli.text_task import Columns, read_task

    path = texts or _beside(folder)
    settings = log.settings
    columns = Columns(settings["text"], settings["id"], settings["known_labels"])
    task = read_task(read_table(path), columns, settings["classes"])
    if task.fingerprint != settings["input"]:
        raise InvalidInput(
            f"{path} holds {task.fingerprint}, and the run in {folder} was given {settings['input']}: these "
            "are not its texts, ids and known labels. Name the file as it was with --texts."
        )
    return task


def _beside(folder: Path) -> Path:
    """The file that `run` makes such a folder for by default, here or beside the folder."""
    stem = folder.resolve().name
    if stem.endswith(_FOLDER_ENDS):
        names = [stem.removesuffix(_FOLDER_ENDS) + ending for ending in _ENDINGS]
        for path in [place / name for place in (folder.resolve().parent, Path()) for name in names]:
            if path.is_file():
                return path
    raise InvalidInput(
        f"Which texts the run in {folder} was given is not known: name their file with --texts FILE."
    )
