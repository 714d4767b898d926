"""`run` drives ask, tell and refit, and loses nothing whatever the labeler does."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from modAL.models import ActiveLearner, Committee
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from bootstrap import SKIP, BootstrapLoop, LabelerStopped, SimulatedLabeler
from bootstrap.errors import AnswersRejected, InvalidInput, LabelerError
from bootstrap.stopping import LabelsSpent, RoundsDone, When

N = 60
X = np.linspace(0, 10, N).reshape(-1, 1)


def honest(queries):
    return ["big" if float(query.item[0]) > 5 else "small" for query in queries]


def a_loop(labeler=honest, **changes) -> BootstrapLoop:
    chosen = {"batch_size": 6, "audit_share": 0.5, "random_state": 3} | changes
    return BootstrapLoop(chosen.pop("estimator", LogisticRegression()), labeler, **chosen)


def test_a_budget_counts_every_label_of_a_person_audits_included():
    loop = a_loop()
    history = loop.run(X, budget=20)
    assert loop.n_labels == 20
    assert [r.n_labels for r in history] == [9, 18, 20]
    assert history[-1].n_audited == 7  # one more training query would have brought two
    assert loop.stop_reason == history.stop_reason == "20 of 20 labels spent"


def test_budget_and_rounds_are_totals_so_that_a_run_can_be_repeated_after_a_crash():
    loop = a_loop()
    loop.run(X, rounds=2)
    loop.run(rounds=2)
    assert len(loop.history) == 2
    assert loop.run(rounds=3).stop_reason == "3 of 3 rounds done"
    assert len(loop.history) == 3


def test_passing_the_same_items_again_adds_nothing():
    loop = a_loop()
    loop.run(X, rounds=1)
    loop.run(X, rounds=2)
    assert len(loop._pool) == N


def test_the_end_of_the_pool_is_a_reason_like_others():
    loop = a_loop()
    history = loop.run(X)
    assert "used up" in history.stop_reason
    free = sum(not loop.is_held_out(item) for item in loop._pool)
    assert history[-1].n_trained == free


def test_conditions_and_functions_of_the_loop_stop_a_run():
    assert "enough" in a_loop().run(X, until=lambda loop: loop.n_labels > 9 and "enough").stop_reason
    loop = a_loop()
    loop.run(X, until=(RoundsDone(1) & LabelsSpent(18)) | When(lambda loop: False))
    assert len(loop.history) == 2


def test_a_condition_that_holds_at_once_asks_nobody():
    loop = a_loop(labeler=lambda queries: 1 / 0)
    assert loop.run(X, labeled=(X[::6], honest_labels(X[::6])), until=lambda loop: True).rounds == ()
    assert loop.predict([[9.0]]).tolist() == ["big"]


def honest_labels(rows) -> list[str]:
    return ["big" if float(row[0]) > 5 else "small" for row in rows]


def test_a_run_that_was_interrupted_after_the_answers_makes_up_for_the_round():
    loop, quiet = a_loop(), a_loop()
    quiet.run(X, rounds=4)
    loop.run(X, rounds=1)
    loop.tell({query.id: honest([query])[0] for query in loop.ask()})  # and then the refit never came
    loop.run(rounds=4)
    assert list(loop.history) == list(quiet.history)


def test_a_labeler_that_stops_after_the_last_answer_of_a_batch_has_finished_the_round():
    def goes_home(queries):
        raise LabelerStopped(dict(zip([q.id for q in queries], honest(queries), strict=True)), "gone home")

    loop = a_loop(labeler=goes_home)
    assert [r.n_labels for r in loop.run(X)] == [9]
    assert [r.n_labels for r in loop.run()] == [9, 18]


def test_of_a_batch_that_waits_no_more_is_asked_than_the_budget_allows():
    loop = a_loop()
    loop.add(X)
    loop.tell({loop.ask()[0].id: "big"})
    loop.run(budget=5)
    assert loop.n_labels == 5


def test_an_estimator_that_needs_more_labels_gets_them():
    loop = a_loop(estimator=KNeighborsClassifier(15))
    with pytest.warns(UserWarning, match="Asking goes on without one"):
        history = loop.run(X, rounds=4)
    assert [r.n_trained for r in history] == [0, 0, 18, 24]
    assert history[-1].accuracy is not None


def test_a_model_stays_when_a_later_fit_fails():
    class Moody(LogisticRegression):
        fails = False

        def fit(self, X, y, sample_weight=None):
            if Moody.fails:
                raise RuntimeError("no memory")
            return super().fit(X, y, sample_weight)

    loop = a_loop(estimator=make_pipeline(FunctionTransformer(), Moody()))
    loop.run(X, rounds=2)
    before = loop.predict_proba(X)
    Moody.fails = True
    with pytest.raises(RuntimeError, match="no memory"):
        loop.run(rounds=3)
    np.testing.assert_array_equal(loop.predict_proba(X), before)
    Moody.fails = False
    assert [r.n_labels for r in loop.run(rounds=3)] == [9, 18, 27]


def test_labels_of_all_members_of_a_modal_committee_come_along():
    members = [
        ActiveLearner(LogisticRegression(), X_training=rows, y_training=np.array(honest_labels(rows)))
        for rows in (X[::10], X[5::10])
    ]
    loop = a_loop(estimator=Committee(members))
    assert loop.run(X + 0.01, rounds=1)[0].n_given == 12


def test_callbacks_see_each_round_as_it_ends():
    seen = []
    loop = a_loop()
    loop.run(X, rounds=3, callbacks=[lambda loop, round_: seen.append((round_.round, len(loop.history)))])
    assert seen == [(1, 1), (2, 2), (3, 3)]


def test_a_labeler_may_answer_with_a_mapping_for_those_it_could():
    loop = a_loop(labeler=lambda queries: {query.id: honest([query])[0] for query in queries[:4]})
    loop.run(X, rounds=2)
    assert loop.n_labels == 8


def test_a_labeler_that_answers_nothing_ends_the_run():
    loop = a_loop(labeler=lambda queries: {})
    assert loop.run(X).stop_reason == "the labeler answered none of 9 queries"


def test_answers_before_an_exception_are_kept_and_the_next_run_asks_only_for_the_rest():
    asked = []

    def moody(queries):
        for i, query in enumerate(queries):
            if len(asked) == 4:
                asked.append(None)
                raise RuntimeError("coffee")
            asked.append(query.id)
            yield honest([query])[0]
            assert i < 9

    loop = a_loop(labeler=moody)
    with pytest.raises(RuntimeError, match="coffee"):
        loop.run(X, rounds=1)
    assert loop.n_labels == 4
    loop.run(rounds=1)
    told = [item for item in asked if item is not None]
    assert len(told) == len(set(told)) == 9


def test_ctrl_c_keeps_what_was_answered():
    def interrupted(queries):
        yield "big"
        yield "small"
        raise KeyboardInterrupt

    loop = a_loop(labeler=interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.run(X)
    assert loop.n_labels == 2


def test_a_labeler_that_stops_ends_the_run_without_an_error_and_keeps_its_answers():
    def goes_home(queries):
        raise LabelerStopped({queries[0].id: "big"}, "gone home")

    loop = a_loop(labeler=goes_home)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert loop.run(X).stop_reason == "gone home"
    assert loop.n_labels == 1


def test_bad_answers_beside_an_exception_are_named_in_its_notes():
    def both(queries):
        yield None
        raise RuntimeError("coffee")

    with pytest.raises(RuntimeError) as caught:
        a_loop(labeler=both).run(X)
    assert "SKIP" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("answers", "error", "why"),
    [
        (lambda q: honest(q)[:-1], LabelerError, "8.*9"),
        (lambda q: [*honest(q), "big"], LabelerError, "10.*9"),
        (lambda q: None, LabelerError, "None"),
        (lambda q: np.int64(3), LabelerError, "int64"),
        (lambda q: "big", LabelerError, "str"),
        (lambda q: [*honest(q)[:-1], None], AnswersRejected, "SKIP"),
        (lambda q: [*honest(q)[:-1], 7], AnswersRejected, "one kind"),
        (lambda q: {"nobody": "big"}, LabelerError, "nobody"),
    ],
)
def test_a_labeler_that_breaks_its_contract_is_told_how_and_nothing_told_is_lost(answers, error, why):
    loop = a_loop(labeler=lambda queries: answers(queries))
    with pytest.raises(error, match=why):
        loop.run(X)
    kept = loop.n_labels
    loop.labeler = honest
    loop.run(rounds=1)
    assert loop.n_labels == 9
    assert kept in (0, 8)


def test_an_unknown_class_from_the_labeler_is_named_and_the_others_are_kept():
    loop = a_loop(labeler=lambda q: [*honest(q)[:-1], "huge"], classes=["big", "small"])
    with pytest.raises(AnswersRejected, match="huge"):
        loop.run(X)
    assert loop.n_labels == 8


def test_labels_of_one_class_only_end_with_a_warning_that_says_what_to_do():
    loop = a_loop(labeler=lambda queries: ["big"] * len(queries))
    with pytest.warns(UserWarning, match=r"all training labels so far are 'big'.*labeled="):
        loop.run(X, rounds=2)
    assert [r.accuracy for r in loop.history] == [None, None]
    assert [r.n_trained for r in loop.history] == [0, 0]


def test_labels_of_people_elsewhere_are_trained_on_and_never_evidence():
    loop = a_loop()
    history = loop.run(X, labeled=(X[:10] + 100, ["huge"] * 10), rounds=1)
    assert (history[0].n_given, history[0].n_trained, history[0].n_labels) == (10, 16, 9)
    assert "huge" in loop.learner.classes_


def test_labeled_items_that_are_in_the_pool_are_not_asked_again_and_held_out_ones_not_trained_on():
    asked = []

    def watched(queries):
        asked.extend(query.id for query in queries)
        return honest(queries)

    loop = a_loop(labeler=watched)
    loop.add(X)
    known = [loop._pool.id(loop._pool.row(item)) for item in loop._pool][:20]
    rows = X[:20]
    history = loop.run(labeled=(rows, honest_labels(rows)))
    assert not set(asked) & set(known)
    held_out = sum(loop.is_held_out(item) for item in known)
    assert 0 < held_out < 20
    assert history[-1].n_trained == sum(not loop.is_held_out(item) for item in loop._pool)


def test_a_copy_of_a_labeled_item_that_comes_later_is_never_asked_about():
    loop = a_loop()
    loop.run(X[:30], labeled=(X[30:40], honest_labels(X[30:40])), rounds=1)
    added = loop.add(X[30:50])
    assert (added.new, added.copies) == (10, 10)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ({}, "the pool is empty"),
        ({"X": X[:0]}, "the pool is empty"),
        ({"X": np.full((3, 1), np.nan)}, "NaN"),
        ({"X": X, "ids": ["a"] * N}, "more than once"),
        ({"X": X, "ids": ["a"]}, "one id per row"),
        ({"X": X, "items": ["a"]}, "one raw item per row"),
        ({"items": ["a"]}, "go with X"),
        ({"X": X, "labeled": X}, "pair"),
        ({"X": X, "labeled": (X, ["a"])}, "one label per item"),
        ({"X": X, "labeled": (X[:2], ["a", 1])}, "one kind"),
        ({"X": X, "labeled": (X[:2], ["a", None])}, "SKIP"),
        ({"X": X, "labeled": (np.ones((2, 3)), ["a", "b"])}, "columns"),
        ({"X": X, "budget": 0}, "at least 1"),
        ({"X": X, "rounds": 1.5}, "whole number"),
        ({"X": X, "until": 3}, "function"),
        ({"X": X, "callbacks": [3]}, "callback"),
        ({"X": "text"}, "one row per item"),
        ({"X": np.arange(3.0)}, "reshape"),
    ],
)
def test_bad_arguments_are_refused_with_what_to_do(call, why):
    loop = a_loop()
    with pytest.raises(InvalidInput, match=why):
        loop.run(**call)
    assert loop.labels == ()


def test_run_without_a_labeler_names_the_other_way():
    with pytest.raises(InvalidInput, match="ask and tell"):
        a_loop(labeler=None).run(X)


@pytest.mark.parametrize(
    "kind",
    [np.asarray, sp.csr_matrix, sp.csc_array, lambda X: pd.DataFrame(X, columns=["size"]), np.ndarray.tolist],
)
def test_every_kind_of_features_gives_the_same_trained_items(kind):
    ids = [f"item {i}" for i in range(N)]
    truth = dict(zip(ids, honest_labels(X), strict=True))
    start, start_labels = X[::7] + 0.001, honest_labels(X[::7])  # a cold start is no exact science on CSR
    loop = a_loop(labeler=lambda queries: [truth[query.id] for query in queries])
    loop.run(kind(X), ids=ids, items=ids, labeled=(kind(start), start_labels), rounds=3)
    plain = a_loop(labeler=loop.labeler)
    plain.run(X, ids=ids, items=ids, labeled=(start, start_labels), rounds=3)
    assert {label.id for label in loop.labels} == {label.id for label in plain.labels}
    pd.testing.assert_frame_equal(
        loop.history.to_frame().drop(columns="seconds"), plain.history.to_frame().drop(columns="seconds")
    )


def test_nan_is_fine_where_the_estimator_takes_it():
    with_gaps = np.column_stack([X, np.where(np.arange(N) % 3, X[:, 0], np.nan)])
    loop = a_loop(estimator=HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2))
    assert loop.run(with_gaps, rounds=2)[-1].n_trained == 12


def test_a_modal_learner_brings_its_labels():
    learner = ActiveLearner(
        LogisticRegression(), X_training=X[::10], y_training=np.array(honest_labels(X[::10]))
    )
    loop = a_loop(estimator=learner)
    history = loop.run(X + 0.01, rounds=1)
    assert (history[0].n_given, history[0].n_trained) == (6, 12)


def test_skip_from_a_labeler_costs_no_label():
    loop = a_loop(labeler=lambda queries: [SKIP if i == 0 else a for i, a in enumerate(honest(queries))])
    assert loop.run(X, rounds=1)[0].n_labels == 8


def test_the_simulated_labeler_answers_from_the_rows_it_was_given():
    truth = honest_labels(X)
    loop = a_loop(labeler=SimulatedLabeler(truth, items=X))
    history = loop.run(X)
    assert history[-1].accuracy is not None
    assert {label.by for label in loop.labels} == {"simulated"}


def test_ctrl_c_in_the_middle_of_tell_loses_none_of_the_answers_that_were_given(monkeypatch):
    loop = a_loop()
    tell, calls = loop.tell, []

    def interrupted(answers, *, by=None):
        calls.append(len(answers))
        if len(calls) == 1:
            tell(dict(list(answers.items())[:3]), by=by)
            raise KeyboardInterrupt
        return tell(answers, by=by)

    monkeypatch.setattr(loop, "tell", interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.run(X)
    assert loop.n_labels == 9


def test_an_estimator_that_predicts_nan_is_refused_and_the_former_model_stays():
    class Odd(LogisticRegression):
        def predict_proba(self, X):
            return np.full((len(X), 2), np.nan)

    with pytest.warns(UserWarning, match="NaN or infinity"):
        assert a_loop(estimator=Odd()).run(X, rounds=1)[0].n_trained == 0


# second answers


def two_people(**changes) -> tuple[BootstrapLoop, list]:
    """A loop whose labeler errs on every seventh item, with an adjudicator, and what that one was asked."""
    asked: list = []

    def right(query) -> str:
        return "big" if query.item[0] > 5 else "small"

    def first(queries):
        other = {"big": "small", "small": "big"}
        return [other[right(q)] if round(q.item[0] * 50) % 7 == 0 else right(q) for q in queries]

    def second(queries):
        assert all(query.second for query in queries)
        asked.extend(query.id for query in queries)
        return [right(query) for query in queries]

    chosen = {
        "batch_size": 10,
        "audit_share": 0.5,
        "random_state": 4,
        "asked_twice": 0.3,
        "adjudicator": second,
    }
    loop = BootstrapLoop(LogisticRegression(), first, **chosen | changes)
    loop.add(np.linspace(0, 10, 400).reshape(-1, 1))
    loop._certifying.next_candidate_at = 20
    return loop, asked


@pytest.mark.parametrize("budget", [16, 33, 50, 77, 101])
def test_a_budget_counts_second_answers_and_is_never_overspent(budget):
    loop, asked = two_people()
    loop.run(budget=budget)
    assert loop.n_labels == len(loop.labels) == budget
    assert [label.id for label in loop.labels if label.source == "second"] == asked
    assert len(asked) == len(set(asked))


def test_without_an_adjudicator_the_labeler_is_asked_again():
    loop, asked = two_people(adjudicator=None)
    loop.run(rounds=4)
    seconds = [label for label in loop.labels if label.source == "second"]
    assert seconds
    assert asked == []
    assert loop.n_labels == len(loop.labels)


def test_an_adjudicator_who_stops_ends_the_run_and_keeps_the_answers():
    def stops(queries):
        raise LabelerStopped({queries[0].id: "big"}, "gone home")

    loop, _ = two_people(adjudicator=stops)
    loop.run(rounds=6)
    assert loop.stop_reason == "gone home"
    assert [label.source for label in loop.labels].count("second") == 1
