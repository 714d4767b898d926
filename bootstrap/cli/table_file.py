"""A table of strings from a CSV or JSON lines file, with the line that each row begins on.

Whatever can't be read is refused with its line number: a row that is silently dropped or cut is never found
again. Values stay the strings they are in the file.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from bootstrap.errors import InvalidInput

__all__ = ["Table", "read_table"]

_Row: TypeAlias = tuple[int, dict[str, str]]  # line, cells

#: Characters in one cell. A longer one is hardly a text: a closing quote is missing.
_LONGEST_CELL: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file.

    Attributes
    ----------
    path : Path
        Where it was read.
    columns : tuple of str
        Their names, in the order of the file.
    lines : tuple of int
        The line on which each row begins, from 1.
    rows : tuple of dict
        Column name -> cell. A cell that is not there is not in the dict.
    """

    path: Path
    columns: tuple[str, ...]
    lines: tuple[int, ...]
    rows: tuple[dict[str, str], ...]

    def column(self, name: str, option: str) -> list[str]:
        """All cells of a column, "" where there is none.

        Parameters
        ----------
        name : str
            The column.
        option : str
            The option that names it, for the message.

        Raises
        ------
        InvalidInput
            If there is no such column; the message lists all and suggests near ones.
        """
        if name not in self.columns:
            near = difflib.get_close_matches(name, self.columns, n=1) or [
                column for column in self.columns if column.strip().casefold() == name.strip().casefold()
            ]
            hint = f" Did you mean {near[0]!r}?" if near else ""
            listed = ", ".join(repr(column) for column in self.columns)
            raise InvalidInput(f"{self.path} has no column {name!r} ({option}).{hint} It has: {listed}.")
        return [row.get(name, "") for row in self.rows]


def read_table(path: Path) -> Table:
    """Read a .csv, .jsonl or .ndjson file in UTF-8, with or without a byte order mark.

    A CSV file has a header; its cells are parted by commas, or by semicolons or tabs if its header holds
    no comma.

    Raises
    ------
    InvalidInput
        If the file can't be read, is of another type, holds no row, or has a line that makes no sense.
    """
    read = {".csv": _read_csv, ".jsonl": _read_json_lines, ".ndjson": _read_json_lines}.get(
        path.suffix.lower()
    )
    if read is None:
        what = f"ends in {path.suffix!r}" if path.suffix else "has no ending"
        raise InvalidInput(
            f"{path} {what}: a table is read from .csv (with a header) or .jsonl (one JSON object a line). "
            "Save or export it as one of these."
        )
    text = _decoded(path)
    if not text.strip():
        raise InvalidInput(f"{path} is empty: there is nothing to label.")
    rows = list(read(path, text))
    if not rows:
        raise InvalidInput(f"{path} has a header but no rows: there is nothing to label.")
    columns = tuple(dict.fromkeys(name for _, cells in rows for name in cells))
    return Table(path, columns, tuple(line for line, _ in rows), tuple(cells for _, cells in rows))


def _decoded(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"Cannot read {path}: {error.strerror}.") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            f"Line {line} of {path} is not UTF-8 (byte 0x{raw[error.start]:02x}). Save the file in that "
            'encoding; in Excel the type is called "CSV UTF-8".'
        ) from None


def _read_csv(path: Path, text: str) -> Iterator[_Row]:
    longest = csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    line = 1
    header: list[str] = []
    try:
        for cells in reader:
            if not header:
                header = _checked_header(path, cells)
            elif cells:  # a blank line has none
                yield line, _by_name(path, line, header, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput(
            f"Line {line} of {path} can't be read as CSV ({error}). A text that holds commas, quotes or "
            'line breaks stands in quotes, and quotes inside it are doubled: "she said ""yes"""'
        ) from None
    finally:
        csv.field_size_limit(longest)


def _delimiter(text: str) -> str:
    header = text.lstrip().split("\n", 1)[0]
    return next((mark for mark in ",;\t" if mark in header), ",")


def _checked_header(path: Path, names: list[str]) -> list[str]:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"{path} has more than one column named {twice!r}: give each its own name.")
    return names


def _by_name(path: Path, line: int, header: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(header):
        raise InvalidInput(
            f"Line {line} of {path} has {len(cells)} cells and the header has {len(header)}. A text that "
            "holds commas, quotes or line breaks must stand in quotes."
        )
    return dict(zip(header, cells, strict=True))


def _read_json_lines(path: Path, text: str) -> Iterator[_Row]:
    wanted = 'Each line must be one object, such as {"text": "where is my card?"}'
    for line, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        try:
            row = json.loads(content)
        except ValueError as error:
            raise InvalidInput(f"Line {line} of {path} is no JSON ({error}). {wanted}") from None
        if not isinstance(row, dict):
            raise InvalidInput(f"Line {line} of {path} is no JSON object but {_kind(row)}. {wanted}")
        yield line, {name: _as_cell(path, line, name, value) for name, value in row.items()}


def _as_cell(path: Path, line: int, name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise InvalidInput(
        f"Line {line} of {path}: {name!r} is {_kind(value)}. A value must be a text, a number or null."
    )


def _kind(value: Any) -> str:
    return {list: "a list", dict: "an object", str: "a text", type(None): "null"}.get(type(value), "a number")
