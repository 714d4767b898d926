"""CSV files that a spreadsheet may open: no cell of them is run as a formula.

A cell that begins with `=`, `+`, `-`, `@`, a tab or a line break (also in their full-width forms) gets an
apostrophe in front, however many apostrophes it begins with already, so that taking one off again gives back
exactly what was there.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any, BinaryIO, Final

from bootstrap.records import SKIP, Class, Skip
from bootstrap.store.files.reading_out import Answer, ExportedItem
from bootstrap.store.payloads import encoded

__all__ = ["COLUMNS", "SpreadsheetWriter", "as_cell", "neutralised", "others_as_json", "restored"]

#: The columns of a file, in order.
COLUMNS: Final = (
    "loop",
    "id",
    "item",
    "label",
    "skip",
    "reason",
    "source",
    "by",
    "at",
    "round",
    "blind",
    "others",
)

_RUN: Final = tuple("=+-@\t\r\n＝＋－＠")


def neutralised(cell: str) -> str:
    """The cell such that no spreadsheet runs it; :func:`restored` takes that back."""
    return "'" + cell if cell.lstrip("'").startswith(_RUN) else cell


def restored(cell: str) -> str:
    """What :func:`neutralised` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_RUN) else cell


def as_cell(value: Any) -> str:
    """A value as text: a text as it is, nothing as nothing, all else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(encoded(value), ensure_ascii=False)


def others_as_json(row: ExportedItem) -> str | None:
    """All answers but the label that counts; None where there are none."""
    said = [] if row.second is None else [row.second.as_json() | {"stands": True}]
    said += [answer.as_json() for answer in row.others]
    return json.dumps(said) if said else None


class SpreadsheetWriter:
    """Writes CSV in UTF-8.

    Parameters
    ----------
    file : binary file
    safe : bool
        Neutralise formulas, and begin with a byte order mark, which tells Excel the encoding.
    """

    def __init__(self, file: BinaryIO, *, safe: bool) -> None:
        self._file = file
        self._safe = safe
        if safe:
            file.write(b"\xef\xbb\xbf")
        self._write([list(COLUMNS)])

    def write(self, page: list[ExportedItem]) -> None:
        """Add these items."""
        self._write([_cells(row) for row in page])

    def close(self) -> None:
        """Nothing ends it."""

    def _write(self, rows: list[list[str]]) -> None:
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        for cells in rows:
            writer.writerow([neutralised(cell) for cell in cells] if self._safe else cells)
        self._file.write(text.getvalue().encode("utf-8", "backslashreplace"))


def _cells(row: ExportedItem) -> list[str]:
    first = row.first
    said = [""] * 8 if first is None else _cells_of_answer(first)
    return [row.loop, row.id, as_cell(row.item), *said, others_as_json(row) or ""]


def _cells_of_answer(answer: Answer) -> list[str]:
    label: Class | Skip | None = answer.label
    is_skip = label is SKIP
    said = ["" if is_skip else as_cell(label), as_cell(is_skip), as_cell(answer.reason), answer.source]
    return [*said, as_cell(answer.by), as_cell(answer.at), as_cell(answer.round), as_cell(answer.blind)]
