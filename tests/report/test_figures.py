"""Numbers for people never look better than they are."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.report.figures import about_percent, count, interval, percent, share

shares = st.floats(0, 1)


def test_an_accuracy_just_below_the_target_does_not_read_as_the_target():
    assert share(0.9499999) == "0.949"
    assert share(0.95) == "0.950"
    assert share(0.29) == "0.290"  # 0.29 * 1000 is below 290 in floats


@given(shares, shares)
def test_an_interval_is_rounded_outwards(one, other):
    low, high = sorted((one, other))
    shown_low, shown_high = map(float, interval(low, high).split("–"))
    assert low - 0.001 <= shown_low <= low + 1e-8
    assert high - 1e-8 <= shown_high <= high + 0.001


@pytest.mark.parametrize("nothing", [None, math.nan])
def test_what_is_not_measured_is_a_dash(nothing):
    assert share(nothing) == interval(nothing, 0.5) == interval(0.5, nothing) == "–"
    assert about_percent(None) == "–"


@pytest.mark.parametrize(
    ("rate", "text"), [(0.2, "20 %"), (0.07, "7 %"), (0.125, "12.5 %"), (0.0, "0 %"), (1.0, "100 %")]
)
def test_a_rate_reads_as_it_was_set(rate, text):
    assert percent(rate) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0.0, "0 %"), (0.004, "<1 %"), (0.333, "33 %"), (0.996, ">99 %"), (1.0, "100 %"), (0.99, "99 %")],
)
def test_an_estimated_rate_is_none_or_all_only_where_it_is(rate, text):
    assert about_percent(rate) == text


def test_counts_agree_with_their_nouns():
    assert count(1, "label") == "1 label"
    assert count(0, "label") == "0 labels"
    assert count(1200, "query was", "queries were") == "1,200 queries were"
