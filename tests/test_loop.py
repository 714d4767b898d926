"""`ask`, `tell`, `refit`: in any order, in parts, late, twice, and with bad answers."""

from __future__ import annotations

import contextlib
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from bootstrap import SKIP, BootstrapLoop, strategies
from bootstrap.errors import AnswersRejected, InvalidInput, NotReady, UnknownItem
from bootstrap.pool import Place

N = 60


def numbers(n: int = N) -> np.ndarray:
    return np.linspace(0, 10, n).reshape(-1, 1)


def big_or_small(query) -> str:
    return "big" if float(query.item[0]) > 5 else "small"


def a_loop(**changes) -> BootstrapLoop:
    chosen = {"batch_size": 6, "audit_share": 0.5, "random_state": 3} | changes
    loop = BootstrapLoop(chosen.pop("estimator", LogisticRegression()), **chosen)
    loop.add(numbers())
    return loop


def answer(loop: BootstrapLoop) -> None:
    loop.tell({query.id: big_or_small(query) for query in loop.ask()})


def test_a_batch_has_training_queries_and_audits_in_one_list_that_does_not_tell_them_apart():
    loop = a_loop()
    queries = loop.ask()
    assert len(queries) == 6 + 3
    assert sum(loop.is_held_out(query.id) for query in queries) == 3
    audits = [i for i, query in enumerate(queries) if loop.is_held_out(query.id)]
    assert audits != [6, 7, 8]  # mixed in
    assert not hasattr(queries[0], "source")


def test_asking_again_gives_the_unanswered_rest_of_the_same_batch():
    loop = a_loop()
    queries = loop.ask()
    loop.tell({queries[2].id: "big"})
    assert loop.ask() == queries[:2] + queries[3:]


def test_a_query_can_be_answered_by_id_or_by_token():
    loop = a_loop()
    first, second = loop.ask()[:2]
    loop.tell({first.id: "big", second.token: "small"})
    assert [(label.id, label.label) for label in loop.labels] == [(first.id, "big"), (second.id, "small")]


def test_telling_twice_keeps_one_label():
    loop = a_loop()
    query = loop.ask()[0]
    assert loop.tell({query.id: "big"}).kept == 1
    assert loop.tell({query.id: "big"}).repeated == 1
    assert loop.n_labels == len(loop.labels) == 1


def test_a_second_different_answer_is_kept_beside_the_first_and_never_replaces_it():
    loop = a_loop()
    answer(loop)
    query_id = next(label.id for label in loop.labels if label.source == "training" and label.label == "big")
    told = loop.tell({query_id: "small"})
    assert told.extra == 1
    assert [label.label for label in loop.labels if label.id == query_id] == ["big", "small"]
    assert [label.extra for label in loop.labels if label.id == query_id] == [False, True]
    loop.refit()
    row = loop._pool.row(query_id)
    rows, _ = loop._exchange.training()
    assert loop._classes.shown[0] == "big"
    assert loop._exchange.labels.of(np.array([row])) == ["big"]
    assert row in rows


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), cuts=st.lists(st.integers(0, 9), max_size=4))
def test_the_history_does_not_depend_on_the_order_or_the_parts_in_which_answers_came(seed, cuts):
    def after(shuffled: bool) -> list:
        loop = a_loop()
        for _ in range(3):
            queries = loop.ask()
            if shuffled:
                queries = [queries[i] for i in np.random.default_rng(seed).permutation(len(queries))]
                for part in np.split(np.arange(len(queries)), sorted(cuts)):
                    loop.tell({queries[i].id: big_or_small(queries[i]) for i in part})
            else:
                loop.tell({query.id: big_or_small(query) for query in queries})
            loop.refit()
        return list(loop.history)

    assert after(shuffled=True) == after(shuffled=False)


def test_an_item_is_in_exactly_one_place_all_the_time():
    loop = a_loop()
    for i in range(4):
        queries = loop.ask()
        loop.tell({q.id: SKIP if i == 1 else big_or_small(q) for q in queries[: len(queries) - i]})
        places = [loop._pool.place(loop._pool.row(item)) for item in loop._pool]
        assert len(places) == N
        assert sum(loop._pool.count(place) for place in Place) == N
        loop.refit()


def test_a_skipped_item_is_not_asked_again_unless_wanted():
    loop = a_loop(held_out=0, audit_share=0)
    skipped = {query.id for query in loop.ask()}
    loop.tell(dict.fromkeys(skipped, SKIP))
    asked = set()
    while queries := loop.ask():
        asked |= {query.id for query in queries}
        loop.tell({query.id: big_or_small(query) for query in queries})
        loop.refit()
    assert not asked & skipped
    assert len(asked) == N - len(skipped)
    assert loop.reopen_skipped() == len(skipped)
    assert {query.id for query in loop.ask()} == skipped


def test_skips_are_counted_and_are_no_labels():
    loop = a_loop()
    queries = loop.ask()
    loop.tell({queries[0].id: SKIP, queries[1].id: "big"})
    record = loop.refit()
    assert (record.n_skipped, record.n_labels) == (1, 1)


def test_a_skipped_audit_can_be_reopened_by_id():
    loop = a_loop()
    audit = next(query for query in loop.ask() if loop.is_held_out(query.id))
    loop.tell({audit.id: SKIP})
    assert loop.reopen_skipped([audit.id]) == 1
    assert loop.reopen_skipped([audit.id]) == 0


def test_queries_left_unanswered_go_back_and_a_late_answer_is_still_taken():
    loop = a_loop()
    queries = loop.ask()
    late = queries[-1]
    loop.tell({query.id: big_or_small(query) for query in queries[:-1]})
    loop.refit()
    assert loop.tell({late.token: big_or_small(late)}).kept == 1
    assert late.id not in {query.id for query in loop.ask()}


def test_refit_without_anything_new_returns_the_last_round():
    loop = a_loop()
    answer(loop)
    assert loop.refit() is loop.refit()
    assert len(loop.history) == 1


def test_refit_before_any_label_says_what_to_do():
    with pytest.raises(NotReady, match="ask, tell, then refit"):
        a_loop().refit()


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"nobody": "big"}, "no item has the id"),
        ({None: "big"}, "no item has the id"),
        ({17: "big"}, "no item has the id"),
    ],
)
def test_an_unknown_id_is_refused_and_the_others_are_kept(answers, why):
    loop = a_loop()
    query = loop.ask()[0]
    with pytest.raises(AnswersRejected, match=why) as caught:
        loop.tell({**answers, query.id: "big"})
    assert caught.value.n_kept == 1
    assert [label.id for label in loop.labels] == [query.id]


def test_an_answer_to_an_item_that_was_not_asked_is_refused_and_says_where_it_belongs():
    loop = a_loop()
    asked = {query.id for query in loop.ask()}
    other = next(item for item in loop._pool if item not in asked)
    with pytest.raises(AnswersRejected, match="add_labels"):
        loop.tell({other: "big"})
    assert loop.labels == ()


@pytest.mark.parametrize(
    ("bad", "why"),
    [(None, "SKIP"), (float("nan"), "SKIP"), (1.5, "is not a label"), ([1], "is not a label"), ("", "empty")],
)
def test_a_value_that_is_no_label_is_refused_and_the_item_still_waits(bad, why):
    loop = a_loop()
    first, second = loop.ask()[:2]
    with pytest.raises(AnswersRejected, match=why):
        loop.tell({first.id: bad, second.id: "big"})
    assert loop.ask()[0] == first
    assert loop.n_labels == 1


def test_labels_of_mixed_kinds_are_refused_one_by_one():
    loop = a_loop()
    first, second = loop.ask()[:2]
    with pytest.raises(AnswersRejected, match="use one kind of label"):
        loop.tell({first.id: "big", second.id: 1})


def test_an_unknown_class_is_refused_where_classes_are_fixed_with_the_nearest_one_named():
    loop = a_loop(classes=["big", "small"])
    query = loop.ask()[0]
    assert query.classes == ("big", "small")
    assert not query.open_classes
    with pytest.raises(AnswersRejected, match="did you mean 'big'"):
        loop.tell({query.id: "bigg"})


def test_numpy_scalars_are_labels_like_any_other():
    loop = a_loop()
    first, second = loop.ask()[:2]
    loop.tell({first.id: np.int64(3), second.id: np.float64(4.0)})
    assert [type(label.label) for label in loop.labels] == [int, int]


def test_tell_wants_a_mapping():
    loop = a_loop()
    with pytest.raises(InvalidInput, match="mapping"):
        loop.tell(["big"])


def test_labels_that_exist_are_trained_on_and_counted_apart():
    loop = a_loop()
    free = [item for item in loop._pool if not loop.is_held_out(item)][:10]
    items = {item: float(loop._pool.item(loop._pool.row(item))[0]) for item in free}
    loop.add_labels(items, ["big" if x > 1 else "small" for x in items.values()], by="archive")
    record = loop.refit()
    assert (record.n_given, record.n_labels, record.n_trained, record.n_audited) == (10, 0, 10, 0)
    assert {label.by for label in loop.labels} == {"archive"}


@pytest.mark.parametrize(("blind", "n_audited"), [(True, 4), (False, 0)])
def test_given_labels_of_held_out_items_are_never_trained_on_and_evidence_only_if_blind(blind, n_audited):
    loop = a_loop()
    held_out = [item for item in loop._pool if loop.is_held_out(item)][:4]
    loop.add_labels(held_out, ["big"] * 4, blind=blind)
    answer(loop)
    record = loop.refit()
    assert record.n_audited == 3 + n_audited
    assert record.n_trained == 6
    assert not {query.id for query in loop.ask()} & set(held_out)  # never asked for twice


def test_a_given_label_settles_a_query_that_waits():
    loop = a_loop()
    query = loop.ask()[0]
    loop.add_labels([query.id], ["big"])
    assert query not in loop.ask()
    assert loop.tell({query.id: "small"}).extra == 1


@pytest.mark.parametrize(
    ("ids", "labels", "error", "why"),
    [
        (["nobody"], ["big"], UnknownItem, "no item has the id"),
        ("abc", ["big"], InvalidInput, "list of ids"),
        ([], ["big"], InvalidInput, "one label per item"),
        ([], "big", InvalidInput, "single string"),
        ([], [SKIP], InvalidInput, "one label per item"),
    ],
)
def test_add_labels_refuses_all_of_a_bad_call(ids, labels, error, why):
    loop = a_loop()
    with pytest.raises(error, match=why):
        loop.add_labels(ids, labels)
    assert loop.labels == ()


def test_skip_is_no_label_that_exists():
    loop = a_loop()
    with pytest.raises(InvalidInput, match="leave these items out"):
        loop.add_labels([next(iter(loop._pool))], [SKIP])


def test_a_limit_keeps_the_audit_share_over_batches():
    loop = a_loop(batch_size=6, audit_share=0.5)
    asked, audits = 0, 0
    for _ in range(8):
        queries = loop.ask(limit=4)
        assert len(queries) <= 4
        asked += len(queries)
        audits += sum(loop.is_held_out(query.id) for query in queries)
        answer(loop)
        loop.refit()
    assert 0 <= audits - (asked - audits) // 2 <= 1
    assert asked > 20


def test_a_larger_limit_asks_about_the_same_items_and_more():
    batches = []
    for limit in (3, 5, None):
        loop = a_loop(strategy="random_sampling")
        answer(loop)
        loop.refit()
        batches.append({query.id for query in loop.ask(limit)})
    assert batches[0] < batches[1] < batches[2]


@pytest.mark.parametrize("limit", [0, -5, "3", 2.5, True])
def test_a_limit_is_a_whole_number_of_at_least_1(limit):
    with pytest.raises(InvalidInput, match="at least 1"):
        a_loop().ask(limit)


def test_with_a_limit_of_1_asking_goes_on():
    loop = a_loop()
    for _ in range(9):
        assert len(loop.ask(1)) == 1
        answer(loop)
        loop.refit()


def test_what_a_labeler_does_to_an_item_changes_nothing_that_is_measured():
    theirs = numbers()
    loop = BootstrapLoop(LogisticRegression(), batch_size=6, audit_share=0.5, random_state=3)
    loop.add(theirs)
    theirs += 1000
    plain = a_loop()
    for each in (loop, plain):
        for _ in range(3):
            queries = each.ask()
            each.tell({query.id: big_or_small(query) for query in queries})
            if each is loop:
                for item in [query.item for query in queries]:
                    item *= -7
            each.refit()
    assert list(loop.history) == list(plain.history)


def test_an_interruption_anywhere_in_tell_is_made_good_by_telling_again():
    """Raises before every line in turn, as Ctrl-C may."""
    quiet = a_loop()
    answers = {query.id: big_or_small(query) for query in quiet.ask()}
    quiet.tell(answers)
    expected = quiet.refit()
    ours = ("answers.py", "queries.py", "labels.py", "pool.py", "places.py", "scoring.py", "classes.py")

    def tell_interrupted(line: int | None) -> tuple[BootstrapLoop, int]:
        """A loop in which `tell` was interrupted before that line, and how many lines there were."""
        loop, n_lines = a_loop(), 0
        loop.ask()

        def trace(frame, event, _):
            nonlocal n_lines
            if not frame.f_code.co_filename.endswith(ours):
                return None
            if event == "line":
                n_lines += 1
                if n_lines == line:
                    raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            with contextlib.suppress(KeyboardInterrupt):
                loop.tell(answers)
        finally:
            sys.settrace(before)
        return loop, n_lines

    _, n_lines = tell_interrupted(None)
    assert n_lines > 300
    for line in range(1, n_lines + 1):
        loop, _ = tell_interrupted(line)
        loop.tell(answers)
        assert len(loop.labels) == len(answers), f"interrupted before line {line}"
        assert loop.refit() == expected, f"interrupted before line {line}"


def test_an_id_comes_before_a_token():
    ids = [f"x{i}" for i in range(N)]
    loop = BootstrapLoop(LogisticRegression(), batch_size=N, held_out=0, audit_share=0, random_state=0)
    ids[1] = "default/0/0"  # looks like the token of another item
    loop.add(numbers(), ids=ids)
    loop.ask()
    loop.tell({ids[1]: "big"})
    assert [label.id for label in loop.labels] == [ids[1]]


def test_the_review_curve_takes_in_what_was_added_since_the_refit():
    loop = a_loop()
    answer(loop)
    loop.refit()
    loop.add(numbers() + 50)
    new = [item for item in loop._pool if loop.is_held_out(item)][-5:]
    loop.add_labels(new, ["big"] * 5, blind=True)
    assert loop.review_curve().curve.n_audited == 8


def test_a_running_interval_stays_in_0_to_1_whatever_people_get_wrong():
    loop = a_loop(people_error=1.0, review_rate=1.0)
    for _ in range(3):
        answer(loop)
        loop.refit()
    assert loop.history[-1].running_low == 0
    assert loop.history[-1].accuracy_low >= 0


def test_the_audit_share_holds_over_rounds_where_it_is_no_whole_number_in_each():
    loop = a_loop(batch_size=3, audit_share=0.5)
    counts = []
    for _ in range(4):
        queries = loop.ask()
        counts.append(sum(loop.is_held_out(query.id) for query in queries))
        answer(loop)
        loop.refit()
    assert counts == [1, 2, 1, 2]


def test_the_end_of_the_pool_is_an_empty_list():
    loop = a_loop(held_out=0, audit_share=0, batch_size=N)
    answer(loop)
    loop.refit()
    assert loop.ask() == []


def test_items_can_be_added_while_queries_wait_and_between_rounds():
    loop = a_loop()
    loop.ask()
    loop.add(numbers() + 100)
    answer(loop)
    loop.refit()
    loop.add(numbers() + 200)
    answer(loop)
    record = loop.refit()
    assert record.n_trained == 12
    assert len(loop._pool) == 3 * N


def test_predictions_come_back_as_labels():
    loop = a_loop()
    for _ in range(3):
        answer(loop)
        loop.refit()
    assert loop.predict([[0.1], [9.9]]).tolist() == ["small", "big"]
    assert loop.predict_proba([[0.1]]).shape == (1, 2)
    assert loop.learner.classes_.tolist() == ["big", "small"]
    assert loop.fitted_estimator().predict([[0.1], [9.9]]).tolist() == ["small", "big"]


@pytest.mark.parametrize("ask_for", ["predict", "fitted_estimator"])
def test_there_is_no_model_before_two_classes(ask_for):
    loop = a_loop()
    loop.tell({query.id: "big" for query in loop.ask()})
    assert loop.refit().accuracy is None
    with pytest.raises(NotReady, match="two classes"):
        loop.predict([[1.0]]) if ask_for == "predict" else loop.fitted_estimator()


def test_a_class_that_comes_late_is_learned():
    loop = a_loop(held_out=0, audit_share=0)
    answer(loop)
    loop.refit()
    loop.tell({query.id: "huge" for query in loop.ask()})
    loop.refit()
    assert loop.learner.classes_.tolist() == ["big", "huge", "small"]
    assert loop.classes == ("big", "huge", "small")
    assert "huge" in loop.ask()[0].classes


def test_texts_go_through_a_pipeline():
    texts = [f"{'refund my card' if i % 2 else 'where is the parcel'} number {i}" for i in range(40)]
    loop = BootstrapLoop(
        make_pipeline(TfidfVectorizer(), LogisticRegression()), batch_size=5, audit_share=0.4, random_state=1
    )
    loop.add(texts)
    for _ in range(3):
        loop.tell({q.id: "card" if "card" in q.item else "parcel" for q in loop.ask()})
        loop.refit()
    assert loop.predict(["lost my card", "no parcel yet"]).tolist() == ["card", "parcel"]


@pytest.mark.parametrize(
    "estimator",
    [
        SVC(),
        RandomForestClassifier(n_estimators=5),
        [LogisticRegression(), GaussianNB()],
        make_pipeline(LogisticRegression()),
    ],
)
def test_every_kind_of_estimator_runs_and_the_same_seed_gives_the_same_history(estimator):
    def histories(n_jobs):
        loop = a_loop(estimator=estimator, n_jobs=n_jobs)
        for _ in range(3):
            answer(loop)
            loop.refit()
        return list(loop.history)

    assert histories(None) == histories(2)


def test_another_seed_gives_another_held_out_set():
    loops = [a_loop(random_state=seed) for seed in (1, 2)]
    first, second = ({item for item in loop._pool if loop.is_held_out(item)} for loop in loops)
    assert first != second


def test_without_a_seed_two_loops_draw_differently():
    first, second = ({q.id for q in a_loop(random_state=None).ask()} for _ in range(2))
    assert first != second


def test_the_review_curve_needs_something_measured():
    loop = a_loop()
    with pytest.raises(NotReady, match="nothing is measured yet"):
        loop.review_curve()
    answer(loop)
    loop.refit()
    assert loop.review_curve().to_frame()["review_rate"].between(0, 1).all()


def test_a_loop_shows_itself_and_its_plot():
    loop = a_loop()
    assert "not fitted" in repr(loop)
    assert "60 items, 0 labels in 0 rounds" in repr(loop)
    answer(loop)
    loop.refit()
    assert loop.plot().get_ylabel()


@pytest.mark.parametrize(
    ("settings_", "why"),
    [
        ({"review_rate": 1.2}, r"review_rate is a share in \[0, 1\], got 1.2"),
        ({"review_rate": 20}, "did you mean 0.2"),
        ({"target_accuracy": 1.0}, "can't be shown by any number of audits"),
        ({"target_of": "people"}, "alone"),
        ({"delta": 0}, "delta"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"held_out": 1}, "held_out"),
        ({"held_out": 0}, "nothing to audit"),
        ({"audit_share": -1}, "audit_share"),
        ({"people_error": 3}, "people_error"),
        ({"random_state": "x"}, "random_state"),
        ({"n_jobs": 0}, "n_jobs"),
        ({"name": ""}, "name"),
        ({"classes": ["one"]}, "two different classes"),
        ({"classes": ["one", 2]}, "one kind of label"),
        ({"strategy": "margins"}, "margin"),
        ({"strategy": 3}, "strategy is a name or a function"),
        ({"strategy": "vote_entropy"}, "LogisticRegression is one model"),
        ({"strategy": strategies.mixture("max_disagreement")}, "is one model"),
        ({"strategy": lambda learner, X, how_many: []}, "n_instances"),
        ({"labeler": 3}, "labeler is a function"),
        ({"estimator": LogisticRegression}, "pass an object"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_once(settings_, why):
    with pytest.raises(InvalidInput, match=why):
        a_loop(**settings_)


def test_a_fit_that_fails_loses_nothing_and_the_next_refit_tries_again():
    class Moody(LogisticRegression):
        fails = False

        def fit(self, X, y, sample_weight=None):
            if Moody.fails:
                raise RuntimeError("no memory")
            return super().fit(X, y, sample_weight)

    loop = a_loop(estimator=Moody())
    answer(loop)
    loop.refit()
    answer(loop)
    Moody.fails = True
    with pytest.raises(RuntimeError, match="no memory"):
        loop.refit()
    assert (len(loop.history), loop.n_labels) == (1, 18)
    Moody.fails = False
    assert loop.refit().n_trained == 12
    assert [r.round for r in loop.history] == [1, 2]
