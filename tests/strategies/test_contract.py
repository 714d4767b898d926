"""Every public strategy, and the wrappers made by factories, pass the public list of checks."""

from __future__ import annotations

import inspect

import pytest

import strategies
from bootstrap.testing.strategy_checks import strategy_checks
from strategies.catalogue import facts


def is_strategy(thing):
    return inspect.isfunction(thing) and list(inspect.signature(thing).parameters)[:3] == [
        "learner",
        "X",
        "n_instances",
    ]


PUBLIC = {
    name: getattr(strategies, name) for name in strategies.__all__ if is_strategy(getattr(strategies, name))
}

#: A strategy and what its author would tell the checks about it.
ALL = {
    name: (
        known.strategy,
        {
            "committee": known.needs == "committee",
            "chance": known.by_chance,
            "in_turn": known.in_turn,
            "takes_nan": known.takes_nan,
            "needs_labels": known.needs_labels,
        },
    )
    for name, known in facts().items()
} | {
    "mixture of margin": (strategies.mixture("margin", 0.3), {"chance": True}),
    "mixture of vote_entropy": (strategies.mixture("vote_entropy", 0.3), {"chance": True, "committee": True}),
    "class-balanced margin": (strategies.class_balanced("margin"), {"in_turn": True}),
    "class-balanced vote_entropy": (
        strategies.class_balanced("vote_entropy"),
        {"in_turn": True, "committee": True, "chance": True},
    ),
    "linear combination": (
        strategies.linear_combination("margin", "information_density", weights=[1.0, 0.5]),
        {},
    ),
    "product": (strategies.product("entropy", "information_density", exponents=[1.0, 2.0]), {}),
}


def test_all_names_exist_and_the_strategies_are_among_them():
    assert len(set(strategies.__all__)) == len(strategies.__all__)
    assert all(hasattr(strategies, name) for name in strategies.__all__)
    assert len(PUBLIC) >= 8


def test_the_catalogue_holds_every_public_strategy_and_no_other():
    assert {name: known.strategy for name, known in facts().items()} == PUBLIC


@pytest.mark.parametrize("name", facts())
def test_parameters_stand_in_the_same_order_everywhere(name):
    strategy, _ = ALL[name]
    assert list(inspect.signature(strategy).parameters)[:5] == [
        "learner",
        "X",
        "n_instances",
        "rng",
        "labeled",
    ]


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(check, id=f"{name}-{about}")
        for name, (strategy, options) in ALL.items()
        for about, check in strategy_checks(strategy, **options)
    ],
)
def test_it_keeps_the_contract(check):
    check()


@pytest.mark.parametrize("name", [name for name, known in facts().items() if known.needs == "none"])
def test_one_that_needs_no_learner_works_without(name):
    strategy, _ = ALL[name]
    indices, _ = strategy(None, [[0.0, 1.0], [2.0, 3.0], [4.0, 4.0], [5.0, 1.0]], 3, rng=0)
    assert len(set(indices.tolist())) == 3


@pytest.mark.parametrize("name", [name for name, known in facts().items() if known.needs == "committee"])
def test_one_that_needs_a_committee_refuses_a_single_model_before_it_looks_at_anything(name):
    strategy, _ = ALL[name]
    with pytest.raises(TypeError, match="one model"):
        strategy(object(), [[0.0], [1.0]], 1)
