"""The classes of a loop by version: add, rename, merge, split.

A change is one row and one entry of the trail. Nothing that was said is lost: labels keep the name and the
version under which they were given, and whoever reads them maps them. What was said of a class that was split
does not count any more, and its items are asked again; certificates of the version before are void.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from bootstrap.class_changes import ClassChange
from bootstrap.classes import ClassList
from bootstrap.records import Class
from bootstrap.store import trail
from bootstrap.store.covered import rows_of
from bootstrap.store.database import Database, opened
from bootstrap.store.loop_names import one_loop
from bootstrap.store.schema import class_lists, is_asked, labels, loops, queries, slots, standing
from bootstrap.store.training_lock import TrainingLock

__all__ = ["ClassVersion", "change_classes", "class_list", "read_classes"]


@dataclass(frozen=True, slots=True)
class ClassVersion:
    """One version of the classes of a loop.

    Attributes
    ----------
    version : int
        From 1.
    classes : tuple of class or None
        In the order in which they are shown; None where the list is open.
    change : ClassChange
        What made it of the version before; empty for the first one.
    by : str or None
        Who changed them.
    at : float
        When, in seconds since the epoch by the database's clock.
    """

    version: int
    classes: tuple[Class, ...] | None
    change: ClassChange
    by: str | None
    at: float


def change_classes(
    storage: str | Database,
    loop: str = "default",
    *,
    add: Iterable[Any] = (),
    rename: Mapping[Any, Any] | None = None,
    merge: Mapping[Any, Iterable[Any]] | None = None,
    split: Mapping[Any, Iterable[Any]] | None = None,
    by: str | None = None,
) -> ClassVersion:
    """Make the next version of a loop's classes, in one step.

    Labels given before are mapped. Those of a class that was split stand no more, and their items are asked
    again. The next refit learns from what stands; no audit so far counts for what is tested from then on, and
    what is certified is withdrawn. Queries that wait go on waiting and show the new classes; traps that wait
    are taken back, since their right answer is one of the old ones.

    Parameters
    ----------
    storage : str or Database
        URL of a store that exists, or an open one.
    loop : str
        The loop's name.
    add : classes
        New ones, at the end of the list.
    rename : mapping
        Old class -> new name.
    merge : mapping
        Name -> the classes that are called so from now on; it may be one of them.
    split : mapping
        Class -> its parts, to be chosen from anew. A part may be called like the old class, or be a class
        that is there already.
    by : str, optional
        Who changes them.

    Returns
    -------
    ClassVersion

    Raises
    ------
    InvalidInput
        If there is no such loop, or the change can't be made: an unknown class, a new name that is taken,
        fewer than two classes left. Nothing was changed.
    StoreInUse
        If a process trains the loop: stop it, change the classes, and run it again.
    """
    change = ClassChange.of(add=add, rename=rename, merge=merge, split=split)
    with opened(storage) as database:
        with database.reading() as connection:
            loop_id, name = one_loop(connection, loop)
        with TrainingLock(database, name), database.writing() as connection:
            return _change(connection, database.time(connection), loop_id, change, by)


def class_list(
    storage: str | Database, loop: str = "default"
) -> tuple[int, tuple[Class, ...] | None, tuple[ClassVersion, ...]]:
    """(version, classes or None where the list is open, every version so far) of a loop.

    Raises
    ------
    InvalidInput
        If there is no such loop.
    """
    with opened(storage) as database, database.reading() as connection:
        loop_id, _ = one_loop(connection, loop)
        history = tuple(_versions(connection, loop_id))
    return history[-1].version, history[-1].classes, history


def read_classes(connection: Connection, loop_id: int) -> ClassList:
    """The latest classes of a loop, which know how labels of older versions are called now.

    An open list has what its splits have brought, and none that only labels name.
    """
    first, *later = _versions(connection, loop_id)
    classes = ClassList(first.classes)
    for version in later:
        classes.change(version.change)
    return classes


def _versions(connection: Connection, loop_id: int) -> Iterator[ClassVersion]:
    chosen = select(class_lists).where(class_lists.c.loop_id == loop_id).order_by(class_lists.c.version)
    for row in connection.execute(chosen):
        listed = json.loads(row.classes)
        yield ClassVersion(
            version=row.version,
            classes=None if listed is None else tuple(listed),
            change=ClassChange.from_dict(json.loads(row.change)),
            by=row.by,
            at=row.at,
        )


def _change(
    connection: Connection, at: float, loop_id: int, change: ClassChange, by: str | None
) -> ClassVersion:
    classes = read_classes(connection, loop_id)
    said = _said(connection, loop_id)
    for label, version in said:
        now = classes.now(label, version)
        if now is not None:
            classes.add(now)
    after = change.check(classes.shown, is_open=classes.is_open)
    listed = None if classes.is_open else after
    classes.change(change)
    row = {
        "loop_id": loop_id,
        "version": classes.version,
        "classes": json.dumps(listed),
        "change": trail.to_json(change.to_dict()),
        "by": by,
        "at": at,
    }
    connection.execute(insert(class_lists).values(row))
    connection.execute(update(loops).where(loops.c.id == loop_id).values(class_version=classes.version))
    for label, version in said:
        if classes.now(label, version) is None:
            connection.execute(_STANDS_NO_MORE, {"loop": loop_id, "text": json.dumps(label), "then": version})
    connection.execute(_CLOSE_TRAPS, {"loop": loop_id})
    connection.execute(_WITHDRAW_TRAPS, {"loop": loop_id})
    body = {"version": classes.version}
    covered = rows_of(connection, "classes", body, loop_id)
    trail.append(connection, "classes", body, at, loop_id=loop_id, rows=covered)
    return ClassVersion(classes.version, listed, change, by, at)


def _said(connection: Connection, loop_id: int) -> list[tuple[Class, int]]:
    """(class, version under which it was said) of all that people said to this loop, each once."""
    undone = select(labels.c.undoes).where(labels.c.undoes.is_not(None))
    found = (
        select(labels.c.label, labels.c.class_version)
        .where(labels.c.loop_id == loop_id, labels.c.label.is_not(None), labels.c.source != "trap")
        .where(labels.c.id.not_in(undone))
        .distinct()
        .order_by(labels.c.class_version, labels.c.label)
    )
    return [(json.loads(row.label), row.class_version) for row in connection.execute(found)]


_OF_CLASS = select(labels.c.id).where(
    labels.c.loop_id == bindparam("loop"),
    labels.c.label == bindparam("text"),
    labels.c.class_version == bindparam("then"),
)
_STANDS_NO_MORE = delete(standing).where(
    standing.c.loop_id == bindparam("loop"), standing.c.label_id.in_(_OF_CLASS)
)
_TRAPS = (queries.c.loop_id == bindparam("loop"), queries.c.kind == "trap", is_asked)
_WITHDRAW_TRAPS = update(queries).where(*_TRAPS).values(state="withdrawn")
_CLOSE_TRAPS = (
    update(slots).where(slots.c.query_id.in_(select(queries.c.id).where(*_TRAPS))).values(is_open=False)
)
