"""Queries out, labels in: what was asked, what still waits, and what people said.

No model and no statistics here. An answer can come late, twice, in parts or in any order; the first label
of an item counts, nothing overwrites it, and what can't be taken is refused without losing the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.class_changes import ClassChange
from bootstrap.classes import ClassList
from bootstrap.errors import AnswersRejected, InvalidInput
from bootstrap.labels import Labels, Outcome, Told
from bootstrap.pool import Place, Pool
from bootstrap.protocols import Clock
from bootstrap.records import SKIP, Class, Label, Query, Skip, Source

__all__ = ["Exchange"]


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
    on_answer : callable (row, Label)
        Called for each entry of the log that is not an extra one; after an interruption perhaps twice.
    on_split : callable (row)
        Called for each row whose answer says nothing any more, since its class was split; perhaps twice.

    Attributes
    ----------
    labels : Labels
        Everything people said.
    round : int
        The round that queries and labels belong to, from 1.
    """

    def __init__(
        self,
        pool: Pool,
        classes: ClassList,
        *,
        name: str,
        clock: Clock,
        on_answer: Callable[[int, Label], None],
        on_split: Callable[[int], None],
    ) -> None:
        self.labels = Labels()
        self.round = 1
        self._counts = (0, 0, 0, 0)  # of batches, and of queries in them: see the properties
        self._n_read = 0  # entries of the log that all below has taken into account
        self._n_told_before = 0  # entries of the log when the round began
        self._asked_this_round = False
        self._pool = pool
        self._classes = classes
        self._name = name
        self._clock = clock
        self._on_answer = on_answer
        self._on_split = on_split
        self._queries: dict[str, Query] = {}  # token -> query, every one so far
        self._asked: set[int] = set()  # rows that were ever asked about
        self._publishing: dict[int, Query] = {}  # row -> query: for longer than a call where interrupted
        self._open: dict[int, Query] = {}  # row -> query that waits for its answer
        self._pool_audits: set[int] = set()  # rows asked about to certify the closed pool
        self._second: dict[int, Query] = {}  # row -> query for a second answer
        self._codes = np.empty(0, dtype=np.intp)  # row -> code of its first label, where it has one

    # queries

    @property
    def n_batches(self) -> int:
        """Batches published so far."""
        return self._counts[0]

    @property
    def n_training(self) -> int:
        """Training queries published so far."""
        return self._counts[1]

    @property
    def n_reserved(self) -> int:
        """Those of them that were drawn at random."""
        return self._counts[2]

    @property
    def n_audits(self) -> int:
        """Audits published so far."""
        return self._counts[3]

    @property
    def waiting(self) -> list[Query]:
        """Queries without an answer, in the order they were published."""
        self._finish_publishing()
        return list(self._open.values())

    @property
    def n_open(self) -> int:
        """Queries that wait for an answer."""
        return len(self._open)

    @property
    def n_queries(self) -> int:
        """Queries there ever were, for second answers and closed pools too."""
        return len(self._queries)

    def queries_since(self, n: int) -> list[Query]:
        """All queries but the first `n`, in the order in which they were published."""
        new = islice(reversed(self._queries.values()), len(self._queries) - n)
        return list(new)[::-1]

    def publish(self, rows: Iterable[int]) -> None:
        """Make a batch of queries about these rows of the pool, in this order."""
        self._finish_publishing()
        classes, batch = self._classes.shown, str(self.n_batches)
        self._publishing = {row: self._query(row, batch, classes) for row in rows}
        self._finish_publishing()

    def _finish_publishing(self) -> None:
        """Put the batch out, or what an interruption has left of it: all of it is asked, and counted once."""
        homes: Counter[Place] = Counter()
        for row, query in self._publishing.items():
            home = self._pool.home(row)
            homes[home] += 1
            self._pool.move(row, Place.AUDITING if home is Place.HELD_OUT else Place.ASKED)
            self._asked.add(row)
            self._open[row] = self._queries[query.token] = query
        if not homes:
            return
        self._asked_this_round = True
        n_audits = self.n_audits + homes[Place.HELD_OUT]
        n_reserved = self.n_reserved + homes[Place.RESERVED]
        n_training = self.n_training + homes.total() - homes[Place.HELD_OUT]
        # both, or neither if interrupted
        self._counts, self._publishing = (self.n_batches + 1, n_training, n_reserved, n_audits), {}

    def publish_second(self, rows: Iterable[int]) -> list[Query]:
        """Queries for a second answer about these rows; one that waits already is the same query again."""
        classes, queries = self._classes.shown, []
        for row in rows:
            query = self._second.get(row) or self._query(row, "second", classes, second=True)
            self._second[row] = self._queries[query.token] = query
            queries.append(query)
        return queries

    def publish_pool_audits(self, rows: Iterable[int]) -> list[Query]:
        """Queries to certify a closed pool; they are part of no batch."""
        classes = self._classes.shown
        queries = [self._query(row, "pool", classes) for row in rows]
        for query in queries:
            row = self._pool.row(query.id)
            self._queries[query.token] = query
            self._asked.add(row)
            self._pool_audits.add(row)
        return queries

    def _query(self, row: int, batch: str, classes: tuple[Class, ...], *, second: bool = False) -> Query:
        item_id = self._pool.id(row)
        if second and self._classes.version > 1:  # it may have been asked under an older version
            batch = f"{batch} {self._classes.version}"
        return Query(
            id=item_id,
            item=self._pool.item(row),
            token=f"{self._name}/{batch}/{row}",  # an id may be personal, and has to go once it is erased
            classes=classes,
            open_classes=self._classes.is_open,
            round=self.round,
            second=second,
        )

    @property
    def told_since_round(self) -> bool:
        """Whether anything was stored since the round began."""
        return self.n_told_since_round > 0

    @property
    def n_told_since_round(self) -> int:
        """How many answers were stored since the round began."""
        return len(self.labels.log) - self._n_told_before

    @property
    def is_answered(self) -> bool:
        """Whether a batch was published in this round and nothing of it waits any more."""
        return self._asked_this_round and not self._open

    def release(self, rows: Iterable[int] | None = None) -> None:
        """What waits, or of that only these rows, goes back to where it came from.

        A late answer is still taken.
        """
        self._finish_publishing()
        for row in list(self._open) if rows is None else rows:
            if self._open.pop(row, None) is not None:
                self._pool.move(row, self._pool.home(row))

    def erase(self, rows: Iterable[int]) -> None:
        """Nobody is asked about these rows any more, and nothing is learned from them."""
        self._finish_publishing()
        for row in rows:
            self._open.pop(row, None)
            self._pool.erase(row)

    def withdraw(self, rows: Iterable[int]) -> None:
        """Take back queries that nobody has seen: as if they had never been asked."""
        batches, training, reserved, audits = self._counts
        for row in rows:
            if row in self._open:
                home = self._pool.home(row)
                audits -= home is Place.HELD_OUT
                training -= home is not Place.HELD_OUT
                reserved -= home is Place.RESERVED
                self.release([row])
        self._counts = (batches, training, reserved, audits)

    def next_round(self) -> None:
        """Begin the next round."""
        told = len(self.labels.log)
        # all three, or none if interrupted
        self.round, self._n_told_before, self._asked_this_round = self.round + 1, told, False

    def reopen_skipped(self, ids: Iterable[Any] | None) -> list[int]:
        """Let skipped items be asked again: all, or these; returns their rows."""
        skipped = (Place.SKIPPED, Place.AUDIT_SKIPPED)
        wanted = self._pool.rows(*skipped).tolist() if ids is None else [self._row(i) for i in ids]
        rows = [row for row in wanted if self._pool.place(row) in skipped]
        for row in rows:
            self.labels.reopen(row)
            self._pool.move(row, self._pool.home(row))
        return rows

    def change_classes(self, change: ClassChange) -> None:
        """Go on to the next version of the classes, for what was said and for what waits.

        Items whose class was split go back to where they came from, to be asked again.
        """
        self._finish_publishing()
        self._read_log()
        self._classes.change(change)
        first, second = self.labels.change(change.now)
        for row, label in self.labels.standing():
            self._encode(row, self._classes.add(label))
        for row in first:
            self._ask_again(row)
        for row in second:
            self._second.pop(row, None)
        shown, is_open = self._classes.shown, self._classes.is_open
        for query in [*self._open.values(), *self._second.values()]:
            now = replace(query, classes=shown, open_classes=is_open)
            known = self._second if query.second else self._open
            known[self._pool.row(query.id)] = self._queries[query.token] = now

    def _ask_again(self, row: int) -> None:
        """What was said of this row says nothing any more; whoever brought it from outside is not asked."""
        self._open.pop(row, None)
        self.labels.reopen(row)
        # One that came labeled is left out of the audits, whatever the label was.
        stays = (Place.OUTSIDE, Place.HELD_OUT_LABELED)
        if not self._pool.is_erased(row) and self._pool.place(row) not in stays:
            self._pool.move(row, self._pool.home(row))
        self._on_split(row)

    # answers

    def take(self, answers: Mapping[Any, Any], by: str | None, *, second: bool = False) -> Told:
        """Take answers by query id or token; every valid one is stored before any is refused.

        With `second`, they are second answers about items that have one.

        Raises
        ------
        AnswersRejected
            Naming each answer that was refused, and why.
        """
        self._finish_publishing()
        outcomes: Counter[str] = Counter()
        rejected: dict[str, str] = {}
        for key, answer in answers.items():
            try:
                take_one = self._take_second if second else self._take_one
                outcomes[take_one(key, answer, by)] += 1
            except InvalidInput as error:
                rejected[str(key)] = str(error)
        if rejected:
            raise AnswersRejected(rejected, outcomes.total())
        return Told(**outcomes)

    def checked(self, key: Any, answer: Any, *, second: bool = False) -> tuple[int, Class | Skip, Source]:
        """(row, label, source) of one answer by query id or token; nothing is stored.

        Raises
        ------
        InvalidInput
            If it can't be taken.
        """
        row = self._second_row(key) if second else self._asked_row(key)
        label = self._classes.check(answer)
        if second:
            return row, label, Source.SECOND
        if row in self._pool_audits:
            return row, label, Source.POOL
        return row, label, Source.AUDIT if self._pool.is_held_out(row) else Source.TRAINING

    def replay(self, entry: Label) -> None:
        """Take an entry that a store has judged: it goes into the log as it is."""
        self._finish_publishing()
        self.labels.log.append(entry)
        self._read_log()

    def give(self, rows: list[int], labels: list[Class], by: str | None, blind: bool) -> Told:
        """Store checked labels that existed already; blind ones in random order, as audits are asked."""
        self._finish_publishing()
        outcomes: Counter[str] = Counter()
        pairs = list(zip(rows, labels, strict=True))
        if blind:
            pairs.sort(key=lambda pair: self._pool.turn(pair[0]))
        for row, label in pairs:
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
        if self._classes.version > 1:  # what came from outside can't be asked again
            rows = rows[[row in self.labels for row in rows.tolist()]]
        return rows, self._codes[rows]

    def codes(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Codes of the labels of these rows, all of which have one."""
        self._read_log()
        return self._codes[rows]

    # inside

    def _row(self, item_id: Any) -> int:
        return self._pool.row(item_id if isinstance(item_id, str) else str(item_id))

    def _take_one(self, key: Any, answer: Any, by: str | None) -> Outcome:
        return self._record(*self.checked(key, answer), by, blind=True)

    def _take_second(self, key: Any, answer: Any, by: str | None) -> Outcome:
        row, checked, _ = self.checked(key, answer, second=True)
        self._read_log()
        outcome = self.labels.judge_second(row, checked)
        if outcome != "repeated":
            self._log(row, checked, Source.SECOND, by, blind=True, extra=outcome == "extra")
        return outcome

    def _second_row(self, key: Any) -> int:
        row = self._named_row(key)
        if row not in self._second:
            raise InvalidInput("no second answer was asked for; ask_second gives those that are wanted")
        return row

    def _asked_row(self, key: Any) -> int:
        row = self._named_row(key)
        if row not in self._asked:
            raise InvalidInput("was not asked about; for labels that exist already use add_labels")
        return row

    def _named_row(self, key: Any) -> int:
        """The row that a query's id or token names; an id comes first."""
        query = self._queries.get(key) if isinstance(key, str) and key not in self._pool else None
        return self._row(key if query is None else query.id)

    def _record(self, row: int, answer: Class | Skip, source: Source, by: str | None, blind: bool) -> Outcome:
        self._read_log()
        outcome = self.labels.judge(row, answer)
        if outcome != "repeated":
            self._log(row, answer, source, by, blind=blind, extra=outcome == "extra")
        return outcome

    def _log(
        self, row: int, answer: Class | Skip, source: Source, by: str | None, *, blind: bool, extra: bool
    ) -> None:
        version = self._classes.version
        entry = Label(
            self._pool.id(row), answer, source, by, self.round, self._clock(), blind, extra, version
        )
        self.labels.log.append(entry)
        self._read_log()

    def _read_log(self) -> None:
        """Bring everything up to the log; an interruption anywhere is made good by the next call."""
        while self._n_read < len(self.labels.log):
            self._read(self.labels.log[self._n_read])
            self._n_read += 1

    def _read(self, entry: Label) -> None:
        row = self._pool.row(entry.id)
        if not isinstance(entry.label, Skip):
            label = self._classes.now(entry.label, entry.class_version)
            if label is None:
                self._read_split(row, entry)
                return
            entry = entry if label == entry.label else replace(entry, label=label)
        self.labels.read(row, entry)
        if entry.extra and isinstance(entry.label, Skip):
            return
        if not isinstance(entry.label, Skip):
            code = self._classes.add(entry.label)
            if entry.extra:
                return
            if entry.source is not Source.SECOND:
                self._encode(row, code)
        self._on_answer(row, entry)
        if entry.source is Source.SECOND:
            return
        self._open.pop(row, None)
        self._pool.move(row, self._place_after(row, entry))

    def _read_split(self, row: int, entry: Label) -> None:
        """An answer that was given before its class was split, and comes after: it is asked for again."""
        if entry.source is Source.SECOND:
            if not entry.extra:
                self._second.pop(row, None)
        elif not entry.extra and row not in self.labels:
            self._ask_again(row)

    def _encode(self, row: int, code: int) -> None:
        if row >= len(self._codes):
            grown = np.zeros(max(row + 1, 2 * len(self._codes)), dtype=np.intp)
            grown[: len(self._codes)] = self._codes
            self._codes = grown
        self._codes[row] = code

    def _place_after(self, row: int, entry: Label) -> Place:
        if self._pool.is_erased(row):
            return self._pool.place(row)
        if self._pool.is_held_out(row):
            if entry.label is SKIP:
                return Place.AUDIT_SKIPPED
            of_closed_pool = entry.source is Source.POOL  # drawn from those that the model is sure of
            is_evidence = entry.blind and not of_closed_pool
            return Place.AUDITED if is_evidence else Place.HELD_OUT_LABELED
        if self._pool.place(row) is Place.OUTSIDE:
            return Place.OUTSIDE
        return Place.SKIPPED if entry.label is SKIP else Place.LABELED
