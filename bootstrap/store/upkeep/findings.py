"""What a check has found, in words: people know an item by the id they gave it, and a loop by its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, select

from bootstrap.store.schema import items, labels, loops, members, queries

__all__ = ["Findings", "key_as_text", "named", "streamed"]

_MOST_LISTED: Final = 200

#: Tables whose rows are about one item each, and the column that says which.
_ABOUT: Final = {items.name: "id", labels.name: "item_id", members.name: "item_id", queries.name: "item_id"}


class Findings:
    """The problems of one check.

    Parameters
    ----------
    connection : Connection
        To look names up, where there is a problem to tell.

    Attributes
    ----------
    problems : list of str
        The first 200.
    n_problems : int
    """

    def __init__(self, connection: Connection) -> None:
        self.problems: list[str] = []
        self.n_problems = 0
        self._connection = connection

    def say(self, problem: str) -> None:
        """Note one problem; its first letter becomes a capital."""
        self.n_problems += 1
        if len(self.problems) < _MOST_LISTED:
            self.problems.append(problem[:1].upper() + problem[1:])

    def say_of(self, chosen: Select[Any], sentence: str) -> None:
        """Note one problem for each row of a statement.

        Parameters
        ----------
        chosen : Select
            With a column `loop_id`.
        sentence : str
            With columns in braces; `{loop}` and `{item}` are what people call `loop_id` and `item_id`.
        """
        for row in streamed(self._connection, chosen):
            values = dict(row._mapping)
            values["loop"] = self.loop(row.loop_id)
            if "item_id" in values:
                values["item"] = self.item(row.item_id, row.loop_id)
            self.say(sentence.format(**values))

    def loop(self, loop_id: int) -> str:
        """A loop by its name."""
        name = self._first(select(loops.c.name).where(loops.c.id == loop_id))
        return f"loop {loop_id}" if name is None else f"loop {name!r}"

    def item(self, item_id: int, loop_id: int | None = None) -> str:
        """An item by the id that it has in this loop, or in the first that holds it, and by its number."""
        name = self._name(item_id, loop_id)
        return f"item number {item_id}" if name is None else f"item {name!r} (number {item_id})"

    def row(self, table: Table, key: tuple[Any, ...]) -> str:
        """A row by its table and key, and by the id of its item where it is about one."""
        name = self.name_of(table, key)
        return named(table, key) if name is None else f"{named(table, key)} (item {name!r})"

    def name_of(self, table: Table, key: tuple[Any, ...]) -> str | None:
        """The id of the item that a row is about, if it is about one that is known."""
        if table.name not in _ABOUT:
            return None
        of_key = (column == part for column, part in zip(table.primary_key.columns, key, strict=True))
        item_id = self._first(select(table.c[_ABOUT[table.name]]).where(*of_key))
        return None if item_id is None else self._name(item_id, None)

    def _name(self, item_id: int, loop_id: int | None) -> str | None:
        chosen = select(members.c.name).where(members.c.item_id == item_id)
        if loop_id is not None:
            chosen = chosen.where(members.c.loop_id == loop_id)
        name: str | None = self._first(chosen.order_by(members.c.loop_id, members.c.row))
        return name

    def _first(self, chosen: Select[Any]) -> Any:
        """One value, or None; names are not looked up for problems that are only counted."""
        if len(self.problems) >= _MOST_LISTED:
            return None
        return self._connection.execute(chosen.limit(1)).scalar()


def named(table: Table, key: tuple[Any, ...]) -> str:
    """A row by its table and key."""
    return f"{table.name} {key_as_text(key)}"


def key_as_text(key: tuple[Any, ...]) -> str:
    """Its parts, as they stand in the table."""
    return "/".join(str(part) for part in key)


def streamed(connection: Connection, chosen: Select[Any], at_once: int = 10_000) -> Iterator[Any]:
    """The rows of a statement, so many in memory at a time."""
    # for this statement alone: those of a connection hold for all that it does from then on
    yield from connection.execute(chosen, execution_options={"yield_per": at_once})
