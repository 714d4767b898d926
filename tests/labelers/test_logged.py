"""A log behind a labeler: nothing is asked twice, and what is new is saved as it comes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bootstrap.errors import LabelerError, LabelerStopped, LogError
from bootstrap.labelers import PanelLabeler, TerminalLabeler, each, logged
from bootstrap.labelers.callback import Collected, collect
from bootstrap.records import SKIP, Class, Query, Skip
from bootstrap.store import LabelLog

QUERIES = [Query(id, f"text {id}", f"token {id}", ("spam", "ham"), open_classes=False) for id in "abcd"]


class MemoryLog:
    """A log without a file, to see what is written."""

    def __init__(self, **answers: Class | Skip) -> None:
        self.answers: dict[str, Class | Skip] = dict(answers)
        self.rows: list[Any] = []

    def append(self, id: str, answer: Any, by: str | None = None, seconds: float | None = None) -> None:
        self.answers[id] = answer
        self.rows.append((id, answer, by, seconds))

    def undo(self, id: str) -> None:
        del self.answers[id]
        self.rows.append((id, "undo"))


class Remembering:
    """Answers everything with one class and remembers what it was asked."""

    name = "Ann"

    def __init__(self, answer: Any = "spam") -> None:
        self.answer = answer
        self.asked: list[str] = []

    def __call__(self, queries: Sequence[Query], /) -> list[Any]:
        self.asked += [query.id for query in queries]
        return [self.answer] * len(queries)


def test_only_what_the_log_does_not_hold_is_asked() -> None:
    inner, log = Remembering(), MemoryLog(b="ham", x="spam")
    labeler = logged(inner, log)

    assert labeler(QUERIES) == {"a": "spam", "b": "ham", "c": "spam", "d": "spam"}
    assert inner.asked == ["a", "c", "d"]
    assert log.rows == [(id, "spam", "Ann", None) for id in "acd"]


def test_where_the_log_holds_everything_nobody_is_asked() -> None:
    def never(queries: Sequence[Query]) -> list[Any]:
        raise AssertionError("asked")

    assert logged(never, MemoryLog(a="ham", b="spam"))(QUERIES[:2]) == {"a": "ham", "b": "spam"}


def test_the_wrapped_labeler_keeps_its_name() -> None:
    assert logged(Remembering(), MemoryLog()).name == "Ann"  # type: ignore[attr-defined]
    assert logged(lambda queries: [], MemoryLog()).name is None  # type: ignore[attr-defined]


def test_each_yielded_answer_is_saved_before_the_next_is_asked() -> None:
    log = MemoryLog()
    saved_before = []

    def ask_one(query: Query) -> str:
        saved_before.append(len(log.rows))
        return "spam"

    logged(each(ask_one), log)(QUERIES)

    assert saved_before == [0, 1, 2, 3]


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
def test_an_exception_keeps_the_answers_from_the_log_and_before_it(error: BaseException) -> None:
    def labeler(queries: Sequence[Query]) -> Iterator[str]:
        yield "spam"
        raise error

    log = MemoryLog(b="ham")
    collected = collect(logged(labeler, log), QUERIES)

    assert collected == Collected({"b": "ham", "a": "spam"}, error)
    assert log.answers == {"b": "ham", "a": "spam"}
    with pytest.raises(type(error)):
        logged(labeler, MemoryLog())(QUERIES)


def test_stopping_carries_the_answers_from_the_log_as_well() -> None:
    def labeler(queries: Sequence[Query]) -> list[str]:
        raise LabelerStopped({"c": "spam"}, "enough")

    log = MemoryLog(b="ham")

    with pytest.raises(LabelerStopped, match="enough") as stopped:
        logged(labeler, log)(QUERIES)
    assert stopped.value.answers == {"b": "ham", "c": "spam"}
    assert log.answers == {"b": "ham", "c": "spam"}


def test_a_skip_is_told_once_and_asked_for_after_that() -> None:
    inner, log = Remembering("ham"), MemoryLog(a=SKIP, b="spam")
    labeler = logged(inner, log)

    assert labeler(QUERIES[:2]) == {"a": SKIP, "b": "spam"}
    assert inner.asked == []
    assert labeler(QUERIES[:2]) == {"a": "ham", "b": "spam"}
    assert inner.asked == ["a"]


def test_a_skip_given_just_now_is_asked_for_when_wanted_again() -> None:
    inner, log = Remembering(SKIP), MemoryLog()
    labeler = logged(inner, log)
    labeler(QUERIES[:1])
    inner.answer = "ham"

    assert labeler(QUERIES[:1]) == {"a": "ham"}


@pytest.mark.parametrize("answer", [None, 0.5, "eggs", 1, True, ["spam"]])
def test_an_answer_that_the_loop_will_refuse_is_passed_on_but_not_saved(answer: Any) -> None:
    log = MemoryLog()

    assert logged(lambda queries: ["spam", answer], log)(QUERIES[:2]) == {"a": "spam", "b": answer}
    assert log.answers == {"a": "spam"}


def test_an_answer_of_another_type_than_open_classes_is_not_saved() -> None:
    log = MemoryLog()
    queries = [Query("a", "", "t", (1, 2)), Query("b", "", "t", (1, 2)), Query("c", "", "t")]
    logged(lambda queries: ["3", 3, "anything"], log)(queries)

    assert log.answers == {"b": 3, "c": "anything"}


def test_a_logged_answer_that_no_longer_fits_is_asked_again() -> None:
    inner, log = Remembering(), MemoryLog(a="eggs")

    assert logged(inner, log)(QUERIES[:1]) == {"a": "spam"}
    assert inner.asked == ["a"]


def test_a_breach_of_contract_comes_through() -> None:
    collected = collect(logged(lambda queries: None, MemoryLog(a="spam")), QUERIES)

    assert collected.answers == {"a": "spam"}
    assert isinstance(collected.error, LabelerError)


def test_a_log_that_cannot_be_written_ends_the_asking_and_loses_nothing_in_hand() -> None:
    class Full(MemoryLog):
        def append(self, *args: Any, **kwargs: Any) -> None:
            raise LogError("disk full")

    collected = collect(logged(each(lambda query: "spam"), Full(b="ham")), QUERIES)

    assert collected.answers == {"b": "ham", "a": "spam"}
    assert isinstance(collected.error, LogError)


def test_listeners_hear_answers_from_the_log_and_new_ones() -> None:
    heard = []
    labeler = logged(Remembering(), MemoryLog(b="ham"))
    collect(labeler, QUERIES[:2], on_answer=lambda query, answer: heard.append((query.id, answer)))

    assert heard == [("b", "ham"), ("a", "spam")]


def test_a_listener_that_fails_on_a_logged_answer_ends_the_call() -> None:
    def listener(query: Query, answer: Any) -> None:
        raise OSError("elsewhere full")

    inner = Remembering()
    collected = collect(logged(inner, MemoryLog(b="ham")), QUERIES, on_answer=listener)

    assert collected.answers == {"b": "ham"}
    assert isinstance(collected.error, OSError)
    assert inner.asked == []


def test_two_logs_may_stand_one_behind_the_other() -> None:
    inner, near, far = Remembering(), MemoryLog(a="ham"), MemoryLog(b="ham")
    logged(logged(inner, far), near)(QUERIES[:3])

    assert near.answers == {"a": "ham", "b": "ham", "c": "spam"}
    assert far.answers == {"b": "ham", "c": "spam"}


def test_a_panel_is_logged_as_it_decides() -> None:
    log = MemoryLog()
    panel = PanelLabeler({"Ann": each(lambda query: "spam"), "Ben": each(lambda query: "spam")}, name="both")
    logged(panel, log)(QUERIES[:1])

    assert log.rows == [("a", "spam", "both", None)]


def person(keys: str, seconds: float = 2.0) -> TerminalLabeler:
    """Somebody who presses these keys, one every `seconds`."""
    pressed = iter(keys)
    ticks = iter(range(1_000))
    return TerminalLabeler(
        console=Console(file=io.StringIO(), width=80, height=24),
        read_key=lambda: next(pressed, "q"),
        clock=lambda: seconds * next(ticks),
        name="Ann",
    )


def test_every_key_in_the_terminal_is_saved_at_once_and_undone_at_once() -> None:
    log = MemoryLog()
    heard: list[str] = []

    def on_undo(query: Query) -> None:
        heard.append(query.id)

    collected = collect(logged(person("12u1sq"), log), QUERIES, on_undo=on_undo)

    assert log.rows == [
        ("a", "spam", "Ann", 2.0),
        ("b", "ham", "Ann", 2.0),
        ("b", "undo"),
        ("b", "spam", "Ann", 2.0),
        ("c", SKIP, "Ann", 2.0),
    ]
    assert collected.answers == {"a": "spam", "b": "spam", "c": SKIP}
    assert isinstance(collected.error, LabelerStopped)
    assert heard == ["b"]


def test_an_undo_without_a_listener_reaches_the_log() -> None:
    log = MemoryLog()
    logged(person("1u22"), log)(QUERIES[:2])

    assert log.answers == {"a": "ham", "b": "ham"}


def test_a_session_that_was_quit_is_resumed_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    with LabelLog.open(path) as log, pytest.raises(LabelerStopped):
        logged(person("12"), log)(QUERIES)
    with LabelLog.open(path) as log:
        answers = logged(person("21"), log)(QUERIES)

    assert answers == {"a": "spam", "b": "ham", "c": "ham", "d": "spam"}


def test_taking_back_what_was_not_saved_is_fine() -> None:
    class Fickle(TerminalLabeler):
        def collect(
            self, queries: Sequence[Query], *, on_answer: Any = None, on_undo: Any = None
        ) -> Collected:
            on_answer(queries[0], None)
            on_undo(queries[0])
            return Collected({})

    log = MemoryLog()

    assert logged(Fickle(), log)(QUERIES[:1]) == {}
    assert log.rows == []


def test_a_second_query_is_never_answered_with_the_first_answer() -> None:
    second = [Query("a", "text a", "second/a", ("spam", "ham"), open_classes=False, second=True)]
    inner, log = Remembering("ham"), MemoryLog(a="spam")
    labeler = logged(inner, log)

    assert labeler(second) == {"a": "ham"}
    assert inner.asked == ["a"]
    assert log.answers["a"] == "spam"  # the first answer stays
    assert labeler(second) == {"a": "ham"}  # from the log now
    assert inner.asked == ["a"]
    assert labeler(QUERIES[:1]) == {"a": "spam"}


def test_a_second_skip_is_told_once_whatever_became_of_the_first() -> None:
    second = [Query("a", "text a", "second/a", ("spam", "ham"), open_classes=False, second=True)]
    inner, log = Remembering(SKIP), MemoryLog(a=SKIP)
    labeler = logged(inner, log)

    assert labeler(QUERIES[:1]) == {"a": SKIP}
    assert inner.asked == []
    assert labeler(second) == {"a": SKIP}
    assert inner.asked == ["a"]
