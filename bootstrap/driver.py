"""What `BootstrapLoop.run` does: ask, tell, refit, until there is a reason to stop.

It keeps no state of its own: whatever the labeler answered before it stopped, failed or was interrupted is in
the loop, and the next run goes on from there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from bootstrap.callbacks import Callback, checked_callbacks
from bootstrap.errors import AnswersRejected, LabelerStopped
from bootstrap.labelers.callback import Collected, CollectingLabeler, collect
from bootstrap.labels import Told
from bootstrap.protocols import Labeler
from bootstrap.records import Query, Round
from bootstrap.stopping import POOL_IS_USED_UP, StopCondition, stop_conditions

__all__ = ["Driver"]


class _Driven(Protocol):
    """What a run needs of a loop."""

    @property
    def history(self) -> Any: ...

    @property
    def n_labels(self) -> int: ...

    @property
    def certified_review_rate(self) -> float: ...

    @property
    def batch_is_answered(self) -> bool: ...

    @property
    def batch_waits(self) -> bool: ...

    def is_held_out(self, item_id: str) -> bool: ...

    def ask(self, limit: int | None = None) -> list[Query]: ...

    def tell(self, answers: Mapping[Any, Any], *, by: str | None = None) -> Told: ...

    def ask_second(self) -> list[Query]: ...

    def tell_second(self, answers: Mapping[Any, Any], *, by: str | None = None) -> Told: ...

    def refit(self) -> Round: ...

    def take_saved(self) -> Told: ...

    def write_what_waits(self) -> None: ...

    def saving(self, by: str | None) -> Any: ...


class _Telling:
    """Tells a loop what a labeler says as it comes; what is refused is left to be told again, and raise."""

    def __init__(self, tell: Callable[..., Told], by: str | None) -> None:
        self.n_told = 0
        self._tell = tell
        self._by = by

    def tell(self, pairs: list[tuple[Query, Any]]) -> None:
        """Tell answers that became known at the same time."""
        with contextlib.suppress(AnswersRejected):
            self._tell({query.id: answer for query, answer in pairs}, by=self._by)
            self.n_told += len(pairs)


class Driver:
    """One run of a loop.

    Parameters
    ----------
    labeler : callable
        Who answers.
    second : callable
        Who gives second answers.
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
        second: Labeler,
        *,
        budget: int | None,
        rounds: int | None,
        until: StopCondition | Any,
        callbacks: Iterable[Callback],
    ) -> None:
        self._labeler = labeler
        self._second = second
        self._budget = budget
        self._stop = stop_conditions(budget, rounds, until)
        self._callbacks = checked_callbacks(callbacks)

    def run(self, loop: _Driven) -> str:
        """Drive the loop; returns why it stopped."""
        self._stop.start(loop)
        loop.take_saved()  # by a run that was stopped in the middle of a batch
        if loop.batch_is_answered:  # by a run that was stopped before it could refit, or by hand
            self._close_round(loop)
        reason = self._stop.reason(loop)
        if reason is None and not loop.batch_waits:  # one that was begun comes first, as without the stop
            reason = self._ask_second(loop)
        while reason is None:
            reason = self._stop.reason(loop) or self._one_round(loop) or self._ask_second(loop)
        return reason

    def _one_round(self, loop: _Driven) -> str | None:
        """Ask, tell, refit once; a reason to stop, or None to go on."""
        queries = self._affordable(loop)
        if not queries:
            return POOL_IS_USED_UP
        told, collected = self._have_answered(loop, self._labeler, queries, loop.tell)
        if isinstance(collected.error, LabelerStopped):
            if loop.batch_is_answered:
                self._close_round(loop)
            return collected.error.reason
        if told == Told():
            return f"the labeler answered none of {len(queries)} queries"
        self._close_round(loop)
        return None

    def _ask_second(self, loop: _Driven) -> str | None:
        """Have disputed audits answered a second time; a reason to stop, or None."""
        queries = loop.ask_second()
        if self._budget is not None:
            queries = queries[: max(0, self._budget - loop.n_labels)]
        if not queries:
            return None
        _, collected = self._have_answered(loop, self._second, queries, loop.tell_second)
        return collected.error.reason if isinstance(collected.error, LabelerStopped) else None

    def _have_answered(
        self, loop: _Driven, labeler: Labeler, queries: list[Query], tell: Callable[..., Told]
    ) -> tuple[Told, Collected]:
        """Ask and tell; where there is a store, each answer is on the disk before the next question."""
        by = getattr(labeler, "name", None)
        saving = loop.saving(by)
        if saving is None:
            collected = collect(labeler, queries)
        elif isinstance(labeler, CollectingLabeler):  # may take answers back until its batch ends
            collected = collect(labeler, queries, on_answers=saving.save, on_undo=saving.undo)
        else:
            telling = _Telling(tell, by)
            collected = collect(labeler, queries, on_answers=telling.tell)
            if telling.n_told == len(collected.answers) and collected.error is None:
                return Told(kept=telling.n_told), collected
        return self._tell(collected, labeler, tell), collected

    def _affordable(self, loop: _Driven) -> list[Query]:
        """What to ask now; of a batch that waits already, no more than the budget allows."""
        if self._budget is None:
            return loop.ask()
        left = self._budget - loop.n_labels
        queries = loop.ask(left)
        if len(queries) > left:
            queries = sorted(queries, key=lambda query: loop.is_held_out(query.id))[:left]
        return queries

    def _tell(self, collected: Collected, labeler: Labeler, tell: Callable[..., Told]) -> Told:
        """Keep every answer there is; then raise what went wrong, unless the labeler just stopped."""
        by = getattr(labeler, "name", None)
        rejected: AnswersRejected | None = None
        told = Told()
        try:
            told = tell(collected.answers, by=by)
        except AnswersRejected as error:
            rejected = error
        except KeyboardInterrupt:
            tell(collected.answers, by=by)  # once more from the start: telling twice changes nothing
            raise
        if collected.error is not None and not isinstance(collected.error, LabelerStopped):
            if rejected is not None:
                collected.error.add_note(str(rejected))
            raise collected.error
        if rejected is not None:
            raise rejected
        return told

    def _close_round(self, loop: _Driven) -> None:
        round_ = loop.refit()
        if self._callbacks:  # they may look at the store
            loop.write_what_waits()
        for callback in self._callbacks:
            callback(loop, round_)
