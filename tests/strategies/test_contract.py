"""One list of checks that every public strategy has to pass, found through `strategies.__all__`."""

from __future__ import annotations

import copy
import inspect
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from modAL.models import ActiveLearner, Committee
from sklearn.datasets import make_blobs
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

import strategies

X, y = make_blobs(90, n_features=3, centers=3, cluster_std=3.0, random_state=1)
N = len(X)


def is_strategy(thing):
    return inspect.isfunction(thing) and list(inspect.signature(thing).parameters)[:3] == [
        "learner",
        "X",
        "n_instances",
    ]


PLAIN = {
    name: getattr(strategies, name) for name in strategies.__all__ if is_strategy(getattr(strategies, name))
}
ALL = PLAIN | {
    "mixture of margin": strategies.mixture("margin", 0.3),
    "mixture of vote_entropy": strategies.mixture("vote_entropy", 0.3),
}
COMMITTEE = {"vote_entropy", "consensus_entropy", "max_disagreement", "bald", "mixture of vote_entropy"}
#: Those that pick one item after the other: each utility is that of its own turn.
IN_TURN = {"ranked_batch", "badge", "falcun", "cluster_margin", "weighted_kmeans", "prob_cover", "typiclust"}
#: Those in which the seed matters beyond ties.
CHANCE = {"random_sampling", "cold_start", "mixture of margin", "mixture of vote_entropy"}

every_strategy = pytest.mark.parametrize("name", ALL)


def learner_for(name, fit=lambda rows, model: model.fit(X[rows], y[rows]), model=None):
    model = LogisticRegression() if model is None else model
    if name in COMMITTEE:
        return [fit(slice(start, None, 4), copy.deepcopy(model)) for start in range(4)]
    return fit(slice(0, 30), copy.deepcopy(model))


def test_all_names_exist_and_the_strategies_are_among_them():
    assert len(set(strategies.__all__)) == len(strategies.__all__)
    assert all(hasattr(strategies, name) for name in strategies.__all__)
    assert len(PLAIN) >= 8


@every_strategy
def test_its_signature_is_the_contract(name):
    parameters = inspect.signature(ALL[name]).parameters
    assert list(parameters)[:5] == ["learner", "X", "n_instances", "rng", "labeled"]
    assert parameters["n_instances"].default == 1
    for option in list(parameters)[3:]:
        assert parameters[option].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[option].default is not inspect.Parameter.empty


@every_strategy
@pytest.mark.parametrize("n_instances", [0, 1, 2, 7, N - 1, N, N + 5])
def test_it_returns_distinct_positions_and_utilities_most_useful_first(name, n_instances):
    indices, utilities = ALL[name](learner_for(name), X, n_instances, rng=0)
    assert indices.shape == utilities.shape == (min(n_instances, N),)
    assert indices.dtype == np.intp
    assert utilities.dtype == np.float64
    assert len(set(indices.tolist())) == len(indices)
    assert set(indices.tolist()) <= set(range(N))
    assert np.isfinite(utilities).all()
    assert name in IN_TURN or (np.diff(utilities) <= 0).all()


@every_strategy
def test_it_asks_for_one_item_by_default(name):
    assert len(ALL[name](learner_for(name), X)[0]) == 1


@every_strategy
@pytest.mark.parametrize("empty", [X[:0], sp.csr_matrix(X[:0]), pd.DataFrame(X[:0]), []])
def test_an_empty_pool_gives_an_empty_answer(name, empty):
    indices, utilities = ALL[name](learner_for(name), empty, 3)
    assert len(indices) == len(utilities) == 0
    assert indices.dtype == np.intp


@every_strategy
@pytest.mark.parametrize(("wrong", "error"), [(-1, ValueError), (1.5, TypeError), (True, TypeError)])
def test_it_refuses_a_count_that_is_none(name, wrong, error):
    with pytest.raises(error, match="n_instances must be"):
        ALL[name](learner_for(name), X, wrong)


@every_strategy
def test_it_refuses_an_option_that_it_does_not_know(name):
    with pytest.raises(TypeError, match="unexpected keyword"):
        ALL[name](learner_for(name), X, 2, rngg=3)


@every_strategy
def test_the_same_seed_gives_the_same_answer(name):
    learner = learner_for(name)
    for seed in (0, 1):
        first = ALL[name](learner, X, 9, rng=seed)
        again = ALL[name](learner, X, 9, rng=np.random.default_rng(seed))
        assert np.array_equal(first[0], again[0])
        assert np.array_equal(first[1], again[1])


@every_strategy
def test_it_leaves_global_random_state_alone(name):
    np.random.seed(0)  # noqa: NPY002
    before = pickle.dumps(np.random.get_state())  # noqa: NPY002
    ALL[name](learner_for(name), X, 5, rng=0)
    assert pickle.dumps(np.random.get_state()) == before  # noqa: NPY002


@every_strategy
@pytest.mark.parametrize("kind", [np.array, sp.csr_matrix])
def test_it_changes_neither_learner_nor_pool(name, kind):
    learner, pool = learner_for(name), kind(X)
    before = joblib.hash((learner, pool))
    ALL[name](learner, pool, 5, rng=0, labeled=(X[:3], y[:3]))
    assert joblib.hash((learner, pool)) == before


@every_strategy
def test_labeled_items_are_accepted(name):
    indices, _ = ALL[name](learner_for(name), X, 5, rng=0, labeled=(X[:3], y[:3]))
    assert len(indices) == 5


@every_strategy
def test_ties_are_broken_by_chance_and_not_by_position(name):
    """Six equal items; over 300 seeds each should be the one picked 50 times.

    A count is Binomial(300, 1/6); fewer than 15 has probability 2e-9, so a correct strategy fails
    below 2e-7 in all. The first (or last) position winning gives 300 and zeros.
    """
    constant = DummyClassifier(strategy="prior")
    learner = learner_for(name, model=constant)
    if name in COMMITTEE:
        learner = [learner[0]] * 3
    same = np.ones((6, 3))
    picks = [ALL[name](learner, same, 1, rng=seed)[0][0] for seed in range(300)]
    assert np.bincount(picks, minlength=6).min() >= 15


@pytest.mark.parametrize("name", sorted(set(ALL) - CHANCE))
def test_the_order_of_the_pool_does_not_matter_where_nothing_ties(name):
    learner = learner_for(name)
    order = np.random.default_rng(0).permutation(N)
    indices, utilities = ALL[name](learner, X, N, rng=0)
    shuffled, shuffled_utilities = ALL[name](learner, X[order], N, rng=1)
    assert np.allclose(utilities, shuffled_utilities, rtol=1e-9, atol=1e-12)
    gaps = np.abs(np.diff(utilities))
    alone = np.concatenate([[True], gaps > 1e-9]) & np.concatenate([gaps > 1e-9, [True]])
    assert alone.sum() >= (0 if name == "vote_entropy" else N // 2)
    assert np.array_equal(order[shuffled][alone], indices[alone])


@every_strategy
def test_dense_sparse_and_table_give_the_same_answer(name):
    learner = learner_for(name)
    expected = ALL[name](learner, X, 9, rng=0)

    named = copy.deepcopy(learner)  # the same models, as if fitted on the table
    for model in named if isinstance(named, list) else [named]:
        model.feature_names_in_ = np.array(list("abc"), dtype=object)
    for who, pool in ((learner, sp.csr_matrix(X)), (named, pd.DataFrame(X, columns=list("abc")))):
        indices, utilities = ALL[name](who, pool, 9, rng=0)
        assert np.array_equal(indices, expected[0])
        assert np.allclose(utilities, expected[1])


@pytest.mark.parametrize("name", sorted(set(ALL) - COMMITTEE))
@pytest.mark.parametrize("n_instances", [1, 2])
def test_it_works_in_a_modal_learner(name, n_instances):
    learner = ActiveLearner(
        LogisticRegression(), query_strategy=ALL[name], X_training=X[:30], y_training=y[:30]
    )
    indices, rows = learner.query(X, n_instances=n_instances)
    assert np.array_equal(rows, X[indices])
    assert len(set(indices.tolist())) == n_instances
    _, _, utilities = learner.query(X, n_instances=n_instances, return_metrics=True)
    assert utilities.shape == (n_instances,)


@every_strategy
def test_it_works_in_a_modal_committee(name):
    members = [ActiveLearner(LogisticRegression(), X_training=X[i::3], y_training=y[i::3]) for i in range(3)]
    committee = Committee(members, query_strategy=ALL[name])
    indices, rows = committee.query(X, n_instances=2)
    assert np.array_equal(rows, X[indices])
    assert len(set(indices.tolist())) == 2
