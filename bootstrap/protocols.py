"""The seams that a user may implement: who answers, and what time it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from bootstrap.records import Query

__all__ = ["Clock", "Labeler"]


class Labeler(Protocol):
    """Whoever answers queries: any callable on a list of :class:`~bootstrap.records.Query`.

    It returns one answer for each query in order (a list, or a generator that yields them: what was
    yielded before an exception is kept), or a mapping from query id to answer for those it could
    answer; queries left out of a mapping go back to the pool. An answer is a class, or
    :data:`~bootstrap.records.SKIP` for "can't tell".

    Raising :class:`~bootstrap.errors.LabelerStopped` ends the run cleanly and keeps the answers it
    carries. Any other exception, Ctrl-C included, reaches the caller of `run` after what was
    answered has been kept. An optional attribute `name` (str) is stored as who answered.
    """

    def __call__(self, queries: Sequence[Query], /) -> Iterable[Any] | Mapping[str, Any]:
        """Answer `queries`; see the class."""
        ...


class Clock(Protocol):
    """What time it is, in seconds since the epoch; `time.time` is one."""

    def __call__(self) -> float:
        """Seconds since the epoch."""
        ...
