"""Which answers are classes: one kind of label, plain values, and fixed lists that stay as they are."""

from __future__ import annotations

import enum
import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.classes import ClassList, plain_answer
from bootstrap.errors import InvalidInput
from bootstrap.records import SKIP


class Number(enum.IntEnum):
    ONE = 1


class Word(str, enum.Enum):  # noqa: UP042  # the older kind: str() of it is not its value
    SPAM = "spam"


class ModernWord(enum.StrEnum):
    SPAM = "spam"


def refusal(classes: ClassList, answer) -> str:
    with pytest.raises(InvalidInput) as caught:
        classes.check(answer)
    return str(caught.value)


def seen(*labels) -> ClassList:
    classes = ClassList()
    for label in labels:
        classes.add(label)
    return classes


# one answer


@pytest.mark.parametrize(
    ("answer", "plain"),
    [
        ("spam", "spam"),
        (" spam ", " spam "),
        (3, 3),
        (True, True),
        (3.0, 3),
        (-0.0, 0),
        (np.str_("spam"), "spam"),
        (np.int64(3), 3),
        (np.uint8(3), 3),
        (np.float32(3.0), 3),
        (np.bool_(True), True),
        (Number.ONE, 1),
        (Word.SPAM, "spam"),
        (ModernWord.SPAM, "spam"),
    ],
)
def test_an_answer_becomes_a_plain_class(answer, plain):
    label = ClassList().check(answer)
    assert label == plain
    assert type(label) is type(plain)


def test_skip_is_always_an_answer():
    for classes in (ClassList(), ClassList(["a", "b"]), seen(1)):
        assert classes.check(SKIP) is SKIP


@pytest.mark.parametrize("answer", [None, float("nan"), np.nan, np.float32("nan"), np.datetime64("NaT", "s")])
def test_nothing_is_not_a_label(answer):
    assert "is not a label: answer SKIP (bootstrap.SKIP)" in refusal(ClassList(), answer)


@pytest.mark.parametrize("answer", ["", "  ", "\n\t", np.str_("")])
def test_an_empty_string_is_not_a_label(answer):
    assert "an empty string is not a label: answer SKIP" in refusal(ClassList(), answer)


@pytest.mark.parametrize(
    "answer",
    [
        2.5,
        float("inf"),
        b"spam",
        ["spam"],
        ("a", 1),
        {"label": "a"},
        np.array([1, 2]),
        pd.NA,
        pd.Series([1]),
        1j,
        object(),
    ],
    ids=repr,
)
def test_anything_else_is_refused_with_what_a_class_is(answer):
    message = refusal(ClassList(), answer)
    assert f"({type(answer).__name__}) is not a label" in message
    assert "a class is a string, a whole number of at most 64 bits or a bool" in message


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("spam", 1, "1 is a whole number and the classes so far are strings (such as 'spam')"),
        (1, "1", "'1' is a string and the classes so far are whole numbers (such as 1)"),
        (1, True, "True is a bool and the classes so far are whole numbers (such as 1)"),
        (True, 1, "1 is a whole number and the classes so far are bools (such as True)"),
        (0, np.bool_(False), "False is a bool and the classes so far are whole numbers (such as 0)"),
    ],
)
def test_kinds_of_labels_are_never_mixed(first, second, message):
    assert message in refusal(seen(first), second)


def test_checking_remembers_nothing():
    classes = ClassList()
    classes.check("spam")
    assert len(classes) == 0
    assert classes.check(1) == 1


# an open list


def test_an_open_list_grows_and_is_shown_sorted():
    classes = seen("b", "c", "a", "b")
    assert classes.is_open
    assert classes.fixed is None
    assert classes.shown == ("a", "b", "c")
    assert len(classes) == 3


def test_the_code_of_a_class_never_changes():
    classes = ClassList()
    assert [classes.add(label) for label in ("b", "a", "b", "c", "a")] == [0, 1, 0, 2, 1]


@given(st.lists(st.sampled_from(string.ascii_lowercase), min_size=1), st.randoms())
def test_encoding_does_not_depend_on_the_order_in_which_classes_came(labels, random):
    order = sorted(set(labels))
    random.shuffle(order)
    classes = seen("not among these", *order)
    codes = np.array([classes.add(label) for label in labels])
    found, positions = classes.encoding(codes)
    assert found.tolist() == sorted(set(labels))
    assert found[positions].tolist() == labels


# a fixed list


@pytest.mark.parametrize(
    "given_as", [["b", "a"], ("b", "a"), np.array(["b", "a"]), pd.Series(["b", "a"]), {"b": 1, "a": 2}]
)
def test_a_fixed_list_keeps_its_order(given_as):
    classes = ClassList(given_as)
    assert not classes.is_open
    assert classes.fixed == classes.shown == ("b", "a")
    found, positions = classes.encoding(np.array([classes.add("a")]))
    assert found.tolist() == ["b", "a"]
    assert positions.tolist() == [1]


@pytest.mark.parametrize("given_as", [[], ["only"], ["same", "same"], [1, 1.0], ["a", SKIP]])
def test_fewer_than_two_classes_are_refused(given_as):
    with pytest.raises(InvalidInput, match="at least two different classes"):
        ClassList(given_as)


def test_a_string_is_not_a_list_of_letters():
    with pytest.raises(InvalidInput, match="classes is a single string, 'spam,ham': pass a list"):
        ClassList("spam,ham")


def test_classes_of_two_kinds_are_refused():
    with pytest.raises(InvalidInput, match="label 1: 1 is a whole number among strings"):
        ClassList(["a", 1])


def test_an_answer_outside_a_fixed_list_is_refused_with_the_nearest_class():
    classes = ClassList(["card_arrival", "card_linking"])
    message = refusal(classes, "card_arival")
    assert "'card_arival' is not one of the 2 classes ('card_arrival', 'card_linking')" in message
    assert message.endswith("; did you mean 'card_arrival'?")
    assert "did you mean" not in refusal(classes, "zzz")


def test_the_nearest_number_is_shown_as_a_number():
    assert refusal(ClassList([100, 200]), 1000).endswith("did you mean 100?")


def test_of_a_long_list_only_some_are_shown():
    message = refusal(ClassList(list(range(50, 90))), 7)
    assert "not one of the 40 classes (50, 51, 52, 53, 54, 55, 56, 57, …)" in message


# labels that come together


def test_labels_that_come_together_are_checked_in_order():
    assert ClassList().check_all(np.array(["a", "b"])) == ["a", "b"]
    assert ClassList().check_all(iter(["a", SKIP, "b"])) == ["a", SKIP, "b"]
    assert ClassList().check_all([SKIP, 1, 2.0]) == [SKIP, 1, 2]


def test_the_first_wrong_one_is_named_by_position():
    with pytest.raises(InvalidInput, match=r"^label 2: None is not a label"):
        ClassList().check_all(["a", "b", None, ""])


def test_labels_of_mixed_kinds_are_refused_even_before_any_class_is_known():
    classes = ClassList()
    with pytest.raises(
        InvalidInput, match="label 2: True is a bool among whole numbers: use one kind of label"
    ):
        classes.check_all([1, SKIP, True])
    assert len(classes) == 0


@pytest.mark.parametrize("answer", [2**63, -(2**63), 1e300, "a\x00"])
def test_what_numpy_would_change_is_not_a_label(answer) -> None:
    with pytest.raises(InvalidInput, match="is not a label"):
        plain_answer(answer)
