"""Who answers what: slots for queries, and the one statement that hands them out.

A slot is one place for one person's answer. It is free while nobody holds it or the lease has run out: that
is decided inside the statement that takes it, so that no process has to bring back what others left lying.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Float,
    Select,
    bindparam,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from bootstrap.store.prepared import Prepared
from bootstrap.store.schema import claims, is_asked, labels, queries, slots
from bootstrap.store.slices import in_slices

__all__ = [
    "CLOCK_SLACK",
    "NO_DEADLINE",
    "Lease",
    "is_held",
    "open_slots",
    "take_slot",
    "withdraw_unclaimed",
]

#: The deadline of what has none: it sorts last.
NO_DEADLINE: Final = 1e18

#: Seconds by which a lease may begin in the future; beyond that the clock was set back, and it is over.
CLOCK_SLACK: Final = 5.0


@dataclass(frozen=True, slots=True)
class Lease:
    """One slot in one person's hands.

    Attributes
    ----------
    more : bool
        Whether other open queries are about the same item that may be handed out with it.
    """

    slot_id: int
    query_id: int
    item_id: int
    token: str
    expires_at: float
    more: bool


def open_slots(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Let people at desks answer these queries.

    Parameters
    ----------
    connection : Connection
        Of a transaction that writes; the queries are in the table.
    rows : sequence of mappings
        With `query_id`, `loop_id`, `item_id`, `kind`, `usefulness`, `deadline` (None where there is none),
        `overlap` (so many places for different people) and perhaps `for_adjudicator`. Other keys are passed
        over.
    """
    places = [
        {
            "query_id": row["query_id"],
            "loop_id": row["loop_id"],
            "item_id": row["item_id"],
            "for_adjudicator": bool(row.get("for_adjudicator", False)),
            "alone": row["kind"] == "trap",
            "deadline": NO_DEADLINE if row["deadline"] is None else row["deadline"],
            "usefulness": row["usefulness"],
            "is_open": True,
        }
        for row in rows
        for _ in range(row["overlap"])
    ]
    if places:
        connection.execute(_OPEN, places)


_OPEN = insert(slots)


def is_held(slot: Any, now: float) -> bool:
    """Whether somebody has this row of `slots` in hand, and not just in name."""
    return (
        slot.reviewer is not None
        and slot.expires_at is not None
        and slot.expires_at > now
        and slot.leased_at <= now + CLOCK_SLACK
    )


# claiming


def take_slot(
    connection: Connection,
    reviewer: str,
    now: float,
    lease_seconds: float,
    *,
    for_adjudicator: bool = False,
    loop_id: int | None = None,
    item_id: int | None = None,
) -> Lease | None:
    """Hand one slot to a reviewer: the first in order that this person may have, or None.

    Parameters
    ----------
    connection : Connection
        Of `Database.claiming`, which holds the reviewer's row.
    now : float
        By `Database.time`.
    for_adjudicator : bool
        Of which kind; an adjudicator may have both.
    loop_id, item_id : int, optional
        Only of this loop, or about this item beside another query: no trap then.
    """
    # the time first, so that the rows of those who work now lie together
    token, until = f"{int(1000 * now):012x}{secrets.token_hex(10)}", now + lease_seconds
    values: dict[str, Any] = {
        "me": reviewer,
        "lease_token": token,
        "now": now,
        "until": until,
        "latest": now + CLOCK_SLACK,
        "adjudicating": for_adjudicator,
    }
    if loop_id is not None:
        values["loop"] = loop_id
    if item_id is not None:
        values["item"] = item_id
    statement = _take_statement(loop_id is not None, item_id is not None)
    row = statement.first(connection, values)
    if row is None:
        return None
    _CLAIMED.run(
        connection,
        {
            "token": token,
            "slot_id": row.id,
            "query_id": row.query_id,
            "reviewer": reviewer,
            "claimed_at": now,
        },
    )
    return Lease(row.id, row.query_id, row.item_id, token, until, bool(row.more))


_CLAIMED = Prepared(insert(claims))
_FURTHER = slots.alias("further")
_MORE = (
    select(_FURTHER.c.id)
    # in words, since SQLAlchemy leaves the name of the table out of what SQLite returns
    .where(_FURTHER.c.item_id == literal_column("slots.item_id"))
    .where(_FURTHER.c.query_id != literal_column("slots.query_id"), _FURTHER.c.is_open)
    .where(~_FURTHER.c.alone, ~literal_column("slots.alone", Boolean))
    .exists()
    .label("more")
)


class _SinceBegun(FunctionElement[float]):
    """Seconds since the transaction began: others may have claimed meanwhile, with no clock set back."""

    type = Float()
    inherit_cache = True


@compiles(_SinceBegun)
def _with_one_writer(*_: Any, **__: Any) -> str:
    return "0.0"


@compiles(_SinceBegun, "postgresql")
def _with_many_writers(*_: Any, **__: Any) -> str:
    return "EXTRACT(EPOCH FROM clock_timestamp() - transaction_timestamp())"


@cache
def _take_statement(of_loop: bool, of_item: bool) -> Prepared:
    free = slots.alias("free")
    held = or_(
        free.c.reviewer.is_(None),
        free.c.expires_at <= bindparam("now"),
        free.c.leased_at > bindparam("latest", type_=Float) + _SinceBegun(),
    )
    first = (
        select(free.c.id)
        .where(free.c.is_open, free.c.for_adjudicator == bindparam("adjudicating"), held)
        .where(_has_no_other_slot(free), _shows_no_trap(free), _has_not_answered(free))
        .order_by(free.c.deadline, free.c.usefulness.desc(), free.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=free)
    )
    if of_loop:
        first = first.where(free.c.loop_id == bindparam("loop"))
    if of_item:
        first = first.where(free.c.item_id == bindparam("item"), ~free.c.alone)
    return Prepared(
        update(slots)
        .where(slots.c.id == first.scalar_subquery())
        .values(
            reviewer=bindparam("me"),
            token=bindparam("lease_token"),
            leased_at=bindparam("now"),
            expires_at=bindparam("until"),
        )
        .returning(slots.c.id, slots.c.query_id, slots.c.item_id, _MORE)
    )


def _has_no_other_slot(free: Any) -> ColumnElement[bool]:
    """Never the same person twice: one whose lease has run out gets the same slot back."""
    other = slots.alias("other")
    mine = (other.c.query_id == free.c.query_id, other.c.reviewer == bindparam("me"))
    return _none(select(other.c.id).where(*mine, other.c.id != free.c.id).correlate(free))


def _shows_no_trap(free: Any) -> ColumnElement[bool]:
    """Nobody has a trap in hand together with another question about its item."""
    other = slots.alias("beside")
    mine = (other.c.item_id == free.c.item_id, other.c.reviewer == bindparam("me"), other.c.is_open)
    trap = (other.c.query_id != free.c.query_id, or_(other.c.alone, free.c.alone))
    # one that has run out is in nobody's hands: it may be of a loop that this desk is not for
    held = (
        other.c.expires_at > bindparam("now"),
        other.c.leased_at <= bindparam("latest", type_=Float) + _SinceBegun(),
    )
    return _none(select(other.c.id).where(*mine, *trap, *held).correlate(free))


def _none(found: Select[Any]) -> ColumnElement[bool]:
    """Whether there is no such row, looked up slot by slot.

    Of NOT EXISTS PostgreSQL makes a join with everything that was said, and sorts out one slot in the end.
    """
    return found.limit(1).scalar_subquery().is_(None)


def _has_not_answered(free: Any) -> ColumnElement[bool]:
    """Nobody is asked again what this person has said and not taken back.

    A class that was said under an older list of classes may be asked for again, and what was said of a trap
    does not keep anybody from the item. A second answer is always another person's.
    """
    said, back, query = labels.alias("said"), labels.alias("back"), queries.alias("query")
    of_item = (said.c.item_id == free.c.item_id, said.c.loop_id == free.c.loop_id)
    still_known = or_(query.c.kind == "second", said.c.class_version >= query.c.class_version)
    counts = said.c.label.is_not(None) & (said.c.source != "trap") & still_known
    taken_back = select(back.c.id).where(back.c.undoes == said.c.id)
    return _none(
        select(said.c.id)
        .where(query.c.id == free.c.query_id, *of_item, said.c.by == bindparam("me"), said.c.undoes.is_(None))
        .where(or_(said.c.query_id == free.c.query_id, counts))
        .where(_none(taken_back.correlate(said)))
        .correlate(free)
    )


# what the loop asks


def withdraw_unclaimed(connection: Connection, loop_id: int, now: float) -> list[int]:
    """Take back queries of a loop that nobody has in hand and nobody has answered; returns their ids.

    Not those for a second answer.

    Parameters
    ----------
    connection : Connection
        Of `Database.writing`.
    now : float
        By `Database.time`.
    """
    connection.execute(_LOCK, {"loop": loop_id}).all()  # claims that are under way end first
    seen: dict[int, bool] = {}
    for slot in connection.execute(_FIRST_SLOTS, {"loop": loop_id}):
        untouched = slot.is_open and not is_held(slot, now)
        seen[slot.query_id] = seen.get(slot.query_id, True) and untouched
    taken_back = sorted(query for query, untouched in seen.items() if untouched)
    for some in in_slices(taken_back):
        connection.execute(_WITHDRAW, {"some": some})
        connection.execute(_CLOSE, {"some": some})
    return taken_back


_OPEN_QUERIES = (
    queries.c.loop_id == bindparam("loop"),
    is_asked,
    queries.c.kind != "trap",
)
_FIRST_SLOTS = (
    select(slots.c.query_id, slots.c.is_open, slots.c.reviewer, slots.c.leased_at, slots.c.expires_at)
    .join(queries, queries.c.id == slots.c.query_id)
    .where(*_OPEN_QUERIES, queries.c.kind != "second")  # which is wanted, whatever is learned
)
_LOCK = (
    select(slots.c.id)
    .join(queries, queries.c.id == slots.c.query_id)
    .where(*_OPEN_QUERIES)
    .order_by(slots.c.id)
    .with_for_update(of=slots)
)
_WITHDRAW = (
    update(queries).where(queries.c.id.in_(bindparam("some", expanding=True))).values(state="withdrawn")
)
_CLOSE = (  # nobody has answered there, so that nobody's name stays
    update(slots)
    .where(slots.c.query_id.in_(bindparam("some", expanding=True)))
    .values(is_open=False, reviewer=None, token=None)
)
