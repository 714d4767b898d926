"""A change of classes maps what was said before, and refuses what would lose or confuse something."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap import SKIP
from bootstrap.class_changes import ClassChange
from bootstrap.classes import ClassList
from bootstrap.errors import InvalidInput
from bootstrap.labels import Labels
from bootstrap.records import Label, Source

CLASSES = ("ham", "spam", "junk", "misc")
CHANGE = ClassChange.of(
    add=["ads"], rename={"ham": "ok"}, merge={"bad": ["junk", "spam"]}, split={"misc": ["shop", "news"]}
)


def test_what_replaces_a_class_stands_in_its_place_and_new_ones_at_the_end():
    assert CHANGE.check(CLASSES, is_open=False) == ("ok", "bad", "shop", "news", "ads")


def test_labels_are_mapped_and_those_of_a_split_class_are_not():
    assert [CHANGE.now(name) for name in (*CLASSES, "other")] == ["ok", "bad", "bad", None, "other"]


def test_names_may_be_exchanged_and_a_merged_class_may_keep_its_name():
    swapped = ClassChange.of(rename={"a": "b", "b": "a"})
    assert swapped.check(("a", "b"), is_open=False) == ("b", "a")
    kept = ClassChange.of(merge={"spam": ["spam", "junk"]})
    assert kept.check(CLASSES, is_open=False) == ("ham", "spam", "misc")
    assert kept.now("junk") == kept.now("spam") == "spam"


def test_a_class_may_be_split_into_itself_and_more_or_among_those_that_are_there():
    assert ClassChange.of(split={"misc": ["misc", "news"]}).check(CLASSES, is_open=False)[-2:] == (
        "misc",
        "news",
    )
    gone = ClassChange.of(split={"misc": ["ham", "spam"]})
    assert gone.check(CLASSES, is_open=False) == ("ham", "spam", "junk")
    assert gone.now("misc") is None


def test_a_change_comes_back_from_json_with_numbers_as_numbers():
    change = ClassChange.of(rename={0: 10}, merge={1: [1, 2]}, split={3: [4, 5]}, add=[6])
    assert ClassChange.from_dict(json.loads(json.dumps(change.to_dict()))) == change
    assert ClassChange.from_dict({}) == ClassChange()


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ({}, "say what changes"),
        ({"add": "ads"}, "single string"),
        ({"add": ["ads", "ads"]}, "'ads' stands twice"),
        ({"add": [SKIP]}, "SKIP is no class"),
        ({"add": [None]}, "not a label"),
        ({"merge": {"bad": ["spam"]}}, "at least two"),
        ({"split": {"misc": ["news"]}}, "rename="),
        ({"merge": {"bad": "spam"}}, "single string"),
        ({"rename": {"spam": "x"}, "split": {"spam": ["y", "z"]}}, "'spam' is changed twice"),
        ({"merge": {"x": ["spam", "ham"], "y": ["spam", "junk"]}}, "'spam' is changed twice"),
    ],
)
def test_a_change_that_says_nothing_or_two_things_is_refused(what, message):
    with pytest.raises(InvalidInput, match=message):
        ClassChange.of(**what)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ({"rename": {"spma": "bad"}}, "'spma' is none of the classes"),
        ({"rename": {"spam": "ham"}}, "'ham' would be there twice.*merge="),
        ({"merge": {"ham": ["spam", "junk"]}}, "'ham' would be there twice"),
        ({"add": ["ham"]}, "'ham' would be there twice"),
        ({"rename": {"ham": "x"}, "split": {"misc": ["x", "y"]}}, "'x' would be there twice"),
        ({"merge": {"x": CLASSES}}, "only 'x' would be left"),
        ({"rename": {"ham": 3}}, "one kind of label"),
    ],
)
def test_a_change_that_does_not_fit_the_classes_is_refused(what, message):
    with pytest.raises(InvalidInput, match=message):
        ClassChange.of(**what).check(CLASSES, is_open=False)


def test_to_an_open_list_nothing_is_added_and_all_of_it_may_become_one():
    with pytest.raises(InvalidInput, match="open"):
        ClassChange.of(add=["ads"]).check(CLASSES, is_open=True)
    assert ClassChange.of(merge={"x": CLASSES}).check(CLASSES, is_open=True) == ("x",)


def test_an_open_list_shows_the_parts_of_a_class_before_anybody_has_named_them():
    classes = ClassList()
    classes.add("misc")
    classes.change(ClassChange.of(split={"misc": ["shop", "news"]}))
    assert (classes.version, classes.shown) == (2, ("news", "shop"))


def test_an_old_name_is_refused_with_what_stands_in_its_place():
    classes = ClassList()
    for name in CLASSES:
        classes.add(name)
    classes.change(CHANGE)
    for old, now in (("spam", "'bad'"), ("misc", "'shop', 'news'")):
        with pytest.raises(InvalidInput, match=f"version 2 of the classes has .{now}"):
            classes.check(old)
    assert classes.check("never heard of") == "never heard of"
    classes.change(ClassChange.of(rename={"bad": "spam"}))
    assert classes.check("spam") == "spam"
    assert classes.now("junk", 1) == "spam"
    assert classes.now("spam", 3) == "spam"


def test_first_second_and_extra_labels_are_mapped_and_skips_stay():
    labels = Labels()
    said = [(0, "ham", {}), (1, "misc", {}), (0, "misc", {"extra": True}), (2, "spam", {}), (3, SKIP, {})]
    said += [(0, "junk", {"source": Source.SECOND}), (2, "misc", {"source": Source.SECOND})]
    said += [(3, SKIP, {"source": Source.SECOND}), (2, "junk", {"extra": True})]
    for row, label, more in said:
        labels.read(row, Label(str(row), label, **({"source": Source.TRAINING} | more)))
    assert labels.change(CHANGE.now) == ([1], [2])
    assert dict(labels.standing()) == {0: "ok", 2: "bad"}
    assert [labels.answer(row) for row in range(4)] == ["ok", None, "bad", SKIP]
    assert labels.judge_second(0, "bad") == labels.judge_second(3, SKIP) == "repeated"
    assert labels.judge_second(2, "news") == "kept"
    assert labels.judge(2, "bad") == "repeated"
    assert labels.judge(1, "shop") == "kept"


NAMES = st.sampled_from("abcdefgh")


@st.composite
def changes(draw):
    """Any change that may be written down."""
    olds = draw(st.lists(NAMES, unique=True, min_size=1, max_size=5))
    what = draw(st.sampled_from(["rename", "merge", "split", "add"]))
    if what == "rename":
        news = draw(st.lists(NAMES, unique=True, min_size=len(olds), max_size=len(olds)))
        return {"rename": dict(zip(olds, news, strict=True))}
    if what == "merge":
        return {"merge": {draw(NAMES): olds}}
    if what == "split":
        return {"split": {olds[0]: draw(st.lists(NAMES, unique=True, min_size=2, max_size=3))}}
    return {"add": olds}


@given(st.lists(changes(), max_size=6), st.permutations("abcd"))
def test_every_label_means_after_any_changes_what_was_said_step_by_step(written, first):
    """Against a plain model: every person's slip of paper is rewritten, or torn up, at each change."""
    classes = ClassList(first)
    slips = {(1, name): name for name in first}  # (version, what was said) -> what the slip says now
    for what in written:
        try:
            change = ClassChange.of(**what)
            after = change.check(classes.shown, is_open=False)
        except InvalidInput:
            continue
        for key, says in slips.items():
            if says in what.get("split", {}):
                slips[key] = None
            elif says in what.get("rename", {}):
                slips[key] = what["rename"][says]
            else:
                for new, olds in what.get("merge", {}).items():
                    slips[key] = new if says in olds else says
        classes.change(change)
        assert classes.shown == after == classes.fixed
        assert len(set(after)) == len(after) >= 2
        slips |= {(classes.version, name): name for name in after}
    for (version, name), says in slips.items():
        assert classes.now(name, version) == says
        assert says is None or classes.check(says) == says
