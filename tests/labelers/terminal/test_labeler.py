"""The terminal labeler: what it returns and raises, by injected keys, by lines, and on a real terminal."""

from __future__ import annotations

import io
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bootstrap.errors import InvalidInput, LabelerError, LabelerStopped
from bootstrap.labelers import TerminalLabeler
from bootstrap.labelers.callback import collect
from bootstrap.records import SKIP, Query

QUERIES = [Query(f"q{i}", f"text {i}", f"t{i}", ("spam", "ham")) for i in range(1, 4)]


def keys(*pressed: str | BaseException) -> Callable[[], str]:
    """A keyboard: "12" is two keys; an exception is raised instead of a key."""
    single = iter([key for given in pressed for key in (given if isinstance(given, str) else [given])])

    def read_key() -> str:
        key = next(single, "")
        if isinstance(key, BaseException):
            raise key
        return key

    return read_key


def a_person(*pressed: str | BaseException, **options: Any) -> TerminalLabeler:
    console = Console(file=io.StringIO(), width=80, height=24)
    return TerminalLabeler(console=console, read_key=keys(*pressed), **options)


def screen_of(person: TerminalLabeler) -> str:
    assert person._console is not None
    assert isinstance(person._console.file, io.StringIO)
    return person._console.file.getvalue()


def test_a_whole_batch_returns_a_mapping() -> None:
    assert a_person("1s2")(QUERIES) == {"q1": "spam", "q2": SKIP, "q3": "ham"}


def test_no_queries_need_no_terminal() -> None:
    assert TerminalLabeler()([]) == {}


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ("q", "quit in the terminal (q)"),
        ("\x03", "interrupted (Ctrl-C)"),
        (KeyboardInterrupt(), "interrupted (Ctrl-C)"),
        ("\x04", "quit in the terminal (Ctrl-D)"),
    ],
)
def test_stopping_raises_with_the_answers_so_far(last: str | BaseException, reason: str) -> None:
    with pytest.raises(LabelerStopped) as stopped:
        a_person("12", last)(QUERIES)

    assert stopped.value.reason == reason
    assert stopped.value.answers == {"q1": "spam", "q2": "ham"}


def test_answers_and_undos_are_reported_at_once() -> None:
    heard: list[Any] = []
    person = a_person(
        "1u2",
        "q",
        on_answer=lambda query, answer: heard.append((query.id, answer)),
        on_undo=lambda query: heard.append(query.id),
    )
    collected = collect(
        person,
        QUERIES,
        on_answer=lambda query, answer: heard.append(f"also {answer}"),
        on_undo=lambda query: heard.append("also undone"),
    )

    assert heard == [("q1", "spam"), "also spam", "q1", "also undone", ("q1", "ham"), "also ham"]
    assert collected.answers == {"q1": "ham"}


def test_a_listener_that_fails_keeps_the_answer_it_was_told() -> None:
    def listener(query: Query, answer: Any) -> None:
        raise OSError("disk full")

    collected = collect(a_person("1", on_answer=listener), QUERIES)

    assert collected.answers == {"q1": "spam"}
    assert isinstance(collected.error, OSError)
    with pytest.raises(OSError, match="disk full"):
        a_person("1", on_answer=listener)(QUERIES)


def test_how_long_the_person_looked_is_known_and_the_pace_goes_on() -> None:
    now = iter(range(0, 1_000, 5))
    person = a_person("1111", clock=lambda: float(next(now)))
    assert person.last_seconds is None
    person(QUERIES[:2])
    assert person.last_seconds == 5.0
    person(QUERIES[2:])

    assert "1 of 1   your pace: 12.0 a minute, 5 s left" in screen_of(person)


def test_a_class_keeps_its_key_when_the_list_grows() -> None:
    person = a_person("+eggs\r", "3", "1", "2")
    later = [Query(f"later {i}", "text", f"l{i}", ("eggs", "ham", "spam")) for i in range(3)]

    assert person(QUERIES[:1]) == {"q1": "eggs"}
    assert person(later) == {"later 0": "eggs", "later 1": "spam", "later 2": "ham"}


def test_classes_of_another_task_are_not_offered() -> None:
    person = a_person("12", "1")
    person(QUERIES[:2])

    assert person([Query("q", "text", "t", ("yes", "ham"))]) == {"q": "ham"}
    assert "spam" not in screen_of(person).rpartition("1 of 1")[2]


def test_the_given_classes_come_first() -> None:
    assert a_person("1", classes=["ham", "spam"])(QUERIES[:1]) == {"q1": "ham"}


def test_nobody_is_shown_what_a_model_thinks_or_whether_it_is_an_audit() -> None:
    person = a_person("1")
    person(QUERIES[:1])

    assert screen_of(person).splitlines() == [
        "1 of 1",
        "",
        "text 1",
        "",
        "  1  spam",
        "  2  ham",
        "",
        "s or space skip   u undo   + new class   ? help   q quit",
    ]


def test_a_closed_empty_list_is_refused_before_anything_is_asked() -> None:
    collected = collect(a_person("1"), [*QUERIES, Query("q4", "text", "t", (), open_classes=False)])

    assert collected.answers == {}
    assert isinstance(collected.error, LabelerError)
    assert "to 'q4': its list of classes is closed and empty" in str(collected.error)


def test_a_closed_empty_list_is_filled_by_the_labelers_classes() -> None:
    query = Query("q4", "text", "t", (), open_classes=False)

    assert a_person("2", classes=["spam", "ham"])([query]) == {"q4": "ham"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": "spam"}, "classes is the string 'spam'"),
        ({"classes": ["spam", SKIP]}, "classes holds SKIP"),
        ({"classes": ["spam", None]}, "is not a label"),
        ({"guidelines": Path("guidelines.txt")}, r"guidelines is a \w*Path. Pass the text itself"),
    ],
)
def test_a_wrong_argument_is_refused_early(options: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        TerminalLabeler(**options)


# lines of input, where standard input is no terminal


def by_lines(lines: str, monkeypatch: pytest.MonkeyPatch, **options: Any) -> TerminalLabeler:
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    return TerminalLabeler(console=Console(file=io.StringIO(), width=80), **options)


def test_without_a_terminal_answers_are_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    person = by_lines("?\n1\nHam\nwhat\ns\n", monkeypatch, guidelines="Be kind.")

    assert person(QUERIES) == {"q1": "spam", "q2": "ham", "q3": SKIP}
    assert "Be kind." in screen_of(person)
    assert "'what' is no key and no class here." in screen_of(person)


def test_the_end_of_a_pipe_stops_and_keeps_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    person = by_lines("1\n", monkeypatch)
    with pytest.raises(LabelerStopped, match="the input ended") as stopped:
        person(QUERIES)

    assert stopped.value.answers == {"q1": "spam"}
    assert screen_of(person).endswith("> \n")


def test_without_any_input_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    person = TerminalLabeler(console=Console(file=io.StringIO(), width=80))

    with pytest.raises(LabelerStopped, match="the input ended") as stopped:
        person(QUERIES)
    assert stopped.value.answers == {}


def test_who_waits_is_told_once_until_there_is_something_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    person = a_person("1")
    person.wait(0.5)
    person([])
    person.wait(2.0)
    told_before = screen_of(person)
    person(QUERIES[:1])
    person.wait(1.0)

    sentence = "Nothing waits for an answer; more will be shown as it comes (Ctrl-C ends).\n"
    assert told_before == sentence
    assert screen_of(person).endswith(sentence)
    assert slept == [0.5, 2.0, 1.0]


def test_by_default_standard_output_is_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("2\n"))

    assert TerminalLabeler()(QUERIES[:1]) == {"q1": "ham"}
    assert "text 1" in capsys.readouterr().out


# a real terminal


class Typist:
    """Sits at the other end of a terminal: waits until a text is on the screen, then types."""

    def __init__(self) -> None:
        pty = pytest.importorskip("pty")
        self.keyboard, self.terminal = pty.openpty()
        self.seen = ""

    def __enter__(self) -> Typist:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self.keyboard)
        os.close(self.terminal)

    def wait_for(self, text: str) -> None:
        """Read the screen until `text` appears on it after what was waited for before."""
        unread, end = "", time.monotonic() + 30
        while text not in unread:
            assert time.monotonic() < end, f"{text!r} did not appear in {unread!r}"
            if select.select([self.keyboard], [], [], 0.1)[0]:
                unread += os.read(self.keyboard, 100_000).decode()
        self.seen += unread

    def play(self, script: list[tuple[str, str]]) -> None:
        """Wait for each text and type what belongs to it."""
        for text, typed in script:
            self.wait_for(text)
            os.write(self.keyboard, typed.encode())


@pytest.fixture
def typist(monkeypatch: pytest.MonkeyPatch) -> Iterator[Typist]:
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    with Typist() as someone:
        yield someone


def test_on_a_terminal_single_keys_answer_and_the_screen_comes_back(
    typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = [("text 1", "1"), ("text 2", "u"), ("text 1", "\x1b[A2"), ("text 2", "s")]
    fingers = threading.Thread(target=typist.play, args=(script,))
    with os.fdopen(os.dup(typist.terminal), "r") as stdin, os.fdopen(os.dup(typist.terminal), "w") as stdout:
        monkeypatch.setattr(sys, "stdin", stdin)
        person = TerminalLabeler(console=Console(file=stdout, width=60, height=20))
        fingers.start()
        answers = person(QUERIES[:2])
        fingers.join()
        typist.wait_for("\x1b[?1049l")

    assert answers == {"q1": "ham", "q2": SKIP}
    assert typist.seen.startswith("\x1b[?1049h")
    assert typist.seen.rindex("\x1b[?25h") > typist.seen.rindex("\x1b[?25l")


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(
    typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("builtins.input", lambda: "ham")
    with os.fdopen(os.dup(typist.terminal), "r") as stdin, os.fdopen(os.dup(typist.terminal), "w") as stdout:
        monkeypatch.setattr(sys, "stdin", stdin)
        answers = TerminalLabeler(console=Console(file=stdout, force_terminal=True))(QUERIES[:1])
        typist.wait_for("text 1")

    assert answers == {"q1": "ham"}
    assert "\x1b[?1049h" not in typist.seen


PERSON = """
import fcntl, json, signal, sys, termios
from pathlib import Path

fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C on this terminal interrupts this process
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
from bootstrap.errors import LabelerStopped
from bootstrap.labelers import TerminalLabeler
from bootstrap.records import SKIP, Query

queries = [Query(f"q{i}", f"text {i}", f"t{i}", ("spam", "ham")) for i in range(1, 5)]
before = termios.tcgetattr(0)
saved = Path(sys.argv[1])
known = dict(json.loads(line) for line in saved.read_text().splitlines()) if saved.exists() else {}
answers = {item_id: SKIP if answer is None else answer for item_id, answer in known.items()}


def save(query, answer):
    with saved.open("a") as file:
        file.write(json.dumps([query.id, None if answer is SKIP else answer]) + "\\n")


try:
    answers |= TerminalLabeler(on_answer=save)([query for query in queries if query.id not in answers])
    reason = "done"
except LabelerStopped as stop:
    answers, reason = answers | stop.answers, stop.reason
restored = termios.tcgetattr(0) == before
told = {item_id: None if answer is SKIP else answer for item_id, answer in answers.items()}
Path(sys.argv[2]).write_text(json.dumps({"answers": told, "reason": reason, "restored": restored}))
"""


def session_in_a_terminal(script: list[tuple[str, str]], folder: Path, repository: Path) -> Any:
    """Run a person's session in a process of its own; what the program had in the end."""
    result = folder / "result.json"
    with Typist() as typist:
        process = subprocess.Popen(
            [sys.executable, "-c", PERSON, str(folder / "answers.jsonl"), str(result)],
            stdin=typist.terminal,
            stdout=typist.terminal,
            stderr=typist.terminal,
            env={**os.environ, "PYTHONPATH": str(repository), "PYTHONIOENCODING": "utf-8"},
            start_new_session=True,
        )
        try:
            typist.play(script)
            typist.wait_for("\x1b[?1049l")
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
            process.wait()
    return json.loads(result.read_text())


@pytest.mark.usefixtures("typist")
def test_quit_ctrl_c_and_resume_in_a_real_terminal_lose_nothing(tmp_path: Path, repository: Path) -> None:
    quits = session_in_a_terminal([("text 1", "1"), ("text 2", "q")], tmp_path, repository)
    interrupts = session_in_a_terminal([("text 2", "2"), ("text 3", "\x03")], tmp_path, repository)
    finishes = session_in_a_terminal([("text 3", "s"), ("text 4", "1")], tmp_path, repository)

    assert quits == {"answers": {"q1": "spam"}, "reason": "quit in the terminal (q)", "restored": True}
    assert interrupts == {
        "answers": {"q1": "spam", "q2": "ham"},
        "reason": "interrupted (Ctrl-C)",
        "restored": True,
    }
    assert finishes == {
        "answers": {"q1": "spam", "q2": "ham", "q3": None, "q4": "spam"},
        "reason": "done",
        "restored": True,
    }
