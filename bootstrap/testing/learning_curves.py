"""One learning curve: a pool whose labels are known, a strategy, a seed, and accuracy on a test set.

What the seed decides is the same for every strategy: the split into pool and test set, the labels to begin
with, the model's own chance, and the generator that each round's strategy gets. So curves of one seed are
pairs, and adding a strategy changes nothing about the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Real
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bootstrap.errors import InvalidInput
from bootstrap.estimators import seeded
from bootstrap.features import Features, take
from bootstrap.learner import AnyLearner, CommitteeLearner, Learner, as_learner, members_of
from bootstrap.strategy_call import Strategy, check_serves, pick

__all__ = ["CurveSettings", "LearningCurve", "draw_test_set", "failures", "learning_curve"]

#: What a seed's generators are for; a round's has its number behind it.
_SPLIT, _MODEL, _ROUND = 0, 1, 2

#: The smallest test set: on fewer items one of them is worth more than what strategies differ by.
_FEWEST_TESTED: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveSettings:
    """What is the same for all curves of a comparison.

    Parameters
    ----------
    first : int
        Labels to begin with, drawn at random; at least 2.
    until : int
        Labels at the end; fewer where the pool is used up.
    batch_size : int
        Labels a round.
    test_share : float
        Share of the items that accuracy is measured on, in (0, 1); they are in no pool.

    Raises
    ------
    InvalidInput
        If a setting is out of its range.
    """

    first: int = 20
    until: int = 300
    batch_size: int = 10
    test_share: float = 0.3

    def __post_init__(self) -> None:
        least = 2
        for name in ("first", "until", "batch_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise InvalidInput(f"{name} must be a whole number of {least} or more, got {value!r}")
            object.__setattr__(self, name, int(value))  # plain numbers: numpy's can't be written as JSON
            least = self.first + 1 if name == "first" else 1
        if not isinstance(self.test_share, Real) or not 0.0 < self.test_share < 1.0:
            raise InvalidInput(f"test_share must be a number in (0, 1), got {self.test_share!r}")
        object.__setattr__(self, "test_share", float(self.test_share))

    def n_tested(self, n: int) -> int:
        """Items of `n` that are in the test set.

        Raises
        ------
        InvalidInput
            If that leaves too few on either side.
        """
        tested = round(self.test_share * n)
        if tested < _FEWEST_TESTED or n - tested <= self.first:
            raise InvalidInput(
                f"{n:,} items make a test set of {tested:,} and a pool of {n - tested:,}: the test set needs "
                f"{_FEWEST_TESTED}, and the pool more than the {self.first} labels that a run begins with. "
                "Take more items, a smaller first, or another test_share"
            )
        return tested


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """Accuracy on the test set after each round of one run.

    Attributes
    ----------
    strategy : str
    seed : int
    n_labels : tuple of int
        Labels that the model has learned from.
    accuracy : tuple of float
        Share of the test set that it gets right.
    seconds : tuple of float
        CPU seconds that the strategy took to pick what the round added; 0 for the first.
    """

    strategy: str
    seed: int
    n_labels: tuple[int, ...]
    accuracy: tuple[float, ...]
    seconds: tuple[float, ...]


def learning_curve(
    X: Features,
    y: NDArray[Any],
    strategy: Strategy,
    estimator: Any,
    seed: int,
    settings: CurveSettings,
    name: str,
) -> LearningCurve:
    """Label a pool by one strategy, from known labels, and measure after every batch.

    Parameters
    ----------
    X : features of n items
        Checked.
    y : ndarray of shape (n,)
        Their labels.
    strategy : callable
    estimator : classifier, Pipeline, or list of classifiers
        Left alone: clones are fitted.
    seed : int
        Decides everything that is drawn.
    settings : CurveSettings
    name : str
        How the strategy is called in the record.

    Raises
    ------
    InvalidInput
        If the pool is of one class, or estimator or strategy fail; says with how many labels.
    """
    with _one_thread():
        return _Run(X, y, estimator, seed, settings).curve(strategy, name)


def failures(
    X: Features,
    y: NDArray[Any],
    strategies: Mapping[str, Strategy],
    estimator: Any,
    seed: int,
    settings: CurveSettings,
) -> list[str]:
    """Try the first round with each of the strategies; what those say that fail.

    Parameters
    ----------
    X, y, estimator, seed, settings
        As in :func:`learning_curve`.
    strategies : mapping
        Name -> function.

    Raises
    ------
    InvalidInput
        If the estimator can't learn from the first labels.
    """
    found = []
    with _one_thread():
        run = _Run(X, y, estimator, seed, settings)
        run.fit()
        for name, strategy in strategies.items():
            try:
                check_serves(strategy, run.learner)
                run.ask(strategy, name)
            except InvalidInput as error:
                found.append(str(error))
    return found


class _Run:
    """The state of one run: positions that are tested, labeled and free, and the learner."""

    def __init__(
        self, X: Features, y: NDArray[Any], estimator: Any, seed: int, settings: CurveSettings
    ) -> None:
        self.X, self.y, self.seed, self.settings = X, y, seed, settings
        rng = self._rng(_SPLIT)
        is_tested = draw_test_set(y, settings.n_tested(len(y)), rng)
        self.tested, pool = np.flatnonzero(is_tested), np.flatnonzero(~is_tested)
        self.labeled = _first_labels(pool, y, settings.first, rng)
        self.free = np.setdiff1d(pool, self.labeled)
        self.until = min(settings.until, len(pool))
        self.X_test, self.y_test = take(X, self.tested), y[self.tested]
        self.learner = _new_learner(estimator, int(self._rng(_MODEL).integers(2**31)))

    def curve(self, strategy: Strategy, name: str) -> LearningCurve:
        """Until there are enough labels."""
        n_labels, accuracy, seconds = [], [], [0.0]
        while True:
            self.fit()
            n_labels.append(len(self.labeled))
            accuracy.append(float(np.mean(self.learner.predict(self.X_test) == self.y_test)))
            if len(self.labeled) >= self.until:
                break
            began = time.thread_time()
            picked = self.ask(strategy, name)
            seconds.append(time.thread_time() - began)
            self.labeled = np.concatenate([self.labeled, self.free[picked]])
            self.free = np.delete(self.free, picked)
        return LearningCurve(name, self.seed, tuple(n_labels), tuple(accuracy), tuple(seconds))

    def fit(self) -> None:
        """Learn all labels so far from scratch."""
        try:
            self.learner.fit(take(self.X, self.labeled), self.y[self.labeled])
        except Exception as error:
            classes = len(np.unique(self.y[self.labeled]))
            raise InvalidInput(
                f"the estimator can't learn from {len(self.labeled)} labels of {classes} classes (seed "
                f"{self.seed}; {_said(error)}): begin with more labels, or take another estimator"
            ) from error

    def ask(self, strategy: Strategy, name: str) -> NDArray[np.intp]:
        """Positions among the free ones that the strategy picks next."""
        count = min(self.settings.batch_size, self.until - len(self.labeled))
        rng = self._rng(_ROUND, len(self.labeled))
        try:
            picked = pick(strategy, self.learner, take(self.X, self.free), count, rng)
            if len(picked) < count:
                raise InvalidInput(f"it picked {len(picked)} items where {count} were asked for")
        except Exception as error:
            raise InvalidInput(
                f"{name} failed on {len(self.free):,} items with {len(self.labeled)} labels (seed "
                f"{self.seed}): {_said(error)}"
            ) from error
        return picked

    def _rng(self, *purpose: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=purpose))


def draw_test_set(y: NDArray[Any], count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which of the items are drawn: `count` of them, each class by its share up to rounding.

    Systematic sampling of the items in the order of their classes, by chance within a class (Cochran,
    Sampling Techniques, 1977, chapter 8): every item has the same probability, and a class of one item is
    no obstacle.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Labels.
    count : int
        At most n.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of bool of shape (n,)
    """
    _, codes = np.unique(y, return_inverse=True)
    order = np.lexsort((rng.random(len(y)), codes))
    at = np.floor((np.arange(count) + rng.random()) * (len(y) / count)).astype(np.intp)
    drawn = np.zeros(len(y), dtype=np.bool_)
    drawn[order[np.minimum(at, len(y) - 1)]] = True  # the last may be rounded up
    return drawn


def _first_labels(
    pool: NDArray[np.intp], y: NDArray[Any], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Random items of the pool; if all are of one class, the last gives way to a random one of another."""
    order = rng.permutation(pool)
    first, others = order[:count], np.flatnonzero(y[order] != y[order[0]])
    if len(others) == 0:
        raise InvalidInput(
            f"all {len(pool):,} items of the pool are {y[pool[0]].item()!r}: there must be two classes"
        )
    if others[0] >= count:
        first[-1] = order[others[0]]
    return first


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, InvalidInput) else f"{type(error).__name__}: {error}"


def _new_learner(estimator: Any, seed: int) -> AnyLearner:
    members = [
        Learner(seeded(m.estimator, seed + i)) for i, m in enumerate(members_of(as_learner(estimator)))
    ]
    return members[0] if len(members) == 1 else CommitteeLearner(members)


_lock = threading.Lock()
_running = 0
_limits: Any = None


@contextmanager
def _one_thread() -> Iterator[None]:
    """One BLAS and OpenMP thread while any run is under way in this process.

    On problems of this size several wait for each other, and rounding would depend on how many there are.
    The limit is the whole process's, so the first run of several threads sets it and the last one lifts it.
    """
    global _running, _limits
    with _lock:
        if _running == 0:
            _limits = threadpool_limits(limits=1)
        _running += 1
    try:
        yield
    finally:
        with _lock:
            _running -= 1
            if _running == 0:
                _limits.restore_original_limits()
