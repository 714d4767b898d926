"""The candidates of a loop: what counts for them, when they come, and what a verdict says beside."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from bootstrap import BootstrapLoop
from bootstrap.errors import NotReady
from bootstrap.phaseout import Move
from bootstrap.pool import Place


def truth(query) -> str:
    return "big" if float(query.item[0]) > 5 else "small"


def a_round(loop: BootstrapLoop, answer=truth) -> None:
    loop.tell({query.id: answer(query) for query in loop.ask()}, by="Ann")
    loop.refit()


def candidates(loop: BootstrapLoop) -> list:
    return loop._certifying.trial.candidates


# what is evidence


def test_a_reserved_query_is_evidence_only_for_candidates_that_were_there_before_it(with_a_candidate):
    loop = with_a_candidate(n=600, batch_size=20, target_accuracy=0.97)
    while len(candidates(loop)) < 2:
        a_round(loop)
    reserved = [row for row in loop._pool.rows(Place.LABELED).tolist() if loop._pool.turn(row) < 1]
    assert all(loop._pool.home(row) is Place.RESERVED for row in reserved)
    first, second = candidates(loop)
    assert first.n_drawn == len(reserved) > 0
    assert second.n_drawn == 0


def test_an_item_that_was_out_when_a_model_was_frozen_gets_its_prediction_when_it_is_asked(
    with_a_candidate, border
):
    loop = with_a_candidate()
    row = int(loop._pool.next_reserved(1)[0])
    loop._pool.move(row, Place.ASKED)
    candidate = loop.candidate(border)
    assert row not in candidate.predictions.rows
    loop._pool.move(row, Place.RESERVED)
    loop._certifying.asked(np.array([row]))
    assert candidate.predictions.at(row) == candidates(loop)[0].predictions.at(row)


def test_given_blind_labels_of_held_out_items_count_in_random_order_and_others_never(with_a_candidate):
    loop = with_a_candidate(audit_share=0.1)
    before = candidates(loop)[0].rungs[-1].n_audited
    waiting = loop._pool.rows(Place.HELD_OUT)[:20].tolist()
    ids = [loop._pool.id(row) for row in waiting]
    labels = ["big" if loop._pool.item(row)[0] > 5 else "small" for row in waiting]
    loop.add_labels(ids[:10], labels[:10], blind=True)
    assert candidates(loop)[0].rungs[-1].n_audited == before + 10
    given = [label.id for label in loop.labels if label.source == "given"]
    assert given == sorted(ids[:10], key=lambda i: loop._pool.turn(loop._pool.row(i)))
    loop.add_labels(ids[10:], labels[10:])
    assert candidates(loop)[0].rungs[-1].n_audited == before + 10


def test_a_label_that_was_not_blind_ends_the_wait_for_an_audit_and_counts_as_wrong(
    with_a_candidate, next_audit
):
    loop = with_a_candidate(audit_share=0.5)
    first, others = next_audit(loop)
    rung = candidates(loop)[0].rungs[-1]
    n, errors = rung.n_audited, rung.main.errors
    loop.tell({query.id: truth(query) for query in others})
    assert rung.n_audited == n  # all wait for the first
    loop.add_labels([first.id], [truth(first)])
    assert (rung.n_audited, rung.main.errors) == (n + 1 + len(others), errors + 1)
    assert loop._pool.place(loop._pool.row(first.id)) is Place.HELD_OUT_LABELED


def test_a_label_that_says_another_thing_later_changes_no_evidence(with_a_candidate, outcome):
    loop = with_a_candidate(audit_share=0.5)
    row = int(loop._pool.rows(Place.AUDITED)[0])
    before = outcome(loop)["tallies"]
    label = loop._exchange.labels.answer(row)
    told = loop.tell({loop._pool.id(row): {"big": "small", "small": "big"}[label]})
    assert told.extra == 1
    assert outcome(loop)["tallies"] == before


# candidates


def test_a_number_is_drawn_only_where_the_candidate_comes_about(with_a_candidate, border, monkeypatch):
    loop = with_a_candidate()
    certifying = loop._certifying
    with monkeypatch.context() as patch:
        patch.setattr(certifying, "_rungs", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            loop.candidate(border)
    assert certifying.ledger.n_drawn == 1
    assert loop.candidate(border).number == 2


def test_candidates_come_at_doublings_and_one_fit_that_passes_two_of_them_makes_one(a_loop):
    loop = a_loop(n=400, first_candidate=5, batch_size=25, audit_share=0.1)
    a_round(loop)
    assert [c.n_trained for c in candidates(loop)] == [25]
    assert loop._certifying.next_candidate_at == 40


def test_by_hand_only_what_is_asked_afterwards_counts(with_a_candidate, border):
    loop = with_a_candidate(audit_share=0.5)
    by_hand = loop.candidate([border, clone(border)])
    assert (by_hand.by_hand, by_hand.number, by_hand.name) == (True, 2, "a committee of 2 (Border, ...)")
    assert by_hand.rungs[-1].n_audited == 0
    a_round(loop)
    assert by_hand.rungs[-1].n_audited == 5


def test_without_a_held_out_set_the_verdict_says_what_to_do_and_no_candidate_is_tested(a_loop, border):
    loop = a_loop(held_out=0)
    for _ in range(4):
        a_round(loop)
    verdict = loop.verdict()
    assert verdict.move is Move.HOLD
    assert "held_out" in f"{verdict.reason} {verdict.next_step}"
    assert not loop._certifying.has_candidates
    with pytest.raises(NotReady, match=r"held_out=0\.2"):
        loop.candidate(border)


def test_a_loop_begun_anew_on_the_same_labels_goes_on_in_the_ledger(with_a_candidate):
    loop = with_a_candidate(tested_before=3)
    assert [c.number for c in candidates(loop)] == [4]
    assert candidates(loop)[0].delta == pytest.approx(0.05 / 20)


def test_a_verdict_says_which_items_it_is_not_about(a_loop):
    loop = a_loop()
    held_out = [item for item in loop._pool if loop.is_held_out(item)][:7]
    loop.add_labels(held_out, ["big"] * 7)
    while not loop._certifying.has_candidates:
        a_round(loop)
    assert loop.verdict().reason.startswith("7 held-out items came with labels that were not blind")
    known = [loop._pool.row(item) for item in held_out]
    assert not set(known) & set(loop._certifying._thresholds_from().tolist())
