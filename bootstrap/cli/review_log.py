"""A log of reviewed predictions as checked columns: which rows count at all, and which may be evidence.

A row is one item that a frozen model predicted, with a person's label where somebody was asked. Rows that
the model may have been trained on are left out, and each id counts once. Nothing is left out in silence:
what was is counted. The order is that of arrival, ties broken by a hash of the id, so that a file sorted
by its labels says nothing by its order.
"""

from __future__ import annotations

import difflib
import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias, TypeVar

import numpy as np

from bootstrap.cli.table_file import Table
from bootstrap.errors import InvalidInput
from bootstrap.measuring.outcomes import Bools, Floats
from bootstrap.records import SKIP, Class, Skip

__all__ = ["LogColumns", "ReviewLog", "near_class", "parse_time", "read_review_log"]

_T = TypeVar("_T")
_Rows: TypeAlias = list[int]  # positions in the table

_YES: Final = frozenset({"1", "1.0", "true", "t", "yes", "y", "on", "x", "blind"})
_NO: Final = frozenset({"", "0", "0.0", "false", "f", "no", "n", "off"})


@dataclass(frozen=True, slots=True)
class LogColumns:
    """Which column of the log holds what; None where there is none.

    Attributes
    ----------
    id, label, predicted, confidence : str
        The item, the person's answer, the model's class and its probability.
    blind : str or None
        Whether the person saw no suggestion.
    at : str or None
        When the row came.
    probability : str or None
        The chance with which the item was audited, logged before the answer.
    """

    id: str
    label: str
    predicted: str
    confidence: str
    blind: str | None = None
    at: str | None = None
    probability: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewLog:
    """The rows that count, one for each id, in order of arrival; and how many were left out, and why.

    Attributes
    ----------
    ids : tuple of str
    predicted : tuple of str
        The model's class.
    confidence : ndarray of float, shape (n,)
        In [0, 1].
    labels : tuple of (str or None)
        The person's answer; None where there is none.
    blind : ndarray of bool, shape (n,)
        Whether it was asked blind; False everywhere without that column.
    probability : ndarray of float or None, shape (n,)
        In (0, 1].
    n_rows : int
        Rows of the file.
    n_before, n_without_time, n_seen_before, n_repeated, n_contradicting : int
        Left out: rows from before the model, rows without a time, rows whose id had a label before the
        model, rows whose id came already; and how many of the latter have another label.
    says_blind, says_since : bool
        Whether the log says which answers were blind, and since when the model is what it is.
    """

    ids: tuple[str, ...]
    predicted: tuple[str, ...]
    confidence: Floats
    labels: tuple[str | None, ...]
    blind: Bools
    probability: Floats | None
    n_rows: int
    n_before: int
    n_without_time: int
    n_seen_before: int
    n_repeated: int
    n_contradicting: int
    says_blind: bool
    says_since: bool

    @property
    def n_labeled(self) -> int:
        """Rows with an answer."""
        return sum(label is not None for label in self.labels)

    @property
    def n_anchored(self) -> int:
        """Rows with an answer that is not known to be blind."""
        return sum(
            label is not None and not blind
            for label, blind in zip(self.labels, self.blind.tolist(), strict=True)
        )

    @property
    def n_unanswered(self) -> int:
        """Rows that were asked blind and have no answer."""
        return sum(
            label is None and blind for label, blind in zip(self.labels, self.blind.tolist(), strict=True)
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """All classes, answered or predicted, sorted."""
        return tuple(sorted({label for label in self.labels if label is not None} | set(self.predicted)))

    @property
    def evidence(self) -> tuple[Class | Skip | None, ...]:
        """The answer of each row that may be evidence.

        None where nobody was asked blind, and everywhere where nothing says who was, or since when the
        model is frozen. SKIP where somebody was asked blind and no answer is there: it may be a hard one.
        Beside logged chances, SKIP too where there is an answer that was not blind: that row has used up its
        chance, and None would say that it was not drawn.
        """
        if not (self.says_blind and self.says_since):
            return (None,) * len(self.ids)
        return tuple(
            (SKIP if label is None else label)
            if blind
            else (SKIP if label is not None and self.probability is not None else None)
            for label, blind in zip(self.labels, self.blind, strict=True)
        )

    def notes(self) -> list[str]:
        """What was left out and what may count, a sentence each."""
        n = len(self.ids)
        notes = [
            f"{_rows(self.n_rows)}. {_are(n)} about the model as it is, and {self.n_labeled:,} of these "
            f"{'has' if self.n_labeled == 1 else 'have'} a label."
        ]
        left_out = (
            (self.n_before, "from before the model, which may have been trained on"),
            (self.n_without_time, "without a time, which may be from before the model"),
            (self.n_seen_before, "whose id had a label before the model"),
            (self.n_repeated, "whose id came already"),
        )
        told = [f"{count:,} {why}" for count, why in left_out if count]
        if told:
            notes.append(f"Left out: {'; '.join(told)}.")
        if self.n_contradicting:
            notes.append(
                f"{self.n_contradicting:,} of the repeated rows "
                f"{'has' if self.n_contradicting == 1 else 'have'} "
                "another label than the first, which counts."
            )
        if self.says_blind and self.n_anchored:
            notes.append(
                f"{self.n_anchored:,} {'answer was' if self.n_anchored == 1 else 'answers were'} given with "
                "the suggestion in view, or nothing says otherwise: no evidence."
            )
        if self.n_unanswered:
            one = self.n_unanswered == 1
            notes.append(
                f"{self.n_unanswered:,} {'row is' if one else 'rows are'} marked as asked blind and "
                f"{'has' if one else 'have'} no answer: counted as wrong, since late answers may be the hard "
                "ones. Where nobody was asked, leave the mark empty."
            )
        return notes


def read_review_log(table: Table, columns: LogColumns, since: datetime | None = None) -> ReviewLog:
    """Take the columns out of a table, leave out what the model may have seen, and put the rest in order.

    Parameters
    ----------
    table : Table
    columns : LogColumns
    since : datetime, optional
        When the model was frozen; rows before it are left out. Needs the column `at`.

    Raises
    ------
    InvalidInput
        For a column that is not there, a row that counts without id, class or a confidence in [0, 1], a
        cell that can't be read, or classes that are written in two ways.
    """
    if since is not None and columns.at is None:
        raise InvalidInput(
            "--model-since says when the model was frozen, and --at is missing: name the column that says "
            "when each row came."
        )
    cells = _Cells(table)
    ids = cells.stripped(columns.id, "--id")
    labels = cells.stripped(columns.label, "--label")
    times = cells.read(columns.at, "--at", parse_time) if columns.at else [None] * len(ids)
    rows, n_before, n_without_time, n_seen_before = _since(since, ids, labels, times)
    rows.sort(key=lambda i: (times[i] or datetime.max.replace(tzinfo=UTC), _hash(ids[i]), i))
    for i in rows:
        if not ids[i]:
            raise InvalidInput(f"{cells.where(i)} has no id in {columns.id!r}: each row needs one.")
    once, n_contradicting = _once(rows, ids, labels)
    predicted = cells.stripped(columns.predicted, "--predicted")
    for i in once:
        if not predicted[i]:
            raise InvalidInput(
                f"{cells.where(i)} has no class in {columns.predicted!r}. Leave out the rows that the model "
                "did not predict."
            )
    confidence = cells.read(columns.confidence, "--confidence", _confidence, once)
    blind = cells.read(columns.blind, "--blind", _yes_or_no, once) if columns.blind else [False] * len(once)
    probability = (
        cells.read(columns.probability, "--probability", _probability, once) if columns.probability else None
    )
    log = ReviewLog(
        ids=tuple(ids[i] for i in once),
        predicted=tuple(predicted[i] for i in once),
        confidence=np.array(confidence, dtype=np.float64),
        labels=tuple(labels[i] or None for i in once),
        blind=np.array(blind, dtype=np.bool_),
        probability=None if probability is None else np.array(probability, dtype=np.float64),
        n_rows=len(ids),
        n_before=n_before,
        n_without_time=n_without_time,
        n_seen_before=n_seen_before,
        n_repeated=len(rows) - len(once),
        n_contradicting=n_contradicting,
        says_blind=columns.blind is not None,
        says_since=since is not None,
    )
    _check_classes(log, columns)
    return log


def parse_time(text: str) -> datetime | None:
    """A date or time in ISO 8601, in UTC where it does not say; None for an empty cell.

    Raises
    ------
    ValueError
        With what to write, for anything else.
    """
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("a date such as 2026-03-01, or a time such as 2026-03-01T09:30:00Z") from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


class _Cells:
    """The cells of a table, and where each stands in the file."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def where(self, row: int) -> str:
        return f"Line {self._table.lines[row]} of {self._table.path}"

    def stripped(self, column: str, option: str) -> list[str]:
        return [cell.strip() for cell in self._table.column(column, option)]

    def read(
        self, column: str, option: str, parse: Callable[[str], _T], rows: Iterable[int] | None = None
    ) -> list[_T]:
        """The cells of these rows, parsed; `parse` raises ValueError with what it would understand."""
        cells = self.stripped(column, option)
        values = []
        for i in range(len(cells)) if rows is None else rows:
            try:
                values.append(parse(cells[i]))
            except ValueError as wanted:
                raise InvalidInput(
                    f"{self.where(i)} has {cells[i]!r} in {column!r} ({option}). Wanted is {wanted}."
                ) from None
        return values


def _confidence(cell: str) -> float:
    wanted = "the model's probability for its class, a number in [0, 1] such as 0.97"
    value = _number(cell, wanted)
    if not 0.0 <= value <= 1.0:  # NaN is outside, too
        raise ValueError(wanted)
    return value


def _probability(cell: str) -> float:
    wanted = "the chance with which the row was audited, answered or not, a number in (0, 1] such as 0.05"
    value = _number(cell, wanted)
    if not 0.0 < value <= 1.0:
        raise ValueError(wanted)
    return value


def _number(cell: str, wanted: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise ValueError(wanted) from None


def _yes_or_no(cell: str) -> bool:
    word = cell.casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError("yes or no (1 or 0, true or false), or nothing for no")


def _since(
    since: datetime | None, ids: Sequence[str], labels: Sequence[str], times: Sequence[datetime | None]
) -> tuple[_Rows, int, int, int]:
    """The rows that came since the model, and how many came before, have no time, or were seen before."""
    if since is None:
        return list(range(len(ids))), 0, 0, 0
    before = [i for i, time in enumerate(times) if time is not None and time < since]
    without = sum(time is None for time in times)
    seen = {ids[i] for i in before if labels[i]}
    after = [i for i, time in enumerate(times) if time is not None and time >= since]
    rows = [i for i in after if ids[i] not in seen]
    return rows, len(before), without, len(after) - len(rows)


def _once(rows: _Rows, ids: Sequence[str], labels: Sequence[str]) -> tuple[_Rows, int]:
    """The first row of each id, and how many later ones have another label."""
    first: dict[str, int] = {}
    contradicting = 0
    for i in rows:
        kept = first.setdefault(ids[i], i)
        contradicting += bool(labels[i] and labels[kept] and labels[i] != labels[kept])
    return list(first.values()), contradicting


def _hash(item_id: str) -> bytes:
    return hashlib.blake2b(item_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _check_classes(log: ReviewLog, columns: LogColumns) -> None:
    """Refuse a class that people and model write in two ways: every such answer would count as an error."""
    predicted = set(log.predicted)
    plain = {_plain(name): name for name in sorted(predicted)}
    for label in sorted({label for label in log.labels if label is not None} - predicted):
        twin = plain.get(_plain(label))
        if twin is not None:
            raise InvalidInput(
                f"{label!r} in {columns.label!r} and {twin!r} in {columns.predicted!r} seem to be one class, "
                "written in two ways: each would count as an error. Write them alike."
            )


def _plain(name: str) -> str | float:
    try:
        value = float(name)
    except ValueError:
        return " ".join(name.casefold().split())
    return value if math.isfinite(value) else name.casefold()


def near_class(name: str, classes: Sequence[str]) -> str:
    """Words that suggest a class that was meant; "" where none is near."""
    near = difflib.get_close_matches(name, classes, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n:,} rows"


def _are(n: int) -> str:
    return "1 is" if n == 1 else f"{n:,} are"
