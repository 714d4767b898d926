"""A labeler at a desk: what is stored when, what ends a run, what is handed back."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import update

from bootstrap.errors import AnswersRejected, InvalidInput, LabelerStopped
from bootstrap.labelers import TerminalLabeler
from bootstrap.labelers.callback import Collected, CollectingLabeler, each
from bootstrap.store.database import Database
from bootstrap.store.desks.desk import Desk
from bootstrap.store.desks.reviewers import remove_reviewer
from bootstrap.store.schema import (
    loops,
)


def test_a_labeler_answers_all_that_waits(database, publish, written):
    publish(database, 5)
    publish(database, 2, loop="urgency")
    anna = Desk(database, "anna")
    assert anna.run(lambda queries: {query.id: "a" for query in queries}, n=3, wait=False) == 7
    assert len(written.labels(database)) == 7
    assert anna.run(lambda queries: ["a"] * len(queries), wait=False) == 0


def test_each_answer_is_stored_as_it_is_given(database, publish, written):
    publish(database, 3)
    seen = []

    def answer(query):
        seen.append(len(written.labels(database)))
        if query.id == "i2":
            raise ValueError("a typo")
        return "a"

    anna = Desk(database, "anna")
    with pytest.raises(ValueError, match="a typo"):
        anna.run(each(answer), n=3)
    assert seen == [0, 1, 2]
    assert [claim.id for claim in Desk(database, "bert").claim(3)] == ["i2"]


def test_a_labeler_that_stops_ends_the_run_and_hands_back_the_rest(database, publish, written):
    publish(database, 3)

    def stop(queries):
        raise LabelerStopped({queries[0].id: "b"})

    assert Desk(database, "anna").run(stop, n=2) == 1
    assert written.standing(database) == {0: "b"}
    assert len(Desk(database, "bert").claim(3)) == 2


def test_an_answer_that_is_none_of_the_classes_ends_the_run(database, publish, written):
    publish(database, 2)
    with pytest.raises(AnswersRejected, match="not one of"):
        Desk(database, "anna").run(lambda queries: ["a", "typo"], n=2)
    assert written.standing(database) == {0: "a"}
    assert len(Desk(database, "bert").claim(3)) == 1


def test_a_run_ends_after_so_many_answers_or_when_it_is_told_to(database, publish, written):
    publish(database, 6)
    anna = Desk(database, "anna")
    assert anna.run(lambda queries: ["a"] * len(queries), n=2, limit=3) == 3
    assert anna.run(lambda queries: ["a"], until=lambda: len(written.labels(database)) == 5) == 2


def test_a_run_waits_for_more(storage, publish):
    database = Database(storage)
    publish(database, 1)
    later = threading.Timer(0.15, lambda: publish(database, 1, first=1))
    later.start()
    assert Desk(database, "anna").run(lambda queries: ["a"], limit=2, poll_seconds=(0.02, 0.04)) == 2
    later.join()
    database.close()


def test_a_labeler_that_leaves_a_query_out_is_not_asked_again_without_a_pause(database, publish):
    publish(database, 1)
    asked = []

    def nothing(queries):
        asked.append(time.monotonic())
        return {} if len(asked) < 4 else {"i0": "a"}

    desk = Desk(database, "anna")
    assert desk.run(nothing, wait=False) == 0
    assert desk.run(nothing, limit=1, poll_seconds=(0.05, 0.05)) == 1
    assert asked[3] - asked[1] >= 0.1


def test_a_lease_is_not_lost_while_a_person_is_at_it(database, publish):
    publish(database, 1)
    bert = Desk(database, "bert")

    def slowly(queries):
        for _ in range(4):
            time.sleep(0.2)
            assert bert.claim() == []
        return ["a"]

    assert Desk(database, "anna", lease_seconds=0.6).run(slowly, limit=1) == 1


def test_a_lease_that_can_not_be_renewed_disturbs_nobody(database, publish, written):
    publish(database, 1)
    removed = []

    def slowly(queries):
        removed.append(remove_reviewer(database, "anna"))
        time.sleep(0.2)
        return ["a"]

    assert Desk(database, "anna", lease_seconds=0.1).run(slowly, limit=1) == 1
    assert removed == [1]
    assert written.standing(database) == {0: "a"}


def test_what_a_round_has_used_is_not_taken_back_and_the_run_goes_on(database, publish, written):
    publish(database, 2)

    class Screen(CollectingLabeler):
        def collect(self, queries, *, on_answer=None, on_undo=None):
            on_answer(queries[0], "a")
            with database.writing() as connection:
                connection.execute(update(loops).values(taken_up_to=1))
            on_undo(queries[0])
            on_answer(queries[0], "b")
            on_answer(queries[1], "a")
            return Collected({}, LabelerStopped())

    assert Desk(database, "anna").run(Screen()) == 2
    assert written.standing(database) == {0: "a", 1: "a"}
    assert written.labels(database)[1][:4] == (0, "b", "anna", True)


def test_an_answer_that_is_taken_back_at_the_screen_is_undone(database, publish, written):
    publish(database, 2)

    class Screen(CollectingLabeler):
        def collect(self, queries, *, on_answer=None, on_undo=None):
            on_answer(queries[0], "a")
            on_answer(queries[1], "a")
            on_undo(queries[0])
            return Collected({queries[1].id: "a"}, LabelerStopped())

    assert Desk(database, "anna").run(Screen()) == 1
    assert written.standing(database) == {1: "a"}


@pytest.mark.parametrize("wrong", [{"poll_seconds": (0, 1)}, {"poll_seconds": (2, 1)}, {"limit": -1}])
def test_a_run_refuses_what_makes_no_sense(database, wrong):
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        Desk(database, "anna").run(lambda queries: [], **wrong)


@pytest.mark.parametrize(
    ("labeler", "said"),
    [
        ("x", "TerminalLabeler.. for a person here; got 'x', which can't be called"),
        (None, "a function on a list of queries that returns their answers"),
        (TerminalLabeler, "got the class TerminalLabeler itself: make one of it first"),
    ],
)
def test_what_is_no_labeler_is_refused_before_anything_is_handed_out(database, publish, labeler, said):
    publish(database, 1)
    with pytest.raises(InvalidInput, match=said):
        Desk(database, "anna").run(labeler)
    assert len(Desk(database, "bert").claim(1)) == 1


def a_person(keys: str) -> TerminalLabeler:
    """Presses these keys, and Ctrl-C after the last."""
    pressed = iter(keys)

    def read_key() -> str:
        key = next(pressed, None)
        if key is None:
            raise KeyboardInterrupt
        return key

    return TerminalLabeler(console=Console(file=io.StringIO(), width=100), read_key=read_key)


def told(person: TerminalLabeler) -> int:
    assert person._console is not None
    assert isinstance(person._console.file, io.StringIO)
    return person._console.file.getvalue().count(
        "Nothing waits for an answer; more will be shown as it comes"
    )


def interrupting(monkeypatch: pytest.MonkeyPatch, *before: Callable[[], Any]) -> None:
    """Time in which nothing waits goes by at once, and brings these, and then a Ctrl-C."""
    events = iter(before)

    def sleep(seconds: float) -> None:
        event = next(events, None)
        if event is None:
            raise KeyboardInterrupt
        event()

    monkeypatch.setattr("bootstrap.store.desks.attending.time.sleep", sleep)


def test_a_person_who_waits_is_told_so_and_ends_it_with_ctrl_c(database, publish, monkeypatch):
    person = a_person("11")
    publish(database, 1)
    nothing: Callable[[], Any] = lambda: None  # noqa: E731
    interrupting(monkeypatch, nothing, nothing, lambda: publish(database, 1, first=1), nothing)
    assert Desk(database, "anna").run(person) == 2
    assert told(person) == 2  # once for each time in which nothing waited


def test_ctrl_c_at_an_item_ends_the_run_and_hands_back_what_is_held(database, publish):
    publish(database, 3)
    assert Desk(database, "anna").run(a_person("1")) == 1
    assert len(Desk(database, "bert").claim(3)) == 2


def test_ctrl_c_is_the_programs_own_affair_where_nobody_sits_at_the_keyboard(database, publish, monkeypatch):
    interrupting(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        Desk(database, "anna").run(lambda queries: ["a"] * len(queries))

    class Screen(CollectingLabeler):
        def collect(self, queries, *, on_answer=None, on_undo=None):
            return Collected({}, KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        Desk(database, "anna").run(Screen())
    publish(database, 1)
    with pytest.raises(KeyboardInterrupt):
        Desk(database, "anna").run(Screen())
    assert len(Desk(database, "bert").claim(1)) == 1


def test_a_person_who_leaves_an_item_out_is_not_told_that_nothing_waits(database, publish, monkeypatch):
    class Absent(TerminalLabeler):
        def collect(self, queries, *, on_answer=None, on_undo=None):
            return Collected({})

    person = Absent(console=Console(file=io.StringIO()))
    publish(database, 1)
    interrupting(monkeypatch)
    assert Desk(database, "anna").run(person) == 0
    assert told(person) == 0
