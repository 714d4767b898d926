"""Loops by name, for whatever is done to a store without a loop object."""

from __future__ import annotations

from sqlalchemy import Connection, select

from bootstrap.errors import InvalidInput
from bootstrap.store.schema import loops

__all__ = ["one_loop", "some_loops"]


def some_loops(connection: Connection, name: str | None) -> dict[int, str]:
    """Id -> name of the loop of this name, or of all.

    Raises
    ------
    InvalidInput
        If there is none of this name; the message lists those that there are.
    """
    known = {row.id: row.name for row in connection.execute(select(loops.c.id, loops.c.name).order_by("id"))}
    if name is None:
        return known
    found = {id: known_name for id, known_name in known.items() if known_name == name}
    if not found:
        raise InvalidInput(f"the store has no loop {name!r}; it has {_listed(known)}")
    return found


def one_loop(connection: Connection, name: str | None) -> tuple[int, str]:
    """(id, name) of the loop of this name, or of the only one.

    Raises
    ------
    InvalidInput
        If there is none, or there are several and none is named.
    """
    found = some_loops(connection, name)
    if len(found) != 1:
        raise InvalidInput(f"say which loop (loop=): the store has {_listed(found)}")
    return next(iter(found.items()))


def _listed(known: dict[int, str]) -> str:
    return ", ".join(repr(name) for name in known.values()) or "no loop"
