"""The plan: its figures, its words, and that it is nothing but a forecast."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from bootstrap.errors import InvalidInput
from bootstrap.measuring.audits import audits_needed, fewest_with
from bootstrap.planning import forecast_error, plan_ahead


@pytest.fixture(scope="module")
def forecast():
    rng = np.random.default_rng(0)
    return forecast_error([50, 100, 200], [80, 60, 45], 400, n_audited=[200] * 3, rng=rng)


def test_before_the_first_label_it_is_the_figures_of_the_first_candidate():
    plan = plan_ahead(0.95, 0.2)
    assert plan.at_least == math.ceil(90 / 0.8) == 113
    assert plan.typically == math.ceil(audits_needed(0.95, 0.025, 0.025) / 0.8)
    assert plan.slow == math.ceil(audits_needed(0.95, 0.025, 0.025, quantile=0.9) / 0.8)
    assert 550 <= plan.typically <= 700
    assert plan.error == pytest.approx(0.025)


def test_later_candidates_have_less_to_spend_and_take_more():
    plans = [plan_ahead(0.95, 0.2, candidate=m) for m in (1, 2, 5, 10)]
    for column in ("at_least", "typically", "slow"):
        figures = [getattr(plan, column) for plan in plans]
        assert figures == sorted(set(figures))
    assert plans[3].at_least == math.ceil(fewest_with(0, 0.95, 0.05 / 110) / 0.8)
    assert plans[0].next_at_least == plans[1].at_least


def test_evidence_that_is_there_is_counted():
    plan = plan_ahead(0.95, 0.2, errors=1, n=100)
    assert plan.at_least == math.ceil((fewest_with(1, 0.95, 0.025) - 100) / 0.8)
    assert plan.typically == math.ceil(audits_needed(0.95, plan.error, 0.025, errors=1, n=100) / 0.8)


@pytest.mark.parametrize("target", [0.8, 0.9, 0.95, 0.99])
def test_the_error_assumed_goes_from_half_the_allowed_one_to_what_was_seen(target):
    alpha = 1 - target
    assert plan_ahead(target, 0.2).error == pytest.approx(alpha / 2)
    prior = beta(1, math.log(0.5) / math.log1p(-alpha / 2))
    assert prior.median() == pytest.approx(alpha / 2)
    few, many = plan_ahead(target, 0.2, errors=0, n=3), plan_ahead(target, 0.2, errors=300, n=10_000)
    assert 0.3 * alpha < few.error < alpha / 2
    assert many.error == pytest.approx(0.03, rel=0.05)
    assert plan_ahead(target, 0.2, errors=300, n=10_000, error=0.01).error == 0.01


def test_after_a_few_right_answers_the_plan_is_no_worse_than_before():
    before, after = plan_ahead(0.95, 0.2), plan_ahead(0.95, 0.2, errors=0, n=5)
    assert after.typically < before.typically


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from([0.8, 0.9, 0.95, 0.99]),
    st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9]),
    st.integers(1, 12),
)
def test_the_range_is_in_order_and_every_plan_can_be_read(pair, target, rate, candidate):
    errors, n = pair
    plan = plan_ahead(target, rate, errors=errors, n=n, candidate=candidate, labels_per_day=50)
    assert plan.at_least >= 0
    if plan.typically is not None:
        assert plan.at_least <= plan.typically
    if plan.slow is not None:
        assert plan.typically <= plan.slow
    assert str(plan).startswith("A forecast, not evidence: ")
    assert json.loads(json.dumps(plan.to_dict()))["kind"] == "forecast, not evidence"


def test_whole_numbers_of_audits_do_not_gain_one_by_rounding():
    # 63 / (1 - 0.1) is 70.00000000000001 in floats
    in_part = fewest_with(0, 0.95, 0.05 / 2)
    for tenth in range(10):
        exact = -(-in_part * 10 // (10 - tenth))
        assert plan_ahead(0.95, tenth / 10).at_least == exact


def test_days_count_training_labels_and_audits_at_the_present_pace():
    plan = plan_ahead(0.95, 0.2, training_labels=87, labels_per_day=40)
    assert plan.days == (5, math.ceil((87 + plan.typically) / 40), math.ceil((87 + plan.slow) / 40))
    assert plan.to_dict()["days"] == dict(zip(("at_least", "typically", "slow"), plan.days, strict=True))
    assert plan_ahead(0.95, 0.2).days == (None, None, None)
    assert plan_ahead(0.95, 0.2, error=0.06, labels_per_day=40).days == (3, None, None)


def test_the_words_before_the_first_label():
    text = str(plan_ahead(0.95, 0.2))
    assert text.startswith(
        "A forecast, not evidence: 0.95 at 20 % review: at least 113 audits, typically 630 and at the slow "
        "end 1,400, besides training."
    )
    assert "wrong on 2.5 % of what it decides alone, half of what the target allows" in text
    assert "since no audit says anything yet" in text
    assert "candidate 1, which may spend 0.025 of the overall 0.05" in text
    assert "labels a day" not in text


def test_the_words_along_the_way():
    text = str(plan_ahead(0.95, 0.2, errors=1, n=100, training_labels=0, labels_per_day=40))
    assert "more audits, typically" in text
    assert "as 1 error in 100 audits suggest so far" in text
    assert (
        "At the present 40 labels a day, all of them spent on these audits, that is at least 2 working days,"
        in text
    )
    text = str(plan_ahead(0.95, 0.125, training_labels=1, labels_per_day=40, error=0.01))
    assert "0.95 at 12.5 % review" in text
    assert "besides training on 1 more label." in text
    assert "spent on these audits and training labels" in text
    assert "wrong on 1 % of what it decides alone, as was given" in text


def test_what_is_not_in_reach_is_said_in_words():
    text = str(plan_ahead(0.95, 0.2, errors=9, n=90, candidate=2, labels_per_day=40))
    assert "not in reach while the error stays near 8.2 %; the target allows 5 %" in text
    assert "Without any further error it would still be 478 more audits" in text
    assert "the next candidate, number 3, starts anew and takes at least 160 audits" in text
    assert "typically" not in text
    assert "working day" not in text
    assert "number 2" not in str(plan_ahead(0.95, 0.2, error=0.1, training_labels=100))


def test_a_slow_end_beyond_the_horizon_is_said_in_words():
    plan = plan_ahead(0.95, 0.2, error=0.044, labels_per_day=100)
    assert plan.typically is not None
    assert plan.slow is None
    assert "at the slow end more than can be foreseen" in str(plan)
    assert plan.days[2] is None


def test_audits_that_may_suffice_are_left_to_the_verdict():
    plan = plan_ahead(0.95, 0.2, n=100, labels_per_day=40)
    assert (plan.at_least, plan.typically, plan.slow) == (0, 0, 0)
    assert str(plan).endswith("may need no further audit. Only a verdict can tell.")


def test_a_forecast_of_the_error_is_shown_and_changes_no_figure(forecast):
    with_it, without = plan_ahead(0.95, 0.2, forecast=forecast), plan_ahead(0.95, 0.2)
    assert str(with_it) == f"{without}\n\n{forecast}"
    one, other = with_it.to_dict(), without.to_dict()
    assert one.pop("forecast") == forecast.to_dict()
    assert other.pop("forecast") is None
    assert one == other


def test_a_plan_claims_nothing():
    for plan in (plan_ahead(0.95, 0.2), plan_ahead(0.95, 0.2, errors=9, n=90), plan_ahead(0.95, 0.2, n=500)):
        words = str(plan).lower()
        for claim in ("certif", "advance", "proved", "safe", "guarantee", "passed", "achieved"):
            assert claim not in words


def test_planning_can_not_reach_a_verdict():
    code = (
        "import sys, bootstrap.planning;"
        "found = [name for name in sys.modules if name.startswith(('bootstrap.phaseout', 'bootstrap.loop'))];"
        "heavy = {'modAL', 'sklearn', 'pandas', 'matplotlib', 'rich'} & set(sys.modules);"
        "sys.exit(f'loaded {found} {heavy}' if found or heavy else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ({"target_accuracy": 1.0}, "target_accuracy must be between 0 and 1"),
        ({"review_rate": 1.0}, "nothing has to be certified"),
        ({"review_rate": -0.1}, "review_rate must be a share"),
        ({"delta": 0.0}, "delta must be between 0 and 1"),
        ({"candidate": 0}, "numbered from 1"),
        ({"training_labels": -1}, "training_labels is 0 or more"),
        ({"labels_per_day": 0}, "labels_per_day must be above 0"),
        ({"labels_per_day": math.nan}, "labels_per_day must be above 0"),
        ({"errors": 2, "n": 1}, "errors at most n"),
        ({"error": 1.1}, "error must be a share"),
    ],
)
def test_what_cannot_be_is_refused(call, found):
    with pytest.raises(InvalidInput, match=found):
        plan_ahead(**{"target_accuracy": 0.95, "review_rate": 0.2} | call)
