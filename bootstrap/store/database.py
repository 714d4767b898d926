"""A connection to one store, on SQLite or PostgreSQL, and the three kinds of transaction.

`reading` sees one state of everything. `writing` is for whatever the trail records: one writer at a time, in
the order of the trail. `claiming` is for leases, which the trail does not record: writers do not wait for
each other on PostgreSQL.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakSet, finalize

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    create_engine,
    event,
    func,
    inspect,
    literal,
    select,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from bootstrap.errors import InvalidInput, MissingExtra, StoreError
from bootstrap.protocols import Clock
from bootstrap.store import schema, trail
from bootstrap.store.failures import what_to_do
from bootstrap.store.file_systems import refuse_network

__all__ = ["Database", "opened"]

#: Seconds for which SQLite waits for another process's transaction.
_BUSY_SECONDS = 60.0

#: Seconds between two looks whether somebody still writes, at most. A shorter pause hands the file from one
#: process to the next more often, each of which has to read what the last one changed.
_LONGEST_PAUSE = 0.02

#: The hash before the first entry of a trail.
_NO_ENTRY = "0" * 64


_SQLITE_NOW: ColumnElement[Any] = (func.julianday("now") - 2440587.5) * 86400.0
_POSTGRES_NOW: ColumnElement[Any] = func.extract("epoch", func.clock_timestamp())
_POSTGRES_TIME = select(_POSTGRES_NOW)


#: A child of a fork must not use its parent's connections.
_engines: WeakSet[Engine] = WeakSet()


def _let_go() -> None:
    for engine in list(_engines):
        engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


class Database:
    """One store's database.

    Parameters
    ----------
    url : str
        `sqlite:///labels.db` or `postgresql://user:password@host/name`. What stands after `sqlite:///` is the
        path of the file as it is: nothing in it is encoded.
    clock : callable, optional
        Seconds since the epoch. By default the database's own clock, which is the same for all processes.
    must_exist : bool
        Refuse to begin a new store.
    any_schema : bool
        Open a store of another version, too: to upgrade it, or to copy it as it is.

    Attributes
    ----------
    url : str
        Without the password.
    is_sqlite : bool
    engine : sqlalchemy.Engine

    Raises
    ------
    InvalidInput
        If the URL is none, or of another kind of database.
    MissingExtra
        If psycopg is not installed, for PostgreSQL.
    StoreError
        If it can't be opened, lies on a network file system, or was written by a newer or older version.
    """

    def __init__(
        self, url: str, *, clock: Clock | None = None, must_exist: bool = False, any_schema: bool = False
    ) -> None:
        parsed = _parse(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        plain = parsed.set(drivername=parsed.get_backend_name())
        as_text = plain.render_as_string(hide_password=True)
        self.url = f"sqlite:///{parsed.database}" if self.is_sqlite else as_text
        self._clock = clock
        if self.is_sqlite:
            path = Path(parsed.database or "")
            refuse_network(path)
            if must_exist and not path.exists():
                raise StoreError(
                    f"There is no store at {self.url}. Check the path; if it is right, first start the loop "
                    "with this storage, which makes the store. Nothing was made."
                )
        self.engine = _engine(parsed)
        _engines.add(self.engine)
        finalize(self, self.engine.dispose)  # connections close with whoever forgot to
        try:
            with self.failing():
                self._prepare(must_exist, any_schema)
        except BaseException:
            self.close()
            raise

    # transactions

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One state of everything, while others write."""
        with self.failing(), self.engine.connect() as connection:
            if not self.is_sqlite:  # where each statement would see a state of its own
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The only writer until the end, where all of it is on the disk, or nothing where it fails."""
        with self._changing() as connection:
            if not self.is_sqlite:  # SQLite has one writer at a time anyway
                connection.execute(select(schema.store.c.id).with_for_update())
            trail.begin(connection)
            try:
                yield connection
                trail.flush(connection)
            finally:
                trail.end(connection)

    @contextmanager
    def claiming(self, *, alone: bool = False) -> Iterator[Connection]:
        """A short write that the trail does not record; `alone`: while nobody is `writing`.

        Who changes several rows that others may hold has to be alone: on PostgreSQL two who go through the
        same rows in different order would wait for each other.

        On SQLite a power cut may take the last ones back, never what was written under them: whoever writes
        next brings them to the disk, too. A lease that is lost so is a query that can be claimed again.
        """
        with self._changing(synchronous="NORMAL") as connection:
            self.expect_few_rows(connection)
            if alone and not self.is_sqlite:
                connection.execute(select(schema.store.c.id).with_for_update())
            yield connection

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Turn what the database says into what to do about it."""
        try:
            yield
        except DBAPIError as error:
            raise StoreError(what_to_do(error, self.url)) from error
        except UnicodeEncodeError as error:
            raise StoreError(
                f"The store {self.url} takes valid Unicode only; an id, a name or a reason has "
                f"{error.object[error.start : error.end]!r} in it. Nothing of this call was saved."
            ) from error

    def expect_few_rows(self, connection: Connection) -> None:
        """Have single rows looked up by an index until the transaction ends.

        Left to itself PostgreSQL reads a table from end to end that was short when it last looked, and is not
        any more once people have answered for a minute.
        """
        if not self.is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")

    @property
    def now(self) -> ColumnElement[Any]:
        """The time as an SQL expression: seconds since the epoch, by the database's clock."""
        if self._clock is not None:
            return literal(float(self._clock()))
        return _SQLITE_NOW if self.is_sqlite else _POSTGRES_NOW

    def time(self, connection: Connection) -> float:
        """What :attr:`now` is at this moment."""
        if self._clock is not None:
            return float(self._clock())
        if self.is_sqlite:  # its clock is that of this machine
            return time.time()
        return float(connection.execute(_POSTGRES_TIME).scalar_one())

    def close(self) -> None:
        """Close every connection. The store can be used again: it opens them anew."""
        self.engine.dispose()

    # inside

    @contextmanager
    def _changing(self, synchronous: str = "FULL") -> Iterator[Connection]:
        """A transaction that writes, and what it waits for in the end on SQLite."""
        with self.failing(), self.engine.connect() as connection:
            connection = connection.execution_options(writes=True, synchronous=synchronous)
            with connection.begin():
                yield connection

    def _prepare(self, must_exist: bool, any_schema: bool) -> None:
        """Make the tables where there are none; refuse those of another version."""
        with self.engine.connect() as connection:
            begun = inspect(connection).has_table("store")
        if not begun and must_exist:
            raise StoreError(
                f"There is no store at {self.url}: the database has no such tables. Check its name; if it is "
                "right, first start the loop with this storage, which makes them."
            )
        if not begun:
            with self._changing() as connection:
                self._one_at_a_time(connection)
                there = set(inspect(connection).get_table_names())
                if "store" not in there:
                    self._refuse_anothers(there)
                    schema.metadata.create_all(connection)
                    connection.execute(
                        schema.store.insert().values(
                            id=1,
                            schema_version=schema.SCHEMA_VERSION,
                            created_at=self.now,
                            trail_head=_NO_ENTRY,
                            trail_length=0,
                        )
                    )
        with self.reading() as connection:
            found = connection.execute(select(schema.store.c.schema_version)).scalar()
        if found is None:
            raise StoreError(
                f"The store {self.url} has lost the row of its table `store`, which says what schema it has "
                "and where its trail ends: somebody removed it. Go back to a backup; nothing was changed."
            )
        if any_schema:
            return
        if found > schema.SCHEMA_VERSION:
            raise StoreError(
                f"The store {self.url} has schema {found}; this version of bootstrap-labels knows up to "
                f"{schema.SCHEMA_VERSION}. Install a newer one: pip install --upgrade bootstrap-labels. "
                "Nothing was changed."
            )
        if found < schema.SCHEMA_VERSION:
            raise StoreError(
                f"The store {self.url} has schema {found}, and this version of bootstrap-labels uses "
                f"{schema.SCHEMA_VERSION}. Bring it up to date: bootstrap-labels db upgrade {self.url}. "
                "Nothing was changed."
            )

    def _refuse_anothers(self, there: set[str]) -> None:
        """Make nothing in a file of another program, nor among tables that have our names."""
        taken = there if self.is_sqlite else there & set(schema.metadata.tables)
        if taken:
            raise StoreError(
                f"{self.url} holds tables of something else ({', '.join(sorted(taken)[:3])}). Name a file "
                "or a database of its own for the store; nothing was made."
            )

    def _one_at_a_time(self, connection: Connection) -> None:
        """Two processes may want to begin the same store."""
        if not self.is_sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(0x6C6162656C73)))


@contextmanager
def opened(storage: str | Database) -> Iterator[Database]:
    """A store that must exist: the one given, or the one at this URL, closed again in the end."""
    if isinstance(storage, Database):
        yield storage
        return
    database = Database(storage, must_exist=True)
    try:
        yield database
    finally:
        database.close()


def _parse(url: str) -> URL:
    if not isinstance(url, str):
        raise InvalidInput(f"storage is a URL such as sqlite:///labels.db, got {url!r}")
    if re.match(r"sqlite(\+\w+)?:/", url):
        return URL.create("sqlite+pysqlite", database=_path_in(url))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        raise InvalidInput(
            "storage is a URL such as sqlite:///labels.db or postgresql://user@host/name, got "
            + repr(re.sub(r":[^:/@]*@", ":***@", url))
        ) from None
    kind = parsed.get_backend_name()
    if kind in ("postgresql", "postgres"):
        if "password" in parsed.query:
            raise InvalidInput(
                "storage: the password stands before the host: postgresql://user:password@host"
            )
        return parsed.set(drivername="postgresql+psycopg")
    raise InvalidInput(f"a store is on SQLite or PostgreSQL, got {kind}: sqlite:///labels.db, postgresql://…")


def _path_in(url: str) -> str:
    """The file that a URL of SQLite names. Its path may hold all that means something in other URLs."""
    _, parted, path = url.partition(":///")
    if not parted or path in ("", ":memory:") or "\0" in path:
        raise InvalidInput(
            f"{url!r} names no file to keep labels in: write sqlite:///labels.db, or "
            "sqlite:////data/labels.db with a fourth slash for a path from the root. A loop in memory has no "
            "storage at all"
        )
    if re.search(r"\?\w+=", path):
        raise InvalidInput(
            f"{url!r} has options after a question mark, and a store on SQLite takes none: leave them out, "
            "or give the file another name"
        )
    return path


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, hide_parameters=True)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(
            url, pool_pre_ping=True, connect_args={"connect_timeout": 10}, hide_parameters=True
        )
    except (ImportError, NoSuchModuleError):
        raise MissingExtra("A store on PostgreSQL", "psycopg[binary]", "postgres") from None


def _set_up_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver would begin transactions late, when it sees a write
    run: Callable[[str], Any] = connection.execute
    run("PRAGMA journal_mode=WAL")
    run("PRAGMA synchronous=FULL")  # a label is on the disk before anybody is told so
    run("PRAGMA foreign_keys=ON")
    run("PRAGMA cache_size=-131072")  # kB at most: a million items go to random places of their indices


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    driver: Any = connection.connection.driver_connection
    if not options.get("writes", False):
        driver.execute("BEGIN")
        return
    driver.execute(f"PRAGMA synchronous={options.get('synchronous', 'FULL')}")
    if not _begin_writing(driver):
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # says why not


def _begin_writing(driver: Any) -> bool:
    """Wait for our turn in short steps: those of SQLite grow to 100 ms, most of which nobody writes.

    Returns
    -------
    bool
        Whether it has come.
    """
    until, pause = time.monotonic() + _BUSY_SECONDS, 0.0
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
                return True
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    return False
            pause = min(pause + 0.001, _LONGEST_PAUSE)
            time.sleep(pause)
    finally:
        driver.execute(f"PRAGMA busy_timeout={1000 * _BUSY_SECONDS:.0f}")
