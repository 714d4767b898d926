"""What each kind of entry in the trail speaks of: the one place that says so, for writers and the check.

Of every row that is only ever added, the columns named here are covered by the digest of exactly one entry.
Left out are columns that change, that may be erased (payload, content, ids that users gave, features, what
people typed as a reason), and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Connection, Float, Select, Table, bindparam, select

from bootstrap.store import schema
from bootstrap.store.prepared import Prepared

__all__ = ["COVERED", "Covered", "columns_of", "rows_of", "values_of"]

_Values: TypeAlias = Mapping[str, Any]

#: Columns of these tables that change or may be erased.
_NOT_COVERED: Final = {
    "loops": {"class_version", "taken_up_to"},
    "items": {"content", "payload", "erased_at"},
    "members": {"name", "block_id", "at"},
    "queries": {"state"},
    "labels": {"reason"},
}

#: More rows than that are not held in memory at once.
_MANY: Final = 5000


def columns_of(table: Table) -> list[str]:
    """The columns of a table that are never changed."""
    return [column.name for column in table.columns if column.name not in _NOT_COVERED.get(table.name, ())]


@dataclass(frozen=True, slots=True)
class Covered:
    """The rows of one table that entries of one kind speak of.

    Attributes
    ----------
    table : Table
    where : ColumnElement
        Which rows, by parameters.
    values : callable
        (body of an entry, its loop) -> the parameters.
    """

    table: Table
    where: ColumnElement[bool]
    values: Callable[[Mapping[str, Any], int], _Values]

    def rows(self, connection: Connection, body: Mapping[str, Any], loop_id: int) -> Iterator[Any]:
        """What is never changed in the rows that an entry speaks of, in order of their keys."""
        values = self.values(body, loop_id)
        if values.get("last", 0) - values.get("first", 0) < _MANY:
            return iter(_prepared(self).all(connection, values))
        return iter(connection.execute(_statement(self), values, execution_options={"yield_per": _MANY}))


def _statement(part: Covered) -> Select[Any]:
    columns = (part.table.c[name] for name in columns_of(part.table))
    return select(*columns).where(part.where).order_by(*part.table.primary_key.columns)


@cache
def _prepared(part: Covered) -> Prepared:
    return Prepared(_statement(part))


_FIRST = bindparam("first", type_=BigInteger)
_LAST = bindparam("last", type_=BigInteger)
_LOOP = bindparam("loop", type_=BigInteger)
_NUMBER = bindparam("number", type_=BigInteger)


def _in_range(column: Any) -> Covered:
    """Rows that follow each other, `n` from the first on."""
    return Covered(
        column.table,
        column.between(_FIRST, _LAST),
        lambda body, _: {"first": body["first"], "last": body["first"] + body["n"] - 1},
    )


def _numbered(column: Any, name: str) -> Covered:
    """One row of a loop."""
    return Covered(
        column.table,
        (column.table.c.loop_id == _LOOP) & (column == _NUMBER),
        lambda body, loop: {"loop": loop, "number": body[name]},
    )


def _new_items(body: Mapping[str, Any], _: int) -> _Values:
    first, n = body["items"]
    return {"first": first, "last": first + n - 1}


_certificates = schema.certificates.c

#: Kind of entry -> the tables it speaks of, each with how its body finds the rows, in order of their keys.
COVERED: Final[dict[str, list[Covered]]] = {
    "begun": [
        Covered(schema.loops, schema.loops.c.id == _NUMBER, lambda body, _: {"number": body["loop"]}),
        Covered(
            schema.class_lists,
            (schema.class_lists.c.loop_id == _NUMBER) & (schema.class_lists.c.version == 1),
            lambda body, _: {"number": body["loop"]},
        ),
    ],
    "added": [
        Covered(schema.items, schema.items.c.id.between(_FIRST, _LAST), _new_items),
        Covered(
            schema.members,
            (schema.members.c.loop_id == _LOOP) & schema.members.c.row.between(_FIRST, _LAST),
            lambda body, loop: {
                "loop": loop,
                "first": body["first"],
                "last": body["first"] + body["n"] - 1,
            },
        ),
    ],
    "published": [_in_range(schema.queries.c.id), _in_range(schema.decisions.c.query_id)],
    "traps": [_in_range(schema.queries.c.id)],
    "labels": [
        Covered(
            schema.labels,
            schema.labels.c.id.between(_FIRST, _LAST),
            lambda body, _: {"first": body["ids"][0], "last": body["ids"][1]},
        ),
    ],
    "fitted": [_numbered(schema.models.c.number, "model")],
    "refitted": [_numbered(schema.models.c.number, "model")],
    "candidate": [_numbered(schema.candidates.c.number, "candidate")],
    "round": [_numbered(schema.rounds.c.number, "round")],
    "certified": [
        Covered(
            schema.certificates,
            (_certificates.loop_id == _LOOP)
            & (_certificates.candidate == _NUMBER)
            & (_certificates.review_rate == bindparam("rate", type_=Float)),
            lambda body, loop: {"loop": loop, "number": body["candidate"], "rate": body["review_rate"]},
        ),
    ],
    "stage": [
        Covered(
            schema.stage_changes,
            schema.stage_changes.c.id == _NUMBER,
            lambda body, _: {"number": body["change"]},
        )
    ],
    "classes": [_numbered(schema.class_lists.c.version, "version")],
}


def values_of(table: Table, rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Any]]:
    """The same as :func:`rows_of` reads back, from rows that are being written."""
    columns = columns_of(table)
    for row in rows:
        yield [row[name] for name in columns]


def rows_of(
    connection: Connection, kind: str, body: Mapping[str, Any], loop_id: int
) -> Iterator[tuple[Any, ...]]:
    """The rows that an entry speaks of, in order; none for a kind that speaks of no rows."""
    for part in COVERED.get(kind, []):
        yield from part.rows(connection, body, loop_id)
