"""Queries in a store for people at desks, without a loop that asks them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select

from bootstrap.store.database import Database
from bootstrap.store.desks.claiming import open_slots
from bootstrap.store.payloads import payload_text
from bootstrap.store.schema import class_lists, items, loops, members, queries


def _loop(connection: Connection, name: str, classes: Sequence[Any] | None, at: float) -> int:
    known = connection.execute(select(loops.c.id).where(loops.c.name == name)).scalar()
    if known is not None:
        return int(known)
    number = int(connection.execute(select(func.count()).select_from(loops)).scalar_one()) + 1
    connection.execute(
        insert(loops).values(
            id=number,
            name=name,
            settings="{}",
            entropy="1",
            key="00",
            created_at=at,
            class_version=1,
            taken_up_to=0,
        )
    )
    connection.execute(
        insert(class_lists).values(
            loop_id=number, version=1, classes=json.dumps(classes), change="{}", by=None, at=at
        )
    )
    return number


def _member(connection: Connection, loop_id: int, row: int, at: float) -> int:
    item = connection.execute(select(items.c.id).where(items.c.key == f"key {row}")).scalar()
    if item is None:
        values = {"key": f"key {row}", "content": f"text {row}", "payload": payload_text(f"text {row}")}
        item = connection.execute(insert(items).values(**values, added_at=at)).inserted_primary_key[0]
    there = select(members.c.row).where(members.c.loop_id == loop_id, members.c.row == row)
    if connection.execute(there).first() is None:
        connection.execute(
            insert(members).values(loop_id=loop_id, row=row, item_id=item, name=f"i{row}", home=0)
        )
    return int(item)


def publish_queries(
    database: Database,
    n: int = 3,
    *,
    loop: str = "team",
    classes: Sequence[Any] | None = ("a", "b"),
    first: int = 0,
    **columns: Any,
) -> int:
    """Ask about rows `first` and on, the first of them as the most useful; returns the loop's id."""
    with database.writing() as connection:
        at = database.time(connection)
        loop_id = _loop(connection, loop, classes, at)
        start = int(connection.execute(select(func.count()).select_from(queries)).scalar_one()) + 1
        rows = [
            {
                "id": start + i,
                "token": f"q{start + i}",
                "loop_id": loop_id,
                "item_id": _member(connection, loop_id, first + i, at),
                "row": first + i,
                "batch": 0,
                "position": i,
                "round": 1,
                "kind": "training",
                "known": None,
                "usefulness": -float(i),
                "deadline": None,
                "overlap": 1,
                "class_version": 1,
                "published_at": at,
                "state": "open",
            }
            | columns
            for i in range(n)
        ]
        connection.execute(insert(queries), rows)
        open_slots(connection, [{**row, "query_id": row["id"]} for row in rows])
    return loop_id


@pytest.fixture
def publish() -> Callable[..., int]:
    """Asks about rows of a loop, which is begun where it is new: `publish(database, n, overlap=2)`."""
    return publish_queries


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def hand() -> Hand:
    return Hand()
