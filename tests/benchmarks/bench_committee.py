"""The committee measures beside modAL's, on a modAL Committee of five logistic regressions."""

from __future__ import annotations

import numpy as np
import pytest
from modAL.disagreement import consensus_entropy_sampling, max_disagreement_sampling, vote_entropy_sampling
from modAL.models import ActiveLearner, Committee
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from strategies import committee

BATCH = 100
#: Ours, modAL's, how many times quicker.
PAIRS = {
    "vote_entropy": (committee.vote_entropy, vote_entropy_sampling, 4.0),
    "consensus_entropy": (committee.consensus_entropy, consensus_entropy_sampling, 1.0),
    "max_disagreement": (committee.max_disagreement, max_disagreement_sampling, 1.0),
}


def committee_of(model, pool):
    X, y = pool.labeled
    parts = [np.random.default_rng(seed).choice(len(X), len(X) * 3 // 4, replace=False) for seed in range(5)]
    return Committee([ActiveLearner(type(model)(**model.get_params()).fit(X[p], y[p])) for p in parts])


@pytest.mark.parametrize("name", PAIRS)
def test_five_members_on_a_hundred_thousand_items(name, task, beside):
    strategy, peer, times_quicker = PAIRS[name]
    pool = task(10**5)
    members = committee_of(LogisticRegression(max_iter=1000), pool)
    ours, modals = beside(
        lambda: strategy(members, pool.X, BATCH, rng=0),
        lambda: peer(members, pool.X, BATCH),
        times_quicker=times_quicker,
        megabytes=50,
    )
    assert np.allclose(np.sort(ours[1]), np.sort(modals[1]), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", PAIRS)
def test_five_members_of_another_kind(name, task, beside):
    strategy, peer, _ = PAIRS[name]
    pool = task(10**5)
    members = committee_of(GaussianNB(var_smoothing=0.01), pool)
    ours, modals = beside(
        lambda: strategy(members, pool.X, BATCH, rng=0),
        lambda: peer(members, pool.X, BATCH),
        times_quicker=1.0,
        megabytes=50,
    )
    assert np.allclose(np.sort(ours[1]), np.sort(modals[1]), rtol=1e-9, atol=1e-12)


def test_bald_on_a_hundred_thousand_items(task, beside):
    batch_bald = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is the peer").batch_bald
    pool = task(10**5)
    members = [member.estimator for member in committee_of(LogisticRegression(max_iter=1000), pool)]

    def peer():
        votes = np.stack([member.predict_proba(pool.X) for member in members])
        return np.sort(batch_bald(votes, batch_size=1)[0])[: -BATCH - 1 : -1]

    ours, theirs = beside(
        lambda: committee.bald(members, pool.X, BATCH, rng=0),
        peer,
        peer_name="scikit-activeml's scores",
        times_quicker=1.0,
        megabytes=50,
    )
    assert np.allclose(ours[1], theirs, atol=1e-6)  # the peer cuts probabilities off at 1e-7


def test_a_hundred_trees_in_little_memory(task, beside):
    pool = task(10**5)
    forest = RandomForestClassifier(100, random_state=0).fit(*pool.labeled)
    beside(lambda: committee.bald(forest, pool.X, BATCH, rng=0), megabytes=120, repeats=1)


@pytest.mark.parametrize("name", [*PAIRS, "bald"])
def test_time_grows_with_the_number_of_items(name, task, growth):
    strategy = getattr(committee, name)
    members = committee_of(LogisticRegression(max_iter=1000), task(10**5))
    growth(lambda of: strategy(members, of.X, BATCH, rng=0))
