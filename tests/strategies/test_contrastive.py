import numpy as np
import pytest
import scipy.sparse as sp
from modAL.models import ActiveLearner
from scipy.spatial.distance import cdist
from scipy.special import rel_entr
from sklearn.datasets import make_blobs
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from strategies.contrastive import contrastive, mean_divergence, nearest_labeled
from strategies.geometry import Points

X, Y = make_blobs(200, centers=3, n_features=4, cluster_std=4.0, random_state=0)
KNOWN, POOL = (X[:40], Y[:40]), X[40:]
MODEL = LogisticRegression().fit(*KNOWN)


def plain(model, pool, known, n_neighbors):
    """The paper's algorithm, an item at a time."""
    p, q = model.predict_proba(pool), model.predict_proba(known)
    order = cdist(pool, known).argsort(axis=1)[:, :n_neighbors]
    return np.array([rel_entr(q[near], p[i]).sum(axis=1).mean() for i, near in enumerate(order)])


@pytest.mark.parametrize("n_neighbors", [1, 10, 40, 99])
def test_utilities_are_the_mean_divergence_of_the_neighbours_predictions(n_neighbors):
    indices, utilities = contrastive(MODEL, POOL, 160, rng=0, labeled=KNOWN, n_neighbors=n_neighbors)
    expected = plain(MODEL, POOL, KNOWN[0], n_neighbors)
    assert utilities == pytest.approx(np.sort(expected)[::-1])
    assert utilities == pytest.approx(expected[indices])


def test_what_the_learner_was_trained_on_is_labeled():
    learner = ActiveLearner(LogisticRegression(), X_training=KNOWN[0], y_training=KNOWN[1])
    expected = contrastive(MODEL, POOL, 9, rng=0, labeled=KNOWN)
    found = contrastive(learner, POOL, 9, rng=0)
    assert np.array_equal(found[0], expected[0])


def test_a_prediction_of_zero_has_a_large_and_finite_divergence():
    proba, known = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 1.0]])
    found = mean_divergence(proba, known, np.zeros((2, 1), dtype=np.intp))
    assert found == pytest.approx([-np.log(np.finfo(float).tiny), 0.0])
    tree = DecisionTreeClassifier(random_state=0).fit(*KNOWN)
    assert np.isfinite(contrastive(tree, POOL, 160, rng=0, labeled=KNOWN)[1]).all()


def test_the_divergence_is_never_below_zero():
    proba = np.random.default_rng(0).dirichlet(np.ones(5), size=50)
    assert (mean_divergence(proba, proba, np.arange(50)[:, np.newaxis]) >= 0).all()


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix, np.float32])
def test_neighbours_are_the_nearest_labeled_items_in_any_number_of_blocks(monkeypatch, kind):
    monkeypatch.setattr("strategies.geometry._BLOCK_BYTES", 1)
    many = np.random.default_rng(0).normal(size=(700, 4))
    nearest = nearest_labeled(Points(kind(many)), Points(kind(KNOWN[0])), 3)
    expected = cdist(many, KNOWN[0]).argsort(axis=1)[:, :3]
    assert np.array_equal(np.sort(nearest, axis=1), np.sort(expected, axis=1))


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_single_precision_gives_the_same_neighbours_far_from_zero(kind):
    single = (X + 30000.0).astype(np.float32)
    nearest = nearest_labeled(Points(kind(single[40:])), Points(kind(single[:40])), 3)
    wide = single.astype(np.float64)
    expected = cdist(wide[40:], wide[:40]).argsort(axis=1)[:, :3]
    assert np.array_equal(np.sort(nearest, axis=1), np.sort(expected, axis=1))


def test_texts_are_compared_as_their_pipeline_sees_them():
    texts = ["cat mouse", "cat milk", "stock market", "bank market", "cat bank"]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts[1:4], [0, 1, 1])
    indices, _ = contrastive(model, texts, 1, rng=0, labeled=(texts[1:4], [0, 1, 1]), n_neighbors=1)
    assert texts[indices[0]] in ("cat mouse", "cat bank")


def test_a_representation_needs_rows_for_what_is_labeled():
    with pytest.raises(ValueError, match="pass a pair of arrays"):
        contrastive(MODEL, POOL, 3, labeled=KNOWN, representation=POOL)
    pair = contrastive(MODEL, POOL, 9, rng=0, labeled=KNOWN, representation=(POOL, KNOWN[0]))
    assert np.array_equal(pair[0], contrastive(MODEL, POOL, 9, rng=0, labeled=KNOWN)[0])


@pytest.mark.parametrize("labeled", [None, (KNOWN[0][:0], KNOWN[1][:0])])
def test_without_any_labels_it_refuses_and_says_what_to_do(labeled):
    with pytest.raises(ValueError, match="there are none: pass labeled="):
        contrastive(MODEL, POOL, 3, labeled=labeled)


@pytest.mark.parametrize(("wrong", "error"), [(0, ValueError), (2.0, TypeError), (True, TypeError)])
def test_it_refuses_a_number_of_neighbours_that_is_none(wrong, error):
    for pool in (POOL, POOL[:0]):
        with pytest.raises(error, match="n_neighbors must be"):
            contrastive(MODEL, pool, n_neighbors=wrong)


def test_nothing_to_pick_needs_no_labels():
    assert [len(part) for part in contrastive(MODEL, POOL, 0)] == [0, 0]
    assert [len(part) for part in contrastive(MODEL, POOL[:0], 3)] == [0, 0]
