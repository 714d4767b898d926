"""TypiClust beside scikit-activeml's, what it costs in a loop, and how it grows with the pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from strategies.typiclust import typiclust


def test_typiclust_at_100_000_items_beside_scikit_activeml(task: Callable[[int], Any], beside: Any) -> None:
    pool = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is an optional peer")
    of = task(100_000)
    X = np.concatenate([of.labeled[0], of.X])
    y = np.concatenate([of.labeled[1], np.full(len(of.X), np.nan)])
    peer = pool.TypiClust(random_state=0)
    ours, theirs = beside(
        lambda: typiclust(of.model, of.X, 100, rng=0, labeled=of.labeled),
        lambda: peer.query(X, y, batch_size=100),
        peer_name="scikit-activeml",
        times_quicker=5,
        megabytes=100,
    )
    assert len(set(ours[0].tolist())) == len(theirs) == 100


@pytest.mark.parametrize("n_labeled", [0, 100, 300])
def test_typiclust_for_one_round_on_digits(n_labeled: int, beside: Any) -> None:
    """1,797 x 64, a batch of 20: what a loop pays each round."""
    X, y = load_digits(return_X_y=True)
    labeled = (X[:n_labeled], y[:n_labeled])
    ours, _ = beside(lambda: typiclust(None, X[n_labeled:], 20, rng=0, labeled=labeled))
    assert len(ours[0]) == 20


def test_typiclust_grows_13_fold_at_most_with_ten_times_the_pool(growth: Any) -> None:
    growth(lambda of: typiclust(of.model, of.X, 100, rng=0, labeled=of.labeled))
