"""The label log: the first label stays, and saying it again changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.labels import Labels, Told
from bootstrap.records import SKIP, Label, Source

answers = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(["a", "b", "c", SKIP]),
        st.sampled_from([Source.TRAINING, Source.AUDIT, Source.GIVEN]),
    ),
    max_size=30,
)


def say(labels: Labels, row: int, answer, source: Source = Source.TRAINING) -> Told:
    outcome = labels.judge(row, answer)
    if outcome != "repeated":
        labels.log.append(Label(f"item {row}", answer, source, extra=outcome == "extra"))
        labels.read(row, labels.log[-1])
        labels.read(row, labels.log[-1])  # once or twice makes no difference
    return Told(**{outcome: 1})


def in_all(several) -> Told:
    told = list(several)
    return Told(*(sum(getattr(t, name) for t in told) for name in ("kept", "repeated", "extra", "skipped")))


def test_a_first_label_is_kept():
    labels = Labels()
    assert say(labels, 3, "a") == Told(kept=1)
    assert 3 in labels
    assert 4 not in labels
    assert labels.of(np.array([3])) == ["a"]
    assert labels.log == [Label("item 3", "a", Source.TRAINING)]


def test_saying_the_same_again_changes_nothing():
    labels = Labels()
    say(labels, 0, "a")
    before = (labels.log.copy(), labels.n_asked, labels.n_given, labels.n_skipped)
    assert say(labels, 0, "a") == Told(repeated=1)
    assert say(labels, 0, "a", Source.GIVEN) == Told(repeated=1)
    assert (labels.log, labels.n_asked, labels.n_given, labels.n_skipped) == before


def test_a_second_different_answer_is_kept_beside_the_first_and_never_overwrites_it():
    labels = Labels()
    say(labels, 0, "a")
    assert say(labels, 0, "b") == Told(extra=1)
    assert labels.of(np.array([0])) == ["a"]
    assert [(label.label, label.extra) for label in labels.log] == [("a", False), ("b", True)]
    assert labels.n_asked == 2  # it cost work too


def test_an_extra_answer_is_stored_once():
    labels = Labels()
    for answer in ("a", "b", "b", "c", "b", "a"):
        say(labels, 0, answer)
    assert [label.label for label in labels.log] == ["a", "b", "c"]


def test_a_skip_is_stored_once_and_is_no_label():
    labels = Labels()
    assert say(labels, 0, SKIP) == Told(skipped=1)
    assert say(labels, 0, SKIP) == Told(repeated=1)
    assert 0 not in labels
    assert (labels.n_skipped, labels.n_asked, len(labels.log)) == (1, 0, 1)


def test_a_label_after_a_skip_is_a_first_label():
    labels = Labels()
    say(labels, 0, SKIP)
    assert say(labels, 0, "a") == Told(kept=1)
    assert [label.label for label in labels.log] == [SKIP, "a"]
    assert not labels.log[1].extra


def test_a_skip_after_a_label_says_nothing_new():
    labels = Labels()
    say(labels, 0, "a")
    assert say(labels, 0, SKIP) == Told(repeated=1)
    assert labels.n_skipped == 0


def test_a_reopened_item_can_be_skipped_again_and_the_log_keeps_both():
    labels = Labels()
    say(labels, 0, SKIP)
    labels.reopen(0)
    labels.reopen(1)  # was never skipped: nothing happens
    assert say(labels, 0, SKIP) == Told(skipped=1)
    assert labels.n_skipped == len(labels.log) == 2


def test_labels_that_existed_are_counted_apart_from_those_asked_for():
    labels = Labels()
    say(labels, 0, "a", Source.GIVEN)
    say(labels, 1, "a", Source.TRAINING)
    say(labels, 2, "a", Source.AUDIT)
    say(labels, 1, "b", Source.GIVEN)
    assert (labels.n_given, labels.n_asked) == (2, 2)


def test_asking_for_the_label_of_an_item_without_one_fails():
    with pytest.raises(KeyError):
        Labels().of(np.array([0]))


def test_a_false_or_zero_label_is_a_label():
    labels = Labels()
    assert say(labels, 0, False) == Told(kept=1)
    assert say(labels, 1, 0) == Told(kept=1)
    assert labels.of(np.array([1, 0])) == [0, False]


@given(answers)
def test_whatever_is_said_the_first_label_of_each_item_counts(said):
    labels = Labels()
    told = in_all(say(labels, row, answer, source) for row, answer, source in said)

    first: dict[int, str] = {}
    for row, answer, _ in said:
        if answer is not SKIP:
            first.setdefault(row, answer)
    rows = np.array(sorted(first), dtype=np.intp)
    assert labels.of(rows) == [first[row] for row in rows.tolist()]
    assert told.kept == len(first)
    assert told.kept + told.extra + told.skipped == len(labels.log)
    assert told.kept + told.extra + told.skipped + told.repeated == len(said)
    assert labels.n_asked + labels.n_given == told.kept + told.extra
    assert labels.n_skipped == told.skipped
    assert sum(label.extra for label in labels.log) == told.extra


@given(answers)
def test_telling_everything_twice_is_like_telling_it_once(said):
    labels = Labels()
    for row, answer, source in said:
        say(labels, row, answer, source)
    before = (labels.log.copy(), labels.n_asked, labels.n_given, labels.n_skipped)
    again = in_all(say(labels, row, answer, source) for row, answer, source in said)
    assert again == Told(repeated=len(said))
    assert (labels.log, labels.n_asked, labels.n_given, labels.n_skipped) == before


# second answers


def say_second(labels: Labels, row: int, answer) -> Told:
    outcome = labels.judge_second(row, answer)
    if outcome != "repeated":
        labels.log.append(Label(f"item {row}", answer, Source.SECOND, extra=outcome == "extra"))
        labels.read(row, labels.log[-1])
        labels.read(row, labels.log[-1])
    return Told(**{outcome: 1})


def test_a_second_answer_leaves_the_first_what_it_is_and_costs_a_label():
    labels = Labels()
    say(labels, 0, "a", Source.AUDIT)
    assert say_second(labels, 0, "b") == Told(kept=1)
    assert labels.answer(0) == "a"
    assert labels.of(np.array([0])) == ["a"]
    assert labels.n_asked == 2


def test_a_second_answer_said_again_is_repeated_and_a_third_one_extra():
    labels = Labels()
    say(labels, 0, "a", Source.AUDIT)
    say_second(labels, 0, "b")
    assert say_second(labels, 0, "b") == Told(repeated=1)
    assert say_second(labels, 0, SKIP) == Told(repeated=1)
    assert say_second(labels, 0, "c") == Told(extra=1)
    assert say_second(labels, 0, "c") == Told(repeated=1)
    assert labels.n_asked == 3


def test_a_second_skip_is_an_answer_and_no_label():
    labels = Labels()
    say(labels, 0, "a", Source.AUDIT)
    assert say_second(labels, 0, SKIP) == Told(skipped=1)
    assert say_second(labels, 0, SKIP) == Told(repeated=1)
    assert (labels.n_asked, labels.n_skipped) == (1, 1)
    assert say_second(labels, 0, "b") == Told(extra=1)


def test_the_answer_about_a_row_is_a_label_a_skip_or_nothing():
    labels = Labels()
    assert labels.answer(0) is None
    say(labels, 0, SKIP)
    assert labels.answer(0) is SKIP
    say(labels, 0, "a")
    assert labels.answer(0) == "a"
    say(labels, 1, False)
    assert labels.answer(1) is False


def test_answers_that_make_no_label_are_a_dispute_until_one_counts():
    labels = Labels()

    def comes(row, label, *, extra=True):
        labels.read(row, Label(str(row), label, Source.AUDIT, extra=extra))

    for row, said in enumerate([("a",), ("a", "a"), ("a", "b"), ("a", SKIP), ("a", "b")]):
        for label in said:
            comes(row, label)
    comes(4, "b", extra=False)
    assert sorted(labels.disputed()) == [2, 3]
    comes(3, SKIP, extra=False)  # nobody can tell: that is an answer
    assert labels.disputed() == [2]
    first, second = labels.change({"a": "c", "b": "c"}.get)
    assert (first, second, labels.disputed()) == ([], [], [2])  # somebody still has to settle it
    comes(2, "c", extra=False)
    assert labels.disputed() == []
