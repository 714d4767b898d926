"""What a store has after people at desks have answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from bootstrap.store.database import Database
from bootstrap.store.schema import labels, queries, standing


class Written:
    """Looks into the tables."""

    @staticmethod
    def labels(database: Database) -> list[tuple[Any, ...]]:
        """Every label: (row, label, by, extra, undoes)."""
        with database.reading() as connection:
            found = connection.execute(select(labels).order_by(labels.c.id)).all()
        return [(row.row, _label(row.label), row.by, row.extra, row.undoes) for row in found]

    @staticmethod
    def standing(database: Database) -> dict[int, Any]:
        """Row -> the label that counts, of the first opinions."""
        with database.reading() as connection:
            found = connection.execute(
                select(labels.c.row, labels.c.label)
                .join(standing, standing.c.label_id == labels.c.id)
                .where(standing.c.opinion == "first")
            ).all()
        return {row.row: _label(row.label) for row in found}

    @staticmethod
    def state(database: Database, query: int = 1) -> str:
        with database.reading() as connection:
            found = connection.execute(select(queries.c.state).where(queries.c.id == query))
            return str(found.scalar_one())


def _label(text: str | None) -> Any:
    return None if text is None else json.loads(text)


@pytest.fixture
def written() -> type[Written]:
    return Written


@pytest.fixture
def timed(storage: str, hand: Callable[[], float]) -> Iterator[Database]:
    """An open store whose clock is moved by hand."""
    opened = Database(storage, clock=hand)
    yield opened
    opened.close()
