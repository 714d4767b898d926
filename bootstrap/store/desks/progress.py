"""How far people at desks are with the queries of one loop."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, case, func, select

from bootstrap.store.schema import is_asked, labels, loops, queries, reviewers, slots

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
    n_for_another : int
        Those of them that somebody has answered: they wait for a different person.
    n_to_settle : int
        Other queries that people disagree about or could not tell, and that somebody there can settle.
    n_to_come : int
        Answers that open queries still want, and those that came since the loop took labels last. What
        settles a disagreement, or comes after a SKIP, is not known before.
    """

    n_open: int
    n_training: int
    n_answered: int
    n_for_another: int
    n_to_settle: int
    n_to_come: int


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
    not_taken = (
        select(func.count())
        .where(labels.c.loop_id == loop_id, labels.c.id > taken, labels.c.query_id.is_not(None))
        .where(labels.c.undoes.is_(None), labels.c.label.is_not(None), labels.c.source != "trap")
    )
    wanted = connection.execute(_WANTED, {"loop": loop_id}).one()
    return Progress(
        n_open=int(wanted.queries),
        n_for_another=int(wanted.begun),
        n_to_settle=int(wanted.to_settle),
        n_to_come=int(wanted.answers) + int(connection.execute(not_taken).scalar_one()),
        n_training=int(connection.execute(waiting).scalar_one()),
        n_answered=int(connection.execute(came).scalar_one()),
    )


_IS_ANSWERED = ~slots.c.is_open & slots.c.reviewer.is_not(None)
_SAID = func.sum(case((_IS_ANSWERED, 1), else_=0))
_TO_SETTLE = func.sum(case((slots.c.is_open & slots.c.for_adjudicator, 1), else_=0))
_ASKED = (
    select(queries.c.id, queries.c.overlap, _SAID.label("said"), _TO_SETTLE.label("to_settle"))
    .join(slots, slots.c.query_id == queries.c.id)
    .where(queries.c.loop_id == bindparam("loop"), is_asked, queries.c.kind != "trap")
    .group_by(queries.c.id, queries.c.overlap)
    .subquery()
)
_IS_SHORT = (_ASKED.c.said < _ASKED.c.overlap) & (_ASKED.c.to_settle == 0)
_HAS_ANSWERED = (
    select(slots.c.id)
    .where(slots.c.query_id == _ASKED.c.id, slots.c.reviewer == reviewers.c.name, ~slots.c.is_open)
    .correlate(_ASKED, reviewers)
)
_CAN_SETTLE = (
    select(reviewers.c.name)
    .where(reviewers.c.removed_at.is_(None), ~_HAS_ANSWERED.exists())
    .where(_ASKED.c.overlap > 1)  # else a SKIP stands until somebody knows better
    .where((_ASKED.c.to_settle == 0) | reviewers.c.is_adjudicator)
    .correlate(_ASKED)
)
_WANTED = select(
    func.coalesce(func.sum(case((_IS_SHORT, 1), else_=0)), 0).label("queries"),
    func.coalesce(func.sum(case((_IS_SHORT, _ASKED.c.overlap - _ASKED.c.said), else_=0)), 0).label("answers"),
    func.coalesce(func.sum(case((_IS_SHORT & (_ASKED.c.said > 0), 1), else_=0)), 0).label("begun"),
    func.coalesce(func.sum(case((~_IS_SHORT & _CAN_SETTLE.exists(), 1), else_=0)), 0).label("to_settle"),
)
