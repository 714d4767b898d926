"""A loop over numbers, "small" up to 5 and "big" above, in which everything happens in no time."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from bootstrap import BootstrapLoop

N = 240


class Border(ClassifierMixin, BaseEstimator):
    """Decides by the middle between two class means of one number: fitted in no time."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.middle_ = np.mean([X[y == c, 0].mean() for c in self.classes_])
        return self

    def predict_proba(self, X):
        above = 1 / (1 + np.exp(-(X[:, 0] - self.middle_)))
        return np.column_stack([above, 1 - above])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def numbers(n: int = N, start: float = 0.0) -> np.ndarray:
    return np.linspace(start, start + 10, n).reshape(-1, 1)


def truth(query) -> str:
    return "big" if float(query.item[0]) > 5 else "small"


def nobody(queries) -> list:
    raise AssertionError("these tests use ask and tell")


@pytest.fixture
def border():
    """An estimator that is fitted in no time."""
    return Border()


@pytest.fixture
def a_loop():
    """``a_loop(n, first_candidate, **settings)``: a loop with items and no answer."""

    def build(n: int = N, first_candidate: int = 20, **changes) -> BootstrapLoop:
        chosen = {
            "batch_size": 10,
            "held_out": 0.5,
            "target_accuracy": 0.8,
            "random_share": 0.0 if "audit_share" in changes else 0.25,
            "random_state": 3,
        } | changes
        loop = BootstrapLoop(chosen.pop("estimator", Border()), **chosen)
        loop._certifying.next_candidate_at = first_candidate
        loop.add(numbers(n), ids=[f"item {i}" for i in range(n)])
        return loop

    return build


@pytest.fixture
def with_a_candidate(a_loop):
    """``with_a_candidate(answer, **settings)``: a loop that has just frozen its first candidate."""

    def build(answer=truth, **changes) -> BootstrapLoop:
        loop = a_loop(**changes)
        while not loop._certifying.has_candidates:
            loop.tell({query.id: answer(query) for query in loop.ask()}, by="Ann")
            loop.refit()
        return loop

    return build


@pytest.fixture
def next_audit():
    """``next_audit(loop)``: the audit that was asked first, and the others; all else is answered before."""

    def ask_until_one(loop: BootstrapLoop):
        while True:
            queries = loop.ask()
            assert queries
            audits = [query for query in queries if loop.is_held_out(query.id)]
            if audits:
                loop.tell({query.id: truth(query) for query in queries if query not in audits}, by="Ann")
                return audits[0], audits[1:]
            loop.tell({query.id: truth(query) for query in queries}, by="Ann")
            loop.refit()

    return ask_until_one


@pytest.fixture
def disputed_audit(with_a_candidate, next_audit):
    """``disputed_audit(**settings)``: (loop, its disputed audit, audits counted, how many wait behind it)."""

    def build(**changes):
        chosen = {
            "adjudicator": nobody,
            "audit_share": 0.5,
            "asked_twice": 0,
            "target_accuracy": 0.95,
        } | changes
        loop = with_a_candidate(**chosen)
        loop.tell_second({query.id: truth(query) for query in loop.ask_second()})
        first, others = next_audit(loop)
        n = loop._certifying.trial.candidates[0].rungs[-1].n_audited
        loop.tell({first.id: {"big": "small", "small": "big"}[truth(first)]}, by="Ann")
        loop.tell({query.id: truth(query) for query in others}, by="Ann")
        return loop, first, n, len(others)

    return build


@pytest.fixture
def outcome():
    """``outcome(loop)``: labels, certificates, evidence and rounds, to compare."""

    def read(loop: BootstrapLoop) -> dict:
        trial = loop._certifying.trial
        champion = trial.champion
        return {
            "labels": [(label.id, label.label, label.source, label.extra) for label in loop.labels],
            "n_labels": loop.n_labels,
            "certificates": [(c.candidate, c.review_rate, c.proved) for c in loop.certificates],
            "tallies": [
                [
                    (
                        rung.certified,
                        rung.n_audited,
                        *((t.errors, t.n, t.proved) for t in rung.tallies.values()),
                    )
                ]
                for candidate in trial.candidates
                for rung in candidate.rungs
            ],
            "champion": champion
            and (champion.candidate.number, champion.rung.review_rate, champion.alarm.n, champion.cursor),
            "ledger": loop._certifying.ledger.n_drawn,
            "numbers": [candidate.number for candidate in trial.candidates],
            "rate": loop.certified_review_rate,
            "rounds": list(dict.fromkeys((r.n_labels, r.certified_review_rate) for r in loop.history)),
        }

    return read
