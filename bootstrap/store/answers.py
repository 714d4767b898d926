"""Labels in: rows that are only ever added, which of them counts, and the entry in the trail.

Everything here happens within `Database.writing`, so that numbers rise in the order of the trail.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, bindparam, delete, func, select

from bootstrap.records import SKIP, Class, Skip
from bootstrap.store import trail
from bootstrap.store.covered import columns_of
from bootstrap.store.inserting import insert_rows, run_for_each
from bootstrap.store.prepared import Prepared
from bootstrap.store.schema import labels, standing

__all__ = ["LABEL_COLUMNS", "LabelRow", "Opinion", "add_labels", "label_from", "next_id"]

Opinion: TypeAlias = Literal["first", "second"]

#: What of a label is never changed, in the order in which the trail covers it.
LABEL_COLUMNS = tuple(columns_of(labels))

_OF_ITEM = (
    delete(standing)
    .where(standing.c.loop_id == bindparam("loop"), standing.c.opinion == bindparam("opinion"))
    .where(standing.c.item_id == bindparam("item"))
)
_GIVE_WAY = _OF_ITEM.where(standing.c.skip)
_TAKE_BACK = _OF_ITEM.where(standing.c.label_id == bindparam("undone"))


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One answer, checked and judged: what goes into the table.

    Attributes
    ----------
    stands : bool
        Whether it is the label that counts from now on. One that does not is `extra`.
    undoes : int or None
        The label that this takes back; `label` says nothing then, and it does not stand.

    The others are those of the table `labels`.
    """

    loop_id: int
    item_id: int
    row: int
    label: Class | Skip
    source: str
    by: str | None
    round: int
    blind: bool = True
    stands: bool = True
    query_id: int | None = None
    token: str | None = None
    reason: str | None = None
    shown_at: float | None = None
    touched_at: float | None = None
    adjudicates: bool = False
    suggestion: Class | None = None
    model: int | None = None
    class_version: int = 1
    undoes: int | None = None

    @property
    def opinion(self) -> Opinion:
        """Whether it is about an item that has a first label: a second, independent answer."""
        return "second" if self.source == "second" else "first"


def add_labels(connection: Connection, rows: Sequence[LabelRow], at: float) -> list[int]:
    """Store labels, all at one time, with one entry in the trail; returns their ids.

    Parameters
    ----------
    connection : Connection
        Of `Database.writing`.
    rows : sequence of LabelRow
        All of one loop. One that stands takes the place of a SKIP, never that of a class.
    at : float
        When, by `Database.time`.
    """
    if not rows:
        return []
    start = next_id(connection, labels)
    stored = [_as_columns(row, start + i, at) for i, row in enumerate(rows)]
    insert_rows(connection, labels, stored)
    run_for_each(connection, _TAKE_BACK, [_key(row) | {"undone": row.undoes} for row in rows if row.undoes])
    _stand(connection, [(row, entry["id"]) for row, entry in zip(rows, stored, strict=True) if row.stands])
    trail.append(
        connection,
        "labels",
        {"ids": [start, start + len(rows) - 1]},
        at,
        loop_id=rows[0].loop_id,
        rows=([entry[name] for name in LABEL_COLUMNS] for entry in stored),
    )
    return [entry["id"] for entry in stored]


def label_from(text: str | None) -> Class | Skip:
    """A label as it stands in the table."""
    if text is None:
        return SKIP
    label: Class = json.loads(text)
    return label


def next_id(connection: Connection, table: Any) -> int:
    """The id for the next row of a table that only writers add to."""
    last = _last_id(table).first(connection, {}).last
    return 1 if last is None else int(last) + 1


@cache
def _last_id(table: Any) -> Prepared:
    return Prepared(select(func.max(table.c.id).label("last")))


def _as_columns(row: LabelRow, id: int, at: float) -> dict[str, Any]:
    nothing = isinstance(row.label, Skip) or row.undoes is not None
    return {
        "id": id,
        "loop_id": row.loop_id,
        "item_id": row.item_id,
        "row": row.row,
        "query_id": row.query_id,
        "token": row.token,
        "label": None if nothing else json.dumps(row.label),
        "reason": row.reason,
        "source": str(row.source),
        "by": row.by,
        "round": row.round,
        "shown_at": row.shown_at,
        "touched_at": row.touched_at,
        "at": at,
        "blind": row.blind,
        "extra": not row.stands,
        "adjudicates": row.adjudicates,
        "suggestion": None if row.suggestion is None else json.dumps(row.suggestion),
        "model": row.model,
        "class_version": row.class_version,
        "undoes": row.undoes,
    }


def _stand(connection: Connection, pairs: Sequence[tuple[LabelRow, int]]) -> None:
    """Let these labels count; the key of the table refuses a second class for one item."""
    last = {(row.opinion, row.item_id): (row, label_id) for row, label_id in pairs}  # a class after a SKIP
    run_for_each(connection, _GIVE_WAY, [_key(row) for row, _ in last.values()])
    stand = [
        {
            "loop_id": row.loop_id,
            "item_id": row.item_id,
            "opinion": row.opinion,
            "label_id": label_id,
            "skip": isinstance(row.label, Skip),
        }
        for row, label_id in last.values()
    ]
    insert_rows(connection, standing, stand)


def _key(row: LabelRow) -> dict[str, Any]:
    return {"loop": row.loop_id, "opinion": row.opinion, "item": row.item_id}
