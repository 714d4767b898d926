"""Leases in hand: renewed, released, handed back on leaving."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import select

from bootstrap.errors import InvalidInput, LeaseLost, StoreError
from bootstrap.store.database import Database
from bootstrap.store.desks.desk import Desk
from bootstrap.store.schema import slots


def token(desk):
    return desk.claim(1)[0].queries[0].token


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


def test_whoever_hands_everything_back_waits_for_who_answers_several(database, publish):
    publish(database, 2)
    anna = Desk(database, "anna")
    assert len(anna.claim(2)) == 2
    place = select(slots).with_for_update()
    handing_back = threading.Thread(target=anna.release_all)
    with database.writing() as connection:  # from the last to the first: the other way round
        connection.execute(place.where(slots.c.id == 2)).all()
        handing_back.start()
        time.sleep(0.3)
        connection.execute(place.where(slots.c.id == 1)).all()
    handing_back.join()
    assert len(Desk(database, "bert").claim(2)) == 2


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
