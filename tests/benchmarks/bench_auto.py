"""The default, in each of its phases, beside margin; and random sampling, which should cost nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from strategies.auto import auto
from strategies.chance import random_sampling
from strategies.uncertainty import margin

BATCH = 100


def with_many_labels(of: Any) -> Any:
    """200 labels of 10 classes: uncertain and diverse."""
    return auto(of.model, of.X, BATCH, rng=0, labeled=of.labeled)


def with_few_labels(of: Any) -> Any:
    """40 labels of 10 classes: typical of what is not labeled."""
    few = slice(None, 40)
    return auto(of.model, of.X, BATCH, rng=0, labeled=(of.labeled[0][few], of.labeled[1][few]))


def without_a_model(of: Any) -> Any:
    return auto(None, of.X, BATCH, rng=0)


def at_random(of: Any) -> Any:
    return random_sampling(of.model, of.X, BATCH, rng=0)


def test_auto_at_1_000_000_items_beside_margin(task: Callable[[int], Any], beside: Any) -> None:
    """Not quicker, but not much slower: the batch is spread over the least certain 300."""
    of = task(1_000_000)
    ours, _ = beside(
        lambda: with_many_labels(of),
        lambda: margin(of.model, of.X, BATCH, rng=0),
        peer_name="margin",
        peer_repeats=3,
        times_quicker=0.5,
        megabytes=50,
    )
    assert len(set(ours[0].tolist())) == BATCH


@pytest.mark.parametrize("phase", [with_few_labels, without_a_model, at_random])
def test_at_1_000_000_items(phase: Callable[[Any], Any], task: Callable[[int], Any], beside: Any) -> None:
    of = task(1_000_000)
    ours, _ = beside(lambda: phase(of), megabytes=200, repeats=1)
    assert len(set(ours[0].tolist())) == BATCH


@pytest.mark.parametrize("phase", [with_many_labels, with_few_labels, without_a_model, at_random])
def test_growth_is_13_fold_at_most_with_ten_times_the_pool(phase: Callable[[Any], Any], growth: Any) -> None:
    growth(phase)
