"""People's errors: the reference figures, adjudication by hand, and what traps make safe."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

from bootstrap.errors import InvalidInput
from bootstrap.measuring import (
    adjudicated_error,
    alpha_with_traps,
    catch_rate_lower,
    clopper_pearson,
    people_error_interval,
)
from bootstrap.records import SKIP


def test_the_reference_figures_of_double_review():
    assert people_error_interval(18, 300, 0.05) == pytest.approx((0.018136, 0.048985), abs=1e-6)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_ends_give_back_the_share_of_disagreements(pair):
    disagreements, n = pair
    least, most = clopper_pearson(disagreements, n, 0.05)
    low, high = people_error_interval(disagreements, n, 0.05)
    assert 0 <= low <= high <= 1
    assert 1 - (1 - low) ** 2 == pytest.approx(least, abs=1e-12)
    if most < 0.5:
        assert 2 * high * (1 - high) == pytest.approx(most, abs=1e-12)
    else:
        assert high == 1.0


def test_nobody_asked_twice_or_half_of_all_different_bounds_nothing_from_above():
    assert people_error_interval(0, 0, 0.05) == (0.0, 1.0)
    assert people_error_interval(50, 100, 0.05)[1] == 1.0
    assert people_error_interval(100, 100, 0.05)[1] == 1.0


def test_the_interval_holds_the_error_of_two_independent_people():
    """Over all outcomes of 300 items, summed, so nothing is random; an end that is off would miss.

    Two classes and people wrong on 3 %: they disagree on 5.82 %.
    """
    outcomes = np.arange(301)
    ends = np.array([people_error_interval(int(k), 300, 0.05) for k in outcomes])
    chance = binom.pmf(outcomes, 300, 2 * 0.03 * 0.97)
    missed = (ends[:, 0] > 0.03) | (ends[:, 1] < 0.03)
    assert chance[missed].sum() <= 0.05
    assert chance[ends[:, 1] < 0.03].sum() > 0.005


def test_items_of_different_difficulty_leave_the_lower_end_valid_and_void_the_upper():
    """An error of 3 % in all, made of 6 % of the items on which everybody guesses: seen as 3 %, not 5.8 %."""
    low, high = people_error_interval(3000, 100_000, 0.05)
    assert low < 0.03
    assert high < 0.03


def test_the_catch_rate_bound_is_one_sided():
    bound = catch_rate_lower(140, 150, 0.025)
    assert bound == clopper_pearson(140, 150, 0.05)[0]
    assert binom.sf(139, 150, bound) == pytest.approx(0.025)
    assert bound == pytest.approx(float(beta.ppf(0.025, 140, 11)))


def test_no_trap_shown_or_none_caught_bounds_the_catch_rate_by_nothing():
    assert catch_rate_lower(0, 0, 0.025) == 0.0
    assert catch_rate_lower(0, 50, 0.025) == 0.0
    assert catch_rate_lower(30, 30, 0.025) == pytest.approx(0.025 ** (1 / 30))


@pytest.mark.parametrize("delta", [0.0, 0.5, 1.0, math.nan])
def test_a_one_sided_delta_of_half_or_more_is_refused(delta):
    with pytest.raises(InvalidInput, match=r"between 0 and 0\.5"):
        catch_rate_lower(10, 10, delta)


@pytest.mark.parametrize(
    ("first", "second", "wrong"),
    [
        ("spam", None, False),
        ("ham", None, True),
        ("ham", "spam", False),
        ("ham", "ham", True),
        ("ham", "eggs", True),  # two different answers, neither of them the model's
        ("ham", SKIP, True),  # can't tell is no word for the model
        ("spam", "ham", False),
        ("ham", math.nan, True),
    ],
)
def test_an_error_counts_when_both_reject_the_models_label(first, second, wrong):
    assert adjudicated_error("spam", first, second) is wrong
    found = adjudicated_error(["spam"], [first], [second])
    assert found.dtype == np.bool_
    assert found.tolist() == [wrong]


def test_columns_of_a_table_and_whole_numbers_work_as_lists_do():
    frame = pd.DataFrame({"model": ["a", "a", "b"], "one": ["b", "b", "b"], "two": ["a", None, None]})
    assert adjudicated_error(frame["model"], frame["one"], frame["two"]).tolist() == [False, True, False]
    numbers = adjudicated_error(np.array([1, 1, 0]), np.array([0, 0, 0]), np.array([1, np.nan, np.nan]))
    assert numbers.tolist() == [False, True, False]
    assert adjudicated_error(True, False) is True


def test_without_second_answers_the_first_ones_decide():
    assert adjudicated_error(["a", "b"], ["a", "a"]).tolist() == [False, True]
    assert adjudicated_error([], []).shape == (0,)


@pytest.mark.parametrize("answer", [None, SKIP, math.nan])
def test_an_item_that_the_first_person_did_not_answer_is_refused(answer):
    with pytest.raises(InvalidInput, match="1 of 2 items have no answer by the first person"):
        adjudicated_error(["a", "b"], ["a", answer])
    with pytest.raises(InvalidInput, match="no evidence"):
        adjudicated_error("a", answer)


def test_answers_that_do_not_fit_together_are_refused():
    with pytest.raises(InvalidInput, match="one entry for each item"):
        adjudicated_error(["a", "b"], ["a", "b", "c"])


def test_the_allowed_error_shrinks_by_the_catch_rate_for_each_reader():
    assert alpha_with_traps(0.05, 0.9) == pytest.approx(0.0405)
    assert alpha_with_traps(0.05, 0.9, readers=1) == pytest.approx(0.045)
    assert alpha_with_traps(0.05, 1.0) == 0.05
    assert alpha_with_traps(0.05, 0.0) == 0.0


def test_the_square_is_on_the_safe_side_where_blind_spots_are_shared():
    """300,000 errors of the model, a third of them hard for everybody: both see more than the square says.

    The share that both see has a standard deviation of 0.0009; it lies 0.06 above the square.
    """
    rng = np.random.default_rng(20_240_702)
    catch = np.where(rng.random(300_000) < 0.3, 0.4, 0.95)
    first, second = rng.random((2, 300_000)) < catch
    counted = adjudicated_error(np.zeros(300_000), first.astype(float), np.where(first, second, np.nan))
    assert counted.mean() > alpha_with_traps(0.5, catch.mean()) / 0.5 + 0.04


@pytest.mark.parametrize(
    ("alpha", "rate", "readers", "found"),
    [
        (0.0, 0.9, 2, "alpha must be"),
        (1.0, 0.9, 2, "alpha must be"),
        (0.05, 1.1, 2, "catch_rate_low must be a share"),
        (0.05, math.nan, 2, "catch_rate_low must be a share"),
        (0.05, 0.9, 0, "At least 1 person"),
    ],
)
def test_shares_that_cannot_be_are_refused(alpha, rate, readers, found):
    with pytest.raises(InvalidInput, match=found):
        alpha_with_traps(alpha, rate, readers)
