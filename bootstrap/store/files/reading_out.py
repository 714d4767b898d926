"""All that a store knows about the items of its loops, page by page, for whatever writes it down."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, select

from bootstrap.records import SKIP, Class, Skip
from bootstrap.store.answers import label_from
from bootstrap.store.class_lists import read_classes
from bootstrap.store.features import read_rows
from bootstrap.store.payloads import payload_from
from bootstrap.store.schema import aliases, decisions, items, labels, members, queries, standing

__all__ = ["Answer", "ExportedItem", "read_out"]

_PAGE: Final = 2000  # items at a time


@dataclass(frozen=True, slots=True)
class Answer:
    """One row of the table of labels.

    Attributes
    ----------
    label : class, SKIP or None
        None where it only takes an earlier one back.
    at : float
        When it was given: of a label from a file, what the file says.
    undoes : int or None
        Number of the answer that this one takes back.
    """

    number: int
    label: Class | Skip | None
    source: str
    by: str | None
    at: float
    round: int
    blind: bool
    reason: str | None = None
    undoes: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As it stands in a file; what is not there is left out."""
        said: dict[str, Any] = {"number": self.number, "label": None if self.label is SKIP else self.label}
        if self.label is SKIP:
            said["skip"] = True
        said |= {"source": self.source, "by": self.by, "at": self.at, "round": self.round}
        said["blind"] = self.blind
        return said | {k: getattr(self, k) for k in ("reason", "undoes") if getattr(self, k) is not None}


@dataclass(frozen=True, slots=True)
class ExportedItem:
    """One item of one loop, with all that was said of it.

    Attributes
    ----------
    item : object
        What people see; None once erased.
    copies : tuple of str
        Further ids of the same content.
    first, second : Answer or None
        The label that counts, and the second answer that does.
    others : tuple of Answer
        All other answers, in order.
    predicted, confidence, model
        What the model said of it when it was last asked about; None without.
    """

    loop: str
    id: str
    item: Any
    copies: tuple[str, ...] = ()
    first: Answer | None = None
    second: Answer | None = None
    others: tuple[Answer, ...] = ()
    erased: bool = False
    predicted: Class | None = None
    confidence: float | None = None
    model: int | None = None

    @property
    def said(self) -> tuple[Answer, ...]:
        """What people said of it and did not take back, the label that counts first; no answers to traps."""
        undone = {answer.undoes for answer in self.others}
        every = [answer for answer in (self.first, self.second, *self.others) if answer is not None]
        return tuple(
            answer
            for answer in every
            if answer.undoes is None and answer.number not in undone and answer.source != "trap"
        )

    @property
    def is_unsettled(self) -> bool:
        """Whether people have answered and nothing counts: they disagree, or more of them are asked."""
        return self.first is None and bool(self.said)


def read_out(connection: Connection, names: dict[int, str]) -> Iterator[list[ExportedItem]]:
    """All items of these loops (id -> name), page by page, in the order in which they were added."""
    for loop_id, name in names.items():
        after = -1
        while True:
            page = connection.execute(
                select(
                    members.c.row,
                    members.c.item_id,
                    members.c.name,
                    members.c.block_id,
                    members.c.at,
                    items.c.payload,
                    items.c.erased_at,
                )
                .join(items, items.c.id == members.c.item_id)
                .where(members.c.loop_id == loop_id, members.c.row > after)
                .order_by(members.c.row)
                .limit(_PAGE)
            ).all()
            if not page:
                break
            after = page[-1].row
            yield _page(connection, loop_id, name, page)


def _page(connection: Connection, loop_id: int, name: str, rows: Sequence[Any]) -> list[ExportedItem]:
    ids = [row.item_id for row in rows]
    answers = _answers(connection, loop_id, ids)
    counts = _standing(connection, loop_id, ids)
    copies = _copies(connection, loop_id, rows[0].row, rows[-1].row)
    predictions = _predictions(connection, loop_id, ids)
    shown = _shown(connection, rows)
    found = []
    for row, item in zip(rows, shown, strict=True):
        said = answers.get(row.item_id, {})
        first, second = (counts.get((row.item_id, opinion)) for opinion in ("first", "second"))
        predicted, confidence, model = predictions.get(row.item_id, (None, None, None))
        found.append(
            ExportedItem(
                loop=name,
                id=row.name,
                item=item,
                copies=tuple(copies.get(row.row, ())),
                first=None if first is None else said[first],
                second=None if second is None else said[second],
                others=tuple(answer for key, answer in said.items() if key not in (first, second)),
                erased=row.erased_at is not None,
                predicted=predicted,
                confidence=confidence,
                model=model,
            )
        )
    return found


def _shown(connection: Connection, rows: Sequence[Any]) -> list[Any]:
    """What people see of each; a vector as a list of numbers."""
    shown = [payload_from(row.payload) for row in rows]
    bare = [
        i
        for i, row in enumerate(rows)
        if row.payload is None and row.block_id is not None and not row.erased_at
    ]
    features = read_rows(connection, [(rows[i].block_id, rows[i].at) for i in bare])
    for i, row in zip(bare, features, strict=True):
        shown[i] = row.tolist() if isinstance(row, np.ndarray) else row
    return shown


def _answers(connection: Connection, loop_id: int, ids: list[int]) -> dict[int, dict[int, Answer]]:
    """Item -> number of an answer -> the answer, in order.

    Under the name of now; what was said of a class that was split since stays as it was said.
    """
    classes = read_classes(connection, loop_id)
    found: dict[int, dict[int, Answer]] = {}
    of_these = select(labels).where(labels.c.loop_id == loop_id, labels.c.item_id.in_(ids))
    for row in connection.execute(of_these.order_by(labels.c.id)):
        label = label_from(row.label)
        if not isinstance(label, Skip):
            now = classes.now(label, row.class_version)
            label = label if now is None else now
        found.setdefault(row.item_id, {})[row.id] = Answer(
            number=row.id,
            label=None if row.undoes is not None else label,
            source=row.source,
            by=row.by,
            at=row.touched_at if row.source == "given" and row.touched_at is not None else row.at,
            round=row.round,
            blind=row.blind,
            reason=row.reason,
            undoes=row.undoes,
        )
    return found


def _standing(connection: Connection, loop_id: int, ids: list[int]) -> dict[tuple[int, str], int]:
    of_these = select(standing).where(standing.c.loop_id == loop_id, standing.c.item_id.in_(ids))
    return {(row.item_id, row.opinion): row.label_id for row in connection.execute(of_these)}


def _copies(connection: Connection, loop_id: int, first: int, last: int) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    of_these = select(aliases).where(aliases.c.loop_id == loop_id, aliases.c.row.between(first, last))
    for row in connection.execute(of_these.order_by(aliases.c.row, aliases.c.name)):
        found.setdefault(row.row, []).append(row.name)
    return found


def _predictions(
    connection: Connection, loop_id: int, ids: list[int]
) -> dict[int, tuple[Class, float | None, int | None]]:
    """Item -> what the model said of it when it was last asked about."""
    chosen = (
        select(queries.c.item_id, decisions.c.predicted, decisions.c.confidence, decisions.c.model)
        .join(queries, queries.c.id == decisions.c.query_id)
        .where(queries.c.loop_id == loop_id, queries.c.item_id.in_(ids), decisions.c.predicted.is_not(None))
        .order_by(queries.c.id)
    )
    return {
        row.item_id: (json.loads(row.predicted), row.confidence, row.model)
        for row in connection.execute(chosen)
    }
