"""What to do after each round: any callable `(loop, round)` given to `run(callbacks=[...])`.

An exception in a callback reaches the caller of `run`; the round it was called for is finished and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

from bootstrap.errors import InvalidInput
from bootstrap.records import Round

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Callback", "ProgressBar", "checked_callbacks"]

Callback: TypeAlias = Callable[[Any, Round], object]


def checked_callbacks(callbacks: Iterable[Callback]) -> list[Callback]:
    """The callbacks of a run, each of which can be called.

    Raises
    ------
    InvalidInput
    """
    checked = list(callbacks)
    for callback in checked:
        if not callable(callback):
            raise InvalidInput(f"a callback is a function (loop, round), got {callback!r}")
    return checked


class ProgressBar:
    """A bar that shows labels spent and the last round's figures.

    Use it as a context manager, so that the terminal is left tidy whatever happens.

    Parameters
    ----------
    budget : int
        Labels at which the bar is full.
    console : rich.console.Console, optional
        Where to draw; standard error by default.

    Examples
    --------
    >>> with ProgressBar(600) as progress:                        # doctest: +SKIP
    ...     loop.run(X, budget=600, callbacks=[progress])
    """

    def __init__(self, budget: int, *, console: Console | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("labels"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            console=console or Console(stderr=True),
        )
        self._task = self._progress.add_task("labels", total=budget, figures="")

    def __enter__(self) -> ProgressBar:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, loop: Any, round_: Round) -> None:
        """Show where the loop is."""
        figures = f"round {round_.round}"
        if round_.accuracy is not None:
            figures += f", model alone {round_.accuracy:.3f} on {round_.n_audited} audited"
        self._progress.update(self._task, completed=round_.n_labels, figures=figures)
