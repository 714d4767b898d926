"""Means over all pairs of items, or over pairs with items drawn at random, a block of pairs at a time.

Density and the most central item need every distance, but only its mean for each item: blocks stay in the
cache, each pair of items is computed once, and threads change neither what is summed nor in which order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from strategies.geometry import Metric, Points, dense

__all__ = ["drawn", "mean_over_pairs"]

#: All pairs are computed in pools up to this size; in larger ones each item has so many others to compare.
_ALL_PAIRS: Final = 100_000
_REFERENCES: Final = 2_000
#: Rows and columns of a block of pairs; in float64, 2 MB.
_BLOCK: Final = 512
#: The work is cut into so many parts (fewer for small pools), however many threads share it.
_PARTS: Final = 32
#: Changes a block of distances, in place, to what is averaged.
Change = Callable[[NDArray[Any]], None]


def drawn(
    points: Points,
    n_references: int | None,
    rng: np.random.Generator,
    *,
    all_pairs: int = _ALL_PAIRS,
    otherwise: int = _REFERENCES,
) -> Points | None:
    """Items to compare all others with, or None for all of them.

    `n_references` of them; without it, all in pools up to the size `all_pairs`, `otherwise` in larger ones.
    """
    n = len(points)
    if n_references is None:
        n_references = n if n <= all_pairs else otherwise
    if n_references >= n:
        return None
    return points.only(np.sort(rng.choice(n, n_references, replace=False)))


def mean_over_pairs(
    points: Points,
    references: Points | None = None,
    change: Change | None = None,
    *,
    metric: Metric = "euclidean",
    dtype: Any = np.float64,
    n_jobs: int | None = None,
) -> NDArray[np.float64]:
    """For each item, the mean of its distances to all items, itself included, or to `references`.

    Parameters
    ----------
    points : Points
        n items; for cosine, rows of length 1.
    references : Points, optional
        What to compare with; else all of `points`, each pair computed once.
    change : callable, optional
        Changes a block of distances, in place, to what is averaged instead.
    metric : "euclidean" or "cosine"
        Cosine distance is 1 - cosine.
    dtype : float64 or float32
        float32 takes half the time, but loses the distances that are small beside the spread of all.
    n_jobs : int, optional
        Threads, as in joblib; the values do not depend on it.

    Returns
    -------
    ndarray of shape (n,)
        Rounded to 10 digits (float32: 5): rounding errors must not settle a tie.
    """
    from joblib import Parallel, delayed

    n = len(points)
    rows = _Rows(points, points, dtype)
    others = rows if references is None else _Rows(references, points, dtype)
    fill = partial(_filled, change, metric)
    part = partial(_all_pairs if references is None else _rectangle, rows, others, fill)
    step = _BLOCK * -(-n // (_BLOCK * _PARTS))
    starts = range(0, n, step)
    # Threads even where a cluster is set as joblib's backend: sending the pool would take longer.
    parts = Parallel(n_jobs=n_jobs, require="sharedmem")(
        delayed(part)(start, min(start + step, n)) for start in starts
    )
    sums = np.zeros(n)
    for start, values in zip(starts, parts, strict=True):
        sums[start : start + len(values)] += values
    return _rounded(sums / len(others), 33 if dtype == np.float64 else 17)


class _Rows:
    """Rows with two more columns, such that the product of two gives squared distances.

    Dense rows are taken relative to the middle of some points: lengths, and with them rounding errors, are
    smaller there.
    """

    __slots__ = ("_dtype", "_middle", "_rows", "_share")

    def __init__(self, points: Points, around: Points, dtype: Any) -> None:
        self._rows, self._dtype = points.rows, dtype
        some = around.rows[:: -(-len(around) // 1024)]  # any middle will do
        self._middle = None if points.is_sparse else some.mean(axis=0, dtype=np.float64)
        # Squared distances within the rounding error of a product count as 0, as those of equal rows are.
        self._share = 1.0 - (8.0 + np.sqrt(self._rows.shape[1])) * float(np.finfo(dtype).eps)

    def __len__(self) -> int:
        return int(self._rows.shape[0])

    def left(self, some: slice) -> Any:
        """Rows [-2 x, |x|², 1] for some x."""
        rows, lengths = self._block(some)
        return self._joined(-2.0 * rows, lengths, np.ones_like(lengths))

    def right(self, some: slice) -> Any:
        """Rows [x, 1, |x|²] for some x."""
        rows, lengths = self._block(some)
        return self._joined(rows, np.ones_like(lengths), lengths)

    def _block(self, some: slice) -> tuple[Any, NDArray[Any]]:
        rows = self._rows[some]
        if self._middle is None:
            rows = rows.astype(self._dtype, copy=False)
            lengths = np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
        else:
            rows = (rows - self._middle).astype(self._dtype, copy=False)
            lengths = np.einsum("ij,ij->i", rows, rows)
        lengths *= self._share
        return rows, lengths

    def _joined(self, rows: Any, *columns: NDArray[Any]) -> Any:
        if self._middle is not None:
            return np.column_stack([rows, *columns])
        import scipy.sparse as sp

        return sp.hstack([rows, *(sp.csr_matrix(column[:, np.newaxis]) for column in columns)], format="csr")


def _filled(change: Change | None, metric: Metric, left: Any, right: Any) -> NDArray[Any]:
    """What is averaged, for a block of pairs."""
    values: NDArray[Any] = dense(left @ right.T)
    np.maximum(values, 0.0, out=values)
    if metric == "cosine":
        values *= 0.5
    else:
        np.sqrt(values, out=values)
    if change is not None:
        change(values)
    return values


def _all_pairs(
    rows: _Rows, others: _Rows, fill: Callable[[Any, Any], NDArray[Any]], start: int, stop: int
) -> NDArray[np.float64]:
    """Sums of the rows from `start` on, over the pairs in which rows `start` to `stop` come first."""
    n = len(rows)
    sums = np.zeros(n - start)
    for first in range(start, stop, _BLOCK):
        left = rows.left(slice(first, min(first + _BLOCK, stop)))
        mine = slice(first - start, first - start + left.shape[0])
        for other in range(first, n, _BLOCK):
            values = fill(left, others.right(slice(other, min(other + _BLOCK, n))))
            sums[mine] += values.sum(axis=1)
            if other > first:
                sums[other - start : other - start + values.shape[1]] += values.sum(axis=0)
    return sums


def _rectangle(
    rows: _Rows, others: _Rows, fill: Callable[[Any, Any], NDArray[Any]], start: int, stop: int
) -> NDArray[np.float64]:
    """Sums over all the others for rows `start` to `stop`."""
    sums = np.zeros(stop - start)
    for first in range(start, stop, _BLOCK):
        left = rows.left(slice(first, min(first + _BLOCK, stop)))
        mine = slice(first - start, first - start + left.shape[0])
        for other in range(0, len(others), _BLOCK):
            sums[mine] += fill(left, others.right(slice(other, other + _BLOCK))).sum(axis=1)
    return sums


def _rounded(values: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """`values` to so many significant binary digits."""
    mantissas, exponents = np.frexp(values)
    return np.asarray(np.ldexp(np.rint(np.ldexp(mantissas, digits)), exponents - digits))
