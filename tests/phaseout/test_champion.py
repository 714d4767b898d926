"""The champion: who takes over, at which review rates, and the alarm that withdraws it."""

from __future__ import annotations

import pytest

from bootstrap.phaseout import About, Claim, Trial


def test_a_candidate_takes_over_at_the_champions_rate_or_lower_only(candidate_of, audit):
    """Of 1,000 items the first is right about all; the second errs on what it decides alone below 0.5."""
    trial = Trial()
    first = candidate_of(1000, rates=(0.5, 0.4))
    trial.register(first)
    audit(trial, range(1000))
    assert (trial.champion.candidate, trial.champion.rung.review_rate) == (first, 0.4)
    worse = candidate_of(1000, wrong=range(400, 500), rates=(0.5, 0.4), number=2)
    assert [rung.review_rate for _, rung in trial.register(worse)] == [0.5]
    assert trial.champion.candidate is first
    as_good = candidate_of(1000, rates=(0.5, 0.4), number=3)
    trial.register(as_good)
    assert (trial.champion.candidate, trial.champion.rung.review_rate) == (as_good, 0.4)
    assert trial.present is as_good


def test_the_champion_goes_on_to_its_lower_rungs_under_the_same_alarm(candidate_of, audit):
    trial, candidate = Trial(), candidate_of(1000, wrong=range(10), rates=(0.5, 0.0))
    trial.register(candidate)
    audit(trial, [*range(10), *range(600, 700)])
    assert trial.champion.rung.review_rate == 0.5
    fed = trial.champion.alarm.n
    assert fed > 0
    audit(trial, range(10, 500))
    assert trial.champion.rung.review_rate == 0.0
    assert trial.champion.alarm.n > fed  # not begun anew


def test_a_stricter_allowance_on_a_lower_rung_gets_its_own_alarm(candidate_of, audit):
    """A target for all that goes out allows 0.09 errors at a review rate of 0.5, and 0.05 at 0."""
    trial = Trial()
    claims = (Claim(About.SYSTEM, 0.95),)
    trial.register(candidate_of(1000, rates=(0.5, 0.0), claims=claims, people_error=[0.01, 0.01]))
    audit(trial, range(600, 650))
    assert trial.champion.alarm.alpha == pytest.approx(0.09)
    audit(trial, range(200))
    assert trial.champion.rung.review_rate == 0.0
    assert trial.champion.alarm.alpha == pytest.approx(0.05)


def test_the_alarm_counts_audits_asked_since_the_promotion_where_it_decides_alone(candidate_of, audit):
    trial, candidate = Trial(), candidate_of(1000, rates=(0.5,))
    trial.register(candidate)
    audit(trial, range(600, 673))
    assert trial.champion is None
    audit(trial, [673])
    assert trial.champion.alarm.n == 0
    audit(trial, [*range(10), *range(680, 690)])
    assert trial.champion.alarm.n == 10


def test_the_alarm_withdraws_the_champion_and_closes_every_candidate(candidate_of, audit):
    trial = Trial()
    in_use = candidate_of(1000)
    trial.register(in_use)
    audit(trial, range(200))
    tested = candidate_of(1000, wrong=range(0, 200, 9), number=2)
    trial.register(tested)
    assert trial.present is tested
    before = tested.rungs[0].main.n
    audit(trial, range(200, 230), ["ba"[i % 2] for i in range(200, 230)])  # the world has changed
    assert trial.champion is None
    champion, why = trial.withdrawn
    assert champion.candidate is in_use
    assert "too many errors" in why
    assert in_use.closed
    assert tested.closed
    assert trial.present is None
    counted = tested.rungs[0].main.n
    assert counted > before
    audit(trial, range(300, 700))
    assert tested.rungs[0].main.n == counted
    assert trial.champion is None


def test_after_an_alarm_a_new_candidate_is_tested_on_audits_asked_since(candidate_of, audit):
    trial = Trial()
    trial.register(candidate_of(1000))
    audit(trial, range(200))
    trial.ask(999)
    trial.withdraw("somebody saw it fail")
    assert trial.withdrawn[1] == "somebody saw it fail"
    new = candidate_of(1000, number=2)
    assert trial.register(new) == []
    trial.answer(999, "b")
    assert new.rungs[0].main.n == 0
    audit(trial, range(200, 300))
    assert trial.champion.candidate is new
    assert trial.withdrawn is None


def test_withdrawing_without_a_champion_ends_all_tests(candidate_of):
    trial = Trial()
    trial.register(candidate_of(10))
    trial.withdraw("other items now")
    assert trial.withdrawn is None
    assert trial.present is None


def test_without_a_candidate_there_is_nothing_to_see():
    trial = Trial(adjudicated=True)
    assert trial.present is trial.champion is trial.withdrawn is None
    assert trial.disputed() == trial.twice() == []
