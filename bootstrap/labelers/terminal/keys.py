"""Single key presses from a terminal: bytes in, names of keys out.

On POSIX the terminal is put into cbreak mode, where Ctrl-C still interrupts and Ctrl-Z still
suspends; on Windows the console is asked key by key. What was typed before the batch was on the screen
is thrown away: it can't have been meant for an item that nobody had seen.
"""

from __future__ import annotations

import codecs
import contextlib
import importlib
import os
import re
import select
from collections.abc import Callable, Iterator
from typing import TextIO

__all__ = ["KEY_NAMES", "decode", "key_presses", "windows_reader"]

#: Characters that are keys with a name; "" is the end of the input.
KEY_NAMES = {
    "": "eof",
    "\r": "enter",
    "\n": "enter",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x1b": "escape",
    "\x15": "escape",  # Ctrl-U clears the line, as in a shell
    "\x03": "ctrl-c",
    "\x04": "ctrl-d",
    "\x1a": "ctrl-d",  # Ctrl-Z ends the input on Windows; elsewhere it suspends and never gets here
    "\t": "down",
}

_SEQUENCE_NAMES = {
    "\x1b[A": "up",
    "\x1b[B": "down",
    "\x1bOA": "up",
    "\x1bOB": "down",
    "\x1b[5~": "pageup",
    "\x1b[6~": "pagedown",
}
_WINDOWS_NAMES = {"H": "up", "P": "down", "I": "pageup", "Q": "pagedown"}
_KEY = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO.|\x1b[^\x1b]|.", re.DOTALL)
_ESCAPE_WAIT = 0.05  # seconds: a slow line may deliver an arrow key in two pieces


def decode(text: str) -> list[str]:
    """Split what a terminal sent into keys: single characters and names such as "up".

    Keys that have no meaning here (function keys, Alt with a letter) are left out.
    """
    keys = []
    for press in _KEY.findall(text):
        if len(press) == 1:
            keys.append(KEY_NAMES.get(press, press))
        elif press in _SEQUENCE_NAMES:
            keys.append(_SEQUENCE_NAMES[press])
    return keys


@contextlib.contextmanager
def key_presses(stdin: TextIO) -> Iterator[Callable[[], str]]:
    """Read single keys from a terminal inside a `with`; afterwards it is as it was.

    Parameters
    ----------
    stdin : text file
        A terminal.

    Yields
    ------
    callable
        Waits for a key and returns it; "eof" when the terminal is gone.
    """
    try:
        termios, tty = importlib.import_module("termios"), importlib.import_module("tty")
    except ImportError:
        console = importlib.import_module("msvcrt")
        yield windows_reader(console.getwch, console.kbhit)
        return
    fd = stdin.fileno()
    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd, termios.TCSAFLUSH)
        yield _posix_reader(fd)
    finally:
        with contextlib.suppress(termios.error):  # the terminal may be gone
            termios.tcsetattr(fd, termios.TCSAFLUSH, before)  # keys typed too late are not the shell's


def _posix_reader(fd: int) -> Callable[[], str]:
    """Return a function that waits for the next key on the terminal `fd`."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    waiting: list[str] = []

    def read() -> bytes:
        try:
            return os.read(fd, 1024)
        except OSError:  # the terminal was closed
            return b""

    def read_key() -> str:
        while not waiting:
            sent = read()
            if not sent:
                return "eof"
            if sent.endswith(b"\x1b") and select.select([fd], [], [], _ESCAPE_WAIT)[0]:
                sent += read()
            waiting.extend(decode(decoder.decode(sent)))
        return waiting.pop(0)

    return read_key


def windows_reader(getwch: Callable[[], str], kbhit: Callable[[], bool]) -> Callable[[], str]:
    """Return a function that waits for the next key of a Windows console.

    Parameters
    ----------
    getwch, kbhit : callable
        Those of `msvcrt`: the next character, and whether one is waiting. Special keys come as a
        prefix and a letter at once; the prefix alone is the letter "\u00e0".
    """

    def read_key() -> str:
        while True:
            press = getwch()
            if press not in ("\x00", "\xe0") or not kbhit():
                return KEY_NAMES.get(press, press)
            name = _WINDOWS_NAMES.get(getwch())
            if name is not None:
                return name

    return read_key
