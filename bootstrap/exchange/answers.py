"""Answers in: what people said about the queries, and what becomes of each item by it.

No model and no statistics here. An answer can come late, twice, in parts or in any order; the first label
of an item counts, nothing overwrites it, and what can't be taken is refused without losing the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.class_changes import ClassChange
from bootstrap.classes import ClassList
from bootstrap.errors import AnswersRejected, InvalidInput
from bootstrap.exchange.queries import Queries
from bootstrap.labels import Labels, Outcome, Told
from bootstrap.pool import Place, Pool
from bootstrap.protocols import Clock
from bootstrap.records import SKIP, Class, Label, Skip, Source

__all__ = ["Exchange"]


class Exchange(Queries):
    """Takes the answers to the queries of one loop.

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
        super().__init__(pool, classes, name=name)
        self.labels = Labels()
        self._n_read = 0  # entries of the log that all below has taken into account
        self._n_told_before = 0  # entries of the log when the round began
        self._clock = clock
        self._on_answer = on_answer
        self._on_split = on_split
        self._codes = np.empty(0, dtype=np.intp)  # row -> code of its first label, where it has one

    # rounds and classes

    @property
    def told_since_round(self) -> bool:
        """Whether anything was stored since the round began."""
        return self.n_told_since_round > 0

    @property
    def n_told_since_round(self) -> int:
        """How many answers were stored since the round began."""
        return len(self.labels.log) - self._n_told_before

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
        self._show_classes_anew()

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

    def _take_one(self, key: Any, answer: Any, by: str | None) -> Outcome:
        return self._record(*self.checked(key, answer), by, blind=True)

    def _take_second(self, key: Any, answer: Any, by: str | None) -> Outcome:
        row, checked, _ = self.checked(key, answer, second=True)
        self._read_log()
        outcome = self.labels.judge_second(row, checked)
        if outcome != "repeated":
            self._log(row, checked, Source.SECOND, by, blind=True, extra=outcome == "extra")
        return outcome

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
