"""One batch in the terminal without a terminal: keys in, what happened out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.labelers.terminal.choices import called, matching, once
from bootstrap.labelers.terminal.session import Answered, Event, Mode, Pace, Session, Stopped, Undone
from bootstrap.records import SKIP, Query

CARDS = (
    "card arrival",
    "card delivery",
    "card lost",
    "card stolen",
    "card swallowed",
    "card payment",
    "card fee",
    "card limit",
    "card lost abroad",
    "top up",
)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def queries(n: int, classes: Sequence[Any] = ("spam", "ham"), open_classes: bool = False) -> list[Query]:
    return [Query(f"q{i}", f"text {i}", f"t{i}", tuple(classes), open_classes) for i in range(1, n + 1)]


def session(n: int = 3, classes: Sequence[Any] = ("spam", "ham"), open_classes: bool = False) -> Session:
    return Session(queries(n, classes, open_classes), clock=Clock())


def press(machine: Session, *keys: str) -> list[Event]:
    """Press keys ("abc" is three of them, names go one by one); what happened."""
    named = {
        "enter",
        "escape",
        "backspace",
        "up",
        "down",
        "pageup",
        "pagedown",
        "ctrl-c",
        "ctrl-d",
        "eof",
        "",
    }
    single = [key for given in keys for key in ([given] if given in named else given)]
    return [event for event in map(machine.press, single) if event is not None]


# keys


def test_a_digit_gives_the_class_beside_it_and_moves_on() -> None:
    machine = session()

    assert machine.keys == {"1": "spam", "2": "ham"}
    assert press(machine, "2") == [Answered(machine._queries[0], "ham", 0.0)]
    assert machine.query.id == "q2"
    assert machine.message == "Last answer: ham"
    press(machine, "1", "1")
    assert machine.finished
    assert machine.answers == {"q1": "ham", "q2": "spam", "q3": "spam"}


@pytest.mark.parametrize("key", ["s", "S", " "])
def test_s_or_space_skips(key: str) -> None:
    machine = session()
    press(machine, key)

    assert machine.answers == {"q1": SKIP}
    assert machine.message == "Last answer: skipped"


def test_classes_that_are_digits_are_their_own_keys() -> None:
    machine = session(classes=(0, 1, 7))
    assert machine.keys == {"0": 0, "1": 1, "7": 7}
    press(machine, "170")

    assert machine.answers == {"q1": 1, "q2": 7, "q3": 0}


@pytest.mark.parametrize(
    ("classes", "keys"),
    [
        ((10, 11), {"1": 10, "2": 11}),
        ((True, False), {"1": True, "2": False}),
        (("1", 1), {"1": "1", "2": 1}),
        (("٣", "٤"), {"1": "٣", "2": "٤"}),
    ],
)
def test_other_classes_are_numbered_in_order(classes: Any, keys: Any) -> None:
    assert session(classes=classes).keys == keys


def test_a_key_without_meaning_is_named_and_answers_nothing() -> None:
    machine = session()

    assert press(machine, "x") == []
    assert machine.message == "'x' is no key here; ? shows what the keys do."
    assert press(machine, "3", "enter", "escape", "up") == []
    assert machine.answers == {}


def test_undo_goes_back_several_answers_and_no_further() -> None:
    machine = session()
    press(machine, "12")

    assert press(machine, "u") == [Undone(machine._queries[1])]
    assert machine.message == "Taken back ('ham'): answer this one again."
    assert press(machine, "u") == [Undone(machine._queries[0])]
    assert (machine.query.id, machine.answers) == ("q1", {})
    assert press(machine, "u") == []
    assert machine.message == "Nothing to undo: earlier batches are sent already."
    press(machine, "s")
    press(machine, "u")
    assert machine.message == "Taken back (skipped): answer this one again."


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("q", "quit in the terminal (q)"),
        ("ctrl-c", "interrupted (Ctrl-C)"),
        ("\x03", "interrupted (Ctrl-C)"),
        ("ctrl-d", "quit in the terminal (Ctrl-D)"),
        ("", "the input ended"),
    ],
)
def test_stopping_says_why_and_keeps_the_answers(key: str, reason: str) -> None:
    machine = session()
    press(machine, "1")

    assert machine.press(key) == Stopped(reason)
    assert machine.answers == {"q1": "spam"}


def test_help_is_closed_by_any_key_which_does_nothing_else() -> None:
    machine = session()
    press(machine, "?")
    assert machine.helping
    assert press(machine, "m") == []
    assert (machine.helping, machine.page) == (True, 1)
    assert press(machine, "q") == []
    assert (machine.helping, machine.page) == (False, 0)
    press(machine, "?")
    assert press(machine, "ctrl-c") == [Stopped("interrupted (Ctrl-C)")]


def test_pages_are_turned_and_begin_anew_with_the_next_query() -> None:
    machine = session()
    press(machine, "m", "m", "pagedown", "pageup")
    assert machine.page == 2
    press(machine, "1")
    assert machine.page == 0


def test_the_position_counts_from_one_and_stays_on_the_last() -> None:
    machine = session(2)
    seen = [(machine.position, machine.total)]
    for _ in range(2):
        press(machine, "1")
        seen.append((machine.position, machine.total))

    assert seen == [(1, 2), (2, 2), (2, 2)]


# pace


def test_the_pace_is_the_persons_own_median() -> None:
    machine = session(5)
    assert machine.pace is None
    clock: Any = machine._clock
    events = []
    for seconds in (2.0, 4.0, 600.0):
        clock.now += seconds
        events += press(machine, "1")

    assert [event.seconds for event in events if isinstance(event, Answered)] == [2.0, 4.0, 600.0]
    assert machine.pace == Pace(per_minute=15.0, seconds_left=8.0)
    press(machine, "u")
    assert machine.durations == [2.0, 4.0]
    assert machine.pace == Pace(per_minute=20.0, seconds_left=9.0)


def test_the_pace_goes_on_from_earlier_batches_and_looks_at_the_latest_answers() -> None:
    assert Session(queries(4), durations=[6.0], clock=Clock()).pace == Pace(10.0, 24.0)
    assert Session(queries(4), durations=[60.0] * 30 + [6.0] * 20, clock=Clock()).pace == Pace(10.0, 24.0)


def test_an_answer_in_no_time_at_all_divides_by_nothing() -> None:
    machine = session()
    press(machine, "1")

    assert machine.pace == Pace(pytest.approx(60_000.0), pytest.approx(0.002))


# which classes there are


def test_the_labelers_classes_come_first_and_the_querys_after_them() -> None:
    machine = Session(queries(1, ("ham", "spam"), True), classes=("spam", "eggs"), clock=Clock())

    assert machine.choices == ("spam", "eggs", "ham")


def test_a_closed_list_shows_nothing_else_but_in_the_labelers_order() -> None:
    machine = Session(queries(1, ("ham", "spam"), False), classes=("spam", "eggs"), clock=Clock())

    assert machine.choices == ("spam", "ham")


def test_a_closed_list_without_classes_leaves_the_labelers() -> None:
    assert Session(queries(1, (), False), classes=("spam",), clock=Clock()).choices == ("spam",)


def test_classes_of_different_types_are_different() -> None:
    assert once([1, True, "1", 1]) == (1, True, "1")
    assert [type(label) for label in once([1, True, "1", 1])] == [int, bool, str]


# a new class


def test_plus_names_a_new_class_which_then_has_a_key() -> None:
    machine = session(open_classes=True)
    assert press(machine, "+", "quish") == []
    assert (machine.mode, machine.text) == (Mode.NAMING, "quish")
    assert press(machine, "backspace", "backspace", "ck", "enter") == [
        Answered(machine._queries[0], "quick", 0.0)
    ]
    assert machine.message == "Last answer: quick (a new class)"
    assert machine.keys == {"1": "spam", "2": "ham", "3": "quick"}
    assert machine.new_classes == ("quick",)


@pytest.mark.parametrize("leave", [["escape"], ["x", "escape"], ["enter"], [" ", "enter"]])
def test_naming_can_be_left_without_a_class(leave: list[str]) -> None:
    machine = session(open_classes=True)
    press(machine, "+", *leave)

    assert machine.mode is Mode.KEYS
    assert machine.answers == {}
    press(machine, "1")
    assert machine.answers == {"q1": "spam"}


def test_naming_a_class_that_exists_gives_that_one() -> None:
    machine = session(open_classes=True)
    press(machine, "+", "ham", "enter")

    assert machine.answers == {"q1": "ham"}
    assert machine.message == "Last answer: ham"
    assert machine.new_classes == ()


def test_undoing_a_new_class_takes_it_off_the_list() -> None:
    machine = session(open_classes=True)
    press(machine, "+", "typo", "enter")
    press(machine, "u")

    assert machine.choices == ("spam", "ham")


def test_a_closed_list_takes_no_new_class() -> None:
    machine = session(open_classes=False)
    press(machine, "+")

    assert machine.mode is Mode.KEYS
    assert machine.message == "'+' is no key here; ? shows what the keys do."


def test_a_new_class_among_whole_numbers_is_a_whole_number() -> None:
    machine = session(classes=(10, 20), open_classes=True)
    press(machine, "+", "ten", "enter")
    assert "'ten' is not" in machine.message
    assert machine.answers == {}
    press(machine, "escape", "+", "30", "enter", "+", "010", "enter")

    assert machine.answers == {"q1": 30, "q2": 10}
    assert machine.message == "Last answer: 10"


def test_true_and_false_take_no_third() -> None:
    machine = session(classes=(True, False), open_classes=True)
    press(machine, "+", "maybe", "enter")

    assert machine.answers == {}
    assert machine.message == "The classes are True and False: no class can be added."


def test_ten_classes_after_an_addition_are_filtered() -> None:
    machine = session(classes=range(1, 10), open_classes=True)
    assert machine.mode is Mode.KEYS
    press(machine, "+", "10", "enter")

    assert machine.mode is Mode.FILTER
    assert machine.keys == {}


# typing to filter


def test_letters_narrow_the_list_and_enter_picks_the_first() -> None:
    machine = session(classes=CARDS)
    assert machine.mode is Mode.FILTER
    assert machine.matches == CARDS
    assert press(machine, "sq") == []
    assert machine.matches == ()
    press(machine, "backspace", "w")
    assert machine.matches == ("card swallowed",)
    assert press(machine, "enter") == [Answered(machine._queries[0], "card swallowed", 0.0)]
    assert (machine.text, machine.matches) == ("", CARDS)


def test_the_whole_name_wins_over_longer_ones() -> None:
    machine = session(classes=CARDS[::-1])
    press(machine, "CARD lost", "enter")

    assert machine.answers == {"q1": "card lost"}


def test_up_and_down_choose_another_match() -> None:
    machine = session(classes=CARDS)
    press(machine, "lost", "down", "enter", "down", "enter", "up", "enter")

    assert machine.answers == {"q1": "card lost abroad", "q2": "card delivery", "q3": "top up"}


def test_typing_on_selects_the_best_match_again() -> None:
    machine = session(classes=CARDS)
    press(machine, "card", "down", "down", " lost")

    assert (machine.selected, machine.matches) == (0, ("card lost", "card lost abroad"))


def test_enter_alone_picks_nothing() -> None:
    machine = session(classes=CARDS)

    assert press(machine, "enter", " ", "enter") == []
    assert machine.message.startswith("Type a few letters")


def test_escape_clears_and_other_keys_do_nothing() -> None:
    machine = session(classes=CARDS)
    press(machine, "fee", "escape")
    assert machine.text == ""
    machine.press("f5")
    assert machine.text == ""


@pytest.mark.parametrize("word", ["s", "skip", "S"])
def test_commands_begin_with_a_colon(word: str) -> None:
    machine = session(classes=CARDS)
    press(machine, "s")
    assert machine.answers == {}
    press(machine, "escape", ":", word, "enter")

    assert machine.answers == {"q1": SKIP}


def test_every_command_works_with_a_colon() -> None:
    machine = session(classes=CARDS)
    press(machine, "fee", "enter")
    assert press(machine, ":u", "enter") == [Undone(machine._queries[0])]
    press(machine, ":m", "enter")
    assert machine.page == 1
    press(machine, ":?", "enter")
    assert machine.helping
    press(machine, "x")
    assert press(machine, ":q", "enter") == [Stopped("quit in the terminal (q)")]
    assert machine.text == ""


def test_a_question_mark_alone_shows_the_help_unless_a_class_has_one() -> None:
    machine = session(classes=CARDS)
    press(machine, "?")
    assert machine.helping
    press(machine, "x", "fee?")
    assert (machine.helping, machine.text) == (False, "fee?")
    asking = session(classes=("really?", *CARDS))
    press(asking, "?", "enter")

    assert asking.answers == {"q1": "really?"}


def test_an_unknown_command_lists_those_there_are() -> None:
    machine = session(classes=CARDS)
    press(machine, ":x", "enter")

    assert machine.message == "':x' is no command: :s skip, :u undo, :q quit, :m more, :? help."


def test_classes_that_look_like_commands_can_be_given_by_their_whole_name() -> None:
    machine = session(classes=(":s", "+1", *CARDS))
    press(machine, ":s")
    assert machine.matches == (":s",)
    press(machine, "enter", "+1", "enter", ":q")
    assert machine.matches == ()

    assert machine.answers == {"q1": ":s", "q2": "+1"}


def test_a_text_that_matches_nothing_becomes_a_class_on_the_second_enter() -> None:
    machine = session(classes=CARDS, open_classes=True)
    press(machine, "pin", "enter")
    assert machine.answers == {}
    assert machine.message == "No class matches 'pin'. Enter again adds it as a new class."
    press(machine, "s", "enter")
    assert machine.answers == {}
    press(machine, "enter")

    assert machine.answers == {"q1": "pins"}


def test_a_plus_before_the_name_adds_a_class_at_once() -> None:
    machine = session(classes=CARDS, open_classes=True)
    press(machine, "+card", "enter")

    assert machine.answers == {"q1": "card"}
    press(machine, "+", "enter")
    assert machine.message == "A new class needs a name."


def test_a_closed_list_adds_nothing_however_often_enter_is_pressed() -> None:
    machine = session(classes=CARDS)
    press(machine, "pin", "enter", "enter", "enter")
    assert machine.message == "No class matches 'pin'. This list is closed."
    press(machine, "escape", "+pin", "enter")

    assert machine.message == "This list of classes is closed: no class can be added."
    assert machine.answers == {}


def test_the_first_class_of_an_empty_list_needs_no_second_enter() -> None:
    machine = session(classes=(), open_classes=True)
    assert machine.mode is Mode.FILTER
    press(machine, "spam", "enter")

    assert machine.answers == {"q1": "spam"}
    assert machine.keys == {"1": "spam"}


def test_a_letter_that_is_a_command_elsewhere_does_not_become_a_class_by_accident() -> None:
    machine = session(classes=(), open_classes=True)
    press(machine, "q", "enter")

    assert machine.answers == {}
    assert machine.message.endswith("To quit, type :q")


# lines of input


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("2", "ham"),
        (" 2 ", "ham"),
        ("ham", "ham"),
        ("HAM", "ham"),
        ("s", SKIP),
        (":s", SKIP),
        ("+eggs", "eggs"),
    ],
)
def test_a_line_is_a_key_a_class_a_command_or_a_new_class(line: str, answer: Any) -> None:
    machine = session(open_classes=True)

    assert machine.line(line) == Answered(machine._queries[0], answer, 0.0)


def test_a_line_with_something_else_says_what_to_do() -> None:
    machine = session(open_classes=True)

    assert machine.line("eggs") is None
    assert machine.message == "'eggs' is no key and no class here. To add it as a new class: +eggs"
    assert machine.line("") is None
    assert machine.message == "Type a key or a class, then Enter."
    closed = session()
    assert closed.line("eggs") is None
    assert closed.message == "'eggs' is no key and no class here."


def test_a_line_with_several_keys_answers_nothing() -> None:
    machine = session()

    assert machine.line("12") is None
    assert machine.answers == {}


def test_lines_work_with_a_filter_too() -> None:
    machine = session(classes=CARDS, open_classes=True)
    machine.line("swall")
    machine.line("pin")
    machine.line("")
    machine.line(":u")
    machine.line("lost\x1b\x00 abroad")

    assert machine.answers == {"q1": "card swallowed", "q2": "card lost abroad"}


def test_a_line_of_plus_alone_asks_for_the_name() -> None:
    machine = session(open_classes=True)
    machine.line("+")
    machine.line("eggs")

    assert machine.answers == {"q1": "eggs"}


def test_a_line_closes_the_help_and_acts() -> None:
    machine = session()
    machine.line("?")
    assert machine.helping
    machine.line("1")

    assert not machine.helping
    assert machine.answers == {"q1": "spam"}


# what always holds

some_keys = st.one_of(
    st.sampled_from(
        ["enter", "escape", "backspace", "up", "down", "pageup", "pagedown", "m", "?", "u", "+", ":"]
    ),
    st.sampled_from("12s ux9caro"),
    st.characters(),
)


@given(
    st.lists(some_keys, max_size=60),
    st.sampled_from([(), ("spam", "ham"), (1, 2), (True, False), CARDS]),
    st.booleans(),
)
def test_whatever_is_pressed_the_answers_are_those_reported_and_not_undone(
    keys: list[str], classes: Any, open_classes: bool
) -> None:
    machine = session(4, classes or ("only",) if not open_classes else classes, open_classes)
    told: dict[str, Any] = {}
    for key in keys:
        if machine.finished:
            break
        event = machine.press(key)
        if isinstance(event, Answered):
            assert event.query.id not in told
            told[event.query.id] = event.answer
        elif isinstance(event, Undone):
            del told[event.query.id]

    assert machine.answers == told
    assert list(told) == ["q1", "q2", "q3", "q4"][: len(told)]
    allowed = {type(label) for label in classes} or {str}
    assert {type(answer) for answer in told.values() if answer is not SKIP} <= allowed
    if not open_classes:
        assert {answer for answer in told.values() if answer is not SKIP} <= set(classes or ("only",))


# matching


def test_matching_takes_words_in_any_order_and_case() -> None:
    assert matching("ABROAD card", CARDS) == ("card lost abroad",)
    assert matching("", ("b", "a")) == ("b", "a")
    assert matching("straße", ("STRASSE",)) == ("STRASSE",)
    assert matching("1", (21, 1, 12)) == (1, 12, 21)


def test_a_class_is_called_by_its_exact_name_or_an_unambiguous_one() -> None:
    assert called("Spam", ("spam", "Spam")) == "Spam"
    assert called("SPAM", ("spam", "ham")) == "spam"
    assert called("SPAM", ("spam", "Spam")) is None
    assert called("eggs", ("spam", "ham")) is None
    assert called("3", (3, 4)) == 3
