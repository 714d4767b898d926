"""What the answers to one query make of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.records import SKIP
from bootstrap.store.desks.resolving import Said, resolve


def after(overlap, *labels):
    return resolve(overlap, [Said(label) for label in labels])


def test_with_an_overlap_of_one_the_first_class_settles_it():
    assert (after(1, "a").settled, after(1, "a").stands, after(1, "a").adjudicate) == (True, True, False)


def test_a_first_skip_stands_and_gives_the_place_to_one_more_person():
    found = after(1, SKIP)
    assert (found.settled, found.stands, found.places, found.adjudicate) == (False, True, 2, False)


def test_a_class_after_a_skip_settles_it():
    assert after(1, SKIP, "a").settled
    assert after(1, SKIP, "a").stands


@pytest.mark.parametrize("overlap", [1, 2, 3])
def test_two_skips_go_to_adjudication(overlap):
    found = after(overlap, SKIP, SKIP)
    assert (found.settled, found.stands, found.adjudicate) == (False, False, True)


def test_of_an_overlap_of_two_the_second_of_two_equal_answers_stands():
    assert not after(2, "a").stands
    assert not after(2, "a").settled
    assert after(2, "a", "a").stands
    assert after(2, "a", "a").settled


def test_a_skip_among_several_is_made_good_by_one_more_person():
    assert after(2, "a", SKIP).places == 3
    assert not after(2, "a", SKIP).adjudicate
    assert not after(2, SKIP).stands
    assert after(2, "a", SKIP, "a").settled


def test_a_disagreement_is_adjudicated_once_everybody_has_answered():
    assert not after(3, "a", "b").adjudicate
    assert after(3, "a", "b", "a").adjudicate
    assert not after(3, "a", "b", "a").stands


@pytest.mark.parametrize("label", ["a", SKIP])
def test_what_an_adjudicator_says_stands(label):
    found = resolve(2, [Said("a"), Said("b"), Said(label, adjudicates=True)])
    assert (found.settled, found.stands, found.adjudicate) == (True, True, False)


@given(st.integers(1, 4), st.lists(st.sampled_from(["a", "b", SKIP]), max_size=6))
def test_a_query_is_settled_or_somebody_can_still_answer(overlap, labels):
    """No order of answers leaves a query open with nobody to ask."""
    found = after(overlap, *labels)
    assert found.settled or found.adjudicate or found.places > len(labels)
    assert not (found.settled and found.adjudicate)
