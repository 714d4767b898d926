"""Greedy choice by distance to what is chosen, without looking at every item at every turn.

k-center and ranked batch pick one item after the other, and a pick can only bring the others' nearest chosen
item closer. So an old distance is an upper bound of the present one: the greedy runs on the few items of
highest bound, with exact distances, and each of its picks is *proven* to be the best of the whole pool while
it stays above the bounds of all others. One pass over the pool then takes in all new picks at once.
(Minoux, "Accelerated greedy algorithms for maximizing submodular set functions", 1978, has the idea.)

Bounds come from matrix products and are raised by the most that rounding can do to those; the distances that
decide are computed such that duplicates and whole numbers tie exactly.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from strategies.geometry import Metric, Points, blocks, dense
from strategies.selection import Picked

__all__ = ["Score", "as_distances", "central_item", "greedy"]

#: So many items have exact distances at first; more, where few picks could be proven with those.
_CANDIDATES: Final = 2048
#: So many chosen items are looked at in one matrix product.
_CENTRES: Final = 512
_EPS: Final = float(np.finfo(np.float64).eps)


class Score(Protocol):
    """How useful items are, given their squared distance to the nearest chosen item.

    At fixed item and turn it must never fall as the distance grows; at fixed item and distance it must be
    convex in the turn (constant or linear, say): the bound between two turns rests on that.
    """

    def __call__(
        self, squared: NDArray[np.float64], items: NDArray[np.intp] | slice, turn: int
    ) -> NDArray[np.float64]:
        """One finite utility for each of `items`, whose squared distances are given; turns count from 0."""
        ...


def as_distances(squared: NDArray[np.float64], metric: Metric) -> NDArray[np.float64]:
    """Distances from squared Euclidean ones: their roots, or 1 - cosine where rows have length 1."""
    return squared / 2.0 if metric == "cosine" else np.sqrt(squared)


def central_item(points: Points, rng: np.random.Generator) -> int:
    """The item nearest to the mean of all; chance decides among those equally near."""
    rows = points.rows
    mean = np.asarray(rows.mean(axis=0, dtype=np.float64)).reshape(1, -1)
    squared = np.empty(len(points))
    for some in blocks(len(points), 4096 if points.is_sparse else 16 * rows.shape[1]):
        block = _as_float64(rows[some])
        if points.is_sparse:
            squared[some] = _squared_lengths(block) - 2.0 * (block @ mean[0]) + np.sum(mean**2)
        else:
            squared[some] = _squared_lengths(block - mean)
    tied = np.flatnonzero(squared <= squared.min() + 1e-9 * squared.max())
    return int(rng.choice(tied))


def greedy(
    points: Points,
    start: Any,
    count: int,
    rng: np.random.Generator,
    score: Score,
    *,
    taken: int | None = None,
) -> Picked:
    """Pick `count` items, each the best at its turn; exactly what scoring all items at all turns gives.

    Parameters
    ----------
    points : Points
        n items.
    start : ndarray (m, d) or CSR
        Rows chosen from the beginning, at least one.
    count : int
        How many to pick, at most n (n - 1 with `taken`).
    rng : Generator
        Decides among exact equals.
    score : Score
        The utility of an item at its distance and turn.
    taken : int, optional
        An item that is not to be picked.

    Returns
    -------
    indices, utilities : ndarray
        In the order of picking, each utility that of its own turn.

    Raises
    ------
    ValueError
        If the features are so large that squared distances overflow.
    """
    bounds = _Bounds(points, start)
    picked: list[int] = []
    utilities: list[float] = []
    gone = np.zeros(len(points), dtype=bool)
    if taken is not None:
        gone[taken] = True
    size = _CANDIDATES
    while len(picked) < count:
        found, values = _round(points, bounds, gone, score, (len(picked), count), size, rng)
        picked += found
        utilities += values
        if len(found) * size < len(points):  # picking cost less than a pass over the pool does
            size *= 2 if found else 4
    return np.array(picked, dtype=np.intp), np.array(utilities, dtype=np.float64)


def _round(
    points: Points,
    bounds: _Bounds,
    gone: NDArray[np.bool_],
    score: Score,
    turns: tuple[int, int],
    size: int,
    rng: np.random.Generator,
) -> tuple[list[int], list[float]]:
    """The picks that `size` candidates prove, from the first of `turns` on; `gone` and `bounds` follow."""
    first, stop = turns
    few, rest, later = _candidates(bounds.squared, gone, score, turns, size)
    stop = min(stop, first + len(few))
    near = _as_float64(points.rows[few])
    squared = bounds.squared[few]
    _lower_exactly(squared, near, bounds.centres)
    left = np.ones(len(few), dtype=bool)
    found: list[int] = []
    values: list[float] = []
    for turn in range(first, stop):
        utilities = np.where(left, score(squared, few, turn), -np.inf)
        best = float(utilities.max())
        share = (turn - first) / max(1, stop - 1 - first)
        other = rest if rest == later else (1.0 - share) * rest + share * later + 1e-12 * abs(rest)
        if best <= other:
            break
        tied = np.flatnonzero(utilities == best)
        at = int(tied[0] if len(tied) == 1 else rng.choice(tied))
        left[at] = False
        found.append(int(few[at]))
        values.append(best)
        if turn + 1 < turns[1]:
            _lower_exactly(squared, near, near[at : at + 1])
    gone[found] = True
    bounds.squared[few] = squared
    if found and first + len(found) < turns[1]:
        bounds.add(_as_float64(points.rows[found]))
    return found, values


def _candidates(
    squared: NDArray[np.float64],
    gone: NDArray[np.bool_],
    score: Score,
    turns: tuple[int, int],
    size: int,
) -> tuple[NDArray[np.intp], float, float]:
    """(positions of the highest bounds, the most that any other can reach now, and at their last turn)."""
    n = len(squared)
    if size >= n - int(gone.sum()):
        return np.flatnonzero(~gone), -np.inf, -np.inf
    upper = score(squared, slice(None), turns[0])
    upper[gone] = -np.inf
    order = np.argpartition(upper, n - size - 1)
    few, rest = np.sort(order[n - size :]), float(upper[order[n - size - 1]])
    upper = score(squared, slice(None), min(turns[1], turns[0] + size) - 1)
    upper[gone] = -np.inf
    upper[few] = -np.inf
    return few, rest, float(upper.max())


class _Bounds:
    """For each item, an upper bound of its squared distance to the nearest chosen row.

    By |x|² + |c|² - 2xc. The rounding error of that is at most (d + 8) eps (|x| + |c|)², which is at most
    twice that with |x|² + |c|²: raising the squared lengths by such a share makes it a bound.
    """

    __slots__ = ("_mean", "_points", "_raise", "centres", "squared")

    def __init__(self, points: Points, start: Any) -> None:
        self._points = points
        rows = points.rows
        # Lengths, and with them the error, are smaller around the middle. Any middle will do.
        some = slice(None, None, -(-len(points) // 1024))
        self._mean = None if points.is_sparse else rows[some].mean(axis=0, dtype=np.float64)
        self._raise = 1.0 + 4.0 * (rows.shape[1] + 8) * _EPS
        self.squared = np.full(len(points), np.inf)
        self.centres: Any = None
        start = _as_float64(start)
        # Equal rows count once: without this, items at the same place as many labels cost as many times.
        self.add(start if points.is_sparse else np.unique(start, axis=0))
        if not np.isfinite(self.squared).all():
            raise ValueError(
                "the features are so large that squared distances overflow: scale them, for instance with "
                "representation=StandardScaler()"
            )

    def add(self, centres: Any) -> None:
        """Take in more chosen rows, float64."""
        self.centres = centres if self.centres is None else _stacked(self.centres, centres)
        for start in range(0, centres.shape[0], _CENTRES):
            self._lower(centres[start : start + _CENTRES])

    def _lower(self, centres: Any) -> None:
        centres = centres if self._mean is None else centres - self._mean
        lengths = (self._raise * _squared_lengths(centres))[:, np.newaxis]
        weights = -2.0 * centres
        rows = self._points.rows
        width = 0 if self._mean is None else 2 * rows.shape[1]
        for some in blocks(len(self._points), 8 * (centres.shape[0] + width)):
            block = _as_float64(rows[some]) if self._mean is None else rows[some] - self._mean
            reach = dense(weights @ block.T)
            reach += lengths
            nearest = reach.min(axis=0)
            nearest += self._raise * _squared_lengths(block)
            np.minimum(self.squared[some], nearest, out=self.squared[some])


def _lower_exactly(squared: NDArray[np.float64], near: Any, centres: Any) -> None:
    """Lower `squared`, in place, to the exact squared distances from `near` to the nearest of `centres`."""
    if not squared.any():
        return
    sparse = not isinstance(near, np.ndarray)
    lengths = _squared_lengths(near)
    for start in range(0, centres.shape[0], _CENTRES):
        some_centres = centres[start : start + _CENTRES]
        others = _squared_lengths(some_centres)
        for some in blocks(near.shape[0], 8 * (some_centres.shape[0] + (0 if sparse else near.shape[1]))):
            reach = dense(near[some] @ some_centres.T)
            reach *= -2.0
            reach += lengths[some, np.newaxis]
            reach += others
            if sparse:
                # Row by row, always in the same order: equal rows give equal numbers, which need no better.
                reach[reach <= 8.0 * _EPS * (lengths[some, np.newaxis] + others)] = 0.0
                np.minimum(squared[some], reach.min(axis=1), out=squared[some])
            else:
                _subtract(squared, near, some_centres, reach, lengths[some] + others.max(), some.start)


def _subtract(
    squared: NDArray[np.float64],
    near: NDArray[np.float64],
    centres: NDArray[np.float64],
    reach: NDArray[np.float64],
    lengths: NDArray[np.float64],
    start: int,
) -> None:
    """Lower `squared` by subtraction, for the pairs of which `reach`, up to rounding, leaves in doubt."""
    rows = slice(start, start + len(reach))
    slack = 4.0 * (near.shape[1] + 8) * _EPS * lengths
    limit = np.minimum(squared[rows], reach.min(axis=1) + slack) + slack
    of, to = np.nonzero(reach <= limit[:, np.newaxis])
    of += start
    for some in blocks(len(of), 24 * near.shape[1]):
        gaps = _squared_lengths(near[of[some]] - centres[to[some]])
        np.minimum.at(squared, of[some], gaps)


def _squared_lengths(rows: Any) -> NDArray[np.float64]:
    if isinstance(rows, np.ndarray):
        return np.asarray(np.einsum("ij,ij->i", rows, rows))
    return np.asarray(rows.multiply(rows).sum(axis=1)).ravel()


def _stacked(above: Any, below: Any) -> Any:
    if isinstance(above, np.ndarray):
        return np.concatenate([above, below])
    import scipy.sparse as sp

    return sp.vstack([above, below], format="csr")


def _as_float64(rows: Any) -> Any:
    return rows.astype(np.float64, copy=False)
