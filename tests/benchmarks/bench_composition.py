"""Strategies made of others: what the making adds, and how it grows with the pool."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

import strategies
from strategies.class_balance import class_balanced
from strategies.composition import linear_combination, product

COMPOSED = [
    class_balanced("margin"),
    linear_combination("margin", "entropy"),
    product("margin", "entropy"),
    strategies.mixture("margin"),
]


@pytest.mark.parametrize("composed", COMPOSED, ids=repr)
def test_at_1_000_000_items(composed: Any, task: Callable[[int], Any], beside: Any) -> None:
    of = task(1_000_000)
    ours, _ = beside(
        lambda: composed(of.model, of.X, 100, rng=0, labeled=of.labeled), megabytes=400, repeats=1
    )
    assert len(set(ours[0].tolist())) == 100


@pytest.mark.parametrize("composed", COMPOSED, ids=repr)
def test_growth_is_13_fold_at_most_with_ten_times_the_pool(
    composed: Any, task: Callable[[int], Any], capsys: Any
) -> None:
    seconds = []
    for n in (100_000, 1_000_000):
        of = task(n)
        spent = []
        for _ in range(3):
            began = time.process_time()
            composed(of.model, of.X, 100, rng=0, labeled=of.labeled)
            spent.append(time.process_time() - began)
        seconds.append(min(spent))
    with capsys.disabled():
        print(f"\n{composed}: {seconds[0]:.3g} s at 10^5, {seconds[1]:.3g} s at 10^6", end=" ")
    assert seconds[1] / seconds[0] <= 13
