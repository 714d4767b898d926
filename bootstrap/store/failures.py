"""What a database says when it fails, as what was found, what is safe, and what to do about it.

SQLite names its errors (SQLITE_FULL), PostgreSQL numbers them (SQLSTATE 53100); only where a connection
could not be made is there nothing but text. The first line of each table that fits is taken.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import unquote

from sqlalchemy.exc import DataError, DBAPIError

__all__ = ["what_to_do"]

_SAVED: Final = "What was saved before is; nothing of this call was."
_WHOLE: Final = (
    "What was saved before is. This call was saved whole or not at all: repeat it; the same answer under the "
    "same token is stored once."
)
_TAMPERED: Final = (
    "it would not accept a row that contradicts others. Either somebody changed the database by hand, or "
    "this is a fault of bootstrap-labels: `bootstrap-labels db check` tells which. Please report the latter"
)

#: Begin of SQLite's name of an error, what may stand in its text, and what to say.
_SQLITE: Final = (
    ("SQLITE_FULL", "", "the disk is full. Make room there, then repeat the call"),
    (
        "SQLITE_READONLY",
        "",
        "the file, its folder or its disk is read-only. Make both writable for this user, or mount the disk "
        "for writing",
    ),
    (
        "SQLITE_BUSY",
        "",
        "another process has been writing for as long as this one would wait. Repeat the call; if it happens "
        "again, look for a process that hangs while it has the file open",
    ),
    (
        "SQLITE_LOCKED",
        "",
        "another connection of this process is in the middle of writing. Repeat the call",
    ),
    (
        "SQLITE_NOTADB",
        "",
        "this file is no SQLite database. Check the path; the file was left as it is",
    ),
    (
        "SQLITE_CORRUPT",
        "",
        "the file is damaged. Keep a copy of it with the files beside it (-wal, -shm), then go back to a "
        "backup, or try sqlite3's command .recover on the copy",
    ),
    (
        "SQLITE_IOERR",
        "",
        "the disk refused to read or write. Check its room and its health, and that it is a local one",
    ),
    ("SQLITE_PERM", "", "this user may not open it. Change the permissions of the file and its folder"),
    ("SQLITE_AUTH", "", "this user may not open it. Change the permissions of the file and its folder"),
    ("SQLITE_CONSTRAINT", "", _TAMPERED),
    ("SQLITE_TOOBIG", "", "a value is larger than SQLite takes (1 GB). Keep large content elsewhere"),
    (
        "SQLITE_ERROR",
        "syntax error",
        "this SQLite is too old: 3.35 is needed. Use a newer Python (python.org, conda and uv bring their "
        "own SQLite)",
    ),
    (
        "SQLITE_ERROR",
        "no such",
        "this is no store of bootstrap-labels, or its tables were changed by hand. Check the path, or go "
        "back to a backup",
    ),
)

#: Begin of PostgreSQL's SQLSTATE and what to say.
_POSTGRES: Final = (
    ("53100", "the server's disk is full. Make room there, then repeat the call"),
    (
        "53300",
        "the server has no connection left. Close programs that use it, or raise its max_connections",
    ),
    ("53", "the server is out of memory or of another means. Look into its log"),
    ("25006", "the server only lets us read: it is a standby, or set to read-only. Connect to the primary"),
    ("28", "the server refused this user or password. Check both, PGPASSWORD and ~/.pgpass too"),
    ("3D000", "the server has no database of this name. Make it: createdb NAME"),
    (
        "42501",
        "this user may not do that. Grant it all rights to the tables, or let it own the database",
    ),
    (
        "42",
        "this is no store of bootstrap-labels, or its tables were changed by hand. Check the name of the "
        "database, or go back to a backup",
    ),
    ("22", "PostgreSQL can't hold one of these values (a text with a NUL character, say). Clean the value"),
    ("23", _TAMPERED),
    ("40", "two calls were in each other's way and the server ended this one. Repeat the call"),
    ("55P03", "another call has held a lock for too long. Repeat the call"),
    ("57014", "the server cancelled the call, for its time limit or by hand. Repeat the call"),
    ("XX", "the server found its data damaged. Look into its log, and go back to a backup"),
    ("58", "the server could not read or write its disk. Look into its log"),
)

#: What PostgreSQL's client says where it could not connect, and what to say.
_NO_CONNECTION: Final = (
    ("password", "28"),
    ('role "', "28"),
    ('database "', "3D000"),
    ("too many", "53300"),
)


def what_to_do(error: DBAPIError, url: str) -> str:
    """The message of a `StoreError`: what was found, what is safe, what to do.

    Parameters
    ----------
    error : sqlalchemy.exc.DBAPIError
    url : str
        Without a password: it is printed.
    """
    said = " ".join(str(error.orig).split())
    name = getattr(error.orig, "sqlite_errorname", None)
    if url.startswith("sqlite"):
        found, safe = _of_sqlite(str(name), said, url), _SAVED
    else:
        found, safe = _of_postgres(error, said)
    return f"The store {url} failed: {found} ({said}). {safe}"


def _of_sqlite(name: str, said: str, url: str) -> str:
    if name.startswith("SQLITE_CANTOPEN"):
        return _not_opened(url.removeprefix("sqlite:///"))
    for begin, text, advice in _SQLITE:
        if name.startswith(begin) and text in said:
            return advice
    return "SQLite could not do it"


def _not_opened(name: str) -> str:
    path = Path(name)
    if path.is_dir():
        return f"{path} is a folder. Name a file in it: {path / 'labels.db'}"
    if not path.parent.is_dir():
        meant = Path(unquote(name)).parent
        as_is = (
            f" (the path is taken as it stands; if you mean {meant}, write that)" if meant.is_dir() else ""
        )
        return f"there is no folder {path.parent}. Make it, or check the path{as_is}"
    return "the file can't be opened. Check that this user may read and write it and its folder"


def _of_postgres(error: DBAPIError, said: str) -> tuple[str, str]:
    state = getattr(error.orig, "sqlstate", None)
    if state is None and isinstance(error, DataError):  # refused by the client, before it was sent
        state = "22"
    if state is None and not error.connection_invalidated:
        for text, means in _NO_CONNECTION:
            if "FATAL" in said and text in said:
                state = means
                break
    for begin, advice in _POSTGRES:
        if str(state).startswith(begin):
            return advice, _SAVED
    if error.connection_invalidated or str(state)[:2] in ("08", "57"):
        return "the connection to the server broke. See that the server runs and can be reached", _WHOLE
    if state is None:
        return "the server can't be reached. See that it runs, and check host and port", _SAVED
    return "PostgreSQL could not do it", _SAVED
