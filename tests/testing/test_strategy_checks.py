"""The public checks of strategies: what their author can say about one, and what the checks say."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path

import numpy as np
import pytest

import strategies
from bootstrap.errors import InvalidInput
from bootstrap.testing.strategy_checks import StrategyCheckFailed, case, check_strategy, strategy_checks
from strategies import as_rng, n_rows, top
from strategies.geometry import labeled_items

FOLDER = Path(case.__file__).parent


def positional(learner, X, n_instances=1, rng=None, labeled=None):
    return strategies.margin(learner, X, n_instances, rng=rng)


def not_for_one(learner, X, n_instances=1, *, rng=None, labeled=None):
    if n_rows(X) == 1:
        raise ZeroDivisionError("n - 1")
    return strategies.margin(learner, X, n_instances, rng=rng)


def lists_only(learner, X, n_instances=1, *, rng=None, labeled=None):
    if isinstance(X, np.ndarray) and X.dtype == object:
        raise TypeError("X must be a list")
    return strategies.margin(learner, X, n_instances, rng=rng)


def caught(strategy, **about):
    """Names of the checks that fail."""
    try:
        check_strategy(strategy, **about)
    except StrategyCheckFailed as failed:
        return list(failed.failures)
    return []


def message(strategy, **about):
    with pytest.raises(StrategyCheckFailed) as failed:
        check_strategy(strategy, **about)
    return str(failed.value)


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (
            lambda learner, X, n_instances=1, *, rng=None: None,
            "its parameters are learner, X, n_instances, rng",
        ),
        (lambda model, X, n_instances=1, *, rng=None, labeled=None: None, "its parameters are model, X"),
        (lambda learner, X, n_instances=5, *, rng=None, labeled=None: None, "n_instances is 5 by default"),
        (
            lambda learner, X, n_instances=1, *, rng=None, labeled=None, **more: None,
            "it takes any option, by **more",
        ),
        (
            lambda learner, X, n_instances=1, *, rng, labeled=None: None,
            "rng can be passed by position, or has",
        ),
    ],
)
def test_what_is_wrong_with_a_signature_is_said(wrong, found):
    with pytest.raises(StrategyCheckFailed) as failed:
        dict(strategy_checks(wrong))["signature"]()
    assert f"Found: {found}" in str(failed.value)


# what an author says about a strategy


def first_by_position(learner, X, n_instances=1, *, rng=None, labeled=None):
    """Begins with the first item, and goes on by margin."""
    indices, utilities = strategies.margin(learner, X, n_rows(X), rng=rng)
    first = np.flatnonzero(indices == 0)
    return np.concatenate([[0], np.delete(indices, first)])[:n_instances], utilities[:n_instances]


def by_chance(learner, X, n_instances=1, *, rng=None, labeled=None):
    """The items that margin picks, in any order, and utilities that rise."""
    rng = as_rng(rng)
    indices, utilities = strategies.margin(learner, X, n_instances, rng=rng)
    return rng.permutation(indices), np.sort(utilities)


def test_picking_in_turn_allows_rising_utilities_but_no_favoured_position():
    assert "falling_utilities" in caught(by_chance)
    assert "falling_utilities" not in caught(by_chance, in_turn=True)
    assert "it picks [0, " in message(first_by_position, in_turn=True)
    assert caught(strategies.margin, in_turn=True) == []


def test_what_draws_where_nothing_ties_has_to_say_so():
    assert caught(by_chance, in_turn=True) == ["item_order"]
    assert "already its first pick depends on the seed" in message(by_chance, in_turn=True)
    assert caught(by_chance, in_turn=True, chance=True) == []


def test_a_tie_between_two_is_told_from_a_favoured_position():
    """By 4 seeds a tie of two looks settled in 1 of 8 strategies; it is looked at again by 40 then."""

    def pairs(learner, X, n_instances=1, *, rng=None, labeled=None):
        values = np.asarray(strategies.margin(learner, X, n_rows(X), rng=0)[1])
        by_item = np.empty(n_rows(X))
        by_item[strategies.margin(learner, X, n_rows(X), rng=0)[0]] = np.repeat(values[::2], 2)[: len(values)]
        return top(by_item, n_instances, rng)

    check = dict(strategy_checks(pairs, in_turn=True))["item_order"]
    with pytest.raises(StrategyCheckFailed, match="already its first pick depends on the seed"):
        check()


def test_a_committees_strategy_is_given_a_committee():
    assert "picks" in caught(strategies.vote_entropy)
    assert "is one model" in message(strategies.vote_entropy)
    assert caught(strategies.vote_entropy, committee=True) == []


def test_whoever_takes_nan_must_have_an_answer():
    assert caught(strategies.random_sampling, chance=True) == ["missing_values"]
    assert caught(strategies.random_sampling, chance=True, takes_nan=True) == []
    assert caught(strategies.margin, takes_nan=True) == ["missing_values"]


def comparing(complaint):
    """As margin, but for labels that have to be there and to be of the form of X."""

    def compares(learner, X, n_instances=1, *, rng=None, labeled=None):
        if n_rows(X) and labeled_items(learner, labeled)[0] is None:
            raise ValueError(complaint)
        if n_rows(X) and labeled is not None:
            assert isinstance(X, np.ndarray) or type(labeled[0]) is type(X)
        return strategies.margin(learner, X, n_instances, rng=rng)

    return compares


def test_whoever_needs_labels_is_given_them():
    compares = comparing("there is nothing to compare with: pass labeled=(X, y)")
    assert {"picks", "labeled_items"} <= set(caught(compares))
    assert caught(compares, needs_labels=True) == []


def test_whoever_needs_labels_must_say_which_are_missing():
    assert caught(comparing("something is missing"), needs_labels=True) == ["labeled_items"]


def test_checks_of_what_a_strategy_is_not_meant_for_are_left_out():
    assert caught(lists_only, without={"lists_of_texts"}) == []
    with pytest.raises(InvalidInput, match="no check is called 'texts': there are signature, answer_types"):
        strategy_checks(strategies.margin, without=["texts", "ties"])


# what is said


def test_the_message_names_strategy_check_promise_finding_and_remedy():
    assert message(positional) == (
        "positional breaks the contract of a strategy:\n"
        "[signature] It is called as strategy(learner, X, n_instances=1, *, rng=None, labeled=None, "
        "options). Found: rng can be passed by position, or has to be passed. Put it after the *, with a "
        "default."
    )


def test_one_that_cannot_be_called_is_told_that_alone():
    def plain(learner, X, n_instances=1):
        return top(np.zeros(n_rows(X)), n_instances)

    with pytest.raises(StrategyCheckFailed) as failed:
        check_strategy(plain)
    assert list(failed.value.failures) == ["signature"]


def test_all_failures_are_told_in_one_message():
    def hopeless(learner, X, n_instances=1, *, rng=None, labeled=None):
        raise RuntimeError("no idea")

    told = message(hopeless).splitlines()
    assert told[0] == "hopeless breaks the contract of a strategy:"
    assert len(told) > 25
    assert all(
        "It raised RuntimeError: no idea" in line
        for line in told
        if "refused_" not in line and line[0] == "["
    )


def test_what_is_no_pair_is_told_by_every_check_that_looks_at_the_answer():
    told = message(lambda learner, X, n_instances=1, *, rng=None, labeled=None: None)
    assert told.startswith("<lambda> breaks the contract")
    assert "[ties] " in told
    assert told.count("Found: a NoneType where two things were to be returned.") > 20


def test_an_unexpected_error_is_kept_as_the_cause():
    with pytest.raises(StrategyCheckFailed) as failed:
        check_strategy(not_for_one)
    assert isinstance(failed.value.__cause__, ZeroDivisionError)


def test_the_failure_is_an_assertion_error_that_can_be_pickled():
    failed = StrategyCheckFailed("mine", {"ties": "broken"})
    again = pickle.loads(pickle.dumps(failed))
    assert isinstance(again, AssertionError)
    assert (again.strategy, again.failures, str(again)) == ("mine", {"ties": "broken"}, str(failed))


def test_what_cannot_be_called_is_refused_at_once():
    with pytest.raises(InvalidInput, match="strategy must be a function, got 'margin'"):
        strategy_checks("margin")


def test_every_check_says_what_it_promises_in_one_sentence():
    for module in FOLDER.glob("*.py"):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        checks = {
            call.args[0].id
            for call in ast.walk(tree)
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "Check"
        }
        for function in tree.body:
            if isinstance(function, ast.FunctionDef) and function.name in checks:
                assert ast.get_docstring(function).split("\n\n")[0].endswith("."), function.name


def test_no_check_is_silent_under_python_o():
    for module in FOLDER.glob("*.py"):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        assert not any(isinstance(node, ast.Assert) for node in ast.walk(tree)), module.name
