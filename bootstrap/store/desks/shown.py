"""What a person at a desk sees of what was handed out: the item and the classes, never why it is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select

from bootstrap.classes import ClassList
from bootstrap.records import Query
from bootstrap.store.class_lists import read_classes
from bootstrap.store.payloads import payload_from
from bootstrap.store.prepared import Prepared
from bootstrap.store.schema import items, labels, loops, members, queries, standing

__all__ = ["Claim", "ClassLists", "shown"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One item in one person's hands, with every question about it that waits for them.

    Nothing in it tells why the item is asked about.

    Attributes
    ----------
    id : str
        The item's id in the loop of the first query.
    queries : tuple of Query
        One for each open question; the `token` of each is that of the lease.
    loops : tuple of str
        Whose question each is.
    expires_at : float
        When somebody else may get it, unless it is renewed: seconds since the epoch.
    """

    id: str
    queries: tuple[Query, ...]
    loops: tuple[str, ...]
    expires_at: float


class ClassLists:
    """The classes of the loops in a store, read again where they have changed."""

    def __init__(self) -> None:
        self._lists: dict[int, tuple[int, ClassList]] = {}  # loop -> (version, its classes)
        self._seen: dict[int, int] = {}  # loop -> the last label that an open list has taken into account

    def of(self, connection: Connection, loop_id: int, version: int) -> ClassList:
        """The latest list, which is of this version; an open one with every class that stands."""
        known = self._lists.get(loop_id)
        if known is None or known[0] != version:
            known = self._lists[loop_id] = (version, read_classes(connection, loop_id))
            self._seen[loop_id] = 0
        classes = known[1]
        if classes.is_open:
            for row in _NAMED.all(connection, {"loop": loop_id, "after": self._seen[loop_id]}):
                label = classes.now(json.loads(row.label), row.class_version)
                if label is not None:
                    classes.add(label)
                self._seen[loop_id] = max(self._seen[loop_id], row.id)
        return classes


def shown(
    connection: Connection, tokens: Mapping[int, str], lists: ClassLists
) -> dict[int, tuple[str, Query]]:
    """Query id -> (name of its loop, what the person sees).

    Parameters
    ----------
    connection : Connection
    tokens : mapping
        Query id -> token of the lease.
    lists : ClassLists
    """
    rows = [_SHOWN.first(connection, {"query": query_id}) for query_id in tokens]
    contents = _contents(connection, rows)
    found = {}
    for row, item in zip(rows, contents, strict=True):
        classes = lists.of(connection, row.loop_id, row.class_version)
        found[row.id] = (
            row.loop,
            Query(
                id=row.name,
                item=item,
                token=tokens[row.id],
                classes=classes.shown,
                open_classes=classes.is_open,
                round=row.round,
            ),
        )
    return found


def _contents(connection: Connection, rows: Sequence[Any]) -> list[Any]:
    """What is to be seen: the payload, or the features where these are all there is."""
    at = [i for i, row in enumerate(rows) if row.payload is None and row.block_id is not None]
    found: list[Any] = [None if row.payload is None else payload_from(row.payload) for row in rows]
    if at:
        from bootstrap.store.features import read_rows  # and scipy, which takes longer than all of a desk

        places = [(rows[i].block_id, rows[i].at) for i in at]
        for i, item in zip(at, read_rows(connection, places), strict=True):
            found[i] = item
    return found


_NAMED = Prepared(
    select(labels.c.id, labels.c.label, labels.c.class_version)
    .join(
        standing,
        and_(
            standing.c.loop_id == labels.c.loop_id,
            standing.c.item_id == labels.c.item_id,
            standing.c.label_id == labels.c.id,
        ),
    )
    .where(labels.c.loop_id == bindparam("loop"), labels.c.id > bindparam("after"))
    .where(labels.c.label.is_not(None))
)
_SHOWN = Prepared(
    select(
        queries.c.id,
        queries.c.loop_id,
        queries.c.round,
        loops.c.name.label("loop"),
        loops.c.class_version,
        members.c.name,
        members.c.block_id,
        members.c.at,
        items.c.payload,
    )
    .join(loops, loops.c.id == queries.c.loop_id)
    .join(members, and_(members.c.loop_id == queries.c.loop_id, members.c.row == queries.c.row))
    .join(items, items.c.id == queries.c.item_id)
    .where(queries.c.id == bindparam("query"))
)
