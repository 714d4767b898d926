"""Settings are checked once, and say what would be right."""

from __future__ import annotations

import dataclasses
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.errors import InvalidInput
from bootstrap.settings import Settings

GOOD = {
    "batch_size": 20,
    "review_rate": 0.2,
    "target_accuracy": 0.95,
    "target_of": "alone",
    "delta": 0.05,
    "held_out": 0.2,
    "audit_share": 0.2,
    "random_share": 0.0,
    "people_error": None,
    "targets": None,
    "asked_twice": 0.0,
    "traps": None,
    "tested_before": 0,
    "name": "default",
    "random_state": None,
    "n_jobs": None,
    "overlap": 1,
}


def refusal(**changes) -> str:
    with pytest.raises(InvalidInput) as caught:
        Settings(**GOOD | changes)
    return str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"batch_size": 1},
        {"batch_size": np.int64(5)},
        {"review_rate": 0},
        {"review_rate": 1},
        {"review_rate": np.float32(0.5)},
        {"review_rate": Fraction(1, 3)},
        {"target_of": "system", "people_error": 0.02},
        {"people_error": 0},
        {"held_out": 0, "audit_share": 0},
        {"audit_share": 3},
        {"random_state": 0},
        {"random_state": np.uint32(7)},
        {"n_jobs": -1},
        {"n_jobs": 4},
    ],
    ids=repr,
)
def test_good_settings_are_kept_as_they_are(changes):
    settings = Settings(**GOOD | changes)
    assert {
        field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)
    } == GOOD | changes


@pytest.mark.parametrize("name", ["review_rate", "target_accuracy", "delta", "held_out", "people_error"])
@pytest.mark.parametrize(
    "value",
    [-0.1, 1.1, math.nan, math.inf, "0.2", True, np.array([0.2, 0.3]), [0.2], 0.2j, Decimal("0.2")],
    ids=repr,
)
def test_a_share_outside_zero_to_one_is_refused(name, value):
    message = refusal(**{name: value})
    assert message.startswith(f"{name} is a share in ")
    assert f"got {value!r}" in message


@pytest.mark.parametrize(
    ("name", "ends", "interval"),
    [("delta", [0, 1], "(0, 1)"), ("held_out", [1], "[0, 1)"), ("target_accuracy", [0], "(0, 1]")],
)
def test_the_ends_that_make_no_sense_are_refused(name, ends, interval):
    for end in ends:
        assert f"{name} is a share in {interval}, got {end}" in refusal(**{name: end})


def test_a_percentage_gets_the_share_suggested():
    assert refusal(review_rate=20).endswith("got 20; did you mean 0.2?")
    assert refusal(target_accuracy=97.5).endswith("did you mean 0.975?")
    assert "did you mean" not in refusal(review_rate=200)
    assert "did you mean" not in refusal(review_rate=-1)


def test_none_is_a_value_of_the_peoples_error_only():
    assert "review_rate is a share" in refusal(review_rate=None)


@pytest.mark.parametrize("value", [1, 1.0, np.float64(1.0)])
def test_a_target_of_one_is_refused_with_the_reason(value):
    message = refusal(target_accuracy=value)
    assert "can't be shown by any number of audits" in message
    assert "such as 0.99" in message


@pytest.mark.parametrize("value", ["both", None, 0.9])
def test_a_target_of_something_else_is_refused(value):
    assert 'target_of is "alone"' in refusal(target_of=value)


@pytest.mark.parametrize("value", [0, -1, 20.0, "20", None, True, np.True_])
def test_a_batch_size_is_a_whole_number_of_at_least_one(value):
    assert f"batch_size is a whole number of at least 1, got {value!r}" in refusal(batch_size=value)


@pytest.mark.parametrize("value", [-1, 0.5, "7", True])
def test_a_random_state_is_a_whole_number_of_at_least_zero(value):
    assert f"random_state is a whole number of at least 0, got {value!r}" in refusal(random_state=value)


@pytest.mark.parametrize("value", [-0.2, math.nan, math.inf, "often", None, True])
def test_an_audit_share_is_a_number_of_audits_for_each_query(value):
    assert "audits for each training query, such as 0.2" in refusal(audit_share=value)


def test_auto_is_an_audit_share_with_a_floor():
    auto, fixed = Settings(**GOOD | {"audit_share": "auto"}), Settings(**GOOD)
    assert (auto.is_auto, auto.audits_due(100)) == (True, 10)
    assert (fixed.is_auto, fixed.audits_due(100)) == (False, 20)
    assert "set audit_share=0 too" in refusal(held_out=0, audit_share="auto")


def test_claims_and_rates_to_be_tested_follow_from_the_settings():
    settings = Settings(**GOOD | {"targets": {"spam": {"recall": 0.9}}, "review_rate": 0.1})
    assert [str(claim.about) for claim in settings.claims] == ["alone", "recall"]
    assert settings.ladder[0] == 0.1
    assert list(settings.ladder) == sorted(settings.ladder, reverse=True)
    assert settings.ladder[-1] == 0.0


@pytest.mark.parametrize("targets", [{"spam": {"recall": 2}}, {"spam": {"speed": 0.5}}, [0.9], {"spam": 0.9}])
def test_targets_by_class_are_checked_at_once(targets):
    refusal(targets=targets)


@pytest.mark.parametrize("traps", [(3,), (5, 3), (0, 0), (1.0, 2.0), "ab", (True, True), (-1, 3)])
def test_traps_are_two_counts(traps):
    assert "traps is (caught, shown)" in refusal(traps=traps)


@pytest.mark.parametrize("value", [-0.1, 1.1, None, "some"])
def test_the_share_that_is_asked_twice_is_a_share(value):
    assert "asked_twice is a share in [0, 1]" in refusal(asked_twice=value)


def test_audits_of_nothing_held_out_are_refused_with_both_ways_out():
    message = refusal(held_out=0)
    assert "set audit_share=0 too" in message
    assert "keep a held-out share such as 0.2" in message


@pytest.mark.parametrize("value", [0, 1.5, "all", True])
def test_a_number_of_jobs_is_a_whole_number_other_than_zero(value):
    assert "n_jobs is None, a number of workers, or -1 for all" in refusal(n_jobs=value)


@pytest.mark.parametrize("value", ["", None, 7, b"name"])
def test_a_name_is_a_non_empty_string(value):
    assert "name is a non-empty string" in refusal(name=value)


def test_settings_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings(**GOOD).batch_size = 3


@given(
    st.integers(1, 50), st.sampled_from([0, 0.01, 0.05, 0.1, 0.2, 1 / 3, 0.7, 1, 2.5]), st.integers(0, 300)
)
def test_audits_keep_their_share_over_any_number_of_asks(batch_size, audit_share, n_asks):
    settings = Settings(**GOOD | {"batch_size": batch_size, "audit_share": audit_share})
    due = [settings.audits_due(batch_size * i) for i in range(n_asks)]
    for i, n in enumerate(due):
        exact = audit_share * batch_size * i
        assert exact - 1 < n <= exact + 1e-6
    assert due == sorted(due)


def test_a_share_that_is_inexact_in_binary_does_not_lose_an_audit():
    settings = Settings(**GOOD | {"batch_size": 1, "audit_share": 0.1})
    assert [settings.audits_due(i) for i in (9, 10, 19, 20, 29, 30)] == [0, 1, 1, 2, 2, 3]
