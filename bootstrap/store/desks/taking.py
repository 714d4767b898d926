"""Answers under leases: which become labels that count, which are kept beside, what is asked further.

Everything here happens within one `Database.writing`, where nobody else answers; rows of `slots` are locked,
so that nobody claims on PostgreSQL what is being answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    Connection,
    and_,
    bindparam,
    case,
    insert,
    select,
    true,
    update,
)

from bootstrap.classes import ClassList
from bootstrap.labels import Outcome
from bootstrap.records import Class, Skip
from bootstrap.store.answers import LabelRow, add_labels, label_from
from bootstrap.store.class_lists import read_classes
from bootstrap.store.desks.asked import Asked, OldLabel, Slot
from bootstrap.store.desks.claiming import is_held
from bootstrap.store.desks.resolving import Resolution, Said, resolve
from bootstrap.store.desks.reviewers import ADJUDICATORS
from bootstrap.store.inserting import run_for_each
from bootstrap.store.prepared import Prepared
from bootstrap.store.schema import (
    claims,
    is_asked,
    labels,
    loops,
    queries,
    slots,
    standing,
)

__all__ = ["Answer", "Answering"]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with what is known of how it came about.

    Attributes
    ----------
    label : class or SKIP
    reason : str or None
        Why somebody could not tell.
    shown_at, touched_at : float or None
        When the item was shown, and when the person first did something, in seconds since the epoch.
    """

    label: Any
    reason: str | None = None
    shown_at: float | None = None
    touched_at: float | None = None


class Answering:
    """The answers of one reviewer within one transaction.

    Parameters
    ----------
    connection : Connection
        Of `Database.writing`.
    by : str
        Who answers.
    at : float
        By `Database.time`.

    Attributes
    ----------
    known : dict
        Lease token -> row with the query that it is for, its loop and the number of that one's classes.
    """

    def __init__(self, connection: Connection, by: str, at: float) -> None:
        self.known: dict[str, Any] = {}
        self._connection, self._by, self._at = connection, by, at
        self._standing: dict[tuple[int, int, str], bool | None] = {}  # None, or whether it is a SKIP
        self._asked: dict[int, Asked] = {}
        self._classes: dict[int, ClassList] = {}  # loop -> its classes, where they were changed
        self._new: list[LabelRow] = []

    def read(self, tokens: Iterable[str]) -> None:
        """Look up leases and their queries; those that are none of this reviewer's are not in `known`."""
        new: list[int] = []
        for token in tokens:
            row = _FOUND.first(self._connection, {"lease": token})
            if row is None or row.reviewer != self._by:
                continue
            self.known[row.token] = row
            if row.query_id not in self._asked:
                new.append(row.query_id)
                self._asked[row.query_id] = Asked(row, row.state)
            asked = self._asked[row.query_id]
            self._standing[self._key(asked)] = row.skip
        for query_id in sorted(new):
            self._read(query_id)

    def of(self, token: str) -> Asked:
        """The query of a lease that is known."""
        return self._asked[self.known[token].query_id]

    def _read(self, query_id: int) -> None:
        asked = self._asked[query_id]
        for row in _SLOTS.all(self._connection, {"query": query_id}):
            slot = Slot(row.id, row.for_adjudicator, row.is_open, row.reviewer, row.token, False)
            slot.held = is_held(row, self._at)
            asked.slots.append(slot)
        rows = _SAID.all(self._connection, {"item": asked.row.item_id, "query": query_id})
        taken_back = {row.undoes for row in rows}
        for row in rows:
            label = self._now(asked.row, label_from(row.label), row.class_version)
            if row.undoes is not None or row.id in taken_back:
                continue
            if label is None:
                asked.gone.add(row.by)
            else:
                asked.said.append(OldLabel(row.id, row.by, row.token, label, row.adjudicates))

    def _now(self, asked: Any, label: Class | Skip, version: int) -> Class | Skip | None:
        """What was said, by what classes are called now; None where the class was split since."""
        if isinstance(label, Skip) or version == asked.newest_version:
            return label
        if asked.loop_id not in self._classes:
            self._classes[asked.loop_id] = read_classes(self._connection, asked.loop_id)
        return self._classes[asked.loop_id].now(label, version)

    def answer(self, token: str, answer: Answer) -> Outcome:
        """Take one answer, whose label has been checked; stored by :meth:`store`."""
        row = self.known[token]
        asked = self._asked[row.query_id]
        before = [old.label for old in asked.said if old.by == self._by]
        if before:
            if answer.label in before:
                return "repeated"
            self._add(asked, token, answer, stands=False)
            return "extra"
        slot = asked.slot_for(self._by, row.slot_id)
        if slot is None or asked.state != "open":
            return self._late(asked, token, answer)
        return self._in_time(asked, slot, token, answer)

    def row_of(
        self, asked: Asked, token: str, label: Class | Skip, *, stands: bool = False, **more: Any
    ) -> LabelRow:
        """What this reviewer says under a lease; `more` are other columns."""
        row = asked.row
        return LabelRow(
            loop_id=row.loop_id,
            item_id=row.item_id,
            row=row.row,
            label=label,
            source=row.kind,
            by=self._by,
            round=row.round,
            stands=stands,
            query_id=row.query_id,
            token=token,
            class_version=row.newest_version,
            **more,
        )

    def store(self) -> None:
        """Write what was answered."""
        by_loop: dict[int, list[LabelRow]] = {}
        for row in self._new:
            by_loop.setdefault(row.loop_id, []).append(row)
        for rows in by_loop.values():
            add_labels(self._connection, rows, self._at)
        _write(self._connection, self._asked.values())

    def ask_further(self, asked: Asked, resolution: Resolution) -> None:
        """Have as many places as a query that is not settled needs."""
        by_anybody = resolution.adjudicate and self._anybody_adjudicates(asked)
        asked.ask_further(resolution, by_anybody=by_anybody)

    def _anybody_adjudicates(self, asked: Asked) -> bool:
        """Whether all adjudicators have answered the question themselves, so that it would wait for ever."""
        names = self._adjudicators()
        return bool(names) and names <= asked.gone | {old.by for old in asked.said}

    def _adjudicators(self) -> set[str]:
        return set(self._connection.execute(ADJUDICATORS).scalars())

    # the two cases

    def _in_time(self, asked: Asked, slot: Slot, token: str, answer: Answer) -> Outcome:
        slot.close(self._by, token)
        usual: Outcome = "skipped" if isinstance(answer.label, Skip) else "kept"
        if asked.is_trap:
            self._add(asked, token, answer, stands=False)
            if not any(slot.is_open for slot in asked.slots):
                asked.settle()
            return usual
        if self._class_stands(asked):  # it came from elsewhere in the meantime
            self._add(asked, token, answer, stands=False)
            asked.settle()
            return "extra"
        before = asked.counted()
        adjudicates = slot.for_adjudicator or (
            len(before) > 1
            and resolve(asked.row.overlap, before).adjudicate
            and (self._by in self._adjudicators() or self._anybody_adjudicates(asked))
        )
        resolution = resolve(asked.row.overlap, [*before, Said(answer.label, adjudicates)])
        self._add(asked, token, answer, stands=resolution.stands, adjudicates=adjudicates)
        if resolution.settled:
            asked.settle()
        else:
            self.ask_further(asked, resolution)
        return usual

    def _late(self, asked: Asked, token: str, answer: Answer) -> Outcome:
        """Kept beside what counts; where nothing does, and nobody is asked any more, it counts itself."""
        skips = isinstance(answer.label, Skip)
        nothing = self._standing[self._key(asked)] is None
        stands = asked.state != "open" and not asked.is_trap and not self._class_stands(asked)
        stands = stands and (nothing or not skips)
        self._add(asked, token, answer, stands=stands)
        if not stands:
            self._look_for_who_settles(asked)
            return "extra"
        asked.state = "settled"
        if not skips:
            self._settle_others(asked)
        return "skipped" if skips else "kept"

    def _look_for_who_settles(self, asked: Asked) -> None:
        """The last adjudicator who had not answered a disputed question may just have done so, too late."""
        resolution = resolve(asked.row.overlap, asked.counted())
        if asked.state == "open" and resolution.adjudicate and not asked.is_trap:
            self.ask_further(asked, resolution)

    def _settle_others(self, asked: Asked) -> None:
        """The loop may have asked about the item again since."""
        loop_id, item_id, opinion = self._key(asked)
        values = {"loop": loop_id, "item": item_id, "second": opinion == "second"}
        others = self._connection.execute(_OPEN_ABOUT, values).scalars().all()
        if others:
            self._connection.execute(_SETTLE, {"some": others})
            self._connection.execute(_CLOSE, {"some": others})
        for other in set(others) & set(self._asked):
            self._asked[other].settle()

    def _class_stands(self, asked: Asked) -> bool:
        return self._standing[self._key(asked)] is False

    def _key(self, asked: Asked) -> tuple[int, int, str]:
        return asked.row.loop_id, asked.row.item_id, asked.opinion

    def _add(
        self, asked: Asked, token: str, answer: Answer, *, stands: bool, adjudicates: bool = False
    ) -> None:
        self._new.append(
            self.row_of(
                asked,
                token,
                answer.label,
                stands=stands,
                adjudicates=adjudicates,
                reason=answer.reason,
                shown_at=answer.shown_at,
                touched_at=answer.touched_at,
            )
        )
        asked.said.append(OldLabel(0, self._by, token, answer.label, adjudicates))
        if stands:
            self._standing[self._key(asked)] = isinstance(answer.label, Skip)


def _write(connection: Connection, every: Iterable[Asked]) -> None:
    """Bring the tables up to date."""
    closed, given, states, new = [], [], [], []
    for asked in every:
        if asked.state != asked.row.state:
            states.append({"query": asked.row.query_id, "new_state": asked.state})
        for slot in asked.slots:
            if slot.changed_hands:
                given.append({"slot": slot.id, "who": slot.reviewer, "lease": slot.token})
            if slot.changed:
                closed.append({"slot": slot.id})
        new += [_new_slot(asked.row, for_adjudicator) for for_adjudicator in asked.new_slots]
    run_for_each(connection, _TO_STATE, states)
    run_for_each(connection, _GIVE_SLOT, given)
    run_for_each(connection, _CLOSE_SLOT, closed)
    if new:
        connection.execute(insert(slots).from_select(_COPIED, _COPY), new)


def _new_slot(row: Any, for_adjudicator: bool) -> Mapping[str, Any]:
    return {"like": row.slot_id, "adjudicating": for_adjudicator}


_OPINION = case((queries.c.kind == "second", "second"), else_="first")
_FOUND = Prepared(
    select(
        claims.c.token,
        claims.c.slot_id,
        claims.c.reviewer,
        queries.c.id.label("query_id"),
        queries.c.loop_id,
        queries.c.item_id,
        queries.c.row,
        queries.c.kind,
        queries.c.overlap,
        queries.c.round,
        queries.c.state,
        loops.c.class_version.label("newest_version"),
        loops.c.taken_up_to,
        standing.c.skip,
        standing.c.label_id,
    )
    .join(queries, queries.c.id == claims.c.query_id)
    .join(loops, loops.c.id == queries.c.loop_id)
    .outerjoin(
        standing,
        and_(
            standing.c.loop_id == queries.c.loop_id,
            standing.c.item_id == queries.c.item_id,
            standing.c.opinion == _OPINION,
        ),
    )
    .where(claims.c.token == bindparam("lease"))
)
_SOME: BindParameter[Any] = bindparam("some", expanding=True)
_SLOTS = Prepared(
    select(slots).where(slots.c.query_id == bindparam("query")).order_by(slots.c.id).with_for_update()
)
_SAID = Prepared(
    select(
        labels.c.id,
        labels.c.query_id,
        labels.c.by,
        labels.c.token,
        labels.c.label,
        labels.c.adjudicates,
        labels.c.class_version,
        labels.c.undoes,
    )
    .where(labels.c.item_id == bindparam("item"), labels.c.query_id == bindparam("query"))
    .order_by(labels.c.id)
)
_OPEN_ABOUT = select(queries.c.id).where(
    queries.c.loop_id == bindparam("loop"),
    queries.c.item_id == bindparam("item"),
    is_asked,
    queries.c.kind != "trap",
    (queries.c.kind == "second") == bindparam("second"),
)
_SETTLE = update(queries).where(queries.c.id.in_(_SOME)).values(state="settled")
_TO_STATE = update(queries).where(queries.c.id == bindparam("query")).values(state=bindparam("new_state"))
_CLOSE = update(slots).where(slots.c.query_id.in_(_SOME)).values(is_open=False)
_CLOSE_SLOT = update(slots).where(slots.c.id == bindparam("slot")).values(is_open=False)
_GIVE_SLOT = (  # apart: SQLite writes every index anew whose columns are named, changed or not
    update(slots)
    .where(slots.c.id == bindparam("slot"))
    .values(reviewer=bindparam("who"), token=bindparam("lease"))
)
#: Another place for the same query, as urgent as the first.
_COPIED = ["query_id", "loop_id", "item_id", "for_adjudicator", "alone", "deadline", "usefulness", "is_open"]
_COPY = select(
    slots.c.query_id,
    slots.c.loop_id,
    slots.c.item_id,
    bindparam("adjudicating", type_=Boolean),
    slots.c.alone,
    slots.c.deadline,
    slots.c.usefulness,
    true(),
).where(slots.c.id == bindparam("like"))
