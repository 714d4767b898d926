"""What the terminal shows: one query, the keys, and how far the batch is.

Items come from anywhere, so nothing in them is interpreted: no rich markup, and no terminal control
sequence reaches the screen. The texts of this room are plain ASCII, for terminals that know no more.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from bootstrap.labelers.terminal.session import Mode, Session

__all__ = ["Display", "item_view", "plain_text"]

#: Characters of one item (or table cell) that are shown at most; more is announced, not shown.
MOST_CHARACTERS = 100_000
#: Matches of a filter that are shown at once.
MOST_MATCHES = 8
#: Lines of an item that are shown however small the window is.
FEWEST_LINES = 3

_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\)"  # OSC, DCS and other strings, with their end
    r"|\x1b[ -/]*[0-~]?"  # other escapes
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"  # control characters, save tab and line feed
    r"|[\u202a-\u202e\u2066-\u2069]",  # overrides of the writing direction
    re.DOTALL,
)
_IMAGE = re.compile(r"[^\n]{1,4000}\.(?:png|jpe?g|gif|bmp|webp|tiff?|svg|heic)", re.IGNORECASE)


def plain_text(value: object, encoding: str = "utf-8") -> str:
    """Return `value` as text that is safe to print: no control characters or sequences.

    Characters that `encoding` does not have become "?".
    """
    text = _CONTROL.sub("", str(value).replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) > MOST_CHARACTERS:
        more = len(text) - MOST_CHARACTERS
        text = f"{text[:MOST_CHARACTERS]}\n[... {more:,} more characters are not shown]"
    return text.encode(encoding, "replace").decode(encoding, "replace")


def item_view(item: Any, encoding: str = "utf-8") -> RenderableType:
    """Return what a person looks at for `item`.

    A mapping becomes a table of two columns, a path to an image its path and size, anything else
    its text.
    """
    if isinstance(item, Mapping):
        table = Table(show_header=False, expand=False)
        table.add_column(style="bold", overflow="fold")
        table.add_column(overflow="fold")
        for name, value in item.items():
            table.add_row(Text(plain_text(name, encoding)), Text(plain_text(value, encoding)))
        return table
    text = Text(plain_text(item, encoding), overflow="fold")
    if isinstance(item, PurePath) or (isinstance(item, str) and _IMAGE.fullmatch(item)):
        text.append(f"\n{_size_of(item)}", style="dim")
    return text


def _size_of(path: PurePath | str) -> str:
    """Say how large a file is, or that it is not there."""
    try:
        size = os.path.getsize(path)
    except (OSError, ValueError):
        return "(no such file here)"
    return f"({size:,} bytes)" if size < 1_000 else f"({size / 1000:,.0f} kB)"


class Display:
    """Draw a session on a console.

    Parameters
    ----------
    console : rich.console.Console
    guidelines : str or None
        How to label, in words; shown on `?`.
    """

    def __init__(self, console: Console, guidelines: str | None = None) -> None:
        self.console = console
        self.guidelines = guidelines
        self._cached: tuple[object, list[list[Segment]]] = (None, [])

    def draw(self, session: Session) -> None:
        """Fill the whole screen: a long item is cut into pages."""
        width, height = self.console.size
        menu = self._lines(Group(*self._menu(session)))
        if session.helping:
            body, menu = self._lines(self._help(session)), self._lines(Text("m more   any other key: back"))
        else:
            body = self._item_lines(session, width)
        room = max(height - len(menu) - 4, FEWEST_LINES)
        n_pages = -(-len(body) // room) or 1
        page = session.page % n_pages
        shown = body[page * room : (page + 1) * room]
        note = f"part {page + 1} of {n_pages}: m or PageDown shows more" if n_pages > 1 else ""
        if note and session.mode is not Mode.KEYS and not session.helping:
            note = note.replace("m or", ":m or")
        lines = [
            *self._lines(self._header(session)),
            [],
            *shown,
            *self._lines(Text(note, style="dim")),
            *menu,
        ]
        self.console.clear()
        self.console.print(_joined(lines), end="")

    def print(self, session: Session) -> None:
        """Print below what is there already, for where the screen can't be cleared."""
        if session.helping:
            self.console.print(self._help(session))
            return
        self.console.print()
        self.console.print(self._header(session))
        self.console.print(item_view(session.query.item, self.console.encoding))
        self.console.print(Group(*self._menu(session)))

    def _plain(self, value: object) -> str:
        return plain_text(value, self.console.encoding)

    def _lines(self, view: RenderableType) -> list[list[Segment]]:
        return self.console.render_lines(view, pad=False)

    def _item_lines(self, session: Session, width: int) -> list[list[Segment]]:
        """Lay the item out; it stays as it is while a person types."""
        place = (id(session), session.position, width)
        if self._cached[0] != place:
            self._cached = (place, self._lines(item_view(session.query.item, self.console.encoding)))
        return self._cached[1]

    def _header(self, session: Session) -> Text:
        header = Text(f"{session.position} of {session.total}", style="bold", no_wrap=True)
        pace = session.pace
        if pace is not None:
            told = f"   your pace: {pace.per_minute:.1f} a minute, {_duration(pace.seconds_left)} left"
            header.append(told, style="not bold dim")
        return header

    def _menu(self, session: Session) -> list[RenderableType]:
        """What can be done, and what just happened."""
        if session.mode is Mode.KEYS:
            rows = [
                Text.assemble((f"  {key} ", "bold cyan"), " ", self._plain(label))
                for key, label in session.keys.items()
            ]
        else:
            rows = self._typed(session)
        hints = Text(_hints(session), style="dim")
        return [*rows, Text(self._plain(session.message), style="yellow"), hints]

    def _typed(self, session: Session) -> list[Text]:
        """What was typed so far, and what Enter would do with it."""
        asks = "new class" if session.mode is Mode.NAMING or not session.choices else "class"
        rows = [Text.assemble((f"{asks}> ", "bold cyan"), self._plain(session.text), ("_", "blink"))]
        if session.mode is Mode.NAMING or not session.choices:
            return rows
        matches = session.matches
        first = max(0, min(session.selected - MOST_MATCHES + 2, len(matches) - MOST_MATCHES))
        for place, label in enumerate(matches[first : first + MOST_MATCHES], first):
            picked = place == session.selected and bool(session.text or session.selected)
            row = Text.assemble("Enter > " if picked else "        ", self._plain(label))
            rows.append(Text.assemble(row, style="bold") if picked else row)
        if not matches and session.text[:1] not in (":", "+"):
            rows.append(Text("        (no match)", style="dim"))
        if len(matches) > MOST_MATCHES:
            rows.append(Text(f"        ({len(matches)} classes: type to narrow the list)", style="dim"))
        most = 1 + min(len(session.choices), MOST_MATCHES + 1)
        return rows + [Text()] * (most - len(rows))  # the item above must not jump with every letter

    def _help(self, session: Session) -> RenderableType:
        guidelines = self._plain(self.guidelines or "No guidelines were given for this task.")
        keys = "\n".join(_explained(session))
        return Group(
            Text("Guidelines", style="bold"),
            Padding(Text(guidelines), (0, 0, 1, 2)),
            Text("Keys", style="bold"),
            Padding(Text(keys), (0, 0, 1, 2)),
        )


def _hints(session: Session) -> str:
    """Name the keys in one line."""
    new = session.query.open_classes
    if session.mode is Mode.KEYS:
        added = "+ new class   " if new else ""
        return f"s or space skip   u undo   {added}? help   q quit"
    if session.mode is Mode.NAMING:
        return "Enter adds it   Esc back"
    added = "+name adds   " if new else ""
    narrow = "type, Enter picks   " if session.choices else "type a name, Enter adds it   "
    return f"{narrow}:s skip   :u undo   {added}:? help   :q quit"


def _explained(session: Session) -> list[str]:
    """Explain the keys, a line each."""
    typing = session.mode is not Mode.KEYS
    colon = ":" if typing else ""
    rows = (
        ("letters", "narrow the list of classes; Up and Down move, Enter picks, Esc clears")
        if typing
        else ("digits", "give the class beside the digit"),
        (f"{colon}s" if typing else "s, space", "skip: you can't tell"),
        (f"{colon}u", "undo your last answer in this batch; again for the one before"),
        (f"{colon}m", "show more of a long item; PageUp and PageDown turn the pages"),
        (f"{colon}q", "quit; your answers so far are kept (Ctrl-C does the same)"),
        (f"{colon}?", "this page"),
    )
    lines = [f"{key:<10}{what}" for key, what in rows]
    if session.query.open_classes:
        lines.insert(1, f"{'+name' if typing else '+':<10}add a new class and give it")
    return lines


def _joined(lines: list[list[Segment]]) -> Segments:
    """Put lines of segments one below the other."""
    flat = [piece for line in lines for piece in (*line, Segment.line())]
    return Segments(flat)


def _duration(seconds: float) -> str:
    """Say roughly how long: "40 s" or "3 min"."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
