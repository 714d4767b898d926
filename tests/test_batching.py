"""What is asked next: nothing held out decides what is trained, and a limit only cuts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from bootstrap import BootstrapLoop
from bootstrap.pool import Place


def a_loop(n: int = 200, **changes) -> BootstrapLoop:
    chosen = {
        "batch_size": 10,
        "held_out": 0.3,
        "target_accuracy": 0.8,
        "random_share": 0.25,
        "random_state": 5,
    } | changes
    first = chosen.pop("first_candidate", 20)
    loop = BootstrapLoop(LogisticRegression(), **chosen)
    loop._certifying.next_candidate_at = first
    loop.add(np.linspace(0, 10, n).reshape(-1, 1), ids=[str(i) for i in range(n)])
    return loop


def truth(query) -> str:
    return "big" if float(query.item[0]) > 5 else "small"


def a_round(loop: BootstrapLoop, limit: int | None = None, answer=truth) -> list[str]:
    """Ask, tell, refit; the ids that were asked about for training."""
    queries = loop.ask(limit)
    loop.tell({query.id: answer(query) for query in queries})
    if queries:
        loop.refit()
    return [query.id for query in queries if not loop.is_held_out(query.id)]


def trained(loop: BootstrapLoop) -> list[str]:
    return [label.id for label in loop.labels if label.source == "training"]


def test_the_first_batches_come_without_random_queries_and_with_the_floor_of_audits():
    loop = a_loop(first_candidate=100)
    for _ in range(6):
        a_round(loop)
    assert loop._exchange.n_reserved == 0
    assert loop._exchange.n_audits == 6


def test_a_quarter_of_the_training_queries_is_random_once_there_is_a_candidate():
    loop = a_loop(n=900, target_accuracy=0.95)
    while loop._exchange.n_training < 300:
        a_round(loop)
    assert loop._exchange.n_reserved == (loop._exchange.n_training - loop._batching._first_random) // 4
    assert loop._batching._first_random == 20


def test_with_a_candidate_in_reach_audits_are_asked_alone_and_in_random_order():
    loop = a_loop()
    a_round(loop)
    a_round(loop)
    assert loop._certifying.has_candidates
    expected = loop._pool.next_audits(10).tolist()
    asked = [loop._pool.row(query.id) for query in loop.ask()]
    assert sorted(asked) == sorted(expected)
    assert asked != expected  # mixed


def test_a_limit_holds_for_audits_that_are_asked_alone():
    loop = a_loop()
    a_round(loop)
    a_round(loop)
    assert len(loop.ask(3)) == 3


@pytest.mark.parametrize("audit_share", ["auto", 0.0, 0.5, 1.5])
def test_a_limit_of_one_asks_one_thing_at_a_time_up_to_the_end_of_the_pool(audit_share):
    loop = a_loop(n=60, audit_share=audit_share, batch_size=4, first_candidate=8)
    asked = []
    while queries := loop.ask(1):
        assert len(queries) == 1
        asked.append(queries[0].id)
        loop.tell({queries[0].id: truth(queries[0])})
        loop.refit()
    assert len(asked) == len(set(asked))
    assert loop._pool.count(Place.AVAILABLE, Place.RESERVED) == 0
    if audit_share:
        assert loop._exchange.n_audits > 0


@pytest.mark.parametrize("limits", [[3], [1, 7], [9, 2, 4]])
def test_limits_cut_batches_and_never_change_what_is_in_them(limits):
    whole, cut = a_loop(first_candidate=10**9), a_loop(first_candidate=10**9)
    for _ in range(6):
        a_round(whole)
    i = 0
    while len(trained(cut)) < 60:
        left = 60 - len(trained(cut))
        a_round(cut, min(limits[i % len(limits)], left))
        i += 1
    batches = [[set(order[i : i + 10]) for i in range(0, 60, 10)] for order in (trained(whole), trained(cut))]
    assert batches[0] == batches[1]


def test_no_candidate_is_frozen_while_only_a_part_of_a_batch_was_asked():
    loop = a_loop(first_candidate=15)
    a_round(loop)
    a_round(loop, 7)
    assert loop._certifying.batch_is_cut
    assert loop.history[-1].n_trained >= 15
    assert not loop._certifying.has_candidates
    a_round(loop, 7)
    assert not loop._certifying.batch_is_cut
    assert [c.n_trained for c in loop._certifying.trial.candidates] == [20]


def test_where_the_rest_of_a_cut_batch_got_its_labels_elsewhere_nothing_is_cut_any_more():
    loop = a_loop(n=30, batch_size=30, held_out=0.2)
    n = loop._pool.count(Place.AVAILABLE, Place.RESERVED)
    loop.tell({query.id: truth(query) for query in loop.ask(12)})
    loop.refit()
    assert loop._certifying.batch_is_cut
    rest = loop._pool.rows(Place.AVAILABLE, Place.RESERVED).tolist()
    assert 0 < len(rest) < n
    loop.add_labels(
        [loop._pool.id(row) for row in rest],
        ["big" if loop._pool.item(row)[0] > 5 else "small" for row in rest],
    )
    assert loop.ask() == []
    assert not loop._certifying.batch_is_cut


def test_what_nobody_answered_is_no_part_of_the_batch_that_is_left():
    loop = a_loop(first_candidate=10**9, audit_share=0)
    first = loop.ask(4)
    loop.tell({query.id: truth(query) for query in first[:2]})
    loop.refit()
    rest = {query.id for query in loop.ask()}
    assert len(rest) == 6
    assert not rest & {query.id for query in first}


def test_at_the_end_of_the_pool_reserved_items_are_used_up():
    loop = a_loop(n=100, first_candidate=10**9)
    assert loop._pool.count(Place.RESERVED) > 5
    while a_round(loop):
        pass
    assert loop._pool.count(Place.RESERVED, Place.AVAILABLE) == 0
    assert loop._exchange.n_reserved > 5
    assert loop.ask() == []


def test_what_is_trained_depends_on_no_answer_about_a_held_out_item():
    def flipped(loop):
        other = {"big": "small", "small": "big"}
        return lambda query: other[truth(query)] if loop.is_held_out(query.id) else truth(query)

    honest, false = a_loop(n=400), a_loop(n=400)
    while len(trained(honest)) < 120:
        a_round(honest)
    while len(trained(false)) < 120:
        a_round(false, answer=flipped(false))
    assert honest._exchange.n_audits != false._exchange.n_audits
    assert [trained(honest)[i : i + 10] for i in range(0, 120, 10)] != []
    assert [set(trained(honest)[i : i + 10]) for i in range(0, 120, 10)] == [
        set(trained(false)[i : i + 10]) for i in range(0, 120, 10)
    ]


def test_no_strategy_ever_sees_a_reserved_item():
    seen: set[float] = set()

    def watching(learner, X, n_instances=1, *, rng=None, **_):
        seen.update(np.asarray(X)[:, 0].tolist())
        return np.arange(min(n_instances, len(X))), np.ones(min(n_instances, len(X)))

    loop = a_loop(strategy=watching)
    reserved = {float(loop._pool.item(row)[0]) for row in loop._pool.rows(Place.RESERVED).tolist()}
    for _ in range(20):
        a_round(loop)
    assert seen
    assert reserved
    assert not seen & reserved
