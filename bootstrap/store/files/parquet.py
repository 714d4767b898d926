"""Parquet, by pyarrow, which is loaded only here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from bootstrap.errors import InvalidInput, MissingExtra
from bootstrap.records import SKIP
from bootstrap.store.files.reading_out import ExportedItem
from bootstrap.store.files.spreadsheet import COLUMNS, as_cell, others_as_json

__all__ = ["ParquetWriter", "read_parquet"]

_ROWS: Final = 2000  # at a time


class ParquetWriter:
    """Writes a row an item, with the columns of the CSV file.

    Parameters
    ----------
    file : binary file
    labels_are : {str, int, bool}
        What the column `label` holds.

    Raises
    ------
    MissingExtra
        If pyarrow is not installed.
    """

    def __init__(self, file: BinaryIO, labels_are: type) -> None:
        pa, pq = _pyarrow("Writing Parquet")
        self._pa = pa
        text = pa.string()
        self._label_is_text = labels_are is str
        label = {int: pa.int64(), bool: pa.bool_()}.get(labels_are, text)
        kinds = {
            "label": label,
            "skip": pa.bool_(),
            "blind": pa.bool_(),
            "at": pa.float64(),
            "round": pa.int64(),
        }
        self._schema = pa.schema([(name, kinds.get(name, text)) for name in COLUMNS])
        self._writer = pq.ParquetWriter(file, self._schema)

    def write(self, page: list[ExportedItem]) -> None:
        """Add these items."""
        rows = [self._row(row) for row in page]
        self._writer.write_table(self._pa.Table.from_pylist(rows, schema=self._schema))

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()

    def _row(self, row: ExportedItem) -> dict[str, Any]:
        said: dict[str, Any] = {"loop": row.loop, "id": row.id, "item": None, "others": others_as_json(row)}
        if row.item is not None:
            said["item"] = as_cell(row.item).encode("utf-8", "backslashreplace").decode()
        first = row.first
        if first is not None:
            label = None if first.label is SKIP else first.label
            said["label"] = as_cell(label) if self._label_is_text and label is not None else label
            said["skip"] = first.label is SKIP
            said |= {
                name: getattr(first, name) for name in ("reason", "source", "by", "at", "round", "blind")
            }
        return said


def read_parquet(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number of the row from 1, its values by column) of a file, some thousand rows at a time.

    Raises
    ------
    InvalidInput
        If it is no Parquet file.
    MissingExtra
        If pyarrow is not installed.
    """
    pa, pq = _pyarrow("Reading Parquet")
    try:
        with pq.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"{path} can't be read as Parquet ({error}).") from None


def _pyarrow(doing: str) -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtra(doing, "pyarrow", "parquet") from None
    return pa, pq
