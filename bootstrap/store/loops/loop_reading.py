"""What a loop reads back from a store: the entries of its trail, and the rows that these speak of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, select

from bootstrap.class_changes import ClassChange
from bootstrap.records import Class, Label, Source
from bootstrap.store.answers import label_from
from bootstrap.store.features import payload_from, read_features
from bootstrap.store.loops.loop_rows import Member, Published, StoredModel, unpack
from bootstrap.store.schema import (
    aliases,
    candidates,
    certificates,
    class_lists,
    decisions,
    items,
    labels,
    loops,
    members,
    models,
    queries,
    rounds,
    stage_changes,
    trail,
)
from bootstrap.store.slices import in_slices

__all__ = ["Entry", "LoopReader"]

#: Kinds that say what follows from others, or what is read when it is taken.
_PASSED_OVER = ("begun", "labels", "certified", "stage", "traps", "refitted")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the trail about this loop."""

    seq: int
    kind: str
    body: dict[str, Any]


class LoopReader:
    """Reads what is stored of one loop, within any transaction.

    Parameters
    ----------
    connection : Connection
    loop_id : int
    """

    def __init__(self, connection: Connection, loop_id: int) -> None:
        self._connection = connection
        self._loop = loop_id

    def entries(self, after: int) -> list[Entry]:
        """The entries after number `after` that this loop has to go through."""
        found = self._connection.execute(
            select(trail.c.seq, trail.c.kind, trail.c.body)
            .where(trail.c.seq > after, (trail.c.loop_id == self._loop) | (trail.c.kind == "erased"))
            .where(trail.c.kind.not_in(_PASSED_OVER))
            .order_by(trail.c.seq)
        )
        return [Entry(row.seq, row.kind, json.loads(row.body)) for row in found]

    def members(self, first: int, n: int) -> tuple[list[Member], Any]:
        """Rows of the pool and their features; the features are None where people see all there is."""
        found = self._connection.execute(
            select(members, items.c.content, items.c.payload, items.c.key)
            .join(items, items.c.id == members.c.item_id)
            .where(members.c.loop_id == self._loop, members.c.row.between(first, first + n - 1))
            .order_by(members.c.row)
        ).all()
        rows = [
            Member(
                row=row.row,
                name=row.name,
                content=f"erased:{row.key}" if row.content is None else row.content,
                home=row.home,
                turn=np.inf if row.turn is None else row.turn,
                item=None if row.payload is None else payload_from(row.payload),
            )
            for row in found
        ]
        if any(row.block_id is None for row in found):
            return rows, None
        return rows, read_features(self._connection, [(row.block_id, row.at) for row in found])

    def copies(self) -> dict[str, int]:
        """Further ids of items: id -> row."""
        found = select(aliases.c.name, aliases.c.row).where(aliases.c.loop_id == self._loop)
        return {row.name: row.row for row in self._connection.execute(found)}

    def erased(self) -> frozenset[str]:
        """Keys of the contents that were erased, of the whole store."""
        found = select(items.c.key).where(items.c.erased_at.is_not(None))
        return frozenset(row.key for row in self._connection.execute(found))

    def erased_rows(self) -> list[int]:
        """Rows of this loop whose item was erased."""
        found = (
            select(members.c.row)
            .join(items, items.c.id == members.c.item_id)
            .where(members.c.loop_id == self._loop, items.c.erased_at.is_not(None))
        )
        return [row.row for row in self._connection.execute(found)]

    def rows_of(self, keys: list[str]) -> list[int]:
        """Rows of this loop by the keys of their items."""
        rows: list[int] = []
        for some in in_slices(keys):
            found = (
                select(members.c.row)
                .join(items, items.c.id == members.c.item_id)
                .where(members.c.loop_id == self._loop, items.c.key.in_(some))
                .order_by(members.c.row)
            )
            rows += [row.row for row in self._connection.execute(found)]
        return rows

    def published(self, first: int, n: int) -> list[Published]:
        """Queries in the order in which they went out."""
        found = self._connection.execute(
            select(queries, decisions)
            .join(decisions, decisions.c.query_id == queries.c.id)
            .where(queries.c.id.between(first, first + n - 1))
            .order_by(queries.c.id)
        )
        return [
            Published(
                row=row.row,
                token=row.token,
                kind=row.kind,
                batch=row.batch,
                position=row.position,
                round=row.round,
                usefulness=row.usefulness,
                probability=row.probability,
                model=row.model,
                predicted=None if row.predicted is None else json.loads(row.predicted),
                confidence=row.confidence,
                alone=row.alone,
            )
            for row in found
        ]

    def taken_up_to(self) -> int:
        """The last label that the loop has read."""
        found = select(loops.c.taken_up_to).where(loops.c.id == self._loop)
        return int(self._connection.execute(found).scalar_one())

    def labels(self, after: int, up_to: int | None = None) -> list[tuple[int, int, Label]]:
        """(id, row, label) of what people said to this loop and did not take back, in order."""
        undone = select(labels.c.undoes).where(labels.c.undoes.is_not(None))
        chosen = select(labels, members.c.name).join(
            members, (members.c.loop_id == labels.c.loop_id) & (members.c.row == labels.c.row)
        )
        chosen = chosen.where(
            labels.c.loop_id == self._loop,
            labels.c.id > after,
            labels.c.undoes.is_(None),
            labels.c.source != "trap",
            labels.c.id.not_in(undone),
        )
        if up_to is not None:
            chosen = chosen.where(labels.c.id <= up_to)
        return [
            (
                row.id,
                row.row,
                Label(
                    id=row.name,
                    label=label_from(row.label),
                    source=Source(row.source),
                    by=row.by,
                    round=row.round,
                    at=row.at,
                    blind=row.blind,
                    extra=row.extra,
                    class_version=row.class_version,
                ),
            )
            for row in self._connection.execute(chosen.order_by(labels.c.id))
        ]

    def last_label(self) -> int:
        """The id of the last label of this loop, undone ones and undoings included; 0 without one."""
        found = select(func.max(labels.c.id)).where(labels.c.loop_id == self._loop)
        return int(self._connection.execute(found).scalar() or 0)

    def model(self, number: int) -> StoredModel:
        """One fit."""
        chosen = select(models).where(models.c.loop_id == self._loop, models.c.number == number)
        row = self._connection.execute(chosen).one()
        return StoredModel(
            number=row.number,
            round=row.round,
            estimator=row.estimator,
            n_trained=row.n_trained,
            training=unpack(row.training),
            packages=json.loads(row.packages),
            fingerprint=None if row.fingerprint is None else unpack(row.fingerprint),
        )

    def candidate(self, number: int) -> tuple[int | None, dict[str, Any], bytes]:
        """(number of its model, body, predictions) of one candidate."""
        chosen = select(candidates).where(candidates.c.loop_id == self._loop, candidates.c.number == number)
        row = self._connection.execute(chosen).one()
        return row.model, json.loads(row.body), bytes(row.predictions)

    def round(self, number: int) -> dict[str, Any]:
        """One row of the history."""
        chosen = select(rounds.c.body).where(rounds.c.loop_id == self._loop, rounds.c.number == number)
        body: dict[str, Any] = json.loads(self._connection.execute(chosen).scalar_one())
        return body

    def certificates(self) -> Iterator[tuple[int, float]]:
        """(candidate, review rate) of every certificate, in the order in which they were given."""
        chosen = select(certificates.c.candidate, certificates.c.review_rate)
        chosen = chosen.where(certificates.c.loop_id == self._loop).order_by(certificates.c.at)
        for row in self._connection.execute(chosen):
            yield row.candidate, row.review_rate

    def review_rate(self) -> float:
        """The certified review rate in force; 1 before the first change."""
        chosen = select(stage_changes.c.to_rate).where(stage_changes.c.loop_id == self._loop)
        found = self._connection.execute(chosen.order_by(stage_changes.c.id.desc()).limit(1)).scalar()
        return 1.0 if found is None else float(found)

    def last_model(self) -> int:
        """Number of the last fit that is stored; 0 without one."""
        found = select(func.max(models.c.number)).where(models.c.loop_id == self._loop)
        return int(self._connection.execute(found).scalar() or 0)

    def class_change(self, version: int) -> ClassChange:
        """What made this version of the classes of the one before."""
        chosen = select(class_lists.c.change).where(
            class_lists.c.loop_id == self._loop, class_lists.c.version == version
        )
        return ClassChange.from_dict(json.loads(self._connection.execute(chosen).scalar_one()))

    def class_list(self) -> tuple[int, list[Class] | None]:
        """(version, classes or None where the list is open), the latest."""
        chosen = select(class_lists).where(class_lists.c.loop_id == self._loop)
        row = self._connection.execute(chosen.order_by(class_lists.c.version.desc()).limit(1)).one()
        return row.version, json.loads(row.classes)
