"""What a loop says of itself on the way: each verdict, certified rates in the history, and when to stop."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from bootstrap import BootstrapLoop
from bootstrap.phaseout import Candidate, Move, Need
from bootstrap.stopping import Certified, LabelsSpent, RoundsDone

N = 900
_rng = np.random.default_rng(5)
X = _rng.normal(size=(N, 4))
Y = np.where(X[:, 0] + 0.5 * X[:, 1] + 0.35 * _rng.normal(size=N) > 0, "yes", "no").tolist()
IDS = [str(i) for i in range(N)]


def honest(queries: Any) -> list[str]:
    return [Y[int(query.id)] for query in queries]


def a_loop(labeler: Any = honest, n: int = N, **changes: Any) -> BootstrapLoop:
    chosen = {"batch_size": 20, "random_state": 2} | changes
    loop = BootstrapLoop(LogisticRegression(), labeler, **chosen)
    loop.add(X[:n], ids=IDS[:n])
    return loop


def with_a_candidate(labeler: Any = honest, **changes: Any) -> BootstrapLoop:
    """A loop that has just frozen its first candidate."""
    loop = a_loop(labeler, **changes)
    loop.run(rounds=5)
    assert [c.n_trained for c in candidates(loop)] == [100]
    return loop


def candidates(loop: BootstrapLoop) -> list[Candidate]:
    return loop._certifying.trial.candidates


def test_a_verdict_before_any_label_asks_for_training():
    verdict = a_loop().verdict()
    assert (verdict.move, verdict.review_rate, verdict.need) == (Move.HOLD, 1.0, Need.TRAINING)
    assert verdict.missed is None
    assert "100 more to be trained on" in verdict.next_step
    assert "not measured" in str(verdict)


def test_a_verdict_of_an_empty_loop_is_one_too():
    assert BootstrapLoop(LogisticRegression()).verdict().need is Need.TRAINING


def test_a_verdict_before_the_first_candidate_says_when_it_comes():
    loop = a_loop()
    loop.run(rounds=2)
    verdict = loop.verdict()
    assert (verdict.move, verdict.need) == (Move.HOLD, Need.TRAINING)
    assert verdict.numbers == {"trained": 40, "next_candidate_at": 100}
    assert "60 more" in verdict.next_step


def test_a_verdict_with_one_class_only_has_nothing_to_test():
    loop = a_loop(lambda queries: ["yes"] * len(queries))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        loop.run(budget=200)
    verdict = loop.verdict()
    assert (verdict.move, verdict.need) == (Move.HOLD, Need.TRAINING)
    assert candidates(loop) == []
    assert loop.certificates == ()


def test_a_verdict_names_what_keeps_a_target_for_all_that_goes_out_beyond_reach():
    loop = with_a_candidate(target_of="system")
    verdict = loop.verdict()
    assert (verdict.move, verdict.need) == (Move.HOLD, Need.OUT_OF_REACH)
    assert "not measured" in verdict.reason
    assert "adjudicator=" in verdict.next_step
    loop.run(budget=500)  # no audit is wasted on it
    assert loop.certified_review_rate == 1.0


def test_a_verdict_says_when_a_small_pool_has_no_audits_left():
    loop = a_loop(n=150)
    loop.run()
    assert loop.history[-1].n_audited == sum(loop.is_held_out(i) for i in IDS[:150])
    verdict = loop.verdict()
    assert (verdict.move, verdict.need) == (Move.HOLD, Need.HELD_OUT_EXHAUSTED)
    assert "loop.add" in verdict.next_step


def test_a_verdict_that_needs_audits_gives_a_command_that_is_enough_if_no_error_comes():
    loop = with_a_candidate(target_accuracy=0.9)
    verdict = loop.verdict()
    assert (verdict.move, verdict.need) == (Move.HOLD, Need.AUDITS)
    budget = int(verdict.next_step.removeprefix("loop.run(budget=").removesuffix(")"))
    assert budget > loop.n_labels


def test_a_verdict_advances_by_certificate_and_goes_down_to_the_last_rung():
    loop = a_loop(target_accuracy=0.8)
    loop.run(budget=500, until=Certified())
    verdict = loop.verdict()
    assert verdict.move is Move.ADVANCE
    assert verdict.review_rate == loop.certified_review_rate <= 0.2
    assert verdict.certificate is loop.certificates[-1]
    assert verdict.numbers["bound"] <= verdict.numbers["allowed"] == pytest.approx(0.2)
    loop.run(budget=500, until=Certified(0))
    assert (loop.verdict().move, loop.verdict().review_rate) == (Move.ADVANCE, 0.0)
    assert candidates(loop)[-1].next_rung is None
    champion = loop.certificates[-1].candidate
    rates = [c.review_rate for c in loop.certificates if c.candidate == champion]
    assert rates == [0.2, 0.15, 0.1, 0.05, 0.02, 0.0]
    loop.run(budget=530)  # goes on all the same
    assert loop.verdict().review_rate == 0.0


def test_the_history_holds_the_certified_review_rate_of_each_round():
    loop = a_loop(target_accuracy=0.85)
    loop.run(budget=400)
    rates = loop.history.to_frame()["certified_review_rate"]
    assert rates.iloc[0] == 1.0
    assert rates.is_monotonic_decreasing
    assert rates.iloc[-1] == loop.certified_review_rate < 1.0


def test_certified_is_joined_with_other_conditions():
    loop = a_loop(target_accuracy=0.85)
    loop.run(until=Certified() | LabelsSpent(80))
    assert "of 80 labels spent" in loop.stop_reason
    loop.run(until=Certified() | LabelsSpent(600))
    assert loop.stop_reason == f"a review rate of {loop.certified_review_rate:g} is certified"
    rounds = len(loop.history)
    loop.run(until=Certified(0.2) & RoundsDone(rounds + 2))
    assert len(loop.history) == rounds + 2
    assert "is certified and" in loop.stop_reason
