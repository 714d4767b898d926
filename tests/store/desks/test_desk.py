"""One reviewer at one store: what becomes of each answer, and what a person is told."""

from __future__ import annotations

import threading
from contextlib import closing

import numpy as np
import pytest
from sqlalchemy import insert, select, update

from bootstrap.errors import AnswersRejected, InvalidInput, LeaseLost
from bootstrap.labels import Told
from bootstrap.records import SKIP
from bootstrap.store.database import Database
from bootstrap.store.desks.claiming import withdraw_unclaimed
from bootstrap.store.desks.desk import Desk
from bootstrap.store.desks.progress import Progress, progress_of
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
    slots,
)


def token(desk):
    return desk.claim(1)[0].queries[0].token


# answers in time


def test_an_answer_is_stored_with_all_that_is_known_of_it(database, publish, written):
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
    assert written.state(database) == "settled"


def test_the_same_answer_again_changes_nothing(database, publish, written):
    publish(database, 1)
    anna = Desk(database, "anna")
    lease = token(anna)
    assert anna.tell({lease: "a"}) == Told(kept=1)
    assert anna.tell({lease: "a"}) == Told(repeated=1)
    assert Desk(database, "anna").tell({lease: "a"}) == Told(repeated=1)
    assert len(written.labels(database)) == 1


def test_another_answer_under_the_same_lease_is_kept_beside_the_first(database, publish, written):
    publish(database, 1)
    anna = Desk(database, "anna")
    lease = token(anna)
    anna.tell({lease: "a"})
    assert anna.tell({lease: "b"}) == Told(extra=1)
    assert anna.tell({lease: "b"}) == Told(repeated=1)
    assert written.standing(database) == {0: "a"}
    assert [row[3] for row in written.labels(database)] == [False, True]


def test_two_threads_that_post_the_same_answer_store_one_label(storage, publish, written):
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
    assert len(written.labels(database)) == 6
    database.close()


def test_an_answer_after_somebody_else_got_the_query_is_kept_as_extra(timed, publish, hand, written):
    publish(timed, 1)
    anna, bert = Desk(timed, "anna", lease_seconds=10), Desk(timed, "bert", lease_seconds=10)
    late = token(anna)
    hand.time += 11
    lease = token(bert)
    assert anna.tell({late: "b"}) == Told(extra=1)
    assert bert.tell({lease: "a"}) == Told(kept=1)
    assert anna.tell({late: "b"}) == Told(repeated=1)
    assert anna.tell({late: "a"}) == Told(extra=1)
    assert written.standing(timed) == {0: "a"}


def test_an_answer_under_a_lease_that_ran_out_counts_while_nobody_else_has_the_query(
    timed, publish, hand, written
):
    publish(timed, 2)
    anna = Desk(timed, "anna", lease_seconds=10)
    first, second = (claim.queries[0].token for claim in anna.claim(2))
    hand.time += 1000
    anna.release(second)
    assert anna.tell({first: "a", second: "b"}) == Told(kept=2)
    assert written.standing(timed) == {0: "a", 1: "b"}


def test_an_old_and_a_new_lease_of_one_person_are_one_answer(timed, publish, hand):
    publish(timed, 1)
    anna = Desk(timed, "anna", lease_seconds=10)
    old = token(anna)
    hand.time += 11
    new = token(anna)
    assert anna.tell({old: "a"}) == Told(kept=1)
    assert anna.tell({new: "a"}) == Told(repeated=1)
    assert anna.claim() == []


def test_a_late_answer_to_what_was_withdrawn_counts_where_nothing_else_does(timed, publish, hand, written):
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
    assert written.state(timed, 2) == "open"
    assert bert.tell({other: SKIP}) == Told(extra=1)
    hand.time += 1
    publish(timed, 1)
    carl = Desk(timed, "carl", lease_seconds=10)
    held = token(carl)
    with timed.writing() as connection:
        connection.execute(update(queries).where(queries.c.id == 2).values(state="withdrawn"))
        connection.execute(update(slots).where(slots.c.query_id == 2).values(is_open=False))
    assert carl.tell({held: "a"}) == Told(kept=1)
    assert written.standing(timed) == {0: "a"}
    assert [written.state(timed, query) for query in (1, 2, 3)] == ["settled", "settled", "settled"]
    assert Desk(timed, "dora").claim() == []


def test_a_late_and_a_new_answer_about_an_item_may_come_in_one_call(timed, publish, hand, written):
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
    assert written.standing(timed) == {0: "a", 1: "b"}
    assert [written.state(timed, query) for query in (1, 2, 3)] == ["settled"] * 3


@pytest.mark.parametrize("how", [Desk.tell, Desk.tell_and_claim])
def test_nobody_is_asked_to_settle_what_the_same_call_has_settled(timed, publish, hand, written, how):
    loop_id = publish(timed, 1)
    anna, bert = Desk(timed, "anna", lease_seconds=10), Desk(timed, "bert", lease_seconds=10)
    old = token(anna)
    hand.time += 60
    with timed.writing() as connection:
        withdraw_unclaimed(connection, loop_id, hand.time)
    publish(timed, 1, overlap=2)
    new = token(anna)
    bert.tell({token(bert): "b"})
    how(anna, {new: "a", old: "b"})  # the first disagrees with bert, the second counts as it is
    assert written.standing(timed) == {0: "b"}
    add_reviewer(timed, "eve", is_adjudicator=True)
    assert Desk(timed, "eve").claim() == []


def test_a_query_about_what_got_its_label_elsewhere_is_settled_by_an_extra_one(database, publish, written):
    publish(database, 1, overlap=2)
    publish(database, 1)
    anna = Desk(database, "anna")
    one, two = (claim.queries[0].token for claim in anna.claim(2, together=False))
    assert anna.tell({two: "a", one: "b"}) == Told(kept=1, extra=1)
    assert written.state(database) == "settled"
    assert Desk(database, "bert").claim() == []


# who can't tell, and who disagrees


def test_a_skip_stands_until_another_person_names_a_class(database, publish, written):
    publish(database, 1)
    anna, bert = Desk(database, "anna"), Desk(database, "bert")
    assert anna.tell({token(anna): Answer(SKIP, "two topics")}) == Told(skipped=1)
    assert written.standing(database) == {0: None}
    assert anna.claim() == []
    lease = token(bert)
    assert Desk(database, "carl").claim() == []
    assert bert.tell({lease: "b"}) == Told(kept=1)
    assert written.standing(database) == {0: "b"}
    assert written.state(database) == "settled"


@pytest.mark.parametrize("overlap", [1, 2])
@pytest.mark.parametrize("verdict", ["a", SKIP])
def test_two_skips_are_settled_by_an_adjudicator(database, publish, written, overlap, verdict):
    publish(database, 1, overlap=overlap)
    for name in ("anna", "bert"):
        desk = Desk(database, name)
        assert desk.tell({token(desk): SKIP}) == Told(skipped=1)
    assert Desk(database, "carl").claim() == []
    add_reviewer(database, "dora", is_adjudicator=True)
    dora = Desk(database, "dora")
    dora.tell({token(dora): verdict})
    assert written.standing(database) == {0: None if verdict is SKIP else "a"}
    assert written.state(database) == "settled"
    with database.reading() as connection:
        said = connection.execute(select(labels.c.adjudicates).order_by(labels.c.id)).scalars().all()
    assert said == [False, False, True]


def test_with_an_overlap_the_last_of_equal_answers_counts(database, publish, written):
    publish(database, 1, overlap=2)
    for name in ("anna", "bert"):
        desk = Desk(database, name)
        assert desk.tell({token(desk): "a"}) == Told(kept=1)
    assert [(row[2], row[3]) for row in written.labels(database)] == [("anna", True), ("bert", False)]
    assert written.state(database) == "settled"


def test_a_disagreement_is_settled_by_an_adjudicator(database, publish, written):
    publish(database, 1, overlap=2)
    for name, label in (("anna", "a"), ("bert", "b")):
        desk = Desk(database, name)
        desk.tell({token(desk): label})
    assert written.standing(database) == {}
    add_reviewer(database, "dora", is_adjudicator=True)
    dora = Desk(database, "dora")
    assert dora.tell({token(dora): "b"}) == Told(kept=1)
    assert written.standing(database) == {0: "b"}


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


def test_every_valid_answer_is_stored_before_any_is_refused(database, publish, written):
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
    assert written.standing(database) == {1: "b"}
    assert anna.tell({one: "a"}) == Told(kept=1)


def test_answers_and_the_next_claim_are_one_step_unless_an_answer_is_refused(database, publish, written):
    publish(database, 4)
    anna = Desk(database, "anna")
    told, claimed = anna.tell_and_claim({token(anna): "a"}, 2)
    assert told == Told(kept=1)
    assert [claim.id for claim in claimed] == ["i1", "i2"]
    one, two = (claim.queries[0].token for claim in claimed)
    with pytest.raises(AnswersRejected) as refused:
        anna.tell_and_claim({one: "c", two: "b"})
    assert refused.value.n_kept == 1
    assert written.standing(database) == {0: "a", 2: "b"}
    assert reviewers(database)[0].held == 1
    assert anna.tell_and_claim({one: "a"}, 2)[1][0].id == "i3"
    assert anna.tell_and_claim({}) == (Told(), [])
    with pytest.raises(InvalidInput, match="n is a whole number from 1"):
        anna.tell_and_claim({one: "a"}, 0)


@pytest.mark.parametrize("why", ["removed", "full hands"])
def test_who_may_have_no_more_is_told_that_the_answer_is_stored(database, publish, written, why):
    publish(database, 4)
    anna = Desk(database, "anna")
    one, _, _ = (claim.queries[0].token for claim in anna.claim(3))
    if why == "removed":
        remove_reviewer(database, "anna")
    else:
        add_reviewer(database, "anna", most_held=2)
    assert anna.tell_and_claim({one: "a"}) == (Told(kept=1), [])
    assert written.standing(database) == {0: "a"}
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


def test_an_items_id_will_do_where_it_names_one_query(database, publish, written):
    publish(database, 2)
    publish(database, 1, loop="urgency")
    anna = Desk(database, "anna")
    anna.claim(2)
    with pytest.raises(AnswersRejected, match="not exactly one"):
        anna.tell({"i0": "a", "i1": "b"})
    assert written.standing(database) == {1: "b"}


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


def progress(database, loop_id):
    with database.reading() as connection:
        return progress_of(connection, loop_id)


# where every adjudicator has answered already


def disagree(database, *names, says="ab"):
    for name, label in zip(names, says, strict=True):
        desk = Desk(database, name)
        desk.tell({token(desk): label})


def test_the_next_person_settles_what_the_only_adjudicator_has_answered(database, publish, written):
    publish(database, 1, overlap=2)
    add_reviewer(database, "dora", is_adjudicator=True)
    disagree(database, "anna", "dora")
    assert Desk(database, "anna").claim() == Desk(database, "dora").claim() == []
    carl = Desk(database, "carl")
    assert carl.tell({token(carl): "b"}) == Told(kept=1)
    assert (written.standing(database), written.state(database)) == ({0: "b"}, "settled")


def test_another_adjudicator_comes_before_the_next_person(database, publish, written):
    publish(database, 1, overlap=2)
    for name in ("dora", "eve"):
        add_reviewer(database, name, is_adjudicator=True)
    disagree(database, "anna", "dora")
    assert Desk(database, "carl").claim() == []
    eve = Desk(database, "eve")
    eve.tell({token(eve): "a"})
    assert written.standing(database) == {0: "a"}


def test_a_disagreement_is_waited_for_where_somebody_there_can_settle_it(database, publish):
    loop_id = publish(database, 1, overlap=2)
    disagree(database, "anna", "bert")
    assert progress(database, loop_id) == Progress(0, 0, 0, 0, 0, 2)
    add_reviewer(database, "dora", is_adjudicator=True)
    assert progress(database, loop_id) == Progress(0, 0, 0, 0, 1, 2)
    remove_reviewer(database, "dora")
    assert progress(database, loop_id).n_to_settle == 0


def test_a_third_person_is_waited_for_where_one_of_two_could_not_tell(database, publish):
    loop_id = publish(database, 1, overlap=2)
    disagree(database, "anna", "bert", says=["a", SKIP])
    assert progress(database, loop_id).n_to_settle == 0
    Desk(database, "carl")
    assert progress(database, loop_id).n_to_settle == 1


@pytest.mark.parametrize("how", [Desk.tell, Desk.tell_and_claim])
def test_answers_that_are_no_mapping_are_refused(database, publish, how):
    publish(database, 1)
    with pytest.raises(InvalidInput, match="mapping from token"):
        how(Desk(database, "anna"), ["a"])


def test_who_disagreed_and_adjudicates_from_now_on_leaves_it_to_the_next_person(database, publish, written):
    publish(database, 1, overlap=2)
    disagree(database, "anna", "bert")
    add_reviewer(database, "anna", is_adjudicator=True)
    carl = Desk(database, "carl")
    assert carl.tell({token(carl): "b"}) == Told(kept=1)
    assert (written.standing(database), written.state(database)) == ({0: "b"}, "settled")


@pytest.mark.parametrize(
    "go", [remove_reviewer, lambda database, name: add_reviewer(database, name, is_adjudicator=False)]
)
def test_where_the_adjudicator_who_could_settle_goes_the_next_person_does(database, publish, written, go):
    publish(database, 1, overlap=2)
    for name in ("dora", "eve"):
        add_reviewer(database, name, is_adjudicator=True)
    disagree(database, "anna", "dora")
    go(database, "eve")
    carl = Desk(database, "carl")
    carl.tell({token(carl): "b"})
    assert (written.standing(database), written.state(database)) == ({0: "b"}, "settled")


def test_where_the_only_adjudicator_answers_too_late_the_next_person_settles(
    tmp_path, publish, written, hand
):
    with closing(Database(f"sqlite:///{tmp_path}/labels.db", clock=hand)) as database:
        publish(database, 1, overlap=2)
        add_reviewer(database, "eve", is_adjudicator=True)
        eve = Desk(database, "eve", lease_seconds=10)
        lease = token(eve)
        hand.time += 20
        disagree(database, "anna", "bert")
        assert eve.tell({lease: "a"}) == Told(extra=1)
        carl = Desk(database, "carl")
        carl.tell({token(carl): "b"})
        assert (written.standing(database), written.state(database)) == ({0: "b"}, "settled")
