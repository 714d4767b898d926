"""Taking an answer back: a row of its own, after which the question is asked again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from bootstrap.errors import InvalidInput
from bootstrap.records import SKIP
from bootstrap.store.answers import add_labels
from bootstrap.store.desks.asked import OldLabel
from bootstrap.store.desks.resolving import resolve
from bootstrap.store.desks.taking import Answering
from bootstrap.store.schema import items, queries, rounds, slots

__all__ = ["undo"]


def undo(connection: Connection, by: str, token: str, at: float, lease_seconds: float) -> None:
    """Take back what this reviewer said under a lease; the query is theirs again, under the same lease.

    Raises
    ------
    InvalidInput
        If there is nothing to take back, or it counts already.
    """
    answering = Answering(connection, by, at)
    answering.read([token])
    if token not in answering.known:
        raise InvalidInput(f"{token!r} is no lease of {by!r}, so there is nothing to take back")
    asked = answering.of(token)
    row = asked.row
    mine = [old for old in asked.said if old.by == by and old.token == token]
    if not mine:
        raise InvalidInput(f"{by!r} has not answered under {token!r}, or has taken it back already")
    _refuse_used(connection, row, mine)
    _refuse_not_asked(connection, row, asked.is_trap)
    in_time = next((s for s in asked.slots if s.token == token and s.reviewer == by), None)
    counts = any(old.id == row.label_id for old in mine)
    if not counts and not asked.is_trap and (in_time is None or asked.state != "open"):
        raise InvalidInput(
            f"the answer under {token!r} is not the one that counts: it is kept beside the label that others "
            "agreed on. Nothing has to be taken back"
        )
    add_labels(connection, [answering.row_of(asked, token, SKIP, undoes=old.id) for old in mine], at)
    asked.said = [old for old in asked.said if old not in mine]
    if in_time is None:
        asked.state = "withdrawn"
    else:
        asked.state, in_time.is_open, in_time.held = "open", True, True
        if not asked.is_trap:
            answering.ask_further(asked, resolve(row.overlap, asked.counted()))
        connection.execute(_HOLD, {"slot": in_time.id, "at": at, "until": at + lease_seconds})
    answering.store()


def _refuse_used(connection: Connection, row: Any, mine: Sequence[OldLabel]) -> None:
    used = [old.id for old in mine if old.id <= row.taken_up_to]
    if used:
        number = connection.execute(_USED_BY, {"loop": row.loop_id, "label": used[0]}).scalar()
        by_whom = "the loop" if number is None else f"round {number}"
        raise InvalidInput(
            f"{by_whom} has used this answer, so that it can't be taken back. Tell the right one under the "
            "same token: it is kept beside it"
        )


def _refuse_not_asked(connection: Connection, row: Any, is_trap: bool) -> None:
    """Taken back, it would be asked again: not about nothing, nor for a class that is none any more."""
    found = connection.execute(_STILL_ASKED, {"query": row.query_id}).one()
    if found.erased_at is not None:
        raise InvalidInput(
            "the item was erased since, so that nobody can be asked about it again: the answer stays as it is"
        )
    if is_trap and found.class_version != row.newest_version:
        raise InvalidInput("the classes were changed since, and nobody is asked this again: the answer stays")


_USED_BY = select(func.min(rounds.c.number)).where(
    rounds.c.loop_id == bindparam("loop"), rounds.c.taken_up_to >= bindparam("label")
)
_STILL_ASKED = (
    select(items.c.erased_at, queries.c.class_version)
    .join(queries, queries.c.item_id == items.c.id)
    .where(queries.c.id == bindparam("query"))
)
_HOLD = (
    update(slots)
    .where(slots.c.id == bindparam("slot"))
    .values(is_open=True, leased_at=bindparam("at"), expires_at=bindparam("until"))
)
