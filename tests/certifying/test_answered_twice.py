"""Who is asked twice, what a second answer decides, and what people's own error takes away."""

from __future__ import annotations

import pytest

from bootstrap import SKIP, BootstrapLoop
from bootstrap.errors import AnswersRejected, InvalidInput
from bootstrap.pool import Place


def truth(query) -> str:
    return "big" if float(query.item[0]) > 5 else "small"


def a_round(loop: BootstrapLoop, answer=truth) -> None:
    loop.tell({query.id: answer(query) for query in loop.ask()}, by="Ann")
    loop.refit()


def nobody(queries) -> list:
    raise AssertionError("these tests use ask and tell")


def candidates(loop: BootstrapLoop) -> list:
    return loop._certifying.trial.candidates


# second answers


def test_a_dispute_holds_up_the_feed_until_somebody_else_has_answered(disputed_audit):
    loop, first, n, behind = disputed_audit()
    rung = candidates(loop)[0].rungs[-1]
    assert rung.n_audited == n
    assert candidates(loop)[0].cursor == n
    asked = loop.ask_second()
    assert [(query.id, query.second) for query in asked] == [(first.id, True)]
    assert asked[0].token != first.token
    assert loop.ask_second() == asked  # the same query, not another one
    assert loop._certifying.trial.n_held_up(candidates(loop)[0]) == 1 + behind
    before = loop.n_labels
    assert loop.tell_second({asked[0].token: truth(first)}, by="Bea").kept == 1
    assert loop.n_labels == before + 1
    assert (rung.n_audited, rung.main.errors) == (n + 1 + behind, 0)  # the second one saw it like the model
    assert loop.ask_second() == []
    assert loop.labels[-1].source == "second"
    assert loop._exchange.labels.answer(loop._pool.row(first.id)) != truth(first)  # the first label stays


def test_telling_a_second_answer_twice_keeps_one_and_a_different_one_beside_it(disputed_audit, outcome):
    loop, first, *_ = disputed_audit()
    loop.ask_second()
    wrong = {"big": "small", "small": "big"}[truth(first)]
    assert loop.tell_second({first.id: truth(first)}).kept == 1
    before = outcome(loop)
    assert loop.tell_second({first.id: truth(first)}).repeated == 1
    assert outcome(loop) == before
    assert loop.tell_second({first.id: wrong}).extra == 1
    assert loop.tell_second({first.id: wrong}).repeated == 1
    assert loop.tell_second({first.id: SKIP}).repeated == 1
    assert outcome(loop)["tallies"] == before["tallies"]
    assert loop.labels[-1].extra


def test_a_second_person_who_cannot_tell_does_not_excuse_the_model(disputed_audit):
    loop, first, n, behind = disputed_audit()
    loop.ask_second()
    assert loop.tell_second({first.id: SKIP}, by="Bea").skipped == 1
    rung = candidates(loop)[0].rungs[-1]
    assert (rung.n_audited, rung.main.errors) == (n + 1 + behind, 1)
    assert loop.ask_second() == []
    assert loop._certifying.people().n_twice == 0


@pytest.mark.parametrize("which", ["unknown", "never asked twice"])
def test_a_second_answer_that_nobody_asked_for_is_refused_and_the_others_are_kept(disputed_audit, which):
    loop, first, *_ = disputed_audit()
    loop.ask_second()
    other = "nobody" if which == "unknown" else loop._pool.id(int(loop._pool.rows(Place.LABELED)[0]))
    with pytest.raises(
        AnswersRejected, match="no item has the id" if which == "unknown" else "ask_second"
    ) as e:
        loop.tell_second({other: "big", first.id: truth(first)})
    assert e.value.n_kept == 1
    assert loop.labels[-1].id == first.id


def test_a_dispute_about_a_label_that_was_given_can_be_settled_as_well(with_a_candidate):
    loop = with_a_candidate(adjudicator=nobody, audit_share=0.1, asked_twice=0)
    loop.tell_second({query.id: truth(query) for query in loop.ask_second()})
    row = int(loop._pool.next_audits(1)[0])
    right = "big" if loop._pool.item(row)[0] > 5 else "small"
    wrong = {"big": "small", "small": "big"}[right]
    n = candidates(loop)[0].rungs[-1].n_audited
    loop.add_labels([loop._pool.id(row)], [wrong], blind=True)
    assert [query.id for query in loop.ask_second()] == [loop._pool.id(row)]
    assert loop.tell_second({loop._pool.id(row): right}).kept == 1
    assert candidates(loop)[0].rungs[-1].n_audited == n + 1


@pytest.mark.parametrize(
    ("adjudicated", "first", "second", "same"),
    [
        (False, None, None, True),
        (False, "Ann", "Ann", True),
        (False, "Ann", "Bea", False),
        (True, None, None, False),  # two people without names
        (True, "Ann", "Ann", True),
        (True, "Ann", "Bea", False),
    ],
)
def test_who_answers_twice_is_marked(a_loop, adjudicated, first, second, same):
    loop = a_loop(adjudicator=nobody if adjudicated else None, audit_share=0.5, asked_twice=1.0)
    loop.tell({query.id: truth(query) for query in loop.ask()}, by=first)
    asked = loop.ask_second()
    assert len(asked) == 5
    loop.tell_second({query.id: truth(query) for query in asked}, by=second)
    people = loop._certifying.people()
    assert (people.n_twice, people.n_disagreed, people.same_person) == (5, 0, same)


def test_of_a_skip_and_a_later_label_it_is_the_label_whose_author_is_compared(a_loop, next_audit):
    loop = a_loop(audit_share=0.5, asked_twice=1.0)
    audit, _ = next_audit(loop)
    loop.tell({audit.id: SKIP}, by="Bea")
    loop.reopen_skipped([audit.id])
    loop.tell({audit.id: truth(audit)}, by="Ann")
    asked = [query.id for query in loop.ask_second()]
    assert audit.id in asked
    loop.tell_second({audit.id: truth(audit)}, by="Bea")
    assert not loop._certifying.people().same_person


def test_the_share_that_is_answered_twice_is_drawn_and_only_that_measures_people(a_loop):
    loop = a_loop(n=400, audit_share=1.0, asked_twice=0.3)
    for _ in range(6):
        a_round(loop)
    drawn = {query.id for query in loop.ask_second()}
    audited = {label.id for label in loop.labels if label.source == "audit"}
    assert drawn < audited
    assert 5 < len(drawn) < 35  # 60 draws of 0.3: outside with probability 3e-5
    assert a_loop(asked_twice=0.0, audit_share=0.5).ask_second() == []


# people's error


def test_a_target_for_all_that_goes_out_takes_peoples_measured_error_into_account(with_a_candidate, border):
    loop = with_a_candidate(n=600, target_of="system", audit_share=1.0, asked_twice=1.0, target_accuracy=0.8)
    assert candidates(loop)[0].rungs[0].main.alpha <= 0  # people: not measured
    assert loop._certifying.audits_wanted() == 0
    for _ in range(14):
        loop.tell_second({query.id: truth(query) for query in loop.ask_second()}, by="Bea")
        a_round(loop)
    later = loop.candidate(border)
    first_rung = later.rungs[0]
    assert first_rung.main.alpha > candidates(loop)[0].rungs[0].main.alpha
    assert later.delta == pytest.approx(0.05 / (later.number * (later.number + 1)))
    assert first_rung.main.delta == pytest.approx(later.delta * 3 / 4)


def test_traps_that_people_missed_lower_what_is_allowed(with_a_candidate):
    plain, trapped = with_a_candidate(), with_a_candidate(traps=(45, 50))
    alpha, lower = (candidates(loop)[0].rungs[0].main for loop in (plain, trapped))
    assert lower.alpha < 0.9 * alpha.alpha
    assert lower.delta == alpha.delta / 2


def test_nobody_is_his_own_adjudicator(border):
    def person(queries):
        return [truth(query) for query in queries]

    with pytest.raises(InvalidInput, match="must come from somebody else"):
        BootstrapLoop(border, person, adjudicator=person)
