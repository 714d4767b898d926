"""One reviewer at one store: what becomes of each answer, and what a person is told."""

from __future__ import annotations

import json
import threading
import time

import numpy as np
import pytest
from sqlalchemy import insert, select, update

from bootstrap.errors import AnswersRejected, InvalidInput, LabelerStopped, LeaseLost, StoreError
from bootstrap.labelers.callback import Collected, CollectingLabeler, each
from bootstrap.labels import Told
from bootstrap.records import SKIP
from bootstrap.store.database import Database
from bootstrap.store.desks.desk import Desk
from bootstrap.store.desks.reviewers import add_reviewer, remove_reviewer, reviewers
from bootstrap.store.desks.taking import Answer
from bootstrap.store.features import write_features
from bootstrap.store.schema import (
    class_lists,
    items,
    labels,
    loops,
    members,
    queries,
    rounds,
    slots,
    standing,
)


def stored(database):
    """Every label: (row, label, by, extra, undoes)."""
    with database.reading() as connection:
        found = connection.execute(select(labels).order_by(labels.c.id)).all()
    return [
        (row.row, None if row.label is None else json.loads(row.label), row.by, row.extra, row.undoes)
        for row in found
    ]


def standing_labels(database):
    """Row -> the label that counts, of the first opinions."""
    with database.reading() as connection:
        found = connection.execute(
            select(labels.c.row, labels.c.label)
            .join(standing, standing.c.label_id == labels.c.id)
            .where(standing.c.opinion == "first")
        ).all()
    return {row.row: None if row.label is None else json.loads(row.label) for row in found}


def state(database, query=1):
    with database.reading() as connection:
        return connection.execute(select(queries.c.state).where(queries.c.id == query)).scalar_one()


def token(desk):
    return desk.claim(1)[0].queries[0].token


@pytest.fixture
def timed(storage, hand):
    """An open store whose clock is moved by hand."""
    opened = Database(storage, clock=hand)
    yield opened
    opened.close()


# answers in time


def test_an_answer_is_stored_with_all_that_is_known_of_it(database, publish):
    publish(database, 1, kind="audit", round=4)
    anna = Desk(database, "anna")
    lease = token(anna)
    assert anna.tell({lease: Answer("b", "blurred", 5.0, 6.0)}) == Told(kept=1)
    with database.reading() as connection:
        row = connection.execute(select(labels)).one()
    assert (row.label, row.by, row.source, row.round, row.token) == ('"b"', "anna", "audit", 4, lease)
    assert (row.reason, row.shown_at, row.touched_at, row.blind, row.extra) == (
        "blurred",
        5.0,
        6.0,
        True,
        False,
    )
    assert (row.class_version, row.query_id, row.undoes, row.adjudicates) == (1, 1, None, False)
    assert state(database) == "settled"


def test_the_same_answer_again_changes_nothing(database, publish):
    publish(database, 1)
    anna = Desk(database, "anna")
    lease = token(anna)
    assert anna.tell({lease: "a"}) == Told(kept=1)
    assert anna.tell({lease: "a"}) == Told(repeated=1)
    assert Desk(database, "anna").tell({lease: "a"}) == Told(repeated=1)
    assert len(stored(database)) == 1


def test_another_answer_under_the_same_lease_is_kept_beside_the_first(database, publish):
    publish(database, 1)
    anna = Desk(database, "anna")
    lease = token(anna)
    anna.tell({lease: "a"})
    assert anna.tell({lease: "b"}) == Told(extra=1)
    assert anna.tell({lease: "b"}) == Told(repeated=1)
    assert standing_labels(database) == {0: "a"}
    assert [row[3] for row in stored(database)] == [False, True]


def test_two_threads_that_post_the_same_answer_store_one_label(storage, publish):
    database = Database(storage)
    publish(database, 6)
    told = []
    for _ in range(6):
        anna = Desk(database, "anna")
        lease = token(anna)
        both = threading.Barrier(2)

        def post(anna=anna, lease=lease, both=both):
            both.wait()
            told.append(anna.tell({lease: "a"}))

        threads = [threading.Thread(target=post) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted((one.kept, one.repeated) for one in told) == [(0, 1)] * 6 + [(1, 0)] * 6
    assert len(stored(database)) == 6
    database.close()


def test_an_answer_after_somebody_else_got_the_query_is_kept_as_extra(timed, publish, hand):
    publish(timed, 1)
    anna, bert = Desk(timed, "anna", lease_seconds=10), Desk(timed, "bert", lease_seconds=10)
    late = token(anna)
    hand.time += 11
    lease = token(bert)
    assert anna.tell({late: "b"}) == Told(extra=1)
    assert bert.tell({lease: "a"}) == Told(kept=1)
    assert anna.tell({late: "b"}) == Told(repeated=1)
    assert anna.tell({late: "a"}) == Told(extra=1)
    assert standing_labels(timed) == {0: "a"}


def test_an_answer_under_a_lease_that_ran_out_is_a_normal_one_while_nobody_else_has_it(timed, publish, hand):
    publish(timed, 2)
    anna = Desk(timed, "anna", lease_seconds=10)
    first, second = (claim.queries[0].token for claim in anna.claim(2))
    hand.time += 1000
    anna.release(second)
    assert anna.tell({first: "a", second: "b"}) == Told(kept=2)
    assert standing_labels(timed) == {0: "a", 1: "b"}


def test_an_old_and_a_new_lease_of_one_person_are_one_answer(timed, publish, hand):
    publish(timed, 1)
    anna = Desk(timed, "anna", lease_seconds=10)
    old = token(anna)
    hand.time += 11
    new = token(anna)
    assert anna.tell({old: "a"}) == Told(kept=1)
    assert anna.tell({new: "a"}) == Told(repeated=1)
    assert anna.claim() == []


def test_a_late_answer_to_what_was_withdrawn_counts_where_nothing_else_does(timed, publish, hand):
    publish(timed, 1)
    anna, bert = Desk(timed, "anna", lease_seconds=10), Desk(timed, "bert", lease_seconds=10)
    lease = token(anna)
    hand.time += 11
    other = token(bert)
    with timed.writing() as connection:
        connection.execute(update(queries).values(state="withdrawn"))
        connection.execute(update(slots).values(is_open=False))
    publish(timed, 1)  # the loop asks again
    assert anna.tell({lease: SKIP}) == Told(skipped=1)
    assert state(timed, 2) == "open"
    assert bert.tell({other: SKIP}) == Told(extra=1)
    hand.time += 1
    publish(timed, 1)
    carl = Desk(timed, "carl", lease_seconds=10)
    held = token(carl)
    with timed.writing() as connection:
        connection.execute(update(queries).where(queries.c.id == 2).values(state="withdrawn"))
        connection.execute(update(slots).where(slots.c.query_id == 2).values(is_open=False))
    assert carl.tell({held: "a"}) == Told(kept=1)
    assert standing_labels(timed) == {0: "a"}
    assert [state(timed, query) for query in (1, 2, 3)] == ["settled", "settled", "settled"]
    assert Desk(timed, "dora").claim() == []


def test_a_late_and_a_new_answer_about_an_item_may_come_in_one_call(timed, publish, hand):
    publish(timed, 2)
    anna = Desk(timed, "anna", lease_seconds=10)
    late, old = (claim.queries[0].token for claim in anna.claim(2))
    hand.time += 11
    with timed.writing() as connection:
        connection.execute(update(queries).where(queries.c.id == 1).values(state="withdrawn"))
        connection.execute(update(slots).where(slots.c.query_id == 1).values(is_open=False))
    publish(timed, 1)
    again, other = (claim.queries[0].token for claim in anna.claim(2))
    assert anna.tell({late: "a", again: "b", old: "b", other: "b"}) == Told(kept=2, extra=1, repeated=1)
    assert standing_labels(timed) == {0: "a", 1: "b"}
    assert [state(timed, query) for query in (1, 2, 3)] == ["settled"] * 3


def test_a_query_about_what_got_its_label_elsewhere_is_settled_by_an_extra_one(database, publish):
    publish(database, 1, overlap=2)
    publish(database, 1)
    anna = Desk(database, "anna")
    one, two = (claim.queries[0].token for claim in anna.claim(2, together=False))
    assert anna.tell({two: "a", one: "b"}) == Told(kept=1, extra=1)
    assert state(database) == "settled"
    assert Desk(database, "bert").claim() == []


# who can't tell, and who disagrees


def test_a_skip_stands_until_another_person_names_a_class(database, publish):
    publish(database, 1)
    anna, bert = Desk(database, "anna"), Desk(database, "bert")
    assert anna.tell({token(anna): Answer(SKIP, "two topics")}) == Told(skipped=1)
    assert standing_labels(database) == {0: None}
    assert anna.claim() == []
    lease = token(bert)
    assert Desk(database, "carl").claim() == []
    assert bert.tell({lease: "b"}) == Told(kept=1)
    assert standing_labels(database) == {0: "b"}
    assert state(database) == "settled"


@pytest.mark.parametrize("overlap", [1, 2])
@pytest.mark.parametrize("verdict", ["a", SKIP])
def test_two_skips_are_settled_by_an_adjudicator(database, publish, overlap, verdict):
    publish(database, 1, overlap=overlap)
    for name in ("anna", "bert"):
        desk = Desk(database, name)
        assert desk.tell({token(desk): SKIP}) == Told(skipped=1)
    assert Desk(database, "carl").claim() == []
    add_reviewer(database, "dora", is_adjudicator=True)
    dora = Desk(database, "dora")
    dora.tell({token(dora): verdict})
    assert standing_labels(database) == {0: None if verdict is SKIP else "a"}
    assert state(database) == "settled"
    with database.reading() as connection:
        said = connection.execute(select(labels.c.adjudicates).order_by(labels.c.id)).scalars().all()
    assert said == [False, False, True]


def test_with_an_overlap_the_last_of_equal_answers_counts(database, publish):
    publish(database, 1, overlap=2)
    for name in ("anna", "bert"):
        desk = Desk(database, name)
        assert desk.tell({token(desk): "a"}) == Told(kept=1)
    assert [(row[2], row[3]) for row in stored(database)] == [("anna", True), ("bert", False)]
    assert state(database) == "settled"


def test_a_disagreement_is_settled_by_an_adjudicator(database, publish):
    publish(database, 1, overlap=2)
    for name, label in (("anna", "a"), ("bert", "b")):
        desk = Desk(database, name)
        desk.tell({token(desk): label})
    assert standing_labels(database) == {}
    add_reviewer(database, "dora", is_adjudicator=True)
    dora = Desk(database, "dora")
    assert dora.tell({token(dora): "b"}) == Told(kept=1)
    assert standing_labels(database) == {0: "b"}


def test_who_is_still_at_it_when_two_could_not_tell_can_make_it_three(database, publish):
    publish(database, 1, overlap=3)
    desks = [Desk(database, name) for name in ("anna", "bert", "carl")]
    leases = [token(desk) for desk in desks]
    for desk, lease in zip(desks, leases, strict=True):
        desk.tell({lease: SKIP})
    with database.reading() as connection:
        still_open = (
            connection.execute(select(slots.c.for_adjudicator).where(slots.c.is_open)).scalars().all()
        )
    assert still_open == [True]


# what is refused


def test_every_valid_answer_is_stored_before_any_is_refused(database, publish):
    publish(database, 3)
    anna, bert = Desk(database, "anna"), Desk(database, "bert")
    one, two = (claim.queries[0].token for claim in anna.claim(2))
    foreign = token(bert)
    with pytest.raises(AnswersRejected) as refused:
        anna.tell({one: "c", foreign: "a", "nothing": "a", two: "b"})
    assert set(refused.value.rejected) == {one, foreign, "nothing"}
    assert "is not one of the 2 classes" in refused.value.rejected[one]
    assert "has no query under this token" in refused.value.rejected[foreign]
    assert refused.value.n_kept == 1
    assert standing_labels(database) == {1: "b"}
    assert anna.tell({one: "a"}) == Told(kept=1)


def test_answers_and_the_next_claim_are_one_step_unless_an_answer_is_refused(database, publish):
    publish(database, 4)
    anna = Desk(database, "anna")
    told, claimed = anna.tell_and_claim({token(anna): "a"}, 2)
    assert told == Told(kept=1)
    assert [claim.id for claim in claimed] == ["i1", "i2"]
    one, two = (claim.queries[0].token for claim in claimed)
    with pytest.raises(AnswersRejected) as refused:
        anna.tell_and_claim({one: "c", two: "b"})
    assert refused.value.n_kept == 1
    assert standing_labels(database) == {0: "a", 2: "b"}
    assert reviewers(database)[0].held == 1
    assert anna.tell_and_claim({one: "a"}, 2)[1][0].id == "i3"
    assert anna.tell_and_claim({}) == (Told(), [])
    with pytest.raises(InvalidInput, match="n is a whole number from 1"):
        anna.tell_and_claim({one: "a"}, 0)


@pytest.mark.parametrize("why", ["removed", "full hands"])
def test_who_may_have_no_more_is_told_that_the_answer_is_stored(database, publish, why):
    publish(database, 4)
    anna = Desk(database, "anna")
    one, _, _ = (claim.queries[0].token for claim in anna.claim(3))
    if why == "removed":
        remove_reviewer(database, "anna")
    else:
        add_reviewer(database, "anna", most_held=2)
    assert anna.tell_and_claim({one: "a"}) == (Told(kept=1), [])
    assert standing_labels(database) == {0: "a"}
    with pytest.raises(InvalidInput, match="was removed" if why == "removed" else "holds 2 queries"):
        anna.claim()


def test_a_lease_can_be_renewed_at_the_moment_at_which_its_answer_comes(storage, publish):
    publish(Database(storage), 60)
    with Desk(storage, "anna") as anna, Desk(storage, "anna") as elsewhere:
        claimed, n, failed = anna.claim(), 0, []

        def renew():
            while claimed:
                try:
                    elsewhere.renew(claimed[0].queries[0].token)
                except (LeaseLost, IndexError):  # it was answered, or there are no more
                    continue
                except Exception as error:
                    failed.append(error)

        thread = threading.Thread(target=renew)
        thread.start()
        while claimed:
            told, claimed = anna.tell_and_claim({claim.queries[0].token: "a" for claim in claimed})
            n += told.kept
        thread.join()
    assert (n, failed) == (60, [])


def test_nothing_told_is_nothing_done(database, publish):
    publish(database, 1)
    assert Desk(database, "anna").tell({}) == Told()


def test_an_items_id_will_do_where_it_names_one_query(database, publish):
    publish(database, 2)
    publish(database, 1, loop="urgency")
    anna = Desk(database, "anna")
    anna.claim(2)
    with pytest.raises(AnswersRejected, match="not exactly one"):
        anna.tell({"i0": "a", "i1": "b"})
    assert standing_labels(database) == {1: "b"}


def test_the_classes_are_those_of_the_newest_list(database, publish):
    publish(database, 1)
    with database.writing() as connection:
        connection.execute(
            insert(class_lists).values(
                loop_id=1,
                version=2,
                classes='["a", "z"]',
                change='{"renamed": [["b", "z"]]}',
                by=None,
                at=0.0,
            )
        )
        connection.execute(update(loops).values(class_version=2))
    anna = Desk(database, "anna")
    query = anna.ask()[0]
    assert query.classes == ("a", "z")
    assert anna.tell({query.token: "z"}) == Told(kept=1)
    with database.reading() as connection:
        assert connection.execute(select(labels.c.class_version)).scalar_one() == 2


def test_an_open_list_shows_the_classes_that_stand(database, publish):
    publish(database, 4, classes=None)
    anna, bert = Desk(database, "anna"), Desk(database, "bert")
    query = anna.ask()[0]
    assert (query.classes, query.open_classes) == ((), True)
    anna.tell({query.token: "owl"})
    anna.tell({token(anna): "cat"})
    assert bert.ask()[0].classes == ("cat", "owl")
    with pytest.raises(AnswersRejected, match="use one kind of label"):
        anna.tell({token(anna): 3})


def test_what_is_seen_is_the_payload_or_else_the_features(database, publish):
    publish(database, 2)
    with database.writing() as connection:
        (_, (block, at)) = write_features(connection, np.array([[1.0, 2.0], [3.0, 4.0]]))
        connection.execute(update(items).where(items.c.key != "key 0").values(payload=None))
        connection.execute(update(members).where(members.c.row == 1).values(block_id=block, at=at))
    first, second = Desk(database, "anna").ask(2)
    assert first.item == "text 0"
    np.testing.assert_array_equal(second.item, [3.0, 4.0])


# holding


def test_a_lease_is_renewed_also_after_it_ran_out_while_nobody_else_has_it(timed, publish, hand):
    publish(timed, 1)
    anna, bert = Desk(timed, "anna", lease_seconds=10), Desk(timed, "bert", lease_seconds=10)
    lease = token(anna)
    hand.time += 9
    assert anna.renew(lease) == hand.time + 10
    hand.time += 9
    assert bert.claim() == []
    hand.time += 9
    assert anna.renew(lease) == hand.time + 10
    hand.time += 11
    token(bert)
    with pytest.raises(LeaseLost, match="An answer is still taken"):
        anna.renew(lease)


def test_only_ones_own_lease_is_renewed_or_released(database, publish):
    publish(database, 1)
    lease = token(Desk(database, "anna"))
    bert = Desk(database, "bert")
    for act in (bert.renew, bert.release, bert.undo):
        with pytest.raises(InvalidInput, match="is no lease of 'bert'"):
            act(lease)
        with pytest.raises(InvalidInput, match="is no lease of 'bert'"):
            act("nothing")


def test_what_is_released_goes_to_others_at_once(database, publish):
    publish(database, 3)
    anna, bert = Desk(database, "anna"), Desk(database, "bert")
    leases = [claim.queries[0].token for claim in anna.claim(3)]
    anna.release(leases[0])
    anna.release(leases[0])
    assert len(bert.claim(3)) == 1
    assert anna.release_all() == 2
    assert len(bert.claim(3)) == 2


def test_leaving_a_desk_hands_back_what_is_held(storage, publish):
    database = Database(storage)
    publish(database, 1)
    with Desk(storage, "anna") as anna:
        assert len(anna.claim()) == 1
    assert len(Desk(database, "bert").claim()) == 1
    database.close()


def test_a_desk_says_what_is_wrong_with_it(storage, publish, hand):
    with pytest.raises(StoreError, match="no store"):
        Desk(storage, "anna")
    database = Database(storage)
    with pytest.raises(InvalidInput, match="there are: none yet"):
        Desk(database, "anna", loop="team")
    publish(database, 1)
    with pytest.raises(InvalidInput, match="no loop 'urgency'; there are: 'team'"):
        Desk(storage, "anna", loop="urgency")
    with pytest.raises(InvalidInput, match="has a name"):
        Desk(database, "  ")
    with pytest.raises(InvalidInput, match="lease_seconds"):
        Desk(database, "anna", lease_seconds=0)
    with pytest.raises(InvalidInput, match="give it to Database"):
        Desk(database, "anna", clock=hand)
    with pytest.raises(InvalidInput, match="whole number from 1"):
        Desk(database, "anna").claim(0)
    database.close()


# undoing


def test_what_was_taken_back_can_be_answered_again_under_the_same_lease(database, publish):
    publish(database, 1)
    anna = Desk(database, "anna")
    lease = token(anna)
    anna.tell({lease: "a"})
    anna.tell({lease: "b"})
    anna.undo(lease)
    assert standing_labels(database) == {}
    assert state(database) == "open"
    assert Desk(database, "bert").claim() == []
    with pytest.raises(InvalidInput, match="taken it back already"):
        anna.undo(lease)
    assert anna.tell({lease: "b"}) == Told(kept=1)
    assert standing_labels(database) == {0: "b"}
    assert [row[4] for row in stored(database)] == [None, None, 1, 2, None]


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
def test_what_the_loop_has_used_is_not_taken_back(database, publish, closed, by_whom):
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
    assert standing_labels(database) == {0: "a"}


def test_an_answer_that_others_have_settled_without_is_not_taken_back(database, publish):
    publish(database, 1, overlap=2)
    anna, bert = Desk(database, "anna"), Desk(database, "bert")
    first, second = token(anna), token(bert)
    anna.tell({first: "a"})
    bert.tell({second: "a"})
    with pytest.raises(InvalidInput, match="not the one that counts"):
        anna.undo(first)
    bert.undo(second)
    assert state(database) == "open"
    anna.undo(first)
    assert bert.tell({second: "b"}) == Told(kept=1)
    assert standing_labels(database) == {}


def test_taking_a_skip_back_asks_nobody_further(database, publish):
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
    assert standing_labels(database) == {0: "a"}


def test_a_late_answer_that_counted_can_be_taken_back(timed, publish, hand):
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
    assert (standing_labels(timed), state(timed)) == ({}, "withdrawn")
    assert anna.tell({lease: "b"}) == Told(kept=1)


# at work


def test_a_labeler_answers_all_that_waits(database, publish):
    publish(database, 5)
    publish(database, 2, loop="urgency")
    anna = Desk(database, "anna")
    assert anna.run(lambda queries: {query.id: "a" for query in queries}, n=3, wait=False) == 7
    assert len(stored(database)) == 7
    assert anna.run(lambda queries: ["a"] * len(queries), wait=False) == 0


def test_each_answer_is_stored_as_it_is_given(database, publish):
    publish(database, 3)
    seen = []

    def answer(query):
        seen.append(len(stored(database)))
        if query.id == "i2":
            raise ValueError("a typo")
        return "a"

    anna = Desk(database, "anna")
    with pytest.raises(ValueError, match="a typo"):
        anna.run(each(answer), n=3)
    assert seen == [0, 1, 2]
    assert [claim.id for claim in Desk(database, "bert").claim(3)] == ["i2"]


def test_a_labeler_that_stops_ends_the_run_and_hands_back_the_rest(database, publish):
    publish(database, 3)

    def stop(queries):
        raise LabelerStopped({queries[0].id: "b"})

    assert Desk(database, "anna").run(stop, n=2) == 1
    assert standing_labels(database) == {0: "b"}
    assert len(Desk(database, "bert").claim(3)) == 2


def test_an_answer_that_is_none_of_the_classes_ends_the_run(database, publish):
    publish(database, 2)
    with pytest.raises(AnswersRejected, match="not one of"):
        Desk(database, "anna").run(lambda queries: ["a", "typo"], n=2)
    assert standing_labels(database) == {0: "a"}
    assert len(Desk(database, "bert").claim(3)) == 1


def test_a_run_ends_after_so_many_answers_or_when_it_is_told_to(database, publish):
    publish(database, 6)
    anna = Desk(database, "anna")
    assert anna.run(lambda queries: ["a"] * len(queries), n=2, limit=3) == 3
    assert anna.run(lambda queries: ["a"], until=lambda: len(stored(database)) == 5) == 2


def test_a_run_waits_for_more(storage, publish):
    database = Database(storage)
    publish(database, 1)
    later = threading.Timer(0.15, lambda: publish(database, 1, first=1))
    later.start()
    assert Desk(database, "anna").run(lambda queries: ["a"], limit=2, poll_seconds=(0.02, 0.04)) == 2
    later.join()
    database.close()


def test_a_labeler_that_leaves_a_query_out_is_not_asked_again_without_a_pause(database, publish):
    publish(database, 1)
    asked = []

    def nothing(queries):
        asked.append(time.monotonic())
        return {} if len(asked) < 4 else {"i0": "a"}

    desk = Desk(database, "anna")
    assert desk.run(nothing, wait=False) == 0
    assert desk.run(nothing, limit=1, poll_seconds=(0.05, 0.05)) == 1
    assert asked[3] - asked[1] >= 0.1


def test_a_lease_is_not_lost_while_a_person_is_at_it(database, publish):
    publish(database, 1)
    bert = Desk(database, "bert")

    def slowly(queries):
        for _ in range(4):
            time.sleep(0.2)
            assert bert.claim() == []
        return ["a"]

    assert Desk(database, "anna", lease_seconds=0.6).run(slowly, limit=1) == 1


def test_a_lease_that_can_not_be_renewed_disturbs_nobody(database, publish):
    publish(database, 1)
    removed = []

    def slowly(queries):
        removed.append(remove_reviewer(database, "anna"))
        time.sleep(0.2)
        return ["a"]

    assert Desk(database, "anna", lease_seconds=0.1).run(slowly, limit=1) == 1
    assert removed == [1]
    assert standing_labels(database) == {0: "a"}


def test_what_a_round_has_used_is_not_taken_back_and_the_run_goes_on(database, publish):
    publish(database, 2)

    class Screen(CollectingLabeler):
        def collect(self, queries, *, on_answer=None, on_undo=None):
            on_answer(queries[0], "a")
            with database.writing() as connection:
                connection.execute(update(loops).values(taken_up_to=1))
            on_undo(queries[0])
            on_answer(queries[0], "b")
            on_answer(queries[1], "a")
            return Collected({}, LabelerStopped())

    assert Desk(database, "anna").run(Screen()) == 2
    assert standing_labels(database) == {0: "a", 1: "a"}
    assert stored(database)[1][:4] == (0, "b", "anna", True)


def test_an_answer_that_is_taken_back_at_the_screen_is_undone(database, publish):
    publish(database, 2)

    class Screen(CollectingLabeler):
        def collect(self, queries, *, on_answer=None, on_undo=None):
            on_answer(queries[0], "a")
            on_answer(queries[1], "a")
            on_undo(queries[0])
            return Collected({queries[1].id: "a"}, LabelerStopped())

    assert Desk(database, "anna").run(Screen()) == 1
    assert standing_labels(database) == {1: "a"}


@pytest.mark.parametrize("wrong", [{"poll_seconds": (0, 1)}, {"poll_seconds": (2, 1)}, {"limit": -1}])
def test_a_run_refuses_what_makes_no_sense(database, wrong):
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        Desk(database, "anna").run(lambda queries: [], **wrong)
