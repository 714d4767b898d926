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

from bootstrap.store.prepared import run_text

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
    text, order, fixed = _statement(connection.dialect, what, tuple(rows[0]))
    named = [{**fixed, **row} for row in rows]
    values = named if order is None else [tuple([row[name] for name in order]) for row in named]
    if len(values) == 1:
        run_text(connection, text, values[0])
    else:
        run_text(connection, text, values, many=True)


@lru_cache(maxsize=256)
def _statement(
    dialect: Dialect, what: Any, names: tuple[str, ...]
) -> tuple[str, tuple[str, ...] | None, dict[str, Any]]:
    """The SQL, in which order it takes the values (None where it takes them by name), and its own values."""
    if isinstance(what, Table):
        compiled = insert(what).compile(dialect=dialect, column_keys=list(names))
    else:
        compiled = what.compile(dialect=dialect)
    order = None if compiled.positiontup is None else tuple(compiled.positiontup)
    return str(compiled), order, {name: of for name, of in compiled.params.items() if name not in names}
