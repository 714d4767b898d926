"""Statements that are run for every claim and every answer: compiled once, and handed to the driver itself.

Between a statement and its rows SQLAlchemy does ten times the work of SQLite. While one process writes to a
file the others wait, so that this counts eight times where eight people answer. SQLAlchemy still says what
the statement is on each database, begins and ends the transaction, and names the errors.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NoReturn

from sqlalchemy import Boolean, ClauseElement, Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.expression import UpdateBase
from sqlalchemy.sql.selectable import Select

__all__ = ["Compiled", "Prepared", "run_text"]


class Compiled:
    """A statement in the words of one database.

    Parameters
    ----------
    statement : Select, Insert, Update or Delete
    dialect : Dialect
    columns : sequence of str, optional
        For an INSERT: those that are given.

    Attributes
    ----------
    text : str
    """

    def __init__(
        self, statement: ClauseElement, dialect: Dialect, columns: Sequence[str] | None = None
    ) -> None:
        named: dict[str, Any] = {} if columns is None else {"column_keys": list(columns)}
        compiled: Any = statement.compile(dialect=dialect, **named)
        self.text = str(compiled)
        order: Sequence[str] | None = compiled.positiontup  # None where values go by their names
        self._fixed: Mapping[str, Any] = compiled.params
        self._in_order = None if order is None else _picker(order)

    def bound(self, values: Mapping[str, Any]) -> Any:
        """These values, and the statement's own, as the driver takes them."""
        named = {**self._fixed, **values}
        return named if self._in_order is None else self._in_order(named)


def _picker(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """What takes values out of a mapping, in this order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda named: tuple(named[name] for name in names)


class Prepared:
    """A statement whose parameters have the same types each time, and no list among them.

    Parameters
    ----------
    statement : Select, Insert, Update or Delete
        With a `bindparam` for whatever changes.
    """

    def __init__(self, statement: Select[Any] | UpdateBase) -> None:
        self._statement = statement
        columns = statement.exported_columns.items()
        self._make: Callable[..., Any] = _rows_with([str(name) for name, _ in columns])
        self._booleans = [i for i, (_, column) in enumerate(columns) if isinstance(column.type, Boolean)]
        self._compiled: dict[str, Compiled] = {}

    def all(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Every row, as a named tuple."""
        rows = self._run(connection, values).fetchall()
        if self._booleans and connection.dialect.name == "sqlite":  # which has numbers for them
            return [self._make(self._with_booleans(row)) for row in rows]
        return [self._make(row) for row in rows]

    def first(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The only row, or None."""
        rows = self.all(connection, values)
        return rows[0] if rows else None

    def run(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """For what returns no rows: how many there were that it was about."""
        return int(self._run(connection, values).rowcount)

    def _run(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        known = self._compiled.get(connection.dialect.name)
        if known is None:
            known = self._compiled[connection.dialect.name] = Compiled(self._statement, connection.dialect)
        return run_text(connection, known.text, known.bound(values))

    def _with_booleans(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for i in self._booleans:
            if values[i] is not None:
                values[i] = bool(values[i])
        return values


def _rows_with(names: Sequence[str]) -> Callable[..., Any]:
    kind: Any = namedtuple("Row", names)  # type: ignore[misc]
    make: Callable[..., Any] = kind._make
    return make


def run_text(connection: Connection, text: str, values: Any, *, many: bool = False) -> Any:
    """Run SQL in the words of the driver, within a transaction; returns its cursor.

    Parameters
    ----------
    connection : Connection
    text : str
    values : tuple or dict
        As the driver wants them; a list of such with `many`.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        As SQLAlchemy would.
    """
    if connection.engine.dispatch.before_cursor_execute:  # somebody wants to know of every statement
        return connection.exec_driver_sql(text, values)
    cursor = connection.connection.cursor()
    try:
        if many:
            cursor.executemany(text, values)
        else:
            cursor.execute(text, values)
    except connection.dialect.loaded_dbapi.Error as error:
        _fail(connection, text, error)
    return cursor


def _fail(connection: Connection, text: str, error: Exception) -> NoReturn:
    dialect = connection.dialect
    broken = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)  # type: ignore[arg-type]
    named = DBAPIError.instance(
        text,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=broken,
        dialect=dialect,
    )
    if broken:
        connection.invalidate(error)
    raise named from error
