"""Traps: items whose answer is known, mixed in unseen, to see how carefully people look.

What people say of them teaches no model and is evidence of no accuracy; the loop never sees it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Connection, case, func, insert, select

from bootstrap.errors import InvalidInput, UnknownItem
from bootstrap.records import Skip
from bootstrap.store import trail
from bootstrap.store.answers import next_id
from bootstrap.store.claiming import open_slots
from bootstrap.store.covered import rows_of
from bootstrap.store.database import Database, opened
from bootstrap.store.schema import labels, loops, members, queries, slots
from bootstrap.store.shown import ClassLists

__all__ = ["TrapCounts", "add_traps", "trap_counts"]


@dataclass(frozen=True, slots=True)
class TrapCounts:
    """How many traps people saw through.

    Attributes
    ----------
    caught, shown : int
        Right answers, and all answers; SKIP is not right.
    by_reviewer : dict
        Name -> (caught, shown).
    """

    caught: int
    shown: int
    by_reviewer: dict[str, tuple[int, int]] = field(default_factory=dict)


def add_traps(
    storage: str | Database,
    loop: str,
    answers: Mapping[Any, Any],
    *,
    rng: np.random.Generator | None = None,
    overlap: int = 1,
) -> int:
    """Ask about items whose class is known, as if they were any others.

    Each takes its turn with an open query of the loop that is drawn at random, so that it can't be told by
    when it comes.

    Parameters
    ----------
    storage : str or Database
    loop : str
        The loop's name.
    answers : mapping
        Item id -> its right class.
    rng : numpy.random.Generator, optional
        Draws the turns.
    overlap : int
        How many different people each is shown to.

    Returns
    -------
    int
        How many were added.

    Raises
    ------
    InvalidInput
        For a loop that is not there, an answer that is none of its classes, or an overlap below 1.
    UnknownItem
        For an id that the loop does not have.
    """
    if isinstance(overlap, bool) or not isinstance(overlap, int) or overlap < 1:
        raise InvalidInput(f"overlap is a number of people from 1, got {overlap!r}")
    rng = np.random.default_rng() if rng is None else rng
    with opened(storage) as database, database.writing() as connection:
        found = _loop(connection, loop)
        classes = ClassLists().of(connection, found.id, found.class_version)
        at = database.time(connection)
        turns = _turns(connection, found.id, len(answers), rng)
        start, rows = next_id(connection, queries), []
        for i, (name, answer) in enumerate(answers.items()):
            right = classes.check(answer)
            if isinstance(right, Skip):
                raise InvalidInput(f"the right answer about {name!r} is a class, not SKIP")
            rows.append(
                {
                    "id": start + i,
                    "token": f"{loop}/trap/{secrets.token_hex(8)}",
                    "loop_id": found.id,
                    **_member(connection, found, name),
                    "batch": 0,
                    "position": i,
                    "kind": "trap",
                    "known": json.dumps(right),
                    **turns[i],
                    "overlap": overlap,
                    "class_version": found.class_version,
                    "published_at": at,
                    "state": "open",
                }
            )
        if rows:
            connection.execute(insert(queries), rows)
            open_slots(connection, [{**row, "query_id": row["id"]} for row in rows])
            body = {"first": start, "n": len(rows)}
            covered = rows_of(connection, "traps", body, found.id)
            trail.append(connection, "traps", body, at, loop_id=found.id, rows=covered)
        return len(rows)


def trap_counts(storage: str | Database, loop: str) -> TrapCounts:
    """How many traps were answered right, of all that were answered; each person's first answer counts.

    Raises
    ------
    InvalidInput
        For a loop that is not there.
    """
    by_reviewer: dict[str, tuple[int, int]] = {}
    with opened(storage) as database, database.reading() as connection:
        back = labels.alias("back")
        taken_back = select(back.c.id).where(back.c.undoes == labels.c.id).correlate(labels)
        first = (
            select(func.min(labels.c.id))
            .where(labels.c.loop_id == _loop(connection, loop).id, labels.c.source == "trap")
            .where(labels.c.undoes.is_(None), ~taken_back.exists())
            .group_by(labels.c.query_id, labels.c.by)
        )
        counted = (
            select(labels.c.by, func.sum(case((labels.c.label == queries.c.known, 1), else_=0)), func.count())
            .join(queries, queries.c.id == labels.c.query_id)
            .where(labels.c.id.in_(first), labels.c.class_version == queries.c.class_version)
            .group_by(labels.c.by)
            .order_by(labels.c.by)
        )
        for by, caught, n in connection.execute(counted):
            by_reviewer[by] = (int(caught), int(n))
    caught_by_all = sum(caught for caught, _ in by_reviewer.values())
    return TrapCounts(caught_by_all, sum(n for _, n in by_reviewer.values()), by_reviewer)


def _loop(connection: Connection, name: str) -> Any:
    found = connection.execute(select(loops).where(loops.c.name == name)).one_or_none()
    if found is None:
        there = connection.execute(select(loops.c.name).order_by("name").limit(8)).scalars().all()
        raise InvalidInput(
            f"the store has no loop {name!r}; there are: {', '.join(map(repr, there)) or 'none'}"
        )
    return found


def _member(connection: Connection, loop: Any, name: Any) -> dict[str, int]:
    of_name = select(members.c.row, members.c.item_id).where(
        members.c.loop_id == loop.id, members.c.name == str(name)
    )
    found = connection.execute(of_name).first()
    if found is None:
        raise UnknownItem(f"loop {loop.name!r} has no item {name!r}: add it to the loop first")
    return {"row": found.row, "item_id": found.item_id}


def _turns(connection: Connection, loop_id: int, n: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Round, deadline and usefulness of open queries drawn at random, one for each trap."""
    as_open = (
        select(queries.c.round, queries.c.deadline, queries.c.usefulness)
        .where(queries.c.loop_id == loop_id, queries.c.kind != "trap")
        .order_by(queries.c.id)
    )
    still_open = select(slots.c.query_id).where(slots.c.is_open)
    drawn_from = connection.execute(
        as_open.where(queries.c.state == "open", queries.c.id.in_(still_open))
    ).all()
    if not drawn_from:
        raise InvalidInput(
            "no query of this loop is open, so that traps could be told by standing alone: add them while "
            "queries wait for people"
        )
    which = rng.integers(len(drawn_from), size=n)
    return [dict(drawn_from[i]._mapping) for i in which.tolist()]
