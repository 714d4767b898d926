"""Chance and order: seeds decide, nothing global does, and no item has an edge by where it stands."""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Final

import numpy as np

from bootstrap.testing.strategy_checks.case import (
    N_ITEMS,
    Answer,
    Case,
    Check,
    Finding,
    expect_same,
    labeled_rows,
    pool,
)

__all__ = ["CHECKS"]

#: Draws in the check of ties, and how often an item has to come up where 50 times are expected.
_DRAWS, _AT_LEAST = 300, 15


def same_seed(case: Case) -> None:
    """The same seed gives the same answer, as an int and as a Generator, whatever was asked between.

    Asked of a pool, and of equal items: only where chance decides is it seen where chance comes from.
    """
    pools = ((case.learner(), pool()), (case.learner("constant"), np.ones((N_ITEMS, 3))))
    for (learner, X), seed in product(pools, (0, 1)):
        first = case.ask(learner, X, 9, rng=seed)
        case.ask(learner, X[:20], 3, rng=7)
        for again in (seed, np.random.default_rng(seed)):
            second = case.ask(learner, X, 9, rng=again)
            if not (np.array_equal(first[0], second[0]) and np.array_equal(first[1], second[1])):
                raise Finding(
                    f"rng={seed} gave the picks {first[0].tolist()} and rng={again!r} {second[0].tolist()}",
                    "Draw from strategies.as_rng(rng) alone, and pass it (or a seed drawn from it) on to "
                    "everything that draws",
                )


def global_random_state(case: Case) -> None:
    """It neither uses nor seeds the random state that numpy and Python share with everybody."""
    learner, X = case.learner(), pool()
    with _unusual_states():
        before = _global_states()
        case.ask(learner, X, 5, rng=0)
        after = _global_states()
    for name, was, now in zip(("numpy.random", "random"), before, after, strict=True):
        if was != now:
            raise Finding(
                f"the state of {name} changed",
                "Draw from strategies.as_rng(rng), and pass random_state= to what draws in scikit-learn",
            )


def item_order(case: Case) -> None:
    """The order of the pool decides nothing: permuted, the same items have the same utilities.

    With `in_turn=True`: the same items are picked, as far as seeds don't decide ties. Left out with
    `chance=True`.
    """
    learner, labeled = case.learner(), labeled_rows()
    remedy = (
        "Break ties by rng and not by position (strategies.top does); a strategy that draws even where "
        "nothing ties is checked with chance=True"
    )
    if not case.in_turn:
        X = pool()
        order = np.random.default_rng(0).permutation(N_ITEMS)
        there = _by_item(case.ask(learner, X, N_ITEMS, rng=0, labeled=labeled), np.arange(N_ITEMS))
        shuffled = _by_item(case.ask(learner, X[order], N_ITEMS, rng=1, labeled=labeled), order)
        if not np.allclose(there, shuffled, rtol=1e-9, atol=1e-12):
            worst = int(np.argmax(np.abs(there - shuffled)))
            raise Finding(
                f"item {worst} has utility {there[worst]:.9g}, and {shuffled[worst]:.9g} in another order",
                remedy,
            )
        return
    settled = [_same_in_turn(case, learner, labeled, n, remedy) for n in (N_ITEMS, 60, 41)]
    if not any(settled):
        raise Finding("already its first pick depends on the seed, in three pools out of three", remedy)


def labeled_order(case: Case) -> None:
    """The order of what is labeled decides nothing. Left out with `chance=True`."""
    learner, X, (known, y) = case.learner(), pool(), labeled_rows()
    order = np.random.default_rng(1).permutation(len(y))
    first = case.ask(learner, X, 8, rng=0, labeled=(known, y))
    second = case.ask(learner, X, 8, rng=0, labeled=(known[order], y[order]))
    expect_same(first, second, "labeled items in two orders", "Look at all of them alike")


def ties(case: Case) -> None:
    """Among equals chance decides, not position: each comes up, as the first pick and as the second.

    Of six equal items each should be first in 50 of 300 draws, and second in 50. A count is
    Binomial(300, 1/6); below 15 has probability 2e-9, so that a correct strategy fails by chance
    with less than 3e-8 (and the seeds are always the same). A position that always wins gives zeros.
    """
    learner, same = case.learner("constant"), np.ones((6, 3))
    drawn = np.array([case.ask(learner, same, 2, rng=seed)[0] for seed in range(_DRAWS)])
    for turn, name in enumerate(("first", "second")):
        counts = np.bincount(drawn[:, turn], minlength=6)
        if counts.min() < _AT_LEAST:
            raise Finding(
                f"of six equal items, over {_DRAWS} seeds, each was picked {name} so often: "
                f"{counts.tolist()}; about {_DRAWS // 6} each were expected",
                "Break ties by rng: strategies.top does, numpy.argmax and argsort don't",
            )


@contextmanager
def _unusual_states() -> Iterator[None]:
    """States that no seed gives anew: seeding with 0 is not seen where the state is that of 0 already."""
    numpys, pythons = np.random.get_state(), random.getstate()  # noqa: NPY002
    np.random.seed(1_618_033_988)  # noqa: NPY002
    np.random.random_sample(7)  # noqa: NPY002
    random.seed("a seed that nobody else would take")
    random.random()
    try:
        yield
    finally:
        np.random.set_state(numpys)  # noqa: NPY002
        random.setstate(pythons)


def _global_states() -> tuple[bytes, bytes]:
    return pickle.dumps(np.random.get_state()), pickle.dumps(random.getstate())  # noqa: NPY002


def _by_item(answer: Answer, order: np.ndarray) -> np.ndarray:
    """Utilities by where an item stood before it was moved to `order`."""
    indices, utilities = answer
    by_item = np.full(len(order), np.nan)
    by_item[order[indices]] = utilities
    return by_item


def _same_in_turn(case: Case, learner: object, labeled: object, n: int, remedy: str) -> int:
    """How many picks no seed changes; refuses if the order of the pool changes one of those."""
    X = pool(n)
    order = np.random.default_rng(n).permutation(n)

    def picked(seed: int) -> np.ndarray:
        return case.ask(learner, X, 9, rng=seed, labeled=labeled)[0]

    moved = order[case.ask(learner, X[order], 9, rng=0, labeled=labeled)[0]]
    for n_seeds in (4, 40):  # by 4 seeds a tie of two may look settled, hardly by 40
        by_seed = np.array([picked(seed) for seed in range(n_seeds)])
        settled = int(np.cumprod((by_seed == by_seed[0]).all(axis=0)).sum())
        expected, found = by_seed[0][:settled].tolist(), moved[:settled].tolist()
        if found == expected:
            return settled
    raise Finding(f"whatever the seed it picks {expected}, and {found} in another order", remedy)


CHECKS: Final[tuple[Check, ...]] = (
    Check(same_seed),
    Check(global_random_state),
    Check(item_order, lambda case: not case.chance),
    Check(labeled_order, lambda case: not case.chance),
    Check(ties),
)
