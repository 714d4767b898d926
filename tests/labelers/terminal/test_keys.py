"""Keys from a terminal: what bytes mean, and that the terminal is left as it was."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import sys
import types
from collections.abc import Iterator
from typing import TextIO

import pytest

from bootstrap.labelers.terminal.keys import decode, key_presses, windows_reader

pty = pytest.importorskip("pty")
termios = pytest.importorskip("termios")


@pytest.fixture
def terminal() -> Iterator[tuple[int, TextIO]]:
    """A keyboard to write to and the terminal that it types on."""
    keyboard, screen = pty.openpty()
    with os.fdopen(screen, "r") as stdin:
        yield keyboard, stdin
        with contextlib.suppress(OSError):  # a test may have closed it
            os.close(keyboard)


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("1s ", ["1", "s", " "]),
        ("\r\n", ["enter", "enter"]),
        ("\x7f\x08", ["backspace", "backspace"]),
        ("\x1b[A\x1b[B\x1bOA\x1bOB", ["up", "down", "up", "down"]),
        ("\x1b[5~\x1b[6~", ["pageup", "pagedown"]),
        ("\x1b", ["escape"]),
        ("\x1b\x1b[A", ["escape", "up"]),
        ("\x1b[15~\x1b[1;5Cx", ["x"]),
        ("\x1b1", []),
        ("\x03\x04\x1a\x15\t", ["ctrl-c", "ctrl-d", "ctrl-d", "escape", "down"]),
        ("é漢🙂", ["é", "漢", "🙂"]),
        ("", []),
    ],
)
def test_what_a_terminal_sends_is_split_into_keys(sent: str, keys: list[str]) -> None:
    assert decode(sent) == keys


def test_keys_are_read_one_by_one_without_enter(terminal: tuple[int, TextIO]) -> None:
    keyboard, stdin = terminal
    with key_presses(stdin) as read_key:
        os.write(keyboard, "1é\x1b[A".encode())
        assert [read_key(), read_key(), read_key()] == ["1", "é", "up"]


def test_a_character_sent_in_two_pieces_is_one_key(
    terminal: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, stdin = terminal
    pieces = iter([b"\xc3", b"\xa9", b"\x1b", b"[B", b"\xff"])
    monkeypatch.setattr(os, "read", lambda fd, n: next(pieces))
    monkeypatch.setattr("select.select", lambda r, w, x, seconds: (r, w, x))
    with key_presses(stdin) as read_key:
        assert [read_key(), read_key(), read_key()] == ["é", "down", "\ufffd"]


def test_escape_alone_is_a_key(terminal: tuple[int, TextIO]) -> None:
    keyboard, stdin = terminal
    with key_presses(stdin) as read_key:
        os.write(keyboard, b"\x1b")
        assert read_key() == "escape"


def test_what_was_typed_before_is_thrown_away(terminal: tuple[int, TextIO]) -> None:
    keyboard, stdin = terminal
    os.write(keyboard, b"1111\n")
    assert select.select([stdin], [], [], 10)[0]  # a line typed is on its way until it can be read
    with key_presses(stdin) as read_key:
        os.write(keyboard, b"2")
        assert read_key() == "2"


def test_the_terminal_is_as_before_afterwards_even_after_an_error(terminal: tuple[int, TextIO]) -> None:
    _, stdin = terminal
    before = termios.tcgetattr(stdin.fileno())
    inside = before

    def fail() -> None:
        nonlocal inside
        with key_presses(stdin):
            inside = termios.tcgetattr(stdin.fileno())
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert not inside[3] & termios.ICANON
    assert not inside[3] & termios.ECHO
    assert inside[3] & termios.ISIG
    assert termios.tcgetattr(stdin.fileno()) == before


def test_a_closed_terminal_is_the_end_of_the_input(terminal: tuple[int, TextIO]) -> None:
    keyboard, stdin = terminal
    with key_presses(stdin) as read_key:
        os.close(keyboard)
        assert read_key() == "eof"


def test_a_terminal_that_cannot_be_read_is_the_end_of_the_input(
    terminal: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hung_up(fd: int, n: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "read", hung_up)
    with key_presses(terminal[1]) as read_key:
        assert read_key() == "eof"


def typing(characters: str, pending: bool) -> list[str]:
    """What the Windows reader makes of these characters."""
    sent = iter(characters)
    read_key = windows_reader(lambda: next(sent), lambda: pending)
    keys = []
    while True:
        try:
            keys.append(read_key())
        except StopIteration:
            return keys


def test_windows_keys_have_the_same_names() -> None:
    assert typing("1\r\x08\x1b\x03", pending=False) == ["1", "enter", "backspace", "escape", "ctrl-c"]
    assert typing("\xe0H\x00P\xe0I\xe0Q", pending=True) == ["up", "down", "pageup", "pagedown"]
    assert typing("\xe0S\x00;x", pending=True) == ["x"]
    assert typing("\xe0", pending=False) == ["à"]


def test_without_termios_the_windows_console_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    console = types.ModuleType("msvcrt")
    console.getwch = lambda: "\r"  # type: ignore[attr-defined]
    console.kbhit = lambda: False  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "termios", None)
    monkeypatch.setitem(sys.modules, "msvcrt", console)

    with key_presses(sys.stdin) as read_key:
        assert read_key() == "enter"
