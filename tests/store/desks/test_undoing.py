"""What was said is taken back: it counts no more, and the query is in the same hands again."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from bootstrap.errors import InvalidInput
from bootstrap.labels import Told
from bootstrap.records import SKIP
from bootstrap.store.class_lists import change_classes
from bootstrap.store.desks.claiming import withdraw_unclaimed
from bootstrap.store.desks.desk import Desk
from bootstrap.store.desks.reviewers import add_reviewer
from bootstrap.store.schema import (
    loops,
    queries,
    rounds,
    slots,
)


def token(desk):
    return desk.claim(1)[0].queries[0].token


def test_what_was_taken_back_can_be_answered_again_under_the_same_lease(database, publish, written):
    publish(database, 1)
    anna = Desk(database, "anna")
    lease = token(anna)
    anna.tell({lease: "a"})
    anna.tell({lease: "b"})
    anna.undo(lease)
    assert written.standing(database) == {}
    assert written.state(database) == "open"
    assert Desk(database, "bert").claim() == []
    with pytest.raises(InvalidInput, match="taken it back already"):
        anna.undo(lease)
    assert anna.tell({lease: "b"}) == Told(kept=1)
    assert written.standing(database) == {0: "b"}
    assert [row[4] for row in written.labels(database)] == [None, None, 1, 2, None]


def test_what_was_taken_back_and_left_goes_to_others(timed, publish, hand):
    publish(timed, 1)
    anna = Desk(timed, "anna", lease_seconds=10)
    lease = token(anna)
    anna.tell({lease: "a"})
    hand.time += 100
    anna.undo(lease)
    hand.time += 9
    assert Desk(timed, "bert").claim() == []
    hand.time += 2
    assert len(anna.claim()) == 1


@pytest.mark.parametrize(("closed", "by_whom"), [(True, "round 3"), (False, "the loop")])
def test_what_the_loop_has_used_is_not_taken_back(database, publish, written, closed, by_whom):
    publish(database, 2)
    anna = Desk(database, "anna")
    lease = token(anna)
    anna.tell({lease: "a"})
    with database.writing() as connection:
        connection.execute(update(loops).values(taken_up_to=1))
        if closed:
            for number in (3, 4):
                row = {"loop_id": 1, "number": number, "body": "{}", "taken_up_to": 1, "model": None}
                connection.execute(insert(rounds).values(**row, class_version=1, at=0.0))
    with pytest.raises(InvalidInput, match=f"{by_whom} has used this answer"):
        anna.undo(lease)
    assert anna.tell({lease: "b"}) == Told(extra=1)
    assert written.standing(database) == {0: "a"}


def test_an_answer_that_others_have_settled_without_is_not_taken_back(database, publish, written):
    publish(database, 1, overlap=2)
    anna, bert = Desk(database, "anna"), Desk(database, "bert")
    first, second = token(anna), token(bert)
    anna.tell({first: "a"})
    bert.tell({second: "a"})
    with pytest.raises(InvalidInput, match="not the one that counts"):
        anna.undo(first)
    bert.undo(second)
    assert written.state(database) == "open"
    anna.undo(first)
    assert bert.tell({second: "b"}) == Told(kept=1)
    assert written.standing(database) == {}


def test_taking_a_skip_back_asks_nobody_further(database, publish, written):
    publish(database, 1)
    anna, bert = Desk(database, "anna"), Desk(database, "bert")
    first = token(anna)
    anna.tell({first: SKIP})
    anna.undo(first)
    assert bert.claim() == []
    anna.tell({first: SKIP})
    second = token(bert)
    bert.tell({second: SKIP})
    bert.undo(second)
    add_reviewer(database, "dora", is_adjudicator=True)
    dora = Desk(database, "dora")
    assert dora.claim() == []
    bert.tell({second: SKIP})
    held = token(dora)
    bert.undo(second)
    assert bert.tell({second: "a"}) == Told(kept=1)
    assert dora.tell({held: "b"}) == Told(extra=1)
    assert written.standing(database) == {0: "a"}


def test_a_late_answer_that_counted_can_be_taken_back(timed, publish, hand, written):
    publish(timed, 1)
    anna = Desk(timed, "anna", lease_seconds=10)
    lease = token(anna)
    hand.time += 11
    Desk(timed, "bert", lease_seconds=10).claim()
    with timed.writing() as connection:
        connection.execute(update(queries).values(state="withdrawn"))
        connection.execute(update(slots).values(is_open=False))
    assert anna.tell({lease: "a"}) == Told(kept=1)
    anna.undo(lease)
    assert (written.standing(timed), written.state(timed)) == ({}, "withdrawn")
    assert anna.tell({lease: "b"}) == Told(kept=1)


def test_who_let_a_lease_run_out_is_asked_again_when_the_place_is_needed_again(timed, publish, hand):
    publish(timed, 1)
    anna, bert = (Desk(timed, name, lease_seconds=10) for name in ("anna", "bert"))
    lease = token(anna)
    anna.tell({lease: SKIP})
    token(bert)
    hand.time += 60
    anna.undo(lease)  # one place is enough again
    anna.tell({lease: SKIP})  # and now it is not
    assert len(bert.claim()) == 1


def test_a_late_answer_that_is_taken_back_leaves_a_withdrawn_query_withdrawn(timed, publish, hand, written):
    loop_id = publish(timed, 1)
    anna = Desk(timed, "anna", lease_seconds=10)
    lease = token(anna)
    hand.time += 60
    with timed.writing() as connection:
        assert withdraw_unclaimed(connection, loop_id, hand.time) == [1]
    assert anna.tell({lease: "a"}) == Told(kept=1)
    anna.undo(lease)
    assert written.state(timed) == "withdrawn"
    assert written.standing(timed) == {}
    assert Desk(timed, "bert").claim() == []


def test_a_trap_of_former_classes_is_not_asked_again(database, publish):
    publish(database, 1, kind="trap", known='"a"')
    anna = Desk(database, "anna")
    lease = token(anna)
    anna.tell({lease: "a"})
    change_classes(database, "team", rename={"a": "c"})
    with pytest.raises(InvalidInput, match="classes were changed"):
        anna.undo(lease)
    assert Desk(database, "bert").claim() == []
