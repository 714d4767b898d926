"""One trainer at a time for each loop: a lock that the database holds, and that dies with its holder.

On SQLite it is an open write transaction on a side file, on PostgreSQL an advisory lock of one connection. No
pid file is left to go stale: when the holding process ends, in whatever way, the lock is free.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol
from weakref import finalize

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.exc import DBAPIError

from bootstrap.errors import StoreError, StoreInUse
from bootstrap.store.database import Database

__all__ = ["TrainingLock"]

_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

#: SQL by whom a lock is held. The two halves of its number stand apart in pg_locks.
_HOLDER: Final = text(
    "SELECT a.application_name, a.client_addr::text AS address, a.backend_start::text AS since "
    "FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND (l.classid::bigint << 32) | l.objid::bigint = :key"
).bindparams(bindparam("key"))


class _Lock(Protocol):
    """How one kind of database locks. `holder` says who has the lock, where that is known."""

    def acquire(self) -> bool: ...
    def release(self) -> None: ...
    def alive(self) -> bool: ...
    def holder(self) -> str | None: ...
    def close(self) -> None: ...


class TrainingLock:
    """The right to train one loop. Taking it and giving it back is cheap: the connection is kept.

    Two of these exclude each other in one process as well. After a fork the child holds nothing.

    Parameters
    ----------
    database : Database
        An open store.
    loop_name : str

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     database = Database(f"sqlite:///{folder}/labels.db")
    ...     with TrainingLock(database, "default") as lock:
    ...         held = lock.held
    ...     database.close()
    >>> held, lock.held
    (True, False)
    """

    def __init__(self, database: Database, loop_name: str) -> None:
        self._what = f"the loop {loop_name!r} of {database.url}"
        kind = _OnSqlite if database.is_sqlite else _OnPostgres
        self._lock: _Lock = kind(database, loop_name)
        self._holder: int | None = None  # the process that took it
        finalize(self, self._lock.close)  # its connection closes with whoever forgot to

    @property
    def held(self) -> bool:
        """Whether this process holds it. PostgreSQL is asked: a connection that broke has lost it."""
        return self._holder == os.getpid() and self._lock.alive()

    def acquire(self) -> None:
        """Take the lock, without waiting. Once it is held, this does nothing.

        Raises
        ------
        StoreInUse
            If another trainer has it; says who, where that is known.
        """
        if self.held:
            return
        if not self._lock.acquire():
            holder = self._lock.holder()
            raise StoreInUse(
                f"Another process trains {self._what}"
                + (f": {holder}" if holder else "")
                + ". Wait for it, or end it: the lock is free as soon as its holder is gone. Answers can be "
                "given meanwhile. Nothing was changed."
            )
        self._holder = os.getpid()

    def release(self) -> None:
        """Give it back. Does nothing where it is not held."""
        if self._holder == os.getpid():
            self._lock.release()
        self._holder = None

    def close(self) -> None:
        """Give it back and close the connection. It can be taken again: that opens a new one."""
        self.release()
        self._lock.close()

    def __enter__(self) -> TrainingLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _OnSqlite:
    """A write transaction on `<store>.<hash>.trainer` that is begun and never written in.

    Who holds it is a row committed before, which others can read while the transaction is open.
    """

    def __init__(self, database: Database, loop_name: str) -> None:
        store = Path(str(database.engine.url.database)).resolve()
        short = hashlib.blake2b(loop_name.encode(), digest_size=4).hexdigest()
        self.path = store.with_name(f"{store.name}.{short}.trainer")
        self._connection: sqlite3.Connection | None = None
        self._process: int | None = None  # whose connection it is
        self._me: tuple[int, str, str] | None = None
        self._using = threading.Lock()

    def acquire(self) -> bool:
        with self._using:
            if self._process != os.getpid():
                self._open()
            try:
                self._run("PRAGMA busy_timeout = 0")
                self._run("BEGIN IMMEDIATE")
                if self._row() != self._me:
                    self._introduce()
            except sqlite3.Error as error:
                self._roll_back()
                if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY:
                    return False
                raise StoreError(self._advice(error)) from error
        return True

    def release(self) -> None:
        with self._using:
            self._roll_back()

    def alive(self) -> bool:
        return True  # as long as the process

    def holder(self) -> str | None:
        try:
            row = self._row()
        except sqlite3.Error:  # its holder has only just come
            return None
        return row and f"process {row[0]} on {row[1]}, since {row[2]}"

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._process = None

    def _open(self) -> None:
        """A connection of this process. One from before a fork is closed: it never held anything here."""
        self.close()
        try:
            self._connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise StoreError(self._advice(error)) from error
        self._process = os.getpid()
        self._me = (os.getpid(), socket.gethostname(), time.strftime("%Y-%m-%d %H:%M:%S"))

    def _introduce(self) -> None:
        """Write who holds it. Between the two transactions another may come first: then it is busy."""
        self._run("PRAGMA busy_timeout = 2000")  # somebody may just be reading the row
        self._run("CREATE TABLE IF NOT EXISTS holder (pid INTEGER, host TEXT, since TEXT)")
        self._run("DELETE FROM holder")
        self._run("INSERT INTO holder VALUES (?, ?, ?)", *(self._me or ()))
        self._run("COMMIT")
        self._run("PRAGMA busy_timeout = 0")
        self._run("BEGIN IMMEDIATE")

    def _row(self) -> tuple[int, str, str] | None:
        if not self._run("SELECT 1 FROM sqlite_master WHERE name = 'holder'").fetchone():
            return None
        row: tuple[int, str, str] | None = self._run("SELECT pid, host, since FROM holder").fetchone()
        return row

    def _run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if self._connection is None:
            raise StoreError(f"{self.path} is closed.")
        return self._connection.execute(statement, values)

    def _roll_back(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            self._connection.rollback()

    def _advice(self, error: sqlite3.Error) -> str:
        return (
            f"{self.path} can't be locked for training ({error}). Check that this user may write in its "
            "folder and that the disk has room; the file holds nothing else and may be deleted while nobody "
            "trains."
        )


class _OnPostgres:
    """An advisory lock of a connection that is used for nothing else."""

    def __init__(self, database: Database, loop_name: str) -> None:
        self._database = database
        named = hashlib.blake2b(f"bootstrap-labels trainer {loop_name}".encode(), digest_size=8).digest()
        self._key = int.from_bytes(named, "big", signed=True)
        self._connection: Connection | None = None
        self._process: int | None = None
        self._inherited: list[Connection] = []  # never closed here: that would end the parent's session

    def acquire(self) -> bool:
        if self._process == os.getpid():
            with suppress(StoreError):  # the connection was kept, and may have broken meanwhile
                return self._try()
        self._open()
        return self._try()

    def release(self) -> None:
        with suppress(StoreError):  # a connection that broke has given it back
            self._ask(text("SELECT pg_advisory_unlock(:key)"), key=self._key)

    def _try(self) -> bool:
        return bool(self._ask(text("SELECT pg_try_advisory_lock(:key)"), key=self._key)[0][0])

    def alive(self) -> bool:
        try:
            self._ask(text("SELECT 1"))
        except StoreError:
            return False
        return True

    def holder(self) -> str | None:
        for name, address, since in self._ask(_HOLDER, key=self._key):
            return f"{name or 'unknown'} ({address or 'a local connection'}), connected since {since}"
        return None

    def close(self) -> None:
        if self._connection is not None and self._process == os.getpid():
            self._connection.close()
        elif self._connection is not None:
            self._inherited.append(self._connection)
        self._connection = self._process = None

    def _open(self) -> None:
        self.close()
        with self._database.failing():
            connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            connection.detach()  # it is ours: the pool does not count on it
        self._connection, self._process = connection, os.getpid()
        self._ask(
            text(
                "SELECT set_config('application_name', :name, false), "
                # A machine that vanishes is noticed within a minute.
                "set_config('tcp_keepalives_idle', '30', false), "
                "set_config('tcp_keepalives_interval', '10', false), "
                "set_config('tcp_keepalives_count', '3', false)"
            ),
            name=f"trainer {os.getpid()} on {socket.gethostname()}"[:63],
        )

    def _ask(self, statement: Any, **values: Any) -> list[Any]:
        if self._connection is None:
            raise StoreError(f"The connection to {self._database.url} is closed.")
        with self._database.failing():
            try:
                return list(self._connection.execute(statement, values).all())
            except DBAPIError:
                self._connection.close()  # broken: the next call opens another
                self._connection = self._process = None
                raise
            finally:
                if self._connection is not None:
                    self._connection.commit()  # nothing: every statement stands alone
