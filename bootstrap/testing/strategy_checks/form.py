"""The form of the call and of the answer: what may be passed, what is refused, what comes back."""

from __future__ import annotations

import inspect
import pickle
from dataclasses import replace
from typing import Any, Final

import numpy as np

from bootstrap.testing.strategy_checks.case import (
    N_ITEMS,
    Case,
    Check,
    Finding,
    expect_items,
    expect_same,
    pool,
    table,
)

__all__ = ["CHECKS"]


def signature(case: Case) -> None:
    """It is called as strategy(learner, X, n_instances=1, *, rng=None, labeled=None, options).

    So that strategies can be swapped by one word, and that modAL can call them.
    """
    parameters = inspect.signature(case.strategy).parameters
    if list(parameters)[:3] != ["learner", "X", "n_instances"] or not {"rng", "labeled"} <= set(parameters):
        raise Finding(
            f"its parameters are {', '.join(parameters)}",
            "Begin with learner, X, n_instances=1, *, rng=None, labeled=None; ignore what is of no use",
        )
    if parameters["n_instances"].default != 1:
        raise Finding(f"n_instances is {parameters['n_instances'].default} by default", "Make that 1")
    for name in list(parameters)[3:]:
        parameter = parameters[name]
        if parameter.kind is parameter.VAR_KEYWORD:
            raise Finding(f"it takes any option, by **{name}", "Name its options: a misspelt one is lost so")
        if parameter.kind is not parameter.KEYWORD_ONLY or parameter.default is parameter.empty:
            raise Finding(
                f"{name} can be passed by position, or has to be passed",
                "Put it after the *, with a default",
            )


def answer_types(case: Case) -> None:
    """It returns positions as an array of numpy.intp and utilities as one of float64."""
    answer = case.call(case.learner(), pool(), 4, rng=0)
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise Finding(f"a {type(answer).__name__}", "Return a pair (indices, utilities)")
    for part, name, wanted in zip(answer, ("indices", "utilities"), (np.intp, np.float64), strict=True):
        if not isinstance(part, np.ndarray) or part.dtype != wanted:
            kind = f"an array of {part.dtype}" if isinstance(part, np.ndarray) else f"a {type(part).__name__}"
            raise Finding(
                f"{name} are {kind}", f"Return numpy.asarray({name}, dtype=numpy.{wanted.__name__})"
            )


def picks(case: Case) -> None:
    """It picks min(n_instances, items) distinct positions, with a finite utility each."""
    learner, X = case.learner(), pool()
    counts: tuple[Any, ...] = (0, 1, 2, 7, np.int64(7), N_ITEMS - 1, N_ITEMS, N_ITEMS + 5)
    for n_instances in counts:
        answer = case.ask(learner, X, n_instances, rng=0)
        expect_items(answer, min(int(n_instances), N_ITEMS), N_ITEMS, f"{N_ITEMS} items")


def falling_utilities(case: Case) -> None:
    """The most useful item comes first, and larger is more useful.

    Left out with `in_turn=True`.
    """
    utilities = case.ask(case.learner(), pool(), 20, rng=0)[1]
    rises = np.flatnonzero(np.diff(utilities) > 0)
    if len(rises):
        raise Finding(
            f"utility {utilities[rises[0]]:.6g} is followed by {utilities[rises[0] + 1]:.6g}",
            "Sort by utility, largest first (strategies.top does); if each utility is that of its own turn, "
            "say in_turn=True",
        )


def one_item_by_default(case: Case) -> None:
    """Without n_instances and rng it picks one item."""
    answer = case.call(case.learner(), pool())
    if len(answer[0]) != 1:
        raise Finding(f"{len(answer[0])} items", "Make n_instances=1 the default")


def empty_pool(case: Case) -> None:
    """Nothing to pick from gives two empty arrays, of the same types as ever."""
    import scipy.sparse as sp

    nothing = pool()[:0]
    learner = case.learner()
    pools: tuple[Any, ...] = (nothing, sp.csr_matrix(nothing), table(nothing), [])
    for empty in pools:
        indices, utilities = case.ask(learner, empty, 3)
        if len(indices) or len(utilities) or indices.dtype != np.intp or utilities.dtype != np.float64:
            raise Finding(
                f"for an empty {type(empty).__name__} indices {indices!r} and utilities {utilities!r}",
                "Return empty arrays of numpy.intp and float64, and ask no model: none takes an empty X",
            )


def pool_of_one(case: Case) -> None:
    """A single item is picked, however many are wanted."""
    learner = case.learner()
    for n_instances in (1, 3):
        expect_items(case.ask(learner, pool(1), n_instances, rng=0), 1, 1, "a pool of one")


def refused_counts(case: Case) -> None:
    """It refuses an n_instances that is no count, and says so."""
    learner = case.learner()
    for wrong, error in ((-1, ValueError), (1.5, TypeError), (True, TypeError), ("2", TypeError)):
        _expect_refusal(case, learner, error, "n_instances", {"n_instances": wrong})


def refused_options(case: Case) -> None:
    """It refuses an option that it doesn't know, by its name."""
    _expect_refusal(case, case.learner(), TypeError, "rngg", {"rngg": 3})


def refused_seeds(case: Case) -> None:
    """It refuses an rng that is neither None nor a seed nor a numpy Generator."""
    learner = case.learner()
    for wrong, error in (("seed", TypeError), (-3, ValueError), (np.random.RandomState(0), TypeError)):
        _expect_refusal(case, learner, error, "rng", {"rng": wrong, "n_instances": 3})


def refused_metrics(case: Case) -> None:
    """It refuses a metric that it doesn't know. Only where it has that option."""
    _expect_refusal(case, case.learner(), ValueError, "metric", {"metric": "furlongs", "n_instances": 3})


def pickling(case: Case) -> None:
    """What was made by calling something can be pickled, and is the same strategy afterwards.

    Left out for plain functions, which are pickled by their name.
    """
    again = pickle.loads(pickle.dumps(case.strategy))
    learner, X = case.learner(), pool()
    expect_same(
        case.ask(learner, X, 6, rng=1),
        replace(case, strategy=again).ask(learner, X, 6, rng=1),
        "the strategy and its copy",
        "Keep all that it needs in its attributes",
    )


def _expect_refusal(
    case: Case, learner: Any, error: type[Exception], naming: str, options: dict[str, Any]
) -> None:
    shown = ", ".join(f"{name}={value!r}" for name, value in options.items() if name == naming)
    try:
        case.call(learner, pool(), **options)
    except (TypeError, ValueError) as raised:
        if isinstance(raised, error) and naming in str(raised):
            return
        raise Finding(
            f"{shown} raised {type(raised).__name__}: {raised}",
            f"Raise {error.__name__}, and name {naming} in the message",
        ) from raised
    raise Finding(f"{shown} was taken", f"Check options first, and raise {error.__name__}, naming {naming}")


CHECKS: Final[tuple[Check, ...]] = (
    Check(signature),
    Check(answer_types),
    Check(picks),
    Check(falling_utilities, lambda case: not case.in_turn),
    Check(one_item_by_default),
    Check(empty_pool),
    Check(pool_of_one),
    Check(refused_counts),
    Check(refused_options),
    Check(refused_seeds),
    Check(refused_metrics, lambda case: case.takes("metric")),
    Check(pickling, lambda case: not inspect.isfunction(case.strategy)),
)
