"""Phase-outs of traffic in worlds with known truth: logged probabilities, late labels, a floor of audits.

"At most delta + 3 sd" is as in test_simulate: at most 11 of 100 seeds, which a candidate that errs with the
.025 it may spend exceeds with probability 8e-6.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from bootstrap.errors import InvalidInput
from bootstrap.measuring import RatesEvidence
from bootstrap.testing import (
    DelayedLabels,
    Duplicates,
    Flat,
    SuddenDrop,
    TrafficRun,
    TrafficSettings,
    simulate_traffic,
)

SEEDS = range(100)
BOUNDARY = Flat.at_boundary(0.2, steepness=0.0)
STEP = TrafficSettings(ladder=(0.2,), present_rate=0.5, n_arrivals=4000)
LATE = DelayedLabels(error=0.05, steepness=0.0, mean_delay=100.0, times_if_wrong=10.0)


def at_most(n: int, delta: float = 0.05) -> float:
    return delta + 3.0 * math.sqrt(delta * (1.0 - delta) / n)


def changed(**settings: object) -> TrafficSettings:
    """STEP with other settings."""
    given = {name: getattr(STEP, name) for name in TrafficSettings.__slots__}
    return TrafficSettings(**(given | settings))


def test_at_the_boundary_certificates_are_false_with_delta_at_most() -> None:
    """At most delta + 3 sd."""
    assert simulate_traffic(BOUNDARY, STEP, SEEDS).false_share <= at_most(len(SEEDS))


def test_replayed_and_live_audits_with_late_labels_hold_at_the_boundary() -> None:
    """At most delta + 3 sd."""
    simulation = simulate_traffic(LATE, changed(n_replayed=500), SEEDS)

    assert simulation.false_share <= at_most(len(SEEDS))


def test_the_step_from_a_half_to_a_fifth_takes_at_most_160_audits() -> None:
    """Median over 100 seeds; the middle one is about 146, with a standard error of about 8.

    Half of the error that is allowed, a confidence that is calibrated, and a candidate that spends .05.
    """
    world = Flat(error=0.025 / 0.8**2, steepness=2.0)
    simulation = simulate_traffic(world, changed(delta=0.1, n_arrivals=10_000), range(100))

    assert world.true_error(0.2) == pytest.approx(0.025)
    assert all(c.delta == 0.05 for run in simulation.runs for c in run.certificates)
    assert simulation.false_share == 0.0
    assert simulation.median("audits_until_certified") <= 160


def test_labels_that_come_late_and_out_of_order_give_the_same_evidence() -> None:
    settings = changed(n_arrivals=1500, delta=1e-9)  # no step is made, so that all is routed alike
    in_time = DelayedLabels(error=0.05, steepness=0.0, mean_delay=0.0)
    late, same = (simulate_traffic(world, settings, range(10)).runs for world in (LATE, in_time))

    assert [run.log_e for run in late] == [run.log_e for run in same]
    assert len({run.log_e for run in late}) == 10


def test_counting_a_pending_audit_as_unaudited_fails_where_waiting_for_it_does_not() -> None:
    """Half of the arrivals are audited, and what takes longer than 200 arrivals is forgotten or not.

    Forgotten, nearly every seed is falsely certified: below .5 of 100 with probability below 1e-9. Else
    at most delta + 3 sd (11), which one that errs in .025 exceeds with 8e-6.
    """
    false = {"forgotten": 0, "waited for": 0}
    for seed in range(100):
        rng = np.random.default_rng(seed)
        items = LATE.draw(3000, rng)
        asked = rng.random(len(items)) < 0.5
        for name, answered in (("forgotten", asked & (items.delay < 200)), ("waited for", asked)):
            evidence = RatesEvidence([0.4], alpha=0.05, smallest_probability=0.5)
            evidence.update(items.confidence, items.wrong, answered, np.full(len(items), 0.5))
            false[name] += evidence.highest_log_e[0] >= -math.log(0.025)

    assert LATE.review_rate_at(0.4) == pytest.approx(0.2)
    assert false["forgotten"] > 50
    assert false["waited for"] <= 100 * at_most(100)


def test_of_a_ladder_only_the_steps_that_the_truth_allows_are_made() -> None:
    """At most delta + 3 sd of 40 seeds (6): 6e-5 for a candidate that spends .025."""
    world = Flat.at_boundary(0.21, steepness=4.0)
    settings = TrafficSettings(ladder=(0.5, 0.4, 0.3, 0.2, 0.1), n_arrivals=8000)
    simulation = simulate_traffic(world, settings, range(40))

    assert simulation.false_share <= at_most(40)
    assert np.mean([run.lowest_certified_rate <= 0.3 for run in simulation.runs]) > 0.5
    assert all(run.review_rate == run.lowest_certified_rate for run in simulation.runs)


def test_the_first_step_down_from_full_review_takes_no_audit() -> None:
    settings = TrafficSettings(ladder=(0.5,), n_arrivals=3000)
    simulation = simulate_traffic(Flat(error=0.02), settings, range(10))

    assert simulation.certified_share == 1.0
    assert simulation.median("audits_until_certified") == 0.0
    for run in simulation.runs:
        assert run.labels_until_certified % 50 == 0
        assert run.labels_until_certified < run.n_labels < 3000


def test_what_is_only_practised_can_be_certified_first() -> None:
    settings = TrafficSettings(ladder=(0.5, 0.2), present_rate=0.5, n_arrivals=6000)
    for run in simulate_traffic(Flat(error=0.02), settings, range(5)).runs:
        assert [certificate.review_rate for certificate in run.certificates] == [0.5, 0.2]


def test_a_replay_can_be_enough_before_anything_is_routed() -> None:
    (run,) = simulate_traffic(Flat(error=0.005), changed(n_replayed=3000), [1]).runs

    assert run.labels_until_certified == 3000
    assert run.audits_until_certified == 0


def test_an_alarm_ends_the_run_and_the_review_rate_rises() -> None:
    """The median is about 165 audits; 3 sd of the median of 40 are 75."""
    world = SuddenDrop(error=0.01, later=0.2, drop_at=3000)
    simulation = simulate_traffic(world, changed(n_arrivals=12_000), range(40))

    assert simulation.certified_share > 0.8
    assert simulation.false_alarm_share <= at_most(40)
    assert 60 < simulation.median("alarm_delay") < 280
    for run in simulation.runs:
        if run.n_certificates:
            assert run.review_rate == (0.2 if math.isnan(run.alarm_at) and not run.false_alarms else 1.0)


def test_a_false_alarm_is_counted_as_one() -> None:
    """With a delta of .9 and a horizon of 1 the first error audited raises it, and the target is met."""
    settings = changed(delta=0.9, alarm_horizon=1, n_arrivals=8000)
    simulation = simulate_traffic(Flat(error=0.04), settings, range(5))

    assert simulation.false_alarm_share == 1.0
    assert math.isinf(simulation.median("alarm_delay"))


def test_an_alarm_that_is_right_where_no_rise_is_known_has_no_delay() -> None:
    """The model is bad from the start; with a delta of .9 some seeds certify it, and it is found out."""
    settings = changed(delta=0.9, alarm_horizon=5, audit_rate=0.5)
    runs = simulate_traffic(Flat(error=0.06, steepness=0.0), settings, range(40)).runs
    found_out = [run for run in runs if not math.isnan(run.alarm_at)]

    assert found_out
    assert all(run.false_advances == 1 and math.isnan(run.alarm_delay) for run in found_out)


def test_every_answer_is_counted() -> None:
    everything = TrafficSettings(ladder=(0.2,), audit_rate=1.0, n_arrivals=500)
    (run,) = simulate_traffic(Flat(error=0.1), everything, [1]).runs
    (some,) = simulate_traffic(BOUNDARY, changed(n_arrivals=1000, n_replayed=100), [1]).runs

    assert isinstance(run, TrafficRun)
    assert run.n_labels == 500
    assert 100 + 500 + 10 < some.n_labels < 100 + 600 + 60


def test_copies_are_left_out() -> None:
    world = Duplicates(error=0.1, copies_if_right=4.0, copies_if_wrong=4.0)
    (run,) = simulate_traffic(world, TrafficSettings(ladder=(0.2,), n_arrivals=1000), [1]).runs

    assert 150 < run.n_labels < 250


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"target_accuracy": 0.0}, "target_accuracy"),
        ({"delta": 1.0}, "delta"),
        ({"present_rate": 1.2}, "present_rate"),
        ({"audit_rate": 0.0}, "audit_floor"),
        ({"ladder": (0.1, 0.2)}, "falling"),
        ({"ladder": (1.0, 0.2)}, "review rates in"),
        ({"present_rate": 0.1}, "not above the present rate"),
        ({"n_arrivals": 0}, "at least 1"),
        ({"n_recent": 0}, "at least 1"),
        ({"look_every": 0}, "at least 1"),
        ({"n_replayed": -1}, "0 or more"),
    ],
)
def test_settings_that_can_not_be_are_refused(settings: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        changed(**settings)


def test_no_seed_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one seed"):
        simulate_traffic(Flat(), STEP, [])
