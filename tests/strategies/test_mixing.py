"""Chance, mixtures, and strategies by name."""

from __future__ import annotations

import functools
import inspect
import pickle

import modAL.uncertainty
import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression

import strategies
from strategies.mixing import Mixture

X, y = make_blobs(100, centers=3, cluster_std=3.0, random_state=0)
MODEL = LogisticRegression().fit(X, y)


def by_position(learner, X, n_instances=1, *, rng=None, labeled=None):
    """Prefers later items."""
    n = len(X)
    return np.arange(n)[::-1][:n_instances], np.arange(n, 0, -1.0)[:n_instances]


def test_random_sampling_needs_no_model_and_draws_evenly():
    """Each of 10 items should be among 3 drawn in 30 % of 2,000 draws.

    Each count is Binomial(2000, 0.3): mean 600, sd 20.5. Leaving 500..700 (4.9 sd) has probability
    below 1e-5 for ten items together; an item that is never or always drawn gives 0 or 2000.
    """
    rng = np.random.default_rng(0)
    drawn = np.concatenate([strategies.random_sampling(None, range(10), 3, rng=rng)[0] for _ in range(2000)])
    assert (np.abs(np.bincount(drawn, minlength=10) - 600) <= 100).all()


def test_a_mixture_without_chance_is_the_strategy():
    mixed = strategies.mixture("margin", epsilon=0.0)(MODEL, X, 10, rng=0)
    plain = strategies.margin(MODEL, X, 10, rng=0)
    assert np.array_equal(mixed[0], plain[0])
    assert np.array_equal(mixed[1], plain[1])


def test_a_mixture_of_chance_alone_calls_no_strategy():
    def never(*args, **kwargs):
        raise AssertionError("called")

    indices, utilities = strategies.mixture(never, epsilon=1.0)(None, X, 10, rng=0)
    assert len(set(indices.tolist())) == 10
    assert utilities.tolist() == [0.0] * 10


def test_each_slot_is_random_with_probability_epsilon():
    """Of 200 x 50 slots over 100,000 items, 10 % should not hold an item the strategy wants.

    The count is Binomial(10000, 0.1) but for a chance hit on a wanted item (below 1e-3 a slot): mean
    1000, sd 30. Leaving 850..1150 (5 sd) has probability below 1e-6; epsilon of 0.05 or 0.2 fails.
    Each of the 50 places alone is Binomial(200, 0.1): mean 20, and 0 or above 55 has probability
    below 1e-7 for all places; chance confined to one end of the batch fails.
    """
    pool, mixed = range(100_000), strategies.mixture(by_position, epsilon=0.1)
    rng = np.random.default_rng(0)
    by_chance = np.array([mixed(None, pool, 50, rng=rng)[0] < 100_000 - 50 for _ in range(200)])
    assert 850 <= by_chance.sum() <= 1150
    assert (by_chance.sum(axis=0) > 0).all()
    assert (by_chance.sum(axis=0) <= 55).all()


def test_the_other_slots_hold_the_best_in_order_and_utilities_never_rise():
    mixed = strategies.mixture(by_position, epsilon=0.5)
    for seed in range(50):
        indices, utilities = mixed(None, range(30), 12, rng=seed)
        assert len(set(indices.tolist())) == 12
        assert (np.diff(utilities) <= 0).all()
        by_chance = as_drawn(seed, n=30, count=12)
        rest = [i for i in indices.tolist() if i not in by_chance]
        assert rest == [i for i in range(29, -1, -1) if i not in by_chance][: len(rest)]


def as_drawn(seed, n, count):
    rng = np.random.default_rng(seed)
    return set(rng.choice(n, (rng.random(count) < 0.5).sum(), replace=False).tolist())


def test_a_mixture_can_use_up_the_whole_pool():
    for seed in range(30):
        indices, _ = strategies.mixture("margin", epsilon=0.5)(MODEL, X[:7], 100, rng=seed)
        assert sorted(indices.tolist()) == list(range(7))


def test_the_inner_strategy_gets_rng_and_labeled():
    seen = {}

    def asks(learner, X, n_instances=1, *, rng=None, labeled=None):
        seen.update(rng=rng, labeled=labeled)
        return by_position(learner, X, n_instances)

    strategies.mixture(asks, epsilon=0.0)(MODEL, X, 2, rng=3, labeled=(X[:2], y[:2]))
    assert isinstance(seen["rng"], np.random.Generator)
    assert seen["labeled"][0].shape == (2, 2)


def test_functions_of_modal_can_be_mixed():
    mixed = strategies.mixture(modAL.uncertainty.margin_sampling, epsilon=0.0)
    indices, _ = mixed(MODEL, X, 5, rng=0, labeled=(X, y))
    assert set(indices.tolist()) == set(strategies.margin(MODEL, X, 5)[0].tolist())


def test_a_mixture_pickles_and_compares():
    mixed = strategies.mixture("entropy", epsilon=0.3)
    again = pickle.loads(pickle.dumps(mixed))
    assert again == mixed == Mixture(strategies.entropy, 0.3)
    assert np.array_equal(again(MODEL, X, 9, rng=4)[0], mixed(MODEL, X, 9, rng=4)[0])


def test_a_mixture_prints_as_it_is_written():
    assert repr(strategies.mixture("margin")) == "mixture(margin, epsilon=0.1)"
    nested = strategies.mixture(functools.partial(strategies.margin, labeled=None), 1)
    assert repr(nested).startswith("mixture(functools.partial(<function margin")


def test_an_inner_strategy_that_returns_no_pair_is_refused():
    def only_indices(learner, X, n_instances=1):
        return np.arange(n_instances)

    with pytest.raises(TypeError, match="only_indices returned ndarray: a strategy returns a pair"):
        strategies.mixture(only_indices, 0.0)(None, X, 2)


def test_an_inner_strategy_that_returns_too_few_is_refused():
    def one(learner, X, n_instances=1):
        return np.array([0]), np.array([0.0])

    with pytest.raises(ValueError, match="one was asked for 3 items and returned indices of shape"):
        strategies.mixture(one, 0.0)(None, X, 3)


@pytest.mark.parametrize("epsilon", [-0.1, 1.1, float("nan")])
def test_epsilon_outside_its_range_is_refused(epsilon):
    with pytest.raises(ValueError, match=r"epsilon must be in \[0, 1\]"):
        strategies.mixture("margin", epsilon)


@pytest.mark.parametrize("epsilon", ["0.1", None, True])
def test_epsilon_that_is_no_number_is_refused(epsilon):
    with pytest.raises(TypeError, match="epsilon must be a number"):
        strategies.mixture("margin", epsilon)


def test_what_is_no_strategy_is_refused():
    with pytest.raises(TypeError, match="a name or a function, got int"):
        strategies.mixture(3)


def test_names_are_those_of_the_public_functions():
    public = [getattr(strategies, name) for name in strategies.__all__]
    functions = {
        f.__name__: f
        for f in public
        if inspect.isfunction(f)
        and list(inspect.signature(f).parameters)[:3] == ["learner", "X", "n_instances"]
    }
    assert len(functions) >= 8
    for name, function in functions.items():
        assert strategies.by_name(name) is function
    with pytest.raises(ValueError, match=rf"There are: {', '.join(sorted(functions))}$"):
        strategies.by_name("nonesuch")


def test_an_unknown_name_brings_suggestions():
    with pytest.raises(
        ValueError, match=r"called 'Margins'\. Did you mean 'margin'\? There are: auto, badge, "
    ):
        strategies.by_name("Margins")
    with pytest.raises(ValueError, match=r"called 'qqq'\. There are"):
        strategies.by_name("qqq")
