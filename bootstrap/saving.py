"""Each answer on the disk as it comes, before the labeler is asked for the next one."""

from __future__ import annotations

from typing import Any

from bootstrap.errors import InvalidInput
from bootstrap.exchange import Exchange
from bootstrap.records import Query
from bootstrap.store.answers import LabelRow
from bootstrap.store.database import Database
from bootstrap.store.loops.loop_record import LoopRecord

__all__ = ["Saving"]


class Saving:
    """Stores the answers of one call to a labeler; the loop takes them afterwards.

    Parameters
    ----------
    exchange : Exchange
        Checks the answers.
    database : Database
    record : LoopRecord
    query_of : mapping
        (row, whether second) -> id of the query.
    by : str or None
        Who answers.
    """

    def __init__(
        self,
        exchange: Exchange,
        database: Database,
        record: LoopRecord,
        query_of: dict[tuple[int, bool], int],
        by: str | None,
    ) -> None:
        self._exchange = exchange
        self._database = database
        self._record = record
        self._query_of = query_of
        self._by = by
        self._saved: dict[tuple[str, bool], LabelRow] = {}
        self._ids: dict[tuple[str, bool], int] = {}

    def save(self, pairs: list[tuple[Query, Any]]) -> None:
        """Store answers that came at the same time; one that can't be taken is left for `tell` to refuse."""
        checked = []
        for query, answer in pairs:
            try:
                checked.append((query, *self._exchange.checked(query.token, answer, second=query.second)))
            except InvalidInput:
                continue
        if not checked:
            return
        with self._database.writing() as connection:
            at = self._database.time(connection)
            item_of = self._record.items_of(connection, [row for _, row, _, _ in checked])
            rows = [
                LabelRow(
                    loop_id=self._record.id,
                    item_id=item_of[row],
                    row=row,
                    label=label,
                    source=source,
                    by=self._by,
                    round=query.round,
                    query_id=self._query_of.get((row, query.second)),
                    class_version=self._record.class_version,
                )
                for query, row, label, source in checked
            ]
            saved = self._record.save_answers(connection, at, rows)
        for (query, *_), row, (_, label_id) in zip(checked, rows, saved, strict=True):
            if label_id is not None:
                self._saved[query.id, query.second], self._ids[query.id, query.second] = row, label_id

    def undo(self, query: Query) -> None:
        """Take an answer back that was stored in this call."""
        key = (query.id, query.second)
        row = self._saved.pop(key, None)
        if row is not None:
            with self._database.writing() as connection:
                at = self._database.time(connection)
                self._record.undo(connection, at, row, self._ids.pop(key))
