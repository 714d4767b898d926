"""`collect`: whatever a labeler returns, yields or raises, what was answered is kept."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.classes import plain_answer
from bootstrap.errors import InvalidInput, LabelerError, LabelerStopped
from bootstrap.labelers.callback import Collected, CollectingLabeler, collect, each
from bootstrap.records import SKIP, Query

QUERIES = [Query(id, f"text {id}", f"token {id}", ("spam", "ham")) for id in "abc"]
ALL = {"a": "spam", "b": "ham", "c": SKIP}


def returning(value: Any) -> Callable[[Sequence[Query]], Any]:
    return lambda queries: value


def yielding(answers: Sequence[Any], then: BaseException | None = None) -> Callable[[Sequence[Query]], Any]:
    def labeler(queries: Sequence[Query]) -> Iterator[Any]:
        yield from answers
        if then is not None:
            raise then

    return labeler


def breach(returned: Any) -> str:
    """What the error says about a labeler that kept nothing."""
    collected = collect(returning(returned), QUERIES)
    assert collected.answers == {}
    assert isinstance(collected.error, LabelerError)
    return str(collected.error)


class LazyAnswers(Sequence[str]):
    """A sequence of known length whose last answer can't be read."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, place: Any) -> Any:
        if place == 2:
            raise OSError("the third answer is on another disk")
        return "spam"


@pytest.mark.parametrize(
    "answers",
    [
        ["spam", "ham", SKIP],
        ("spam", "ham", SKIP),
        np.array(["spam", "ham", SKIP], dtype=object),
        pd.Series(["spam", "ham", SKIP]),
        pd.Series(["spam", "ham", SKIP], index=[7, 8, 9]),
        {"1": "spam", "2": "ham", "3": SKIP}.values(),
        iter(["spam", "ham", SKIP]),
        {"c": SKIP, "a": "spam", "b": "ham"},
        pd.Series([SKIP, "spam", "ham"], index=["c", "a", "b"]),
    ],
    ids=lambda answers: type(answers).__name__,
)
def test_one_answer_for_each_query_is_kept_whatever_holds_it(answers: Any) -> None:
    assert collect(returning(answers), QUERIES) == Collected(ALL, None)


def test_the_labeler_is_called_once_with_a_list_of_the_queries() -> None:
    calls = []

    def labeler(queries: Sequence[Query]) -> list[str]:
        calls.append(queries)
        return ["spam"] * len(queries)

    collect(labeler, (query for query in QUERIES))

    assert calls == [QUERIES]


def test_values_are_not_judged_here() -> None:
    assert collect(returning([None, 0.5, np.int64(3)]), QUERIES).answers == {"a": None, "b": 0.5, "c": 3}


def test_a_mapping_may_leave_queries_out() -> None:
    assert collect(returning({"b": "ham"}), QUERIES) == Collected({"b": "ham"}, None)


def test_a_mapping_with_unknown_ids_keeps_the_known_ones() -> None:
    collected = collect(returning({"b": "ham", "x": "spam", "y": "ham", "z": "spam", "w": "ham"}), QUERIES)

    assert collected.answers == {"b": "ham"}
    assert isinstance(collected.error, LabelerError)
    message = "4 ids that were not asked ('x', 'y', 'z', ...). For 3 queries, 1 answered by id kept."
    assert message in str(collected.error)


def test_a_series_indexed_by_ids_that_repeats_one_is_refused() -> None:
    assert "repeats ids" in breach(pd.Series(["spam", "ham", "ham"], index=["a", "a", "b"]))


def test_returning_none_says_that_a_return_may_be_missing() -> None:
    message = breach(None)

    assert message.startswith("The labeler returned None for 3 queries. Return a list with one answer")
    assert "is a `return` missing?" in message


@pytest.mark.parametrize(
    "value", ["spam", b"spam", 3, True, SKIP, np.int64(3), np.str_("spam"), np.array("spam")]
)
def test_returning_a_single_value_points_to_each(value: Any) -> None:
    message = breach(value)

    assert "a single value" in message
    assert type(value).__name__ in message
    assert "each(function)" in message


@pytest.mark.parametrize(
    "value", [np.array([["spam"], ["ham"], ["ham"]]), pd.DataFrame({"label": ["spam"] * 3})]
)
def test_returning_a_table_is_refused(value: Any) -> None:
    assert f"a {type(value).__name__} of 2 dimensions" in breach(value)


def test_returning_a_set_is_refused_because_it_has_no_order() -> None:
    assert "a set has no order" in breach({"spam", "ham", "eggs"})


@pytest.mark.parametrize(
    ("answers", "n"), [([], "0 answers"), (["spam"], "1 answer"), (["spam"] * 4, "4 answers")]
)
def test_a_list_of_the_wrong_length_keeps_nothing(answers: list[str], n: str) -> None:
    assert f"returned {n} for 3 queries; which is whose can't be told" in breach(answers)


def test_the_message_names_the_labeler() -> None:
    collected = collect(each(lambda query: query.item, name="Ann"), [])
    assert collected == Collected({}, None)

    class Named:
        name = "Ann"

        def __call__(self, queries: Sequence[Query], /) -> Any:
            return None

    assert str(collect(Named(), QUERIES[:1]).error).startswith("Labeler 'Ann' returned None for 1 query.")


def test_a_generator_that_ends_early_keeps_what_it_yielded() -> None:
    collected = collect(yielding(["spam", "ham"]), QUERIES)

    assert collected.answers == {"a": "spam", "b": "ham"}
    assert isinstance(collected.error, LabelerError)
    assert "yielded 2 answers for 3 queries and ended" in str(collected.error)


def test_a_generator_that_never_ends_is_left_after_one_answer_too_many() -> None:
    def labeler(queries: Sequence[Query]) -> Iterator[str]:
        while True:
            yield "spam"

    collected = collect(labeler, QUERIES)

    assert collected.answers == dict.fromkeys("abc", "spam")
    assert isinstance(collected.error, LabelerError)
    assert "more than one answer for each of 3 queries" in str(collected.error)


@pytest.mark.parametrize(
    "error", [ValueError("broken"), KeyboardInterrupt(), SystemExit(3), LabelerStopped()]
)
def test_what_was_yielded_before_an_exception_is_kept(error: BaseException) -> None:
    collected = collect(yielding(["spam", "ham"], error), QUERIES)

    assert collected.answers == {"a": "spam", "b": "ham"}
    assert collected.error is error


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
def test_a_labeler_that_raises_at_once_answered_nothing(error: BaseException) -> None:
    def labeler(queries: Sequence[Query]) -> list[str]:
        raise error

    assert collect(labeler, QUERIES) == Collected({}, error)


def test_a_sequence_that_fails_halfway_keeps_what_could_be_read() -> None:
    collected = collect(returning(LazyAnswers()), QUERIES)

    assert collected.answers == {"a": "spam", "b": "spam"}
    assert isinstance(collected.error, OSError)


def test_a_labeler_that_stops_hands_over_its_answers() -> None:
    def labeler(queries: Sequence[Query]) -> list[str]:
        raise LabelerStopped({"c": "ham"}, "enough")

    collected = collect(labeler, QUERIES)

    assert collected.answers == {"c": "ham"}
    assert isinstance(collected.error, LabelerStopped)
    assert collected.error.reason == "enough"


def test_a_generator_that_stops_keeps_both_what_it_yielded_and_what_it_carries() -> None:
    seen = []
    stop = LabelerStopped({"a": "spam", "c": "ham"})
    collected = collect(
        yielding(["spam"], stop), QUERIES, on_answer=lambda query, answer: seen.append((query.id, answer))
    )

    assert collected.answers == {"a": "spam", "c": "ham"}
    assert collected.error is stop
    assert seen == [("a", "spam"), ("c", "ham")]


def test_stopping_with_unknown_ids_is_a_breach_that_keeps_the_known_ones() -> None:
    def labeler(queries: Sequence[Query]) -> list[str]:
        raise LabelerStopped({"a": "spam", "x": "ham"})

    collected = collect(labeler, QUERIES)

    assert collected.answers == {"a": "spam"}
    assert isinstance(collected.error, LabelerError)
    assert isinstance(collected.error.__context__, LabelerStopped)


def test_answers_are_reported_as_they_are_yielded() -> None:
    events: list[str] = []

    def labeler(queries: Sequence[Query]) -> Iterator[str]:
        for query in queries:
            events.append(f"asked {query.id}")
            yield "spam"

    collect(labeler, QUERIES, on_answer=lambda query, answer: events.append(f"told {query.id}"))

    assert events == ["asked a", "told a", "asked b", "told b", "asked c", "told c"]


def test_a_listener_that_fails_ends_the_call_and_loses_no_answer_in_hand() -> None:
    def listener(query: Query, answer: Any) -> None:
        raise OSError("disk full")

    from_list = collect(returning(["spam", "ham", SKIP]), QUERIES, on_answer=listener)
    from_generator = collect(yielding(["spam", "ham", SKIP]), QUERIES, on_answer=listener)

    assert from_list.answers == ALL
    assert from_generator.answers == {"a": "spam"}
    assert isinstance(from_list.error, OSError)
    assert isinstance(from_generator.error, OSError)


@given(
    n_yielded=st.integers(0, 6),
    error=st.sampled_from([None, ValueError(), KeyboardInterrupt(), LabelerStopped()]),
)
def test_any_generator_keeps_exactly_the_answers_it_yielded_in_order(
    n_yielded: int, error: BaseException | None
) -> None:
    answers = [f"answer {i}" for i in range(n_yielded)]
    collected = collect(yielding(answers, error), QUERIES)

    assert list(collected.answers.values()) == answers[:3]
    assert list(collected.answers) == ["a", "b", "c"][:n_yielded]
    assert (collected.error is None) == (n_yielded == 3 and error is None)


class Halfway(CollectingLabeler):
    """Answers the first query and fails."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error

    def collect(self, queries: Sequence[Query], *, on_answer: Any = None, on_undo: Any = None) -> Collected:
        on_answer(queries[0], "ham") if on_answer else None
        on_undo(queries[0]) if on_undo else None
        return Collected({"a": "spam"}, self.error)


def test_a_collecting_labeler_hands_over_answers_and_error_together() -> None:
    error = ValueError("broken")
    heard: list[Any] = []
    collected = collect(
        Halfway(error),
        QUERIES,
        on_answer=lambda query, answer: heard.append(answer),
        on_undo=lambda query: heard.append("undone"),
    )

    assert collected == Collected({"a": "spam"}, error)
    assert heard == ["ham", "undone"]


def test_a_collecting_labeler_is_a_plain_labeler_too() -> None:
    assert Halfway(None)(QUERIES) == {"a": "spam"}
    with pytest.raises(ValueError, match="broken"):
        Halfway(ValueError("broken"))(QUERIES)
    with pytest.raises(LabelerStopped) as stopped:
        Halfway(LabelerStopped(reason="enough"))(QUERIES)
    assert stopped.value.answers == {"a": "spam"}
    assert stopped.value.reason == "enough"


def test_each_asks_one_query_at_a_time_and_loses_nothing_when_it_raises() -> None:
    def ask_me(query: Query) -> str:
        if query.id == "c":
            raise KeyboardInterrupt
        return "spam"

    labeler = each(ask_me)
    collected = collect(labeler, QUERIES)

    assert collected.answers == {"a": "spam", "b": "spam"}
    assert isinstance(collected.error, KeyboardInterrupt)


def test_each_is_named_after_the_function_unless_told_otherwise() -> None:
    def ask_me(query: Query) -> str:
        return "spam"

    assert each(ask_me).name == "ask_me"  # type: ignore[attr-defined]
    assert each(ask_me, name="Ann").name == "Ann"  # type: ignore[attr-defined]
    assert each(lambda query: "spam").name is None  # type: ignore[attr-defined]
    assert "ask_me" in repr(each(ask_me))


def test_each_refuses_what_cannot_be_called() -> None:
    with pytest.raises(InvalidInput, match="can't be called"):
        each({"a": "spam"})  # type: ignore[arg-type]


class Colour(enum.StrEnum):
    RED = "red"


class Shade(str, enum.Enum):  # noqa: UP042  its str() is "Shade.DARK"
    DARK = "dark"


class Level(enum.IntEnum):
    HIGH = 2


@pytest.mark.parametrize(
    ("answer", "plain"),
    [
        ("spam", "spam"),
        (3, 3),
        (True, True),
        (SKIP, SKIP),
        (np.str_("spam"), "spam"),
        (np.int8(3), 3),
        (np.bool_(False), False),
        (2.0, 2),
        (np.float32(2.0), 2),
        (Colour.RED, "red"),
        (Shade.DARK, "dark"),
        (Level.HIGH, 2),
    ],
)
def test_an_answer_becomes_a_plain_class(answer: Any, plain: Any) -> None:
    found = plain_answer(answer)

    assert found == plain
    assert type(found) is type(plain)


@pytest.mark.parametrize("answer", [None, 0.5, float("nan"), float("inf"), ["spam"], {}, b"spam", "", " "])
def test_what_cannot_be_a_label_is_refused(answer: Any) -> None:
    with pytest.raises(InvalidInput, match="is not a label"):
        plain_answer(answer)


def test_a_mapping_of_ones_own_is_read_by_id() -> None:
    class Own(Mapping[str, str]):
        def __getitem__(self, key: str) -> str:
            return f"answer {key}"

        def __iter__(self) -> Iterator[str]:
            return iter(["c"])

        def __len__(self) -> int:
            return 1

    assert collect(returning(Own()), QUERIES) == Collected({"c": "answer c"}, None)
