"""Audits that people answered without a label coming of it: nobody could tell, or they disagree."""

from __future__ import annotations

import pytest
from matplotlib.text import Text

from bootstrap.records import SKIP
from bootstrap.report import plot_history, summary
from bootstrap.store.desks.desk import Desk
from bootstrap.store.desks.reviewers import add_reviewer
from bootstrap.store.upkeep.checking import check
from bootstrap.store.upkeep.erasing import erase


class Team:
    """Ann knows every mail; Bob, where an audit is to come out disputed, says the other class."""

    def __init__(self, mails, storage):
        self.mails, self.storage = mails, storage
        self.loop = mails.loop(None, storage=storage, overlap=2, batch_size=20, audit_share=1.0)
        self.loop.add(mails.X, ids=mails.ids)

    def round(self, bob):
        self.loop.ask()
        with self.loop._journal.holding():
            self.loop._journal.open_desks()
        self.answer("ann", self.mails.truth.get)
        self.answer("bob", bob)
        self.loop.refit()
        return self.loop.history[-1]

    def answer(self, name, says):
        with Desk(self.storage, name) as desk:
            desk.run(lambda queries: [says(query.id) for query in queries], wait=False)

    def disputes(self, name):
        """Another class for every audit, the right one for the others."""
        right = self.mails.truth[name]
        if not self.loop.is_held_out(name):
            return right
        return "ham" if right == "spam" else "spam"

    def cannot_tell(self, name):
        return SKIP if self.loop.is_held_out(name) else self.mails.truth[name]


@pytest.fixture
def team(mails, storage):
    team = Team(mails, storage)
    yield team
    team.loop.close()


def test_what_people_disagree_about_counts_as_wrong_until_it_is_settled(team, mails):
    team.round(mails.truth.get)
    before = team.round(mails.truth.get)
    assert before.n_unsettled == 0 < before.accuracy
    disputed = team.round(team.disputes)
    new = disputed.n_unsettled
    assert new > 0
    assert disputed.n_audited == before.n_audited + new
    assert disputed.accuracy * disputed.n_audited <= before.n_audited
    assert disputed.running_low < before.running_low
    assert team.loop.review_curve().curve.n_audited == disputed.n_audited
    resumed = mails.resumed(team.storage, labeler=None)
    assert resumed.history[-1] == disputed
    assert str(resumed.verdict()) == str(team.loop.verdict())
    resumed.close()
    add_reviewer(team.storage, "eve", is_adjudicator=True)
    team.answer("eve", mails.truth.get)
    settled = team.round(mails.truth.get)
    assert settled.n_unsettled == 0
    assert settled.n_audited > disputed.n_audited
    assert settled.accuracy > disputed.accuracy
    assert settled.running_low > disputed.running_low
    assert check(team.storage).ok


def test_where_one_could_not_tell_a_third_person_is_waited_for(team, mails):
    team.round(mails.truth.get)
    found = team.round(team.cannot_tell)
    assert found.n_unsettled > 0
    team.answer("carl", mails.truth.get)
    team.loop.take_saved()
    assert team.round(mails.truth.get).n_unsettled == 0


def test_the_verdict_says_that_audits_wait_for_an_adjudicator(team, mails):
    team.round(mails.truth.get)
    assert "wait" not in str(team.loop.verdict())
    n = team.round(team.disputes).n_unsettled
    verdict = team.loop.verdict()
    assert f"{n} audits wait for an adjudicator" in verdict.reason
    assert "is_adjudicator=True" in verdict.next_step
    assert verdict.numbers["disputed"] == n
    add_reviewer(team.storage, "eve", is_adjudicator=True)
    team.answer("eve", mails.truth.get)
    team.loop.take_saved()
    assert "wait" not in str(team.loop.verdict())
    assert team.loop._certifying.people().readers == 2


def test_disputes_about_what_is_learned_from_and_labels_that_no_refit_has_used_are_told(team, mails):
    team.round(lambda name: "spam" if mails.truth[name] == "ham" else "ham")
    n_audits = team.loop.history[-1].n_unsettled
    n = len(team.loop._exchange.labels.disputed()) - n_audits
    assert n > 0
    assert f"{n} items to learn from wait for an adjudicator" in team.loop.verdict().next_step
    add_reviewer(team.storage, "eve", is_adjudicator=True)
    team.answer("eve", mails.truth.get)
    settled = "Not in this yet: labels that came since the last refit ({})."
    assert settled.format(n + n_audits) in team.loop.verdict().next_step
    team.loop.take_saved()
    assert settled.format(n) in team.loop.verdict().next_step
    team.loop.refit()
    assert "Not in this yet" not in team.loop.verdict().next_step


def test_what_was_erased_waits_for_nobody(team, mails):
    team.round(mails.truth.get)
    team.round(lambda name: "spam" if mails.truth[name] == "ham" else "ham")
    items = team.loop._exchange.labels.disputed()
    names = [team.loop._pool.id(row) for row in items]
    assert "wait for an adjudicator" in str(team.loop.verdict())
    erase(team.storage, names)
    assert "wait for an adjudicator" not in str(team.loop.verdict())


def test_an_audit_that_nobody_could_tell_counts_as_wrong_in_memory_too(mails):
    def knows_some(queries):
        skips = [loop.is_held_out(q.id) and loop.history and loop.history[-1].round < 3 for q in queries]
        return [SKIP if skip else mails.truth[q.id] for q, skip in zip(queries, skips, strict=True)]

    loop = mails.loop(knows_some, batch_size=20)
    loop.run(mails.X, ids=mails.ids, rounds=5)
    last = loop.history[-1]
    assert last.n_unsettled > 0
    assert last.accuracy <= 1 - last.n_unsettled / last.n_audited
    n = last.n_unsettled
    assert f"{n} audits are unsettled" in summary(loop.history)
    figure = plot_history(loop.history).figure
    said = " ".join(text.get_text() for text in figure.findobj(Text)).split()
    assert f"label ({n}: nobody could tell, or people disagree) count as wrong." in " ".join(said)
