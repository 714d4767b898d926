"""Who has a desk, what they may hold, and what becomes of it when they are removed."""

from __future__ import annotations

import pytest

from bootstrap.errors import InvalidInput
from bootstrap.labels import Told
from bootstrap.store.database import Database
from bootstrap.store.desks.desk import Desk
from bootstrap.store.desks.reviewers import Reviewer, add_reviewer, remove_reviewer, reviewers


def test_somebody_new_is_added_with_the_usual_limits(database):
    assert reviewers(database) == ()
    Desk(database, "anna")
    Desk(database, "anna")
    assert reviewers(database) == (Reviewer("anna", False, 20, 0, 0, False),)


def test_reviewers_are_told_with_what_they_hold_and_have_answered(storage, publish):
    database = Database(storage)
    publish(database, 4)
    anna = Desk(database, "anna")
    one, two, _ = (claim.queries[0].token for claim in anna.claim(3))
    anna.tell({one: "a", two: "a"})
    anna.undo(two)
    add_reviewer(storage, "bert", is_adjudicator=True, most_held=3)
    assert reviewers(storage) == (
        Reviewer("anna", False, 20, 2, 1, False),
        Reviewer("bert", True, 3, 0, 0, False),
    )
    database.close()


def test_adding_somebody_again_changes_what_they_may(database):
    add_reviewer(database, "anna", most_held=3)
    add_reviewer(database, "anna", is_adjudicator=True)
    add_reviewer(database, "bert")
    assert reviewers(database) == (
        Reviewer("anna", True, 3, 0, 0, False),
        Reviewer("bert", False, 20, 0, 0, False),
    )
    add_reviewer(database, "anna", is_adjudicator=False)
    assert reviewers(database)[0] == Reviewer("anna", False, 3, 0, 0, False)


def test_an_adjudicator_stays_one_when_something_else_is_changed(database):
    add_reviewer(database, "eve", is_adjudicator=True)
    add_reviewer(database, "eve", most_held=5)
    remove_reviewer(database, "eve")
    add_reviewer(database, "eve")
    assert reviewers(database) == (Reviewer("eve", True, 5, 0, 0, False),)


def test_who_is_removed_gets_nothing_more_and_others_get_what_they_held(database, publish):
    publish(database, 3)
    anna, bert = Desk(database, "anna"), Desk(database, "bert")
    first, second = (claim.queries[0].token for claim in anna.claim(2))
    anna.tell({first: "a"})
    assert remove_reviewer(database, "anna") == 1
    assert reviewers(database)[0] == Reviewer("anna", False, 20, 0, 1, True)
    advice = r"add_reviewer\(storage, 'anna'\)"
    for act in (anna.claim, lambda: anna.renew(second), lambda: anna.undo(first)):
        with pytest.raises(InvalidInput, match=advice):
            act()
    with pytest.raises(InvalidInput, match=advice):
        Desk(database, "anna")
    lease = bert.claim(2)[0].queries[0].token
    assert anna.tell({second: "a"}) == Told(extra=1)  # what a person said is never lost
    assert bert.tell({lease: "b"}) == Told(kept=1)
    add_reviewer(database, "anna")
    assert Desk(database, "anna").claim() == []  # bert has the third


def test_somebody_unknown_is_not_removed(database):
    with pytest.raises(InvalidInput, match="nobody has a desk"):
        remove_reviewer(database, "anna")
    Desk(database, "bert")
    with pytest.raises(InvalidInput, match="there are 'bert'"):
        remove_reviewer(database, "anna")


@pytest.mark.parametrize("name", ["", " ", None, 3])
def test_a_reviewer_has_a_name(database, name):
    with pytest.raises(InvalidInput, match="has a name"):
        add_reviewer(database, name)


@pytest.mark.parametrize("most", [0, -1, 2.5, True])
def test_everybody_may_hold_something(database, most):
    with pytest.raises(InvalidInput, match="most_held"):
        add_reviewer(database, "anna", most_held=most)


def test_an_adjudicator_is_one_or_not(database):
    with pytest.raises(InvalidInput, match="is_adjudicator is True or False, got 'yes'"):
        add_reviewer(database, "anna", is_adjudicator="yes")
    assert reviewers(database) == ()
