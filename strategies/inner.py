"""The strategies inside others: found by name, asked in the way that they can be asked, and checked.

modAL's functions may stand inside as ours do; they take neither `rng` nor `labeled`.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from strategies.catalogue import by_name, facts
from strategies.selection import Picked, Strategy, n_rows

__all__ = ["as_strategy", "ask", "by_batch", "name_of", "refuse_turned", "scores"]

#: modAL's functions whose utilities are smaller where they are more useful.
_TURNED: Final = ("expected_error_reduction", "margin_sampling", "min_confidence")


def as_strategy(strategy: Any) -> Strategy:
    """A strategy from a name or a function.

    Raises
    ------
    TypeError, ValueError
        If it is not callable, or its name is unknown.
    """
    if isinstance(strategy, str):
        return by_name(strategy)
    if not callable(strategy):
        raise TypeError(f"strategy must be a name or a function, got {type(strategy).__name__}")
    found: Strategy = strategy
    return found


def name_of(strategy: Any) -> str:
    """What to call it in a message."""
    return str(getattr(strategy, "__name__", None) or repr(strategy))


def by_batch(strategy: Any) -> bool:
    """Whether its utilities depend on what else is picked: of greedy strategies, of clusters, of wrappers."""
    while isinstance(strategy, functools.partial):
        strategy = strategy.func
    if hasattr(strategy, "strategy"):
        return True
    for name, known in facts().items():
        if known.strategy is strategy:
            return name == "k_center" or known.in_turn or (known.by_chance and name != "random_sampling")
    return False


def refuse_turned(strategy: Any) -> None:
    """Refuse modAL's functions whose utilities are smaller where they are more useful.

    Raises
    ------
    ValueError
        Naming ours.
    """
    if str(getattr(strategy, "__module__", "")).startswith("modAL.") and name_of(strategy) in _TURNED:
        raise ValueError(
            f"modAL's {name_of(strategy)} gives smaller utilities to more useful items, so that they can't "
            'be combined with others: take "margin" or "expected_error"'
        )


def ask(
    strategy: Strategy, learner: Any, X: Any, count: int, rng: np.random.Generator, labeled: Any
) -> Picked:
    """What a strategy picks: `count` indices and utilities.

    Raises
    ------
    TypeError, ValueError
        If it returns anything else.
    """
    # modAL's own functions take neither option, and hand unknown ones on to predict_proba.
    taken = inspect.signature(strategy).parameters
    options: dict[str, Any] = {k: v for k, v in (("rng", rng), ("labeled", labeled)) if k in taken}
    answer = strategy(learner, X, n_instances=count, **options)
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise TypeError(
            f"{name_of(strategy)} returned {type(answer).__name__}: a strategy returns a pair "
            "(indices, utilities)"
        )
    indices, utilities = np.asarray(answer[0], dtype=np.intp), np.asarray(answer[1], dtype=np.float64)
    if indices.shape != (count,) or utilities.shape != (count,):
        raise ValueError(
            f"{name_of(strategy)} was asked for {count} items and returned indices of shape "
            f"{indices.shape} with utilities of shape {utilities.shape}"
        )
    return indices, utilities


def scores(
    strategy: Strategy, learner: Any, X: Any, rng: np.random.Generator, labeled: Any
) -> NDArray[np.float64]:
    """The utility of every item, of shape (n,), in the order of `X`.

    Raises
    ------
    TypeError, ValueError
        If the strategy does not return every item once, each with a finite utility.
    """
    n = n_rows(X)
    if n == 0:
        return np.empty(0)
    indices, utilities = ask(strategy, learner, X, n, rng, labeled)
    if not np.array_equal(np.sort(indices), np.arange(n)) or not np.isfinite(utilities).all():
        raise ValueError(
            f"{name_of(strategy)} was asked for all {n} items and did not return each of them once with a "
            "finite utility"
        )
    found = np.empty(n)
    found[indices] = utilities
    return found
