"""How fast people label at present, and how long a number of labels takes at that pace."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from bootstrap.errors import InvalidInput

__all__ = ["days_needed", "labels_per_day"]

_SECONDS_A_DAY = 86_400.0

#: One day may be the first hour of a trial run, or a replay of answers that existed.
_FEWEST_DAYS = 2


def labels_per_day(at: ArrayLike) -> float | None:
    """The present pace: the median of the labels a day, over the days on which anybody labeled.

    Days are cut at midnight UTC. Days without a label do not count, so the pace is one of working days:
    weekends and holidays come on top of what is planned by it.

    Parameters
    ----------
    at : array of float
        When each label came, in seconds since the epoch; any order.

    Returns
    -------
    float or None
        Labels a day, at least 1; None with labels on fewer than two days, which show no pace.

    Raises
    ------
    InvalidInput
        If a time is no finite number.

    Examples
    --------
    >>> labels_per_day([0, 60, 120, 86_400, 3 * 86_400, 3 * 86_400 + 5])
    2.0
    """
    try:
        times = np.asarray(at, dtype=np.float64).ravel()
    except (TypeError, ValueError) as wrong:
        raise InvalidInput(f"Label times must be seconds since the epoch: {wrong}.") from None
    if not np.isfinite(times).all():
        raise InvalidInput("A label time is NaN or infinite. Leave out the labels whose time is not known.")
    _, labels = np.unique(np.floor(times / _SECONDS_A_DAY), return_counts=True)
    return float(np.median(labels)) if len(labels) >= _FEWEST_DAYS else None


def days_needed(labels: int, per_day: float) -> int:
    """Working days for a number of labels at a pace, the last one begun counted whole.

    Parameters
    ----------
    labels : int
        Labels to be given, 0 or more.
    per_day : float
        Labels a day, above 0.

    Raises
    ------
    InvalidInput
        If `labels` is negative, or the pace is not above 0.

    Examples
    --------
    >>> days_needed(113, 40)
    3
    """
    if labels < 0 or not 0.0 < per_day < math.inf:
        raise InvalidInput(
            f"Asked for the days that {labels} labels take at {per_day!r} a day. Labels must be 0 or more "
            "and the pace a finite number above 0."
        )
    return math.ceil(labels / per_day)
