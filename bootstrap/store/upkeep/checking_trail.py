"""The part of a check that goes through the trail: each entry is intact and fits its rows, or is told."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import groupby
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Table, select
from sqlalchemy.exc import DBAPIError

from bootstrap.store.covered import COVERED, columns_of
from bootstrap.store.schema import store, trail
from bootstrap.store.trail import digest, entry_hash
from bootstrap.store.upkeep.findings import Findings, key_as_text, named, streamed

__all__ = ["TrailCheck"]

_CHUNK: Final = 1000

#: A table with the keys of the first and the last of some of its rows.
_Range: TypeAlias = tuple[Table, tuple[Any, ...], tuple[Any, ...]]


class TrailCheck:
    """It holds one chunk of entries or rows, and which keys it has met, as ranges.

    Parameters
    ----------
    connection : Connection
    findings : Findings

    Attributes
    ----------
    entries : int
    head : str
        The hash of the last entry.
    taken_up_to : dict
        Loop -> the last label that it has read, by the trail.
    """

    def __init__(self, connection: Connection, findings: Findings) -> None:
        self.entries = 0
        self.head = "0" * 64
        self.taken_up_to: dict[int, int] = {}
        self._connection = connection
        self._findings = findings
        self._met: dict[str, _Keys] = {table.name: _Keys(table) for table in _covered_tables()}

    def go_through(self) -> None:
        """Every entry in turn, and where the store says that they end."""
        last = 0
        for entry in self._each():
            if entry.seq != last + 1:
                gone = (
                    f"Entry {last + 1}" if entry.seq == last + 2 else f"Entries {last + 1} to {entry.seq - 1}"
                )
                self._findings.say(f"{gone} of the trail: removed.")
            if self._is_intact(entry, follows=entry.seq == last + 1):
                self._compare_rows(entry, is_certain=entry.seq == last + 1)
            self.entries += 1
            self.head, last = entry.hash, entry.seq
        told = self._connection.execute(select(store.c.trail_head, store.c.trail_length)).first()
        if told is None:
            self._findings.say("The row of the table store is gone, which says where the trail ends.")
        elif told.trail_length != last or told.trail_head != self.head:
            self._findings.say(
                f"The trail ends with entry {last}, but the store was written up to entry "
                f"{told.trail_length}: the last entries or the note of where it ends were edited or removed."
            )

    def _each(self) -> Iterator[Any]:
        last = 0
        while chunk := self._connection.execute(
            select(trail).where(trail.c.seq > last).order_by(trail.c.seq).limit(_CHUNK)
        ).all():
            yield from chunk
            last = chunk[-1].seq

    def _is_intact(self, entry: Any, *, follows: bool) -> bool:
        expected = entry_hash(
            self.head, entry.seq, entry.loop_id, entry.kind, entry.body, entry.digest, entry.at
        )
        intact: bool = entry.hash == expected
        if not intact and follows:
            self._findings.say(f"Entry {entry.seq} of the trail ({entry.kind}): edited, or put in.")
        return intact or not follows

    def _compare_rows(self, entry: Any, *, is_certain: bool) -> None:
        found: list[_Range] = []
        try:
            # What a forged body asks for may not even be a query; a savepoint lets the check go on.
            with nullcontext() if is_certain else self._connection.begin_nested():
                body = json.loads(entry.body)
                fits = digest(self._rows_of(entry, body, found)) == entry.digest
                if entry.kind == "taken":
                    self.taken_up_to[entry.loop_id] = int(body["up_to"])
        except (DBAPIError, KeyError, OverflowError, TypeError, ValueError):
            self._findings.say(f"Entry {entry.seq} of the trail ({entry.kind}) can't be read.")
            return
        if not fits:
            self._findings.say(
                f"Entry {entry.seq} of the trail ({entry.kind}) does not fit its rows ({_listed(found)}): "
                f"some were edited, removed or put in.{self._about(found)}"
            )

    def _about(self, found: Sequence[_Range]) -> str:
        """Which items the rows are about, as a sentence; empty where that can't be said."""
        for table, first, last in found:
            of_first, of_last = self._findings.name_of(table, first), self._findings.name_of(table, last)
            if of_first is not None:
                return f" It is about item {of_first!r}" + ("." if first == last else f" to {of_last!r}.")
        return ""

    def _rows_of(self, entry: Any, body: Any, found: list[_Range]) -> Iterator[Sequence[Any]]:
        """The rows that an entry speaks of; `found` has the first and last key of each table afterwards."""
        for part in COVERED.get(entry.kind, []):
            table, met = part.table, self._met[part.table.name]
            first = last = None
            for row in part.rows(self._connection, body, entry.loop_id):
                key = met.key_of(row)
                if not met.add(key):
                    which = self._findings.row(table, key)
                    self._findings.say(f"Row {which} is in two entries of the trail, {entry.seq} is one.")
                first, last = first or key, key
                yield row
            if first is not None and last is not None:
                found.append((table, first, last))

    def look_for_rows_without_an_entry(self) -> None:
        """Rows that none of the entries speaks of."""
        for table in _covered_tables():
            chosen = select(*table.primary_key.columns).order_by(*table.primary_key.columns)
            for row in streamed(self._connection, chosen):
                if tuple(row) not in self._met[table.name]:
                    named = self._findings.row(table, tuple(row))
                    self._findings.say(
                        f"Row {named} is in no entry of the trail: put in, or its entry is gone."
                    )


def _listed(found: Sequence[_Range]) -> str:
    some = (
        named(table, first) + ("" if first == last else f" to {key_as_text(last)}")
        for table, first, last in found
    )
    return " and ".join(some) or "none of them is left"


class _Keys:
    """A set of keys of a table; those that end in a whole number are held as ranges."""

    def __init__(self, table: Table) -> None:
        columns = columns_of(table)
        self._at = [columns.index(column.name) for column in table.primary_key.columns]
        self._ranges: dict[tuple[Any, ...], list[list[int]]] = {}
        self._others: set[tuple[Any, ...]] = set()

    def key_of(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """The key in what is covered of a row."""
        return tuple([row[i] for i in self._at])

    def add(self, key: tuple[Any, ...]) -> bool:
        """Whether it is new."""
        if not isinstance(key[-1], int):
            is_new = key not in self._others
            self._others.add(key)
            return is_new
        ranges = self._ranges.setdefault(key[:-1], [])
        if ranges and ranges[-1][1] + 1 == key[-1]:  # as writers go on
            ranges[-1][1] += 1
            return True
        if key in self:
            return False
        at = bisect_right(ranges, [key[-1]])
        if at and ranges[at - 1][1] + 1 == key[-1]:
            ranges[at - 1][1] += 1
        else:
            ranges.insert(at, [key[-1], key[-1]])
        return True

    def __contains__(self, key: tuple[Any, ...]) -> bool:
        if not isinstance(key[-1], int):
            return key in self._others
        ranges = self._ranges.get(key[:-1], [])
        at = bisect_right(ranges, [key[-1], key[-1]])
        near = ranges[max(at - 1, 0) : at + 1]
        return any(first <= key[-1] <= last for first, last in near)


def _covered_tables() -> list[Table]:
    every = sorted((part.table for parts in COVERED.values() for part in parts), key=lambda table: table.name)
    return [table for table, _ in groupby(every)]
