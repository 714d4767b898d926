"""Items whose answer is known, mixed in unseen."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from sqlalchemy import select, update

from bootstrap.errors import InvalidInput, UnknownItem
from bootstrap.labels import Told
from bootstrap.records import SKIP
from bootstrap.store.database import Database
from bootstrap.store.desks.claiming import withdraw_unclaimed
from bootstrap.store.desks.desk import Desk
from bootstrap.store.desks.progress import progress_of
from bootstrap.store.desks.traps import TrapCounts, add_traps, trap_counts
from bootstrap.store.schema import members, queries, standing
from bootstrap.store.schema import trail as entries


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


def test_whoever_has_named_a_class_for_an_item_never_gets_it_as_a_trap(database, publish):
    publish(database, 1)
    anna = Desk(database, "anna")
    anna.tell({anna.ask()[0].token: "b"})
    publish(database, 1, first=1)
    add_traps(database, "team", {"i0": "a"})
    assert [query.id for query in anna.ask(9)] == ["i1"]
    assert [query.id for query in Desk(database, "bert").ask(9)] == ["i0"]


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
        assert progress_of(connection, loop_id).n_open == 2
        assert withdraw_unclaimed(connection, loop_id, now) == [1, 2]
        kinds = connection.execute(select(entries.c.kind)).scalars().all()
    assert kinds == ["traps"]


def turns_of_traps(database):
    with database.reading() as connection:
        chosen = select(queries.c.usefulness).where(queries.c.kind == "trap")
        return connection.execute(chosen).scalars().all()


def test_each_trap_takes_its_turn_with_another_open_query_drawn_at_random(database, publish):
    """Of 40 places six are drawn: that they are the first six has a chance below 1e-6."""
    publish(database, 40)
    add_traps(database, "team", {f"i{i}": "a" for i in range(6)}, rng=np.random.default_rng(3))
    turns = turns_of_traps(database)
    assert len(set(turns)) == 6
    assert set(turns) <= {-float(i) for i in range(40)}
    assert set(turns) != {-float(i) for i in range(6)}


def test_the_same_seed_draws_the_same_turns(storage, publish, tmp_path):
    drawn = []
    for url in (storage, f"sqlite:///{tmp_path / 'another.db'}"):
        with closing(Database(url)) as database:
            publish(database, 30)
            add_traps(database, "team", {f"i{i}": "a" for i in range(5)}, rng=np.random.default_rng(8))
            drawn.append(turns_of_traps(database))
    assert drawn[0] == drawn[1]


def test_traps_want_open_queries_to_hide_among(database, publish):
    publish(database, 1)
    anna = Desk(database, "anna")
    anna.tell({anna.ask()[0].token: "a"})
    with pytest.raises(InvalidInput, match=r"0 queries of this loop wait for people.*at most 0 now"):
        add_traps(database, "team", {"i0": "a"})


def test_there_are_never_more_traps_than_queries(database, publish):
    loop_id = publish(database, 10)
    publish(database, 9, loop="other")
    with database.writing() as connection:
        withdraw_unclaimed(connection, loop_id, database.time(connection))
    publish(database, 3)
    assert add_traps(database, "team", {"i0": "a", "i1": "b"}) == 2
    with pytest.raises(InvalidInput, match=r"3 queries .* 2 traps: 2 more .* at most 1 now"):
        add_traps(database, "team", {"i2": "a", "i9": "b"})
    assert len(turns_of_traps(database)) == 2
    assert add_traps(database, "team", {"i2": "a"}) == 1
    assert add_traps(database, "team", {}) == 0


def test_an_item_is_a_trap_once(database, publish):
    loop_id = publish(database, 1)
    number(database, loop_id, row=0, name="1")
    anna = Desk(database, "anna")
    anna.tell({anna.ask()[0].token: "b"})
    publish(database, 2, first=1)
    with pytest.raises(InvalidInput, match="'1' is given twice"):
        add_traps(database, "team", {1: "a", "1": "b"})
    assert turns_of_traps(database) == []
    assert add_traps(database, "team", {"1": "b"}) == 1
    with pytest.raises(InvalidInput, match="'1' waits as a trap already"):
        add_traps(database, "team", {"1": "b"})
    answer_all(Desk(database, "bert"), lambda query: "b")
    publish(database, 1, first=3)
    assert add_traps(database, "team", {"1": "b"}) == 1


def number(database, loop_id, row, name):
    with database.writing() as connection:
        of_row = (members.c.loop_id == loop_id, members.c.row == row)
        connection.execute(update(members).where(*of_row).values(name=name))


def test_two_loops_may_have_a_trap_of_the_same_item(database, publish):
    publish(database, 1)
    publish(database, 1, loop="other")
    assert add_traps(database, "team", {"i0": "a"}) == 1
    assert add_traps(database, "other", {"i0": "a"}) == 1


def test_where_the_list_of_classes_is_open_a_trap_has_one_that_counts_for_some_item(database, publish):
    publish(database, 3, classes=None)
    with pytest.raises(InvalidInput, match=r"'spam', the right answer about 'i1', .*there are: none"):
        add_traps(database, "team", {"i1": "spam"})
    anna = Desk(database, "anna")
    anna.tell({anna.ask()[0].token: "spam"})
    with pytest.raises(InvalidInput, match=r"'spma', .*there are: 'spam'"):
        add_traps(database, "team", {"i1": "spma"})
    assert turns_of_traps(database) == []
    assert add_traps(database, "team", {"i1": "spam"}) == 1


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
