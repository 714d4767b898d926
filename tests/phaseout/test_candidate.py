"""A frozen model under test: it only counts, and each rung is certified in its turn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.errors import InvalidInput
from bootstrap.measuring import error_upper_bound, log_e_value
from bootstrap.phaseout import About, Claim, Outcome, Predictions, Tally, Trial, rungs_for

ALONE = Claim(About.ALONE, 0.95)


def _feed(candidate, rows, truth):
    """Feed audits in this order; the rates that they certify."""
    return [
        rung.review_rate for row in rows for rung in candidate.feed(candidate.score(row, truth[row], None))
    ]


@settings(max_examples=40)
@given(st.lists(st.booleans(), max_size=400), st.sampled_from([0.3, 0.1, 0.05]))
def test_a_tally_is_proved_from_the_first_moment_at_which_the_evidence_suffices(errors, alpha):
    tally, ever = Tally(alpha, 0.05), False
    for error in errors:
        tally.feed(error)
        ever = ever or log_e_value(tally.errors, tally.n, alpha) >= math.log(20)
        assert tally.proved is ever
    assert (tally.errors, tally.n) == (sum(errors), len(errors))
    assert tally.log_e == pytest.approx(log_e_value(sum(errors), len(errors), alpha))


def test_a_tally_is_proved_by_74_right_answers_and_keeps_that_proof():
    tally = Tally(0.05, 0.05)
    for _ in range(73):
        tally.feed(False)
    assert not tally.proved
    assert tally.proof == (73, 0)
    tally.feed(False)
    assert tally.proved
    for _ in range(20):
        tally.feed(True)
    assert tally.proved
    assert tally.proof == (74, 0)
    assert tally.proof_bound == error_upper_bound(0, 74, 0.05) <= 0.05 < tally.bound


def test_a_target_out_of_reach_is_never_proved():
    tally = Tally(0.0, 0.05)
    for _ in range(1000):
        tally.feed(False)
    assert not tally.proved
    assert tally.needed == math.inf
    assert tally.log_e == -math.inf


def test_ties_at_the_threshold_are_reviewed_and_the_realised_rate_says_so(candidate_of):
    candidate = candidate_of(100, confidence=np.repeat([0.6, 0.8, 1.0], [30, 50, 20]), rates=(0.4,))
    (rung,) = candidate.rungs
    assert rung.threshold == 0.8
    assert rung.realised_review_rate == 0.8
    candidate.feed(Outcome("a", 0.8, "b", wrong=True))
    assert (rung.n_audited, rung.n_alone, rung.main.n) == (1, 0, 0)
    candidate.feed(Outcome("a", np.nextafter(0.8, 1), "b", wrong=True))
    assert (rung.n_audited, rung.n_alone, rung.n_wrong, rung.main.errors) == (2, 1, 1, 1)


def test_thresholds_look_at_all_held_out_items_and_at_no_others():
    predictions = Predictions.of(np.arange(20), ["a"] * 20, np.linspace(0.5, 1.0, 20))
    (rung,) = rungs_for(predictions, np.arange(10), [0.5], [ALONE], 0.05)
    assert rung.threshold == pytest.approx(predictions.confidence[4])
    assert rung.realised_review_rate == 0.5


def test_held_out_items_need_predictions_and_there_must_be_some():
    predictions = Predictions.of([1, 2], ["a", "b"], [0.5, 0.6])
    with pytest.raises(InvalidInput, match="have no prediction"):
        rungs_for(predictions, np.array([1, 3]), [0.5], [ALONE], 0.05)
    with pytest.raises(InvalidInput, match="found no confidence"):
        rungs_for(predictions, np.array([], dtype=np.intp), [0.5], [ALONE], 0.05)


def test_rungs_are_certified_in_order_only(candidate_of, truth_of):
    # the least certain fifth of what is decided alone at 0.5 is all wrong; the rest is right
    candidate = candidate_of(1000, wrong=range(500, 600), rates=(0.5, 0.4))
    upper, lower = candidate.rungs
    upper.tallies[ALONE].alpha, lower.tallies[ALONE].alpha = 0.0, 0.5  # the lower one is far easier
    assert _feed(candidate, range(600, 1000), truth_of(1000)) == []
    assert lower.proved
    assert not lower.certified
    assert candidate.certified_review_rate == 1.0
    assert candidate.next_rung is upper


def test_one_audit_may_certify_several_rungs_highest_rate_first(candidate_of, truth_of):
    candidate = candidate_of(400, rates=(0.5, 0.4, 0.3))
    certified = _feed(candidate, range(200, 400), truth_of(400))
    assert certified == [0.5, 0.4, 0.3]
    assert candidate.certified_review_rate == 0.3
    assert candidate.next_rung is None


def test_all_claims_are_needed(candidate_of, truth_of):
    as_a = Claim(About.PREDICTED, 0.95, "a")
    found = Claim(About.RECALL, 0.9, "b")
    candidate = candidate_of(1000, claims=(ALONE, as_a, found))
    (rung,) = candidate.rungs
    truth = truth_of(1000)
    only_b = range(1, 400, 2)
    assert _feed(candidate, only_b, truth) == []
    assert [rung.tallies[claim].proved for claim in (ALONE, as_a, found)] == [True, False, True]
    assert _feed(candidate, range(0, 400, 2), truth) == [0.0]
    assert rung.tallies[as_a].n_then == 74


def test_a_recall_claim_alone_can_hold_a_certificate_up(candidate_of):
    # rare "c" items are missed each time: 5 % of all, so that accuracy alone would pass a target of 0.9
    truth = ["c" if i % 20 == 0 else "ab"[i % 2] for i in range(2000)]
    says = ["a" if t == "c" else t for t in truth]
    claims = (Claim(About.ALONE, 0.9), Claim(About.RECALL, 0.9, "c"))
    candidate = candidate_of(2000, predicted=says, claims=claims)
    assert _feed(candidate, range(2000), truth) == []
    assert [tally.proved for tally in candidate.rungs[0].tallies.values()] == [True, False]


def test_an_audit_that_nobody_could_answer_counts_as_wrong(candidate_of):
    candidate = candidate_of(10, claims=(ALONE, Claim(About.RECALL, 0.9, "a")))
    outcome = candidate.score(3, None, None)
    assert outcome.wrong
    assert outcome.truth is None
    candidate.feed(outcome)
    (rung,) = candidate.rungs
    assert candidate.n_skipped == rung.n_wrong == 1
    assert [tally.errors for tally in rung.tallies.values()] == [1, 1]
    assert not candidate.audited
    assert not rung.alone


@pytest.mark.parametrize(
    ("first", "second", "wrong", "truth"),
    [
        ("a", None, False, "a"),
        ("b", None, True, "b"),
        ("b", "a", False, "a"),
        ("a", "b", False, "a"),
        ("b", "c", True, "b"),
        (None, "b", True, "b"),
        (None, "a", False, "a"),
        (None, None, True, None),
    ],
)
def test_an_error_counts_when_everybody_who_was_asked_rejects_the_class(
    candidate_of, first, second, wrong, truth
):
    outcome = candidate_of(4).score(0, first, second)
    assert (outcome.predicted, outcome.wrong, outcome.truth) == ("a", wrong, truth)


def test_a_dispute_is_about_what_the_candidate_decides_alone_on_any_rung(candidate_of):
    candidate = candidate_of(100, rates=(0.5, 0.2))
    assert candidate.disputes(99, "a")  # its class is "b"
    assert not candidate.disputes(99, "b")
    assert candidate.disputes(99, None)
    assert candidate.disputes(31, "a")  # reviewed at 0.5, decided alone at 0.2
    assert not candidate.disputes(11, "a")


def test_where_one_class_would_do_the_guard_holds_the_certificate_back(candidate_of):
    candidate = candidate_of(1000, predicted=["a"] * 1000)
    truth = ["b" if i % 50 == 0 else "a" for i in range(1000)]
    assert _feed(candidate, range(1000), truth) == []
    (rung,) = candidate.rungs
    assert rung.main.proved
    assert rung.commonest_would_do
    assert not rung.proved


def test_one_class_only_certifies_nothing(candidate_of):
    candidate = candidate_of(500, predicted=["a"] * 500)
    assert _feed(candidate, range(500), ["a"] * 500) == []
    assert candidate.rungs[0].main.proved


def test_a_recall_target_for_another_class_switches_the_guard_off(candidate_of):
    truth = ["b" if i % 20 == 0 else "a" for i in range(1000)]
    other, commonest = Claim(About.RECALL, 0.9, "b"), Claim(About.RECALL, 0.9, "a")
    candidate = candidate_of(1000, predicted=truth, claims=(Claim(About.ALONE, 0.9), other))
    assert _feed(candidate, range(1000), truth) == [0.0]
    candidate = candidate_of(1000, predicted=truth, claims=(Claim(About.ALONE, 0.9), commonest))
    assert _feed(candidate, range(1000), truth) == []


def test_traps_lower_the_errors_to_be_disproved_but_not_what_the_commonest_class_may_use(candidate_of):
    candidate = candidate_of(3000, predicted=["a"] * 3000, catch_rate=0.5)
    (rung,) = candidate.rungs
    assert rung.main.alpha == pytest.approx(0.025)
    assert rung.allowed == pytest.approx(0.05)
    for i in range(3000):  # the other class has 4 %, all accepted as the model says: more than 0.025
        rung.feed(Outcome("a", 0.9, "b" if i % 25 == 0 else "a", wrong=False))
    assert rung.main.proved
    assert rung.commonest_would_do


def test_before_the_first_audit_the_guard_is_on(candidate_of):
    assert candidate_of(10).rungs[0].commonest_would_do


def test_a_target_for_all_that_goes_out_needs_peoples_error(candidate_of):
    system = Claim(About.SYSTEM, 0.95)
    unmeasured = candidate_of(100, rates=(0.5, 0.0), claims=(system,))
    assert [rung.main.alpha for rung in unmeasured.rungs] == [0.0, pytest.approx(0.05)]
    measured = candidate_of(100, rates=(0.5, 0.0), claims=(system,), people_error=np.array([0.02, 1.0]))
    assert [rung.main.alpha for rung in measured.rungs] == [pytest.approx(0.08), pytest.approx(0.05)]


def test_what_is_missed_is_counted_per_class_where_it_is_decided_alone(candidate_of, truth_of):
    candidate = candidate_of(10, wrong=[0, 8], rates=(0.5,))
    _feed(candidate, range(10), truth_of(10))
    assert candidate.rungs[0].missed == {"a": 1, "b": 0}
    assert candidate.audited == {"a": 5, "b": 5}


def test_random_training_queries_are_counted_apart(candidate_of):
    candidate = candidate_of(10)
    candidate.feed(candidate.score(1, "b", None), drawn=True)
    candidate.feed(candidate.score(2, "a", None))
    assert candidate.n_drawn == 1


def test_a_candidate_prints_as_one_line_without_its_predictions(candidate_of, audit):
    trial, candidate = Trial(), candidate_of(200, number=3)
    trial.register(candidate)
    assert repr(candidate) == (
        "Candidate(model 3, number 3, round 3, 100 labels, 0 audits, certified review rate 1.00)"
    )
    audit(trial, range(100))
    assert repr(candidate) == (
        "Candidate(model 3, number 3, round 3, 100 labels, 100 audits, certified review rate 0.00)"
    )
