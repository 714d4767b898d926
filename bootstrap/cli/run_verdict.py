"""The verdict on a folder of `bootstrap-labels run`, from its store: nobody is asked, and a run may go on.

Models that are still tested are fitted again, and are the ones they were or are said not to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from bootstrap.cli import verdict_options as options
from bootstrap.cli.run_folder import RunFolder
from bootstrap.cli.terminal_output import Debug, new_console, plain_warnings, say
from bootstrap.errors import InvalidInput, StoreError

if TYPE_CHECKING:
    from bootstrap.loop import BootstrapLoop

__all__ = ["loop_of_run", "plan", "refuse_no_run", "verdict_of_run"]

_SQLITE: Final = b"SQLite format 3\0"
_URL: Final = re.compile(r"[a-z0-9+]{3,}:/")  # a path has lost the second stroke; a drive is one letter


def verdict_of_run(folder: Path, *, as_record: bool = False) -> None:
    """Print the verdict on a run, and its latest certificate.

    Parameters
    ----------
    folder : Path
        Where `run` keeps its store.
    as_record : bool
        Print JSON instead.

    Raises
    ------
    StoreError
        If the folder holds no run, or one that another version of the model has begun.
    """
    from bootstrap.cli.results import for_the_command_line
    from bootstrap.cli.verdict import as_json

    with loop_of_run(folder) as loop:
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


def plan(folder: options.Folder, as_record: options.Json = False, debug: Debug = False) -> None:
    """Print what a certificate is likely to take from here."""
    from bootstrap.cli.verdict import as_json

    refuse_no_run(folder, "plan")
    with loop_of_run(folder) as loop:
        found = loop.plan()
    if as_record:
        typer.echo(as_json({"folder": str(folder), **found.to_dict()}))
    else:
        say(new_console(), str(found))


def refuse_no_run(path: Path, command: str) -> None:
    """Refuse what is neither a folder nor a table: nothing at all, or a store itself.

    Parameters
    ----------
    path : Path
    command : str
        `verdict` or `plan`; the former takes the file of a review log, too.

    Raises
    ------
    InvalidInput
        Saying what to pass.
    """
    if path.is_dir():
        return
    if path.name == RunFolder(path.parent).store.name and RunFolder(path.parent).is_begun:
        raise InvalidInput(
            f"{path} is a store. Pass its folder, {str(path.parent)!r}, if bootstrap-labels run has written "
            "it; a store of your own is judged in Python: "
            f"load_loop(storage=..., estimator=...).{command}()."
        )
    wanted = "a folder that bootstrap-labels run has written"
    is_url = not path.exists() and _URL.match(str(path)) is not None
    if is_url or (path.is_file() and _begins_as_a_store(path)):
        raise InvalidInput(
            f"{'A URL names' if is_url else f'{path} is'} a store, and {command} wants {wanted}. The loop of "
            "a store is judged with its estimator, in Python: "
            f"load_loop(storage=..., estimator=...).{command}()."
        )
    if not path.exists():
        more = ", or the file of a review log (.csv or .jsonl)" if command == "verdict" else ""
        raise InvalidInput(f"There is no {path}. Name {wanted}{more}.")
    if command != "verdict":
        raise InvalidInput(f"{path} is no folder. Name {wanted}.")


def _begins_as_a_store(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


@contextmanager
def loop_of_run(folder: Path) -> Iterator[BootstrapLoop]:
    """The loop of a run, as it is in the store; closed in the end."""
    from bootstrap.loading import load_loop
    from bootstrap.text_pipeline import PIPELINE_VERSION, text_pipeline

    run = RunFolder(folder)
    if not run.is_begun:
        raise StoreError(
            f"{folder} holds no {run.store.name}: "
            + (
                f"an earlier version has kept its answers in {run.log.name}. Run the same bootstrap-labels "
                "run once more, and they are brought into a store."
                if run.has_log
                else "name a folder that bootstrap-labels run has written, or the file of a review log."
            )
        )
    if run.begun().settings.get("pipeline") != PIPELINE_VERSION:
        raise StoreError(
            f"The run in {folder} was begun with another version of the model, which can't be fitted again "
            "here. Use the version of bootstrap-labels that has begun it."
        )
    with plain_warnings(), closing(load_loop(storage=run.storage, estimator=text_pipeline())) as loop:
        yield loop
