"""Means over all pairs in blocks, against all pairs at once."""

from __future__ import annotations

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.metrics import pairwise_distances

from strategies import pairs
from strategies.geometry import Points
from strategies.pairs import drawn, mean_over_pairs

X = np.random.default_rng(0).normal(size=(700, 4))


@pytest.mark.parametrize("block", [1, 7, 100, 512, 1000])
@pytest.mark.parametrize("n", [1, 2, 100, 101, 700])
def test_blocks_of_any_size_give_the_mean_distance(n, block, monkeypatch):
    monkeypatch.setattr(pairs, "_BLOCK", max(block, n // 20))
    expected = pairwise_distances(X[:n]).mean(axis=1)
    assert np.allclose(mean_over_pairs(Points(X[:n])), expected, rtol=1e-9, atol=1e-12)
    to_some = mean_over_pairs(Points(X[:n]), Points(X[:60]))
    assert np.allclose(to_some, pairwise_distances(X[:n], X[:60]).mean(axis=1), rtol=1e-9, atol=1e-12)
    single = mean_over_pairs(Points(X[:n]), dtype=np.float32)
    assert np.allclose(single, expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [np.array, sp.csr_matrix])
def test_equal_rows_are_no_distance_apart_and_have_equal_means(kind):
    rows = np.repeat(X[:150], 4, axis=0)
    assert not mean_over_pairs(Points(kind(np.repeat(X[:1], 9, axis=0)))).any()
    for references in (None, Points(kind(X))):
        means = mean_over_pairs(Points(kind(rows)), references).reshape(150, 4)
        assert (means == means[:, :1]).all()
    single = mean_over_pairs(Points(kind(rows)), dtype=np.float32).reshape(150, 4)
    assert (single == single[:, :1]).mean() > 0.8  # rounded between two neighbours now and then


def test_threads_change_nothing_even_on_another_backend():
    one = mean_over_pairs(Points(X), n_jobs=1)
    assert np.array_equal(mean_over_pairs(Points(X), n_jobs=2), one)
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert np.array_equal(mean_over_pairs(Points(X)), one)


def test_what_is_averaged_can_be_changed():
    def nearer_than_one(distances):
        np.less(distances, 1.0, out=distances)

    expected = (pairwise_distances(X) < 1.0).mean(axis=1)
    assert np.allclose(mean_over_pairs(Points(X), change=nearer_than_one), expected, rtol=1e-9)


def test_references_are_drawn_only_from_pools_too_large_for_all_pairs():
    points, rng = Points(X), np.random.default_rng(0)
    assert drawn(points, None, rng) is None
    assert drawn(points, 700, rng) is None
    assert len(drawn(points, 699, rng)) == 699
    assert len(drawn(points, None, rng, all_pairs=699, otherwise=50)) == 50
    assert len(np.unique(drawn(points, 300, rng).rows, axis=0)) == 300
