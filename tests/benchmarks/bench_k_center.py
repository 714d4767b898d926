"""k-center beside scikit-activeml's CoreSet and a plain loop: the same items, and how time grows."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.metrics import pairwise_distances

from strategies.k_center import k_center

BATCH = 100


@pytest.mark.parametrize(("n", "times_quicker"), [(10**5, 8), (10**6, 12)])
def test_k_center(n, times_quicker, task, beside):
    skactiveml = pytest.importorskip("skactiveml.pool", reason="the peer is an optional package")
    pool = task(n)
    known, labels = pool.labeled
    # The peer's pool holds what is labeled, too; it takes no part in the timing.
    whole = np.vstack([pool.X, known])
    marked = np.concatenate([np.full(n, np.nan), labels])
    ours, peers = beside(
        lambda: k_center(pool.model, pool.X, BATCH, rng=0, labeled=pool.labeled),
        lambda: skactiveml.CoreSet(random_state=0).query(whole, marked, batch_size=BATCH),
        peer_name="scikit-activeml",
        times_quicker=times_quicker,
        megabytes=100,
    )
    assert np.array_equal(ours[0], peers)


def by_a_plain_loop(X, known):
    """What ALiPy and others do: the distances to one item more, for all, at each step."""
    nearest, chosen = pairwise_distances(X, known).min(axis=1), []
    for _ in range(BATCH):
        chosen.append(int(nearest.argmax()))
        np.minimum(nearest, pairwise_distances(X, X[chosen[-1:]])[:, 0], out=nearest)
    return chosen


@pytest.mark.parametrize(("n", "times_quicker"), [(10**5, 8), (10**6, 12)])
def test_k_center_beside_a_plain_loop(n, times_quicker, task, beside):
    pool = task(n)
    ours, others = beside(
        lambda: k_center(pool.model, pool.X, BATCH, rng=0, labeled=pool.labeled),
        lambda: by_a_plain_loop(pool.X, pool.labeled[0]),
        peer_name="a plain loop",
        times_quicker=times_quicker,
        megabytes=100,
    )
    assert np.array_equal(ours[0], others)


@pytest.mark.parametrize("kind", ["one-hot", "two features", "constant", "texts", "nothing labeled"])
def test_k_center_on_pools_with_many_ties_or_few_features(kind, task, beside):
    n, rng = 10**5, np.random.default_rng(0)
    if kind == "one-hot":
        X = np.eye(8)[rng.integers(0, 8, size=(n, 4))].reshape(n, 32)
    elif kind == "constant":
        X = np.ones((n, 32))
    elif kind == "texts":
        X = sp.random(n, 20_000, density=0.0015, format="csr", rng=rng)
    else:
        X = task(n).X[:, : 2 if kind == "two features" else 32]
    labeled = None if kind == "nothing labeled" else (X[:200], None)
    beside(lambda: k_center(None, X, BATCH, rng=0, labeled=labeled), repeats=1, megabytes=150)


def test_k_center_grows_with_the_pool_at_most(growth):
    growth(lambda of: k_center(None, of.X, BATCH, rng=0, labeled=of.labeled))
