"""What of a loop is in memory and not in its store yet, and how it is written: by what has grown since.

A loop only ever adds: rows of its pool, queries, labels, fits, candidates, rounds, certificates. So what is
not written yet is what is longer than it was.
"""

from __future__ import annotations

import dataclasses
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.features import take
from bootstrap.model import Model
from bootstrap.phaseout import Certificate
from bootstrap.pool import Place
from bootstrap.records import Query
from bootstrap.refitting import described, fingerprint, packages_in_use
from bootstrap.replay import Replay, packed
from bootstrap.rounds import Rounds
from bootstrap.store.answers import LabelRow
from bootstrap.store.loops.loop_reading import LoopReader
from bootstrap.store.loops.loop_record import LoopRecord
from bootstrap.store.loops.loop_rows import Member, Published, StoredModel

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Unwritten"]


@dataclasses.dataclass(slots=True)
class _Written:
    """How much of a loop is in the store."""

    rows: int = 0
    ids: int = 0
    queries: int = 0
    labels: int = 0
    fits: int = 0
    rounds: int = 0
    candidates: int = 0
    given: bool = False
    review_rate: float = 1.0


class Unwritten:
    """What has to be written of one loop.

    Parameters
    ----------
    loop : Rounds
    record : LoopRecord
    replay : Replay
        Knows the numbers that things have in the store.

    Attributes
    ----------
    fit_in_memory : int or None
        Number of the fit that the model in memory is.
    refitted : list of StoredModel
        Models of candidates that turned out to be others, to be written.
    """

    def __init__(self, loop: Rounds, record: LoopRecord, replay: Replay) -> None:
        self.fit_in_memory: int | None = None
        self.refitted: list[StoredModel] = []
        self._loop = loop
        self._record = record
        self._replay = replay
        self._marks: list[tuple[str, dict[str, Any]]] = []
        self._written = _Written()
        self._batching = loop._batching.state  # as it is in the store
        self._n_models = 0
        self._certified: set[tuple[int, float]] = set()  # (candidate, review rate) of certificates written
        self._described = described(loop._model)  # slow to say, and always the same

    def has_all(self) -> None:
        """The store has whatever memory has, but for fits and certificates."""
        fits = self._written.fits
        self._written = self._now()
        self._written.fits = fits
        self._batching = self._loop._batching.state

    def read(self, reader: LoopReader) -> None:
        """Learn what the store has that does not follow from memory."""
        self._certified = set(reader.certificates())
        derived = {(one.candidate, one.review_rate) for one in self._loop._certifying.certificates}
        for candidate, rate in sorted(self._certified - derived):
            warnings.warn(
                f"the certificate of candidate {candidate} for a review rate of {rate:g} does not "
                "follow from what is stored as this version of the program counts it: it is not in force",
                stacklevel=2,
            )
        self._written.review_rate = reader.review_rate()
        self._n_models = reader.last_model()

    def mark(self, kind: str, **body: Any) -> None:
        """Have it written that something without rows of its own was done."""
        self._marks.append((kind, body))

    @property
    def has_changed(self) -> bool:
        """Whether there is anything to write."""
        certifying = self._loop._certifying
        return (
            bool(self._marks or self.refitted)
            or self._loop._batching.state != self._batching
            or self._now() != self._written
            or bool(self._uncertified())
            or certifying.certified_review_rate != self._written.review_rate
        )

    @property
    def follows(self) -> bool:
        """Whether all that changed follows from what is stored: fits, candidates, rounds, certificates."""
        now, done = self._now(), self._written
        of_people = now.queries > done.queries or now.labels > done.labels
        if now.rounds > done.rounds and not self._loop._was_answered:
            return False  # nothing in the store says that the round is over
        return not (of_people or now.rows > done.rows or now.ids > done.ids or self._marks or self.refitted)

    def _now(self) -> _Written:
        loop = self._loop
        return _Written(
            rows=loop._pool.n_rows,
            ids=loop._pool.n_items,
            queries=loop._exchange.n_queries,
            labels=len(loop._exchange.labels.log),
            fits=loop._n_fits,
            rounds=len(loop._rounds),
            candidates=len(loop._certifying.trial.candidates),
            given=loop._given_since_fit,
            review_rate=self._written.review_rate,
        )

    def as_stored(self, model: Model, rows: NDArray[np.intp]) -> StoredModel:
        """A model under the next number."""
        self._n_models += 1
        return StoredModel(
            number=self._n_models,
            round=self._loop._exchange.round,
            estimator=self._described,
            n_trained=len(rows),
            training=rows.astype("<i8"),
            packages=packages_in_use(),
            fingerprint=fingerprint(model, self._loop._pool),
        )

    def write(self, connection: Connection, at: float, *, to_desks: bool) -> None:
        """Write whatever memory has and the store does not, within `Database.writing`.

        With `to_desks`, queries go to people at desks.
        """
        done, loop = self._written, self._loop
        self._write_members(connection, at)
        self._write_labels(connection, at)
        for refitted in self.refitted:
            self._record.add_model(connection, at, refitted, in_use=False)
        self.refitted = []
        model = self._write_fit(connection, at)
        self._write_candidates(connection, at, model)
        for row in loop._rounds[done.rounds :]:
            self._record.close_round(
                connection,
                at,
                row.round,
                row.to_dict(),
                model=self._replay.model,
                n_trained=loop._n_trained,
                taken_up_to=self._replay.taken_up_to,
                releases=not to_desks,
            )
        self._write_queries(connection, at, to_desks)
        self._write_certificates(connection, at)
        if loop._batching.state != self._batching:  # no batch came of it, and the next one depends on it
            self.mark("chosen", **loop._batching.state)
        if loop._given_since_fit != done.given:
            self.mark("given", since_fit=loop._given_since_fit)
        for kind, body in self._marks:
            self._record.mark(connection, at, kind, body)
        self._marks = []
        self.has_all()
        self._written.review_rate = loop._certifying.certified_review_rate

    def _write_members(self, connection: Connection, at: float) -> None:
        pool, done = self._loop._pool, self._written
        if pool.n_rows == done.rows and pool.n_items == done.ids:
            return
        rows = pool.rows_since(done.rows)
        copies = [(name, row) for name, row in pool.copies_since(done.ids) if pool.id(row) != name]
        if not rows and not copies:
            return
        shown = {row: pool.shown(row) for row, *_ in rows}
        is_shown_only = isinstance(pool.X, list) and not pool.has_items
        new = [
            Member(row, name, content, int(home), turn, pool.item(row) if is_shown_only else shown[row])
            for row, name, content, home, turn in rows
        ]
        X = None if is_shown_only or not rows else take(pool.X, np.arange(done.rows, pool.n_rows))
        self._record.add_members(connection, at, new, X, copies)

    def _write_labels(self, connection: Connection, at: float) -> None:
        log = self._loop._exchange.labels.log[self._written.labels :]
        if not log:
            return
        pool = self._loop._pool
        rows = [pool.row(entry.id) for entry in log]
        item_of = self._record.items_of(connection, rows)
        stored = [
            LabelRow(
                loop_id=self._record.id,
                item_id=item_of[row],
                row=row,
                label=entry.label,
                source=entry.source,
                by=entry.by,
                round=entry.round,
                blind=entry.blind,
                stands=not entry.extra,
                query_id=self._replay.query_of.get((row, entry.source == "second")),
                class_version=entry.class_version,
            )
            for row, entry in zip(rows, log, strict=True)
        ]
        last = self._record.add_answers(connection, at, stored)
        self._replay.taken_up_to = last
        self._record.take(connection, at, last)

    def _write_fit(self, connection: Connection, at: float) -> int | None:
        """The model as it is now, where it was fitted since; its number."""
        loop = self._loop
        if loop._n_fits == self._written.fits or not loop._model.is_fitted:
            return self._replay.model
        model = self.as_stored(loop._model, loop.trained_rows)
        self._record.add_model(connection, at, model)
        self._replay.model = self.fit_in_memory = model.number
        self._written.fits = loop._n_fits
        return model.number

    def _write_candidates(self, connection: Connection, at: float, model: int | None) -> None:
        replaced = {body["new"] for kind, body in self._marks if kind == "replaced"}
        for candidate in self._loop._certifying.trial.candidates[self._written.candidates :]:
            how = "hand" if candidate.by_hand else "replaced" if candidate.number in replaced else "fit"
            if how == "fit" and model is not None:
                self._replay.model_at.setdefault(candidate.round, model)
            body = {
                "how": how,
                "name": candidate.name,
                "round": candidate.round,
                "n_trained": candidate.n_trained,
                "delta": candidate.delta,
                "rungs": [
                    [rung.review_rate, rung.threshold if np.isfinite(rung.threshold) else None]
                    for rung in candidate.rungs
                ],
            }
            self._record.add_candidate(
                connection,
                at,
                candidate.number,
                model=None if candidate.by_hand else self._replay.model_at.get(candidate.round),
                body=body,
                predictions=packed(candidate.predictions),
            )

    def _write_queries(self, connection: Connection, at: float, to_desks: bool) -> None:
        new = list(self._loop._exchange.queries_since(self._written.queries))
        for second in (False, True):
            of_kind = [query for query in new if query.second is second]
            if of_kind:
                self._publish(connection, at, of_kind, second, to_desks)
            if of_kind and not second:
                self._batching = self._loop._batching.state

    def _publish(
        self, connection: Connection, at: float, asked: list[Query], second: bool, to_desks: bool
    ) -> None:
        loop = self._loop
        pool, batch = loop._pool, loop._exchange.n_batches
        live = loop._model.held_out
        ahead = loop._exchange.n_open - len(asked)
        published = []
        for i, query in enumerate(asked):
            row = pool.row(query.id)
            home = pool.home(row)
            expected = None if second else loop._running.expected(row)
            published.append(
                Published(
                    row=row,
                    token=query.token,
                    kind="second" if second else "audit" if home is Place.HELD_OUT else "training",
                    batch=batch,
                    position=i,
                    round=query.round,
                    usefulness=0.0 - max(ahead, 0) - i,
                    probability=_probability(loop, home),
                    model=self._replay.model,
                    predicted=None if expected is None else expected[0],
                    confidence=None if live is None or expected is None else live.confidence_of(row),
                    alone=None if expected is None else expected[1],
                    is_erased=pool.is_erased(row),
                )
            )
        start = self._record.publish(
            connection,
            at,
            published,
            None if second else loop._batching.state,
            overlap=1 if second else loop.settings.overlap,
            to_desks=to_desks,
        )
        for i, one in enumerate(published):
            self._replay.query_of[one.row, second] = start + i

    def _uncertified(self) -> list[Certificate]:
        """Certificates that are not in the store yet."""
        given = self._loop._certifying.certificates
        return [one for one in given if (one.candidate, one.review_rate) not in self._certified]

    def _write_certificates(self, connection: Connection, at: float) -> None:
        certifying, done = self._loop._certifying, self._written
        for certificate in self._uncertified():
            self._certified.add((certificate.candidate, certificate.review_rate))
            self._record.add_certificate(
                connection, at, certificate.candidate, certificate.review_rate, certificate.to_dict()
            )
        rate, trial = certifying.certified_review_rate, certifying.trial
        if rate == done.review_rate:
            return
        champion = None if trial.champion is None else trial.champion.candidate.number
        reason = "certified" if rate < done.review_rate else "another candidate is in use"
        if champion is None and trial.withdrawn is not None:
            reason = trial.withdrawn[1]
        self._record.change_stage(connection, at, done.review_rate, rate, candidate=champion, reason=reason)


def _probability(loop: Rounds, home: Place) -> float | None:
    """The chance with which the item was set aside to be asked at random; None for a strategy's pick."""
    if home is Place.HELD_OUT:
        return float(loop.settings.held_out)
    return float(loop.settings.random_share) if home is Place.RESERVED else None
