"""The alarm: evidence that the error rate has risen above what was allowed, at whatever time it did.

A Shiryaev-Roberts statistic (Shiryaev 1963; Roberts 1966) sums, over every audit at which a change may
have happened, the likelihood ratio of the audits since. While the error rate is alpha or less its mean
grows by at most 1 an audit; so within N audits it reaches N/delta with probability at most delta (Shin,
Ramdas and Rinaldo 2024, "E-detectors"). The mean over several alternatives has the same guarantee.

No audits, no alarm: it counts audits, not days.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from bootstrap.errors import InvalidInput
from bootstrap.measuring.outcomes import check_open_share
from bootstrap.measuring.stored import reading_stored

__all__ = ["ChangeAlarm"]

#: The softer level is this, or a tenth of the alarm's where that is less.
_WARNING: Final = 1000.0


class ChangeAlarm:
    """Watches audits of what the model decides alone, and says when it errs more than `alpha`.

    Within one horizon a false alarm comes with probability at most `delta`. After `horizon` audits the
    statistic restarts; `horizons_begun` and `audits_left` say where it stands. An alarm stays raised
    until :meth:`reset`, whatever comes afterwards.

    It finds a rise to twice the allowed rate soon; small ones take many audits. At alpha 0.05 and a
    horizon of 2,000 audits, medians of 2,000 simulated delays, the rise coming at audit 500: from 0.05 to
    0.10 after 256 audits, to 0.15 after 88; from 0.03 to 0.10 after 275, to 0.15 after 96.

    Parameters
    ----------
    alpha : float
        The error rate that is allowed, in (0, 1).
    horizon : int
        Audits planned until the next candidate, 1 or more.
    delta : float
        Chance of a false alarm within one horizon, in (0, 1).
    alternatives : sequence of float
        Error rates to look out for, as multiples of `alpha` above 1. One that would be a rate of 1 or
        more stands for ``(1 + alpha) / 2``.

    Raises
    ------
    InvalidInput
        If a setting is out of range.

    Examples
    --------
    >>> alarm = ChangeAlarm(alpha=0.05, horizon=2000)
    >>> alarm.update([True] * 5)
    >>> round(alarm.log_statistic, 4), alarm.warned, alarm.raised
    (6.9916, True, False)
    """

    def __init__(
        self,
        alpha: float,
        horizon: int,
        delta: float = 0.05,
        alternatives: Sequence[float] = (1.5, 2, 3, 5),
    ) -> None:
        check_open_share("alpha", alpha)
        check_open_share("delta", delta)
        if not isinstance(horizon, numbers.Integral) or horizon < 1:
            raise InvalidInput(
                f"The horizon must be a whole number of audits, 1 or more, found {horizon!r}. "
                "Pass how many are planned until the next candidate."
            )
        self.alpha: Final[float] = float(alpha)
        self.horizon: Final[int] = int(horizon)
        self.delta: Final[float] = float(delta)
        self.alternatives: Final[tuple[float, ...]] = _checked_alternatives(alternatives)
        self.log_level: Final[float] = math.log(self.horizon) - math.log(self.delta)  #: at which it is raised
        self.log_warning_level: Final[float] = min(math.log(_WARNING), self.log_level - math.log(10.0))
        rates = [self.alpha * times for times in self.alternatives]
        rates = [rate if rate < 1.0 else (1.0 + self.alpha) / 2.0 for rate in rates]
        self._if_wrong: list[float] = [math.log(rate / self.alpha) for rate in rates]
        self._if_right: list[float] = [math.log1p(-rate) - math.log1p(-self.alpha) for rate in rates]
        self.reset()

    def reset(self) -> None:
        """Begin anew, with nothing audited and no alarm: for a new champion."""
        self._n = 0
        self._logs = self._nothing()
        self._warned = self._raised = False

    @property
    def n(self) -> int:
        """Audits since the beginning or the last :meth:`reset`."""
        return self._n

    @property
    def horizons_begun(self) -> int:
        """How many horizons have begun, from 1: each has its own chance `delta` of a false alarm."""
        return max(self._n - 1, 0) // self.horizon + 1

    @property
    def audits_left(self) -> int:
        """Audits until the statistic restarts."""
        return self.horizons_begun * self.horizon - self._n

    @property
    def raised(self) -> bool:
        """Whether the statistic has ever reached ``horizon / delta`` since the last :meth:`reset`."""
        return self._raised

    @property
    def warned(self) -> bool:
        """Whether it has reached the softer level within this horizon, or the alarm is raised.

        The lesser of 1,000 and ``horizon / (10 delta)``: a reason to audit more, and no more than that.
        """
        return self._warned or self._raised

    @property
    def log_statistic(self) -> float:
        """Log of the statistic now; ``-inf`` before the first audit."""
        highest = max(self._logs)
        if highest == -math.inf:
            return highest
        return highest + math.log(sum(math.exp(log - highest) for log in self._logs) / len(self._logs))

    def update(self, error: ArrayLike) -> None:
        """Take in the next audit, or several in their order.

        Parameters
        ----------
        error : bool or array of bool
            Shape () or (n,): whether the model was wrong.

        Raises
        ------
        InvalidInput
            If a value is neither True nor False. Nothing was taken in then.
        """
        values = np.atleast_1d(np.asarray(error))
        if values.ndim != 1 or (values.dtype != np.bool_ and not np.isin(values, (0, 1)).all()):
            raise InvalidInput(
                f"error must be True or False for each audit, found {error!r}. Pass predicted != label."
            )
        for wrong in values.astype(np.bool_).tolist():
            self._take(self._if_wrong if wrong else self._if_right)

    def _take(self, steps: list[float]) -> None:
        if self._n and self._n % self.horizon == 0:
            self._logs, self._warned = self._nothing(), False
        self._n += 1
        # L <- (L + 1) * ratio, in logs and without overflow
        self._logs = [
            (log + math.log1p(math.exp(-log)) if log > 0.0 else math.log1p(math.exp(log))) + step
            for log, step in zip(self._logs, steps, strict=True)
        ]
        if max(self._logs) >= self.log_warning_level:  # the mean is no larger: spares its logs
            statistic = self.log_statistic
            self._warned = self._warned or statistic >= self.log_warning_level
            self._raised = self._raised or statistic >= self.log_level

    def _nothing(self) -> list[float]:
        return [-math.inf] * len(self.alternatives)

    def to_dict(self) -> dict[str, Any]:
        """Settings and state as plain types; through JSON and back they give the same figures bit by bit."""
        return {
            "alpha": self.alpha,
            "horizon": self.horizon,
            "delta": self.delta,
            "alternatives": list(self.alternatives),
            "n": self._n,
            "logs": self._logs if self._n else None,  # JSON has no -inf
            "warned": self._warned,
            "raised": self._raised,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> ChangeAlarm:
        """The alarm that :meth:`to_dict` stored.

        Raises
        ------
        InvalidInput
            If something is missing or does not fit together.
        """
        with reading_stored("alarm"):
            alarm = cls(stored["alpha"], stored["horizon"], stored["delta"], stored["alternatives"])
            alarm._n = int(stored["n"])
            logs = stored["logs"]
            alarm._logs = alarm._nothing() if logs is None else [float(log) for log in logs]
            if (
                alarm._n < 0
                or len(alarm._logs) != len(alarm.alternatives)
                or (logs is None) != (alarm._n == 0)
            ):
                raise InvalidInput(f"Found {logs!r} after {alarm._n} audits.")
            alarm._warned, alarm._raised = bool(stored["warned"]), bool(stored["raised"])
        return alarm


def _checked_alternatives(alternatives: Sequence[float]) -> tuple[float, ...]:
    values = tuple(float(times) for times in alternatives)
    if not values or not all(1.0 < times < math.inf for times in values):
        raise InvalidInput(
            f"Alternatives must be multiples of alpha above 1, found {tuple(alternatives)!r}. "
            "(1.5, 2, 3, 5) is usual."
        )
    return values
