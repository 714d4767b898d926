import importlib

import numpy as np
import pytest
import scipy.sparse as sp
from modAL.models import ActiveLearner
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression

from strategies.geometry import Points
from strategies.prob_cover import greedy_cover, prob_cover, pure_radius

module = importlib.import_module("strategies.prob_cover")  # the package's own attribute is the function

# Five far blobs of 50, 40, 30, 20 and 10 items, each within a ball of radius 8 around any of its items.
SIZES = [50, 40, 30, 20, 10]
BLOBS, GROUP = make_blobs(SIZES, centers=100.0 * np.eye(5)[:, :4], cluster_std=1.0, random_state=0)
LINE = np.array([[0.0], [1.0], [2.0], [3.0], [10.0], [11.0], [20.0]])


def plain_greedy(X, radius, count, covered):
    """Maximum coverage, counted anew for each pick."""
    near = cdist(X, X) <= radius
    covered, picked, gained = covered.copy(), [], []
    for _ in range(count):
        gains = (near & ~covered).sum(axis=1)
        if gains.max() == 0:
            break
        picked.append(gains.argmax())
        gained.append(gains.max())
        covered |= near[picked[-1]]
    return picked, gained


# the radius


def purity_at(radius, X, cluster):
    other = cluster[:, np.newaxis] != cluster
    return 1 - ((cdist(X, X) <= radius) & other).any(axis=1).mean()


@pytest.mark.parametrize("purity", [0.5, 0.9, 0.95, 1.0])
def test_the_radius_is_the_largest_at_which_so_many_balls_are_pure(monkeypatch, purity):
    monkeypatch.setattr(module, "_COLUMNS", 64)
    X = np.random.default_rng(0).normal(size=(400, 3))
    cluster = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
    radius = pure_radius(Points(X), cluster, purity)
    assert purity_at(radius * (1 - 1e-9), X, cluster) >= purity - 1e-12
    assert purity_at(radius * (1 + 1e-9), X, cluster) < purity


def test_exactly_as_many_impure_balls_as_allowed_are_allowed():
    """One of 20 balls is impure at radius 1 to 2; in floats (1 - 0.95) * 20 is 1.0000000000000009."""
    X = np.concatenate([[[0.0]], 2.0 + np.arange(18)[:, np.newaxis] * 1e-3, [[-1.0]]])
    cluster = np.r_[0, np.ones(18), 1].astype(int)
    assert pure_radius(Points(X), cluster, 0.95) == pytest.approx(1.0)
    assert pure_radius(Points(X), cluster, 0.90) == pytest.approx(2.0)


def test_a_single_cluster_gives_balls_without_end():
    assert pure_radius(Points(LINE), np.zeros(7, dtype=int)) > 1e300


def test_the_balls_looked_at_are_the_first(monkeypatch):
    monkeypatch.setattr(module, "_MOST_BALLS", 2)
    assert pure_radius(Points(LINE), np.array([0, 0, 0, 0, 1, 1, 1]), 1.0) == pytest.approx(9.0)


# covering


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("radius", [0.3, 0.8, 2.0])
def test_the_cover_is_that_of_counting_anew_for_each_pick(monkeypatch, kind, radius):
    monkeypatch.setattr(module, "_COLUMNS", 50)
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 2))
    for covered in (np.zeros(300, dtype=bool), rng.random(300) < 0.3):
        picked, gained = greedy_cover(Points(kind(X)), radius, 40, covered)
        expected = plain_greedy(X, radius, 40, covered)
        assert picked.tolist() == expected[0]
        assert gained.tolist() == expected[1]


def test_it_ends_when_all_is_covered():
    picked, gained = greedy_cover(Points(LINE), 1.0, 7)
    assert gained.tolist() == [3, 2, 1, 1]
    assert LINE[picked].ravel().tolist() == [1.0, 10.0, 2.0, 20.0]
    assert [len(part) for part in greedy_cover(Points(LINE), 1.0, 7, np.ones(7, dtype=bool))] == [0, 0]


def test_equal_rows_cover_each_other_whatever_rounding_says():
    X = np.repeat(np.random.default_rng(0).normal(size=(5, 7)) * 1e3, 4, axis=0)
    picked, gained = greedy_cover(Points(X), 1e-9, 20)
    assert gained.tolist() == [4] * 5
    assert sorted(picked // 4) == [0, 1, 2, 3, 4]


def test_an_item_is_picked_once_though_rounding_counts_it_again(monkeypatch):
    """As if an item at the edge of each ball counted at first, and no more when it was covered."""
    count, calls = module._counts_within, []
    monkeypatch.setattr(
        module, "_counts_within", lambda *of: count(*of) + (not calls and calls.append(1) is None)
    )
    picked, _ = greedy_cover(Points(LINE), 1.0, 7)
    assert sorted(picked.tolist()) == list(range(7))


# the strategy


def test_one_item_of_each_blob_and_the_share_that_it_covers():
    indices, utilities = prob_cover(None, BLOBS, 7, rng=0, radius=8.0)
    assert GROUP[indices[:5]].tolist() == [0, 1, 2, 3, 4]
    assert utilities == pytest.approx([*(np.array(SIZES) / 150), 0.0, 0.0])
    assert len(set(indices.tolist())) == 7


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix, np.float32])
def test_the_radius_is_found_by_clusters_where_none_is_given(kind):
    indices, _ = prob_cover(None, kind(BLOBS), 5, rng=0, n_classes=5)
    assert GROUP[indices].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("learner", "labeled", "expected"),
    [
        (None, None, 10),
        (None, (BLOBS[:4], ["a", "b", "c", "a"]), 3),
        (None, (BLOBS[:4], ["a"] * 4), 2),
        (None, (BLOBS[:4], None), 10),
        (LogisticRegression(), None, 10),
        (LogisticRegression().fit(BLOBS, GROUP), (BLOBS[:2], [0, 1]), 5),
        (ActiveLearner(LogisticRegression(), X_training=BLOBS, y_training=GROUP), None, 5),
    ],
)
def test_there_are_as_many_clusters_as_classes_known(monkeypatch, learner, labeled, expected):
    asked, found = [], module.clusters_of
    monkeypatch.setattr(
        module, "clusters_of", lambda points, k, rng: asked.append(k) or found(points, k, rng)
    )
    prob_cover(learner, BLOBS, 2, rng=0, labeled=labeled)
    assert asked == [expected]


def test_labeled_items_cover_first():
    rows = [GROUP.tolist().index(group) for group in (0, 3)]
    for kind in (np.asarray, sp.csr_matrix):
        indices, utilities = prob_cover(
            None, kind(BLOBS), 4, rng=0, radius=8.0, labeled=(kind(BLOBS[rows]), [0, 1])
        )
        assert GROUP[indices[:3]].tolist() == [1, 2, 4]
        assert utilities == pytest.approx([40 / 150, 30 / 150, 10 / 150, 0.0])


def test_where_labels_cover_all_the_pick_is_random():
    """Any of 150; three seeds in a row give the same item with probability 1 / 22,500."""
    picks = {
        int(prob_cover(None, BLOBS, rng=s, radius=1e3, labeled=(BLOBS[:1], [0]))[0][0]) for s in range(3)
    }
    assert len(picks) > 1


def test_ties_go_by_chance():
    """Two pairs far apart: over 60 seeds each of the four comes up, with probability 1 - 4 (3/4)^60."""
    X = np.array([[0.1], [0.4], [100.1], [100.4]])
    assert {int(prob_cover(None, X, rng=seed, radius=1.0)[0][0]) for seed in range(60)} == {0, 1, 2, 3}


def test_of_a_large_pool_some_items_stand_for_all(monkeypatch):
    monkeypatch.setattr(module, "_MOST_ITEMS", 60)
    sizes, cover = [], module.greedy_cover
    monkeypatch.setattr(
        module, "greedy_cover", lambda points, *rest: sizes.append(len(points)) or cover(points, *rest)
    )
    indices, utilities = prob_cover(None, BLOBS, 100, rng=0, radius=8.0)
    assert sizes == [60]
    assert len(set(indices.tolist())) == 100
    assert sorted(GROUP[indices[:5]].tolist()) == [0, 1, 2, 3, 4]
    assert utilities[:5].sum() == pytest.approx(1.0)
    assert not utilities[5:].any()


@pytest.mark.parametrize(
    ("option", "error", "message"),
    [
        ({"radius": 0.0}, ValueError, "radius must be a distance above 0"),
        ({"radius": np.nan}, ValueError, "radius must be a distance above 0"),
        ({"purity": 0.0}, ValueError, "purity must be a share"),
        ({"purity": 1.1}, ValueError, "purity must be a share"),
        ({"n_classes": 1}, ValueError, "n_classes must be 2 or more"),
        ({"n_classes": 2.0}, TypeError, "n_classes must be a whole number"),
        ({"n_classes": True}, TypeError, "n_classes must be a whole number"),
    ],
)
def test_it_refuses_options_out_of_their_range(option, error, message):
    for X in (BLOBS, BLOBS[:0]):
        with pytest.raises(error, match=message):
            prob_cover(None, X, **option)
