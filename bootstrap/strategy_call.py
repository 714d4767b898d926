"""Calling a strategy, ours or modAL's or the user's, and checking what it picked."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bootstrap import strategies
from bootstrap.errors import InvalidInput
from bootstrap.features import Features, n_rows
from bootstrap.learner import AnyLearner, CommitteeLearner

__all__ = ["check_serves", "name_of", "pick", "resolve"]


Strategy: TypeAlias = Callable[..., Any]


def resolve(strategy: Any) -> Strategy:
    """A strategy from a name or a function.

    Raises
    ------
    InvalidInput
        For an unknown name (the message lists the known ones) or something that can't be called.
    """
    if isinstance(strategy, str):
        try:
            return strategies.by_name(strategy)
        except ValueError as error:
            raise InvalidInput(str(error)) from None
    if not callable(strategy):
        raise InvalidInput(
            "strategy is a name or a function (learner, X, n_instances) -> (indices, utilities), "
            f"got {strategy!r}"
        )
    signature = _signature(strategy)
    if signature is not None:
        try:
            signature.bind(None, None, n_instances=1)
        except TypeError as error:
            raise InvalidInput(
                f"the strategy {name_of(strategy)} can't be called as "
                f"strategy(learner, X, n_instances=20): {error}"
            ) from None
    return strategy  # type: ignore[no-any-return]  # callable was just checked


def check_serves(strategy: Strategy, learner: AnyLearner) -> None:
    """Refuse a committee's strategy for one model, before anybody is asked.

    Raises
    ------
    InvalidInput
        Naming what would do.
    """
    if strategies.needs_of(strategy) != "committee" or isinstance(learner, CommitteeLearner):
        return
    last = learner.estimator.steps[-1][1] if hasattr(learner.estimator, "steps") else learner.estimator
    if not (hasattr(last, "n_estimators") or hasattr(last, "estimators")):
        raise InvalidInput(
            f"{name_of(strategy)} asks where a committee disagrees, and {type(last).__name__} is one model: "
            "pass a list of classifiers or a forest, or take margin"
        )


def pick(strategy: Strategy, learner: Any, X: Features, n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Positions in `X` that the strategy picked: at most `n`, no repeats.

    `rng` is passed only to a strategy that names such a parameter (modAL's own don't).

    Raises
    ------
    InvalidInput
        If it returns anything but distinct positions in `X`.
    """
    n = min(n, n_rows(X))
    if n == 0:
        return np.empty(0, dtype=np.intp)
    options = {"rng": rng} if _takes_rng(strategy) else {}
    result = strategy(learner, X, n_instances=n, **options)
    return _checked(result, n, n_rows(X), name_of(strategy))


def name_of(strategy: Any) -> str:
    """What to call a strategy: its name, or what it prints as."""
    return strategy if isinstance(strategy, str) else str(getattr(strategy, "__name__", repr(strategy)))


def _signature(strategy: Strategy) -> inspect.Signature | None:
    try:
        return inspect.signature(strategy)
    except ValueError:  # some that are written in C have none
        return None


def _takes_rng(strategy: Strategy) -> bool:
    try:
        return _names_rng(strategy)
    except TypeError:  # a callable that can't be hashed
        return _names_rng.__wrapped__(strategy)


@lru_cache(maxsize=32)
def _names_rng(strategy: Strategy) -> bool:
    signature = _signature(strategy)
    return signature is not None and "rng" in signature.parameters


def _checked(result: Any, n: int, n_items: int, name: str) -> NDArray[np.intp]:
    two = isinstance(result, tuple) and len(result) == 2
    indices_only = two and all(isinstance(value, int | np.integer) for value in result)
    chosen = result[0] if two and not indices_only else result
    try:
        indices = np.atleast_1d(chosen)
    except ValueError:  # lists of unequal lengths
        indices = np.atleast_1d(np.asarray(chosen, dtype=object))
    if indices.size == 0:
        raise InvalidInput(f"the strategy {name} picked nothing out of {n_items} items")
    if indices.ndim != 1 or indices.dtype.kind not in "iu":
        raise InvalidInput(
            f"the strategy {name} returned {indices.dtype} of shape {indices.shape}: it must return "
            "(indices, utilities) with whole numbers as indices, positions in X"
        )
    if len(indices) > n or len(np.unique(indices)) < len(indices):
        raise InvalidInput(
            f"the strategy {name} returned {len(indices)} indices, {len(np.unique(indices))} of them "
            f"distinct, when {n} were asked for: it must return at most n_instances, without repeats"
        )
    if indices.min() < 0 or indices.max() >= n_items:
        raise InvalidInput(
            f"the strategy {name} returned positions from {indices.min()} to {indices.max()} "
            f"for {n_items} items"
        )
    return indices.astype(np.intp)
