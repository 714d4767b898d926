"""What each kind of entry in the trail speaks of: the one place that says so, for writers and the check.

Of every row that is only ever added, the columns named here are covered by the digest of exactly one entry.
Left out are columns that change, that may be erased (payload, content, ids that users gave, features, what
people typed as a reason), and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Connection, Table, select

from bootstrap.store import schema

__all__ = ["COVERED", "columns_of", "rows_of", "values_of"]

_Body: TypeAlias = Mapping[str, Any]
_Where: TypeAlias = Callable[[_Body, int], ColumnElement[bool]]

#: Columns of these tables that change or may be erased.
_NOT_COVERED: Final = {
    "loops": {"class_version", "taken_up_to"},
    "items": {"content", "payload", "erased_at"},
    "members": {"name", "block_id", "at"},
    "queries": {"state"},
    "labels": {"reason"},
}


def columns_of(table: Table) -> list[str]:
    """The columns of a table that are never changed."""
    return [column.name for column in table.columns if column.name not in _NOT_COVERED.get(table.name, ())]


def _range(column: Any) -> _Where:
    return lambda body, _: column.between(body["first"], body["first"] + body["n"] - 1)


def _new_items(body: _Body, _: int) -> ColumnElement[bool]:
    first, n = body["items"]
    return schema.items.c.id.between(first, first + n - 1)


def _one(table: Table, column: str, name: str) -> _Where:
    return lambda body, loop: (table.c.loop_id == loop) & (table.c[column] == body[name])


#: Kind of entry -> the tables it speaks of, each with how its body finds the rows, in order of their keys.
COVERED: Final[dict[str, list[tuple[Table, _Where]]]] = {
    "begun": [
        (schema.loops, lambda body, _: schema.loops.c.id == body["loop"]),
        (
            schema.class_lists,
            lambda body, _: (
                (schema.class_lists.c.loop_id == body["loop"]) & (schema.class_lists.c.version == 1)
            ),
        ),
    ],
    "added": [
        (schema.items, _new_items),
        (
            schema.members,
            lambda body, loop: (schema.members.c.loop_id == loop) & _range(schema.members.c.row)(body, loop),
        ),
    ],
    "published": [
        (schema.queries, _range(schema.queries.c.id)),
        (schema.decisions, _range(schema.decisions.c.query_id)),
    ],
    "traps": [(schema.queries, _range(schema.queries.c.id))],
    "labels": [
        (schema.labels, lambda body, _: schema.labels.c.id.between(*body["ids"])),
    ],
    "fitted": [(schema.models, _one(schema.models, "number", "model"))],
    "refitted": [(schema.models, _one(schema.models, "number", "model"))],
    "candidate": [(schema.candidates, _one(schema.candidates, "number", "candidate"))],
    "round": [(schema.rounds, _one(schema.rounds, "number", "round"))],
    "certified": [
        (
            schema.certificates,
            lambda body, loop: (
                (schema.certificates.c.loop_id == loop)
                & (schema.certificates.c.candidate == body["candidate"])
                & (schema.certificates.c.review_rate == body["review_rate"])
            ),
        ),
    ],
    "stage": [(schema.stage_changes, lambda body, _: schema.stage_changes.c.id == body["change"])],
    "classes": [(schema.class_lists, _one(schema.class_lists, "version", "version"))],
}


def values_of(table: Table, rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Any]]:
    """The same as :func:`rows_of` reads back, from rows that are being written."""
    columns = columns_of(table)
    for row in rows:
        yield [row[name] for name in columns]


def rows_of(connection: Connection, kind: str, body: _Body, loop_id: int) -> Iterator[tuple[Any, ...]]:
    """The rows that an entry speaks of, in order; none for a kind that speaks of no rows."""
    for table, where in COVERED.get(kind, []):
        columns = [table.c[name] for name in columns_of(table)]
        chosen = select(*columns).where(where(body, loop_id)).order_by(*table.primary_key.columns)
        for row in connection.execute(chosen):
            yield tuple(row)
