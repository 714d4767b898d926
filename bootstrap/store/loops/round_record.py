"""What one loop writes into a store with its rounds: fits, candidates, figures, certificates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert

from bootstrap.store import trail
from bootstrap.store.answers import next_id
from bootstrap.store.covered import rows_of, values_of
from bootstrap.store.inserting import insert_rows
from bootstrap.store.loops.loop_rows import StoredModel, pack
from bootstrap.store.schema import candidates, certificates, models, rounds, stage_changes

__all__ = ["RoundRecord"]


class RoundRecord:
    """The rounds of one loop in one store.

    Parameters
    ----------
    id : int
    class_version : int
        Of the classes as they are now.
    """

    def __init__(self, id: int, class_version: int) -> None:
        self.id = id
        self.class_version = class_version

    def add_model(
        self, connection: Connection, at: float, model: StoredModel, *, in_use: bool = True
    ) -> None:
        """A fit; one that is not `in_use` belongs to a candidate that was tested before."""
        row = {
            "loop_id": self.id,
            "number": model.number,
            "round": model.round,
            "estimator": model.estimator,
            "n_trained": model.n_trained,
            "training": pack(model.training),
            "packages": trail.to_json(model.packages),
            "fingerprint": None if model.fingerprint is None else pack(model.fingerprint),
            "at": at,
        }
        insert_rows(connection, models, [row])
        body = {"model": model.number, "n_trained": model.n_trained}
        kind = "fitted" if in_use else "refitted"
        self._append(connection, kind, body, at, values_of(models, [row]))

    def add_candidate(
        self,
        connection: Connection,
        at: float,
        number: int,
        *,
        model: int | None,
        body: Mapping[str, Any],
        predictions: bytes,
    ) -> None:
        """A candidate as it was registered, with what it says of every item that may be audited."""
        row = {
            "loop_id": self.id,
            "number": number,
            "model": model,
            "body": trail.to_json(body),
            "predictions": predictions,
            "class_version": self.class_version,
            "at": at,
        }
        insert_rows(connection, candidates, [row])
        entry = {"candidate": number, "how": body["how"]}
        self._append(connection, "candidate", entry, at, values_of(candidates, [row]))

    def close_round(
        self,
        connection: Connection,
        at: float,
        number: int,
        body: Mapping[str, Any],
        *,
        model: int | None,
        n_trained: int,
        taken_up_to: int,
        releases: bool,
    ) -> None:
        """A round has ended; `releases` says whether all that still waited went back."""
        row = {
            "loop_id": self.id,
            "number": number,
            "body": trail.to_json(body),
            "taken_up_to": taken_up_to,
            "model": model,
            "class_version": self.class_version,
            "at": at,
        }
        insert_rows(connection, rounds, [row])
        entry = {"round": number, "n_trained": n_trained, "releases": releases}
        self._append(connection, "round", entry, at, values_of(rounds, [row]))

    def add_certificate(
        self, connection: Connection, at: float, candidate: int, review_rate: float, body: Mapping[str, Any]
    ) -> None:
        """A certificate, with the evidence that it rests on."""
        row = {
            "loop_id": self.id,
            "candidate": candidate,
            "review_rate": review_rate,
            "body": trail.to_json(body),
            "class_version": self.class_version,
            "at": at,
        }
        insert_rows(connection, certificates, [row])
        entry = {"candidate": candidate, "review_rate": review_rate}
        self._append(connection, "certified", entry, at, values_of(certificates, [row]))

    def change_stage(
        self,
        connection: Connection,
        at: float,
        from_rate: float,
        to_rate: float,
        *,
        candidate: int | None,
        reason: str,
        by: str | None = None,
    ) -> None:
        """The review rate in force has changed."""
        number = next_id(connection, stage_changes)
        connection.execute(
            insert(stage_changes).values(
                id=number,
                loop_id=self.id,
                from_rate=from_rate,
                to_rate=to_rate,
                candidate=candidate,
                reason=reason,
                by=by,
                at=at,
            )
        )
        self._append(connection, "stage", {"change": number}, at)

    def mark(self, connection: Connection, at: float, kind: str, body: Mapping[str, Any]) -> None:
        """Something that a loop did and has to do again when it is resumed, without rows of its own."""
        self._append(connection, kind, body, at)

    def _append(
        self,
        connection: Connection,
        kind: str,
        body: Mapping[str, Any],
        at: float,
        rows: Iterable[Sequence[Any]] | None = None,
    ) -> None:
        """An entry; `rows` are those it speaks of, read back from the store where they are not given."""
        covered = rows_of(connection, kind, body, self.id) if rows is None else rows
        trail.append(connection, kind, body, at, loop_id=self.id, rows=covered)
