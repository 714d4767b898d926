"""When to stop asking people: conditions that can be joined with `|` and `&`.

A condition looks at a loop after each round and gives a reason to stop, or None. Only `Certified` says that
the model is good enough; the figures that others look at are estimates (see `Round`).
"""

from __future__ import annotations

import numbers
import time
from collections.abc import Callable
from typing import Any, Protocol

from bootstrap.errors import InvalidInput

__all__ = [
    "POOL_IS_USED_UP",
    "AllOf",
    "AnyOf",
    "Certified",
    "LabelsSpent",
    "NoProgress",
    "RoundsDone",
    "StopCondition",
    "TimeSpent",
    "When",
    "stop_conditions",
]

#: The reason that no condition gives.
POOL_IS_USED_UP = "the pool is used up: every item outside the held-out set was asked about"


class _Watched(Protocol):
    """What a condition may look at."""

    @property
    def history(self) -> Any:
        """The finished rounds."""
        ...

    @property
    def n_labels(self) -> int:
        """Labels that people gave."""
        ...

    @property
    def certified_review_rate(self) -> float:
        """The lowest certified review rate; 1 while there is none."""
        ...


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
        """Start each of them."""
        for condition in self.conditions:
            condition.start(loop)


class AnyOf(_Joined):
    """Stop when any of the conditions does; `a | b` is the short form."""

    def reason(self, loop: _Watched) -> str | None:
        """The first reason that one of them gives."""
        return next((r for c in self.conditions if (r := c.reason(loop)) is not None), None)


class AllOf(_Joined):
    """Stop when all of the conditions do; `a & b` is the short form."""

    def reason(self, loop: _Watched) -> str | None:
        """All reasons, once each of them gives one."""
        reasons = [c.reason(loop) for c in self.conditions]
        if not reasons or None in reasons:
            return None
        return " and ".join(str(r) for r in reasons)


class LabelsSpent(StopCondition):
    """Stop when people have given `n` labels in this loop, audits included."""

    def __init__(self, n: int) -> None:
        self.n = _at_least_one(n, "LabelsSpent")

    def reason(self, loop: _Watched) -> str | None:
        """Labels spent, once there are `n`."""
        return f"{loop.n_labels} of {self.n} labels spent" if loop.n_labels >= self.n else None


class RoundsDone(StopCondition):
    """Stop when the loop has finished `n` rounds."""

    def __init__(self, n: int) -> None:
        self.n = _at_least_one(n, "RoundsDone")

    def reason(self, loop: _Watched) -> str | None:
        """Rounds done, once there are `n`."""
        return f"{len(loop.history)} of {self.n} rounds done" if len(loop.history) >= self.n else None


class Certified(StopCondition):
    """Stop when a review rate is certified: this one or a lower one.

    Parameters
    ----------
    review_rate : float, optional
        By default the loop's own.
    """

    def __init__(self, review_rate: float | None = None) -> None:
        if review_rate is not None and not (_is_number(review_rate) and 0 <= review_rate <= 1):
            raise InvalidInput(f"Certified needs a review rate, a share in [0, 1]; got {review_rate!r}")
        self.review_rate = review_rate

    def reason(self, loop: _Watched) -> str | None:
        """Which rate is certified, once it is low enough."""
        wanted = loop.history.review_rate if self.review_rate is None else self.review_rate
        rate = loop.certified_review_rate
        return f"a review rate of {rate:g} is certified" if rate <= wanted and rate < 1 else None


class NoProgress(StopCondition):
    """Stop when the accuracy of the model alone rose by less than `at_least` over `rounds` rounds.

    An estimate from audited items: it can be flat by chance, the more so with few audits. Without audits
    there is nothing to see, and it never stops a run.
    """

    def __init__(self, rounds: int = 5, at_least: float = 0.002) -> None:
        self.rounds = _at_least_one(rounds, "NoProgress")
        if not (_is_number(at_least) and 0 <= at_least <= 1):
            raise InvalidInput(f"NoProgress needs at_least as a share in [0, 1], got {at_least!r}")
        self.at_least = at_least

    def reason(self, loop: _Watched) -> str | None:
        """How little the estimate rose, once that is less than `at_least`."""
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
        if not (_is_number(seconds) and seconds > 0):
            raise InvalidInput(f"TimeSpent needs a positive number of seconds, got {seconds!r}")
        self.seconds = seconds
        self._clock = clock
        self._began = clock()

    def start(self, loop: _Watched) -> None:
        """Count from now."""
        self._began = self._clock()

    def reason(self, loop: _Watched) -> str | None:
        """Seconds spent, once there are enough."""
        spent = self._clock() - self._began
        return f"{spent:.0f} seconds spent" if spent >= self.seconds else None


class When(StopCondition):
    """Stop when a function of the loop returns something true; a string becomes the reason."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        if not callable(function):
            raise InvalidInput(f"When needs a function of the loop, got {function!r}")
        self.function = function

    def reason(self, loop: _Watched) -> str | None:
        """What the function says, once it is true."""
        answer = self.function(loop)
        if not answer:
            return None
        name = getattr(self.function, "__name__", "a condition")
        return answer if isinstance(answer, str) else f"{name} holds"


def stop_conditions(budget: int | None, rounds: int | None, until: StopCondition | Any) -> StopCondition:
    """The arguments of `run` as one condition."""
    conditions: list[StopCondition] = []
    if budget is not None:
        conditions.append(LabelsSpent(budget))
    if rounds is not None:
        conditions.append(RoundsDone(rounds))
    if until is not None:
        conditions.append(until if isinstance(until, StopCondition) else When(until))
    return AnyOf(*conditions)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _at_least_one(n: Any, what: str) -> int:
    if not (_is_number(n) and isinstance(n, numbers.Integral) and int(n) >= 1):
        raise InvalidInput(f"{what} needs a whole number of at least 1, got {n!r}")
    return int(n)
