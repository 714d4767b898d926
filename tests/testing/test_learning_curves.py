"""One run: what a seed decides, what is measured, and how failures are told."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import threadpoolctl
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from bootstrap.errors import InvalidInput
from bootstrap.strategies import margin, random_sampling, vote_entropy
from bootstrap.testing.learning_curves import (
    CurveSettings,
    LearningCurve,
    draw_test_set,
    failures,
    learning_curve,
)

SETTINGS = CurveSettings(first=10, until=40, batch_size=10, test_share=0.3)
N = 200


def task(n_classes=3):
    rng = np.random.default_rng(0)
    y = np.arange(N) % n_classes
    return rng.normal(size=(N, 4)) + 2 * y[:, np.newaxis], y


X, Y = task()


def run(strategy=margin, seed=0, settings=SETTINGS, estimator=None, data=(X, Y)):
    estimator = LogisticRegression() if estimator is None else estimator
    return learning_curve(*data, strategy, estimator, seed, settings, "mine")


class Watched:
    """Random sampling that notes what it was asked."""

    def __init__(self):
        self.calls = []

    def __call__(self, learner, X, n_instances=1, *, rng=None):
        self.calls.append((learner.X_training.copy(), X.copy(), n_instances))
        return random_sampling(learner, X, n_instances, rng=rng)


def rows_of(features):
    return {tuple(row) for row in features}


def test_the_model_is_fitted_and_measured_after_every_batch():
    curve = run()

    assert isinstance(curve, LearningCurve)
    assert (curve.strategy, curve.seed) == ("mine", 0)
    assert curve.n_labels == (10, 20, 30, 40)
    assert len(curve.accuracy) == len(curve.seconds) == 4
    assert all(0 <= accuracy <= 1 for accuracy in curve.accuracy)
    assert curve.seconds[0] == 0 < min(curve.seconds[1:])


def test_accuracy_is_that_of_the_model_on_items_that_no_strategy_ever_saw():
    watched = Watched()
    curve = run(watched)
    pool = rows_of(watched.calls[0][0]) | rows_of(watched.calls[0][1])
    tested = np.array([tuple(row) not in pool for row in X])
    learned = rows_of(watched.calls[-1][0])
    trained = np.array([tuple(row) in learned for row in X])

    assert tested.sum() == 60
    assert trained.sum() == 30
    model = LogisticRegression().fit(X[trained], Y[trained])
    assert curve.accuracy[-2] == pytest.approx(np.mean(model.predict(X[tested]) == Y[tested]))


def test_a_strategy_sees_what_is_labeled_and_the_rest_of_the_pool_as_in_the_loop():
    watched = Watched()
    run(watched)

    assert [(len(known), len(free), n) for known, free, n in watched.calls] == [
        (10, 130, 10),
        (20, 120, 10),
        (30, 110, 10),
    ]
    for known, free, _ in watched.calls:
        assert not rows_of(known) & rows_of(free)


def test_the_last_batch_is_cut_where_the_labels_end():
    curve = run(settings=CurveSettings(first=10, until=25, batch_size=10))

    assert curve.n_labels == (10, 20, 25)


def test_a_pool_that_is_used_up_ends_the_run():
    curve = run(settings=CurveSettings(first=100, until=1000, batch_size=30, test_share=0.3))

    assert curve.n_labels == (100, 130, 140)


def test_split_and_first_labels_are_the_same_for_every_strategy_and_differ_by_seed():
    first, second, other = Watched(), Watched(), Watched()
    run(first)
    run(second)
    run(other, seed=1)

    assert np.array_equal(first.calls[0][0], second.calls[0][0])
    assert np.array_equal(first.calls[-1][0], second.calls[-1][0])
    assert rows_of(first.calls[0][0]) != rows_of(other.calls[0][0])
    assert run(margin).accuracy[0] == run(random_sampling).accuracy[0]


def test_a_models_own_chance_is_set_by_the_seed():
    tree = DecisionTreeClassifier(max_features=1)

    assert run(estimator=tree).accuracy == run(estimator=tree).accuracy
    assert tree.random_state is None


def test_sparse_and_dense_features_give_the_same_curve():
    assert run(data=(sp.csr_matrix(X), Y)).accuracy == run().accuracy


def test_a_list_of_classifiers_is_a_committee():
    members = [LogisticRegression(C=c) for c in (0.01, 1, 100)]

    assert run(vote_entropy, estimator=members).n_labels == (10, 20, 30, 40)


@given(st.lists(st.integers(0, 4), min_size=30, max_size=120), st.integers(0, 2**32), st.integers(1, 30))
def test_each_class_has_its_share_of_the_test_set_up_to_rounding(labels, seed, count):
    y = np.array([*labels, 7, 8])  # two classes of one item
    tested = draw_test_set(y, count, np.random.default_rng(seed))

    assert tested.sum() == count
    for label in np.unique(y):
        expected = count / len(y) * (y == label).sum()
        assert abs(tested[y == label].sum() - expected) <= 1.0 + 1e-9


def test_every_item_is_tested_equally_often():
    """Each count is Binomial(2000, 0.3): 600 with sd 20.5; all 60 are within 5 sd but with chance 4e-5."""
    y = np.array([0] * 45 + [1] * 14 + [2])
    rng = np.random.default_rng(0)
    counts = np.sum([draw_test_set(y, 18, rng) for _ in range(2000)], axis=0)

    assert abs(counts - 600).max() < 5 * 20.5


def test_the_first_labels_are_of_two_classes_however_rare_one_is():
    y = np.zeros(N, dtype=int)
    y[:3] = 1
    settings = CurveSettings(first=2, until=4, batch_size=2)
    for seed in range(20):
        seen = Watched()
        run(seen, seed, settings, data=(np.arange(N)[:, np.newaxis] / N, y))
        first = (seen.calls[0][0] * N).round().astype(int).ravel()
        assert sorted(y[first]) == [0, 1]


def test_a_pool_of_one_class_is_refused():
    with pytest.raises(InvalidInput, match=r"all 140 items of the pool are 0: there must be two classes"):
        run(data=(X, np.zeros(N, dtype=int)))


def test_an_estimator_that_needs_more_labels_is_refused_with_the_remedy():
    fussy = LogisticRegression(C=-1)

    with pytest.raises(
        InvalidInput, match=r"can't learn from 10 labels of 3 classes \(seed 0; .*more labels"
    ):
        run(estimator=fussy)


def test_a_strategy_that_fails_is_named_with_what_it_was_given():
    def broken(learner, X, n_instances=1):
        raise RuntimeError("no luck")

    with pytest.raises(
        InvalidInput, match=r"mine failed on 130 items with 10 labels \(seed 3\): RuntimeError"
    ):
        run(broken, seed=3)


def test_a_strategy_that_picks_fewer_than_it_was_asked_for_is_refused():
    def lazy(learner, X, n_instances=1):
        return np.arange(n_instances - 1), np.zeros(n_instances - 1)

    with pytest.raises(InvalidInput, match=r"it picked 9 items where 10 were asked for"):
        run(lazy)


def test_failures_are_found_in_one_round_and_told_together():
    def broken(learner, X, n_instances=1):
        raise RuntimeError("no luck")

    strategies = {"margin": margin, "vote_entropy": vote_entropy, "broken": broken}
    found = failures(X, Y, strategies, SVC(), 0, SETTINGS)

    assert len(found) == 2
    assert "pass a list of classifiers or a forest" in found[0]
    assert found[1].startswith("broken failed on 130 items")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"first": 1}, "first must be a whole number of 2 or more, got 1"),
        ({"first": True}, "first must be"),
        ({"first": 20, "until": 20}, "until must be a whole number of 21 or more, got 20"),
        ({"batch_size": 0}, "batch_size must be a whole number of 1 or more, got 0"),
        ({"batch_size": 2.5}, "batch_size must be"),
        ({"first": "a"}, "first must be a whole number of 2 or more, got 'a'"),
        ({"until": None}, "until must be"),
        ({"test_share": 1.0}, r"test_share must be a number in \(0, 1\), got 1.0"),
        ({"test_share": "a"}, "test_share must be a number in .*, got 'a'"),
        ({"test_share": None}, "test_share must be"),
        ({"test_share": True}, "test_share must be"),
        ({"test_share": float("nan")}, "test_share must be"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, message):
    with pytest.raises(InvalidInput, match=message):
        CurveSettings(**wrong)


@pytest.mark.parametrize(("n", "share"), [(30, 0.3), (33, 0.4)])
def test_too_few_items_for_a_test_set_or_a_pool_are_refused(n, share):
    with pytest.raises(InvalidInput, match=rf"{n} items make a test set of \d+ and a pool of \d+"):
        CurveSettings(test_share=share).n_tested(n)


def test_runs_use_one_thread_and_leave_the_limit_as_it_was():
    limits = []

    def looks(learner, X, n_instances=1, *, rng=None):
        limits.extend(pool["num_threads"] for pool in threadpoolctl.threadpool_info())
        return random_sampling(learner, X, n_instances, rng=rng)

    with threadpoolctl.threadpool_limits(2):
        before = [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
        run(looks, estimator=clone(LogisticRegression()))
        assert [pool["num_threads"] for pool in threadpoolctl.threadpool_info()] == before
    assert set(limits) == {1}
    assert 2 in before
