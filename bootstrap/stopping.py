"""When to stop asking people: conditions that can be joined with `|` and `&`.

A condition looks at a loop after each round and gives a reason to stop, or None. None of them says that
the model is good enough: these figures are estimates (see `Round`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from bootstrap.errors import InvalidInput

__all__ = [
    "AllOf",
    "AnyOf",
    "LabelsSpent",
    "NoProgress",
    "RoundsDone",
    "StopCondition",
    "TimeSpent",
    "When",
]


class _Watched(Protocol):
    """What a condition may look at."""

    @property
    def history(self) -> Any: ...

    @property
    def n_labels(self) -> int: ...


class StopCondition:
    """A rule for `run(until=...)`; `a | b` stops when either does, `a & b` when both do."""

    def start(self, loop: _Watched) -> None:
        """Called once when a run begins."""

    def reason(self, loop: _Watched) -> str | None:
        """Why to stop now, or None to go on."""
        raise NotImplementedError

    def __or__(self, other: StopCondition) -> StopCondition:
        return AnyOf(self, other)

    def __and__(self, other: StopCondition) -> StopCondition:
        return AllOf(self, other)


class _Joined(StopCondition):
    def __init__(self, *conditions: StopCondition) -> None:
        for condition in conditions:
            if not isinstance(condition, StopCondition):
                raise InvalidInput(
                    f"{condition!r} is not a stop condition: wrap a function of the loop in When(...)"
                )
        self.conditions = conditions

    def start(self, loop: _Watched) -> None:
        for condition in self.conditions:
            condition.start(loop)


class AnyOf(_Joined):
    """Stop when any of the conditions does; `a | b` is the short form."""

    def reason(self, loop: _Watched) -> str | None:
        return next((r for c in self.conditions if (r := c.reason(loop)) is not None), None)


class AllOf(_Joined):
    """Stop when all of the conditions do; `a & b` is the short form."""

    def reason(self, loop: _Watched) -> str | None:
        reasons = [c.reason(loop) for c in self.conditions]
        return " and ".join(str(r) for r in reasons) if all(r is not None for r in reasons) else None


class LabelsSpent(StopCondition):
    """Stop when people have given `n` labels in this loop, audits included."""

    def __init__(self, n: int) -> None:
        self.n = _at_least_one(n, "LabelsSpent")

    def reason(self, loop: _Watched) -> str | None:
        return f"{loop.n_labels} of {self.n} labels spent" if loop.n_labels >= self.n else None


class RoundsDone(StopCondition):
    """Stop when the loop has finished `n` rounds."""

    def __init__(self, n: int) -> None:
        self.n = _at_least_one(n, "RoundsDone")

    def reason(self, loop: _Watched) -> str | None:
        return f"{len(loop.history)} of {self.n} rounds done" if len(loop.history) >= self.n else None


class NoProgress(StopCondition):
    """Stop when the accuracy of the model alone rose by less than `at_least` over `rounds` rounds.

    An estimate from audited items: it can be flat by chance, the more so with few audits.
    """

    def __init__(self, rounds: int = 5, at_least: float = 0.002) -> None:
        self.rounds = _at_least_one(rounds, "NoProgress")
        self.at_least = at_least

    def reason(self, loop: _Watched) -> str | None:
        measured = [r.accuracy for r in loop.history if r.accuracy is not None]
        if len(measured) <= self.rounds:
            return None
        rise = max(measured[-self.rounds :]) - max(measured[: -self.rounds])
        if rise >= self.at_least:
            return None
        return f"the model's estimated accuracy rose by {max(rise, 0.0):.3f} in {self.rounds} rounds"


class TimeSpent(StopCondition):
    """Stop at the end of the first round that ends `seconds` or more after the run began."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        if not seconds > 0:
            raise InvalidInput(f"TimeSpent needs a positive number of seconds, got {seconds!r}")
        self.seconds = seconds
        self._clock = clock
        self._began = clock()

    def start(self, loop: _Watched) -> None:
        self._began = self._clock()

    def reason(self, loop: _Watched) -> str | None:
        spent = self._clock() - self._began
        return f"{spent:.0f} seconds spent" if spent >= self.seconds else None


class When(StopCondition):
    """Stop when a function of the loop returns something true; a string becomes the reason."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        if not callable(function):
            raise InvalidInput(f"When needs a function of the loop, got {function!r}")
        self.function = function

    def reason(self, loop: _Watched) -> str | None:
        answer = self.function(loop)
        if not answer:
            return None
        name = getattr(self.function, "__name__", "a condition")
        return answer if isinstance(answer, str) else f"{name} holds"


def _at_least_one(n: int, what: str) -> int:
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise InvalidInput(f"{what} needs a whole number of at least 1, got {n!r}")
    return n
