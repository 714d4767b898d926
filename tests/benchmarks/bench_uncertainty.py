"""margin, least_confident, entropy and cost_sensitive beside modAL and scikit-activeml."""

from __future__ import annotations

import numpy as np
import pytest
from modAL.uncertainty import entropy_sampling, margin_sampling, uncertainty_sampling
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from strategies import uncertainty

#: Ours, modAL's, and what turns modAL's measure into a utility.
PAIRS = {
    "margin": (uncertainty.margin, margin_sampling, -1),
    "least_confident": (uncertainty.least_confident, uncertainty_sampling, 1),
    "entropy": (uncertainty.entropy, entropy_sampling, 1),
}
BATCH, N_CLASSES = 100, 10
COSTS = np.abs(np.subtract.outer(np.arange(N_CLASSES), np.arange(N_CLASSES))).astype(float)


def times(strategy, peer, sign, model, X, beside, **limits):
    ours, modals = beside(
        lambda: strategy(model, X, BATCH, rng=0), lambda: peer(model, X, BATCH), peer_repeats=3, **limits
    )
    assert np.allclose(np.sort(ours[1]), np.sort(sign * modals[1]), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", PAIRS)
def test_a_million_items_with_logistic_regression(name, task, beside):
    pool = task(10**6)
    times(*PAIRS[name], pool.model, pool.X, beside, times_quicker=1.4, megabytes=50)


@pytest.mark.parametrize("name", PAIRS)
def test_a_million_items_of_two_classes(name, task, beside):
    pool = task(10**6)
    model = LogisticRegression(max_iter=1000).fit(pool.labeled[0], pool.labeled[1] < 5)
    times(*PAIRS[name], model, pool.X, beside, times_quicker=1.4, megabytes=50, repeats=5)


@pytest.mark.parametrize(
    "model",
    [
        GaussianNB(),
        RandomForestClassifier(100, random_state=0),
        HistGradientBoostingClassifier(max_iter=20, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("name", PAIRS)
def test_a_hundred_thousand_items_with_other_models(name, model, task, beside):
    """No slower than modAL; nearly all the time is the model's, so a tenth is left to the clock."""
    pool = task(10**5)
    times(*PAIRS[name], model.fit(*pool.labeled), pool.X, beside, times_quicker=0.9, megabytes=50, repeats=5)


def test_a_million_items_with_costs(task, beside):
    scores = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is the peer").uncertainty_scores
    pool = task(10**6)

    def peer():
        utilities = scores(pool.model.predict_proba(pool.X), cost_matrix=COSTS)
        return np.sort(utilities)[: -BATCH - 1 : -1]

    ours, theirs = beside(
        lambda: uncertainty.cost_sensitive(pool.model, pool.X, BATCH, rng=0, costs=COSTS),
        peer,
        peer_name="scikit-activeml's scores",
        times_quicker=1.4,
        megabytes=50,
    )
    assert np.allclose(ours[1], theirs)


@pytest.mark.parametrize("name", [*PAIRS, "cost_sensitive"])
def test_time_grows_with_the_number_of_items(name, growth):
    strategy = getattr(uncertainty, name)
    growth(lambda of: strategy(of.model, of.X, BATCH, rng=0), repeats=5)
