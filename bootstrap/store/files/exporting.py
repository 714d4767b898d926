"""Everything that a store knows about its items, in a file: JSON lines, CSV, Parquet or Label Studio's JSON.

One state of the store is read, some thousand items at a time, so that memory does not grow with it. The
file appears when it is whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from sqlalchemy import Connection, select

from bootstrap.errors import BootstrapError, InvalidInput, StoreError
from bootstrap.records import SKIP
from bootstrap.store.answers import label_from
from bootstrap.store.database import Database, opened
from bootstrap.store.files.label_studio import TaskWriter
from bootstrap.store.files.parquet import ParquetWriter
from bootstrap.store.files.reading_out import ExportedItem, read_out
from bootstrap.store.files.spreadsheet import SpreadsheetWriter
from bootstrap.store.loop_names import some_loops
from bootstrap.store.payloads import encoded
from bootstrap.store.schema import labels

__all__ = ["Exported", "export", "format_of"]

#: Ending -> format.
_FORMATS: Final = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".json": "label-studio",
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes
    ----------
    path : Path
    n_items : int
        Rows of the loops' pools: an item that two loops hold counts twice.
    n_labels : int
        Those whose label is a class.
    n_skipped : int
        Those that were answered, and nobody could tell.
    n_extra : int
        Answers beside the labels that count, second ones not among them.
    n_unsettled : int
        Those that were answered, and nothing counts: people disagree, or more of them are asked. What they
        said is passed over by `import_items`, and left out of Label Studio's JSON.
    n_erased : int
        Items whose content was erased: what was said of them is written all the same.
    """

    path: Path
    n_items: int = 0
    n_labels: int = 0
    n_skipped: int = 0
    n_extra: int = 0
    n_unsettled: int = 0
    n_erased: int = 0


class _Writer(Protocol):
    """Writes one file, page by page."""

    def write(self, page: list[ExportedItem]) -> None:
        """Add these items."""
        ...

    def close(self) -> None:
        """Write what ends the file, which is deleted where something failed."""
        ...


def export(
    storage: str | Database,
    path: str | os.PathLike[str],
    *,
    loop: str | None = None,
    format: str | None = None,
    spreadsheet_safe: bool = True,
) -> Exported:
    """Write all items of a loop, or of all loops, and what was said of them.

    JSON lines hold everything, and `import_items` reads them back. CSV and Parquet hold a row an item, with
    the other answers as JSON in one column. Among those, answers to traps have the source `trap`, and where
    nothing counts yet, `label` is empty. Label Studio's JSON holds tasks with what the model said when the
    item was last asked about (`predictions`), and the label that counts with answers beside it
    (`annotations`): no answers to traps, and none where nothing counts, so that people are asked there.

    Parameters
    ----------
    storage : str or Database
        URL of a store that exists, or an open one.
    path : path
        A file that is there already is replaced once the new one is whole.
    loop : str, optional
        Only this one.
    format : {"jsonl", "csv", "parquet", "label-studio"}, optional
        By default by the ending: .jsonl, .csv, .parquet, .json.
    spreadsheet_safe : bool
        For CSV: put an apostrophe before what a spreadsheet would run as a formula, and a byte order mark
        in front, so that Excel knows the encoding; `import_items` takes both off again. False writes the
        values as they are, for programs.

    Raises
    ------
    InvalidInput
        If the format or the loop is not known.
    MissingExtra
        If pyarrow is not installed, for Parquet.
    StoreError
        If the store can't be read or the file can't be written; what was at `path` is there still.
    """
    path = Path(path)
    kind = format_of(path, format)
    with opened(storage) as database, database.reading() as connection:
        names = some_loops(connection, loop)
        tally = _Tally()
        with (
            _whole_or_not_at_all(path) as file,
            closing(_writer(kind, file, spreadsheet_safe, connection)) as writer,
        ):
            for page in read_out(connection, names):
                writer.write(page)
                tally.add(page)
    return Exported(path, **tally.counts)


def format_of(path: Path, format: str | None) -> str:
    """The format of a file, by name or by its ending.

    Raises
    ------
    InvalidInput
        If it is none that is known.
    """
    known = sorted(set(_FORMATS.values()))
    if format is None:
        format = _FORMATS.get(path.suffix.lower())
        if format is None:
            raise InvalidInput(
                f"{path} ends in {path.suffix!r}: name a file that ends in {', '.join(_FORMATS)}, or say "
                f"format= ({', '.join(known)})"
            )
    if format not in known:
        raise InvalidInput(f"format={format!r} is not one of {', '.join(known)}")
    return format


def _kind_of_labels(connection: Connection) -> type:
    """Of which kind the classes are, for a format that has to know beforehand; str where they are mixed."""
    known = connection.execute(select(labels.c.label).where(labels.c.label.is_not(None)).distinct()).scalars()
    kinds = {type(label_from(text)) for text in known}
    return kinds.pop() if len(kinds) == 1 else str


@dataclass(slots=True)
class _Tally:
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("n_items", "n_labels", "n_skipped", "n_extra", "n_unsettled", "n_erased"), 0
        )
    )

    def add(self, page: list[ExportedItem]) -> None:
        said = [row.first.label for row in page if row.first is not None]
        skipped = sum(label is SKIP for label in said)
        self.counts["n_items"] += len(page)
        self.counts["n_labels"] += len(said) - skipped
        self.counts["n_skipped"] += skipped
        self.counts["n_extra"] += sum(answer.undoes is None for row in page for answer in row.others)
        self.counts["n_unsettled"] += sum(row.is_unsettled for row in page)
        self.counts["n_erased"] += sum(row.erased for row in page)


# files


@contextmanager
def _whole_or_not_at_all(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place in the end, or is deleted where something fails."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, BootstrapError):
            raise StoreError(
                f"Cannot write {path}: {error.strerror}. Check that its folder exists, may be written to and "
                "has room."
            ) from error
        raise


class _JsonLines:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, page: list[ExportedItem]) -> None:
        self._file.writelines(json.dumps(_as_json(row)).encode() + b"\n" for row in page)

    def close(self) -> None:
        """Nothing ends it."""


def _as_json(row: ExportedItem) -> dict[str, Any]:
    said: dict[str, Any] = {"loop": row.loop, "id": row.id, "item": encoded(row.item)}
    first = row.first
    said |= {"label": None} if first is None else first.as_json()
    if row.second is not None:
        said["second"] = row.second.as_json()
    if row.others:
        said["others"] = [answer.as_json() for answer in row.others]
    if row.copies:
        said["copies"] = list(row.copies)
    if row.erased:
        said["erased"] = True
    return said


def _writer(kind: str, file: BinaryIO, spreadsheet_safe: bool, connection: Connection) -> _Writer:
    if kind == "csv":
        return SpreadsheetWriter(file, safe=spreadsheet_safe)
    if kind == "parquet":
        return ParquetWriter(file, _kind_of_labels(connection))
    if kind == "label-studio":
        return TaskWriter(file)
    return _JsonLines(file)
