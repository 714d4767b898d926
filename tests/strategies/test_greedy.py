"""The lazy greedy gives exactly the picks of the plain one, whatever it leaves out on the way."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import greedy as module
from strategies.geometry import Points
from strategies.greedy import as_distances, central_item, greedy


def farthest(squared, items, turn):
    return np.sqrt(squared)


def balanced(weights, n):
    """A rule like ranked batch's: distance counts less and weights count more with each turn."""

    def score(squared, items, turn):
        alpha = (n - turn) / (n + 3)
        return alpha * (1.0 - 1.0 / (1.0 + np.sqrt(squared))) + (1.0 - alpha) * weights[items]

    return score


def squared_gaps(X, centre):
    gaps = X - centre
    return np.einsum("ij,ij->i", gaps, gaps)


def assert_plain_greedy_agrees(X, start, picked, score, taken=None):
    """Each pick has the highest utility of all that are left, at exactly computed distances."""
    indices, utilities = picked
    nearest = np.min([squared_gaps(X, row) for row in start], axis=0)
    left = np.ones(len(X), dtype=bool)
    left[[] if taken is None else taken] = False
    assert len(set(indices.tolist())) == len(indices)
    for turn, (index, utility) in enumerate(zip(indices, utilities, strict=True)):
        scores = np.where(left, score(nearest, slice(None), turn), -np.inf)
        assert scores[index] == scores.max() == utility
        left[index] = False
        nearest = np.minimum(nearest, squared_gaps(X, X[index]))


POOLS = {
    "random": lambda rng, n, d: rng.normal(size=(n, d)),
    "duplicated": lambda rng, n, d: np.repeat(rng.normal(size=(-(-n // 5), d)), 5, axis=0)[:n],
    "whole numbers": lambda rng, n, d: rng.integers(0, 3, size=(n, d)).astype(float),
    "far from 0": lambda rng, n, d: rng.normal(size=(n, d)) + 1e7,
    "with outliers": lambda rng, n, d: rng.standard_cauchy(size=(n, d)) ** 3,
    "constant": lambda rng, n, d: np.ones((n, d)),
}


@pytest.mark.parametrize("candidates", [1, 7, 2048])
@pytest.mark.parametrize("d", [1, 2, 17])
@pytest.mark.parametrize("kind", POOLS)
@pytest.mark.parametrize("rule", ["farthest", "balanced"])
def test_each_pick_is_the_best_of_all_items_at_its_turn(kind, d, candidates, rule, monkeypatch):
    monkeypatch.setattr(module, "_CANDIDATES", candidates)
    monkeypatch.setattr(module, "_CENTRES", 3)
    rng = np.random.default_rng(d)
    X = POOLS[kind](rng, 300, d)
    start = X[rng.choice(300, 8)]
    score = farthest if rule == "farthest" else balanced(rng.random(300), 300)
    assert_plain_greedy_agrees(X, start, greedy(Points(X), start, 60, rng, score), score)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 4), st.booleans())
def test_any_small_pool_can_be_picked_to_the_last_item(seed, n, d, whole):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 3, size=(n, d)).astype(float) if whole else rng.normal(size=(n, d))
    start = X[:1]
    score = balanced(rng.integers(0, 2, size=n) / 2, n)
    picked = greedy(Points(X), start, n - 1, rng, score, taken=0)
    assert sorted(picked[0].tolist()) == list(range(1, n))
    assert_plain_greedy_agrees(X, start, picked, score, taken=0)


def test_float32_rows_are_compared_in_float64():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 5)).astype(np.float32)
    start = X[:4]
    picked = greedy(Points(X), start, 50, rng, farthest)
    assert_plain_greedy_agrees(X.astype(np.float64), start.astype(np.float64), picked, farthest)


@pytest.mark.parametrize("candidates", [5, 2048])
def test_sparse_rows_give_the_picks_of_dense_ones(candidates, monkeypatch):
    monkeypatch.setattr(module, "_CANDIDATES", candidates)
    X = sp.random(300, 40, density=0.2, format="csr", random_state=0)
    dense = X.toarray()
    from_sparse = greedy(Points(X), X[:5], 60, np.random.default_rng(0), farthest)
    from_dense = greedy(Points(dense), dense[:5], 60, np.random.default_rng(0), farthest)
    assert np.array_equal(from_sparse[0], from_dense[0])
    assert np.allclose(from_sparse[1], from_dense[1], rtol=1e-12)


def test_sparse_whole_numbers_tie_exactly():
    X = sp.csr_matrix(np.random.default_rng(0).integers(0, 2, size=(200, 6)).astype(float))
    picked = greedy(Points(X), X[:3], 80, np.random.default_rng(1), farthest)
    assert_plain_greedy_agrees(X.toarray(), X[:3].toarray(), picked, farthest)


def test_sparse_duplicates_are_no_distance_apart():
    X = sp.vstack([sp.random(20, 500, density=0.05, random_state=0)] * 3, format="csr")
    _, utilities = greedy(Points(X), X[:1], 50, np.random.default_rng(0), farthest)
    assert (utilities[:19] > 0.1).all()
    assert not utilities[19:].any()


def test_equal_items_are_picked_equally_often():
    """Four corners of a square, equally far from its middle: the first of 400 picks should be each 100 times.

    A count is Binomial(400, 1/4), sd 8.7; below 50 has probability 1e-9, for four corners below 1e-8.
    """
    X = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0], [0.5, 0.0]])
    rng = np.random.default_rng(0)
    firsts = [greedy(Points(X), np.zeros((1, 2)), 1, rng, farthest)[0][0] for _ in range(400)]
    assert np.bincount(firsts, minlength=5)[:4].min() >= 50


def test_equal_items_beyond_the_candidates_are_picked_as_often(monkeypatch):
    """Two candidates of six equal items: each should be picked 100 times of 600, below 50 with 1e-8."""
    monkeypatch.setattr(module, "_CANDIDATES", 2)
    same, rng = np.ones((6, 2)), np.random.default_rng(0)
    firsts = [greedy(Points(same), same[:1], 1, rng, farthest)[0][0] for _ in range(600)]
    assert np.bincount(firsts, minlength=6).min() >= 50


def test_it_looks_at_few_items_exactly_where_few_can_win(monkeypatch):
    looked_at = []
    plain = module._lower_exactly

    def counting(squared, near, centres):
        looked_at.append(len(squared) * len(centres))
        plain(squared, near, centres)

    monkeypatch.setattr(module, "_lower_exactly", counting)
    X = np.random.default_rng(0).normal(size=(20_000, 16))
    greedy(Points(X), X[:10], 40, np.random.default_rng(0), farthest)
    assert sum(looked_at) < 0.25 * 20_000 * 50


def test_distances_too_large_for_numbers_are_refused():
    X = np.array([[0.0], [1e200]])
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="squared distances overflow: scale"):
        greedy(Points(X), X[:1], 1, np.random.default_rng(0), farthest)


def test_the_central_item_is_nearest_to_the_mean_in_any_form():
    X = np.random.default_rng(0).normal(size=(3000, 3))
    expected = np.argmin(squared_gaps(X, X.mean(axis=0)))
    for form in (X, X.astype(np.float32), sp.csr_matrix(X)):
        assert central_item(Points(form), np.random.default_rng(0)) == expected


def test_the_central_item_is_drawn_where_two_are_equally_near():
    """Two of four: each should be drawn 50 times of 100; below 15 has probability 1e-13."""
    points, rng = Points(np.array([[0.0], [1.0], [2.0], [3.0]])), np.random.default_rng(0)
    drawn = np.bincount([central_item(points, rng) for _ in range(100)], minlength=4)
    assert drawn[[0, 3]].sum() == 0
    assert drawn.min() == 0
    assert drawn[[1, 2]].min() >= 15


def test_distances_of_unit_rows_are_cosine_distances():
    squared = squared_gaps(np.array([[1.0, 0.0], [0.6, 0.8]]), np.array([1.0, 0.0]))
    assert as_distances(squared, "cosine") == pytest.approx([0.0, 0.4])
    assert as_distances(squared, "euclidean") == pytest.approx(np.sqrt([0.0, 0.8]))
