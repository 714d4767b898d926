"""A loop with a store: each step is written as a whole, and a loop that is resumed goes through them again.

A step of a loop happens in memory first. What it changed is then written in one transaction, before the
caller is told that it is done. If that fails, memory is thrown away and built anew from the store before
the next step, so that the store is always right. Resuming is the same: every entry of the loop's trail is
gone through once more, with nothing asked and nothing fitted but what is in use at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import RLock
from typing import TYPE_CHECKING, Any

from bootstrap.errors import BootstrapError, StoreInUse
from bootstrap.labels import Told
from bootstrap.records import Label
from bootstrap.replay import Replay
from bootstrap.rounds import Rounds
from bootstrap.saving import Saving
from bootstrap.store.database import Database
from bootstrap.store.desks.opening import close_slots, open_waiting, withdraw_unclaimed
from bootstrap.store.desks.progress import Progress, progress_of
from bootstrap.store.loops.loop_reading import Entry, LoopReader
from bootstrap.store.loops.loop_record import LoopRecord
from bootstrap.store.trail import length_of
from bootstrap.store.training_lock import TrainingLock
from bootstrap.stored_models import StoredModels
from bootstrap.unwritten import Unwritten

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Journal"]


class Journal:
    """Writes the steps of one loop, and brings it up to what others have written.

    Parameters
    ----------
    loop : Rounds
        Without any item or label yet where the store knows the loop.
    database : Database
    record : LoopRecord

    Attributes
    ----------
    is_stored : bool
        True: it is one of the two :class:`bootstrap.steps.Steps`.
    to_desks : bool
        Whether queries go to people at desks.
    overlap : int
        How many different people answer each query, where people at desks do.
    connection : Connection or None
        Of the transaction of the present step, where that stores answers.
    """

    is_stored = True

    def __init__(self, loop: Rounds, database: Database, record: LoopRecord) -> None:
        self.database = database
        self.record = record
        self.to_desks = False
        self.connection: Connection | None = None
        self._loop = loop
        self.overlap = loop.settings.overlap
        self._lock = TrainingLock(database, record.name)
        self._one_thread = RLock()
        self._depth = 0  # of `holding`
        self._in_step = False
        self._waits = False  # whether memory has what will be written with the next questions
        self._is_stale = True  # whether memory is not what the store says
        self._trail = 0  # length of the trail that memory knows
        self._may_wait = True  # whether labels may have come that are not taken
        self._is_unchecked = False  # whether candidates may be other models than those that were tested
        self._must_forget = False  # whether memory has content that was erased
        self._is_new_here = False  # whether others may have trained before the lock was taken
        self._start_over()

    def _start_over(self) -> None:
        """Know nothing of what the store has."""
        loop = self._loop
        self._replay = Replay(loop)
        self._unwritten = Unwritten(loop, self.record, self._replay)
        self._models = StoredModels(loop, self.database, self.record, self._replay, self._unwritten)
        self._trail, self._may_wait, self._must_forget, self._waits = 0, True, False, False
        loop._certifying.refit = self._models.refit_candidate

    # steps

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Be the one process that trains this loop.

        Raises
        ------
        StoreInUse
            If another one is.
        """
        if self._depth == 0:
            self._lock.acquire()
            self._is_new_here = True
        self._depth += 1
        try:
            yield
        finally:
            try:
                if self._depth == 1:
                    self.write_rest()
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._lock.release()

    @contextmanager
    def step(self, *, answers: bool = False) -> Iterator[None]:
        """One step: brought up to date before, written as a whole after it.

        Parameters
        ----------
        answers : bool
            Whether it stores answers: nobody else may answer in between, so that what stands is known.
        """
        with self._one_thread:
            if self._in_step:
                yield
            else:
                with self._whole_step(answers=answers):
                    yield

    @contextmanager
    def _whole_step(self, *, answers: bool) -> Iterator[None]:
        # a run by a labeler in this process: nobody else asks
        alone = self._depth > 0 and not self.to_desks and not self._is_new_here
        if self._depth > 0 and not self._lock.held:  # the connection broke, and the lock went with it
            self._hold_again()
            alone = False
        with self.holding():
            if answers:
                self.write_rest()
            if self._is_stale or self._must_forget or not (answers or alone):
                self.catch_up()
            self._is_new_here = False
            self._is_stale = True
            refused: BootstrapError | None = None
            try:
                if answers:
                    with self.database.writing() as connection:
                        self._catch_up_within(connection)
                        self._in_step, self.connection = True, connection
                        try:
                            yield
                        except BootstrapError as error:  # what was valid in the same call is kept
                            refused = error
                        self._write(connection)
                else:
                    self._in_step = True
                    try:
                        yield
                    except BootstrapError as error:
                        refused = error
                    if alone and self._unwritten.follows:  # it can be had again, so that it may wait
                        self._waits = self._unwritten.has_changed
                    elif self._unwritten.has_changed:
                        self._hold_again()  # a fit and a strategy may have taken long
                        with self.database.writing() as connection:
                            self._write(connection)
                self._is_stale = False
            finally:
                self._in_step, self.connection = False, None
            if refused is not None:
                raise refused

    def write_rest(self) -> None:
        """Write what waits for the next questions."""
        with self._one_thread:
            if not self._waits or self._is_stale:
                return
            self._is_stale = True
            self._hold_again()
            with self.database.writing() as connection:
                self._write(connection)
            self._is_stale = False

    def _hold_again(self) -> None:
        """Take the lock again where it went with a connection that broke.

        Raises
        ------
        StoreInUse
            If another process trains, or has done so meanwhile and memory has what is not written.
        """
        if self._lock.held:
            return
        self._lock.acquire()
        if not (self._waits or self._in_step):
            return  # whatever others did is read on
        with self.database.reading() as connection:
            entries = LoopReader(connection, self.record.id).entries(self._trail)
        if any(self._replay.is_of_trainer(entry) for entry in entries):
            self._is_stale, self._waits = True, False
            raise StoreInUse(
                f"The connection that held the loop {self.record.name!r} broke, and another process has "
                "trained it since: what was not written yet is left to that one. Answers are all kept. Run "
                "it again to go on from there."
            )

    def mark(self, kind: str, **body: Any) -> None:
        """Have it written with this step that something without rows of its own was done."""
        self._unwritten.mark(kind, **body)

    def refresh(self) -> None:
        """Take in labels that were given and items that were added since the last refit."""
        self.look()
        try:
            with self.step():
                self._loop._catch_up()
        except StoreInUse:  # for this look alone: the trainer will do it itself
            self._loop._catch_up()
            self._is_stale = True

    def saving(self, by: str | None) -> Saving:
        """What puts the answers of one call to a labeler on the disk as they come."""
        return Saving(self._loop._exchange, self.database, self.record, self._replay.query_of, by)

    # people at desks

    def open_desks(self) -> None:
        """Let people at desks answer whatever waits, from now on."""
        self.to_desks = True
        with self.step(answers=True):
            open_waiting(self._now_writing(), self.record.id)

    def close_desks(self) -> None:
        """Let nobody at a desk answer any more: somebody in this process does."""
        self.to_desks = False
        with self.step(answers=True):
            close_slots(self._now_writing(), self.record.id)

    def progress(self) -> Progress:
        """What waits, and what has come."""
        with self.database.reading() as connection:
            return progress_of(connection, self.record.id)

    def withdraw(self) -> None:
        """Take back what nobody has in hand, to be ranked anew."""
        with self.step(answers=True):
            connection = self._now_writing()
            rows = withdraw_unclaimed(connection, self.record.id, self.database.time(connection))
            if rows:
                self._loop._withdraw(rows)
                self.mark("withdrawn", rows=rows)

    def _now_writing(self) -> Connection:
        if self.connection is None:
            raise RuntimeError("only within a step that stores answers")
        return self.connection

    def begin(self) -> None:
        """Write a loop that is new, with what came inside its estimator."""
        self._is_stale = False
        with self.database.reading() as connection:
            self._trail = length_of(connection)
            self._loop._pool.forbid(LoopReader(connection, self.record.id).erased())
        with self.step():
            pass

    def resume(self) -> None:
        """Go through what is stored; as the trainer, unless another process is that at the moment."""
        try:
            with self.step():
                pass
        except StoreInUse:
            self.look()

    def close(self) -> None:
        """Let go of the store."""
        self._lock.close()
        self.database.close()

    # up to date

    def catch_up(self) -> Told:
        """Bring memory up to the store, labels that came since included; for the trainer."""
        if self._in_step:
            return Told()
        self.write_rest()
        if self._is_stale or self._must_forget:
            self._rebuild()
        with self.database.reading() as connection:
            is_new = length_of(connection) != self._trail or self._may_wait
        told = Told()
        if is_new:
            self._is_stale = True
            with self.database.writing() as connection:
                told = self._catch_up_within(connection)
                self._write(connection)
            self._is_stale = False
        self._models.fit_again()
        if self._is_unchecked and self._depth:
            self._models.check_candidates()
            self._is_unchecked = False
            if self._unwritten.has_changed:  # before answers come: a certificate says what it was given on
                self._is_stale = True
                with self.database.writing() as connection:
                    self._write(connection)
                self._is_stale = False
        return told

    def _catch_up_within(self, connection: Connection) -> Told:
        told = Told()
        if length_of(connection) != self._trail or self._may_wait:
            self._read_on(connection)
            if self._must_forget:  # before labels are read that go by the names of today
                self._rebuild()
            told = self._take(connection)
            self._trail, self._may_wait = length_of(connection), False
        return told

    def look(self) -> None:
        """Bring memory up to what the trainer has written, and take nothing: for those who only read."""
        with self._one_thread:
            if not self._in_step and not self._depth:
                self._look()

    def _look(self) -> None:
        if self._is_stale or self._must_forget:
            self._rebuild()
        with self.database.reading() as connection:
            if length_of(connection) != self._trail:
                self._read_on(connection)
                self._may_wait = True
        if self._must_forget:
            self._rebuild()
        self._models.fit_again()
        if self._is_unchecked:
            with suppress(StoreInUse), self.step():  # else the trainer checks its models itself
                pass

    def n_unused_labels(self) -> int:
        """Labels that no round has used yet, those that are not taken included."""
        self.look()
        return self._loop._exchange.n_told_since_round + self.n_untaken()

    def n_untaken(self) -> int:
        """Labels that people gave elsewhere and that were not taken yet."""
        with self.database.reading() as connection:
            return len(LoopReader(connection, self.record.id).labels(self._replay.taken_up_to))

    def _take(self, connection: Connection) -> Told:
        reader = LoopReader(connection, self.record.id)
        last = reader.last_label()
        if last <= self._replay.taken_up_to:
            return Told()
        before = len(self._loop._exchange.labels.log)
        self._replay.take(reader, last)
        self.record.take(connection, self.database.time(connection), last)
        self._unwritten.has_all()
        return _told(self._loop._exchange.labels.log[before:])

    def _read_on(self, connection: Connection) -> None:
        """Go through what others have written since, where all that memory has is written."""
        entries = self._follow(connection)
        if entries:
            self._unwritten.has_all()
        if any(self._replay.is_of_trainer(entry) for entry in entries):
            self._unwritten.read(LoopReader(connection, self.record.id))

    def _follow(self, connection: Connection) -> list[Entry]:
        """Go through what others have written since; returns it."""
        reader = LoopReader(connection, self.record.id)
        length = length_of(connection)
        entries = reader.entries(self._trail)
        for entry in entries:
            self._replay.apply(entry, reader)
            if entry.kind == "classes":
                self.record.class_version = entry.body["version"]
        if self._trail and any(entry.kind == "erased" for entry in entries):
            self._must_forget = True
        self._trail = length
        return entries

    def _rebuild(self) -> None:
        """Throw memory away and go through everything once more."""
        loop = self._loop
        loop._begin(self.record.entropy, self.record.key, outside=False)
        self._start_over()
        with self.database.reading() as connection:
            reader = LoopReader(connection, self.record.id)
            loop._pool.forbid(reader.erased())
            self._replay.erased = set(reader.erased_rows())
            self._read_on(connection)
        self._models.refuse_another_estimator()
        self._is_stale, self._is_unchecked = False, True
        self._models.fit_again()

    def _write(self, connection: Connection) -> None:
        """Write whatever memory has and the store does not."""
        if length_of(connection) != self._trail:  # people at desks, or an erasure, while a step was going on
            self._follow(connection)
            self._may_wait = True
        if self._unwritten.has_changed:
            self._unwritten.write(connection, self.database.time(connection), to_desks=self.to_desks)
            self._trail = length_of(connection)
        self._waits = False


def _told(entries: list[Label]) -> Told:
    """What became of answers that were taken from the store."""
    kept = skipped = extra = 0
    for entry in entries:
        if entry.extra:
            extra += 1
        elif isinstance(entry.label, (str, int)):
            kept += 1
        else:
            skipped += 1
    return Told(kept=kept, extra=extra, skipped=skipped)
