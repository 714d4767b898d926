"""How numbers are written for people: shares, rates and intervals, and a dash for what is not measured."""

from __future__ import annotations

import math

__all__ = ["NOT_MEASURED", "about_percent", "count", "interval", "percent", "share"]

NOT_MEASURED = "–"


def share(value: float | None, digits: int = 3) -> str:
    """An accuracy such as 0.954; a dash for None or NaN.

    It is cut off, not rounded: 0.9499 must not read as 0.950 beside a target of 0.95.
    """
    if value is None or math.isnan(value):
        return NOT_MEASURED
    scale = 10**digits
    return f"{math.floor(value * scale + 1e-6) / scale:.{digits}f}"


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """An interval such as 0.913–0.988, rounded outwards; a dash where an end is None or NaN."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return NOT_MEASURED
    scale = 10**digits
    upper = math.ceil(high * scale - 1e-6) / scale
    return f"{share(low, digits)}–{upper:.{digits}f}"


def percent(rate: float) -> str:
    """A review rate such as 20 % or 12.5 %."""
    return f"{100 * rate:.3g} %"


def about_percent(rate: float | None) -> str:
    """An estimated rate in whole percent; 0 % and 100 % only where it is just that."""
    if rate is None:
        return NOT_MEASURED
    if 0 < rate < 0.01:
        return "<1 %"
    if 0.99 < rate < 1:
        return ">99 %"
    return f"{100 * rate:.0f} %"


def count(n: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 label, 1,200 labels."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
