"""When to stop: each condition's reason, and what `|` and `&` make of them."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from bootstrap.errors import InvalidInput
from bootstrap.stopping import (
    AllOf,
    AnyOf,
    Certified,
    LabelsSpent,
    NoProgress,
    RoundsDone,
    StopCondition,
    TimeSpent,
    When,
)


@dataclass
class FakeLoop:
    n_labels: int = 0
    history: list = field(default_factory=list)


def loop_with(*accuracies: float | None) -> FakeLoop:
    return FakeLoop(history=[SimpleNamespace(accuracy=accuracy) for accuracy in accuracies])


class FakeClock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Counted(StopCondition):
    """Gives its reason, and counts what it was asked to do."""

    def __init__(self, answer: str | None) -> None:
        self.answer = answer
        self.started = self.asked = 0

    def start(self, loop) -> None:
        self.started += 1

    def reason(self, loop) -> str | None:
        self.asked += 1
        return self.answer


def test_labels_spent_stops_at_the_number():
    condition = LabelsSpent(100)
    assert condition.reason(FakeLoop(99)) is None
    assert condition.reason(FakeLoop(100)) == "100 of 100 labels spent"
    assert condition.reason(FakeLoop(104)) == "104 of 100 labels spent"


def test_rounds_done_stops_at_the_number():
    condition = RoundsDone(2)
    assert condition.reason(loop_with(0.5)) is None
    assert condition.reason(loop_with(0.5, 0.6)) == "2 of 2 rounds done"


@pytest.mark.parametrize(
    ("wanted", "rate", "stops"),
    [
        (None, 1.0, False),
        (None, 0.2, True),  # the loop's own review rate is 0.2
        (None, 0.3, False),
        (0.1, 0.2, False),
        (0.1, 0.05, True),
        (0, 0.0, True),
        (1.0, 1.0, False),  # that people decide everything is no certificate
    ],
)
def test_certified_stops_at_the_rate_or_below(wanted, rate, stops):
    loop = SimpleNamespace(certified_review_rate=rate, history=SimpleNamespace(review_rate=0.2))
    reason = Certified(wanted).reason(loop)
    assert reason == (f"a review rate of {rate:g} is certified" if stops else None)


@pytest.mark.parametrize("rate", [-0.1, 1.5, "0.2", True, np.nan])
def test_certified_needs_a_share(rate):
    with pytest.raises(InvalidInput, match="Certified needs a review rate"):
        Certified(rate)


def test_no_progress_looks_at_the_best_so_far():
    condition = NoProgress(rounds=2, at_least=0.01)
    assert condition.reason(loop_with()) is None
    assert condition.reason(loop_with(0.8, 0.7)) is None  # nothing to compare with yet
    assert condition.reason(loop_with(0.8, 0.7, 0.82)) is None
    assert condition.reason(loop_with(0.8, 0.81, 0.805)) is None  # exactly enough
    assert condition.reason(loop_with(0.8, 0.79, 0.805)) == (
        "the model's estimated accuracy rose by 0.005 in 2 rounds"
    )


def test_no_progress_does_not_report_a_fall_as_a_rise():
    reason = NoProgress(rounds=1).reason(loop_with(0.8, 0.7))
    assert reason == "the model's estimated accuracy rose by 0.000 in 1 rounds"


def test_no_progress_passes_over_rounds_that_were_not_measured():
    condition = NoProgress(rounds=1, at_least=0.0)
    assert condition.reason(loop_with(None, None, 0.8)) is None
    assert condition.reason(loop_with(None, 0.8, None, 0.7)) is not None


def test_time_spent_counts_from_the_start_of_the_run():
    clock = FakeClock()
    condition = TimeSpent(60, clock=clock)
    clock.now = 200.0
    condition.start(FakeLoop())
    clock.now = 259.9
    assert condition.reason(FakeLoop()) is None
    clock.now = 260.0
    assert condition.reason(FakeLoop()) == "60 seconds spent"
    condition.start(FakeLoop())
    assert condition.reason(FakeLoop()) is None


def test_time_spent_counts_from_its_making_where_nothing_started_it():
    clock = FakeClock()
    condition = TimeSpent(0.5, clock=clock)
    clock.now += 0.5
    assert condition.reason(FakeLoop()) is not None


def test_time_spent_has_a_clock_of_its_own():
    condition = TimeSpent(1e9)
    condition.start(FakeLoop())
    assert condition.reason(FakeLoop()) is None


def no_money_left(loop) -> bool:
    return loop.n_labels > 10


def test_when_stops_for_anything_true_and_tells_why():
    assert When(no_money_left).reason(FakeLoop(10)) is None
    assert When(no_money_left).reason(FakeLoop(11)) == "no_money_left holds"
    assert When(lambda loop: "the money is spent").reason(FakeLoop()) == "the money is spent"
    assert When(lambda loop: np.bool_(True)).reason(FakeLoop()) == "<lambda> holds"
    assert When(functools.partial(no_money_left)).reason(FakeLoop(11)) == "a condition holds"
    for nothing in (None, "", 0, np.bool_(False)):
        assert When(lambda loop, nothing=nothing: nothing).reason(FakeLoop()) is None


@pytest.mark.parametrize(
    ("one", "other", "either", "both"),
    [
        (None, None, None, None),
        ("a", None, "a", None),
        (None, "b", "b", None),
        ("a", "b", "a", "a and b"),
    ],
)
def test_or_stops_when_either_does_and_and_when_both_do(one, other, either, both):
    assert (Counted(one) | Counted(other)).reason(FakeLoop()) == either
    assert (Counted(one) & Counted(other)).reason(FakeLoop()) == both


def test_conditions_can_be_nested():
    condition = (Counted("a") & Counted(None)) | (Counted("b") & Counted("c"))
    assert condition.reason(FakeLoop()) == "b and c"


def test_every_joined_condition_is_started():
    parts = [Counted(None) for _ in range(3)]
    ((parts[0] | parts[1]) & parts[2]).start(FakeLoop())
    assert [part.started for part in parts] == [1, 1, 1]


def test_or_asks_no_further_than_the_first_reason():
    later = Counted("b")
    assert AnyOf(Counted("a"), later).reason(FakeLoop()) == "a"
    assert later.asked == 0


def test_no_condition_at_all_never_stops():
    assert AnyOf().reason(FakeLoop()) is None
    assert AllOf().reason(FakeLoop()) is None


def test_a_condition_of_ones_own_needs_a_reason():
    own = StopCondition()
    own.start(FakeLoop())  # nothing to do by default
    with pytest.raises(NotImplementedError):
        own.reason(FakeLoop())


@pytest.mark.parametrize("other", [no_money_left, 5, None, "LabelsSpent"])
def test_joining_something_else_is_refused_with_the_cure(other):
    for join in (lambda: LabelsSpent(1) | other, lambda: LabelsSpent(1) & other):
        with pytest.raises(
            InvalidInput, match=r"is not a stop condition: wrap a function of the loop in When"
        ):
            join()


@pytest.mark.parametrize("kind", [LabelsSpent, RoundsDone, NoProgress])
@pytest.mark.parametrize("n", [0, -5, 2.0, "10", None, True])
def test_a_number_is_a_whole_one_of_at_least_one(kind, n):
    with pytest.raises(InvalidInput, match=f"{kind.__name__} needs a whole number of at least 1, got {n!r}"):
        kind(n)


def test_numpys_whole_numbers_are_whole_numbers():
    assert LabelsSpent(np.int64(3)).reason(FakeLoop(3)) == "3 of 3 labels spent"


@pytest.mark.parametrize("at_least", [-0.1, 1.1, float("nan"), "0.1", None])
def test_progress_is_a_share(at_least):
    with pytest.raises(InvalidInput, match="at_least as a share"):
        NoProgress(at_least=at_least)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "60", None, True])
def test_time_is_a_positive_number_of_seconds(seconds):
    with pytest.raises(InvalidInput, match="a positive number of seconds"):
        TimeSpent(seconds)


def test_when_needs_a_function():
    with pytest.raises(InvalidInput, match=r"When needs a function of the loop, got 0\.95"):
        When(0.95)
