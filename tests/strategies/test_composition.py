"""Sums and products of strategies: the equations, and what would silently be wrong."""

from __future__ import annotations

import functools
import pickle

import modAL.uncertainty
import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression

import strategies
from bootstrap.testing.strategy_checks import strategy_checks
from strategies.catalogue import facts
from strategies.composition import LinearCombination, Product, linear_combination, product
from strategies.inner import by_batch

X, y = make_blobs(100, centers=3, cluster_std=3.0, random_state=0)
MODEL = LogisticRegression().fit(X[:40], y[:40])
POOL = X[40:]


def utilities_of(strategy, pool=POOL):
    indices, utilities = strategy(MODEL, pool, len(pool), rng=0)
    found = np.empty(len(pool))
    found[indices] = utilities
    return found


MARGIN, ENTROPY, DENSITY = map(
    utilities_of, (strategies.margin, strategies.entropy, strategies.information_density)
)


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(check, id=f"{composed}-{name}")
        for composed, options in (
            (linear_combination("margin", "entropy", weights=(1, 0.5)), {}),
            (product("margin", "entropy"), {}),
            (linear_combination("vote_entropy", "bald"), {"committee": True}),
        )
        for name, check in strategy_checks(composed, **options)
    ],
)
def test_they_keep_the_contract(check):
    check()


# the equations


def test_a_linear_combination_is_the_weighted_sum():
    assert np.allclose(utilities_of(linear_combination("margin", "entropy")), MARGIN + ENTROPY)
    weighted = linear_combination("margin", "information_density", "entropy", weights=[2, -0.5, 0])
    assert np.allclose(utilities_of(weighted), 2 * MARGIN - 0.5 * DENSITY)


def test_a_product_is_that_of_powers_above_the_floors():
    assert np.allclose(utilities_of(product("entropy", "information_density")), ENTROPY * DENSITY)
    squared = product("entropy", "information_density", exponents=(0.5, 2))
    assert np.allclose(utilities_of(squared), ENTROPY**0.5 * DENSITY**2)
    lowered = product("entropy", "information_density", floors=(-3, 0))
    assert np.allclose(utilities_of(lowered), (ENTROPY + 3) * DENSITY)


def test_of_margin_one_minus_the_gap_is_multiplied():
    """The raw product, of -0.9 and a large density, would be the least of all."""
    found = utilities_of(product("margin", "information_density"))
    assert np.allclose(found, (1 + MARGIN) * DENSITY)
    assert np.corrcoef(found, MARGIN * DENSITY)[0, 1] < 0.99


def test_compositions_can_be_composed_and_wrapped():
    inner = product("entropy", "information_density")
    assert np.allclose(utilities_of(linear_combination(inner, "margin")), ENTROPY * DENSITY + MARGIN)
    assert utilities_of(product(linear_combination("entropy"), inner)).min() >= 0
    mixed = strategies.mixture(inner, 0.2)
    assert len(set(mixed(MODEL, POOL, 10, rng=0)[0].tolist())) == 10


def test_functions_of_modal_and_one_s_own_can_be_composed():
    def half(learner, X, n_instances=1):
        return np.arange(n_instances), np.full(n_instances, 0.5)

    composed = linear_combination(modAL.uncertainty.entropy_sampling, half)
    assert np.allclose(utilities_of(composed), ENTROPY + 0.5)


def test_inner_strategies_get_rng_and_labeled():
    seen = []

    def asks(learner, X, n_instances=1, *, rng=None, labeled=None):
        seen.append((rng, labeled))
        return np.arange(n_instances), np.ones(n_instances)

    for composed in (linear_combination(asks), product(asks)):
        composed(MODEL, POOL, 2, rng=3, labeled=(X[:2], y[:2]))
    assert all(isinstance(rng, np.random.Generator) for rng, _ in seen)
    assert all(len(labeled[1]) == 2 for _, labeled in seen)


# what would silently be wrong


def test_utilities_below_their_floor_are_refused():
    with pytest.raises(
        ValueError,
        match=r"utilities of margin go down to -0\.\d+, below their floor of -0\.1, .* pass floors=",
    ):
        product("margin", "entropy", floors=(-0.1, 0))(MODEL, POOL, 3)


def test_rounding_errors_below_a_floor_are_forgiven():
    def nearly(learner, X, n_instances=1):
        return np.arange(n_instances), np.full(n_instances, -1e-12)

    assert utilities_of(product(nearly)).tolist() == [0.0] * len(POOL)


def test_strategies_whose_picks_depend_on_each_other_are_known():
    found = {name for name, known in facts().items() if by_batch(known.strategy)}
    assert {"badge", "k_center", "ranked_batch", "typiclust", "cold_start", "auto"} <= found
    assert not found & {"margin", "entropy", "least_confident", "information_density", "random_sampling"}
    assert not found & {"vote_entropy", "bald", "expected_error"}
    assert by_batch(functools.partial(strategies.badge, rng=0))
    assert not by_batch(functools.partial(strategies.margin, rng=0))
    assert not by_batch(linear_combination("margin"))


@pytest.mark.parametrize("factory", [linear_combination, product])
@pytest.mark.parametrize(
    "greedy", ["k_center", "badge", strategies.mixture("margin"), functools.partial(strategies.badge)]
)
def test_strategies_whose_picks_depend_on_each_other_are_refused(factory, greedy):
    with pytest.raises(ValueError, match="gives an item the utility of its turn"):
        factory("margin", greedy)


@pytest.mark.parametrize("factory", [linear_combination, product])
def test_smaller_is_better_is_refused(factory):
    with pytest.raises(
        ValueError, match=r"modAL's margin_sampling gives smaller utilities .* take \"margin\""
    ):
        factory("entropy", modAL.uncertainty.margin_sampling)


@pytest.mark.parametrize(
    "answer",
    [
        lambda n: (np.zeros(n, dtype=int), np.zeros(n)),
        lambda n: (np.arange(n), np.full(n, np.nan)),
        lambda n: (np.arange(n) + 1, np.zeros(n)),
    ],
)
def test_an_answer_without_all_items_is_refused(answer):
    def broken(learner, X, n_instances=1):
        return answer(n_instances)

    with pytest.raises(ValueError, match="broken was asked for all 60 items and did not return each of them"):
        linear_combination(broken)(MODEL, POOL, 3)


# the factories


def test_they_pickle_compare_and_print_as_they_are_written():
    sums = linear_combination("margin", "entropy", weights=(1, 0.25))
    products = product("margin", "entropy", exponents=[2, 1])
    for composed in (sums, products):
        assert pickle.loads(pickle.dumps(composed)) == composed
        assert eval(repr(composed), {**vars(strategies), **globals()}).strategies == composed.strategies
    assert sums == LinearCombination((strategies.margin, strategies.entropy), (1.0, 0.25))
    assert products == Product((strategies.margin, strategies.entropy), (2.0, 1.0), (-1.0, 0.0))
    assert repr(sums) == "linear_combination(margin, entropy, weights=(1, 0.25))"
    assert repr(product("entropy")) == "product(entropy, exponents=(1,), floors=(0,))"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: linear_combination(), TypeError, "pass at least one strategy"),
        (lambda: product(), TypeError, "pass at least one strategy"),
        (lambda: linear_combination("margin", 3), TypeError, "a name or a function, got int"),
        (lambda: product("margins"), ValueError, "no strategy is called 'margins'"),
        (
            lambda: linear_combination("margin", weights=(1, 2)),
            ValueError,
            "weights must be 1 finite numbers",
        ),
        (lambda: linear_combination("margin", weights=[np.inf]), ValueError, "weights must be 1 finite"),
        (lambda: linear_combination("margin", weights=[0]), ValueError, "weights are all 0"),
        (lambda: linear_combination("margin", weights=2), TypeError, "weights must be a sequence of numbers"),
        (lambda: linear_combination("margin", weights="1"), TypeError, "weights must be a sequence"),
        (lambda: linear_combination("margin", weights=["1"]), TypeError, "weights must be numbers, got '1'"),
        (
            lambda: linear_combination("margin", weights=[True]),
            TypeError,
            "weights must be numbers, got True",
        ),
        (lambda: product("entropy", exponents=[-1]), ValueError, "exponents must be 0 or more"),
        (lambda: product("entropy", exponents=[0]), ValueError, "one of them above 0"),
        (lambda: product("entropy", floors=[0, 0]), ValueError, "floors must be 1 finite numbers"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
