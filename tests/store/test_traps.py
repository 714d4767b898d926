"""Items whose answer is known, mixed in unseen."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select

from bootstrap.errors import InvalidInput, UnknownItem
from bootstrap.labels import Told
from bootstrap.records import SKIP
from bootstrap.store.claiming import n_waiting, withdraw_unclaimed
from bootstrap.store.desk import Desk
from bootstrap.store.schema import queries, standing
from bootstrap.store.schema import trail as entries
from bootstrap.store.traps import TrapCounts, add_traps, trap_counts


def answer_all(desk, answer):
    """Answer whatever the desk gets; the rows of the queries stay hidden."""
    told = Told()
    while found := desk.ask():
        told = desk.tell({found[0].token: answer(found[0])})
    return told


def test_each_persons_first_answer_is_counted(database, publish):
    loop_id = publish(database, 2)
    with database.writing() as connection:
        withdraw_unclaimed(connection, loop_id, database.time(connection))
    publish(database, 8, first=2, overlap=3)
    assert add_traps(database, "team", {"i0": "a", "i1": "b"}, overlap=3) == 2
    assert trap_counts(database, "team") == TrapCounts(0, 0)
    anna, bert, carl = (Desk(database, name) for name in ("anna", "bert", "carl"))
    assert answer_all(anna, lambda query: "a") == Told(kept=1)
    answer_all(bert, lambda query: "b")
    with database.reading() as connection:
        states = connection.execute(select(queries.c.state).where(queries.c.kind == "trap")).scalars().all()
    assert states == ["open", "open"]
    answer_all(carl, lambda query: SKIP)
    assert trap_counts(database, "team") == TrapCounts(2, 6, {"anna": (1, 2), "bert": (1, 2), "carl": (0, 2)})
    with database.reading() as connection:
        states = connection.execute(select(queries.c.state).where(queries.c.kind == "trap")).scalars().all()
    assert states == ["settled", "settled"]


def test_an_answer_to_a_trap_counts_for_nothing_else(database, publish):
    publish(database, 1)
    publish(database, 1, loop="other")
    publish(database, 1, kind="trap", known='"a"', usefulness=9.0)
    anna = Desk(database, "anna", loop="team")
    assert answer_all(anna, lambda query: "b") == Told(kept=1)
    assert trap_counts(database, "team").shown == 1
    with database.reading() as connection:
        stands = connection.execute(select(standing.c.label_id)).all()
    assert len(stands) == 1


def test_a_trap_can_be_taken_back_like_any_answer(database, publish):
    publish(database, 1)
    publish(database, 1, kind="trap", known='"a"', usefulness=9.0)
    anna = Desk(database, "anna")
    for query in anna.ask(9):
        anna.tell({query.token: "b"})
        anna.undo(query.token)
        anna.tell({query.token: "a"})
        assert anna.tell({query.token: "b"}) == Told(extra=1)
    assert trap_counts(database, "team") == TrapCounts(1, 1, {"anna": (1, 1)})


def test_the_loop_never_sees_a_trap(database, publish):
    loop_id = publish(database, 2)
    add_traps(database, "team", {"i0": "a"})
    with database.writing() as connection:
        now = database.time(connection)
        assert n_waiting(connection, loop_id, now).unanswered == 2
        assert withdraw_unclaimed(connection, loop_id, now) == [1, 2]
        kinds = connection.execute(select(entries.c.kind)).scalars().all()
    assert kinds == ["traps"]


def test_traps_take_their_turn_at_random_among_open_queries(database, publish):
    """Each trap is drawn a place among 40; that all six share one has a chance below 1e-8."""
    publish(database, 40)
    add_traps(database, "team", {f"i{i}": "a" for i in range(6)}, rng=np.random.default_rng(3))
    with database.reading() as connection:
        turns = (
            connection.execute(select(queries.c.usefulness).where(queries.c.kind == "trap")).scalars().all()
        )
    assert len(set(turns)) > 1
    assert set(turns) <= {-float(i) for i in range(40)}


def test_traps_want_open_queries_to_hide_among(database, publish):
    publish(database, 1)
    anna = Desk(database, "anna")
    anna.tell({anna.ask()[0].token: "a"})
    with pytest.raises(InvalidInput, match="while queries wait"):
        add_traps(database, "team", {"i0": "a"})


@pytest.mark.parametrize(
    ("answers", "error", "words"),
    [
        ({"i0": "c"}, InvalidInput, "not one of"),
        ({"i0": SKIP}, InvalidInput, "not SKIP"),
        ({"i9": "a"}, UnknownItem, "no item 'i9'"),
    ],
)
def test_a_trap_has_an_item_and_a_class(database, publish, answers, error, words):
    publish(database, 1)
    with pytest.raises(error, match=words):
        add_traps(database, "team", {"i0": "a", **answers})
    assert trap_counts(database, "team").shown == 0
    with database.reading() as connection:
        assert connection.execute(select(queries.c.id)).scalars().all() == [1]


def test_a_trap_is_shown_to_somebody_and_belongs_to_a_loop(database, publish):
    with pytest.raises(InvalidInput, match="overlap"):
        add_traps(database, "team", {}, overlap=0)
    with pytest.raises(InvalidInput, match="there are: none"):
        trap_counts(database, "team")
    publish(database, 1)
    with pytest.raises(InvalidInput, match="there are: 'team'"):
        add_traps(database, "other", {})
    assert add_traps(database, "team", {}) == 0
