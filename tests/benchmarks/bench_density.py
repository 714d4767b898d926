"""Information density beside modAL's: exact up to 100,000 items, by references beyond."""

from __future__ import annotations

import numpy as np
from modAL.density import information_density as modals

from strategies.density import density_weighted, information_density

BATCH = 100


def test_information_density_of_ten_thousand(task, beside):
    X = task(10**4).X
    ours, peers = beside(
        lambda: information_density(None, X, BATCH, rng=0),
        lambda: modals(X),
        times_quicker=5,
        megabytes=50,
    )
    assert np.array_equal(ours[0], np.argsort(-peers)[:BATCH])


def test_information_density_of_a_hundred_thousand_exact(task, beside):
    X = task(10**5).X
    (indices, utilities), _ = beside(
        lambda: information_density(None, X, BATCH, rng=0), repeats=1, megabytes=50
    )
    some = slice(None, None, 20)
    expected = [(1 / (1 + np.linalg.norm(X - row, axis=1))).mean() for row in X[indices[some]]]
    assert np.allclose(utilities[some], expected, rtol=1e-9)


def test_information_density_of_a_million_by_references(task, beside, capsys):
    X = task(10**6).X
    (indices, utilities), _ = beside(
        lambda: information_density(None, X, BATCH, rng=0), seconds=15, megabytes=100, repeats=1
    )
    some = slice(None, None, 20)
    expected = np.array([(1 / (1 + np.linalg.norm(X - row, axis=1))).mean() for row in X[indices[some]]])
    error = np.abs(utilities[some] / expected - 1).max()
    with capsys.disabled():
        print(f"(by references: {error:.2%} from the mean over all)", end=" ")
    assert error < 0.01


def test_density_weighted_of_a_million_by_references(task, beside):
    pool = task(10**6)
    beside(lambda: density_weighted(pool.model, pool.X, BATCH, rng=0), seconds=16, megabytes=150, repeats=1)


def test_density_by_references_grows_with_the_pool_at_most(growth):
    growth(lambda of: information_density(None, of.X, BATCH, rng=0, n_references=2000), repeats=1)


def test_density_weighted_by_references_grows_with_the_pool_at_most(growth):
    growth(lambda of: density_weighted(of.model, of.X, BATCH, rng=0, n_references=2000), repeats=1)
