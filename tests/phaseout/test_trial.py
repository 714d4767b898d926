"""Candidates and their evidence: which audits count for whom, in which order, and how often."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.errors import InvalidInput
from bootstrap.phaseout import About, Candidate, Claim, Predictions, Rung, Trial, rungs_for
from bootstrap.records import SKIP


def _evidence(candidate):
    return [(t.errors, t.n, t.proved) for rung in candidate.rungs for t in rung.tallies.values()]


# which audits count


def test_an_audit_that_waits_for_its_answer_holds_up_those_behind_it(candidate_of, audit):
    trial, candidate = Trial(), candidate_of(300)
    trial.register(candidate)
    trial.ask(0)
    assert audit(trial, range(1, 200)) == []
    assert candidate.rungs[0].main.n == 0
    assert trial.n_waiting == 1
    certified = trial.answer(0, "a")
    assert [(c.number, rung.review_rate) for c, rung in certified] == [(1, 0.0)]
    assert candidate.rungs[0].main.n == 200
    assert trial.n_waiting == 0


@settings(max_examples=30)
@given(st.permutations(range(40)), st.sets(st.integers(0, 39)), st.sets(st.integers(0, 39), max_size=5))
def test_late_and_out_of_order_answers_give_the_same_evidence_as_in_order(order, wrong, skipped):
    def evidence(answering):
        trial, candidate = Trial(), _candidate_of_40(sorted(wrong))
        trial.register(candidate)
        for row in range(40):
            trial.ask(row)
        for row in answering:
            trial.answer(row, SKIP if row in skipped else "ab"[row % 2])
        return _evidence(candidate), candidate.audited, candidate.rungs[0].missed

    assert evidence(order) == evidence(range(40))


def _candidate_of_40(wrong):
    says = ["ba"[i % 2] if i in wrong else "ab"[i % 2] for i in range(40)]
    predictions = Predictions.of(np.arange(40), says, np.linspace(0.5, 1.0, 40))
    rungs = rungs_for(predictions, np.arange(40), (0.5, 0.0), (Claim(About.ALONE, 0.7),), 0.3)
    return Candidate(1, 0.3, "model", 1, 100, predictions, rungs)


def test_asking_again_keeps_the_place_and_a_first_label_stays(candidate_of):
    trial, candidate = Trial(), candidate_of(10)
    trial.register(candidate)
    trial.ask(0)
    trial.ask(0)
    trial.answer(0, "a")
    trial.answer(0, "b")
    assert _evidence(candidate) == [(0, 1, False)]


def test_an_answer_about_an_item_that_is_not_audited_says_nothing(candidate_of):
    trial, candidate = Trial(adjudicated=True), candidate_of(10)
    trial.register(candidate)
    assert trial.answer(3, "b") == trial.answer_second(3, "b") == []
    assert not trial.has_second(3)
    assert _evidence(candidate) == [(0, 0, False)]


def test_a_skip_counts_as_wrong_and_gives_way_to_a_later_label(candidate_of):
    trial, first, second = Trial(), candidate_of(10), candidate_of(10, number=2)
    trial.register(first)
    trial.ask(0)
    trial.answer(0, SKIP)
    assert first.rungs[0].main.errors == first.n_skipped == 1
    trial.answer(0, "a")
    trial.register(second)
    assert first.rungs[0].main.errors == 1  # what was counted stays counted
    assert (second.rungs[0].main.n, second.rungs[0].main.errors) == (1, 0)


def test_held_out_audits_are_replayed_to_later_candidates(candidate_of, audit):
    trial = Trial()
    audit(trial, range(200))
    certified = trial.register(candidate_of(200))
    assert [rung.review_rate for _, rung in certified] == [0.0]


def test_a_candidate_registered_by_hand_gets_no_replay_and_none_of_the_pending_audits(candidate_of, audit):
    trial = Trial()
    audit(trial, range(100))
    trial.ask(100)
    by_hand = candidate_of(400, by_hand=True)
    assert trial.register(by_hand) == []
    trial.answer(100, "a")
    assert by_hand.rungs[0].main.n == 0
    audit(trial, range(101, 110))
    assert by_hand.rungs[0].main.n == 9


def test_a_random_training_query_counts_for_candidates_registered_before_it_was_asked_only(candidate_of):
    trial, before, after = Trial(), candidate_of(10), candidate_of(10, number=2)
    trial.register(before)
    trial.ask(0, held_out=False)
    trial.ask(1)
    trial.register(after)  # it was trained on item 0
    trial.answer(0, "a")
    trial.answer(1, "b")
    assert (before.rungs[0].main.n, before.n_drawn) == (2, 1)
    assert (after.rungs[0].main.n, after.n_drawn) == (1, 0)


def test_a_training_query_that_waits_does_not_hold_up_those_it_is_no_evidence_for(candidate_of, audit):
    trial, after = Trial(), candidate_of(10)
    trial.ask(0, held_out=False)
    trial.register(after)
    audit(trial, [1, 2])
    assert after.rungs[0].main.n == 2


def test_a_number_is_used_once(candidate_of):
    trial = Trial()
    trial.register(candidate_of(10))
    with pytest.raises(InvalidInput, match="draw each number from the ledger"):
        trial.register(candidate_of(10))


def test_an_item_without_a_prediction_is_refused_and_nothing_is_counted(candidate_of):
    trial, candidate = Trial(), candidate_of(10)
    trial.register(candidate)
    trial.ask(10)
    with pytest.raises(InvalidInput, match="no prediction for item 10"):
        trial.answer(10, "a")
    assert candidate.cursor == 0


# retiring


def test_retired_audits_are_no_evidence_for_later_candidates(candidate_of, audit):
    trial, before, after = Trial(), candidate_of(300), candidate_of(300, number=2)
    trial.register(before)
    audit(trial, range(50))
    trial.ask(50)
    assert trial.retire() == 51
    assert trial.retire() == 0
    trial.register(after)
    trial.answer(50, "a")
    audit(trial, range(51, 60))
    assert before.rungs[0].main.n == 60
    assert after.rungs[0].main.n == 9


def test_were_only_the_mistakes_retired_a_bad_candidate_would_be_certified(candidate_of, audit):
    """Half of what the second model says is wrong, on the same items as the first: those that were shown.

    The other half is known to be right. Counted alone it proves anything; so all have to go.
    """
    wrong = range(0, 400, 2)
    trial = Trial()
    trial.register(candidate_of(400, wrong=wrong))
    audit(trial, range(400))
    trial.retire()
    assert trial.register(candidate_of(400, wrong=wrong, number=2)) == []
    assert trial.champion is None

    only_mistakes_retired = Trial()
    truth = np.array(["abc"[i % 3] for i in range(400)])
    says = truth.copy()
    says[::2] = "d"
    shown = set(wrong)
    for row in range(400):
        if row not in shown:
            only_mistakes_retired.ask(row)
            only_mistakes_retired.answer(row, str(truth[row]))
    assert only_mistakes_retired.register(candidate_of(400, predicted=says)) != []


# second answers


def test_without_an_adjudicator_one_answer_decides_and_second_ones_change_nothing(candidate_of):
    trial, candidate = Trial(), candidate_of(10)
    trial.register(candidate)
    trial.ask(0)
    trial.answer_second(0, "a")
    trial.answer(0, "b")
    assert trial.disputed() == []
    assert candidate.rungs[0].main.errors == 1


@pytest.mark.parametrize(("second", "errors"), [("a", 0), ("b", 1), ("c", 1), (SKIP, 1)])
def test_a_disagreement_waits_for_the_second_answer_and_is_an_error_when_both_reject(
    candidate_of, audit, second, errors
):
    trial, candidate = Trial(adjudicated=True), candidate_of(10)
    trial.register(candidate)
    trial.ask(0)
    trial.answer(0, "b")
    audit(trial, [1, 2])
    assert trial.disputed() == [0]
    assert candidate.rungs[0].main.n == 0
    trial.answer_second(0, second)
    assert trial.has_second(0)
    assert trial.disputed() == []
    assert (candidate.rungs[0].main.n, candidate.rungs[0].main.errors) == (3, errors)


def test_a_second_answer_is_given_once(candidate_of):
    trial, candidate = Trial(adjudicated=True), candidate_of(10)
    trial.register(candidate)
    trial.ask(0)
    trial.answer_second(0, "b")
    assert trial.answer_second(0, "a") == []
    trial.answer(0, "b")
    assert candidate.rungs[0].main.errors == 1


def test_what_one_could_not_tell_goes_to_the_second(candidate_of):
    trial, candidate = Trial(adjudicated=True), candidate_of(10)
    trial.register(candidate)
    trial.ask(0)
    trial.answer(0, SKIP)
    assert trial.disputed() == [0]
    trial.answer_second(0, "a")
    assert (candidate.rungs[0].main.n, candidate.rungs[0].main.errors) == (1, 0)


def test_only_disputes_of_the_present_candidate_are_asked_for(candidate_of, audit):
    """The first one errs on item 0 and is nobody's champion: its question is not worth a label any more."""
    trial = Trial(adjudicated=True)
    trial.register(candidate_of(10, wrong=[0]))
    audit(trial, [0, 1])
    assert trial.disputed() == [0]
    trial.register(candidate_of(10, wrong=[1], number=2))
    assert trial.disputed() == [1]


def test_disputes_of_the_champion_are_asked_for_too_or_its_alarm_would_wait_for_ever(candidate_of, audit):
    trial = Trial(adjudicated=True)
    trial.register(candidate_of(1000))
    audit(trial, range(200))
    assert trial.champion is not None
    trial.register(
        candidate_of(1000, number=2, predicted=["z"] * 1000, confidence=np.full(1000, 0.5), rates=(0.5,))
    )
    for row in range(200, 230):
        trial.ask(row)
        trial.answer(row, "ba"[row % 2])
        for disputed in trial.disputed():
            trial.answer_second(disputed, "ba"[row % 2])
    assert trial.champion is None
    assert trial.withdrawn is not None


def test_audits_with_two_labels_are_told_as_they_were_asked():
    trial = Trial()
    for row in (5, 3, 4):
        trial.ask(row)
    trial.answer_second(3, "b")
    trial.answer(3, "a")
    trial.answer(5, "a")
    trial.answer_second(5, "a")
    trial.answer(4, "a")
    trial.answer_second(4, SKIP)
    assert trial.twice() == [(5, "a", "a"), (3, "a", "b")]


# interrupted calls


def _interrupted(trial, monkeypatch, call):
    """Let this call be interrupted when the second rung of some candidate counts an audit."""
    kept = Rung.feed
    calls = iter([False, True])

    def feed(rung, outcome, **may):
        if next(calls):
            raise KeyboardInterrupt
        kept(rung, outcome)

    with monkeypatch.context() as patch:
        patch.setattr(Rung, "feed", feed)
        with pytest.raises(KeyboardInterrupt):
            call()


def test_an_audit_that_was_half_counted_is_counted_once(candidate_of, audit, monkeypatch):
    evidence = []
    for interrupted in (False, True):
        trial, candidate = Trial(), candidate_of(400, wrong=[3, 250], rates=(0.5, 0.0))
        trial.register(candidate)
        audit(trial, range(250))
        trial.ask(250)
        if interrupted:
            _interrupted(trial, monkeypatch, lambda trial=trial: trial.answer(250, "a"))
        else:
            trial.answer(250, "a")
        audit(trial, range(251, 400))
        evidence.append(
            (_evidence(candidate), candidate.audited, candidate.cursor, candidate.certified_review_rate)
        )
    assert evidence[0] == evidence[1]


def test_counting_anew_leaves_closed_candidates_and_the_champion_as_they_were(
    candidate_of, audit, monkeypatch
):
    trial = Trial()
    old = candidate_of(400, rates=(0.5, 0.0))
    trial.register(old)
    audit(trial, range(20))
    trial.withdraw("other items")
    counted = _evidence(old)
    new = candidate_of(400, rates=(0.5, 0.0), number=2)
    trial.register(new)
    audit(trial, range(200, 300))
    champion = trial.champion
    watched = champion.alarm.n
    trial.ask(300)
    _interrupted(trial, monkeypatch, lambda: trial.answer(300, "a"))
    audit(trial, [301])
    assert _evidence(old) == counted
    assert trial.champion is champion
    assert champion.alarm.n == watched + 2
    assert new.rungs[0].main.n == 102


def test_asking_that_was_interrupted_half_way_asks_once(candidate_of):
    trial, candidate = Trial(), candidate_of(10)
    trial.register(candidate)
    trial.ask(0)
    trial._place.clear()  # as if the process had been stopped between the two writes
    trial.ask(0)
    trial.answer(0, "a")
    assert candidate.rungs[0].main.n == 1


def test_a_query_that_a_candidate_was_trained_on_is_never_disputed_for_it(candidate_of, audit):
    trial = Trial(adjudicated=True)
    trial.ask(2)  # waits, and holds up the others
    trial.ask(0, held_out=False)
    trial.register(candidate_of(10, wrong=[0, 1]))
    audit(trial, [0, 1])
    assert trial.disputed() == [1]
