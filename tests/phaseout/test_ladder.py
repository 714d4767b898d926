"""The review rates that are tested."""

from __future__ import annotations

import math

import pytest

from bootstrap.errors import InvalidInput
from bootstrap.phaseout import LADDER, ladder_below, worth_testing


def test_the_ladder_begins_at_the_review_rate_of_the_pool():
    assert ladder_below(0.2) == (0.2, 0.15, 0.1, 0.05, 0.02, 0.0)
    assert ladder_below(0.0) == (0.0,)


def test_a_review_rate_of_one_begins_at_the_top():
    assert ladder_below(1.0) == LADDER


@pytest.mark.parametrize("rate", [-0.1, 1.1, math.nan])
def test_a_rate_that_is_no_share_is_refused(rate):
    with pytest.raises(InvalidInput, match="share in \\[0, 1\\]"):
        ladder_below(rate)


def test_rungs_on_which_even_flawless_audits_prove_nothing_are_skipped():
    # ln(0.05) / ln(0.95) = 58.4 audits where the model decides alone
    assert worth_testing((0.5, 0.3, 0.1), (0.2, 0.58, 0.59), 100, 0.05, 0.05) == (0.1,)
    assert worth_testing((0.5,), (0.585,), 100, 0.05, 0.05) == (0.5,)


def test_nothing_is_worth_testing_where_the_target_is_out_of_reach():
    assert worth_testing((0.5,), (1.0,), 10**6, 0.0, 0.05) == ()
