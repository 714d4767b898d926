"""What there is to label in a table: texts with ids, labels that exist, and rows that are left out.

Nothing is dropped in silence: rows without text, texts that come twice and answers that contradict each other
are told.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bootstrap.cli.table_file import Table
from bootstrap.content import content_id
from bootstrap.errors import InvalidInput
from bootstrap.records import SKIP, Class, Skip

__all__ = ["Columns", "TextTask", "read_task"]


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of the table holds what; None where there is none.

    Attributes
    ----------
    text : str
        What people see.
    id : str or None
        By default an id is made from the text.
    known : str or None
        Labels that exist.
    answers : str or None
        What a person would say, for a run without one.
    """

    text: str
    id: str | None = None
    known: str | None = None
    answers: str | None = None


@dataclass(frozen=True, slots=True)
class TextTask:
    """The rows that hold a text, in the order of the file.

    Attributes
    ----------
    ids, texts : tuple of str
    known : tuple of str
        The label that exists, "" where there is none.
    answers : tuple of str
        What the column of answers says, "" where it says nothing or there is none.
    own_ids : bool
        Whether the ids are a column's.
    n_rows : int
        Rows of the file.
    without_text : tuple of int
        The lines of rows that are left out.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    known: tuple[str, ...]
    answers: tuple[str, ...]
    own_ids: bool
    n_rows: int
    without_text: tuple[int, ...]

    @property
    def pool(self) -> list[int]:
        """Positions of the rows to ask about: those without a known label."""
        return [i for i, label in enumerate(self.known) if not label]

    @property
    def labeled(self) -> tuple[list[str], list[str]]:
        """The texts that have a known label, and these labels."""
        given = self._given
        return [self.texts[i] for i in given], [self.known[i] for i in given]

    @property
    def outside(self) -> tuple[list[str], list[str], list[str] | None] | None:
        """The same with their ids, where the table has some, as `loop.run(labeled=...)` takes it."""
        texts, labels = self.labeled
        ids = [self.ids[i] for i in self._given] if self.own_ids else None
        return (texts, labels, ids) if texts else None

    @property
    def _given(self) -> list[int]:
        return [i for i, label in enumerate(self.known) if label]

    @property
    def truth(self) -> dict[str, Class | Skip]:
        """Id -> answer for the pool; of several rows with one text, the first that has an answer speaks."""
        said: dict[str, str] = {}
        for text, answer in zip(self.texts, self.answers, strict=True):
            if answer:
                said.setdefault(text, answer)
        return {self.ids[i]: said.get(self.texts[i], SKIP) for i in self.pool}

    @property
    def fingerprint(self) -> str:
        """Changes if a row, an id, a text or a known label does; answers don't count."""
        content = json.dumps([self.ids, self.texts, self.known]).encode()
        return f"{len(self.ids):,} texts, {hashlib.blake2b(content, digest_size=8).hexdigest()}"

    def notes(self) -> list[str]:
        """What somebody should know before labeling, a sentence each."""
        n_known, n_pool = len(self.labeled[0]), len(self.pool)
        notes = [f"{_rows(self.n_rows)}, {n_pool:,} to ask about, {n_known:,} with a known label."]
        if self.without_text:
            one = len(self.without_text) == 1
            notes.append(
                f"{_rows(len(self.without_text))} without text {'is' if one else 'are'} left out: "
                f"{'line' if one else 'lines'} {_some(self.without_text)}."
            )
        copies = len(self.texts) - len(set(self.texts))
        if copies:
            notes.append(
                f"{_rows(copies)} {'repeats' if copies == 1 else 'repeat'} the text of an earlier one: each "
                "text is asked about once."
            )
        for labels, what in ((self.known, "known labels"), (self.answers, "answers")):
            at_odds = _contradicting(self.texts, labels)
            if at_odds:
                texts = "1 text has" if at_odds == 1 else f"{at_odds:,} texts have"
                notes.append(f"{texts} different {what} in different rows.")
        if any(self.answers):
            silent = sum(answer is SKIP for answer in self.truth.values())
            if silent:
                notes.append(
                    f"{_rows(silent)} of the pool {'has' if silent == 1 else 'have'} no answer and will be "
                    "skipped: whatever is measured speaks about the others only."
                )
        return notes


def read_task(table: Table, columns: Columns, classes: Sequence[str] | None = None) -> TextTask:
    """Take the texts, ids and labels out of a table.

    Parameters
    ----------
    table : Table
    columns : Columns
    classes : sequence of str, optional
        All classes; any other label is refused.

    Raises
    ------
    InvalidInput
        For a column that is not there, no text at all, no row to ask about, an id that is missing or comes
        twice, or a label that is none of `classes`.
    """
    texts = table.column(columns.text, "--text")
    empty = [""] * len(texts)
    known = _stripped(table.column(columns.known, "--known-labels") if columns.known else empty)
    answers = _stripped(table.column(columns.answers, "--label-with") if columns.answers else empty)
    ids = _stripped(table.column(columns.id, "--id") if columns.id else empty)
    used = [i for i, text in enumerate(texts) if text.strip()]
    if not used:
        raise InvalidInput(
            f"No row of {table.path} has a text in {columns.text!r}: there is nothing to label."
        )
    if columns.id:
        _check_ids(table, columns.id, ids, used)
    if classes is not None:
        _check_labels(table, columns.known, known, classes, used)
        _check_labels(table, columns.answers, answers, classes, used)
    if all(known[i] for i in used):
        raise InvalidInput(
            f"Every text of {table.path} has a known label in {columns.known!r}: there is nothing to ask "
            "about. Leave the cells of rows that need a label empty."
        )
    if columns.answers and not any(answers[i] for i in used if not known[i]):
        raise InvalidInput(
            f"The column {columns.answers!r} (--label-with) is empty wherever a label is needed. "
            "Name another column, or label in the terminal."
        )
    left_out = set(range(len(texts))).difference(used)
    return TextTask(
        ids=tuple(ids[i] if columns.id else content_id(texts[i]) for i in used),
        texts=tuple(texts[i] for i in used),
        known=tuple(known[i] for i in used),
        answers=tuple(answers[i] for i in used),
        own_ids=columns.id is not None,
        n_rows=len(texts),
        without_text=tuple(table.lines[i] for i in sorted(left_out)),
    )


def _stripped(cells: Iterable[str]) -> list[str]:
    return [cell.strip() for cell in cells]


def _check_ids(table: Table, column: str, ids: Sequence[str], used: Sequence[int]) -> None:
    seen: dict[str, int] = {}
    for i in used:
        line = table.lines[i]
        if not ids[i]:
            raise InvalidInput(
                f"Line {line} of {table.path} has no id in {column!r}: each row needs its own."
            )
        first = seen.setdefault(ids[i], line)
        if first != line:
            raise InvalidInput(
                f"Lines {first} and {line} of {table.path} have the same id {ids[i]!r} in {column!r}: an id "
                "names one row. Without --id, ids are made from the texts."
            )


def _check_labels(
    table: Table, column: str | None, labels: Sequence[str], classes: Sequence[str], used: Sequence[int]
) -> None:
    for i in used:
        if labels[i] and labels[i] not in classes:
            near = difflib.get_close_matches(labels[i], classes, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise InvalidInput(
                f"Line {table.lines[i]} of {table.path} has the label {labels[i]!r} in {column!r}, which is "
                f"none of the --classes {','.join(classes)}.{hint}"
            )


def _contradicting(texts: Iterable[str], labels: Iterable[str]) -> int:
    """How many texts carry more than one label."""
    first: dict[str, str] = {}
    return len(
        {t for t, label in zip(texts, labels, strict=True) if label and first.setdefault(t, label) != label}
    )


def _some(lines: Sequence[int], most: int = 8) -> str:
    shown = ", ".join(f"{line}" for line in lines[:most])
    return shown + (f" and {len(lines) - most:,} more" if len(lines) > most else "")


def _rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n:,} rows"
