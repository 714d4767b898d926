"""The audit trail: what was done, in order, each entry holding the hash of the one before.

An entry names the rows that it speaks of and holds a digest of what is never changed in them, so that a
later edit of either shows (:mod:`bootstrap.store.upkeep.checking`). It covers keys, hashes, answers and
probabilities, never what people saw: that can be erased, and the trail still verifies.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from bootstrap.store.inserting import insert_rows
from bootstrap.store.prepared import Prepared
from bootstrap.store.schema import store, trail

__all__ = ["append", "begin", "digest", "end", "entry_hash", "flush", "length_of", "to_json"]


#: Where a connection keeps what its transaction has added.
_PENDING = "bootstrap trail"

_HEAD = Prepared(select(store.c.trail_head, store.c.trail_length))
_MOVE_HEAD = Prepared(
    update(store).values(trail_head=bindparam("new_head"), trail_length=bindparam("new_length"))
)


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode

#: Types whose values are covered as they are.
_AS_THEY_ARE = frozenset((str, int, bool, type(None)))


def to_json(value: Any) -> str:
    """One text for one value: keys sorted, no spaces."""
    return _encode(value)


def digest(rows: Iterable[Sequence[Any]]) -> str:
    """A hash of rows of plain values, in this order."""
    state = hashlib.blake2b(digest_size=32)
    for row in rows:
        plain = [value if type(value) in _AS_THEY_ARE else _plain(value) for value in row]
        state.update(f"{_encode(plain)}\n".encode())
    return state.hexdigest()


def entry_hash(
    before: str, seq: int, loop_id: int | None, kind: str, body: str, digest: str, at: float
) -> str:
    """The hash of one entry, from that of the one before."""
    said = to_json([before, seq, loop_id, kind, body, digest, _plain(at)])
    return hashlib.blake2b(said.encode(), digest_size=32).hexdigest()


def append(
    connection: Connection,
    kind: str,
    body: Mapping[str, Any],
    at: float,
    *,
    loop_id: int | None = None,
    rows: Iterable[Sequence[Any]] = (),
) -> int:
    """Add an entry within `Database.writing`; returns its number.

    Parameters
    ----------
    connection : Connection
        Of that transaction.
    kind : str
        What was done.
    body : mapping
        Plain JSON: keys of the rows it speaks of, and what else has to be known. No content.
    at : float
        When, by `Database.time`.
    loop_id : int, optional
    rows : iterable of rows
        What of these rows is never changed.
    """
    head, length = _head(connection)
    text, covered = to_json(body), digest(rows)
    new = entry_hash(head, length + 1, loop_id, kind, text, covered, at)
    pending = connection.info[_PENDING]
    pending["entries"].append(
        {
            "seq": length + 1,
            "loop_id": loop_id,
            "kind": kind,
            "body": text,
            "digest": covered,
            "at": at,
            "hash": new,
        }
    )
    pending["head"], pending["length"] = new, length + 1
    return length + 1


def begin(connection: Connection) -> None:
    """Know nothing of the trail yet: a transaction begins."""
    connection.info[_PENDING] = None


def flush(connection: Connection) -> None:
    """Write what was added in this transaction, before it ends."""
    pending = connection.info.get(_PENDING)
    if pending is not None and pending["entries"]:
        insert_rows(connection, trail, pending["entries"])
        _MOVE_HEAD.run(connection, {"new_head": pending["head"], "new_length": pending["length"]})


def end(connection: Connection) -> None:
    """Forget what was added: the transaction ends, or has failed."""
    if not connection.invalidated:  # one that broke takes everything with it
        connection.info.pop(_PENDING, None)


def length_of(connection: Connection) -> int:
    """How many entries there are, those of this transaction included."""
    if _PENDING in connection.info:
        return _head(connection)[1]
    return int(_HEAD.first(connection, {}).trail_length)


def _head(connection: Connection) -> tuple[str, int]:
    """(hash of the last entry, number of entries), read once in a transaction."""
    if _PENDING not in connection.info:
        raise RuntimeError("the trail grows within Database.writing only")
    pending = connection.info[_PENDING]
    if pending is None:
        row = _HEAD.first(connection, {})
        pending = {"entries": [], "head": row.trail_head, "length": row.trail_length}
        connection.info[_PENDING] = pending
    return pending["head"], int(pending["length"])


def _plain(value: Any) -> Any:
    """Bytes as their hash, numbers as any database gives them back, all else as it is."""
    if isinstance(value, bytes | memoryview):
        return hashlib.blake2b(value, digest_size=32).hexdigest()
    if isinstance(value, float):
        if math.isnan(value):  # SQLite keeps it as NULL,
            return None
        return int(value) if value.is_integer() else value  # and -0.0 as 0.0
    return value
