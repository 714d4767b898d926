"""Information density against modAL's, and uncertainty weighted with it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from modAL.density import information_density as modals
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression

from strategies import density as module
from strategies import pairs
from strategies.density import (
    density_utilities,
    density_weighted,
    density_weighted_utilities,
    information_density,
)
from strategies.geometry import Points, geometry
from strategies.uncertainty import entropy_utilities, least_confident_utilities, margin_utilities

X, y = make_blobs(1300, n_features=5, centers=3, cluster_std=3.0, random_state=1)
MODEL = LogisticRegression().fit(X[:50], y[:50])


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("kind", [np.array, sp.csr_matrix])
def test_it_is_modals_density(metric, kind):
    points, _ = geometry(None, kind(X), metric=metric)
    assert np.allclose(density_utilities(points, metric=metric), modals(X, metric), rtol=1e-9, atol=0)


def test_the_densest_items_are_picked():
    density = modals(X)
    indices, utilities = information_density(None, X, 25, rng=0)
    assert indices.tolist() == np.argsort(-density)[:25].tolist()
    assert np.allclose(utilities, density[indices], rtol=1e-9, atol=0)


def test_an_outlier_comes_last():
    """Its mean distance is the largest; ranking by that would ask about it first."""
    with_outlier = np.vstack([X, 100 * np.ones(5)])
    indices, _ = information_density(MODEL, with_outlier, len(with_outlier), rng=0)
    assert indices[-1] == len(X)


def test_with_references_it_is_the_mean_similarity_to_those():
    references = X[::13]
    exact = np.array([(1 / (1 + np.linalg.norm(references - row, axis=1))).mean() for row in X])
    for kind in (np.array, sp.csr_matrix):
        for dtype, error in ((np.float64, 1e-9), (np.float32, 1e-4)):
            found = density_utilities(Points(kind(X)), Points(kind(references)), dtype=dtype)
            assert np.allclose(found, exact, rtol=error, atol=0)


def test_float32_keeps_five_digits_far_from_0_and_among_duplicates():
    points = Points(np.repeat(X, 2, axis=0) + 1e6)
    single = density_utilities(points, dtype=np.float32)
    assert np.allclose(single, density_utilities(points), rtol=2e-5, atol=0)


#: Pools that float32 can and can't tell apart: in the last, pairs are near that lie far from the middle.
LARGE = np.random.default_rng(0).normal(size=(4000, 5))
BY_PRECISION = {
    "float32 will do": LARGE,
    "duplicates": np.repeat(LARGE[:400], 10, axis=0),
    "float32 won't do": LARGE + 1e5 * np.random.default_rng(1).integers(0, 2, size=(4000, 1)),
    "too large for float32": LARGE * 1e30,
}


@pytest.mark.parametrize("beta", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("count", [1, 60, 1500])
@pytest.mark.parametrize("kind", BY_PRECISION)
def test_float32_on_the_way_changes_no_pick(kind, count, beta, monkeypatch):
    pool = BY_PRECISION[kind]
    model = LogisticRegression().fit(LARGE[:50], y[:50])
    quick = density_weighted(model, pool, count, rng=0, beta=beta)
    monkeypatch.setattr(module, "_SMALL", len(pool))
    exact = density_weighted(model, pool, count, rng=0, beta=beta)
    assert np.allclose(quick[1], exact[1], rtol=1e-9, atol=0)
    if kind != "duplicates" and beta > 0:
        assert np.array_equal(quick[0], exact[0])


def test_chance_decides_where_all_are_equally_dense():
    """Items evenly around a circle; two draws of 30 of 3,000 share 0.3 on average, 5 or more with 2e-5."""
    angles = np.linspace(0.0, 2.0 * np.pi, 3000, endpoint=False)
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    first, second = (information_density(None, ring, 30, rng=seed) for seed in (0, 1))
    assert np.ptp(np.concatenate([first[1], second[1]])) < 1e-9
    assert len(np.intersect1d(first[0], second[0])) < 5


def test_nothing_is_picked_where_nothing_is_wanted():
    for strategy in (information_density, density_weighted):
        indices, utilities = strategy(MODEL, X, 0)
        assert indices.shape == utilities.shape == (0,)


@pytest.mark.parametrize(("kind", "used"), [("float32 will do", True), ("float32 won't do", False)])
def test_float32_is_used_where_it_will_do(kind, used, monkeypatch):
    asked = []
    whole = module.mean_over_pairs

    def noting(points, *args, dtype, **how):
        asked.append((len(points), dtype))
        return whole(points, *args, dtype=dtype, **how)

    monkeypatch.setattr(module, "mean_over_pairs", noting)
    information_density(None, BY_PRECISION[kind], 20, rng=0)
    assert ((4000, np.float32) in asked) == used
    assert ((4000, np.float64) in asked) != used
    information_density(None, BY_PRECISION[kind], 20, rng=0, n_references=900)
    assert asked[-1] == (4000, np.float32 if used else np.float64)


def test_the_error_by_references_is_as_stated():
    """Standard error s / sqrt(r), over 40 draws of 300 references from 1,300 items.

    Items share references, so the mean of squared z over items varies between draws; over 40 draws it is
    near 1 - 300 / 1300 (drawn without replacement) with a spread of about 0.2. Outside 0.3 to 1.5 would
    take 2.5 spreads or more; the seed is fixed. A wrong root or a forgotten division is far outside.
    """
    similarity = np.array([1 / (1 + np.linalg.norm(X - row, axis=1)) for row in X])
    error = similarity.std(axis=1) / np.sqrt(300)
    squared_z = []
    for seed in range(40):
        indices, utilities = information_density(None, X, len(X), rng=seed, n_references=300)
        squared_z.append((((utilities - similarity.mean(axis=1)[indices]) / error[indices]) ** 2).mean())
    assert 0.3 < np.mean(squared_z) < 1.5


def test_large_pools_are_compared_with_references(monkeypatch):
    monkeypatch.setattr(pairs.drawn, "__kwdefaults__", {"all_pairs": 1000, "otherwise": 40})
    rng = np.random.default_rng(5)
    references = Points(X[np.sort(rng.choice(len(X), 40, replace=False))])
    _, utilities = information_density(None, X, 10, rng=5)
    assert np.array_equal(utilities, np.sort(density_utilities(Points(X), references))[:-11:-1])


@pytest.mark.parametrize("n_references", [None, 200])
def test_two_jobs_pick_what_one_picks(n_references):
    one = information_density(None, X, 50, rng=0, n_references=n_references, n_jobs=1)
    two = information_density(None, X, 50, rng=0, n_references=n_references, n_jobs=2)
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])


def test_as_many_references_as_items_are_all_items():
    all_of_them = information_density(None, X, 9, rng=0, n_references=len(X))
    assert np.array_equal(all_of_them[1], information_density(None, X, 9, rng=0)[1])


@pytest.mark.parametrize("beta", [0, 0.5, 2.0])
@pytest.mark.parametrize(
    ("uncertainty", "utilities_of"),
    [
        ("margin", lambda proba: 1 + margin_utilities(proba)),
        ("entropy", entropy_utilities),
        ("least_confident", least_confident_utilities),
    ],
)
def test_uncertainty_is_multiplied_by_density_to_the_power_beta(uncertainty, utilities_of, beta):
    expected = utilities_of(MODEL.predict_proba(X)) * modals(X) ** beta
    indices, utilities = density_weighted(MODEL, X, len(X), rng=0, beta=beta, uncertainty=uncertainty)
    assert np.allclose(utilities, expected[indices], rtol=1e-8, atol=1e-12)
    assert (utilities >= 0).all()


def test_weighted_utilities_of_known_numbers():
    uncertainty, density = np.array([0.0, 0.5, 1.0]), np.array([0.9, 0.4, 0.1])
    assert density_weighted_utilities(uncertainty, density) == pytest.approx([0.0, 0.2, 0.1])
    assert density_weighted_utilities(uncertainty, density, 0.0) == pytest.approx(uncertainty)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"n_references": 0}, ValueError, "n_references must be 1 or more"),
        ({"n_references": True}, TypeError, "n_references must be None or a whole number"),
        ({"n_references": 2.5}, TypeError, "n_references must be None or a whole number"),
        ({"beta": -1}, ValueError, "beta must be 0 or more"),
        ({"beta": np.nan}, ValueError, "beta must be 0 or more"),
        ({"beta": np.inf}, ValueError, "beta must be 0 or more"),
        ({"beta": "1"}, TypeError, "beta must be a number"),
        ({"beta": True}, TypeError, "beta must be a number"),
        ({"uncertainty": "bald"}, ValueError, "uncertainty must be one of margin, entropy, least_confident"),
        ({"metric": "manhattan"}, ValueError, "metric must be"),
    ],
)
def test_options_out_of_range_are_refused(wrong, error, words):
    with pytest.raises(error, match=words):
        density_weighted(MODEL, X, 1, **wrong)
