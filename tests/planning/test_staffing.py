"""The present pace, and the days that labels take at it."""

from __future__ import annotations

import math

import pytest

from bootstrap.errors import InvalidInput
from bootstrap.planning import days_needed, labels_per_day

DAY = 86_400


def test_the_pace_is_the_median_over_the_days_on_which_anybody_labeled():
    at = [0, 1, 2, DAY, DAY + 1, DAY + 2, DAY + 3, 9 * DAY + 5, 9 * DAY + 6]  # 3, 4 and 2 labels
    assert labels_per_day(at) == 3.0
    assert labels_per_day(at[::-1]) == 3.0
    assert labels_per_day([*at, 30 * DAY]) == 2.5


def test_a_long_pause_changes_nothing():
    assert labels_per_day([0, 1, DAY, DAY + 1]) == labels_per_day([0, 1, 365 * DAY, 365 * DAY + 1]) == 2.0


@pytest.mark.parametrize("at", [[], [5.0], [0, 1, 2, DAY - 1]])
def test_fewer_than_two_days_show_no_pace(at):
    assert labels_per_day(at) is None


@pytest.mark.parametrize(("at", "found"), [([0, math.nan], "NaN or infinite"), (["noon"], "seconds since")])
def test_times_that_are_none_are_refused(at, found):
    with pytest.raises(InvalidInput, match=found):
        labels_per_day(at)


@pytest.mark.parametrize(
    ("labels", "pace", "days"), [(0, 40, 0), (1, 40, 1), (80, 40, 2), (81, 40, 3), (3, 0.5, 6)]
)
def test_a_day_begun_counts_whole(labels, pace, days):
    assert days_needed(labels, pace) == days


@pytest.mark.parametrize(("labels", "pace"), [(-1, 40), (10, 0), (10, -1), (10, math.inf), (10, math.nan)])
def test_paces_and_labels_that_cannot_be_are_refused(labels, pace):
    with pytest.raises(InvalidInput, match="0 or more and the pace a finite number above 0"):
        days_needed(labels, pace)
