"""Queries out, labels in: what was asked, what still waits, and what people said.

No model and no statistics here. An answer can come late, twice, in parts or in any order; the first label
of an item counts, nothing overwrites it, and what can't be taken is refused without losing the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.classes import ClassList
from bootstrap.errors import AnswersRejected, InvalidInput
from bootstrap.labels import Labels, Outcome, Told
from bootstrap.pool import Place, Pool
from bootstrap.protocols import Clock
from bootstrap.records import SKIP, Class, Label, Query, Skip, Source

__all__ = ["Exchange"]

_BACK = {
    Place.ASKED: Place.AVAILABLE,
    Place.AUDITING: Place.HELD_OUT,
    Place.SKIPPED: Place.AVAILABLE,
    Place.AUDIT_SKIPPED: Place.HELD_OUT,
}


class Exchange:
    """Keeps the queries of one loop and takes the answers.

    Parameters
    ----------
    pool : Pool
        Items are moved there as they are asked and answered.
    classes : ClassList
        Checks answers, and grows with them where it is open.
    name : str
        Goes into the tokens.
    clock : callable
        Seconds since the epoch.
    on_audit : callable (row, label)
        Called for each blind first label that was asked for on a held-out item; after an
        interruption perhaps twice.

    Attributes
    ----------
    labels : Labels
        Everything people said.
    round : int
        The round that queries and labels belong to, from 1.
    n_batches : int
        Batches published so far.
    n_training, n_audits : int
        Queries of each kind published so far.
    """

    def __init__(
        self,
        pool: Pool,
        classes: ClassList,
        *,
        name: str,
        clock: Clock,
        on_audit: Callable[[int, Class], None],
    ) -> None:
        self.labels = Labels()
        self.round = 1
        self.n_batches = 0
        self.n_training = self.n_audits = 0
        self._n_read = 0  # entries of the log that all below has taken into account
        self._n_told_before = 0  # entries of the log when the round began
        self._asked_this_round = False
        self._pool = pool
        self._classes = classes
        self._name = name
        self._clock = clock
        self._on_audit = on_audit
        self._queries: dict[str, Query] = {}  # token -> query, every one so far
        self._asked: set[int] = set()  # rows that were ever asked about
        self._open: dict[int, Query] = {}  # row -> query that waits for its answer
        self._codes = np.empty(0, dtype=np.intp)  # row -> code of its first label, where it has one

    # queries

    @property
    def waiting(self) -> list[Query]:
        """Queries without an answer, in the order they were published."""
        return list(self._open.values())

    def publish(self, rows: Iterable[int]) -> None:
        """Make a batch of queries about these rows of the pool, in this order."""
        classes, is_open = self._classes.shown, self._classes.is_open
        for row in rows:
            item_id = self._pool.id(row)
            query = Query(
                id=item_id,
                item=self._pool.item(row),
                token=f"{self._name}/{self.n_batches}/{item_id}",
                classes=classes,
                open_classes=is_open,
                round=self.round,
            )
            audit = self._pool.is_held_out(row)
            self._pool.move(row, Place.AUDITING if audit else Place.ASKED)
            self._open[row] = self._queries[query.token] = query
            self._asked.add(row)
            self.n_audits += audit
            self.n_training += not audit
        self.n_batches += 1
        self._asked_this_round = True

    @property
    def told_since_round(self) -> bool:
        """Whether anything was stored since the round began."""
        return len(self.labels.log) > self._n_told_before

    @property
    def is_answered(self) -> bool:
        """Whether a batch was published in this round and nothing of it waits any more."""
        return self._asked_this_round and not self._open

    def release(self) -> None:
        """What waits goes back to where it came from; a late answer is still taken."""
        for row in self._open:
            self._pool.move(row, _BACK[self._pool.place(row)])
        self._open.clear()

    def next_round(self) -> None:
        """Begin the next round."""
        self.round += 1
        self._n_told_before = len(self.labels.log)
        self._asked_this_round = False

    def reopen_skipped(self, ids: Iterable[Any] | None) -> int:
        """Let skipped items be asked again: all, or these; returns how many."""
        skipped = (Place.SKIPPED, Place.AUDIT_SKIPPED)
        wanted = self._pool.rows(*skipped).tolist() if ids is None else [self._row(i) for i in ids]
        rows = [row for row in wanted if self._pool.place(row) in skipped]
        for row in rows:
            self.labels.reopen(row)
            self._pool.move(row, _BACK[self._pool.place(row)])
        return len(rows)

    # answers

    def take(self, answers: Mapping[Any, Any], by: str | None) -> Told:
        """Take answers by query id or token; every valid one is stored before any is refused.

        Raises
        ------
        AnswersRejected
            Naming each answer that was refused, and why.
        """
        outcomes: Counter[str] = Counter()
        rejected: dict[str, str] = {}
        for key, answer in answers.items():
            try:
                outcomes[self._take_one(key, answer, by)] += 1
            except InvalidInput as error:
                rejected[str(key)] = str(error)
        if rejected:
            raise AnswersRejected(rejected, outcomes.total())
        return Told(**outcomes)

    def give(self, rows: list[int], labels: list[Class], by: str | None, blind: bool) -> Told:
        """Store checked labels that existed already."""
        outcomes: Counter[str] = Counter()
        for row, label in zip(rows, labels, strict=True):
            outcomes[self._record(row, label, Source.GIVEN, by, blind)] += 1
        return Told(**outcomes)

    def check_given(self, labels: Iterable[Any], n: int) -> list[Class]:
        """Labels that exist for `n` items, checked before anything is stored.

        Raises
        ------
        InvalidInput
            For another number of labels, or one that is not a label.
        """
        if isinstance(labels, str | bytes):
            raise InvalidInput("labels is a single string; pass one label per item")
        checked = self._classes.check_all(labels)
        if len(checked) != n:
            raise InvalidInput(f"{n} items and {len(checked)} labels: pass one label per item")
        if SKIP in checked:
            raise InvalidInput("SKIP is no label that exists: leave these items out")
        return [label for label in checked if not isinstance(label, Skip)]

    def rows_of(self, ids: Iterable[Any]) -> list[int]:
        """Rows of the pool for ids; UnknownItem for one that is not there."""
        if isinstance(ids, str | bytes):
            raise InvalidInput("ids is a single string; pass a list of ids")
        return [self._row(i) for i in ids]

    # training

    def training(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """(rows, codes of their labels) of all that may be trained on: never a held-out one."""
        self._read_log()
        rows = self._pool.rows(Place.LABELED, Place.OUTSIDE)
        return rows, self._codes[rows]

    # inside

    def _row(self, item_id: Any) -> int:
        return self._pool.row(item_id if isinstance(item_id, str) else str(item_id))

    def _take_one(self, key: Any, answer: Any, by: str | None) -> Outcome:
        row = self._asked_row(key)
        checked = self._classes.check(answer)
        source = Source.AUDIT if self._pool.is_held_out(row) else Source.TRAINING
        return self._record(row, checked, source, by, blind=True)

    def _asked_row(self, key: Any) -> int:
        """The row that a query's id or token names; an id comes first."""
        query = self._queries.get(key) if isinstance(key, str) and key not in self._pool else None
        row = self._row(key if query is None else query.id)
        if row not in self._asked:
            raise InvalidInput("was not asked about; for labels that exist already use add_labels")
        return row

    def _record(self, row: int, answer: Class | Skip, source: Source, by: str | None, blind: bool) -> Outcome:
        self._read_log()
        outcome = self.labels.judge(row, answer)
        if outcome != "repeated":
            item_id, extra = self._pool.id(row), outcome == "extra"
            entry = Label(item_id, answer, source, by, self.round, self._clock(), blind, extra)
            self.labels.log.append(entry)
            self._read_log()
        return outcome

    def _read_log(self) -> None:
        """Bring everything up to the log; an interruption anywhere is made good by the next call."""
        while self._n_read < len(self.labels.log):
            self._read(self.labels.log[self._n_read])
            self._n_read += 1

    def _read(self, entry: Label) -> None:
        row = self._pool.row(entry.id)
        self.labels.read(row, entry)
        if not isinstance(entry.label, Skip):
            code = self._classes.add(entry.label)
            if entry.extra:
                return
            self._encode(row, code)
            if entry.source is Source.AUDIT:
                self._on_audit(row, entry.label)
        self._open.pop(row, None)
        self._pool.move(row, self._place_after(row, entry.label, entry.blind))

    def _encode(self, row: int, code: int) -> None:
        if row >= len(self._codes):
            grown = np.zeros(max(row + 1, 2 * len(self._codes)), dtype=np.intp)
            grown[: len(self._codes)] = self._codes
            self._codes = grown
        self._codes[row] = code

    def _place_after(self, row: int, answer: Class | Skip, blind: bool) -> Place:
        if self._pool.is_held_out(row):
            if answer is SKIP:
                return Place.AUDIT_SKIPPED
            return Place.AUDITED if blind else Place.HELD_OUT_LABELED
        if self._pool.place(row) is Place.OUTSIDE:
            return Place.OUTSIDE
        return Place.SKIPPED if answer is SKIP else Place.LABELED
