"""The statement that hands queries out, alone and under eight processes at once."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import fields

import pytest
from sqlalchemy import event, select, update

from bootstrap.errors import InvalidInput
from bootstrap.records import SKIP
from bootstrap.store.database import Database
from bootstrap.store.desks.claiming import take_slot, withdraw_unclaimed
from bootstrap.store.desks.desk import Desk
from bootstrap.store.desks.progress import progress_of
from bootstrap.store.desks.reviewers import add_reviewer
from bootstrap.store.desks.traps import add_traps
from bootstrap.store.schema import claims, labels, loops, queries, slots, standing


def ids(found):
    return [claim.id for claim in found]


def test_the_nearest_deadline_comes_first_then_the_most_useful_then_the_oldest(database, publish):
    publish(database, 2, usefulness=0.5)
    publish(database, 1, first=2, usefulness=0.9)
    publish(database, 1, first=3, usefulness=0.1, deadline=2e9)
    publish(database, 1, first=4, usefulness=0.1, deadline=1e9)
    assert ids(Desk(database, "anna").claim(5)) == ["i4", "i3", "i2", "i0", "i1"]


def test_nobody_gets_what_another_person_has_in_hand(database, publish):
    publish(database, 3)
    anna, bert = Desk(database, "anna"), Desk(database, "bert")
    assert ids(anna.claim(2)) == ["i0", "i1"]
    assert ids(bert.claim(2)) == ["i2"]
    assert bert.claim(2) == anna.claim(2) == []


def test_with_an_overlap_different_people_get_the_query_and_nobody_twice(database, publish):
    publish(database, 2, overlap=2)
    anna = Desk(database, "anna")
    assert ids(anna.claim(4)) == ["i0", "i1"]
    assert ids(Desk(database, "bert").claim(4)) == ["i0", "i1"]
    assert Desk(database, "carl").claim(4) == []
    anna.release_all()
    assert ids(Desk(database, "carl").claim(4)) == ["i0", "i1"]


def test_a_lease_that_has_run_out_is_taken_by_whoever_comes(storage, publish, hand):
    database = Database(storage, clock=hand)
    publish(database, 1)
    first = Desk(database, "anna", lease_seconds=10).claim()[0]
    assert first.expires_at == hand.time + 10
    hand.time += 9.9
    assert Desk(database, "bert").claim() == []
    hand.time += 0.1
    assert ids(Desk(database, "bert").claim()) == ["i0"]
    database.close()


def test_whose_lease_has_run_out_gets_the_same_place_back(storage, publish, hand):
    database = Database(storage, clock=hand)
    publish(database, 1, overlap=3)
    anna = Desk(database, "anna", lease_seconds=10)
    first = anna.claim()[0]
    hand.time += 11
    again = anna.claim(3)
    assert ids(again) == ["i0"]
    assert again[0].queries[0].token != first.queries[0].token
    with database.reading() as connection:
        taken = connection.execute(select(slots.c.reviewer)).scalars().all()
    assert sorted(map(str, taken)) == ["None", "None", "anna"]
    database.close()


def test_a_clock_that_was_set_back_locks_nothing_away(storage, publish, hand):
    database = Database(storage, clock=hand)
    publish(database, 1)
    Desk(database, "anna").claim()
    hand.time -= 4
    assert Desk(database, "bert").claim() == []
    hand.time -= 3600
    assert ids(Desk(database, "bert").claim()) == ["i0"]
    database.close()


def test_every_question_about_an_item_comes_at_once(database, publish):
    publish(database, 2)
    publish(database, 2, loop="urgency", classes=(True, False), usefulness=-9.0)
    found = Desk(database, "anna").claim(1)
    assert [claim.loops for claim in found] == [("team", "urgency")]
    assert [query.classes for query in found[0].queries] == [("a", "b"), (True, False)]
    assert {query.id for query in found[0].queries} == {"i0"}
    assert Desk(database, "bert").claim(1, together=False)[0].loops == ("team",)


def test_a_trap_never_comes_beside_another_question_about_its_item(database, publish):
    publish(database, 1)
    publish(database, 1, kind="trap", known='"a"', usefulness=9.0)
    publish(database, 1, loop="urgency", usefulness=-9.0)
    anna = Desk(database, "anna")
    first = anna.claim(5)
    assert [claim.loops for claim in first] == [("team",)]
    assert anna.claim(5) == []
    anna.tell({first[0].queries[0].token: "a"})
    assert [claim.loops for claim in anna.claim(5)] == [("team", "urgency")]


def test_a_trap_waits_while_its_item_is_in_the_same_hands(database, publish):
    publish(database, 1)
    publish(database, 1, kind="trap", known='"a"', usefulness=-9.0)
    anna = Desk(database, "anna")
    (asked,) = anna.claim(5)
    assert len(asked.queries) == 1
    assert anna.claim(5) == []
    assert len(Desk(database, "bert").claim(5)) == 1


def test_a_trap_whose_lease_ran_out_keeps_nobody_from_its_item(storage, publish, hand):
    database = Database(storage, clock=hand)
    publish(database, 1, loop="urgency", kind="trap", known='"a"')
    publish(database, 1)
    trap = Desk(database, "anna", loop="urgency", lease_seconds=10).claim()[0].queries[0].token
    anna = Desk(database, "anna", loop="team", lease_seconds=10)
    assert anna.claim() == []
    hand.time += 11
    (found,) = anna.claim()
    assert found.loops == ("team",)
    assert Desk(database, "anna", loop="urgency").claim() == []
    anna.tell({found.queries[0].token: "a", trap: "a"})
    database.close()


def test_a_desk_for_one_loop_gets_only_its_queries(database, publish):
    publish(database, 2)
    publish(database, 2, loop="urgency", usefulness=-9.0)
    found = Desk(database, "anna", loop="urgency").claim(3)
    assert [claim.loops for claim in found] == [("urgency",), ("urgency",)]


def test_nobody_holds_more_than_they_may(database, publish):
    publish(database, 4)
    publish(database, 4, loop="urgency", usefulness=-9.0)
    add_reviewer(database, "anna", most_held=3)
    anna = Desk(database, "anna")
    assert [len(claim.queries) for claim in anna.claim(4)] == [2, 1]
    with pytest.raises(InvalidInput, match="holds 3 queries and may hold 3 at a time: answer or release"):
        anna.claim()


def test_only_an_adjudicator_gets_what_is_to_be_adjudicated_and_first(database, publish):
    publish(database, 2, overlap=2)
    for name, label in (("anna", "a"), ("bert", "b")):
        desk = Desk(database, name)
        desk.tell({desk.claim()[0].queries[0].token: label})
    assert ids(Desk(database, "carl").claim(9)) == ["i1"]
    add_reviewer(database, "dora", is_adjudicator=True)
    assert ids(Desk(database, "dora").claim(9)) == ["i0", "i1"]


def test_nobody_adjudicates_their_own_answer(database, publish):
    publish(database, 1, overlap=2)
    add_reviewer(database, "anna", is_adjudicator=True)
    for name, label in (("anna", "a"), ("bert", "b")):
        desk = Desk(database, name)
        desk.tell({desk.claim()[0].queries[0].token: label})
    assert Desk(database, "anna").claim() == []


def test_a_second_answer_is_another_persons(database, publish):
    publish(database, 1)
    anna = Desk(database, "anna")
    anna.tell({anna.ask()[0].token: "a"})
    publish(database, 1, kind="second")
    assert anna.claim() == []
    bert = Desk(database, "bert")
    assert bert.tell({bert.ask()[0].token: "b"}).kept == 1
    with database.reading() as connection:
        stands = connection.execute(select(standing.c.opinion, standing.c.label_id)).all()
    assert sorted(tuple(row) for row in stands) == [("first", 1), ("second", 2)]


def test_the_same_person_may_be_asked_again_under_a_newer_list_of_classes(database, publish):
    publish(database, 1)
    anna = Desk(database, "anna")
    anna.tell({anna.ask()[0].token: "a"})
    publish(database, 1)
    assert anna.claim() == []
    publish(database, 1, class_version=2)
    assert len(anna.claim()) == 1


def test_what_was_said_of_a_trap_keeps_nobody_from_the_item(database, publish):
    publish(database, 2)
    publish(database, 1, kind="trap", known='"a"', usefulness=9.0)
    anna = Desk(database, "anna")
    while found := anna.ask():
        anna.tell({found[0].token: "a"})
    with database.reading() as connection:
        about = connection.execute(select(labels.c.source).where(labels.c.row == 0)).scalars().all()
    assert sorted(about) == ["training", "trap"]


def test_a_claim_does_not_tell_why_the_item_is_asked_about(database, publish):
    publish(database, 1)
    publish(database, 1, first=1, kind="audit")
    publish(database, 1, first=2)
    publish(database, 1, first=2, kind="second")
    publish(database, 1, first=3)
    with database.writing() as connection:
        connection.execute(update(slots).where(slots.c.item_id == 4).values(is_open=False))
    add_traps(database, "team", {"i3": "a"})
    found = Desk(database, "anna").claim(9, together=False)
    assert len(found) == 5
    alike = set()
    for claim in found:
        told = {field.name: getattr(claim.queries[0], field.name) for field in fields(claim.queries[0])}
        alike.add(str({name: told[name] for name in told if name not in ("id", "item", "token")}))
        assert len(told["token"]) == 32
        assert claim.loops == ("team",)
    assert len(alike) == 1


def test_withdrawing_leaves_what_is_in_hand_and_what_was_answered(storage, publish, hand):
    database = Database(storage, clock=hand)
    loop_id = publish(database, 5, overlap=2)
    publish(database, 1, loop="other")
    anna, bert = (
        Desk(database, "anna", loop="team", lease_seconds=50),
        Desk(database, "bert", lease_seconds=5),
    )
    first, second = (claim.queries[0].token for claim in anna.claim(2, together=False))
    third = bert.claim(3, together=False)[2].queries[0].token
    anna.tell({first: "a"})
    bert.release_all()
    add_traps(database, "team", {"i4": "a"})
    with database.writing() as connection:
        assert progress_of(connection, loop_id).n_open == 5  # one has the first of its two answers
        withdrawn = withdraw_unclaimed(connection, loop_id, hand.time)
        again = withdraw_unclaimed(connection, loop_id, hand.time)
        assert (again, progress_of(connection, loop_id).n_open) == ([], 2)
    assert withdrawn == [3, 4, 5]
    with database.reading() as connection:
        states = connection.execute(select(queries.c.state).order_by(queries.c.id)).scalars().all()
    assert states == ["open", "open", "withdrawn", "withdrawn", "withdrawn", "open", "open"]
    assert {claim.id for claim in Desk(database, "carl", loop="team").claim(9, together=False)} == {
        "i0",
        "i1",
        "i4",  # the trap
    }
    assert anna.tell({second: "b"}).kept == 1
    assert bert.tell({third: SKIP}).extra == 1  # anna's class stands
    database.close()


_WORKER = """
import sys
import time
from bootstrap.store.desks.desk import Desk
url, name, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
with Desk(url, name) as desk:
    while claims := desk.claim(n):
        told = desk.tell({claim.queries[0].token: "a" for claim in claims})
        assert told.kept == len(claims), told
"""


@pytest.mark.parametrize("overlap", [1, 2])
def test_eight_processes_get_each_query_as_often_as_it_is_wanted(storage, publish, overlap):
    database = Database(storage)
    publish(database, 400 // overlap, overlap=overlap)
    running = [
        subprocess.Popen([sys.executable, "-c", _WORKER, storage, f"person {i}", str(1 + i % 3)])
        for i in range(8)
    ]
    assert [process.wait(120) for process in running] == [0] * 8
    with database.reading() as connection:
        said = connection.execute(select(labels.c.query_id, labels.c.by)).all()
        handed = connection.execute(select(claims.c.query_id)).scalars().all()
        stands = connection.execute(select(standing.c.item_id)).scalars().all()
        states = set(connection.execute(select(queries.c.state)).scalars())
        still_open = connection.execute(select(slots.c.id).where(slots.c.is_open)).all()
    database.close()
    assert len(set(map(tuple, said))) == len(said) == 400
    assert set(Counter(row.query_id for row in said).values()) == {overlap}
    assert set(Counter(handed).values()) == {overlap}
    assert len(stands) == 400 // overlap
    assert (states, still_open) == ({"settled"}, [])


def test_a_loop_that_has_taken_more_labels_changes_no_claim(database, publish):
    publish(database, 2)
    with database.writing() as connection:
        connection.execute(update(loops).values(taken_up_to=99))
    assert ids(Desk(database, "anna").claim(2)) == ["i0", "i1"]


def test_a_claim_that_takes_long_takes_nothing_from_those_that_came_meanwhile(
    postgres_storage, publish, monkeypatch
):
    monkeypatch.setattr("bootstrap.store.desks.claiming.CLOCK_SLACK", 0.1)
    with closing(Database(postgres_storage)) as database, Desk(database, "bert") as bert:
        publish(database, 2)
        with database.claiming() as connection:
            now = database.time(connection)
            time.sleep(0.3)
            his = bert.claim()[0]
            hers = take_slot(connection, "anna", now, 600.0)
        assert his.id == "i0"
        assert hers is not None
        assert hers.query_id == 2


def test_what_a_person_has_said_is_looked_up_slot_by_slot(postgres_storage, publish):
    """A join with everything that was said would be made anew for every claim."""
    with closing(Database(postgres_storage)) as database, Desk(database, "anna") as anna:
        publish(database, 40)
        for _ in range(10):
            anna.tell({claim.queries[0].token: "a" for claim in anna.claim(2)})
        with database.claiming() as connection:
            heard = []
            event.listen(database.engine, "before_cursor_execute", lambda *said: heard.append(said[2:4]))
            take_slot(connection, "anna", database.time(connection), 600.0)
            sql, values = next(said for said in heard if said[0].startswith("UPDATE slots"))
            plan = "\n".join(connection.exec_driver_sql("EXPLAIN " + sql, values).scalars())
        assert "Anti Join" not in plan
        assert "SubPlan" in plan
