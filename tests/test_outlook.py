"""The plan of a loop: a forecast at every state, and marked as one."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from bootstrap import BootstrapLoop
from bootstrap.pool import Place

CLOCK_BEGAN = 1_700_000_000.0


class Clock:
    """A minute between answers."""

    now = CLOCK_BEGAN

    def __call__(self) -> float:
        self.now += 60
        return self.now


def truth(query) -> str:
    return "big" if float(query.item[0]) > 5 else "small"


def other(query) -> str:
    return {"big": "small", "small": "big"}[truth(query)]


def a_loop(first_candidate: int = 20, **changes) -> BootstrapLoop:
    chosen = {"batch_size": 10, "held_out": 0.4, "target_accuracy": 0.8, "random_state": 2, "clock": Clock()}
    loop = BootstrapLoop(LogisticRegression(), **chosen | changes)
    loop._certifying.next_candidate_at = first_candidate
    loop.add(np.linspace(0, 10, 400).reshape(-1, 1))
    return loop


def a_round(loop: BootstrapLoop, answer=truth, audit=None) -> None:
    audit = audit or answer
    loop.tell({q.id: (audit if loop.is_held_out(q.id) else answer)(q) for q in loop.ask()})
    loop.refit()


def is_marked(loop: BootstrapLoop) -> bool:
    plan = loop.plan()
    plain = json.loads(json.dumps(plan.to_dict()))
    return str(plan).startswith("A forecast, not evidence") and plain["kind"] == "forecast, not evidence"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"audit_share": 0.5},
        {"held_out": 0},
        {"target_of": "system"},
        {"review_rate": 0.0},
        {"review_rate": 1.0},
        {"targets": {"big": {"recall": 0.7}}},
        {"traps": (20, 30)},
        {"adjudicator": lambda queries: [truth(query) for query in queries]},
    ],
    ids=repr,
)
def test_there_is_a_plan_at_every_state_and_it_says_that_it_is_a_forecast(changes):
    loop = a_loop(**changes)
    assert is_marked(loop)  # nothing at all
    loop.ask()
    assert is_marked(loop)  # asked, nothing told
    for _ in range(14):
        a_round(loop)
        assert is_marked(loop)


def test_before_the_first_candidate_it_plans_for_that_one_and_the_labels_it_takes():
    loop = a_loop(first_candidate=50)
    a_round(loop)
    plan = loop.plan()
    assert (plan.candidate, plan.training_labels, plan.n, plan.errors) == (1, 40, 0, 0)
    assert (plan.target_accuracy, plan.review_rate, plan.delta) == (0.8, 0.2, 0.05)


def test_a_candidate_in_reach_is_planned_for_with_its_counts():
    loop = a_loop()
    a_round(loop)
    a_round(loop)
    present = loop._certifying.trial.present
    assert not present.rungs[0].certified
    tally = present.rungs[0].main
    plan = loop.plan()
    assert (plan.candidate, plan.errors, plan.n, plan.training_labels) == (1, tally.errors, tally.n, 0)
    assert plan.target_accuracy == pytest.approx(0.8)


def test_with_rungs_certified_the_next_one_is_planned_for():
    loop = a_loop(audit_share=1.0)
    while loop.certified_review_rate == 1.0:
        a_round(loop)
    rung = loop._certifying.trial.present.next_rung
    if rung is None:
        assert loop.plan().candidate == 2
    else:
        assert loop.plan().review_rate == rung.review_rate < 0.2


def test_where_all_rungs_are_certified_the_plan_is_for_a_candidate_to_come():
    loop = a_loop(first_candidate=20, target_accuracy=0.7)
    while loop._certifying.trial.present is None or loop._certifying.trial.present.next_rung is not None:
        a_round(loop)
    plan = loop.plan()
    assert plan.candidate == loop._certifying.ledger.n_drawn + 1
    assert plan.training_labels == loop._certifying.next_candidate_at - loop.history[-1].n_trained
    assert is_marked(loop)


def test_a_candidate_that_is_too_wrong_is_given_up_for_the_next_one():
    loop = a_loop(audit_share=1.0)
    for _ in range(3):
        a_round(loop, audit=other)
    plan = loop.plan()
    assert (plan.candidate, plan.n) == (2, 0)
    assert plan.training_labels == 10


def test_where_no_model_could_show_it_the_plan_is_for_the_next_candidate():
    loop = a_loop(target_of="system", target_accuracy=0.9)
    a_round(loop)
    a_round(loop)
    assert loop._certifying.trial.present.rungs[0].main.alpha == 0  # people's error was not measured
    assert loop.plan().candidate == 2


def test_the_pace_comes_from_the_times_of_the_labels():
    loop = a_loop()
    assert loop.plan().labels_per_day is None
    a_round(loop)
    a_round(loop)
    plan = loop.plan()
    assert plan.labels_per_day is None or plan.labels_per_day > 0
    assert (plan.labels_per_day is None) == (plan.days == (None, None, None))


def test_the_error_is_drawn_on_to_the_next_two_candidates_once_enough_rounds_were_measured():
    loop = a_loop(first_candidate=1000, audit_share=1.0)
    a_round(loop)
    assert loop.plan().forecast is None
    for _ in range(4):
        a_round(loop)
    forecast = loop.plan().forecast
    assert forecast.at.tolist() == [1000, 2000]
    assert "not evidence" in str(forecast)


def test_a_model_that_was_audited_again_counts_once_in_the_forecast():
    loop = a_loop(target_accuracy=0.95, audit_share=0.5, batch_size=5)
    for _ in range(8):
        a_round(loop)
    waiting = loop._pool.id(int(loop._pool.rows(Place.HELD_OUT)[0]))
    loop.add_labels([waiting], ["small"], blind=True)
    loop.refit()
    rounds = [r for r in loop.history if r.n_decided_alone]
    models = {r.n_trained for r in rounds}
    assert 3 <= len(models) < len(rounds)
    assert loop.plan().forecast.n_rounds == len(models)


def test_the_same_loop_gives_the_same_plan():
    loop = a_loop(audit_share=1.0)
    for _ in range(4):
        a_round(loop)
    assert str(loop.plan()) == str(loop.plan())


def test_after_an_alarm_the_plan_is_for_a_new_candidate():
    loop = a_loop(audit_share=1.0)
    while loop.certified_review_rate == 1.0:
        a_round(loop)
    while loop._certifying.trial.champion is not None:
        a_round(loop, audit=other)
    assert is_marked(loop)
    assert loop.plan().n == 0 or loop._certifying.trial.present is not None
    assert "STEP BACK" in str(loop.verdict())
