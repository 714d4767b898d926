"""Rows of a file with items and labels, one at a time, each with the number by which it is found.

What can't be read is a row of its own that says why. Only a file that can't be read as a whole raises.
"""

from __future__ import annotations

import codecs
import csv
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from bootstrap.classes import plain_answer
from bootstrap.errors import InvalidInput
from bootstrap.records import SKIP, Class, Skip
from bootstrap.store.files.columns import column_names, refuse_without_items, refuse_without_labels
from bootstrap.store.files.exporting import format_of
from bootstrap.store.files.label_studio import answers_of, item_of, read_tasks
from bootstrap.store.files.parquet import read_parquet
from bootstrap.store.files.spreadsheet import restored
from bootstrap.store.payloads import decoded

__all__ = ["BadRow", "ImportAnswer", "ImportRow", "Unit", "read_import", "unit_of"]

#: What the numbers of rows count.
Unit: TypeAlias = Literal["line", "row", "task"]

_UNITS: Final[Mapping[str, Unit]] = {"parquet": "row", "label-studio": "task"}

#: Characters in one cell. A longer one is hardly a text: a closing quote is missing.
_LONGEST_CELL: Final = 10_000_000

_Cells: TypeAlias = Mapping[str, Any]
_Names: TypeAlias = Mapping[str, tuple[str, ...]]  # field -> what its column may be called


@dataclass(frozen=True, slots=True)
class ImportAnswer:
    """One thing that somebody said of an item.

    Attributes
    ----------
    at : float or None
        When, seconds since the epoch, where the file says so.
    """

    label: Class | Skip
    by: str | None = None
    at: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One item of a file.

    Attributes
    ----------
    line : int
        On which it begins; in Parquet the number of the row, in Label Studio's JSON that of the task. From 1.
    id : str or None
    item : object
        None where the file does not say.
    answers : tuple of ImportAnswer
        The label first, then all other answers.
    is_unsettled : bool
        Whether there are answers and no class counts, so that they were left out: people disagree, could not
        tell, or more of them were to be asked.
    n_traps : int
        Answers to traps, left out as well.
    is_text : bool
        Whether the file can write labels only as text.
    """

    line: int
    id: str | None
    item: Any
    answers: tuple[ImportAnswer, ...] = ()
    is_unsettled: bool = False
    n_traps: int = 0
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be read, and why."""

    line: int
    why: str


_Found: TypeAlias = Iterator[tuple[int, _Cells] | BadRow]


def read_import(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    spreadsheet_safe: bool = True,
    needs_labels: bool = False,
) -> Iterator[ImportRow | BadRow]:
    """The rows of a file, in order, with no more of it in memory than one.

    Parameters
    ----------
    path : path
        Text files are UTF-8, with or without a byte order mark. A CSV file has a header; its cells are
        parted by commas, or by semicolons or tabs if its header holds no comma.
    format : {"jsonl", "csv", "parquet", "label-studio"}, optional
        By default by the ending: .jsonl, .csv, .parquet, .json.
    columns : mapping, optional
        What the columns are called in the file: {"item": "utterance", "label": "intent"}. Without it they
        are `id`, `item` (or `text`), `label`, `by`, `at`, `reason`, as `export` calls them.
    spreadsheet_safe : bool
        For CSV: take off the apostrophes that `export` puts before formulas. False for a file that was
        written with `spreadsheet_safe=False`.
    needs_labels : bool
        Refuse a file that has no place for labels.

    Raises
    ------
    InvalidInput
        If the file can't be read, is not UTF-8, or (CSV, Parquet) has no column for an id or an item. With
        `needs_labels`, if it has no column for labels, or no JSON line has any.
    MissingExtra
        If pyarrow is not installed, for Parquet.
    """
    path = Path(path)
    kind = format_of(path, format)
    names = column_names(columns)
    _check(path, is_text=kind != "parquet")
    if kind == "label-studio":
        return _tasks(path)
    if kind == "jsonl":
        found = _json_rows(path)
        return _rows(_some_with_labels(found, path, names) if needs_labels else found, names, is_text=False)
    found = _csv_rows(path, spreadsheet_safe) if kind == "csv" else read_parquet(path)
    return _rows(_with_columns(found, path, names, needs_labels), names, is_text=kind == "csv")


def unit_of(path: str | os.PathLike[str], format: str | None = None) -> Unit:
    """What the numbers of the rows of a file count.

    Raises
    ------
    InvalidInput
        If its format is none that is known.
    """
    return _UNITS.get(format_of(Path(path), format), "line")


def _with_columns(found: _Found, path: Path, names: _Names, needs_labels: bool) -> _Found:
    """The rows of a table, all of which have the columns that the first one has."""
    is_checked = False
    for row in found:
        if not is_checked and not isinstance(row, BadRow):
            refuse_without_items(path, row[1], names)
            if needs_labels:
                refuse_without_labels(path, row[1], names)
            is_checked = True
        yield row


def _some_with_labels(found: _Found, path: Path, names: _Names) -> _Found:
    """JSON lines, each of which may have other columns."""
    columns: dict[str, None] = {}
    for row in found:
        if not isinstance(row, BadRow):
            columns |= dict.fromkeys(row[1])
        yield row
    if columns:
        refuse_without_labels(path, columns, names)


def _rows(found: _Found, names: _Names, *, is_text: bool) -> Iterator[ImportRow | BadRow]:
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        line, cells = row
        try:
            yield _row(line, cells, names, is_text)
        except InvalidInput as error:
            yield BadRow(line, str(error))


def _row(line: int, cells: _Cells, names: _Names, is_text: bool) -> ImportRow:
    said = {
        field: next((cells[column] for column in columns if column in cells), None)
        for field, columns in names.items()
    }
    if is_text:
        said = {name: None if value == "" and name != "item" else value for name, value in said.items()}
    if said["id"] is None and said["item"] is None:
        wanted = f"{names['id'][0]!r} or {names['item'][0]!r}"
        raise InvalidInput(f"there is no {wanted}; it has {', '.join(map(repr, cells)) or 'nothing'}")
    second = cells.get("second")  # a column of its own in JSON lines, else one of the others
    others = [second] if isinstance(second, dict) else []
    answers, is_unsettled, n_traps = _judged(said, others + _others(said["others"]))
    name = None if said["id"] is None else str(said["id"])
    item = said["item"] if is_text else decoded(said["item"])
    return ImportRow(line, name, item, answers, is_unsettled, n_traps, is_text)


def _judged(
    said: Mapping[str, Any], others: list[dict[str, Any]]
) -> tuple[tuple[ImportAnswer, ...], bool, int]:
    """(what counts of the answers about one item, whether some do not, how many were to traps).

    The others count beside a class only. Without one people disagree, could not tell, or more of them are to
    be asked: then none of the others is the label either.
    """
    label = [_answer(said)] if said["label"] is not None or _is_true(said["skip"]) else []
    undone = {other["undoes"] for other in others if other.get("undoes") is not None}
    live = [other for other in others if "undoes" not in other and other.get("number") not in undone]
    beside = [_answer(other) for other in live if other.get("source") != "trap"]
    has_class = bool(label) and label[0].label is not SKIP
    answers = tuple(label + beside if has_class else label)
    return answers, len(answers) < len(label + beside), len(live) - len(beside)


def _others(said: Any) -> list[dict[str, Any]]:
    """Answers beside the one that counts: a list, or the JSON of one."""
    try:
        others = json.loads(said) if isinstance(said, str) else said or []
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"'others' is no JSON ({error})") from None
    if not isinstance(others, list) or not all(isinstance(other, dict) for other in others):
        raise InvalidInput(f"'others' is no list of answers: {others!r}")
    numbers = [other.get(name) for other in others for name in ("number", "undoes")]
    wrong = next((n for n in numbers if n is not None and not isinstance(n, int)), None)
    if wrong is not None:
        raise InvalidInput(f"'others' has the number {wrong!r}, which is no whole number")
    return others


def _answer(said: Mapping[str, Any]) -> ImportAnswer:
    label = SKIP if _is_true(said.get("skip")) else plain_answer(said.get("label"))
    by, at, reason = said.get("by"), said.get("at"), said.get("reason")
    try:
        when = None if at is None else float(at)
        if when is not None:
            datetime.fromtimestamp(when, UTC)  # milliseconds would be a year that no calendar has
    except (TypeError, ValueError, OverflowError, OSError):
        raise InvalidInput(f"at={at!r} is no number of seconds since the epoch") from None
    return ImportAnswer(label, None if by is None else str(by), when, None if reason is None else str(reason))


def _is_true(value: Any) -> bool:
    return value is True or value == "true"


# the formats


def _check(path: Path, *, is_text: bool) -> None:
    """Refuse a file that can't be read from beginning to end, before anything of it is used."""
    try:
        with path.open("rb") as file:
            decoder = codecs.getincrementaldecoder("utf-8")()
            line = 1
            while is_text and (some := file.read(2**20)):
                decoder.decode(some)
                line += some.count(b"\n")
            decoder.decode(b"", final=True)
    except OSError as error:
        raise InvalidInput(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line += error.object.count(b"\n", 0, error.start)
        raise InvalidInput(
            f"Line {line} of {path} is not UTF-8 (byte 0x{error.object[error.start]:02x}). Save the file in "
            'that encoding; in Excel the type is called "CSV UTF-8".'
        ) from None


def _json_rows(path: Path) -> _Found:
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        for line, content in enumerate(file, 1):
            if not content.strip():
                continue
            try:
                row = json.loads(content)
                if "\\u" in content:
                    _refuse_halves(row)
            except InvalidInput as error:
                yield BadRow(line, str(error))
                continue
            except (ValueError, RecursionError) as error:
                yield BadRow(line, f"is no JSON ({error})")
                continue
            if isinstance(row, dict):
                yield line, row
            else:
                yield BadRow(line, 'is no JSON object, such as {"item": "where is my card?"}')


def _refuse_halves(said: Any) -> None:
    """Half of a character can be written in JSON, and is no text that a store could keep."""
    try:
        json.dumps(said, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start : error.end]
        raise InvalidInput(f"holds {half!a}, which is half of a character") from None


def _csv_rows(path: Path, spreadsheet_safe: bool) -> _Found:
    longest = csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            marks = next((mark for mark in ",;\t" if mark in first), ",")
            yield from _by_name(path, csv.reader(file, delimiter=marks, strict=True), spreadsheet_safe)
    finally:
        csv.field_size_limit(longest)


def _by_name(path: Path, reader: Any, spreadsheet_safe: bool) -> _Found:
    header: list[str] = []
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            quotes = "a text that holds quotes stands in quotes, and quotes inside it are doubled"
            yield BadRow(line, f"can't be read as CSV ({error}): {quotes}")
            line = reader.line_num + 1
            continue
        if cells is None:
            return
        begins, line = line, reader.line_num + 1
        if not cells:  # a blank line
            continue
        if spreadsheet_safe:
            cells = [restored(cell) for cell in cells]
        if not header:
            header = cells
            twice = next((name for name in header if header.count(name) > 1), None)
            if twice is not None:
                raise InvalidInput(
                    f"{path} has more than one column named {twice!r}: give each its own name."
                )
        elif len(cells) == len(header):
            yield begins, dict(zip(header, cells, strict=True))
        else:
            yield BadRow(begins, f"has {len(cells)} cells and the header has {len(header)}")


def _tasks(path: Path) -> Iterator[ImportRow | BadRow]:
    for number, task in enumerate(read_tasks(path), 1):
        try:
            if isinstance(task, InvalidInput):
                raise task
            if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
                raise InvalidInput("is no task: an object with data")
            _refuse_halves(task)
            name, item = item_of(task)
            answers = tuple(ImportAnswer(*said) for said in answers_of(task))
        except InvalidInput as error:
            yield BadRow(number, str(error))
            continue
        yield ImportRow(number, name, item, answers, is_text=True)
