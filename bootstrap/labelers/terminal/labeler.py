"""A person in the terminal, one item at a time.

Single keys where standard input is a terminal, lines of input elsewhere (pipes, notebooks). What keys
mean is decided in :mod:`bootstrap.labelers.terminal.session`, how it looks in
:mod:`bootstrap.labelers.terminal.display`; here the two meet the real keyboard and screen. No model's
suggestion is ever shown: an answer given with one in view would be no evidence.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console

from bootstrap.classes import plain_answer
from bootstrap.errors import InvalidInput, LabelerError, LabelerStopped
from bootstrap.labelers.callback import Collected, CollectingLabeler, OnAnswer, OnUndo
from bootstrap.labelers.terminal.choices import once
from bootstrap.labelers.terminal.display import Display
from bootstrap.labelers.terminal.keys import key_presses
from bootstrap.labelers.terminal.session import Answered, Event, Session, Stopped, Undone
from bootstrap.records import Class, Query, Skip

__all__ = ["TerminalLabeler"]

_WAITING = "Nothing waits for an answer; more will be shown as it comes (Ctrl-C ends)."


class TerminalLabeler(CollectingLabeler):
    """Ask a person in the terminal.

    Up to nine classes are one key each; from ten on, typing narrows the list and Enter picks. `?`
    shows the guidelines and every key, `s` or space skips, `u` takes the last answer of the batch
    back, `q` and Ctrl-C stop and keep what was answered. Where a query's classes are open, `+` adds
    one. The last answer of a batch sends it: it can't be taken back.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to draw; by default standard output.
    read_key : callable, optional
        Waits for a key and returns it: a character or a name as in
        :meth:`~bootstrap.labelers.terminal.session.Session.press`. By default the keyboard.
    guidelines : str, optional
        How to label, in words; shown on `?`.
    classes : iterable of class, optional
        Shown first, in this order.
    on_answer : callable, optional
        (query, answer), called at once for every answer, to store it.
    on_undo : callable, optional
        (query), called at once for every answer that is taken back.
    name : str, optional
        Stored as who answered.
    clock : callable
        Seconds, never going backwards; for the person's own pace.

    Attributes
    ----------
    last_seconds : float or None
        How long the person looked before the answer last reported.

    Raises
    ------
    InvalidInput
        If `classes` or `guidelines` can't be shown.

    Examples
    --------
    >>> from io import StringIO
    >>> keys = iter("1s")
    >>> person = TerminalLabeler(console=Console(file=StringIO()), read_key=lambda: next(keys))
    >>> person([Query(word, word, word, ("good", "bad")) for word in ("fine", "odd")])
    {'fine': 'good', 'odd': SKIP}
    """

    def __init__(
        self,
        *,
        console: Console | None = None,
        read_key: Callable[[], str] | None = None,
        guidelines: str | None = None,
        classes: Iterable[Any] | None = None,
        on_answer: OnAnswer | None = None,
        on_undo: OnUndo | None = None,
        name: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if guidelines is not None and not isinstance(guidelines, str):
            raise InvalidInput(
                f"guidelines is a {type(guidelines).__name__}. Pass the text itself, "
                "for instance pathlib.Path('guidelines.txt').read_text()."
            )
        self.name = name
        self.last_seconds: float | None = None
        self._console = console
        self._read_key = read_key
        self._guidelines = guidelines
        self._classes = _checked_classes(classes)
        self._on_answer = on_answer
        self._on_undo = on_undo
        self._clock = clock
        self._durations: list[float] = []  # of all batches: the person's own pace
        self._order = self._classes  # as shown so far: a class keeps its key when another is added
        self._has_said_so = False

    def collect(
        self, queries: Sequence[Query], *, on_answer: OnAnswer | None = None, on_undo: OnUndo | None = None
    ) -> Collected:
        """Ask the person about each query; see :class:`~bootstrap.labelers.callback.CollectingLabeler`.

        Quitting and Ctrl-C both end as `LabelerStopped`, with the answers so far.
        """
        if not queries:
            return Collected({})
        self._has_said_so = False
        unanswerable = [query.id for query in queries if not (query.open_classes or query.classes)]
        if unanswerable and not self._classes:
            return Collected(
                {},
                LabelerError(
                    f"Nothing could be answered to {unanswerable[0]!r}: its list of classes is closed and "
                    "empty. Name the classes (classes=[...]), or leave the list open."
                ),
            )
        session = Session(
            queries, classes=self._classes, order=self._order, durations=self._durations, clock=self._clock
        )
        error: BaseException | None = None
        try:
            with self._events(session) as next_event:
                while error is None and not session.finished:
                    error = self._act(next_event(), (self._on_answer, on_answer), (self._on_undo, on_undo))
        except KeyboardInterrupt:
            error = LabelerStopped(reason="interrupted (Ctrl-C)")
        except BaseException as raised:  # whoever collects stores the answers and then raises it
            error = raised
        self._durations = session.durations
        self._order = once((*self._order, *session.choices))
        return Collected(dict(session.answers), error)

    def wait(self, seconds: float) -> None:
        """Pause while nothing is to be asked; the person is told so, once until the next queries.

        Ctrl-C interrupts it. Whoever makes the person wait has to end then as on :meth:`collect`, which says
        `LabelerStopped`: quietly.

        Parameters
        ----------
        seconds : float
        """
        if not self._has_said_so:
            self._has_said_so = True
            (self._console or Console()).print(_WAITING, markup=False, highlight=False)
        time.sleep(seconds)

    def _act(
        self,
        event: Event | None,
        on_answer: tuple[OnAnswer | None, ...],
        on_undo: tuple[OnUndo | None, ...],
    ) -> LabelerStopped | None:
        """Pass on what happened; return the wish to stop."""
        if isinstance(event, Stopped):
            return LabelerStopped(reason=event.reason)
        if isinstance(event, Answered):
            self.last_seconds = event.seconds
            for answered in filter(None, on_answer):
                answered(event.query, event.answer)
        elif isinstance(event, Undone):
            for undone in filter(None, on_undo):
                undone(event.query)
        return None

    @contextlib.contextmanager
    def _events(self, session: Session) -> Iterator[Callable[[], Event | None]]:
        """Show the session and wait for what the person does: by keys if there are any, else by lines."""
        console = self._console or Console()
        display = Display(console, self._guidelines)
        stdin = sys.stdin  # None where a program is started without one
        has_keys = console.is_terminal and not console.is_dumb_terminal and stdin and stdin.isatty()
        if self._read_key is None and not has_keys:

            def next_line() -> Event | None:
                display.print(session)
                if stdin is None:
                    return session.press("eof")
                try:
                    return session.line(console.input("> "))
                except EOFError:
                    console.print()  # what comes next does not belong to the prompt
                    return session.press("eof")

            yield next_line
            return

        keys = contextlib.nullcontext(self._read_key) if self._read_key else key_presses(sys.stdin)
        with keys as read_key, _own_screen(console):

            def next_key() -> Event | None:
                display.draw(session)
                return session.press(read_key())

            yield next_key


@contextlib.contextmanager
def _own_screen(console: Console) -> Iterator[None]:
    """Draw on the alternate screen, so that what was printed before is back afterwards."""
    alternate = console.set_alt_screen(True)
    console.show_cursor(False)
    try:
        yield
    finally:
        console.show_cursor(True)
        if alternate:
            console.set_alt_screen(False)


def _checked_classes(classes: Iterable[Any] | None) -> tuple[Class, ...]:
    """Return the classes as plain values."""
    if isinstance(classes, str):
        raise InvalidInput(f"classes is the string {classes!r}. Pass a list of classes.")
    checked = [plain_answer(label) for label in classes or ()]
    if any(isinstance(label, Skip) for label in checked):
        raise InvalidInput("classes holds SKIP. Leave it out: skipping is always possible.")
    return tuple(label for label in checked if not isinstance(label, Skip))
