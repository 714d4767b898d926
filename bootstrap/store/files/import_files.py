"""Rows of a file with items and labels, one at a time, each with the line on which it begins.

What can't be read is a row of its own that says why. Only a file that can't be read as a whole raises.
"""

from __future__ import annotations

import codecs
import csv
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from bootstrap.classes import plain_answer
from bootstrap.errors import InvalidInput
from bootstrap.records import SKIP, Class, Skip
from bootstrap.store.files.exporting import format_of
from bootstrap.store.files.label_studio import answers_of, item_of, read_tasks
from bootstrap.store.files.parquet import read_parquet
from bootstrap.store.files.spreadsheet import restored
from bootstrap.store.payloads import decoded

__all__ = ["BadRow", "ImportAnswer", "ImportRow", "read_import"]

_NAMES: Final = ("id", "item", "label", "by", "at", "reason", "skip", "others")

#: Characters in one cell. A longer one is hardly a text: a closing quote is missing.
_LONGEST_CELL: Final = 10_000_000

_Cells: TypeAlias = Mapping[str, Any]


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
        On which it begins, from 1; in Parquet the number of the row.
    id : str or None
    item : object
        None where the file does not say.
    answers : tuple of ImportAnswer
        The label first, then all other answers.
    is_text : bool
        Whether the file can write labels only as text.
    """

    line: int
    id: str | None
    item: Any
    answers: tuple[ImportAnswer, ...] = ()
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be read, and why."""

    line: int
    why: str


def read_import(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    spreadsheet_safe: bool = True,
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

    Raises
    ------
    InvalidInput
        If the file can't be read, is not UTF-8, or has no column for an id or an item.
    MissingExtra
        If pyarrow is not installed, for Parquet.
    """
    path = Path(path)
    kind = format_of(path, format)
    unknown = sorted(set(columns or ()) - set(_NAMES))
    if unknown:
        raise InvalidInput(f"columns= names {unknown[0]!r}, which is none of {', '.join(_NAMES)}")
    _check(path, is_text=kind != "parquet")
    if kind == "label-studio":
        return _tasks(path)
    if kind == "csv":
        return _rows(_csv_rows(path, spreadsheet_safe), columns, is_text=True)
    return _rows(_json_rows(path) if kind == "jsonl" else read_parquet(path), columns, is_text=False)


def _rows(
    found: Iterator[tuple[int, _Cells] | BadRow], columns: Mapping[str, str] | None, *, is_text: bool
) -> Iterator[ImportRow | BadRow]:
    name_of = {name: name for name in _NAMES} | dict(columns or {})
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        line, cells = row
        try:
            yield _row(line, cells, name_of, is_text)
        except InvalidInput as error:
            yield BadRow(line, str(error))


def _row(line: int, cells: _Cells, name_of: Mapping[str, str], is_text: bool) -> ImportRow:
    said = {name: cells.get(column) for name, column in name_of.items()}
    if name_of["item"] == "item" and "item" not in cells:
        said["item"] = cells.get("text")
    if is_text:
        said = {name: None if value == "" and name != "item" else value for name, value in said.items()}
    if said["id"] is None and said["item"] is None:
        wanted = f"{name_of['id']!r} or {name_of['item']!r}"
        raise InvalidInput(f"there is no {wanted}; it has {', '.join(map(repr, cells)) or 'nothing'}")
    others = _others(said["others"])
    undone = {other["undoes"] for other in others if other.get("undoes") is not None}
    answers = [_answer(said)] if said["label"] is not None or _is_true(said["skip"]) else []
    answers += [
        _answer(other) for other in others if "undoes" not in other and other.get("number") not in undone
    ]
    item = said["item"] if is_text else decoded(said["item"])
    return ImportRow(line, None if said["id"] is None else str(said["id"]), item, tuple(answers), is_text)


def _others(said: Any) -> list[dict[str, Any]]:
    """Answers beside the one that counts: a list, or the JSON of one."""
    try:
        others = json.loads(said) if isinstance(said, str) else said or []
    except ValueError as error:
        raise InvalidInput(f"'others' is no JSON ({error})") from None
    if not isinstance(others, list) or not all(isinstance(other, dict) for other in others):
        raise InvalidInput(f"'others' is no list of answers: {others!r}")
    return others


def _answer(said: Mapping[str, Any]) -> ImportAnswer:
    label = SKIP if _is_true(said.get("skip")) else plain_answer(said.get("label"))
    by, at, reason = said.get("by"), said.get("at"), said.get("reason")
    try:
        when = None if at is None else float(at)
    except (TypeError, ValueError):
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


def _json_rows(path: Path) -> Iterator[tuple[int, _Cells] | BadRow]:
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        for line, content in enumerate(file, 1):
            if not content.strip():
                continue
            try:
                row = json.loads(content)
            except ValueError as error:
                yield BadRow(line, f"is no JSON ({error})")
                continue
            if isinstance(row, dict):
                yield line, row
            else:
                yield BadRow(line, 'is no JSON object, such as {"item": "where is my card?"}')


def _csv_rows(path: Path, spreadsheet_safe: bool) -> Iterator[tuple[int, _Cells] | BadRow]:
    longest = csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            marks = next((mark for mark in ",;\t" if mark in first), ",")
            yield from _by_name(path, csv.reader(file, delimiter=marks, strict=True), spreadsheet_safe)
    finally:
        csv.field_size_limit(longest)


def _by_name(path: Path, reader: Any, spreadsheet_safe: bool) -> Iterator[tuple[int, _Cells] | BadRow]:
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
    for line, task in read_tasks(path):
        try:
            if isinstance(task, InvalidInput):
                raise task
            if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
                raise InvalidInput("is no task: an object with data")
            name, item = item_of(task)
            answers = tuple(ImportAnswer(*said) for said in answers_of(task))
        except InvalidInput as error:
            yield BadRow(line, str(error))
            continue
        yield ImportRow(line, name, item, answers, is_text=True)
