"""One batch in the terminal as a state machine: keys in, what happened out, no input or output.

The terminal (:mod:`bootstrap.labelers.terminal`) feeds it key presses, or whole lines where single
keys can't be read, and draws its attributes. It moves through the queries in order, and back by undo,
so what is answered is always the first part of the batch.
"""

from __future__ import annotations

import enum
import re
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bootstrap.labelers.terminal.choices import called, kind_and_name, matching, once
from bootstrap.labelers.terminal.keys import KEY_NAMES
from bootstrap.records import SKIP, Class, Query, Skip

__all__ = ["INPUT_ENDED", "Answered", "Event", "Mode", "Pace", "Session", "Stopped", "Undone"]

#: Why a labeler stopped to whom nobody can say anything more.
INPUT_ENDED = "the input ended"

#: Up to this many classes each have a key of their own; beyond, typing narrows the list.
MOST_KEYS = 9
#: The pace is the median over this many latest answers, so that a break does not spoil it.
PACE_OVER = 20

_WHOLE = re.compile(r"[+-]?[0-9]+")
_STOPS = {
    "ctrl-c": "interrupted (Ctrl-C)",
    "ctrl-d": "quit in the terminal (Ctrl-D)",
    "eof": INPUT_ENDED,
}
_COMMANDS = {"s": "skip", "u": "undo", "q": "quit", "?": "help", "m": "more"}


class Mode(enum.Enum):
    """What the keys mean at present."""

    KEYS = "keys"  #: a digit is a class, a letter a command
    FILTER = "filter"  #: letters narrow the list of classes; commands begin with a colon
    NAMING = "naming"  #: letters spell the name of a new class


@dataclass(frozen=True, slots=True)
class Answered:
    """The person answered `query` with `answer`, after `seconds` of looking at it."""

    query: Query
    answer: Class | Skip
    seconds: float


@dataclass(frozen=True, slots=True)
class Undone:
    """The person took the answer to `query` back."""

    query: Query


@dataclass(frozen=True, slots=True)
class Stopped:
    """The person wants to stop, for `reason`."""

    reason: str


Event: TypeAlias = Answered | Undone | Stopped


@dataclass(frozen=True, slots=True)
class Pace:
    """The person's own pace.

    Attributes
    ----------
    per_minute : float
        Labels a minute, skips included.
    seconds_left : float
        For the rest of the batch, at this pace.
    """

    per_minute: float
    seconds_left: float


class Session:
    """Where one person stands in one batch.

    Parameters
    ----------
    queries : sequence of Query
        At least one.
    classes : iterable of class
        Shown first, in this order; the classes of each query follow.
    order : iterable of class
        Classes as they were shown before. They keep that order, so that a class keeps its key while
        the list grows; one that no query of this batch has is not shown.
    durations : iterable of float
        Seconds that earlier answers of the same person took; the pace starts from them.
    clock : callable
        Seconds, never going backwards.

    Attributes
    ----------
    query : Query
        The one on the screen; the last one when finished.
    choices : tuple of class
        What it may be answered with, in the order shown.
    mode : Mode
    text : str
        What was typed in FILTER and NAMING mode.
    selected : int
        Which of `matches` Enter picks.
    message : str
        One line on what just happened, or what to do.
    page : int
        Which page of a long item (or of the guidelines) is wanted; any whole number.
    helping : bool
        True while the guidelines are on the screen.
    durations : list of float
        Seconds for each answer that stands, earlier ones first.
    """

    def __init__(
        self,
        queries: Sequence[Query],
        *,
        classes: Iterable[Class] = (),
        order: Iterable[Class] = (),
        durations: Iterable[float] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queries = tuple(queries)
        self._classes = tuple(classes)
        self._rank = {kind_and_name(label): place for place, label in enumerate(order)}
        self._clock = clock
        self._given: list[Class | Skip] = []
        self.durations = list(durations)
        self.message = ""
        self._show_next()

    @property
    def position(self) -> int:
        """Which query of the batch is on the screen, from 1."""
        return min(len(self._given), self.total - 1) + 1

    @property
    def total(self) -> int:
        """How many queries the batch has."""
        return len(self._queries)

    @property
    def finished(self) -> bool:
        """True when every query is answered or skipped."""
        return len(self._given) == self.total

    @property
    def answers(self) -> dict[str, Class | Skip]:
        """Query id -> answer, of those that stand."""
        return {query.id: answer for query, answer in zip(self._queries, self._given, strict=False)}

    @property
    def new_classes(self) -> tuple[Class, ...]:
        """Classes that the person added in this batch."""
        known = {
            kind_and_name(label) for query in self._queries for label in (*self._classes, *query.classes)
        }
        given = (answer for answer in self._given if not isinstance(answer, Skip))
        return once(answer for answer in given if kind_and_name(answer) not in known)

    @property
    def keys(self) -> dict[str, Class]:
        """Key -> class: each class's own digit where every class is one, else 1, 2, 3 in order."""
        if self.mode is Mode.FILTER:
            return {}
        own = {str(label): label for label in self.choices}
        if len(own) == len(self.choices) and all(len(name) == 1 and name in "0123456789" for name in own):
            return own
        return {str(place): label for place, label in enumerate(self.choices, 1)}

    @property
    def matches(self) -> tuple[Class, ...]:
        """The choices that fit what was typed, best first; none for a command or a new class."""
        if self.text[:1] in (":", "+"):
            return tuple(label for label in self.choices if str(label) == self.text)
        return matching(self.text, self.choices)

    @property
    def pace(self) -> Pace | None:
        """The person's own pace; None before the first answer."""
        if not self.durations:
            return None
        typical = max(statistics.median(self.durations[-PACE_OVER:]), 1e-3)
        return Pace(60.0 / typical, typical * (self.total - len(self._given)))

    def press(self, key: str) -> Event | None:
        """Take one key press.

        Parameters
        ----------
        key : str
            One character, or a name: "enter", "backspace", "escape", "up", "down", "pageup",
            "pagedown", "ctrl-c", "ctrl-d", "eof". Control characters are understood as well.

        Returns
        -------
        Answered, Undone, Stopped or None
            None where only the screen changed.
        """
        key = KEY_NAMES.get(key, key)
        if key in _STOPS:
            return Stopped(_STOPS[key])
        if key in ("pagedown", "pageup"):
            self.page += 1 if key == "pagedown" else -1
            return None
        if self.helping:
            self._leave_help(key)
            return None
        self.message = ""
        if self.mode is Mode.KEYS:
            return self._press_key(key)
        return self._press_letter(key)

    def line(self, text: str) -> Event | None:
        """Take a line of input, for where single keys can't be read: a key, a class or a command.

        Parameters
        ----------
        text : str
            Without its line end.

        Returns
        -------
        Answered, Undone, Stopped or None
        """
        self.helping = False
        self.message = ""
        text = "".join(letter for letter in text if letter.isprintable()).strip()
        if self.mode is not Mode.KEYS:
            if text:
                self._type(text)
            return self._enter()
        if text in self.keys or text in _COMMANDS or text == "+":
            return self._press_key(text)
        named = called(text, self.choices)
        if named is not None:
            return self._give(named)
        if text[:1] in (":", "+"):
            return self._prefixed(text)
        shown = f"'{text}' is no key and no class here." if text else "Type a key or a class, then Enter."
        self.message = f"{shown} To add it as a new class: +{text}" if text and self._open else shown
        return None

    @property
    def _open(self) -> bool:
        return self.query.open_classes

    def _show_next(self) -> None:
        """Put the first unanswered query on the screen."""
        self.query = self._queries[self.position - 1]
        self.choices = self._known()
        self.mode = Mode.KEYS if 1 <= len(self.choices) <= MOST_KEYS else Mode.FILTER
        self.page = 0
        self.helping = False
        self._type("")
        self._since = self._clock()

    def _known(self) -> tuple[Class, ...]:
        """The classes that the query may be answered with, in the order shown."""
        known = once((*self._classes, *self.query.classes, *self.new_classes))
        known = tuple(sorted(known, key=lambda label: self._rank.get(kind_and_name(label), len(self._rank))))
        if self._open or not self.query.classes:
            return known
        allowed = {kind_and_name(label) for label in self.query.classes}
        return tuple(label for label in known if kind_and_name(label) in allowed)

    def _type(self, text: str) -> None:
        """Set what was typed; the best match is selected again."""
        self.text = text
        self.selected = 0
        self._confirming = False

    def _press_key(self, key: str) -> Event | None:
        """Act on a key in KEYS mode."""
        if key in self.keys:
            return self._give(self.keys[key])
        command = "s" if key == " " else key.lower()
        if command in _COMMANDS:
            return self._command(command)
        if key == "+" and self._open:
            self.mode = Mode.NAMING
            self.message = "Type the name of the new class, then Enter. Esc goes back."
        elif len(key) == 1:
            self.message = f"'{key}' is no key here; ? shows what the keys do."
        return None

    def _press_letter(self, key: str) -> Event | None:
        """Act on a key while text is typed, in FILTER and NAMING mode."""
        if key == "enter":
            return self._enter()
        if key == "backspace":
            self._type(self.text[:-1])
        elif key == "escape":
            self._type("")
            if self.mode is Mode.NAMING:
                self.mode = Mode.KEYS
        elif key in ("up", "down"):
            step = 1 if key == "down" else -1
            self.selected = (self.selected + step) % max(len(self.matches), 1)
        elif key == "?" and self.mode is Mode.FILTER and not self.text and not matching(key, self.choices):
            return self._command(key)  # people press it alone; no class could be meant
        elif len(key) == 1 and key.isprintable():
            self._type(self.text + key)
        return None

    def _enter(self) -> Event | None:
        """Act on Enter after typed text."""
        text = self.text.strip()
        if self.mode is Mode.NAMING:
            if text:
                return self._add(text)
            self.mode = Mode.KEYS
            return None
        if not text and not self.selected:
            self.message = "Type a few letters of the class first (or :q to quit, :? for help)."
            return None
        if self.selected:
            return self._give(self.matches[self.selected])
        named = called(text, self.choices)
        if named is not None:
            return self._give(named)
        if text[0] in (":", "+"):
            return self._prefixed(text)
        if self.matches:
            return self._give(self.matches[0])
        first = not self.choices and text not in _COMMANDS  # nothing it could be a misspelling of
        if self._open and (self._confirming or first):
            return self._add(text)
        self._confirming = self._open
        what = "Enter again adds it as a new class." if self._open else "This list is closed."
        meant = f" To {_COMMANDS[text]}, type :{text}" if text in _COMMANDS else ""
        self.message = f"No class matches '{text}'. {what}{meant}"
        return None

    def _prefixed(self, text: str) -> Event | None:
        """Act on ":command" or "+new class"."""
        self._type("")
        if text[0] == "+":
            return self._add(text[1:].strip())
        word = text[1:].strip().lower()
        for command, name in _COMMANDS.items():
            if word in (command, name):
                return self._command(command)
        self.message = f"'{text}' is no command: :s skip, :u undo, :q quit, :m more, :? help."
        return None

    def _command(self, command: str) -> Event | None:
        """Act on one of `_COMMANDS`."""
        if command == "s":
            return self._give(SKIP)
        if command == "u":
            return self._undo()
        if command == "q":
            return Stopped("quit in the terminal (q)")
        if command == "m":
            self.page += 1
        else:
            self.helping, self.page = True, 0
        return None

    def _leave_help(self, key: str) -> None:
        """Turn the page of the help on `m`; any other key closes it and does nothing else."""
        if key == "m":
            self.page += 1
        else:
            self.helping, self.page = False, 0

    def _add(self, name: str) -> Event | None:
        """Answer with a new class; with the old one where it exists."""
        named = next((label for label in self.choices if str(label) == name), None)
        if named is not None:
            return self._give(named)
        refusal = self._why_not(name)
        if refusal:
            self.message = refusal
            return None
        new: Class = int(name) if self.choices and isinstance(self.choices[0], int) else name
        return self._give(new, note="" if new in self.choices else " (a new class)")

    def _why_not(self, name: str) -> str:
        """Say why `name` can't become a class; empty if it can."""
        if not self._open:
            return "This list of classes is closed: no class can be added."
        if not name:
            return "A new class needs a name."
        if any(isinstance(label, bool) for label in self.choices):
            return "The classes are True and False: no class can be added."
        if any(isinstance(label, int) for label in self.choices) and not _WHOLE.fullmatch(name):
            return f"The classes are whole numbers, so a new one must be too; '{name}' is not."
        return ""

    def _give(self, answer: Class | Skip, note: str = "") -> Answered:
        """Record an answer and move on."""
        query = self.query
        seconds = self._clock() - self._since
        self._given.append(answer)
        self.durations.append(seconds)
        self._show_next()
        self.message = f"Last answer: {'skipped' if isinstance(answer, Skip) else answer}{note}"
        return Answered(query, answer, seconds)

    def _undo(self) -> Undone | None:
        """Take the latest answer back and show its query again."""
        if not self._given:
            self.message = "Nothing to undo: earlier batches are sent already."
            return None
        answer = self._given.pop()
        self.durations.pop()
        self._show_next()
        said = "skipped" if isinstance(answer, Skip) else f"'{answer}'"
        self.message = f"Taken back ({said}): answer this one again."
        return Undone(self.query)
