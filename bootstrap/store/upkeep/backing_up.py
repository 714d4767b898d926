"""A copy of a store as it is at one moment, while others go on writing."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from sqlalchemy.engine import make_url

from bootstrap.errors import InvalidInput, StoreError
from bootstrap.store.database import Database

__all__ = ["backup", "copy_to"]


def backup(storage: str | Database, path: str | Path) -> Path:
    """Copy a store on SQLite into a new file; returns its path.

    The copy holds everything that was saved when the call began, and nothing that was erased before. It is a
    store itself: `sqlite:///` and its path open it. Stores of older versions are copied, too.

    Parameters
    ----------
    storage : str or Database
        URL of a store that exists, or an open one.
    path : str or Path
        Must not exist: nothing is ever overwritten.

    Raises
    ------
    InvalidInput
        If there is something at `path`, or no folder for it.
    StoreError
        If the store can't be read or the copy not be written, or if the store is on PostgreSQL, which brings
        a program for that.
    """
    if isinstance(storage, Database):
        return copy_to(storage, Path(path))
    database = Database(storage, must_exist=True, any_schema=True)
    try:
        return copy_to(database, Path(path))
    finally:
        database.close()


def copy_to(database: Database, path: Path) -> Path:
    """What :func:`backup` does, with an open store of any version."""
    if not database.is_sqlite:
        plain = make_url(database.url)
        host = f" --host={plain.host or plain.query.get('host')}" if plain.host or plain.query else ""
        port = f" --port={plain.port}" if plain.port else ""
        user = f" --username={plain.username}" if plain.username else ""
        raise StoreError(
            f"{database.url} is on PostgreSQL, whose own program copies it while others write: pg_dump "
            f"--format=custom --file={path}{host}{port}{user} {plain.database}. pg_restore brings it back."
        )
    if not path.parent.is_dir():
        raise InvalidInput(f"There is no folder {path.parent} for the backup. Make it, or name another.")
    try:
        path.touch(exist_ok=False)  # the name is ours from here on
    except FileExistsError:
        raise InvalidInput(
            f"There is something at {path} already, and a backup overwrites nothing. Name a new file."
        ) from None
    except OSError as error:
        raise StoreError(f"{path} can't be written: {error}. Nothing was copied.") from None
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        _copy(database, unfinished)
        os.replace(unfinished, path)
    except BaseException:
        for left in (unfinished, path):
            with suppress(OSError):
                left.unlink(missing_ok=True)
        raise
    return path


def _copy(database: Database, path: Path) -> None:
    """VACUUM INTO reads one state of everything, and takes no free pages along."""
    path.unlink(missing_ok=True)  # of a copy that was killed
    pooled = database.engine.raw_connection()  # VACUUM works outside of any transaction only
    try:
        pooled.cursor().execute("VACUUM INTO ?", (str(path),))
    except sqlite3.Error as error:
        raise StoreError(
            f"{database.url} could not be copied to {path.parent}: {error}. Check the room on both disks; "
            "the store is as it was."
        ) from error
    finally:
        pooled.close()
    with path.open("rb+") as file:
        os.fsync(file.fileno())
