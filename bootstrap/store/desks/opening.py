"""What a loop tells the desks: these queries wait, nobody has to answer those any more."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from bootstrap.store.desks import claiming
from bootstrap.store.schema import is_asked, queries, slots

__all__ = ["close_slots", "open_waiting", "withdraw_unclaimed"]


def open_waiting(connection: Connection, loop_id: int) -> None:
    """Places for answers to every open query of a loop that has none."""
    has_slot = select(slots.c.id).where(slots.c.query_id == queries.c.id, slots.c.is_open)
    chosen = select(queries, queries.c.id.label("query_id")).where(
        queries.c.loop_id == loop_id, is_asked, ~has_slot.exists()
    )
    waiting = [dict(row) for row in connection.execute(chosen.order_by(queries.c.id)).mappings()]
    claiming.open_slots(connection, waiting)


def close_slots(connection: Connection, loop_id: int) -> None:
    """Nobody at a desk is asked by this loop any more; what they say late is still taken."""
    connection.execute(update(slots).where(slots.c.loop_id == loop_id, slots.c.is_open).values(is_open=False))


def withdraw_unclaimed(connection: Connection, loop_id: int, now: float) -> list[int]:
    """Take back queries that nobody has in hand and nobody has answered; returns their rows."""
    ids = claiming.withdraw_unclaimed(connection, loop_id, now)
    chosen = select(queries.c.row).where(queries.c.id.in_(ids)).order_by(queries.c.id)
    return [row.row for row in connection.execute(chosen)]
