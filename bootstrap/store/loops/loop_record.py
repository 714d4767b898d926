"""What one loop writes into a store. What it reads back stands in `loop_reading`.

Every method belongs into one `Database.writing` transaction, which the caller opens: what happens in one
step of a loop is on the disk as a whole or not at all. Each adds its entry to the trail; the order of these
entries is the order in which a loop that is resumed goes through them again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, bindparam, insert, literal_column, select, update

from bootstrap.content import content_hash
from bootstrap.labels import Outcome
from bootstrap.records import SKIP, Class, Skip
from bootstrap.store import trail
from bootstrap.store.answers import LabelRow, add_labels, label_from, next_id
from bootstrap.store.class_lists import read_classes
from bootstrap.store.covered import rows_of, values_of
from bootstrap.store.desks.claiming import open_slots
from bootstrap.store.features import payload_text, write_features
from bootstrap.store.inserting import insert_rows, run_for_each
from bootstrap.store.loops.loop_rows import Member, Published
from bootstrap.store.loops.round_record import RoundRecord
from bootstrap.store.schema import (
    aliases,
    class_lists,
    decisions,
    is_asked,
    items,
    labels,
    loops,
    members,
    queries,
    slots,
)
from bootstrap.store.slices import in_slices

__all__ = ["LoopRecord", "Member", "Published"]

_ROWS = 20_000  # of items written at a time

_TAKE = update(loops).where(loops.c.id == bindparam("loop")).values(taken_up_to=bindparam("up_to"))


def _about(kind: ColumnElement[bool]) -> tuple[Update, Update]:
    """What settles the queries of this kind about an item, and what closes their slots."""
    of_loop = queries.c.loop_id + literal_column("0") == bindparam("loop")  # an item has few, a loop many
    asked = (queries.c.item_id == bindparam("item")) & of_loop & kind
    of_item = slots.c.is_open & (slots.c.item_id == bindparam("item"))
    return (
        update(queries).where(asked, is_asked).values(state="settled"),
        update(slots)
        .where(of_item, slots.c.query_id.in_(select(queries.c.id).where(asked)))
        .values(is_open=False),
    )


_SETTLE = {
    "first": _about((queries.c.kind == "training") | (queries.c.kind == "audit")),
    "second": _about(queries.c.kind == "second"),
}


class LoopRecord(RoundRecord):
    """One loop in one store.

    Attributes
    ----------
    id : int
    name : str
    settings : dict
        What it was begun with.
    entropy : int
    key : bytes
    class_version : int
    """

    def __init__(self, row: Any) -> None:
        super().__init__(int(row.id), int(row.class_version))
        self.name: str = row.name
        self.settings: dict[str, Any] = json.loads(row.settings)
        self.entropy = int(row.entropy)
        self.key = bytes.fromhex(row.key)
        self._items: dict[int, int] = {}  # row -> id of its item, of those used so far

    @classmethod
    def find(cls, connection: Connection, name: str) -> LoopRecord | None:
        """The loop of this name, or None."""
        row = connection.execute(select(loops).where(loops.c.name == name)).first()
        return None if row is None else cls(row)

    @classmethod
    def begin(
        cls,
        connection: Connection,
        at: float,
        name: str,
        *,
        settings: Mapping[str, Any],
        entropy: int,
        key: bytes,
        classes: Sequence[Class] | None,
    ) -> LoopRecord:
        """Begin a loop; its class list is version 1."""
        number = next_id(connection, loops)
        row = {
            "id": number,
            "name": name,
            "settings": trail.to_json(settings),
            "entropy": str(entropy),
            "key": key.hex(),
            "created_at": at,
            "class_version": 1,
            "taken_up_to": 0,
        }
        connection.execute(insert(loops).values(row))
        listed = {
            "loop_id": number,
            "version": 1,
            "classes": json.dumps(None if classes is None else list(classes)),
            "change": "{}",
            "by": None,
            "at": at,
        }
        connection.execute(insert(class_lists).values(listed))
        body = {"loop": number}
        covered = rows_of(connection, "begun", body, number)
        trail.append(connection, "begun", body, at, loop_id=number, rows=covered)
        found = cls.find(connection, name)
        if found is None:
            raise RuntimeError(f"the loop {name!r} was not written")
        return found

    # items

    def add_members(
        self,
        connection: Connection,
        at: float,
        new: Sequence[Member],
        X: Any,
        copies: Iterable[tuple[str, int]],
    ) -> None:
        """Rows that the pool has got, with their features (None where people see all of it), and copies."""
        first_item = next_id(connection, items)
        next_item = first_item
        places = [(None, None)] * len(new) if X is None else write_features(connection, X)
        for start in range(0, len(new), _ROWS):  # not a million rows at once
            some, at_rows = new[start : start + _ROWS], places[start : start + _ROWS]
            fresh, rows = self._rows_of(connection, at, some, at_rows, next_item)
            insert_rows(connection, items, fresh)
            insert_rows(connection, members, rows)
            next_item += len(fresh)
        insert_rows(
            connection, aliases, [{"loop_id": self.id, "name": name, "row": row} for name, row in copies]
        )
        body = {
            "first": new[0].row if new else 0,
            "n": len(new),
            "items": [first_item, next_item - first_item],
        }
        one_slice = 0 < len(new) <= _ROWS
        covered = [*values_of(items, fresh), *values_of(members, rows)] if one_slice else None
        self._append(connection, "added", body, at, covered)

    def _rows_of(
        self,
        connection: Connection,
        at: float,
        new: Sequence[Member],
        places: Sequence[tuple[int | None, int | None]],
        number: int,
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Rows of `items` from this number on, and rows of `members`."""
        keys = [self._key(member) for member in new]
        known = {} if number == 1 else self._known_items(connection, keys)
        fresh, rows = [], []
        for member, key, (block, at_row) in zip(new, keys, places, strict=True):
            if key not in known:
                known[key] = number
                payload = None if member.item is None else payload_text(member.item)
                fresh.append(
                    {"id": number, "key": key, "content": member.content, "payload": payload, "added_at": at}
                )
                number += 1
            self._items[member.row] = known[key]
            rows.append(
                {
                    "loop_id": self.id,
                    "row": member.row,
                    "item_id": known[key],
                    "name": member.name,
                    "home": member.home,
                    "turn": member.turn if math.isfinite(member.turn) else None,
                    "block_id": block,
                    "at": at_row,
                }
            )
        return fresh, rows

    def _key(self, member: Member) -> str:
        own = member.content
        if own.startswith("outside:"):  # an item each, equal ones too
            own = f"{self.name} {own}"
        return content_hash(own)

    def _known_items(self, connection: Connection, keys: Sequence[str]) -> dict[str, int]:
        known: dict[str, int] = {}
        for some in in_slices(keys):
            found = select(items.c.key, items.c.id).where(items.c.key.in_(some))
            known |= {row.key: row.id for row in connection.execute(found)}
        return known

    def items_of(self, connection: Connection, rows: Iterable[int]) -> dict[int, int]:
        """Row -> id of its item."""
        wanted = list(dict.fromkeys(rows))
        missing = [row for row in wanted if row not in self._items]
        for some in in_slices(missing):
            found = select(members.c.row, members.c.item_id)
            found = found.where(members.c.loop_id == self.id, members.c.row.in_(some))
            self._items |= {row.row: row.item_id for row in connection.execute(found)}
        return {row: self._items[row] for row in wanted}

    # queries

    def publish(
        self,
        connection: Connection,
        at: float,
        new: Sequence[Published],
        batching: Mapping[str, Any] | None,
        *,
        overlap: int,
        to_desks: bool,
    ) -> int:
        """Queries that go out, decided before anybody is asked; with slots where people at desks answer.

        Returns the id of the first.
        """
        start = next_id(connection, queries)
        item_of = self.items_of(connection, (query.row for query in new))
        asked, decided = [], []
        for i, query in enumerate(new):
            asked.append(
                {
                    "id": start + i,
                    "token": query.token,
                    "loop_id": self.id,
                    "item_id": item_of[query.row],
                    "row": query.row,
                    "batch": query.batch,
                    "position": query.position,
                    "round": query.round,
                    "kind": query.kind,
                    "known": None,
                    "usefulness": query.usefulness,
                    "deadline": None,
                    "overlap": overlap,
                    "class_version": self.class_version,
                    "published_at": at,
                    "state": "withdrawn" if query.is_erased else "open",
                }
            )
            decided.append(
                {
                    "query_id": start + i,
                    "loop_id": self.id,
                    "probability": query.probability,
                    "model": query.model,
                    "predicted": None if query.predicted is None else json.dumps(query.predicted),
                    "confidence": query.confidence,
                    "alone": query.alone,
                    "decided_at": at,
                }
            )
        insert_rows(connection, queries, asked)
        insert_rows(connection, decisions, decided)
        if to_desks:
            waiting = [query for query in asked if query["state"] == "open"]
            open_slots(connection, [{**query, "query_id": query["id"]} for query in waiting])
        body = {"first": start, "n": len(new), "batching": batching}
        covered = [*values_of(queries, asked), *values_of(decisions, decided)]
        self._append(connection, "published", body, at, covered)
        return start

    # labels

    def add_answers(self, connection: Connection, at: float, rows: Sequence[LabelRow]) -> int:
        """Store answers as they were judged; returns the id of the last label."""
        last = add_labels(connection, rows, at)[-1]
        self._settle(connection, rows)
        return last

    def _settle(self, connection: Connection, rows: Iterable[LabelRow]) -> None:
        """Nobody is asked any more about items that have an answer now."""
        for opinion, (settle, close) in _SETTLE.items():
            some = [
                {"loop": self.id, "item": row.item_id}
                for row in rows
                if row.stands and row.opinion == opinion
            ]
            run_for_each(connection, settle, some)
            run_for_each(connection, close, some)

    def save_answers(
        self, connection: Connection, at: float, rows: Sequence[LabelRow]
    ) -> list[tuple[Outcome, int | None]]:
        """Judge answers by what stands and store them; returns what each turned out to be, and its label.

        A repeated one is not stored. `stands` of the given rows says nothing: it is found here.
        """
        said = self._said_before(connection, rows)
        outcomes: list[Outcome] = []
        kept: list[LabelRow] = []
        for row in rows:
            before = said.setdefault((row.opinion, row.item_id), [])
            outcome = _judge(row, before)
            outcomes.append(outcome)
            if outcome != "repeated":
                kept.append(_standing(row, stands=outcome != "extra"))
                before.append(row.label)
        ids = iter(add_labels(connection, kept, at))
        self._settle(connection, kept)
        return [(outcome, None if outcome == "repeated" else next(ids)) for outcome in outcomes]

    def undo(self, connection: Connection, at: float, row: LabelRow, label_id: int) -> None:
        """Take an answer back that the loop has not taken: its query is open again."""
        add_labels(connection, [replace(row, label=SKIP, stands=False, undoes=label_id)], at)
        is_there = queries.c.item_id.in_(select(items.c.id).where(items.c.erased_at.is_(None)))
        reopened = update(queries).where(queries.c.id == row.query_id, is_there)
        connection.execute(reopened.values(state="open"))

    def _said_before(
        self, connection: Connection, rows: Sequence[LabelRow]
    ) -> dict[tuple[str, int], list[Class | Skip]]:
        """(opinion, item) -> what was said of it in this loop and not taken back, in order.

        By what classes are called now; what was said up to the label of a class that was split is left out.
        """
        classes = read_classes(connection, self.id) if self.class_version > 1 else None
        wanted = list(dict.fromkeys(row.item_id for row in rows))
        undone = select(labels.c.undoes).where(labels.c.undoes.is_not(None))
        said: dict[tuple[str, int], list[Class | Skip]] = {}
        for some in in_slices(wanted):
            found = connection.execute(
                select(labels.c.item_id, labels.c.label, labels.c.source, labels.c.class_version)
                .where(labels.c.item_id.in_(some), labels.c.loop_id == self.id)
                .where(labels.c.undoes.is_(None), labels.c.source != "trap", labels.c.id.not_in(undone))
                .order_by(labels.c.id)
            )
            for row in found:
                opinion = "second" if row.source == "second" else "first"
                before, label = said.setdefault((opinion, row.item_id), []), label_from(row.label)
                if classes is None or isinstance(label, Skip):
                    before.append(label)
                elif (now := classes.now(label, row.class_version)) is not None:
                    before.append(now)
                else:
                    before.clear()
        return said

    def take(self, connection: Connection, at: float, up_to: int) -> None:
        """The loop has read its labels up to this one: none of them can be undone any more."""
        run_for_each(connection, _TAKE, [{"loop": self.id, "up_to": up_to}])
        self._append(connection, "taken", {"up_to": up_to}, at)


def _judge(row: LabelRow, before: list[Class | Skip]) -> Outcome:
    """As `bootstrap.labels.Labels` judges: the first class stands, and nothing is stored twice."""
    if row.opinion == "second" and before:
        return "repeated" if isinstance(row.label, Skip) or row.label in before else "extra"
    classes = [label for label in before if not isinstance(label, Skip)]
    if isinstance(row.label, Skip):
        return "repeated" if before else "skipped"
    if not classes:
        return "kept"
    return "repeated" if row.label in classes else "extra"


def _standing(row: LabelRow, *, stands: bool) -> LabelRow:
    return row if row.stands == stands else replace(row, stands=stands)
