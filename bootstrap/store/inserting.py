"""One statement for many rows: it is made once, and each row is handed over as it is.

SQLAlchemy looks at every value of every row, which takes longer than writing them. What a loop writes by the
dozen needs none of that: whole numbers, floats, texts, booleans, bytes and None, by the same names each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Executable, Table, insert
from sqlalchemy.engine import Dialect

from bootstrap.store.prepared import Compiled, run_text

__all__ = ["insert_rows", "run_for_each"]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, each with the same columns as the first one.

    Parameters
    ----------
    connection : Connection
        Of a transaction that writes.
    table : Table
    rows : sequence of mappings
        Column -> plain value.
    """
    if rows:
        _run(connection, table, rows)


def run_for_each(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run an UPDATE or DELETE once for each row.

    Parameters
    ----------
    connection : Connection
        Of a transaction that writes.
    statement : Update or Delete
        Kept by whoever calls: it is compiled once.
    rows : sequence of mappings
        Name of a parameter -> plain value, for all of them.
    """
    if rows:
        _run(connection, statement, rows)


def _run(connection: Connection, what: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    compiled = _statement(connection.dialect, what, tuple(rows[0]))
    values = [compiled.bound(row) for row in rows]
    if len(values) == 1:
        run_text(connection, compiled.text, values[0])
    else:
        run_text(connection, compiled.text, values, many=True)


@lru_cache(maxsize=256)
def _statement(dialect: Dialect, what: Any, names: tuple[str, ...]) -> Compiled:
    if isinstance(what, Table):
        return Compiled(insert(what), dialect, names)
    return Compiled(what, dialect)
