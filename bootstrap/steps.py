"""What is done around each step of a loop: nothing where it lives in memory, all of it where it has a store.

A loop calls these and does not ask whether it has a store; :class:`bootstrap.journal.Journal` is the other
kind.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from bootstrap.labels import Told

__all__ = ["InMemory", "Steps"]


class Steps(Protocol):
    """What keeps a loop.

    Attributes
    ----------
    is_stored : bool
        Whether a store does.
    """

    is_stored: bool

    def step(self, *, answers: bool = False) -> AbstractContextManager[None]:
        """One step: begun with what others did, and kept as a whole. `answers`: it stores some."""

    def holding(self) -> AbstractContextManager[None]:
        """Be the one process that trains this loop."""

    def mark(self, kind: str, **body: Any) -> None:
        """Have it kept with this step that something was done that shows nowhere else."""

    def look(self) -> None:
        """See what the trainer of this loop has done, in whatever process."""

    def refresh(self) -> None:
        """Take in labels that were given and items that were added since the last refit."""

    def catch_up(self) -> Told:
        """Take the answers that people gave elsewhere."""

    def n_untaken(self) -> int:
        """Answers that people gave elsewhere and that were not taken yet."""

    def write_rest(self) -> None:
        """Keep what waits for the next questions."""

    def saving(self, by: str | None) -> Any:
        """What keeps each answer of one call to a labeler as it comes; None where memory does."""

    def close_desks(self) -> None:
        """Let nobody at a desk answer any more."""

    def withdraw(self) -> None:
        """Take back what nobody at a desk has in hand."""

    def close(self) -> None:
        """Let go of what it is kept in."""


class InMemory:
    """A loop without a store: nobody else knows it, and nothing is kept.

    Parameters
    ----------
    catch_up : callable
        Takes in labels and items since the last refit.
    """

    is_stored = False

    def __init__(self, catch_up: Callable[[], None]) -> None:
        self._catch_up = catch_up

    def step(self, *, answers: bool = False) -> AbstractContextManager[None]:
        """Nothing around it."""
        return nullcontext()

    def holding(self) -> AbstractContextManager[None]:
        """Nobody else could."""
        return nullcontext()

    def mark(self, kind: str, **body: Any) -> None:
        """Nothing."""

    def look(self) -> None:
        """Nothing."""

    def refresh(self) -> None:
        """Take in labels that were given and items that were added since the last refit."""
        self._catch_up()

    def catch_up(self) -> Told:
        """There are none."""
        return Told()

    def n_untaken(self) -> int:
        """None."""
        return 0

    def write_rest(self) -> None:
        """Nothing."""

    def saving(self, by: str | None) -> None:
        """None."""

    def close_desks(self) -> None:
        """Nothing."""

    def withdraw(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""
