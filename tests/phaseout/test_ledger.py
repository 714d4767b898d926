"""The ledger: whatever is tried, all candidates together spend no more than delta."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.errors import InvalidInput
from bootstrap.phaseout import Ledger


@given(st.floats(1e-6, 0.999), st.integers(1, 300))
def test_all_candidates_together_never_spend_more_than_delta(delta, n):
    ledger = Ledger(delta)
    shares = [ledger.draw()[1] for _ in range(n)]
    assert math.fsum(shares) == pytest.approx(delta * n / (n + 1))
    assert math.fsum(shares) < delta


def test_numbers_count_up_and_each_share_is_smaller():
    ledger = Ledger(0.05)
    assert [ledger.draw() for _ in range(3)] == [
        (1, pytest.approx(0.025)),
        (2, pytest.approx(0.05 / 6)),
        (3, pytest.approx(0.05 / 12)),
    ]


def test_a_continued_ledger_goes_on_where_it_was():
    ledger = Ledger(0.05, n_drawn=4)
    assert ledger.draw() == (5, Ledger(0.05).share(5))
    assert ledger.n_drawn == 5


@pytest.mark.parametrize("delta", [0.0, 1.0, -0.1, math.nan])
def test_delta_has_to_be_a_share(delta):
    with pytest.raises(InvalidInput, match="is a share in"):
        Ledger(delta)


def test_a_negative_count_is_refused():
    with pytest.raises(InvalidInput, match="counts the candidates"):
        Ledger(0.05, n_drawn=-1)
