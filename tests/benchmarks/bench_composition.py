"""Strategies made of others: what the making adds, and how it grows with the pool."""

from __future__ import annotations

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
def test_growth_is_13_fold_at_most_with_ten_times_the_pool(composed: Any, growth: Any) -> None:
    growth(lambda of: composed(of.model, of.X, 100, rng=0, labeled=of.labeled))
