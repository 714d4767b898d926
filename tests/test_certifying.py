"""Candidates of a loop: what counts for them, who was asked twice, and that Ctrl-C changes nothing."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from bootstrap import SKIP, BootstrapLoop
from bootstrap.errors import AnswersRejected, InvalidInput, NotReady
from bootstrap.phaseout import Move
from bootstrap.pool import Place

N = 240


class Border(ClassifierMixin, BaseEstimator):
    """Decides by the middle between two class means of one number: fitted in no time."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.middle_ = np.mean([X[y == c, 0].mean() for c in self.classes_])
        return self

    def predict_proba(self, X):
        above = 1 / (1 + np.exp(-(X[:, 0] - self.middle_)))
        return np.column_stack([above, 1 - above])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def numbers(n: int = N, start: float = 0.0) -> np.ndarray:
    return np.linspace(start, start + 10, n).reshape(-1, 1)


def truth(query) -> str:
    return "big" if float(query.item[0]) > 5 else "small"


def careless(query) -> str:
    """Wrong on one item in nine, the same ones each time."""
    other = {"big": "small", "small": "big"}
    return other[truth(query)] if round(float(query.item[0]) * 100) % 9 == 0 else truth(query)


def nobody(queries) -> list:
    raise AssertionError("these tests use ask and tell")


def a_loop(n: int = N, first_candidate: int = 20, **changes) -> BootstrapLoop:
    chosen = {
        "batch_size": 10,
        "held_out": 0.5,
        "target_accuracy": 0.8,
        "random_share": 0.0 if "audit_share" in changes else 0.25,
        "random_state": 3,
    } | changes
    loop = BootstrapLoop(chosen.pop("estimator", Border()), **chosen)
    loop._certifying.next_candidate_at = first_candidate
    loop.add(numbers(n), ids=[f"item {i}" for i in range(n)])
    return loop


def a_round(loop: BootstrapLoop, answer=truth) -> None:
    loop.tell({query.id: answer(query) for query in loop.ask()}, by="Ann")
    loop.refit()


def with_a_candidate(answer=truth, **changes) -> BootstrapLoop:
    loop = a_loop(**changes)
    while not loop._certifying.has_candidates:
        a_round(loop, answer)
    return loop


def candidates(loop: BootstrapLoop) -> list:
    return loop._certifying.trial.candidates


def next_audit(loop: BootstrapLoop):
    """Ask until there are audits, answer all else; (the one that was asked first, the others)."""
    while True:
        queries = loop.ask()
        assert queries
        audits = [query for query in queries if loop.is_held_out(query.id)]
        if audits:
            loop.tell({query.id: truth(query) for query in queries if query not in audits}, by="Ann")
            return audits[0], audits[1:]
        loop.tell({query.id: truth(query) for query in queries}, by="Ann")
        loop.refit()


# interruptions

OURS = {
    str(Path(sys.modules[name].__file__))
    for name in (
        "bootstrap.certifying",
        "bootstrap.batching",
        "bootstrap.exchange",
        "bootstrap.phaseout.trial",
        "bootstrap.phaseout.candidate",
        "bootstrap.phaseout.ledger",
    )
}


def batched(things, n):
    """Tuples of n of them."""
    left = iter(things)
    while group := tuple(islice(left, n)):
        yield group


class Tracer:
    """Counts how often each line of ours runs; raises, once, before those runs that were chosen."""

    def __init__(self, chosen: dict | None = None) -> None:
        self.runs: Counter = Counter()
        self.raised: list = []
        self._chosen = dict(chosen or {})

    def __call__(self, frame, event, _):
        if frame.f_code.co_filename not in OURS:
            return None
        if event == "line":
            line = (frame.f_code.co_filename, frame.f_lineno)
            self.runs[line] += 1
            if self._chosen.get(line) == self.runs[line]:
                self.raised.append((Path(line[0]).name, line[1], self.runs[line]))
                raise KeyboardInterrupt
        return self

    def call(self, step):
        """Make the call, again where it was interrupted."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            return step()
        except KeyboardInterrupt:
            return self.call(step)
        finally:
            sys.settrace(before)


def play(tracer: Tracer) -> BootstrapLoop:
    """Some rounds with two people; a call that is interrupted is repeated."""
    loop = a_loop(n=400, adjudicator=nobody, asked_twice=0.1, target_accuracy=0.85, delta=0.4)
    for round_ in range(20):
        queries = tracer.call(loop.ask)
        answers = {q.id: SKIP if i == round_ == 1 else careless(q) for i, q in enumerate(queries)}
        tracer.call(lambda: loop.tell(answers, by="Ann"))  # noqa: B023
        seconds = {query.id: truth(query) for query in tracer.call(loop.ask_second)}
        tracer.call(lambda: loop.tell_second(seconds, by="Bea"))  # noqa: B023
        tracer.call(loop.refit)
    return loop


def outcome(loop: BootstrapLoop) -> dict:
    trial = loop._certifying.trial
    champion = trial.champion
    return {
        "labels": [(label.id, label.label, label.source, label.extra) for label in loop.labels],
        "n_labels": loop.n_labels,
        "certificates": [(c.candidate, c.review_rate, c.proved) for c in loop.certificates],
        "tallies": [
            [(rung.certified, rung.n_audited, *((t.errors, t.n, t.proved) for t in rung.tallies.values()))]
            for candidate in trial.candidates
            for rung in candidate.rungs
        ],
        "champion": champion
        and (champion.candidate.number, champion.rung.review_rate, champion.alarm.n, champion.cursor),
        "ledger": loop._certifying.ledger.n_drawn,
        "numbers": [candidate.number for candidate in trial.candidates],
        "rate": loop.certified_review_rate,
        "rounds": list(dict.fromkeys((r.n_labels, r.certified_review_rate) for r in loop.history)),
    }


def test_an_interruption_anywhere_in_ask_tell_and_refit_is_made_good_by_calling_again():
    """Raises before each of our lines, as Ctrl-C may, at a run of it that is drawn; six in each play."""
    quiet = Tracer()
    expected = outcome(play(quiet))
    assert len(expected["certificates"]) >= 2
    assert len(expected["numbers"]) >= 2
    assert expected["champion"][2] > 5
    assert {"second", "audit"} <= {source for _, _, source, _ in expected["labels"]}
    assert len(quiet.runs) > 250
    rng = np.random.default_rng(8)
    lines = [sorted(quiet.runs)[i] for i in rng.permutation(len(quiet.runs))]
    n_raised = n_burned = 0
    for group in batched(lines, 6):
        tracer = Tracer({line: int(rng.integers(quiet.runs[line])) + 1 for line in group})
        found = outcome(play(tracer))
        n_raised += len(tracer.raised)
        burned = found["ledger"] - expected["ledger"]
        assert len(found["numbers"]) == len(set(found["numbers"])), tracer.raised
        if burned:  # a number may be lost, so that later candidates spend less; never used twice
            n_burned += burned
        else:
            assert found == expected, tracer.raised
    assert n_raised > 0.9 * len(lines)
    assert n_burned < 10


def test_calls_that_are_never_repeated_leave_nothing_that_the_next_one_does_not_make_good():
    """Ctrl-C in the last tell of a round, and then straight on to refit or verdict."""
    quiet, interrupted = with_a_candidate(), with_a_candidate()
    for loop in (quiet, interrupted):
        answers = {query.id: truth(query) for query in loop.ask()}
        feed = candidates(loop)[0].rungs[-1].feed
        tracer = Tracer({(feed.__code__.co_filename, feed.__code__.co_firstlineno + 3): 2})
        loop.tell(answers) if loop is quiet else tracer.call(lambda: loop.tell(answers))  # noqa: B023
        assert bool(tracer.raised) is (loop is interrupted)
        loop.verdict()
        loop.refit()
    assert outcome(quiet) == outcome(interrupted)


def test_counting_anew_after_an_interruption_leaves_the_champion_and_its_alarm_alone():
    loop = with_a_candidate(n=900, audit_share=1.0, target_accuracy=0.8)
    for _ in range(18):
        a_round(loop)
    trial = loop._certifying.trial
    champion, alarm, n = trial.champion, trial.champion.alarm, trial.champion.alarm.n
    before = outcome(loop)
    assert n > 0
    assert len({c.candidate for c in loop.certificates}) > 1
    trial._is_counting = True  # as an interruption leaves it
    loop.verdict()
    assert trial.champion is champion
    assert champion.alarm is alarm
    assert alarm.n == n
    assert outcome(loop) == before


def test_a_number_is_drawn_only_where_the_candidate_comes_about(monkeypatch):
    loop = with_a_candidate()
    certifying = loop._certifying
    with monkeypatch.context() as patch:
        patch.setattr(certifying, "_rungs", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            loop.candidate(Border())
    assert certifying.ledger.n_drawn == 1
    assert loop.candidate(Border()).number == 2


# what is evidence


def test_a_reserved_query_is_evidence_only_for_candidates_that_were_there_before_it():
    loop = with_a_candidate(n=600, batch_size=20, target_accuracy=0.97)
    while len(candidates(loop)) < 2:
        a_round(loop)
    reserved = [row for row in loop._pool.rows(Place.LABELED).tolist() if loop._pool.turn(row) < 1]
    assert all(loop._pool.home(row) is Place.RESERVED for row in reserved)
    first, second = candidates(loop)
    assert first.n_drawn == len(reserved) > 0
    assert second.n_drawn == 0


def test_an_item_that_was_out_when_a_model_was_frozen_gets_its_prediction_when_it_is_asked():
    loop = with_a_candidate()
    row = int(loop._pool.next_reserved(1)[0])
    loop._pool.move(row, Place.ASKED)
    candidate = loop.candidate(Border())
    assert row not in candidate.predictions.rows
    loop._pool.move(row, Place.RESERVED)
    loop._certifying.asked(np.array([row]))
    assert candidate.predictions.at(row) == candidates(loop)[0].predictions.at(row)


def test_items_added_late_are_tested_on_anew_once_those_whose_turn_has_passed_are_audited():
    loop = with_a_candidate(audit_share=1.0)
    first = candidates(loop)[0]
    loop.add(numbers(200, start=0.01), ids=[f"late {i}" for i in range(200)])
    a_round(loop)
    again = candidates(loop)[-1]
    assert (again.number, again.n_trained) == (2, first.n_trained)
    assert first.closed
    assert len(again.predictions.rows) > len(first.predictions.rows) - 1
    assert loop._certifying.trial.catching_up
    assert "of them have to be audited before anything is certified for all" in loop.verdict().reason
    with pytest.raises(NotReady, match="come first"):
        loop.candidate(Border())
    while loop._certifying.trial.catching_up:
        assert not again.rungs[0].certified
        a_round(loop)
    audited = loop._pool.rows(Place.AUDITED)
    waiting = loop._pool.rows(Place.HELD_OUT)
    passed = max(loop._pool.turn(row) for row in audited)
    assert all(loop._pool.turn(row) > passed for row in waiting)  # a random part of all items again
    assert again.rungs[0].n_audited == len(audited)


def test_given_blind_labels_of_held_out_items_count_in_random_order_and_others_never():
    loop = with_a_candidate(audit_share=0.1)
    before = candidates(loop)[0].rungs[-1].n_audited
    waiting = loop._pool.rows(Place.HELD_OUT)[:20].tolist()
    ids = [loop._pool.id(row) for row in waiting]
    labels = ["big" if loop._pool.item(row)[0] > 5 else "small" for row in waiting]
    loop.add_labels(ids[:10], labels[:10], blind=True)
    assert candidates(loop)[0].rungs[-1].n_audited == before + 10
    given = [label.id for label in loop.labels if label.source == "given"]
    assert given == sorted(ids[:10], key=lambda i: loop._pool.turn(loop._pool.row(i)))
    loop.add_labels(ids[10:], labels[10:])
    assert candidates(loop)[0].rungs[-1].n_audited == before + 10


def test_a_label_that_was_not_blind_ends_the_wait_for_an_audit_and_counts_as_wrong():
    loop = with_a_candidate(audit_share=0.5)
    first, others = next_audit(loop)
    rung = candidates(loop)[0].rungs[-1]
    n, errors = rung.n_audited, rung.main.errors
    loop.tell({query.id: truth(query) for query in others})
    assert rung.n_audited == n  # all wait for the first
    loop.add_labels([first.id], [truth(first)])
    assert (rung.n_audited, rung.main.errors) == (n + 1 + len(others), errors + 1)
    assert loop._pool.place(loop._pool.row(first.id)) is Place.HELD_OUT_LABELED


def test_a_label_that_says_another_thing_later_changes_no_evidence():
    loop = with_a_candidate(audit_share=0.5)
    row = int(loop._pool.rows(Place.AUDITED)[0])
    before = outcome(loop)["tallies"]
    label = loop._exchange.labels.answer(row)
    told = loop.tell({loop._pool.id(row): {"big": "small", "small": "big"}[label]})
    assert told.extra == 1
    assert outcome(loop)["tallies"] == before


# second answers


def disputed_audit(**changes):
    """(loop with an adjudicator, its disputed audit, audits counted before, audits answered behind it)."""
    chosen = {"adjudicator": nobody, "audit_share": 0.5, "asked_twice": 0, "target_accuracy": 0.95} | changes
    loop = with_a_candidate(**chosen)
    loop.tell_second({query.id: truth(query) for query in loop.ask_second()})
    first, others = next_audit(loop)
    n = candidates(loop)[0].rungs[-1].n_audited
    loop.tell({first.id: {"big": "small", "small": "big"}[truth(first)]}, by="Ann")
    loop.tell({query.id: truth(query) for query in others}, by="Ann")
    return loop, first, n, len(others)


def test_a_dispute_holds_up_the_feed_until_somebody_else_has_answered():
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


def test_telling_a_second_answer_twice_keeps_one_and_a_different_one_beside_it():
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


def test_a_second_person_who_cannot_tell_does_not_excuse_the_model():
    loop, first, n, behind = disputed_audit()
    loop.ask_second()
    assert loop.tell_second({first.id: SKIP}, by="Bea").skipped == 1
    rung = candidates(loop)[0].rungs[-1]
    assert (rung.n_audited, rung.main.errors) == (n + 1 + behind, 1)
    assert loop.ask_second() == []
    assert loop._certifying.people().n_twice == 0


@pytest.mark.parametrize("which", ["unknown", "never asked twice"])
def test_a_second_answer_that_nobody_asked_for_is_refused_and_the_others_are_kept(which):
    loop, first, *_ = disputed_audit()
    loop.ask_second()
    other = "nobody" if which == "unknown" else loop._pool.id(int(loop._pool.rows(Place.LABELED)[0]))
    with pytest.raises(
        AnswersRejected, match="no item has the id" if which == "unknown" else "ask_second"
    ) as e:
        loop.tell_second({other: "big", first.id: truth(first)})
    assert e.value.n_kept == 1
    assert loop.labels[-1].id == first.id


def test_a_dispute_about_a_label_that_was_given_can_be_settled_as_well():
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
def test_who_answers_twice_is_marked(adjudicated, first, second, same):
    loop = a_loop(adjudicator=nobody if adjudicated else None, audit_share=0.5, asked_twice=1.0)
    loop.tell({query.id: truth(query) for query in loop.ask()}, by=first)
    asked = loop.ask_second()
    assert len(asked) == 5
    loop.tell_second({query.id: truth(query) for query in asked}, by=second)
    people = loop._certifying.people()
    assert (people.n_twice, people.n_disagreed, people.same_person) == (5, 0, same)


def test_of_a_skip_and_a_later_label_it_is_the_label_whose_author_is_compared():
    loop = a_loop(audit_share=0.5, asked_twice=1.0)
    audit, _ = next_audit(loop)
    loop.tell({audit.id: SKIP}, by="Bea")
    loop.reopen_skipped([audit.id])
    loop.tell({audit.id: truth(audit)}, by="Ann")
    asked = [query.id for query in loop.ask_second()]
    assert audit.id in asked
    loop.tell_second({audit.id: truth(audit)}, by="Bea")
    assert not loop._certifying.people().same_person


def test_the_share_that_is_answered_twice_is_drawn_and_only_that_measures_people():
    loop = a_loop(n=400, audit_share=1.0, asked_twice=0.3)
    for _ in range(6):
        a_round(loop)
    drawn = {query.id for query in loop.ask_second()}
    audited = {label.id for label in loop.labels if label.source == "audit"}
    assert drawn < audited
    assert 5 < len(drawn) < 35  # 60 draws of 0.3: outside with probability 3e-5
    assert a_loop(asked_twice=0.0, audit_share=0.5).ask_second() == []


# candidates


def test_candidates_come_at_doublings_and_one_fit_that_passes_two_of_them_makes_one():
    loop = a_loop(n=400, first_candidate=5, batch_size=25, audit_share=0.1)
    a_round(loop)
    assert [c.n_trained for c in candidates(loop)] == [25]
    assert loop._certifying.next_candidate_at == 40


def test_by_hand_only_what_is_asked_afterwards_counts():
    loop = with_a_candidate(audit_share=0.5)
    by_hand = loop.candidate([Border(), Border()])
    assert (by_hand.by_hand, by_hand.number, by_hand.name) == (True, 2, "a committee of 2 (Border, ...)")
    assert by_hand.rungs[-1].n_audited == 0
    a_round(loop)
    assert by_hand.rungs[-1].n_audited == 5


def test_a_target_for_all_that_goes_out_takes_peoples_measured_error_into_account():
    loop = with_a_candidate(n=600, target_of="system", audit_share=1.0, asked_twice=1.0, target_accuracy=0.8)
    assert candidates(loop)[0].rungs[0].main.alpha <= 0  # people: not measured
    assert loop._certifying.audits_wanted() == 0
    for _ in range(14):
        loop.tell_second({query.id: truth(query) for query in loop.ask_second()}, by="Bea")
        a_round(loop)
    later = loop.candidate(Border())
    first_rung = later.rungs[0]
    assert first_rung.main.alpha > candidates(loop)[0].rungs[0].main.alpha
    assert later.delta == pytest.approx(0.05 / (later.number * (later.number + 1)))
    assert first_rung.main.delta == pytest.approx(later.delta * 3 / 4)


def test_traps_that_people_missed_lower_what_is_allowed():
    plain, trapped = with_a_candidate(), with_a_candidate(traps=(45, 50))
    alpha, lower = (candidates(loop)[0].rungs[0].main for loop in (plain, trapped))
    assert lower.alpha < 0.9 * alpha.alpha
    assert lower.delta == alpha.delta / 2


# where audits go


def test_audits_that_wait_for_a_second_answer_are_not_asked_over_and_over():
    loop, *_ = disputed_audit(audit_share="auto", n=900)
    loop.refit()
    for _ in range(30):  # nobody ever gives the second answer
        a_round(loop)
    assert loop.history[-1].n_trained >= 40
    assert loop._pool.count(Place.HELD_OUT) > 100


def test_where_one_class_nearly_fills_the_pool_audits_do_not_use_up_the_held_out_set():
    def rare(query) -> str:
        return "rare" if float(query.item[0]) > 9.8 else "common"

    loop = a_loop(
        n=900, first_candidate=40, batch_size=20, target_accuracy=0.7, estimator=LogisticRegression()
    )
    for _ in range(40):
        a_round(loop, rare)
    rung = candidates(loop)[-1].next_rung
    assert rung.commonest_would_do
    assert all(tally.proved for tally in rung.tallies.values())
    assert loop.history[-1].n_trained > 200
    assert loop.certified_review_rate == 1.0


def test_no_audits_beyond_the_floor_are_asked_for_a_candidate_that_is_too_wrong():
    loop = a_loop(n=900, target_accuracy=0.98)
    rng = np.random.default_rng(4)
    for _ in range(8):
        a_round(loop, lambda query: rng.choice(["big", "small"]))
    assert loop._certifying.audits_wanted() == 0
    assert loop.history[-1].n_audited < 20


# nothing held out


def test_without_a_held_out_set_the_verdict_says_what_to_do_and_no_candidate_is_tested():
    loop = a_loop(held_out=0)
    for _ in range(4):
        a_round(loop)
    verdict = loop.verdict()
    assert verdict.move is Move.HOLD
    assert "held_out" in f"{verdict.reason} {verdict.next_step}"
    assert not loop._certifying.has_candidates
    with pytest.raises(NotReady, match=r"held_out=0\.2"):
        loop.candidate(Border())


# who may be second, and what was tested before


def test_nobody_is_his_own_adjudicator():
    def person(queries):
        return [truth(query) for query in queries]

    with pytest.raises(InvalidInput, match="must come from somebody else"):
        BootstrapLoop(Border(), person, adjudicator=person)


def test_a_loop_begun_anew_on_the_same_labels_goes_on_in_the_ledger():
    loop = with_a_candidate(tested_before=3)
    assert [c.number for c in candidates(loop)] == [4]
    assert candidates(loop)[0].delta == pytest.approx(0.05 / 20)


def test_a_verdict_says_which_items_it_is_not_about():
    loop = a_loop()
    held_out = [item for item in loop._pool if loop.is_held_out(item)][:7]
    loop.add_labels(held_out, ["big"] * 7)
    while not loop._certifying.has_candidates:
        a_round(loop)
    assert loop.verdict().reason.startswith("7 held-out items came with labels that were not blind")
    known = [loop._pool.row(item) for item in held_out]
    assert not set(known) & set(loop._certifying._thresholds_from().tolist())


def test_a_certificate_from_before_items_were_added_says_so():
    loop = a_loop(audit_share=2.0, target_accuracy=0.7, n=400)
    while loop.certified_review_rate == 1.0:
        a_round(loop)
    loop.add(numbers(200, start=0.01), ids=[f"late {i}" for i in range(200)])
    assert loop.verdict().reason.startswith("Items were added since this was certified")
