"""The last step of a loop: audits of the pool that is left, and what becomes of their labels."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from bootstrap import SKIP, BootstrapLoop
from bootstrap.errors import AnswersRejected, InvalidInput, NotReady
from bootstrap.pool import Place


def truth(query) -> str:
    return "big" if float(query.item[0]) > 5 else "small"


def a_loop(n: int = 200, rounds: int = 4, **changes) -> BootstrapLoop:
    chosen = {"batch_size": 10, "random_state": 1, "target_accuracy": 0.9} | changes
    loop = BootstrapLoop(LogisticRegression(), **chosen)
    loop.add(np.linspace(0, 10, n).reshape(-1, 1), ids=[f"item {i}" for i in range(n)])
    for _ in range(rounds):
        loop.tell({query.id: truth(query) for query in loop.ask()})
        loop.refit()
    return loop


def test_the_rest_of_a_pool_is_certified_and_its_labels_are_kept_by_the_loop():
    loop = a_loop()
    before = loop.n_labels
    closing = loop.close_pool()
    left = loop._pool.count(Place.AVAILABLE, Place.RESERVED, Place.HELD_OUT)
    assert closing.audit.size + len(closing.audit.to_review) == left
    told = 0
    while not closing.audit.proved:
        queries = closing.ask(5)
        told += closing.tell({query.token: truth(query) for query in queries}, by="Ann").kept
    assert str(closing).startswith("ADVANCE: of the")
    assert "LogisticRegression" in str(closing)
    assert loop.n_labels == before + told
    pool_labels = [label for label in loop.labels if label.source == "pool"]
    assert len(pool_labels) == told == closing.audit.n_audited
    assert {label.by for label in pool_labels} == {"Ann"}
    assert loop.refit().n_labels == before + told


def test_those_without_an_answer_come_again_and_an_answer_may_come_twice():
    loop = a_loop()
    closing = loop.close_pool()
    first = closing.ask(4)
    closing.tell({first[1].id: truth(first[1])})
    assert closing.audit.n_audited == 0
    assert [query.id for query in closing.ask(3)] == [first[0].id, *(query.id for query in first[2:])]
    assert closing.tell({first[1].id: truth(first[1])}).repeated == 1
    closing.tell({first[0].id: SKIP})
    assert (closing.audit.n_audited, closing.audit.n_wrong) == (2, 1)


def test_bad_answers_are_refused_and_the_good_ones_count():
    closing = a_loop().close_pool()
    first = closing.ask(1)[0]
    with pytest.raises(AnswersRejected, match="no item has the id"):
        closing.tell({"nobody": "big", first.id: truth(first)})
    assert closing.audit.n_audited == 1


def test_its_labels_are_never_asked_for_again_and_no_evidence_for_candidates():
    loop = a_loop(held_out=0.5)
    closing = loop.close_pool(0.0)
    queries = closing.ask(40)
    closing.tell({query.id: truth(query) for query in queries})
    told = {query.id for query in queries}
    held_out = {item for item in told if loop.is_held_out(item)}
    assert held_out
    assert held_out != told
    places = {loop._pool.place(loop._pool.row(item)) for item in told}
    assert places == {Place.HELD_OUT_LABELED, Place.LABELED}
    audited = loop.history[-1].n_audited
    assert loop.refit().n_audited == audited
    asked = set()
    while queries := loop.ask():
        asked |= {query.id for query in queries}
        loop.tell({query.id: truth(query) for query in queries})
        loop.refit()
    assert not asked & told
    trial = loop._certifying.trial
    assert not {loop._pool.row(item) for item in told} & {arrival.row for arrival in trial._arrivals}


def test_a_closed_pool_ends_the_tests_of_candidates_and_spends_a_number_of_the_ledger():
    loop = a_loop(held_out=0.5, audit_share=1.0)
    number = loop._certifying.ledger.n_drawn
    candidate = loop.candidate(LogisticRegression())
    loop.close_pool()
    assert loop._certifying.ledger.n_drawn == number + 2
    while queries := loop.ask():
        loop.tell({query.id: truth(query) for query in queries})
        loop.refit()
    assert candidate.rungs[0].n_audited == 0
    assert len(loop._certifying.trial.candidates) == 1
    for ask in (lambda: loop.candidate(LogisticRegression()), loop.verdict):
        with pytest.raises(NotReady, match="no candidate is tested any more"):
            ask()


def test_a_refused_closing_spends_nothing():
    loop = a_loop(held_out=0.5)
    number = loop._certifying.ledger.n_drawn
    with pytest.raises(InvalidInput):
        loop.close_pool(1.0)
    assert loop._certifying.ledger.n_drawn == number
    assert not loop._certifying.has_ended


def test_labels_from_elsewhere_count_only_if_they_were_blind():
    loop = a_loop()
    closing = loop.close_pool(0.0)
    first, second = closing.ask(2)
    loop.add_labels([first.id], [truth(first)])
    loop.add_labels([second.id], [truth(second)], blind=True)
    closing.tell({})
    assert (closing.audit.n_audited, closing.audit.n_wrong) == (2, 1)


def test_a_second_different_answer_changes_nothing():
    closing = a_loop().close_pool()
    first = closing.ask(1)[0]
    closing.tell({first.id: truth(first)})
    assert closing.tell({first.id: "other"}).extra == 1
    assert (closing.audit.n_audited, closing.audit.n_wrong) == (1, 0)


def test_queries_that_wait_block_it_and_say_what_to_do():
    loop = a_loop()
    loop.ask()
    with pytest.raises(NotReady, match="tell them or refit first"):
        loop.close_pool()


def test_without_a_model_there_is_nothing_to_certify():
    loop = a_loop(rounds=0)
    with pytest.raises(NotReady, match="two classes"):
        loop.close_pool()


def test_an_interruption_anywhere_in_tell_is_made_good_by_telling_again():
    """Raises before each line of ours in turn."""
    ours = ("closing.py", "closed_pool.py")

    def told(at: int | None) -> tuple[tuple, int]:
        closing, n = a_loop(60, rounds=1).close_pool(0.0), 0
        answers = {query.id: truth(query) for query in closing.ask(6)}
        answers[next(iter(answers))] = "other"

        def trace(frame, event, _):
            nonlocal n
            if not frame.f_code.co_filename.endswith(ours):
                return None
            n += event == "line"
            if event == "line" and n == at:
                raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            closing.tell(answers)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        closing.tell(answers)
        audit = closing.audit
        return (audit.n_audited, audit.n_wrong, audit._rung.alone.total()), n

    expected, n_lines = told(None)
    assert expected[:2] == (6, 1)
    assert n_lines > 100
    assert [at for at in range(1, n_lines + 1) if told(at)[0] != expected] == []


def test_where_nothing_is_left_there_is_nothing_to_certify():
    loop = a_loop(30, rounds=0, held_out=0, batch_size=30)
    loop.tell({query.id: truth(query) for query in loop.ask()})
    loop.refit()
    with pytest.raises(InvalidInput, match="none of 0 items"):
        loop.close_pool()


def test_each_closing_spends_its_own_share_of_delta():
    loop = a_loop()
    first, second = loop.close_pool(), loop.close_pool(0.5)
    numbers = loop._certifying.ledger.n_drawn
    assert second.audit.delta == pytest.approx(0.05 / (numbers * (numbers + 1)))
    assert second.audit.delta < first.audit.delta
    assert len(second.audit.to_review) > len(first.audit.to_review)


@pytest.mark.parametrize(
    "changes", [{"targets": {"big": {"recall": 0.9}}}, {"traps": (9, 10)}, {"target_of": "system"}]
)
def test_a_pool_is_not_closed_where_more_was_wanted_than_it_can_show(changes):
    with pytest.raises(NotReady, match="close_pool shows accuracy of what is decided alone"):
        a_loop(**changes).close_pool()


def test_items_that_nobody_could_tell_are_left_to_people():
    loop = a_loop(rounds=2)
    skipped = [query.id for query in loop.ask()][:3]
    loop.tell(dict.fromkeys(skipped, SKIP))
    loop.refit()
    assert set(skipped) <= set(loop.close_pool().audit.to_review)
