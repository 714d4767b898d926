"""What is said of the people whose answers are the truth."""

from __future__ import annotations

import numpy as np
import pytest

from bootstrap.errors import InvalidInput
from bootstrap.measuring import catch_rate_lower, people_error_interval
from bootstrap.phaseout import People, check_traps


def test_what_was_not_measured_is_said_to_be_so():
    people = People()
    assert people.error_interval == (0.0, 1.0)
    assert people.catch_rate is None
    assert people.allowed_factor == people.evidence_share == 1.0
    assert "One person's answer is taken as the truth" in str(people)
    assert "An answer is what 3 people said, each for themselves" in str(People(readers=3))
    assert "People's own error: not measured." in str(people)
    assert "Catch rate: not measured" in str(people)


def test_double_answers_give_the_interval_of_one_persons_error():
    people = People(n_twice=300, n_disagreed=18)
    assert people.error_interval == people_error_interval(18, 300, 0.05)
    assert "Of 300 audits that were answered twice, the answers to 18 differ" in str(people)
    assert "[0.018, 0.049]" in str(people)


def test_one_person_answering_twice_is_marked():
    assert "some by the same person later" in str(People(n_twice=10, n_disagreed=1, same_person=True))


@pytest.mark.parametrize(("adjudicated", "readers"), [(False, 1), (True, 2)])
def test_each_person_who_has_to_reject_the_class_costs_the_catch_rate_once(adjudicated, readers):
    people = People(adjudicated=adjudicated, caught=142, shown=150)
    low = catch_rate_lower(142, 150, 0.025)
    assert people.catch_rate == low
    assert people.allowed_factor == pytest.approx(low**readers)
    assert people.evidence_share == 0.5
    assert f"at least {low:.3f} (142 of 150 known errors" in str(people)


def test_people_who_catch_nothing_leave_nothing_to_be_proved():
    assert People(caught=0, shown=30).allowed_factor == 0.0


def test_adjudication_is_told():
    assert "two people, asked blind, both reject" in str(People(adjudicated=True))


def test_traps_are_two_counts():
    assert check_traps(None) == (0, 0)
    assert check_traps((142, 150)) == (142, 150)
    assert check_traps([np.int64(3), 4]) == (3, 4)


@pytest.mark.parametrize("traps", [(5, 4), (0, 0), (-1, 4), (1.0, 2), (1,), (True, 2), "ab", 7])
def test_anything_else_is_no_trap_count(traps):
    with pytest.raises(InvalidInput, match="two counts such as"):
        check_traps(traps)
