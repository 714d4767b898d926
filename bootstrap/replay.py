"""Going through what a loop did once more, entry by entry of its trail: nothing asked, nothing fitted."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from bootstrap.certifying import StoredCandidate
from bootstrap.errors import StoreError
from bootstrap.phaseout import Candidate, Predictions
from bootstrap.records import Round, Source
from bootstrap.rounds import Rounds
from bootstrap.store.loops.loop_reading import Entry, LoopReader

__all__ = ["Replay", "packed", "unpacked"]


class Replay:
    """Applies entries to the parts of a loop.

    Parameters
    ----------
    loop : Rounds

    Attributes
    ----------
    model : int or None
        Number of the last fit.
    model_at : dict
        Round -> number of the fit that it ended with.
    query_of : dict
        (row, whether second) -> id of the last query about it.
    taken_up_to : int
        The last label that the loop has read.
    erased : set of int
        Rows whose item was erased.
    """

    def __init__(self, loop: Rounds) -> None:
        self.model: int | None = None
        self.model_at: dict[int, int] = {}
        self.query_of: dict[tuple[int, bool], int] = {}
        self.taken_up_to = 0
        self.erased: set[int] = set()
        self._loop = loop
        self._has_frozen = False  # whether a candidate was frozen in the round that is not closed yet
        self._steps: dict[str, Callable[[dict[str, Any], LoopReader], None]] = {
            "added": self._added,
            "published": self._published,
            "taken": self._taken,
            "withdrawn": self._withdrawn,
            "fitted": self._fitted,
            "candidate": self._candidate,
            "replaced": self._replaced,
            "round": self._round,
            "chosen": self._chosen,
            "given": self._given,
            "retired": self._retired,
            "reopened": self._reopened,
            "erased": self._erased,
            "classes": self._classes,
        }

    def apply(self, entry: Entry, reader: LoopReader) -> None:
        """Do what this entry says was done; kinds that change nothing in memory are passed over."""
        step = self._steps.get(entry.kind)
        if step is not None:
            step(entry.body, reader)

    def is_of_trainer(self, entry: Entry) -> bool:
        """Whether only whoever holds the training lock writes such an entry."""
        return entry.kind in self._steps and entry.kind != "erased"

    def take(self, reader: LoopReader, up_to: int) -> None:
        """Read labels up to this one."""
        loop = self._loop
        for _, _, label in reader.labels(self.taken_up_to, up_to):
            if label.source is Source.GIVEN:
                loop._given_since_fit = True
            loop._exchange.replay(label)
        self.taken_up_to = up_to

    # what each kind says

    def _added(self, body: dict[str, Any], reader: LoopReader) -> None:
        pool = self._loop._pool
        members, X = reader.members(body["first"], body["n"])
        if members:
            shown = [member.item for member in members]
            pool.restore(
                ["" if item is None else item for item in shown] if X is None else X,
                ids=[member.name for member in members],
                contents=[member.content for member in members],
                places=np.array([member.home for member in members], dtype=np.uint8),
                turns=np.array([member.turn for member in members]),
                items=None if X is None or all(item is None for item in shown) else shown,
            )
        pool.restore_copies(reader.copies())
        self._loop._certifying.extend()

    def _published(self, body: dict[str, Any], reader: LoopReader) -> None:
        loop = self._loop
        published = reader.published(body["first"], body["n"])
        rows = [query.row for query in published]
        second = body["batching"] is None
        if second:
            loop._exchange.publish_second(rows)
        else:
            loop._batching.restore(body["batching"])
            loop._running.restore(
                {
                    query.row: (query.predicted, bool(query.alone))
                    for query in published
                    if query.predicted is not None
                }
            )
            loop._certifying.asked(np.array(rows, dtype=np.intp))
            loop._exchange.publish(rows)
        for i, row in enumerate(rows):
            self.query_of[row, second] = body["first"] + i

    def _taken(self, body: dict[str, Any], reader: LoopReader) -> None:
        self.take(reader, body["up_to"])

    def _withdrawn(self, body: dict[str, Any], reader: LoopReader) -> None:
        self._loop._withdraw(body["rows"])

    def _fitted(self, body: dict[str, Any], reader: LoopReader) -> None:
        self._loop._n_trained = body["n_trained"]
        self._loop._given_since_fit = False
        self.model = body["model"]

    def _candidate(self, body: dict[str, Any], reader: LoopReader) -> None:
        loop, number = self._loop, body["candidate"]
        if body["how"] == "replaced":
            return
        loop._certifying.extend()
        if any(known.number == number for known in loop._certifying.trial.candidates):
            return  # items were added: the last one is tested on all of them
        found = _stored(reader, number)
        if body["how"] == "hand":
            loop._certifying.replay_by_hand(found)
        else:
            if self.model is not None:
                self.model_at[found.round] = self.model
            loop._certifying.replay_fit(found.n_trained, found)
            self._has_frozen = True

    def _replaced(self, body: dict[str, Any], reader: LoopReader) -> None:
        old = self.candidate(body["candidate"])
        new = None if body["new"] is None else _stored(reader, body["new"])
        if new is not None and body["model"] is not None:
            self.model_at[new.round] = body["model"]
        self._loop._certifying.replace(old, new, None, body["reason"])

    def _round(self, body: dict[str, Any], reader: LoopReader) -> None:
        loop = self._loop
        if body["releases"]:
            loop._exchange.release()
        loop._n_trained, loop._given_since_fit = body["n_trained"], False
        if not self._has_frozen:
            loop._certifying.replay_fit(body["n_trained"], None)
        self._has_frozen = False
        loop._rounds.append(Round(**reader.round(body["round"])))
        loop._exchange.next_round()

    def _chosen(self, body: dict[str, Any], reader: LoopReader) -> None:
        self._loop._batching.restore(body)

    def _given(self, body: dict[str, Any], reader: LoopReader) -> None:
        self._loop._given_since_fit = body["since_fit"]

    def _retired(self, body: dict[str, Any], reader: LoopReader) -> None:
        self._loop._certifying.trial.retire()

    def _reopened(self, body: dict[str, Any], reader: LoopReader) -> None:
        loop = self._loop
        loop._exchange.reopen_skipped([loop._pool.id(row) for row in body["rows"]])

    def _erased(self, body: dict[str, Any], reader: LoopReader) -> None:
        rows = [row for row in reader.rows_of(body["items"]) if row < self._loop._pool.n_rows]
        self.erased |= set(rows)
        self._loop._exchange.erase(rows)
        self._loop._certifying.erase(rows)

    def _classes(self, body: dict[str, Any], reader: LoopReader) -> None:
        self._loop._change_classes(reader.class_change(body["version"]))
        self.model = None

    def candidate(self, number: int) -> Candidate:
        """The candidate of this number."""
        for known in self._loop._certifying.trial.candidates:
            if known.number == number:
                return known
        raise StoreError(f"the store names a candidate {number} that it never began: run `db check` on it")


def _stored(reader: LoopReader, number: int) -> StoredCandidate:
    _, body, predictions = reader.candidate(number)
    return StoredCandidate(
        name=body["name"],
        round=body["round"],
        n_trained=body["n_trained"],
        by_hand=body["how"] == "hand",
        predictions=unpacked(predictions),
    )


def packed(predictions: Predictions) -> bytes:
    """Predictions as bytes."""
    classes, codes = np.unique(predictions.predicted, return_inverse=True)
    header = json.dumps({"classes": classes.tolist(), "n": len(codes)}).encode()
    columns = (predictions.rows.astype("<i8"), codes.astype("<i4"), predictions.confidence.astype("<f8"))
    return header + b"\n" + zlib.compress(b"".join(column.tobytes() for column in columns), 1)


def unpacked(data: bytes) -> Predictions:
    """What :func:`packed` made bytes of."""
    header, content = data.split(b"\n", 1)
    about, content = json.loads(header), zlib.decompress(content)
    n = about["n"]
    rows = np.frombuffer(content, "<i8", n)
    codes = np.frombuffer(content, "<i4", n, 8 * n)
    confidence = np.frombuffer(content, "<f8", n, 12 * n)
    return Predictions.of(rows, np.array(about["classes"])[codes], confidence)
