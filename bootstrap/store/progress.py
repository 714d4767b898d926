"""How far people at desks are with the queries of one loop."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from bootstrap.store.claiming import n_unanswered
from bootstrap.store.schema import is_asked, labels, loops, queries

__all__ = ["Progress", "progress_of"]


@dataclass(frozen=True, slots=True)
class Progress:
    """What waits, and what has come.

    Attributes
    ----------
    n_open : int
        Queries that have not got as many answers as they should.
    n_training : int
        Those of them that the model is to learn from.
    n_answered : int
        Queries to learn from that were answered since the loop took labels last.
    """

    n_open: int
    n_training: int
    n_answered: int


def progress_of(connection: Connection, loop_id: int) -> Progress:
    """The progress of one loop."""
    said = select(func.count()).where(
        labels.c.item_id == queries.c.item_id, labels.c.query_id == queries.c.id, labels.c.undoes.is_(None)
    )
    waiting = (
        select(func.count())
        .select_from(queries)
        .where(queries.c.loop_id == loop_id, is_asked, queries.c.kind == "training")
        .where(said.scalar_subquery() < queries.c.overlap)
    )
    taken = select(loops.c.taken_up_to).where(loops.c.id == loop_id).scalar_subquery()
    came = (
        select(func.count(labels.c.query_id.distinct()))
        .where(labels.c.loop_id == loop_id, labels.c.id > taken, labels.c.source == "training")
        .where(labels.c.undoes.is_(None), ~labels.c.extra)
    )
    return Progress(
        n_open=n_unanswered(connection, loop_id),
        n_training=int(connection.execute(waiting).scalar_one()),
        n_answered=int(connection.execute(came).scalar_one()),
    )
