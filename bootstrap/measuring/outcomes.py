"""Checks on what goes into every measure: audited outcomes, counts, confidences and shares.

A NaN that slips through here comes out as a wrong accuracy rather than as an error, so all is refused
that is not plainly one number for each item.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootstrap.errors import InvalidInput

__all__ = [
    "Bools",
    "Floats",
    "Ints",
    "check_counts",
    "check_open_share",
    "check_share",
    "checked_confidence",
    "checked_counts",
    "checked_held_out",
    "checked_outcomes",
]

Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


def checked_outcomes(correct: ArrayLike, confidence: ArrayLike) -> tuple[Bools, Floats]:
    """Whether the model was right and how confident it was, as two arrays of one length."""
    right, values = np.asarray(correct), checked_confidence(confidence)
    if right.shape != values.shape:
        raise InvalidInput(
            f"correct and confidence must have one entry for each audited item, found shapes "
            f"{right.shape} and {values.shape}."
        )
    if right.dtype != np.bool_:
        if right.dtype.kind not in "iuf" or not np.isin(right, (0, 1)).all():
            raise InvalidInput(
                f"correct must hold True or False (or 1 and 0) for each audited item, found "
                f"{right.dtype} values such as {right[:3].tolist()}. Pass predicted == label."
            )
        right = right.astype(np.bool_)
    return right, values


def checked_confidence(confidence: ArrayLike) -> Floats:
    """Confidences as a 1-D array of finite floats."""
    try:
        values = np.asarray(confidence, dtype=np.float64)
    except (TypeError, ValueError) as wrong:
        raise InvalidInput(f"Confidences must be numbers: {wrong}.") from None
    if values.ndim != 1:
        raise InvalidInput(
            f"Confidences must be one number an item, found shape {values.shape}. "
            "Pass the top probability: proba.max(axis=1)."
        )
    bad = np.count_nonzero(~np.isfinite(values))
    if bad:
        raise InvalidInput(
            f"{bad} of {len(values)} confidences are NaN or infinite. Leave those items out, or find out "
            "why the model has no probability for them."
        )
    return values


def checked_held_out(confidence_all: ArrayLike) -> Floats:
    """The confidences of all held-out items as an array of at least one."""
    values = checked_confidence(confidence_all)
    if len(values) == 0:
        raise InvalidInput(
            "confidence_all is empty. Pass the confidences of all held-out items, or leave it out."
        )
    return values


def check_share(name: str, value: float) -> None:
    """Refuse what is no share; NaN is none."""
    if not 0.0 <= value <= 1.0:
        raise InvalidInput(f"{name} must be a share in [0, 1], found {value!r}.")


def check_open_share(name: str, value: float) -> None:
    """Refuse what is not strictly between 0 and 1; NaN is not."""
    if not 0.0 < value < 1.0:
        raise InvalidInput(f"{name} must be between 0 and 1, both excluded, found {value!r}. 0.05 is usual.")


def check_counts(errors: float, n: float) -> None:
    """Refuse more errors than audits, and negative counts."""
    if not 0 <= errors <= n:
        raise InvalidInput(_bad_counts(errors, n))


def checked_counts(errors: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Errors and audits as two arrays of one shape, whole numbers each."""
    try:
        k, total = np.broadcast_arrays(np.asarray(errors, dtype=np.float64), np.asarray(n, dtype=np.float64))
    except (TypeError, ValueError) as wrong:
        raise InvalidInput(f"errors and n must be counts whose shapes fit together: {wrong}.") from None
    with np.errstate(invalid="ignore"):
        bad = ~((k >= 0) & (k <= total) & (k == np.floor(k)) & (total == np.floor(total)))
    bad |= ~np.isfinite(total)
    if bad.any():
        where = tuple(np.argwhere(bad)[0])
        raise InvalidInput(_bad_counts(k[where], total[where]))
    return k, total


def _bad_counts(errors: object, n: object) -> str:
    return (
        f"Found {errors} errors in {n} audits. Both must be whole numbers, "
        "0 or more, and errors at most n: count each audited item once."
    )
