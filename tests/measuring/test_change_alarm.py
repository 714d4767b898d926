"""The alarm: its reference figures, how seldom it is false, how soon it comes, and what it remembers."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.errors import InvalidInput
from bootstrap.measuring import ChangeAlarm

outcomes = st.lists(st.booleans(), max_size=60)


def test_the_reference_figures():
    alarm = ChangeAlarm(0.05, 2000)
    assert alarm.log_statistic == -math.inf
    alarm.update([True] * 5)
    assert alarm.log_statistic == pytest.approx(6.991587, abs=1e-6)
    alarm.update([False] * 20)
    assert alarm.log_statistic == pytest.approx(3.589823, abs=1e-6)


def test_one_audit_can_be_checked_by_hand():
    alarm = ChangeAlarm(0.4, 10, alternatives=(2, 3))  # 1.2 is no rate: (1 + 0.4) / 2 = 0.7 stands for it
    alarm.update(True)
    assert math.exp(alarm.log_statistic) == pytest.approx((0.8 / 0.4 + 0.7 / 0.4) / 2)
    alarm.update(False)
    assert math.exp(alarm.log_statistic) == pytest.approx((3 * 0.2 / 0.6 + 2.75 * 0.3 / 0.6) / 2)


def _log_statistics(errors, alpha, alternatives=(1.5, 2, 3, 5)):
    """The statistic after each audit of many runs, straight from its recursion."""
    rates = np.array([alpha * times if alpha * times < 1 else (1 + alpha) / 2 for times in alternatives])
    logs = np.full((len(errors), len(rates)), -np.inf)
    path = np.empty(errors.shape)
    for i, wrong in enumerate(errors.T):
        ratio = np.where(wrong[:, None], rates / alpha, (1 - rates) / (1 - alpha))
        logs = np.logaddexp(logs, 0.0) + np.log(ratio)
        path[:, i] = np.logaddexp.reduce(logs, axis=1) - math.log(len(rates))
    return path


@given(outcomes.filter(len), st.floats(0.001, 0.999))
def test_the_alarm_follows_its_recursion(errors, alpha):
    alarm = ChangeAlarm(alpha, 100)
    for wrong, expected in zip(errors, _log_statistics(np.array([errors]), alpha)[0], strict=True):
        alarm.update(wrong)
        assert alarm.log_statistic == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_false_alarms_are_as_seldom_as_promised():
    """1,000 runs of 2,000 audits at the allowed rate: alarms in at most 9 %.

    An alarm that is false with probability 0.05 fails this twice in 100 million.
    """
    rng = np.random.default_rng(20_250_304)
    paths = _log_statistics(rng.random((1000, 2000)) < 0.05, 0.05)
    assert (paths.max(axis=1) >= ChangeAlarm(0.05, 2000).log_level).mean() <= 0.09


@pytest.mark.parametrize(("risen", "most"), [(0.10, 340), (0.15, 130)])
def test_a_rise_is_found_in_time(risen, most):
    """500 runs: the median delay after a rise at audit 500 stays within `most`, about 256 and 88 expected.

    The median of 500 varies by less than 10 audits: right code fails this less than once in a million.
    """
    rng = np.random.default_rng(20_250_305)
    rate = np.where(np.arange(1500) < 500, 0.05, risen)
    alarms = _log_statistics(rng.random((500, 1500)) < rate, 0.05) >= ChangeAlarm(0.05, 2000).log_level
    late = alarms[~alarms[:, :500].any(axis=1), 500:]
    delay = np.where(late.any(axis=1), late.argmax(axis=1) + 1, 10**9)
    assert np.median(delay) <= most


@given(outcomes, outcomes, st.integers(1, 40), st.floats(0.01, 0.9))
def test_a_batch_is_the_same_as_one_by_one(before, batch, horizon, delta):
    together, alone = ChangeAlarm(0.2, horizon, delta), ChangeAlarm(0.2, horizon, delta)
    together.update(before)
    together.update(np.array(batch, dtype=bool))
    for wrong in before + batch:
        alone.update(wrong)
    assert together.to_dict() == alone.to_dict()
    assert together.log_statistic == alone.log_statistic


@given(outcomes, outcomes, st.integers(1, 40))
def test_through_json_it_goes_on_bit_by_bit(before, after, horizon):
    alarm = ChangeAlarm(0.1, horizon, 0.5, (2, 7.3))
    alarm.update(before)
    restored = ChangeAlarm.from_dict(json.loads(json.dumps(alarm.to_dict(), allow_nan=False)))
    assert restored.to_dict() == alarm.to_dict()
    alarm.update(after)
    restored.update(after)
    assert restored.to_dict() == alarm.to_dict()
    assert (restored.warned, restored.raised, restored.log_statistic) == (
        alarm.warned, alarm.raised, alarm.log_statistic,
    )  # fmt: skip


def test_it_warns_before_it_is_raised_and_stays_raised_until_reset():
    alarm = ChangeAlarm(0.05, 2000)
    alarm.update([True] * 4)
    assert (alarm.warned, alarm.raised) == (False, False)
    alarm.update(True)
    assert (alarm.warned, alarm.raised) == (True, False)
    alarm.update([True] * 3)
    assert alarm.log_statistic > alarm.log_level == pytest.approx(math.log(40_000))
    alarm.update([False] * 3000)
    assert alarm.log_statistic < 5
    assert (alarm.warned, alarm.raised) == (True, True)
    alarm.reset()
    assert (alarm.warned, alarm.raised, alarm.n, alarm.log_statistic) == (False, False, 0, -math.inf)
    assert alarm.to_dict() == ChangeAlarm(0.05, 2000).to_dict()


def test_a_warning_stays_within_its_horizon_and_ends_with_it():
    alarm = ChangeAlarm(0.05, 2000)
    alarm.update([True] * 5 + [False] * 1995)
    assert alarm.warned
    assert alarm.log_statistic < alarm.log_warning_level
    alarm.update(False)
    assert not alarm.warned


@pytest.mark.parametrize(("horizon", "level"), [(100, 200), (10**6, 1000)])
def test_the_softer_level_is_a_tenth_of_the_alarm_or_a_thousand(horizon, level):
    assert ChangeAlarm(0.05, horizon).log_warning_level == pytest.approx(math.log(level))


def test_after_a_horizon_it_restarts_and_says_where_it_stands():
    alarm, fresh = ChangeAlarm(0.05, 10), ChangeAlarm(0.05, 10)
    assert (alarm.n, alarm.horizons_begun, alarm.audits_left) == (0, 1, 10)
    alarm.update([True, False] * 5)
    assert (alarm.n, alarm.horizons_begun, alarm.audits_left) == (10, 1, 0)
    alarm.update(True)
    fresh.update(True)
    assert (alarm.n, alarm.horizons_begun, alarm.audits_left) == (11, 2, 9)
    assert alarm.log_statistic == fresh.log_statistic


def test_an_hour_of_errors_overflows_nothing():
    alarm = ChangeAlarm(0.05, 10**6)
    alarm.update(np.ones(100_000))
    # after the first few the largest alternative outgrows all others: five times an error
    assert alarm.log_statistic == pytest.approx(100_000 * math.log(5), rel=1e-4)
    alarm.update(np.zeros(1000, dtype=int))
    assert math.isfinite(alarm.log_statistic)
    assert alarm.raised


@pytest.mark.parametrize("error", [float("nan"), 2, "yes", [[True]], [True, None], -1])
def test_what_is_neither_true_nor_false_is_refused_and_changes_nothing(error):
    alarm = ChangeAlarm(0.05, 10)
    with pytest.raises(InvalidInput, match="error must be True or False"):
        alarm.update(error)
    assert alarm.n == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha": 0.0}, "alpha must be between 0 and 1"),
        ({"delta": 1.0}, "delta must be between 0 and 1"),
        ({"horizon": 0}, "horizon must be a whole number"),
        ({"horizon": 10.5}, "horizon must be a whole number"),
        ({"alternatives": ()}, "multiples of alpha above 1"),
        ({"alternatives": (1.0, 2)}, "multiples of alpha above 1"),
        ({"alternatives": (math.inf,)}, "multiples of alpha above 1"),
    ],
)
def test_settings_out_of_range_are_refused(change, message):
    with pytest.raises(InvalidInput, match=message):
        ChangeAlarm(**{"alpha": 0.05, "horizon": 10} | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logs": [1.0]}, "Pass back what to_dict"),
        ({"logs": None}, "after 3 audits"),
        ({"n": -3}, "after -3 audits"),
        ({"alpha": 7}, "alpha must be between"),
        ({"n": None}, "can't be read"),
    ],
)
def test_a_stored_state_that_does_not_fit_is_refused(change, message):
    alarm = ChangeAlarm(0.05, 10)
    alarm.update([True, False, False])
    with pytest.raises(InvalidInput, match=message):
        ChangeAlarm.from_dict(alarm.to_dict() | change)
    for name in alarm.to_dict():
        with pytest.raises(InvalidInput, match=f"has no '{name}'"):
            ChangeAlarm.from_dict({key: value for key, value in alarm.to_dict().items() if key != name})
