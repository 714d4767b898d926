"""What `BootstrapLoop.run` does where people answer at desks, in other processes: publish, wait, refit.

Queries stay open beside those that are being answered, so that nobody waits for a refit; what nobody has
taken by then is taken back and ranked anew. The run can be killed at any time: people go on, and the next run
takes what they said.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from bootstrap.callbacks import Callback, checked_callbacks
from bootstrap.errors import InvalidInput
from bootstrap.records import Query, Round
from bootstrap.stopping import POOL_IS_USED_UP, StopCondition, stop_conditions
from bootstrap.store.desks.progress import Progress

__all__ = ["DeskDriver", "wait_for"]

#: Seconds between two looks at the store: the first after something has happened, and the longest.
_SHORTEST, _LONGEST = 0.02, 2.0

#: Seconds in which nothing comes before somebody is said to be missing.
_PATIENCE = 30.0


class _Published(Protocol):
    """What a run needs of a loop."""

    @property
    def history(self) -> Any: ...

    @property
    def n_labels(self) -> int: ...

    @property
    def certified_review_rate(self) -> float: ...

    def publish_more(self, limit: int | None) -> bool: ...

    def ask_second(self) -> list[Query]: ...

    def take_saved(self) -> Any: ...

    @property
    def batch_is_answered(self) -> bool: ...

    def close_round_of_desks(self) -> Round: ...


class _Desks(Protocol):
    """What it needs of the store."""

    overlap: int

    def open_desks(self) -> None: ...

    def progress(self) -> Progress: ...

    def withdraw(self) -> None: ...


class DeskDriver:
    """One run of a loop with people at desks.

    Parameters
    ----------
    desks : Journal
    batch_size : int
        Training queries answered until the next refit.
    queue_ahead : int
        Training queries that stay open beside these; 0 waits for everything that is open, disagreements that
        somebody there can settle included.
    budget, rounds, until, callbacks
        As in :class:`bootstrap.driver.Driver`.
    """

    def __init__(
        self,
        desks: _Desks,
        batch_size: int,
        queue_ahead: int,
        *,
        budget: int | None,
        rounds: int | None,
        until: StopCondition | Any,
        callbacks: Iterable[Callback],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._desks = desks
        self._batch_size = batch_size
        self._queue_ahead = queue_ahead
        self._budget = budget
        self._stop = stop_conditions(budget, rounds, until)
        self._callbacks = checked_callbacks(callbacks)
        self._sleep = sleep
        self._has_said = False

    def run(self, loop: Any) -> str:
        """Drive the loop; returns why it stopped."""
        self._stop.start(loop)
        self._desks.open_desks()
        loop.take_saved()
        if loop.batch_is_answered:  # of a run that was stopped before it could refit
            self._close_round(loop)
        while True:
            reason = self._stop.reason(loop)
            if reason is None and not self._queue_ahead and loop.ask_second():
                if self._wait(loop):  # what they say decides what is asked next
                    loop.take_saved()
                continue
            if reason is None and not self._fill(loop):
                reason = POOL_IS_USED_UP
            if reason is not None:
                self._desks.withdraw()
                return reason
            if not self._wait(loop):
                continue
            self._close_round(loop)

    def _close_round(self, loop: Any) -> None:
        round_ = loop.close_round_of_desks()
        for callback in self._callbacks:
            callback(loop, round_)

    def _fill(self, loop: _Published) -> bool:
        """Have enough queries open; whether there is anything to wait for, or to refit on."""
        if self._queue_ahead:
            loop.ask_second()
        now = self._desks.progress()
        if not self._n_waiting(now):
            loop.take_saved()  # the last answers may have come since the last look
            if loop.batch_is_answered:
                return True
        while now.n_training < self._batch_size + self._queue_ahead:
            if self._n_waiting(now) and not self._queue_ahead:
                break
            limit = self._affordable(loop, now)
            if limit == 0 or not loop.publish_more(limit):
                break
            now = self._desks.progress()
        return self._n_waiting(now) > 0

    def _n_waiting(self, now: Progress) -> int:
        """Queries that the run does not go on without."""
        return now.n_open + (0 if self._queue_ahead else now.n_to_settle)

    def _affordable(self, loop: _Published, now: Progress) -> int | None:
        """How many further queries the budget allows, with all that they cost; the last may cost it more."""
        if self._budget is None:
            return None
        left = max(0, self._budget - loop.n_labels - now.n_to_come)
        return -(-left // self._desks.overlap)

    def _wait(self, loop: _Published) -> bool:
        """Until it is time for the next refit; False where there is a reason to stop first."""
        pause, waited = _SHORTEST, 0.0
        before = self._desks.progress()
        now = before
        while (n := self._n_waiting(now)) and not (self._queue_ahead and now.n_answered >= self._batch_size):
            if self._stop.reason(loop) is not None:
                return False
            self._sleep(pause)
            now = self._desks.progress()
            waited = waited + pause if now == before else 0.0
            if waited > _PATIENCE and now.n_for_another == now.n_open:
                self._say_who_is_missing(n)
            pause, before = _next_pause(pause, now != before), now
        return True

    def _say_who_is_missing(self, n: int) -> None:
        """Once a run: what stands still for this reason would wait for ever."""
        if not self._has_said:
            self._has_said = True
            overlap = self._desks.overlap
            warnings.warn(
                f"the run waits for another person: all {n} open queries have an answer. {overlap} different "
                f"people are to answer each (overlap={overlap}), and an adjudicator what they disagree about "
                "or can't tell. It goes on as soon as somebody else answers: Desk(storage, by=...)",
                stacklevel=4,
            )


def wait_for(
    count: Callable[[], int],
    wanted: int,
    timeout: float | None,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Look again and again, less and less often, until there are so many; returns how many there are.

    Raises
    ------
    InvalidInput
        If `wanted` is no whole number of at least 1, or `timeout` is negative.
    """
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise InvalidInput(f"new_labels is a whole number of at least 1, got {wanted!r}")
    if timeout is not None and not timeout >= 0:
        raise InvalidInput(f"timeout is a number of seconds, or None to wait for ever; got {timeout!r}")
    end = None if timeout is None else clock() + timeout
    found, pause = count(), _SHORTEST
    while found < wanted:
        left = _LONGEST if end is None else end - clock()
        if left <= 0:
            break
        sleep(min(pause, left))
        before, found = found, count()
        pause = _next_pause(pause, found != before)
    return found


def _next_pause(pause: float, something_came: bool) -> float:
    return _SHORTEST if something_came else min(2 * pause, _LONGEST)
