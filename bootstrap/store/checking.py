"""Is a store what its writers made of it? The trail is gone through, and every row that it speaks of.

A row or an entry that was edited, removed or put in afterwards is found and named. What can't be found: a
store whose whole trail was computed anew from some entry on. Note the head of the trail elsewhere, now and
then, where that has to be excluded: it stands in the report.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, and_, exists, or_, select, text
from sqlalchemy.exc import DBAPIError

from bootstrap.content import content_hash
from bootstrap.store.covered import COVERED, columns_of
from bootstrap.store.database import Database, opened
from bootstrap.store.schema import claims, items, labels, loops, queries, slots, standing, store, trail
from bootstrap.store.trail import digest, entry_hash

__all__ = ["CheckReport", "check"]

_CHUNK: Final = 1000
_MOST_LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found.

    Attributes
    ----------
    entries : int
        In the trail.
    head : str
        The hash of the last entry: it stands for everything before it.
    problems : tuple of str
        What is wrong, each readable; the first 200.
    n_problems : int
    """

    entries: int
    head: str
    problems: tuple[str, ...]
    n_problems: int

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.n_problems == 0

    def __str__(self) -> str:
        if self.ok:
            return f"The store is sound: {self.entries} entries in the trail, head {self.head}."
        more = self.n_problems - len(self.problems)
        listed = [*self.problems, f"and {more} more"] if more else list(self.problems)
        count = "1 problem" if self.n_problems == 1 else f"{self.n_problems} problems"
        return f"The store has {count}:\n" + "\n".join(f"- {line}" for line in listed)


def check(storage: str | Database) -> CheckReport:
    """Go through a store, as it is at one moment; others may go on writing.

    Parameters
    ----------
    storage : str or Database
        URL of a store that exists, or an open one.

    Raises
    ------
    StoreError
        If it can't be opened or read.
    """
    with opened(storage) as database, database.reading() as connection:
        checking = _Checking(connection)
        if database.is_sqlite:
            checking.look_at_the_file()
        checking.go_through_the_trail()
        checking.look_for_rows_without_an_entry()
        checking.look_at_items()
        checking.look_at_what_counts()
        checking.look_at_leases()
        return CheckReport(checking.entries, checking.head, tuple(checking.problems), checking.n_problems)


class _Checking:
    """One check, step by step. It holds one chunk of rows, and which keys it has met, as ranges."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.entries = 0
        self.head = ""
        self.problems: list[str] = []
        self.n_problems = 0
        self._met: dict[str, _Keys] = {table.name: _Keys() for table in _covered_tables()}

    def _say(self, problem: str) -> None:
        self.n_problems += 1
        if len(self.problems) < _MOST_LISTED:
            self.problems.append(problem)

    # the file

    def look_at_the_file(self) -> None:
        for found in self.connection.execute(text("PRAGMA quick_check(20)")).scalars():
            if found != "ok":
                self._say(f"The file is damaged: {found}")
        for row in self.connection.execute(text("PRAGMA foreign_key_check")):
            self._say(f"{row[0]} {row[1]} refers to a row of {row[2]} that is not there.")

    # the trail

    def go_through_the_trail(self) -> None:
        told = self.connection.execute(select(store.c.trail_head, store.c.trail_length)).one()
        before, last = "0" * 64, 0
        for entry in self._entries():
            if entry.seq != last + 1:
                gone = (
                    f"Entry {last + 1}" if entry.seq == last + 2 else f"Entries {last + 1} to {entry.seq - 1}"
                )
                self._say(f"{gone} of the trail: removed.")
            if self._is_intact(entry, before, follows=entry.seq == last + 1):
                self._compare_rows(entry, is_certain=entry.seq == last + 1)
            self.entries += 1
            before, last = entry.hash, entry.seq
        self.head = before
        if told.trail_length != last or told.trail_head != before:
            self._say(
                f"The trail ends with entry {last}, but the store was written up to entry "
                f"{told.trail_length}: the last entries or the note of where it ends were edited or removed."
            )

    def _entries(self) -> Iterator[Any]:
        last = 0
        while chunk := self.connection.execute(
            select(trail).where(trail.c.seq > last).order_by(trail.c.seq).limit(_CHUNK)
        ).all():
            yield from chunk
            last = chunk[-1].seq

    def _is_intact(self, entry: Any, before: str, *, follows: bool) -> bool:
        expected = entry_hash(
            before, entry.seq, entry.loop_id, entry.kind, entry.body, entry.digest, entry.at
        )
        intact: bool = entry.hash == expected
        if not intact and follows:
            self._say(f"Entry {entry.seq} of the trail ({entry.kind}): edited, or put in.")
        return intact or not follows

    def _compare_rows(self, entry: Any, *, is_certain: bool) -> None:
        found: list[str] = []
        try:
            # What a forged body asks for may not even be a query; a savepoint lets the check go on.
            with nullcontext() if is_certain else self.connection.begin_nested():
                fits = digest(self._rows_of(entry, found)) == entry.digest
        except (DBAPIError, KeyError, TypeError, ValueError):
            self._say(f"Entry {entry.seq} of the trail ({entry.kind}) can't be read.")
            return
        if not fits:
            rows = " and ".join(found) or "none of them is left"
            self._say(
                f"Entry {entry.seq} of the trail ({entry.kind}) does not fit its rows ({rows}): some were "
                "edited, removed or put in."
            )

    def _rows_of(self, entry: Any, found: list[str]) -> Iterator[Sequence[Any]]:
        """The rows that an entry speaks of; `found` tells their keys in words afterwards."""
        body = json.loads(entry.body)
        for table, where in COVERED.get(entry.kind, []):
            names = columns_of(table)
            at = [names.index(column.name) for column in table.primary_key.columns]
            chosen = select(*(table.c[name] for name in names)).where(where(body, entry.loop_id))
            first = last = None
            for row in self.connection.execute(chosen.order_by(*table.primary_key.columns)):
                key = tuple(row[i] for i in at)
                if not self._met[table.name].add(key):
                    self._say(f"{_name(table, key)} is in two entries of the trail, {entry.seq} is one.")
                first, last = first or key, key
                yield tuple(row)
            if first is not None and last is not None:
                found.append(_name(table, first) + (f" to {_key(last)}" if last != first else ""))

    def look_for_rows_without_an_entry(self) -> None:
        for table in _covered_tables():
            chosen = select(*table.primary_key.columns).order_by(*table.primary_key.columns)
            for row in self._streamed(chosen):
                if tuple(row) not in self._met[table.name]:
                    named = _name(table, tuple(row))
                    self._say(f"{named} is in no entry of the trail: put in, or its entry is gone.")

    # what the rows say together

    def look_at_items(self) -> None:
        names = [str(name) for name in self.connection.execute(select(loops.c.name)).scalars()]
        chosen = select(items.c.id, items.c.key, items.c.content, items.c.payload, items.c.erased_at)
        for item in self._streamed(chosen.order_by(items.c.id), at_once=100):
            if item.erased_at is not None:
                if item.content is not None or item.payload is not None:
                    self._say(f"Item {item.id} was erased, and its content is there.")
            elif item.content is None:
                self._say(f"Item {item.id}: its content is gone, and it was not erased.")
            elif not _is_of(item.key, item.content, names):
                self._say(f"Item {item.id}: its content is not what its key was made of.")

    def look_at_what_counts(self) -> None:
        self._say_of(
            _NO_SUCH_LABEL, "What counts of item {item} in loop {loop} ({opinion}) is not label {label}."
        )
        self._say_of(_TAKEN_BACK, "Label {label} of item {item} was taken back, and still counts.")
        self._say_of(_COUNTS_NOT, "Label {label} of item {item} should count, and another one does, or none.")
        self._say_of(_BACK_WRONG, "Label {label} of item {item} takes back a label of another item or loop.")
        self._say_of(_TOO_FAR, "Loop {loop} has read up to label {label}, which does not exist.")

    def look_at_leases(self) -> None:
        self._say_of(_MISMATCHED, "Slot {slot} is about another item or loop than its query {query}.")
        self._say_of(_BACKWARDS, "Slot {slot}: its lease ends before it begins, or its holder is unknown.")
        self._say_of(_UNCLAIMED, "Slot {slot} is held under a token that was never handed out.")
        self._say_of(_CLOSED, "Slot {slot} is open, and its query {query} is not.")

    def _say_of(self, chosen: Select[Any], sentence: str) -> None:
        for row in self._streamed(chosen):
            self._say(sentence.format(**row._mapping))

    def _streamed(self, chosen: Select[Any], at_once: int = 10 * _CHUNK) -> Iterator[Any]:
        yield from self.connection.execution_options(yield_per=at_once).execute(chosen)


class _Keys:
    """A set of keys; those that end in a whole number are held as ranges."""

    def __init__(self) -> None:
        self._ranges: dict[tuple[Any, ...], list[list[int]]] = {}
        self._others: set[tuple[Any, ...]] = set()

    def add(self, key: tuple[Any, ...]) -> bool:
        """Whether it is new."""
        if key in self:
            return False
        if not isinstance(key[-1], int):
            self._others.add(key)
            return True
        ranges = self._ranges.setdefault(key[:-1], [])
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
    every = sorted((table for parts in COVERED.values() for table, _ in parts), key=lambda table: table.name)
    return [table for table, _ in groupby(every)]


def _name(table: Table, key: tuple[Any, ...]) -> str:
    return f"{table.name} {_key(key)}"


def _key(key: tuple[Any, ...]) -> str:
    return "/".join(str(part) for part in key)


def _is_of(key: str, content: str, loop_names: Sequence[str]) -> bool:
    """Items from outside of a pool are an item each: the loop's name goes into their key."""
    if content.startswith("outside:"):
        return any(content_hash(f"{name} {content}") == key for name in loop_names)
    return content_hash(content) == key


_of = labels.alias()
_back = labels.alias()
_is_second = labels.c.source == "second"
_was_taken_back = exists().where(_back.c.undoes == labels.c.id)
_THE_LABEL = (labels.c.id.label("label"), labels.c.item_id.label("item"))

_NO_SUCH_LABEL = (
    select(
        standing.c.loop_id.label("loop"),
        standing.c.item_id.label("item"),
        standing.c.opinion,
        standing.c.label_id.label("label"),
    )
    .outerjoin(labels, labels.c.id == standing.c.label_id)
    .where(
        or_(
            labels.c.id.is_(None),
            labels.c.loop_id != standing.c.loop_id,
            labels.c.item_id != standing.c.item_id,
            labels.c.undoes.is_not(None),
            labels.c.extra,
            standing.c.skip != labels.c.label.is_(None),
            (standing.c.opinion == "second") != _is_second,
        )
    )
    .order_by(standing.c.loop_id, standing.c.item_id)
)
_TAKEN_BACK = (
    select(*_THE_LABEL)
    .join(standing, standing.c.label_id == labels.c.id)
    .where(_was_taken_back)
    .order_by(labels.c.id)
)
_COUNTS_NOT = (
    select(*_THE_LABEL)
    .join(loops, loops.c.id == labels.c.loop_id)
    .outerjoin(
        standing,
        and_(
            standing.c.loop_id == labels.c.loop_id,
            standing.c.item_id == labels.c.item_id,
            (standing.c.opinion == "second") == _is_second,
        ),
    )
    .where(~labels.c.extra, labels.c.label.is_not(None), labels.c.undoes.is_(None), ~_was_taken_back)
    .where(or_(standing.c.label_id.is_(None), standing.c.label_id != labels.c.id))
    # Under an older list of classes: it may have been asked for again.
    .where(labels.c.class_version == loops.c.class_version)
    .order_by(labels.c.id)
)
_BACK_WRONG = (
    select(*_THE_LABEL)
    .join(_of, _of.c.id == labels.c.undoes)
    .where(or_(_of.c.item_id != labels.c.item_id, _of.c.loop_id != labels.c.loop_id, _of.c.id >= labels.c.id))
    .order_by(labels.c.id)
)
_TOO_FAR = select(loops.c.id.label("loop"), loops.c.taken_up_to.label("label")).where(
    loops.c.taken_up_to > 0, ~exists().where(labels.c.id == loops.c.taken_up_to)
)

_THE_SLOT = select(slots.c.id.label("slot"), slots.c.query_id.label("query")).order_by(slots.c.id)
_MISMATCHED = _THE_SLOT.join(queries, queries.c.id == slots.c.query_id).where(
    or_(slots.c.item_id != queries.c.item_id, slots.c.loop_id != queries.c.loop_id)
)
_BACKWARDS = _THE_SLOT.where(
    slots.c.is_open,
    slots.c.token.is_not(None),
    or_(slots.c.reviewer.is_(None), slots.c.expires_at.is_(None), slots.c.expires_at < slots.c.leased_at),
)
_UNCLAIMED = _THE_SLOT.where(
    slots.c.token.is_not(None),
    ~exists().where(claims.c.token == slots.c.token, claims.c.slot_id == slots.c.id),
)
_CLOSED = _THE_SLOT.join(queries, queries.c.id == slots.c.query_id).where(
    slots.c.is_open, queries.c.state != "open"
)
