"""Items that are added after audits had begun: those whose turn has passed come first."""

from __future__ import annotations

import numpy as np
import pytest

from bootstrap import BootstrapLoop
from bootstrap.class_changes import ClassChange
from bootstrap.errors import NotReady
from bootstrap.pool import Place


def truth(query) -> str:
    return "big" if float(query.item[0]) > 5 else "small"


def numbers(n: int, start: float) -> np.ndarray:
    return np.linspace(start, start + 10, n).reshape(-1, 1)


def a_round(loop: BootstrapLoop, answer=truth) -> None:
    loop.tell({query.id: answer(query) for query in loop.ask()}, by="Ann")
    loop.refit()


def renamed(query) -> str:
    return {"big": "large", "small": "small"}[truth(query)]


def candidates(loop: BootstrapLoop) -> list:
    return loop._certifying.trial.candidates


def test_items_added_late_are_tested_on_anew_once_those_whose_turn_has_passed_are_audited(
    with_a_candidate, border
):
    loop = with_a_candidate(audit_share=1.0)
    first = candidates(loop)[0]
    loop.add(numbers(200, start=0.01), ids=[f"late {i}" for i in range(200)])
    a_round(loop)
    again = candidates(loop)[-1]
    assert (again.number, again.n_trained) == (2, first.n_trained)
    assert first.closed
    assert len(again.predictions.rows) > len(first.predictions.rows) - 1
    assert loop._certifying.trial.catching_up
    assert "of them have to be audited before anything is certified for all" in loop.verdict().reason
    with pytest.raises(NotReady, match="come first"):
        loop.candidate(border)
    while loop._certifying.trial.catching_up:
        assert not again.rungs[0].certified
        a_round(loop)
    audited = loop._pool.rows(Place.AUDITED)
    waiting = loop._pool.rows(Place.HELD_OUT)
    passed = max(loop._pool.turn(row) for row in audited)
    assert all(loop._pool.turn(row) > passed for row in waiting)  # a random part of all items again
    assert again.rungs[0].n_audited == len(audited)


def test_a_certificate_from_before_items_were_added_says_so(a_loop):
    loop = a_loop(audit_share=2.0, target_accuracy=0.7, n=400)
    while loop.certified_review_rate == 1.0:
        a_round(loop)
    loop.add(numbers(200, start=0.01), ids=[f"late {i}" for i in range(200)])
    assert loop.verdict().reason.startswith("Items were added since this was certified")


def test_late_items_that_still_wait_when_the_classes_are_changed_are_evidence_for_nothing(with_a_candidate):
    """They come first, so that they would be no random part of the audits from then on."""
    loop = with_a_candidate(audit_share=1.0)
    loop.add(numbers(200, start=0.01), ids=[f"late {i}" for i in range(200)])
    a_round(loop)
    certifying, pool = loop._certifying, loop._pool
    assert certifying.trial.catching_up
    passed = pool.last_turn(Place.HELD_OUT)
    late = [row for row in pool.rows(Place.HELD_OUT).tolist() if pool.turn(row) <= passed]
    assert late
    before = pool.rows(Place.AUDITED)
    loop._change_classes(ClassChange.of(rename={"big": "large"}))
    assert not certifying.trial.catching_up
    assert [row for row in range(pool.n_rows) if certifying.is_apart(row)] == late
    assert certifying.waits_for_apart
    certifying.next_candidate_at = 20
    while not certifying.trial.present or certifying.waits_for_apart:
        a_round(loop, renamed)
    audited = set(pool.rows(Place.AUDITED).tolist())
    assert set(late) <= audited
    a_round(loop, renamed)
    assert certifying.trial.present.rungs[0].n_audited == pool.count(Place.AUDITED) - len(late) - len(before)
