"""What every strategy shares: the contract, counting rows, seeding, and picking the most useful items.

A strategy computes one utility per item and hands it to :func:`top`, which settles ties by chance, so
that the order in which a pool was loaded never decides who gets asked about what.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Picked", "Rng", "Strategy", "as_count", "as_rng", "n_rows", "top", "whole_number"]

#: Where chance comes from: a seed, a numpy Generator (which moves on), or None for a fresh one.
Rng: TypeAlias = int | np.random.Generator | None

#: (indices into X, utilities), most useful first, same length.
Picked: TypeAlias = tuple[NDArray[np.intp], NDArray[np.float64]]


class Strategy(Protocol):
    """Which items to ask about: any callable of this form, modAL's convention made strict.

    Returns `(indices, utilities)`: positions in `X` as an int array, most useful first, no repeats,
    `n_instances` of them (fewer only if `X` is shorter), and one float each; larger is more useful,
    for every strategy. Neither `learner` nor `X` is changed, and the same integer `rng` gives the same
    answer. `labeled` holds (X, y) of what is labeled already; a strategy without use for it ignores
    it, so that swapping strategies is one word. More options may follow as keywords.
    """

    def __call__(
        self,
        learner: Any,
        X: Any,
        n_instances: int = 1,
        *,
        rng: Rng = None,
        labeled: tuple[Any, Any] | None = None,
    ) -> Picked:
        """Pick items; see the class."""
        ...


def as_rng(rng: Rng) -> np.random.Generator:
    """A numpy Generator from a seed, a Generator (returned as it is), or None (fresh entropy).

    Raises
    ------
    TypeError
        For anything else, numpy's older `RandomState` included.
    ValueError
        For a negative seed.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is not None:
        if isinstance(rng, bool) or not isinstance(rng, int | np.integer):
            raise TypeError(
                f"rng must be None, a whole number or a numpy Generator, got {type(rng).__name__}: "
                "pass a seed, or numpy.random.default_rng(seed)"
            )
        if rng < 0:
            raise ValueError(f"rng as a seed must be 0 or more, got {rng}")
    return np.random.default_rng(rng)


def as_count(n_instances: Any) -> int:
    """`n_instances` as an int of 0 or more.

    Raises
    ------
    TypeError
        If it is not a whole number (a bool and 2.0 are not).
    ValueError
        If it is negative.
    """
    return whole_number("n_instances", n_instances, least=0)


def whole_number(name: str, value: Any, *, least: int = 1) -> int:
    """An option as an int of `least` or more.

    Raises
    ------
    TypeError, ValueError
        If it is not a whole number (a bool and 2.0 are not), or below `least`.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number, got {value!r} ({type(value).__name__})")
    if value < least:
        raise ValueError(f"{name} must be {least} or more, got {value}")
    return int(value)


def n_rows(X: Any) -> int:
    """Number of items in `X`: an array, sparse matrix, DataFrame, or a list (of texts).

    Raises
    ------
    TypeError
        If `X` is a single text, a mapping, or has no length.
    """
    shape = getattr(X, "shape", None)
    if shape:
        return int(shape[0])
    if isinstance(X, str | bytes | dict) or not hasattr(X, "__len__"):
        raise TypeError(
            f"X must hold one item a row (array, CSR, DataFrame, list), got {type(X).__name__}: "
            "put a single item in a list, and turn a generator into one"
        )
    return len(X)


def top(utilities: ArrayLike, n_instances: int = 1, rng: Rng = None) -> Picked:
    """The `n_instances` most useful items, most useful first, ties broken by `rng`.

    Takes time linear in the number of items, plus sorting the few that are picked.

    Parameters
    ----------
    utilities : array-like of shape (n,)
        Larger is more useful. Infinite values are fine, NaN is not.
    n_instances : int
        How many; all are returned if it is more than n.
    rng : None, int or Generator
        Decides among equals: both which of them are picked and in which order.

    Returns
    -------
    indices : ndarray of int
        Positions in `utilities`.
    utilities : ndarray of float
        Their utilities, never increasing.

    Raises
    ------
    TypeError, ValueError
        If `n_instances` is no whole number or negative; if utilities are NaN or not one-dimensional.

    Examples
    --------
    >>> indices, utilities = top([0.1, 0.7, 0.3], n_instances=2)
    >>> indices.tolist(), utilities.tolist()
    ([1, 2], [0.7, 0.3])
    """
    count = as_count(n_instances)
    values = np.asarray(utilities, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"utilities must be one number per item, got an array of shape {values.shape}")
    _refuse_nan(values)
    rng = as_rng(rng)
    n = len(values)
    picked = _best(values, count, rng) if count < n else np.arange(n)
    picked = rng.permutation(picked)  # a stable sort then leaves equals in random order
    picked = picked[np.argsort(-values[picked], kind="stable")]
    return picked.astype(np.intp, copy=False), values[picked]


def _best(values: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """`count` < n positions of the largest values, in any order; those tied for the last place drawn."""
    n = len(values)
    if count == 0:
        return np.empty(0, dtype=np.intp)
    split = np.argpartition(values, n - count)
    least = values[split[n - count]]
    tied = np.flatnonzero(values == least)
    sure = np.flatnonzero(values > least)
    missing = count - len(sure)
    if missing < len(tied):
        tied = rng.choice(tied, missing, replace=False)
    return np.concatenate([sure, tied])


def _refuse_nan(values: NDArray[np.float64]) -> None:
    bad = np.isnan(values)
    if bad.any():
        raise ValueError(
            f"{bad.sum()} of {len(values)} utilities are NaN (the first is item {bad.argmax()}), so items "
            "can't be ranked: look for NaN or infinity in the features or in the learner's predictions"
        )
