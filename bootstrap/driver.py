"""What `BootstrapLoop.run` does: ask, tell, refit, until there is a reason to stop.

It keeps no state of its own: whatever the labeler answered before it stopped, failed or was interrupted is in
the loop, and the next run goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from bootstrap.callbacks import Callback
from bootstrap.errors import AnswersRejected, InvalidInput, LabelerStopped
from bootstrap.labelers.callback import collect
from bootstrap.labels import Told
from bootstrap.protocols import Labeler
from bootstrap.records import Query, Round
from bootstrap.stopping import AnyOf, LabelsSpent, RoundsDone, StopCondition, When

__all__ = ["Driver"]


class _Driven(Protocol):
    """What a run needs of a loop."""

    @property
    def history(self) -> Any: ...

    @property
    def n_labels(self) -> int: ...

    def ask(self, limit: int | None = None) -> list[Query]: ...

    def tell(self, answers: Mapping[Any, Any], *, by: str | None = None) -> Told: ...

    def refit(self) -> Round: ...


class Driver:
    """One run of a loop.

    Parameters
    ----------
    labeler : callable
        Who answers.
    budget, rounds : int, optional
        Labels and rounds of the loop in all its runs together.
    until : StopCondition or function of the loop, optional
    callbacks : callables (loop, round)

    Raises
    ------
    InvalidInput
        If one of them is not what it should be.
    """

    def __init__(
        self,
        labeler: Labeler,
        *,
        budget: int | None,
        rounds: int | None,
        until: StopCondition | Any,
        callbacks: Iterable[Callback],
    ) -> None:
        self._labeler = labeler
        self._budget = budget
        conditions: list[StopCondition] = []
        if budget is not None:
            conditions.append(LabelsSpent(budget))
        if rounds is not None:
            conditions.append(RoundsDone(rounds))
        if until is not None:
            conditions.append(until if isinstance(until, StopCondition) else When(until))
        self._stop = AnyOf(*conditions)
        self._callbacks = list(callbacks)
        for callback in self._callbacks:
            if not callable(callback):
                raise InvalidInput(f"a callback is a function (loop, round), got {callback!r}")

    def run(self, loop: _Driven) -> str:
        """Drive the loop; returns why it stopped."""
        self._stop.start(loop)
        while True:
            reason = self._stop.reason(loop) or self._one_round(loop)
            if reason is not None:
                return reason

    def _one_round(self, loop: _Driven) -> str | None:
        """Ask, tell, refit once; a reason to stop, or None to go on."""
        queries = loop.ask(None if self._budget is None else self._budget - loop.n_labels)
        if not queries:
            return "the pool is used up: every item outside the held-out set was asked about"
        collected = collect(self._labeler, queries)
        rejected: AnswersRejected | None = None
        told = Told()
        try:
            told = loop.tell(collected.answers, by=getattr(self._labeler, "name", None))
        except AnswersRejected as error:
            rejected = error
        if collected.error is not None and not isinstance(collected.error, LabelerStopped):
            if rejected is not None:
                collected.error.add_note(str(rejected))
            raise collected.error
        if rejected is not None:
            raise rejected
        if isinstance(collected.error, LabelerStopped):
            return collected.error.reason
        if told == Told():
            return f"the labeler answered none of {len(queries)} queries"
        round_ = loop.refit()
        for callback in self._callbacks:
            callback(loop, round_)
        return None
