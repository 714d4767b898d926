"""ProbCover, contrastive and discriminative: beside scikit-activeml's where that runs, and how they grow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from strategies.contrastive import contrastive
from strategies.discriminative import discriminative
from strategies.prob_cover import prob_cover


def test_prob_cover_at_5_000_items_beside_scikit_activeml(task: Callable[[int], Any], beside: Any) -> None:
    """Exact, both of them, with radii of their own."""
    pool = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is an optional peer")
    of = task(5_000)
    X = np.concatenate([of.labeled[0], of.X])
    y = np.concatenate([of.labeled[1], np.full(len(of.X), np.nan)])
    peer = pool.ProbCover(deltas=np.arange(2.0, 8.0, 0.5), random_state=0)
    beside(
        lambda: prob_cover(of.model, of.X, 100, rng=0, labeled=of.labeled),
        lambda: peer.query(X, y, batch_size=100, update=True),
        peer_name="scikit-activeml",
        megabytes=50,
    )


@pytest.mark.parametrize("strategy", [prob_cover, contrastive, discriminative])
def test_at_100_000_items(strategy: Any, task: Callable[[int], Any], beside: Any) -> None:
    """scikit-activeml's ProbCover needs n x n distances here: 80 GB."""
    of = task(100_000)
    ours, _ = beside(
        lambda: strategy(of.model, of.X, 100, rng=0, labeled=of.labeled),
        megabytes=1_000,
    )
    assert len(set(ours[0].tolist())) == 100


@pytest.mark.parametrize("strategy", [prob_cover, contrastive, discriminative])
def test_time_grows_13_fold_at_most_with_ten_times_the_pool(strategy: Any, growth: Any) -> None:
    growth(lambda of: strategy(of.model, of.X, 100, rng=0, labeled=of.labeled))
