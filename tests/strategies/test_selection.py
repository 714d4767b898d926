"""Counting rows, seeding, and picking the most useful items."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from strategies.selection import as_count, as_rng, n_rows, top


@given(
    st.lists(st.sampled_from([-np.inf, -1.0, 0.0, -0.0, 0.5, 2.0, np.inf]), max_size=30),
    st.integers(0, 40),
    st.integers(0, 2**32),
)
def test_top_agrees_with_a_full_sort(utilities, n_instances, seed):
    indices, values = top(utilities, n_instances, seed)

    expected = sorted(utilities, reverse=True)[:n_instances]
    assert values.tolist() == expected
    assert [utilities[i] for i in indices] == expected
    assert len(set(indices.tolist())) == len(indices) == min(n_instances, len(utilities))
    assert indices.dtype == np.intp
    assert values.dtype == np.float64
    assert np.array_equal(top(utilities, n_instances, seed)[0], indices)


def test_ties_for_the_last_place_are_drawn_evenly():
    """Item 2 is sure; each of four others should fill the second place in a quarter of 2,000 draws.

    Each count is Binomial(2000, 1/4): mean 500, sd 19.4. Leaving 400..600 (5 sd) has probability
    below 1e-6 for four items together. Taking the first or last tied position gives 2000 and 0.
    """
    rng = np.random.default_rng(0)
    utilities = [1.0, 1.0, 5.0, 0.0, 1.0, 1.0]
    picks = np.array([top(utilities, 2, rng)[0] for _ in range(2000)])

    assert (picks[:, 0] == 2).all()
    counts = np.bincount(picks[:, 1], minlength=6)
    assert counts[[2, 3]].tolist() == [0, 0]
    assert (np.abs(counts[[0, 1, 4, 5]] - 500) <= 100).all()


@pytest.mark.parametrize("n_instances", [2, 3])
def test_equal_items_come_in_random_order_even_if_all_are_picked(n_instances):
    """Over 60 seeds each of the items comes first at least once: failure below 3 (2/3)^60 < 1e-10."""
    first = {int(top([1.0, 1.0, 1.0], n_instances, seed)[0][0]) for seed in range(60)}
    assert first == {0, 1, 2}


def test_nan_utilities_are_refused_with_where_they_are():
    with pytest.raises(ValueError, match=r"2 of 4 utilities are NaN \(the first is item 1\)"):
        top([0.0, np.nan, 1.0, np.nan], 1)


def test_a_matrix_of_utilities_is_refused():
    with pytest.raises(ValueError, match=r"one number per item, got an array of shape \(2, 1\)"):
        top([[0.0], [1.0]], 1)


@pytest.mark.parametrize("wrong", [2.0, "2", None, True, np.True_, [1]])
def test_a_count_that_is_no_whole_number_is_refused(wrong):
    with pytest.raises(TypeError, match="n_instances must be a whole number"):
        as_count(wrong)


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="must be 0 or more, got -1"):
        top([1.0], -1)


def test_a_numpy_whole_number_counts():
    assert as_count(np.int32(3)) == 3


def test_a_generator_is_used_as_it_is_and_moves_on():
    generator = np.random.default_rng(1)
    assert as_rng(generator) is generator
    before = generator.bit_generator.state
    top([0.0, 0.0, 0.0], 1, generator)
    assert generator.bit_generator.state != before


def test_a_seed_gives_the_same_draws_each_time_and_none_gives_others():
    assert as_rng(5).random() == as_rng(np.int64(5)).random() == np.random.default_rng(5).random()
    assert as_rng(None).random() != as_rng(None).random()


@pytest.mark.parametrize("wrong", [np.random.RandomState(0), "7", 7.0, True])
def test_other_sources_of_chance_are_refused(wrong):
    with pytest.raises(TypeError, match="rng must be None, a whole number or a numpy Generator"):
        as_rng(wrong)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="must be 0 or more, got -3"):
        as_rng(-3)


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((3, 2)),
        sp.csr_matrix((3, 2)),
        sp.csr_array((3, 2)),
        pd.DataFrame({"a": [1, 2, 3]}),
        ["one", "two", "three"],
        ("one", "two", "three"),
        np.array(["one", "two", "three"], dtype=object),
    ],
)
def test_rows_are_counted_for_every_kind_of_features(X):
    assert n_rows(X) == 3


@pytest.mark.parametrize("X", ["one text", b"bytes", {"a": [1]}, iter([1]), 3, np.float64(3.0)])
def test_what_does_not_hold_one_item_a_row_is_refused(X):
    with pytest.raises(TypeError, match="X must hold one item a row"):
        n_rows(X)
