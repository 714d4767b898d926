"""What both commands print: paragraphs of a readable width, a progress bar, warnings as plain notes."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from typing import Annotated, TypeAlias

import typer
from rich.console import Console

from bootstrap.callbacks import Callback, ProgressBar

__all__ = ["Debug", "new_console", "note", "plain_warnings", "progress_bar", "say"]

#: Both commands take it; `main` looks at it.
Debug: TypeAlias = Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")]

_WIDEST = 100


def new_console() -> Console:
    """Standard output, in lines that an eye can follow."""
    console = Console(highlight=False)
    return console if console.width <= _WIDEST else Console(highlight=False, width=_WIDEST)


def say(console: Console, *paragraphs: str) -> None:
    """Print paragraphs as they are, each followed by a blank line."""
    for paragraph in paragraphs:
        console.print(paragraph, markup=False)
        console.print()


def note(sentence: str) -> None:
    """Print something that went other than planned, on standard error."""
    typer.echo(f"Note: {sentence}", err=True)


@contextlib.contextmanager
def progress_bar(budget: int, *, wanted: bool = True) -> Iterator[list[Callback]]:
    """The callbacks that draw a bar on standard error; none where that is no terminal."""
    if not wanted or not sys.stderr.isatty():
        yield []
        return
    with ProgressBar(budget) as bar:
        yield [bar]
    typer.echo(err=True)


@contextlib.contextmanager
def plain_warnings() -> Iterator[None]:
    """Print warnings that are meant for the user as a sentence, without file and line."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        note(str(message))

    with warnings.catch_warnings():
        warnings.filterwarnings("default", category=UserWarning)
        warnings.showwarning = show
        yield
