"""Histories to look at: made up, but with the shape and the gaps of real ones."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from bootstrap.history import History
from bootstrap.measuring import error_interval
from bootstrap.records import Round

MakeHistory = Callable[..., History]


@pytest.fixture(autouse=True)
def _close_pyplots_figures():
    """Where another test has imported pyplot our figures are pyplot's, and it keeps them until closed."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def make_history() -> MakeHistory:
    """A function that makes a history: by default 12 rounds, the first of them without a measurement."""

    def make(
        n_rounds=12,
        *,
        measured_from=2,
        review_rate=0.2,
        target=0.95,
        target_of="alone",
        people_error=None,
        n_given=0,
        n_skipped=0,
        stop_reason=None,
        **last,
    ):
        rounds = [
            _round(i, measured_from, review_rate, people_error or 0.0, n_given, n_skipped)
            for i in range(1, n_rounds + 1)
        ]
        if last:
            rounds[-1] = Round(**rounds[-1].to_dict() | last)
        return History(tuple(rounds), review_rate, target, target_of, 0.05, people_error, stop_reason)

    return make


def _round(i, measured_from, review_rate, people_error, n_given, n_skipped):
    spent = {
        "round": i,
        "n_labels": 24 * i,
        "n_trained": 20 * i + n_given,
        "n_audited": 4 * i if i >= measured_from else 0,
        "n_given": n_given,
        "n_skipped": n_skipped,
        "n_classes": 10,
        "review_rate": review_rate,
    }
    if i < measured_from:
        return Round(**spent)
    n_alone = round(4 * i * (1 - review_rate))
    n_wrong = min(n_alone, 1 + i // 8)
    low, high = error_interval(n_wrong, n_alone, 0.05)
    running = error_interval(i, 4 * i, 0.05)

    def system(error):
        return 1 - (1 - review_rate) * error - review_rate * people_error

    return Round(
        **spent,
        realised_review_rate=review_rate,
        threshold=0.6,
        n_decided_alone=n_alone,
        n_wrong=n_wrong,
        accuracy=1 - (n_wrong + 1) / (4 * i),
        accuracy_at_review_rate=system(n_wrong / n_alone) if n_alone else 1 - people_error,
        accuracy_low=system(high),
        accuracy_high=system(low),
        running_low=1 - running[1],
        running_high=1 - running[0],
        selective_accuracy=1 - n_wrong / n_alone if n_alone else None,
        review_rate_for_target=max(0.0, 1 - i / 20),
    )
