import importlib
import itertools

import numpy as np
import pytest
import scipy.sparse as sp
from modAL.models import ActiveLearner
from sklearn.linear_model import LogisticRegression

from strategies.discriminative import discriminative, unlabeled_log_odds
from strategies.geometry import Points

module = importlib.import_module("strategies.discriminative")  # the package's own attribute is the function

RNG = np.random.default_rng(0)
# What is labeled lies around 0; a third of the pool lies far along each of two other directions.
KNOWN = RNG.normal(size=(30, 3))
GROUP = np.arange(90) % 3
POOL = RNG.normal(size=(90, 3)) + 6.0 * np.eye(3)[GROUP] * (GROUP > 0)[:, np.newaxis]
LABELED = (KNOWN, np.zeros(30))


def test_log_odds_are_those_of_a_balanced_logistic_regression_on_scaled_columns():
    both = np.concatenate([POOL, KNOWN])
    scaled = (both - both.mean(axis=0)) / both.std(axis=0)
    model = LogisticRegression(C=1 / (0.01 * 120), class_weight="balanced", tol=1e-8)
    model.fit(scaled, np.arange(120) < 90)
    found = unlabeled_log_odds(Points(POOL), Points(KNOWN), Points(both))
    assert found == pytest.approx(model.decision_function(scaled), abs=1e-5)


@pytest.mark.parametrize(
    "kind", [sp.csr_matrix, np.float32, lambda rows: rows * [1e6, 1.0, 1e-6] + [1e7, 0, 0]]
)
def test_neither_sparse_rows_nor_units_matter(kind):
    plain = unlabeled_log_odds(Points(POOL), Points(KNOWN), Points(POOL))
    found = unlabeled_log_odds(Points(kind(POOL)), Points(kind(KNOWN)), Points(kind(POOL)))
    assert found == pytest.approx(plain, abs=1e-4)


def test_equal_items_have_equal_log_odds_wherever_they_stand():
    rng = np.random.default_rng(0)
    for d, n in itertools.product((3, 7, 33, 65), (5, 7, 50, 1001)):
        same = Points(np.tile(rng.normal(size=d), (n, 1)))
        fit = Points(rng.normal(size=(40, d))), Points(rng.normal(size=(20, d)))
        assert len(np.unique(unlabeled_log_odds(*fit, same))) == 1


def test_what_resembles_the_labeled_items_least_is_asked_first():
    learner = ActiveLearner(LogisticRegression(), X_training=KNOWN, y_training=np.arange(30) % 2)
    for who, options in ((None, {"labeled": LABELED}), (learner, {})):
        indices, utilities = discriminative(who, POOL, 15, rng=0, **options)
        assert (GROUP[indices] > 0).all()
        assert utilities[0] == utilities.max() > 0


def test_what_was_picked_counts_as_labeled_for_the_next_sub_batch():
    one, _ = discriminative(None, POOL, 10, rng=0, labeled=LABELED, n_sub_batches=1)
    expected = unlabeled_log_odds(Points(POOL), Points(KNOWN), Points(POOL))
    assert one.tolist() == np.argsort(-expected)[:10].tolist()
    two, utilities = discriminative(None, POOL, 10, rng=0, labeled=LABELED, n_sub_batches=2)
    assert two[:5].tolist() == one[:5].tolist()
    rest = np.delete(np.arange(90), two[:5])
    seen = np.concatenate([KNOWN, POOL[two[:5]]])
    later = unlabeled_log_odds(Points(POOL[rest]), Points(seen), Points(POOL[rest]))
    assert utilities[5:] == pytest.approx(np.sort(later)[::-1][:5], abs=1e-5)


def test_with_nothing_labeled_the_first_sub_batch_is_random_and_the_next_is_not():
    """The first of 90, over 5 seeds: all the same with probability 1e-8."""
    firsts = set()
    for seed in range(5):
        indices, utilities = discriminative(None, POOL, 4, rng=seed, n_sub_batches=2)
        assert utilities[:2].tolist() == [0.0, 0.0]
        assert (utilities[2:] > 0).all()
        firsts.add(int(indices[0]))
    assert len(firsts) > 1


def test_the_whole_pool_can_be_picked_and_positions_never_repeat():
    same = np.ones((20, 2))
    for X, options in ((POOL, {"labeled": LABELED}), (same, {}), (same, {"labeled": (same[:3], [0, 0, 0])})):
        indices, utilities = discriminative(None, X, 200, rng=0, **options)
        assert sorted(indices.tolist()) == list(range(len(X)))
        assert np.isfinite(utilities).all()


def test_a_sparse_pool_and_dense_labeled_items_go_together():
    indices, _ = discriminative(None, sp.csr_matrix(POOL), 10, rng=0, labeled=LABELED)
    assert indices.tolist() == discriminative(None, POOL, 10, rng=0, labeled=LABELED)[0].tolist()


def test_it_is_fitted_on_a_part_of_many_items(monkeypatch):
    monkeypatch.setattr(module, "_FIT_ROWS", 12)
    sizes, log_odds = [], module.unlabeled_log_odds
    monkeypatch.setattr(
        module,
        "unlabeled_log_odds",
        lambda points, known, of: sizes.append((len(points), len(known))) or log_odds(points, known, of),
    )
    indices, _ = discriminative(None, POOL, 10, rng=0, labeled=LABELED, n_sub_batches=3)
    assert sizes == [(12, 12)] * 3
    assert (GROUP[indices] > 0).all()


@pytest.mark.parametrize(("wrong", "error"), [(0, ValueError), (2.0, TypeError), (True, TypeError)])
def test_it_refuses_a_number_of_sub_batches_that_is_none(wrong, error):
    for X in (POOL, POOL[:0]):
        with pytest.raises(error, match="n_sub_batches must be"):
            discriminative(None, X, n_sub_batches=wrong)
