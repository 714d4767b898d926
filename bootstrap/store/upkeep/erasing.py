"""Erasure: what people saw of an item goes; that it was there, and what was said of it, stays.

Payload, content, features, the ids that users gave and the reasons that people typed are overwritten. The
hash of the content, the labels, the decisions and their probabilities stay, so that evidence and the trail
still verify: the trail never covered what goes.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, exists, func, select, text, update

from bootstrap.content import hidden_id
from bootstrap.errors import InvalidInput
from bootstrap.store import trail
from bootstrap.store.database import Database, opened
from bootstrap.store.features import blank_rows
from bootstrap.store.loop_names import some_loops
from bootstrap.store.schema import aliases, items, labels, members, queries, slots, standing
from bootstrap.store.slices import in_slices

__all__ = ["Erasable", "Erased", "erase", "prune", "to_erase", "to_prune"]


_SECONDS: Final = {"h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}

#: Ids of items that are told beforehand.
_MOST_TOLD: Final = 5

#: Milliseconds for which SQLite waits for readers before it leaves its write-ahead log as it is.
_PATIENCE: Final = 5000


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased.

    Attributes
    ----------
    n_items : int
        Items that were erased now.
    n_already : int
        Items asked for that had been erased before.
    unknown : tuple of str
        Ids that the store does not hold.
    n_withdrawn : int
        Open queries about these items, which nobody is asked any more.
    overwritten : bool
        Whether the bytes are gone from SQLite's files too. False where somebody was reading, or the disk is
        full: they go when that has ended and something is erased again, or `VACUUM` is run. Always False on
        PostgreSQL, which keeps old versions of rows until their space is used again.
    """

    n_items: int
    n_already: int = 0
    unknown: tuple[str, ...] = ()
    n_withdrawn: int = 0
    overwritten: bool = False

    @property
    def n_unknown(self) -> int:
        """How many ids the store does not hold."""
        return len(self.unknown)


@dataclass(frozen=True, slots=True)
class Erasable:
    """What would be erased.

    Attributes
    ----------
    n_items : int
    first : tuple of str
        Ids of the first five.
    n_labeled : int
        Items that somebody has given a class.
    n_open : int
        Open queries about these items.
    """

    n_items: int
    first: tuple[str, ...]
    n_labeled: int
    n_open: int


def to_erase(storage: str | Database, ids: Iterable[str], *, loop: str | None = None) -> Erasable:
    """What :func:`erase` would erase; nothing is changed. Raises what it raises."""
    names = _names(ids)
    with opened(storage) as database, database.reading() as connection:
        loop_ids = list(some_loops(connection, loop))
        wanted = set[int]().union(*(_items_named(connection, loop_ids, name) for name in names))
        return _looked_over(connection, sorted(wanted))


def to_prune(
    storage: str | Database, older_than: str | float, *, loop: str | None = None, unlabeled: bool = False
) -> Erasable:
    """What :func:`prune` would erase now; nothing is changed. Raises what it raises."""
    seconds = _seconds(older_than)
    with opened(storage) as database, database.reading() as connection:
        loop_ids = None if loop is None else list(some_loops(connection, loop))
        before = database.time(connection) - seconds
        return _looked_over(connection, _done_with(connection, before, loop_ids, unlabeled))


def erase(
    storage: str | Database, ids: Iterable[str], *, loop: str | None = None, by: str | None = None
) -> Erased:
    """Erase items; doing so again changes nothing.

    An item that several loops share is erased from all of them. A loop that is resumed afterwards trains
    without it, and does not take it again. What a process holds in memory, and backups, are not reached.

    On SQLite the old bytes are overwritten in the files. On PostgreSQL the tables are vacuumed, so that their
    space can be used again; to have it rewritten at once run `VACUUM FULL items, members, aliases, blocks,
    labels`, which locks them, and mind its write-ahead log and archives.

    Parameters
    ----------
    storage : str or Database
        URL of a store that exists, or an open one.
    ids : iterable of str
        As they were given to the loop, those of copies too.
    loop : str, optional
        The loop that these ids belong to; by default any.
    by : str, optional
        Who erases; goes into the trail.

    Raises
    ------
    InvalidInput
        If `ids` is a single string, or there is no such loop.
    """
    names = _names(ids)
    with opened(storage) as database:
        with _writing_over(database) as connection:
            loop_ids = list(some_loops(connection, loop))
            found = {name: _items_named(connection, loop_ids, name) for name in names}
            wanted = sorted({item for some in found.values() for item in some})
            erased, withdrawn = _erase(connection, database, wanted, {"why": "asked", "by": by})
        overwritten = _clean(database) if wanted else False
    unknown = tuple(name for name, some in found.items() if not some)
    return Erased(len(erased), len(wanted) - len(erased), unknown, withdrawn, overwritten)


def prune(
    storage: str | Database,
    older_than: str | float,
    *,
    loop: str | None = None,
    by: str | None = None,
    unlabeled: bool = False,
) -> Erased:
    """Erase items that are done with: no query about them is open, and their last label is old.

    An item stays where one of the loops that hold it has no answer about it: it still waits there.

    Parameters
    ----------
    storage : str or Database
        URL of a store that exists, or an open one.
    older_than : str or number
        How old the last label is at least: "90d", "12h", "2w", or a number of days.
    loop : str, optional
        Only items of this loop.
    by : str, optional
        Who erases; goes into the trail.
    unlabeled : bool
        Erase items without an answer, too, if they were added so long ago. By default none of them: a pool
        that nobody looked at for a while would be gone.

    Raises
    ------
    InvalidInput
        If `older_than` is no such age, or there is no such loop.
    """
    seconds = _seconds(older_than)
    with opened(storage) as database:
        with _writing_over(database) as connection:
            loop_ids = None if loop is None else list(some_loops(connection, loop))
            before = database.time(connection) - seconds
            wanted = _done_with(connection, before, loop_ids, unlabeled)
            why = {"why": "old", "older_than": seconds, "by": by}
            erased, withdrawn = _erase(connection, database, wanted, why)
        overwritten = _clean(database) if wanted else False
    return Erased(len(erased), n_withdrawn=withdrawn, overwritten=overwritten)


# which items


def _names(ids: Iterable[str]) -> list[str]:
    if isinstance(ids, str | bytes):
        raise InvalidInput("ids is a single string: pass a list of ids")
    return list(dict.fromkeys(str(name) for name in ids))


def _looked_over(connection: Connection, wanted: Sequence[int]) -> Erasable:
    """Those of the items that are not erased yet."""
    n_items = n_labeled = n_open = 0
    first: list[str] = []
    for slice_ in in_slices(wanted):
        of_these = (items.c.id.in_(slice_), items.c.erased_at.is_(None))
        fresh = list(connection.execute(select(items.c.id).where(*of_these).order_by(items.c.id)).scalars())
        labeled = select(func.count(standing.c.item_id.distinct())).where(
            standing.c.item_id.in_(fresh), ~standing.c.skip
        )
        asked = select(func.count()).where(queries.c.item_id.in_(fresh), queries.c.state == "open")
        n_items += len(fresh)
        n_labeled += int(connection.execute(labeled).scalar_one())
        n_open += int(connection.execute(asked).scalar_one())
        for item in fresh[: _MOST_TOLD - len(first)]:
            name = select(members.c.name).where(members.c.item_id == item).order_by(members.c.loop_id)
            first += connection.execute(name.limit(1)).scalars()
    return Erasable(n_items, tuple(first), n_labeled, n_open)


def _items_named(connection: Connection, loop_ids: list[int], name: str) -> set[int]:
    """Items of this id, or that had it before they were erased."""
    both = [name, hidden_id(name)]
    named = select(members.c.item_id).where(members.c.loop_id.in_(loop_ids), members.c.name.in_(both))
    copied = (
        select(members.c.item_id)
        .join(aliases, (aliases.c.loop_id == members.c.loop_id) & (aliases.c.row == members.c.row))
        .where(aliases.c.loop_id.in_(loop_ids), aliases.c.name.in_(both))
    )
    return set(connection.execute(named.union(copied)).scalars())


def _done_with(
    connection: Connection, before: float, loop_ids: list[int] | None, unlabeled: bool
) -> list[int]:
    is_asked = exists().where(queries.c.item_id == items.c.id, queries.c.state == "open")
    answered = exists().where(
        standing.c.loop_id == members.c.loop_id, standing.c.item_id == members.c.item_id
    )
    waits = exists().where(members.c.item_id == items.c.id, ~answered)
    last = select(func.max(labels.c.at)).where(labels.c.item_id == items.c.id).scalar_subquery()
    if unlabeled:
        is_old = (func.coalesce(last, items.c.added_at) < before) & (items.c.added_at < before)
    else:
        is_old = (last < before) & ~waits
    chosen = select(items.c.id).where(items.c.erased_at.is_(None), ~is_asked, is_old).order_by(items.c.id)
    if loop_ids is not None:
        of_loop = exists().where(members.c.item_id == items.c.id, members.c.loop_id.in_(loop_ids))
        chosen = chosen.where(of_loop)
    return list(connection.execute(chosen).scalars())


def _seconds(age: str | float) -> float:
    if not isinstance(age, str):
        age = f"{age}d"
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([hdw])", age.strip())
    if found is None:
        raise InvalidInput(
            f'older_than={age!r} is no age: write "90d", "12h" or "2w" (a month may be 28 days or 31)'
        )
    return float(found[1]) * _SECONDS[found[2]]


# what goes


def _erase(
    connection: Connection, database: Database, wanted: Sequence[int], why: dict[str, Any]
) -> tuple[list[str], int]:
    """Erase those that are not erased yet; returns their keys, and how many queries were withdrawn."""
    at = database.time(connection)
    keys: list[str] = []
    withdrawn: list[int] = []
    places: list[tuple[int, int]] = []
    for slice_ in in_slices(wanted):
        fresh = select(items.c.id, items.c.key)
        fresh = fresh.where(items.c.id.in_(slice_), items.c.erased_at.is_(None))
        key_of = {row.id: row.key for row in connection.execute(fresh.order_by(items.c.id))}
        some = list(key_of)
        keys += key_of.values()
        gone = {"content": None, "payload": None, "erased_at": at}
        connection.execute(update(items).where(items.c.id.in_(some)).values(gone))
        connection.execute(
            update(labels).where(labels.c.item_id.in_(some), labels.c.reason.is_not(None)).values(reason=None)
        )
        places += _hide_names(connection, some)
        withdrawn += _withdraw(connection, some)
    blank_rows(connection, places)
    if keys:
        trail.append(connection, "erased", {"items": keys, "withdrawn": withdrawn, **why}, at)
    return keys, len(withdrawn)


def _hide_names(connection: Connection, some: list[int]) -> list[tuple[int, int]]:
    """Put hashes in place of the ids that users gave; returns where the features are."""
    of_these = members.c.item_id.in_(some)
    rows = connection.execute(select(members).where(of_these)).all()
    copies = connection.execute(
        select(aliases.c.loop_id, aliases.c.name)
        .join(members, (aliases.c.loop_id == members.c.loop_id) & (aliases.c.row == members.c.row))
        .where(of_these)
    ).all()
    if rows:
        connection.execute(
            update(members)
            .where(members.c.loop_id == bindparam("of_loop"), members.c.row == bindparam("of_row"))
            .values(name=bindparam("hidden")),
            [{"of_loop": row.loop_id, "of_row": row.row, "hidden": hidden_id(row.name)} for row in rows],
        )
    if copies:
        connection.execute(
            update(aliases)
            .where(aliases.c.loop_id == bindparam("of_loop"), aliases.c.name == bindparam("old"))
            .values(name=bindparam("hidden")),
            [{"of_loop": row.loop_id, "old": row.name, "hidden": hidden_id(row.name)} for row in copies],
        )
    return [(row.block_id, row.at) for row in rows if row.block_id is not None]


def _withdraw(connection: Connection, some: list[int]) -> list[int]:
    """Nobody is asked about these items any more; returns the queries that were open."""
    is_open = (queries.c.item_id.in_(some)) & (queries.c.state == "open")
    found = list(connection.execute(select(queries.c.id).where(is_open).order_by(queries.c.id)).scalars())
    connection.execute(update(queries).where(is_open).values(state="withdrawn"))
    connection.execute(update(slots).where(slots.c.item_id.in_(some), slots.c.is_open).values(is_open=False))
    return found


# the bytes


@contextmanager
def _writing_over(database: Database) -> Iterator[Connection]:
    """A writing transaction that leaves nothing of what it replaces in SQLite's pages."""
    with database.writing() as connection:
        if database.is_sqlite:
            connection.execute(text("PRAGMA secure_delete=ON"))
        yield connection


def _clean(database: Database) -> bool:
    """Let go of old versions of rows; whether they are gone."""
    if not database.is_sqlite:
        with database.failing(), database.engine.connect() as connection:
            freely = connection.execution_options(isolation_level="AUTOCOMMIT")
            freely.execute(text("VACUUM items, members, aliases, blocks, labels"))
        return False
    pooled = database.engine.raw_connection()
    try:
        cursor = pooled.cursor()
        patience = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout={_PATIENCE}")
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout={patience}")
        cursor.close()
    except sqlite3.Error:  # what was to be erased is, but for these bytes
        return False
    finally:
        pooled.close()
    return not busy
