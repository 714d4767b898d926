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
from bootstrap.records import Class, Skip
from bootstrap.store import trail
from bootstrap.store.answers import next_id
from bootstrap.store.covered import rows_of
from bootstrap.store.database import Database, opened
from bootstrap.store.desks.claiming import open_slots
from bootstrap.store.desks.shown import ClassLists
from bootstrap.store.schema import is_asked, labels, loops, members, queries, slots

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

    Each takes its turn with another open query of the loop that is drawn at random, so that it can't be told
    by when it comes. There are never more traps waiting than queries for them to hide among.

    An item may be one that the loop asks about, too: nobody has both in hand at a time, and nobody who has
    named a class for an item gets it as a trap. Items that nobody is asked about any more are better traps:
    no one sees them twice.

    Parameters
    ----------
    storage : str or Database
    loop : str
        The loop's name.
    answers : mapping
        Item id -> its right class. Where the list of classes is open, one that counts for some item already:
        a misspelt one would count against everybody.
    rng : numpy.random.Generator, optional
        Draws the turns.
    overlap : int
        How many different people each is shown to.

    Returns
    -------
    int
        How many were added: all of them, or an error was raised and there are none.

    Raises
    ------
    InvalidInput
        For a loop that is not there, an answer that is none of its classes, an item that is named twice or
        waits as a trap already, more traps than open queries, or an overlap below 1.
    UnknownItem
        For an id that the loop does not have.
    """
    if isinstance(overlap, bool) or not isinstance(overlap, int) or overlap < 1:
        raise InvalidInput(f"overlap is a number of people from 1, got {overlap!r}")
    rng = np.random.default_rng() if rng is None else rng
    with opened(storage) as database, database.writing() as connection:
        found = _loop(connection, loop)
        at = database.time(connection)
        start = next_id(connection, queries)
        known = _known(connection, found, answers)
        turns = _turns(connection, found.id, len(known), rng)
        rows = [
            {
                "id": start + i,
                "token": f"{loop}/trap/{secrets.token_hex(8)}",
                "loop_id": found.id,
                "item_id": one.item_id,
                "row": one.row,
                "batch": 0,
                "position": i,
                "kind": "trap",
                "known": json.dumps(one.right),
                **turn,
                "overlap": overlap,
                "class_version": found.class_version,
                "published_at": at,
                "state": "open",
            }
            for i, (one, turn) in enumerate(zip(known, turns, strict=True))
        ]
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


@dataclass(frozen=True, slots=True)
class _Known:
    """An item and its right class."""

    item_id: int
    row: int
    right: Class


def _known(connection: Connection, loop: Any, answers: Mapping[Any, Any]) -> list[_Known]:
    """The items of a loop by their ids, each with a class that the loop has, and each once."""
    classes = ClassLists().of(connection, loop.id, loop.class_version)
    waiting = select(queries.c.item_id).where(
        queries.c.loop_id == loop.id, queries.c.kind == "trap", is_asked
    )
    waits = set(connection.execute(waiting).scalars())
    found: dict[int, _Known] = {}
    for name, answer in answers.items():
        right = classes.check(answer)
        if isinstance(right, Skip):
            raise InvalidInput(f"the right answer about {name!r} is a class, not SKIP")
        if right not in classes.shown:
            there = ", ".join(map(repr, classes.shown)) or "none"
            raise InvalidInput(
                f"{right!r}, the right answer about {name!r}, counts for no item of the loop yet (there are: "
                f"{there}): people would have to guess how it is written. Check the spelling, or add the "
                "trap once somebody has named the class"
            )
        member = _member(connection, loop, name)
        if member.item_id in found:
            raise InvalidInput(f"{name!r} is given twice: name each item once")
        if member.item_id in waits:
            raise InvalidInput(f"{name!r} waits as a trap already: add it again when it was answered")
        found[member.item_id] = _Known(member.item_id, member.row, right)
    return list(found.values())


def _member(connection: Connection, loop: Any, name: Any) -> Any:
    of_name = select(members.c.row, members.c.item_id).where(
        members.c.loop_id == loop.id, members.c.name == str(name)
    )
    found = connection.execute(of_name).first()
    if found is None:
        raise UnknownItem(f"loop {loop.name!r} has no item {name!r}: add it to the loop first")
    return found


def _turns(connection: Connection, loop_id: int, n: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Round, deadline and usefulness of as many different open queries, drawn at random."""
    of_loop = (queries.c.loop_id == loop_id, is_asked)
    has_place = queries.c.id.in_(select(slots.c.query_id).where(slots.c.is_open))
    drawn_from = connection.execute(
        select(queries.c.round, queries.c.deadline, queries.c.usefulness)
        .where(*of_loop, queries.c.kind != "trap", has_place)
        .order_by(queries.c.id)
    ).all()
    traps = select(func.count()).select_from(queries).where(*of_loop, queries.c.kind == "trap", has_place)
    n_waiting = int(connection.execute(traps).scalar_one())
    if n and n_waiting + n > len(drawn_from):
        room = max(0, len(drawn_from) - n_waiting)
        raise InvalidInput(
            f"{len(drawn_from)} queries of this loop wait for people, and {n_waiting} traps: {n} more would "
            f"be told by standing alone. Add at most {room} now, and others while queries wait again"
        )
    which = rng.choice(len(drawn_from), size=n, replace=False) if n else np.array([], dtype=np.intp)
    return [dict(drawn_from[i]._mapping) for i in which.tolist()]
